"""Finds image files in folders, with their order, their classes and their splits."""

import os
import re
import warnings
from collections import Counter
from pathlib import Path

from PIL import Image

from ganzoo.data.split import split_name, stable_indices

# Formats that Pillow recognizes but cannot decode by itself, or that do not hold pictures.
_NO_PICTURES = {"BUFR", "GRIB", "HDF5", "MPEG", "WMF", "EPS", "IPTC"}
# Suffixes that people expect to be pictures, whether or not this Pillow reads them.
_LIKE_PICTURES = {".heic", ".heif", ".jxl", ".svg", ".avif", ".jp2", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".raw"}
_IGNORED_FOLDERS = {"__MACOSX"}

# Common names of split folders. The first name of a row stands for the others.
_SPLITS = (("train", "training"), ("test", "testing"), ("validation", "val", "valid", "dev", "eval"))


def readable_suffixes():
    """The suffixes of all formats that this Pillow reads, in lower case."""
    known = Image.registered_extensions()
    return {suffix for suffix, name in known.items() if name in Image.OPEN and name not in _NO_PICTURES}


def natural(text):
    """A sort key for names in natural order: `2` before `10`."""
    parts = re.split(r"(\d+)", str(text))
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts if part], str(text)


def image_files(root):
    """All files below a folder that look like images, in natural order. Links are followed.

    Args:
        root: `Path`.

    Raises:
        ValueError: If the folder does not exist or has no images.
        PermissionError: If a folder cannot be read.
    """
    if not root.is_dir():
        what = "is a file and no folder" if root.exists() else "does not exist"
        raise ValueError(f"There is no folder {str(root)!r}: it {what}.")
    suffixes = readable_suffixes()
    everything = list(_walk(root))
    files = [file for file in everything if file.suffix.lower() in suffixes]
    others = Counter(file.suffix.lower() or "no suffix" for file in everything if file.suffix.lower() not in suffixes)
    passed_over = {suffix: count for suffix, count in others.items() if suffix in _LIKE_PICTURES}
    if not files:
        there = ", ".join(f"{count} {suffix}" for suffix, count in others.most_common(5))
        raise ValueError(
            f"The folder {str(root)!r} holds no image files that Pillow reads ({', '.join(sorted(suffixes)[:8])}, ...)."
            f" It holds: {there or 'no files'}."
        )
    if passed_over:
        counted = ", ".join(f"{count} {suffix}" for suffix, count in passed_over.items())
        warnings.warn(
            f"Pillow cannot read {counted} in {str(root)!r}: passed over. Convert them, to PNG say, to have them in.",
            UserWarning,
            stacklevel=4,
        )
    return sorted(files, key=lambda file: [natural(part) for part in file.relative_to(root).parts])


def has_images(root):
    """Whether there is a file that looks like an image in a folder or below it."""
    suffixes = readable_suffixes()
    return any(file.suffix.lower() in suffixes for file in _walk(root))


def _walk(folder, above=()):
    """Visible files below a folder, also through links. Skips links to a folder above, which would loop forever."""
    here = os.path.realpath(folder)
    if here in above:
        return
    try:
        entries = [entry for entry in os.scandir(folder) if is_shown(entry.name)]
    except PermissionError as error:
        raise PermissionError(f"No permission to read the folder {str(folder)!r}.") from error
    for entry in entries:
        if entry.is_dir():
            yield from _walk(entry.path, {*above, here})
        elif entry.is_file():
            yield Path(entry.path)


def is_shown(name):
    """Whether to look at a file or folder with this name."""
    return not name.startswith(".") and name not in _IGNORED_FOLDERS


def sub_folders(root):
    """The names of the folders in a folder, in natural order."""
    return sorted((path.name for path in root.iterdir() if path.is_dir() and is_shown(path.name)), key=natural)


# === Splits ===


def split_folders(root):
    """The folders that a root is divided into, `{"train": path, "test": path}`. Empty if its folders are classes.

    `train` counts as a split if there is also a test or validation folder, or nothing else.
    """
    if not root.is_dir():
        return {}
    names = sub_folders(root)
    found = {row[0]: root / name for row in _SPLITS for name in names if name.lower() in row}
    return found if len(found) > 1 or (found and len(names) == len(found)) else {}


def files_of_split(root, split="train"):
    """The files of a split of a folder, and their classes.

    Args:
        root: `Path`.
        split: String, see `ganzoo.data.from_folder`.

    Returns:
        List of paths, list of class names or `None`, and list of each file's class as an integer or `None`.
    """
    name, splits = split_name(split), split_folders(root)
    wanted = next((row[0] for row in _SPLITS if name.lower() in row), name)
    if wanted in splits:
        base = splits[wanted]
    elif (root / name).is_dir() and name != "train":
        base = root / name
    elif splits or wanted != "train":
        there = f"It is divided into: {', '.join(path.name for path in splits.values())}." if splits else ""
        raise ValueError(
            f"The folder {str(root)!r} has no sub-folder {name!r}; received split={split!r}. "
            f"{there or 'To hold some of its images out, slice it: train[:90%] and train[90%:].'}"
        )
    else:
        base = root
    files = image_files(base)
    names = _class_names(base, files, [base, *splits.values()])
    if "[" in split:
        chosen = stable_indices(split, [file.relative_to(base).as_posix() for file in files])
        files = [files[index] for index in chosen]
    if names is None:
        return files, None, None
    return files, names, [names.index(file.relative_to(base).parts[0]) for file in files]


def _class_names(base, files, bases):
    """The names of the class folders in all splits, or `None` if the images lie in the folder itself."""
    beside = [file.name for file in files if file.parent == base]
    if len(beside) == len(files):
        return None
    if beside:
        raise ValueError(
            f"{len(beside)} images, such as {beside[0]!r}, lie in {str(base)!r} beside the class folders. "
            "Put each image into a class folder, or all into the folder itself."
        )
    warn_of_empty_folders(base, files)
    return sorted({name for one in bases for name in sub_folders(one)}, key=natural)


def warn_of_empty_folders(base, files):
    """Warns of class folders without any of the files."""
    filled = {file.relative_to(base).parts[0] for file in files}
    empty = [name for name in sub_folders(base) if name not in filled]
    if empty:
        warnings.warn(
            f"The class folders {', '.join(empty)} in {str(base)!r} hold no images. They keep their numbers.",
            UserWarning,
            stacklevel=5,
        )
