"""Datasets from a folder of image files."""

import os
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageOps

from ganzoo import checks
from ganzoo.data.indexed import IndexedSource, check_batch_size
from ganzoo.data.pixels import check_image_size, cover
from ganzoo.data.reading import check_memory, track

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def from_folder(path, image_size=None, channels=3, batch_size=None, seed=0, shuffle=True):
    """A dataset from the image files of a folder and all folders below it.

    If the images lie in sub-folders, the names of these are the classes, sorted
    (`dataset.class_names`); if they lie in the folder itself, there are no labels.

    All files are decoded here, once, into uint8 in memory: a broken file is left out with a warning and
    cannot stop a training later. Of animations the first frame is taken, rotations noted by a camera (EXIF)
    are applied, 16-bit greys are scaled to 8 bits, and what is transparent is laid on white unless
    `channels=4`.

    Iterating over the dataset gives the order of epoch 0 each time; `dataset.stream()` gives all epochs,
    each in its own order, from any batch on. Incomplete batches are dropped.

    Args:
        path: String or `Path` of the folder. PNG, JPEG, BMP, GIF, WebP, TIFF, PGM and PPM files are
            read, in the order of their names; other and hidden files are passed over.
        image_size: Pair of integers `(height, width)`: images are resized to cover it (Lanczos,
            antialiased) and cropped at the centre. `None` (the default) asks for images of one size.
        channels: Integer, 1 (grey), 3 (RGB) or 4 (RGBA). Defaults to `3`.
        batch_size: Integer. `None` (the default) gives single images.
        seed: Integer, the seed of the order. Defaults to `0`.
        shuffle: Boolean, `False` keeps the order of the names. Defaults to `True`.

    Returns:
        A `tf.data.Dataset` of `(image, label)`, or of images only if there are no classes: float32
        images in `[-1, 1]`, int64 labels.

    Raises:
        ValueError: If there are no images to read, they differ in size without `image_size`, lie both
            in and beside class folders, or do not fit into the memory.

    Example:

    ```python
    dataset = ganzoo.data.from_folder("faces", image_size=(64, 64), batch_size=64)
    ```
    """
    root = checks.path("path", path)
    channels = checks.choice("channels", channels, _MODES)
    image_size = check_image_size(image_size)
    seed, shuffle = checks.seed("seed", seed), checks.boolean("shuffle", shuffle)  # before the long part, too
    files = image_files(root)
    check_batch_size(batch_size, len(files))
    class_names, labels = _classes(root, files)
    images, readable = decode_all(files, channels, image_size)
    labels = None if labels is None else labels[readable]
    return IndexedSource(images, labels, batch_size, seed, shuffle, class_names).dataset()


def image_files(root):
    """All files below a folder that look like images, sorted."""
    if not root.is_dir():
        raise ValueError(f"There is no folder {str(root)!r}.")
    files = sorted(
        file
        for file in root.rglob("*")
        if file.suffix.lower() in _SUFFIXES
        and not any(part.startswith(".") for part in file.relative_to(root).parts)
        and file.is_file()
    )
    if not files:
        raise ValueError(f"The folder {str(root)!r} holds no image files ({', '.join(sorted(_SUFFIXES))}).")
    return files


def _classes(root, files):
    folders = [file.relative_to(root).parts[:-1][:1] for file in files]
    beside = [file.name for file, folder in zip(files, folders) if not folder]
    if len(beside) == len(files):
        return None, None
    if beside:
        raise ValueError(
            f"{len(beside)} images, such as {beside[0]!r}, lie in {str(root)!r} beside the class folders. "
            "Put each image into a class folder, or all into the folder itself."
        )
    names, labels = np.unique([folder[0] for folder in folders], return_inverse=True)
    return names.tolist(), labels


def decode_all(files, channels, image_size, decode=None):
    """Returns the images of the readable files, and the indices of these."""
    decode = decode or decode_image
    size = image_size or _first_size(files, channels, decode)
    check_memory(len(files), *size, channels)
    images = np.empty((len(files), *size, channels), np.uint8)

    def fill(index):
        try:
            image = decode(files[index], channels, image_size)
        except Exception as error:  # a broken file makes Pillow raise nearly anything
            return error
        if image.shape[:2] == size:
            images[index] = image
        return image.shape[:2]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(track(pool.map(fill, range(len(files))), len(files), "Reading images"))

    broken = [i for i, result in enumerate(results) if isinstance(result, Exception)]
    _report_broken([(files[i], results[i]) for i in broken], len(files))
    readable = np.delete(np.arange(len(files)), broken)
    _check_sizes([results[i] for i in readable])
    return _compacted(images, readable), readable


def _compacted(images, rows):
    """Some rows of an array, moved to its front: a second array might not fit."""
    if len(rows) < len(images):
        for row, index in enumerate(rows):
            images[row] = images[index]
    return images[: len(rows)]


def _first_size(files, channels, decode):
    for file in files:
        try:
            return decode(file, channels, None).shape[:2]
        except Exception:  # reported with the others later
            continue
    return 1, 1


def _report_broken(broken, num_files):
    if not broken:
        return
    lines = [f"  {file}: {str(error) or type(error).__name__}" for file, error in broken[:10]]
    if len(broken) > 10:
        lines.append(f"  and {len(broken) - 10} more")
    message = f"{len(broken)} of {num_files} image files cannot be read:\n" + "\n".join(lines)
    if len(broken) == num_files:
        raise ValueError(message)
    warnings.warn(message + "\nThey are left out.", UserWarning, stacklevel=4)


def _check_sizes(sizes):
    counts = Counter(sizes)
    if len(counts) > 1:
        found = [f"{height} x {width} ({n} images)" for (height, width), n in counts.most_common(5)]
        raise ValueError(
            f"The images have {len(counts)} different sizes (height x width): {', '.join(found)}"
            f"{', ...' if len(counts) > 5 else ''}. Pass image_size=(height, width) to bring them to one."
        )


def decode_image(file, channels, image_size):
    """Reads one file as a uint8 array `(height, width, channels)`."""
    with Image.open(file) as image:
        if image_size:
            # A JPEG can be decoded at half, quarter, ... size: far faster for photographs.
            image.draft(None, (2 * max(image_size),) * 2)
        image = _convert(ImageOps.exif_transpose(image), channels)
    if image_size:
        image = cover(image, image_size)
    return np.asarray(image).reshape(image.height, image.width, channels)


def _convert(image, channels):
    if image.mode == "F":
        raise ValueError("floating point pixels, whose range is not known")
    if image.mode.startswith("I"):  # 16 bits: convert() would clip them to 255
        image = Image.fromarray(np.clip(np.asarray(image) / 257 + 0.5, 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if channels != 4:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(_MODES[channels])
