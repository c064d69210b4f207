"""Datasets from the arrays of an `.npz` file."""

import zipfile

import numpy as np

from ganzoo.data.arrays import check_images, check_labels
from ganzoo.data.reading import check_room
from ganzoo.data.split import split_indices, split_name


def read(path, split, label=None):
    """Reads the images, and the labels if there are any, of a split.

    Args:
        path: `Path` of the file, with the arrays `<split>_images` and `<split>_labels`; or `images` and `labels`, which
            are the split `train`.
        split: String, which may be sliced, such as `"train[:10%]"`.
        label: String, the array `<split>_<label>` in the place of `labels`. The names of its values are the array
            `values_<label>`, if there is any. Or a list of such strings. Defaults to `None`: `labels`.

    Returns:
        Images, uint8 or float32. Labels, int64 or `None`; for a list, float32 attributes `(num_samples, count)`: of the
        values of each label one is 1, the others 0. The names of the classes, or of the attributes, or `None`.

    Raises:
        ValueError: If there is no such file, if it cannot be read, or if its arrays are no images or labels.
    """
    check_file(path)
    several = isinstance(label, (tuple, list))
    wanted = [label or "labels"] if not several else list(label)
    try:
        images, labels, names = _read_arrays(path, split, wanted, required=label is not None)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, KeyError) as error:
        raise ValueError(f"{str(path)!r} cannot be read: {error}. It is damaged, or no .npz file.") from error
    images = check_images(images)
    labels = [check_labels(each, len(images)) for each in labels]
    indices = split_indices(split, len(images))
    if several:
        return images[indices], *_as_attributes(wanted, [each[indices] for each in labels], names)
    return images[indices], labels[0][indices] if labels else None, names[0] if names else None


def _as_attributes(wanted, labels, names):
    """Labels, one-hot, side by side: float32 `(num_samples, count)`, and what each column means."""
    counts = [len(known) if known else int(label.max()) + 1 for label, known in zip(labels, names, strict=True)]
    columns = [np.eye(count, dtype="float32")[label] for label, count in zip(labels, counts, strict=True)]
    words = [known or range(count) for known, count in zip(names, counts, strict=True)]
    titles = [f"{label} {word}" for label, known in zip(wanted, words, strict=True) for word in known]
    return np.concatenate(columns, axis=1), titles


def check_file(path):
    """Raises a `ValueError` if there is no file at a path, or one of another kind."""
    if not path.exists():
        raise ValueError(f"There is no file {'' if path.suffix == '.npz' else 'or folder '}{str(path)!r}.")
    if path.suffix != ".npz":
        raise ValueError(
            f"{str(path)!r} is neither a folder of images nor an .npz file. Unpack an archive first. Arrays are taken "
            "by ganzoo.data.from_arrays."
        )


def _read_arrays(path, split, wanted, required):
    """Images, the wanted labels, and the names of their values (`None` where there are none)."""
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
    # A small file can hold large arrays, since it is compressed.
    check_room(f"The images of {str(path)!r}", 2 * sizes[f"{prefix}images"], "Take fewer images, or smaller ones.")
    with np.load(path, allow_pickle=False) as file:
        labels = [_read_array(file, f"{prefix}{label}") for label in found]
        keys = [f"values_{label}" for label in found]
        names = [_unquoted(_read_array(file, key)) if key in sizes else None for key in keys]
        return _read_array(file, f"{prefix}images"), labels, names


def _unquoted(names):
    """Names as strings, without the quotes around them that JSON leaves."""
    return [name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name for name in names.astype(str).tolist()]


def _read_array(file, key):
    try:
        return file[key]
    except ValueError as error:  # Objects, which NumPy would have to unpickle; or a header that is damaged.
        raise ValueError(f"The array {key!r} of {file.zip.filename!r} cannot be read: {error}") from error
