"""Datasets from the arrays of an `.npz` file."""

import zipfile

import numpy as np

from ganzoo.data.arrays import check_images, check_labels
from ganzoo.data.reading import check_room
from ganzoo.data.split import split_indices, split_name


def read(path, split):
    """Reads the images, and the labels if there are any, of a split.

    Args:
        path: `Path` of the file, with the arrays `<split>_images` and `<split>_labels`; or `images` and `labels`, which
            are the split `train`.
        split: String, which may be sliced, such as `"train[:10%]"`.

    Returns:
        Images, uint8 or float32, and int64 labels or `None`.

    Raises:
        ValueError: If there is no such file, if it cannot be read, or if its arrays are no images or labels.
    """
    check_file(path)
    wanted = split_name(split)
    try:
        images, labels = _read_arrays(path, wanted, split)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, KeyError) as error:
        raise ValueError(f"{str(path)!r} cannot be read: {error}. It is damaged, or no .npz file.") from error
    images = check_images(images)
    labels = None if labels is None else check_labels(labels, len(images))
    indices = split_indices(split, len(images))
    return images[indices], None if labels is None else labels[indices]


def check_file(path):
    """Raises a `ValueError` if there is no file at a path, or one of another kind."""
    if not path.exists():
        raise ValueError(f"There is no file {'' if path.suffix == '.npz' else 'or folder '}{str(path)!r}.")
    if path.suffix != ".npz":
        raise ValueError(
            f"{str(path)!r} is neither a folder of images nor an .npz file. Unpack an archive first. Arrays are taken "
            "by ganzoo.data.from_arrays."
        )


def _read_arrays(path, wanted, split):
    with zipfile.ZipFile(path) as archive:
        sizes = {entry.filename.removesuffix(".npy"): entry.file_size for entry in archive.infolist()}
    prefixes = [prefix for prefix in (f"{wanted}_", "") if f"{prefix}images" in sizes]
    if not prefixes or (prefixes == [""] and wanted != "train"):
        raise ValueError(
            f"{str(path)!r} holds no array '{wanted}_images' for split={split!r}; it holds {sorted(sizes)}."
        )
    images_key, labels_key = f"{prefixes[0]}images", f"{prefixes[0]}labels"
    # A small file can hold large arrays, since it is compressed.
    check_room(f"The images of {str(path)!r}", 2 * sizes[images_key], "Take fewer images, or smaller ones.")
    with np.load(path, allow_pickle=False) as file:
        return _read_array(file, images_key), _read_array(file, labels_key) if labels_key in file else None


def _read_array(file, key):
    try:
        return file[key]
    except ValueError as error:  # Objects, which NumPy would have to unpickle; or a header that is damaged.
        raise ValueError(f"The array {key!r} of {file.zip.filename!r} cannot be read: {error}") from error
