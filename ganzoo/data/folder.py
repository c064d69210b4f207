"""Datasets from a folder of image files."""

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
    """A dataset from the image files of a folder and all folders below it; links are followed.

    If the images lie in sub-folders, the names of these are the classes (`dataset.class_names`), in natural order: `2`
    comes before `10`. If they lie in the folder itself, there are no labels. A folder of a class without images keeps
    its number. A root that is divided into `train` and `test` (or `validation`) is recognised.

    All files are decoded here, once, into uint8 in memory or on the disk: a broken file is left out with a warning and
    cannot stop a training later. Of animations the first frame is taken, rotations noted by a camera (EXIF) are
    applied, and what is transparent is laid on white unless `channels=4`. Greys of 16 bits, 32 bits and floats are
    brought to 8 bits; the largest value of all files tells how many bits they use (8, 10, 12, 14 or 16; of floats 1 or
    255), and a warning says so unless it is all of them.

    Iterating over the dataset gives the order of epoch 0 each time; `dataset.stream()` gives all epochs, each in its
    own order, from any batch on. Incomplete batches are dropped.

    Args:
        path: String or `Path` of the folder. Files of all formats that Pillow reads are taken, in the natural order of
            their names; other and hidden files are passed over.
        image_size: Pair of integers `(height, width)`: images are resized to cover it (Lanczos, antialiased) and
            cropped at the centre. `None` (the default) asks for images of one size.
        channels: Integer, 1 (grey), 3 (RGB) or 4 (RGBA). Defaults to `3`.
        batch_size: Integer. `None` (the default) gives single images.
        seed: Integer, the seed of the order. Defaults to `0`.
        shuffle: Boolean, `False` keeps the order of the names. Defaults to `True`.
        split: String, the part to read. A name is that of a sub-folder, where the root is divided; `"train"` (the
            default) is all of it where it is not. A slice holds images out, `"train[:90%]"` and `"train[90%:]"`: by a
            hash of the files' names, so a file stays in its part when others come, and a part holds about its share.
            A number, `"train[:1000]"`, is exact, and moves files when others come.
        storage: `"memory"` (the default), or `"disk"`: the decoded images are written once into a file of raw pixels,
            of `height * width * channels` bytes each, and batches are read from there. Order, pixels and exact resume
            are the same. For images that do not fit into memory.
        cache_dir: Folder of that file. Defaults to `.ganzoo` in `path`.

    Returns:
        A `tf.data.Dataset` of `(image, label)`, or of images only if there are no classes: float32 images in `[-1, 1]`,
        int64 labels.

    Raises:
        ValueError: If there are no images to read, they differ in size without `image_size`, lie both in and beside
            class folders, or do not fit into the memory.
        PermissionError: If a folder may not be read, or the file of pixels not be written.
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
    seed, shuffle = checks.seed("seed", seed), checks.boolean("shuffle", shuffle)  # Before the long part, too.
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
    """The images of the readable files, a uint8 array, and their labels, or `None`."""
    images, readable = decode_all(files, channels, image_size)
    return images, None if labels is None else labels[readable]


def images_on_disk(files, origin, cache_dir):
    """The images of the readable files as `StoredImages`, and their labels, or `None`."""
    images = stored_images(origin, cache_dir)
    report_broken([(files[index], error) for index, error in images.broken], len(files), stacklevel=4)
    return images, images.labels


def origin_of_files(files, labels, channels, image_size, **given):
    """The `Origin` of image files; `given` are its other arguments."""
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
