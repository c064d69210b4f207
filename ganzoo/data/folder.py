"""Makes datasets from a folder of image files."""

import numpy as np

from ganzoo import checks
from ganzoo.data.decoding import MODES, decode_all, decoded_chunks, first_size, notes_of, report_broken
from ganzoo.data.image_files import files_of_split
from ganzoo.data.indexed import IndexedSource, check_batch_size
from ganzoo.data.pixels import check_image_size
from ganzoo.data.storing import CHUNK_BYTES, Chunk, Origin, check_storage, fingerprint_of, stored_images


def from_folder(
    path,
    image_size=None,
    channels=3,
    batch_size=None,
    seed=0,
    shuffle=True,
    split="train",
    storage="memory",
    cache_dir=None,
):
    """Makes a dataset from the image files of a folder and all folders below it. Links are followed.

    If the images lie in sub-folders, the names of these are the classes (`dataset.class_names`), in natural order: `2`
    comes before `10`. If they lie in the folder itself, there are no labels. A class folder without images keeps its
    number. A root with folders `train` and `test` (or `validation`) is recognised.

    All files are decoded once, at the start, into uint8 in memory or on the disk. A broken file is left out with a
    warning, so it cannot stop a training later. Animations give their first frame. Rotations from a camera (EXIF) are
    applied. Transparent parts become white unless `channels=4`. Greys of 16 bits, 32 bits and floats are converted to 8
    bits. The largest value of all files shows how many bits they use (8, 10, 12, 14 or 16, or for floats 1 or 255). A
    warning says so unless it is the full range.

    Iterating over the dataset gives the order of epoch 0 each time. `dataset.stream()` gives all epochs, each in its
    own order, starting at any batch. Incomplete batches are dropped.

    Args:
        path: String or `Path` of the folder. It reads all formats that Pillow reads, in the natural order of file
            names, and ignores other and hidden files.
        image_size: Pair of integers `(height, width)`. Images are resized to cover it (Lanczos, antialiased) and
            cropped at the centre. `None` (the default) requires images of equal size.
        channels: Integer, 1 (grey), 3 (RGB) or 4 (RGBA). Defaults to `3`.
        batch_size: Integer. `None` (the default) gives single images.
        seed: Integer, the seed of the order. Defaults to `0`.
        shuffle: Boolean. `False` keeps the order of the names. Defaults to `True`.
        split: String, the part to read. A name selects a sub-folder if the root is divided. Otherwise `"train"` (the
            default) is the whole folder. A slice such as `"train[:90%]"` or `"train[90%:]"` holds images out by a hash
            of the file names. So a file stays in its part when others are added, and a part holds roughly its share. A
            number, `"train[:1000]"`, is exact, but moves files when others are added.
        storage: `"memory"` (the default) or `"disk"`. On the disk, the decoded images are written once into a file of
            raw pixels, with `height * width * channels` bytes each, and batches are read from it. Order, pixels and
            exact resume are the same. Use it for images that do not fit into memory.
        cache_dir: Folder for that file. Defaults to `.ganzoo` in `path`.

    Returns:
        A `tf.data.Dataset` of `(image, label)`, or only of images without classes, with float32 images in `[-1, 1]` and
        int64 labels.

    Raises:
        ValueError: If there are no images, if they differ in size without `image_size`, if they lie both in and beside
            class folders, or if they do not fit into memory.
        PermissionError: If a folder cannot be read, or the file of pixels cannot be written.
        OSError: If the disk has no room for the file of pixels.

    Example:

    ```python
    train = ganzoo.data.from_folder("faces", image_size=(64, 64), batch_size=64, split="train[:90%]")
    held_out = ganzoo.data.from_folder("faces", image_size=(64, 64), batch_size=64, split="train[90%:]")
    ```
    """
    root = checks.path("path", path)
    channels = checks.choice("channels", channels, MODES)
    image_size = check_image_size(image_size)
    seed, shuffle = checks.seed("seed", seed), checks.boolean("shuffle", shuffle)  # Check these before the slow part.
    on_disk, cache_dir = check_storage(storage, cache_dir)
    files, class_names, labels = files_of_split(root, split)
    labels = None if labels is None else np.asarray(labels, np.int64)
    check_batch_size(batch_size, len(files))
    if on_disk:
        origin = _origin(root, split, files, labels, channels, image_size)
        images, labels = images_on_disk(files, origin, cache_dir)
    else:
        images, labels = images_in_memory(files, labels, channels, image_size)
    return IndexedSource(images, labels, batch_size, seed, shuffle, class_names).dataset()


def images_in_memory(files, labels, channels, image_size):
    """The images of the readable files as a uint8 array, and their labels or `None`."""
    images, readable = decode_all(files, channels, image_size)
    return images, None if labels is None else labels[readable]


def images_on_disk(files, origin, cache_dir):
    """The images of the readable files as `StoredImages`, and their labels or `None`."""
    images = stored_images(origin, cache_dir)
    report_broken([(files[index], error) for index, error in images.broken], len(files), stacklevel=4)
    return images, images.labels


def origin_of_files(files, labels, channels, image_size, **given):
    """The `Origin` of image files. `given` are its other arguments."""
    size = image_size or first_size(files, channels)
    rows = max(1, CHUNK_BYTES // (size[0] * size[1] * channels))

    def chunks(start, notes):
        for chunk in decoded_chunks(files, channels, size, image_size, labels, rows, start, notes):
            yield Chunk(*chunk)

    return Origin(
        image_shape=(*size, channels),
        count=len(files),
        chunks=chunks,
        take_notes=lambda: notes_of(files, channels, image_size),
        **given,
    )


def _origin(root, split, files, labels, channels, image_size):
    options = {"kind": "folder", "split": split, "channels": channels, "image_size": image_size}
    return origin_of_files(
        *(files, labels, channels, image_size),
        name=root.resolve().name or "images",
        folder=root.resolve(),
        options=options,
        fingerprint=lambda: fingerprint_of(files, root),
    )
