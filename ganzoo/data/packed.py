"""Reads image files in a tar archive without unpacking it."""

import io
import tarfile
import zlib
from pathlib import PurePosixPath

import numpy as np

from ganzoo.data.folder import images_in_memory, images_on_disk, origin_of_files
from ganzoo.data.image_files import natural, readable_suffixes
from ganzoo.data.split import split_name, stable_indices
from ganzoo.data.storing import fingerprint_of
from ganzoo.progress import Progress


class PackedFile:
    """A file of an archive, in memory.

    Args:
        name: `PurePosixPath` below the folder of its split, such as `cat/0001.jpg`.
        contents: Bytes.
    """

    def __init__(self, name, contents):
        self.name, self.contents = name, contents

    def __str__(self):
        return str(self.name)

    def open(self, mode="rb"):
        """Opens the contents as a file."""
        return io.BytesIO(self.contents)


def read(path, split, image_size=None, on_disk=False, cache_dir=None):
    """Reads the files `<split>/<class>/*.jpg` of an archive.

    Args:
        path: `Path` of a tar archive, which may be compressed.
        split: String, which may be sliced as in `from_folder`.
        image_size: `(height, width)`, or `None`.
        on_disk, cache_dir: See `check_storage`.

    Returns:
        Images as a uint8 array or `StoredImages`, int64 labels, and the names of the classes.

    Raises:
        ValueError: If the archive cannot be read, or does not have the split.
    """
    part = split_name(split)
    files, class_names = _unpacked(path, part)
    if "[" in split:
        files = [files[index] for index in stable_indices(split, [str(file) for file in files])]
    labels = np.array([class_names.index(file.name.parts[0]) for file in files], np.int64)
    if not on_disk:
        return *images_in_memory(files, labels, 3, image_size), class_names
    origin = origin_of_files(
        *(files, labels, 3, image_size),
        name=path.name.partition(".")[0],
        folder=path.parent.resolve(),
        options={"kind": "archive", "file": path.name, "split": split, "image_size": image_size},
        fingerprint=lambda: fingerprint_of([path]),
    )
    return *images_on_disk(files, origin, cache_dir), class_names


def _unpacked(path, part):
    """The image files of a split in natural order, and the class names of all splits."""
    files, parts, class_names = [], set(), set()
    suffixes, progress = readable_suffixes(), Progress(f"Unpacking {path.name}")
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if not member.isfile() or len(name.parts) < 3 or name.suffix.lower() not in suffixes:
                    continue
                progress.advance()
                parts.add(name.parts[0])
                class_names.add(name.parts[1])
                if name.parts[0] == part:
                    files.append(PackedFile(name.relative_to(part), archive.extractfile(member).read()))
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        why = str(error).partition("\n")[0].rstrip(":")
        raise ValueError(f"{str(path)!r} cannot be read: {why}. It is damaged, or no tar archive.") from error
    if not files:
        there = ", ".join(sorted(parts)) or "no <split>/<class>/<image>"
        raise ValueError(f"{str(path)!r} has no split {part!r}. It holds: {there}.")
    files.sort(key=lambda file: [natural(each) for each in file.name.parts])
    return files, sorted(class_names, key=natural)
