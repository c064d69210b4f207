"""Reads datasets from the arrays of an `.npz` file."""

import contextlib
import zipfile
import zlib
from functools import partial

import numpy as np

from ganzoo.data.arrays import check_images, check_labels
from ganzoo.data.reading import check_room
from ganzoo.data.split import split_indices, split_name
from ganzoo.data.storing import CHUNK_BYTES, Chunk, Origin, fingerprint_of, stored_images


def read(path, split, label=None, resized=None, on_disk=False, cache_dir=None):
    """Reads the images of a split, and the labels if there are any.

    Args:
        path: `Path` of the file, with the arrays `<split>_images` and `<split>_labels`. Arrays `images` and `labels`
            belong to the split `train`.
        split: String, which may be sliced, such as `"train[:10%]"`.
        label: String, to use the array `<split>_<label>` instead of `labels`. The names of its values are in the array
            `values_<label>`, if there is any. Or a list of such strings. Defaults to `None`, which means `labels`.
        resized: Function that resizes an array of images. Defaults to `None`, their own size.
        on_disk, cache_dir: See `check_storage`. Without `on_disk` (the default) images are read into memory.

    Returns:
        Images, uint8 or float32, or `StoredImages`. Labels, int64 or `None`. For a list, float32 attributes
        `(num_samples, count)`, which are one-hot for each label. The names of the classes or attributes, or `None`.

    Raises:
        ValueError: If the file is missing or unreadable, or if its arrays are not images or labels.
    """
    check_file(path)
    several = isinstance(label, (tuple, list))
    wanted = [label or "labels"] if not several else list(label)
    with _in_words(path):
        key, labels, names = _read_labels(path, split, wanted, required=label is not None)
        images = None if on_disk else _in_memory(path, key)
        count = _check_storable(path, key) if on_disk else len(images)
        labels = [check_labels(each, count) for each in labels]
    indices = split_indices(split, count)
    if on_disk:
        images = _stored(path, key, split, indices, resized, cache_dir)
    else:
        images = images[indices] if resized is None else resized(images[indices])
    labels = [each[indices] for each in labels]
    if several:
        return images, *_as_attributes(wanted, labels, names)
    return images, labels[0] if labels else None, names[0] if names else None


@contextlib.contextmanager
def _in_words(path):
    try:
        yield
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, KeyError) as error:
        raise ValueError(f"{str(path)!r} cannot be read: {error}. It is damaged, or no .npz file.") from error


def _in_memory(path, key):
    """All images of a file, in memory."""
    # A small compressed file can hold large arrays.
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo(f"{key}.npy").file_size
    check_room(f"The images of {str(path)!r}", 2 * size, 'Take fewer or smaller images, or pass storage="disk".')
    with np.load(path, allow_pickle=False) as file:
        return check_images(_read_array(file, key))


def _as_attributes(wanted, labels, names):
    """One-hot labels side by side, float32 `(num_samples, count)`, and the meaning of each column."""
    counts = [len(known) if known else int(label.max()) + 1 for label, known in zip(labels, names, strict=True)]
    columns = [np.eye(count, dtype="float32")[label] for label, count in zip(labels, counts, strict=True)]
    words = [known or range(count) for known, count in zip(names, counts, strict=True)]
    titles = [f"{label} {word}" for label, known in zip(wanted, words, strict=True) for word in known]
    return np.concatenate(columns, axis=1), titles


def check_file(path):
    """Raises a `ValueError` unless the path is an existing `.npz` file."""
    if not path.exists():
        raise ValueError(f"There is no file {'' if path.suffix == '.npz' else 'or folder '}{str(path)!r}.")
    if path.suffix != ".npz":
        raise ValueError(
            f"{str(path)!r} is neither a folder of images nor an .npz file. Unpack an archive first. Arrays are taken "
            "by ganzoo.data.from_arrays."
        )


def _read_labels(path, split, wanted, required):
    """The name of the array of images, the wanted labels, and the names of their values or `None`."""
    part = split_name(split)
    with zipfile.ZipFile(path) as archive:
        sizes = {entry.filename.removesuffix(".npy"): entry.file_size for entry in archive.infolist()}
    prefixes = [prefix for prefix in (f"{part}_", "") if f"{prefix}images" in sizes]
    if not prefixes or (prefixes == [""] and part != "train"):
        raise ValueError(f"{str(path)!r} holds no array '{part}_images' for split={split!r}; it holds {sorted(sizes)}.")
    prefix = prefixes[0]
    found = [label for label in wanted if f"{prefix}{label}" in sizes and label != "images"]
    if required and found != wanted:
        missing = next(label for label in wanted if label not in found)
        others = sorted(key.removeprefix("values_") for key in sizes if key.startswith("values_"))
        hint = f" Labels with names: {', '.join(others)}." if others else f" It holds {sorted(sizes)}."
        raise ValueError(f"{str(path)!r} holds no array '{prefix}{missing}' for label={missing!r}.{hint}")
    with np.load(path, allow_pickle=False) as file:
        labels = [_read_array(file, f"{prefix}{label}") for label in found]
        keys = [f"values_{label}" for label in found]
        names = [_plain_names(_read_array(file, key)) if key in sizes else None for key in keys]
        return f"{prefix}images", labels, names


def _plain_names(values):
    """Names as a list of strings. JSON names, as DiceBear writes them, lose their quotes, and `null` becomes `none`."""
    return ["none" if name == "null" else _unquoted(name) for name in values.astype(str).tolist()]


def _unquoted(name):
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name


def _read_array(file, key):
    try:
        return file[key]
    except ValueError as error:  # Objects, which NumPy would have to unpickle, or a damaged header.
        raise ValueError(f"The array {key!r} of {file.zip.filename!r} cannot be read: {error}") from error


# === In chunks ===


def _check_storable(path, key):
    """The number of images in an array. Checks that they can be stored as raw pixels."""
    shape, is_fortran, dtype, _ = _header(path, key)
    if dtype != np.uint8 or is_fortran or len(shape) not in (3, 4) or 0 in shape:
        raise ValueError(
            f"storage='disk' keeps images of 8 bits. The array {key!r} of {str(path)!r} holds {dtype} of the shape "
            f"{shape}{', in the order of Fortran' * is_fortran}. Save uint8 images (count, height, width, channels)."
        )
    return shape[0]


def _stored(path, key, split, indices, resized, cache_dir):
    """The images at some indices as `StoredImages`."""
    image_shape = _image_shape(path, key, resized)
    origin = Origin(
        name=path.stem,
        folder=path.parent.resolve(),
        options={"kind": "npz", "file": path.name, "key": key, "split": split, "shape": image_shape},
        fingerprint=lambda: fingerprint_of([path]),
        image_shape=image_shape,
        count=len(indices),
        chunks=partial(_chunks, path, key, indices, resized),
    )
    return stored_images(origin, cache_dir)


def _image_shape(path, key, resized):
    """The shape of an image of a file after resizing."""
    shape, *_ = _header(path, key)
    images = check_images(np.zeros((1, *shape[1:]), np.uint8))
    return (images if resized is None else resized(images)).shape[1:]


def _chunks(path, key, indices, resized, start, notes):
    """Yields the images of some rows of an array, which is decompressed in chunks."""
    (_, *image_shape), *_, begin = _header(path, key)
    row_bytes = int(np.prod(image_shape))
    at_once = max(1, CHUNK_BYTES // row_bytes)
    with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as file:
        for first in range(start, len(indices), at_once):
            rows = indices[first : first + at_once]
            images = np.empty((len(rows), *image_shape), np.uint8)
            # Read each run of consecutive rows at once. Seeking in a compressed file is slow.
            for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows) != 1) + 1):
                file.seek(begin + int(rows[run[0]]) * row_bytes)
                data = file.read(len(run) * row_bytes)
                images[run] = np.frombuffer(data, np.uint8).reshape(-1, *image_shape)
            images = check_images(images)
            yield Chunk(first + len(rows), images if resized is None else resized(images))


def _header(path, key):
    """Shape, order and dtype of an array in a file, and the offset of its values."""
    formats = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as file:
        try:
            return *formats[np.lib.format.read_magic(file)](file), file.tell()
        except (ValueError, KeyError) as error:
            raise ValueError(f"The array {key!r} of {str(path)!r} cannot be read: {error}") from error
