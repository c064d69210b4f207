"""Makes a file of raw pixels, chunk by chunk, so that a killed process can continue."""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL

from ganzoo import checks, files
from ganzoo.data.stored import (
    digest,
    hash_of_chunk,
    labels_as_bytes,
    open_stored,
    row_bytes,
    write_end,
)
from ganzoo.progress import Progress

STORAGES = ("memory", "disk")

# Bytes that are decoded, written and hashed at a time. A killed process loses this much.
CHUNK_BYTES = 2**24

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}


class Chunk(NamedTuple):
    """A few consecutive images.

    Args:
        position: Integer, number of samples of the source that are done after this chunk.
        images: uint8 array `(count, height, width, channels)`.
        labels: Integer array `(count,)`, or `None`.
        broken: List of pairs, the index of an unreadable sample, and why.
    """

    position: int
    images: np.ndarray
    labels: np.ndarray | None = None
    broken: tuple = ()


@dataclass(frozen=True)
class Origin:
    """The source of a file of raw pixels.

    Args:
        name: String, for the name of the file and for messages.
        folder: `Path` of the folder for the file without a `cache_dir`, or `None` if there is no such folder.
        options: Dictionary of the request: split, size, channels. Each choice has its own file.
        fingerprint: Function that returns a dictionary, which changes if the source does.
        image_shape: `(height, width, channels)`.
        count: Integer, number of samples of the source.
        chunks: Function `(start, notes)` that yields a `Chunk` after the other, starting at a sample.
        take_notes: Function that returns what `chunks` must know about all samples beforehand, for JSON.
    """

    name: str
    folder: Path | None
    options: dict
    fingerprint: Callable
    image_shape: tuple
    count: int
    chunks: Callable
    take_notes: Callable = field(default=dict)

    @property
    def bytes_needed(self):
        """The approximate size of the file."""
        return self.count * row_bytes(self.image_shape)

    def path(self, cache_dir):
        """The path of the file."""
        if cache_dir is None and self.folder is None:
            raise ValueError(f"{self.name!r} is not on a disk of this machine. Pass cache_dir=, a folder that is.")
        options = self.options | ({} if cache_dir is None else {"folder": str(self.folder)})
        key = hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:12]
        size = "x".join(map(str, self.image_shape))
        return (cache_dir or self.folder / ".ganzoo") / f"{self.name}-{size}-{key}.pixels"


def check_storage(storage, cache_dir):
    """Returns whether to keep images on the disk, and the folder for them as a `Path` or `None`."""
    on_disk = checks.choice("storage", storage, STORAGES) == "disk"
    cache_dir = checks.path("cache_dir", cache_dir, optional=True)
    if cache_dir is not None and not on_disk:
        raise ValueError('`cache_dir` is the folder of storage="disk". Pass both, or neither.')
    return on_disk, cache_dir


def fingerprint_of(paths, root=None):
    """A dictionary that changes if any file changes: a hash of names, sizes and times, and the version of Pillow."""
    sha, total = hashlib.sha256(), 0
    for path in paths:
        stat = os.stat(path)
        name = Path(path).relative_to(root).as_posix() if root else Path(path).name
        sha.update(b"%s\0%d\0%d\0" % (os.fsencode(name), stat.st_size, stat.st_mtime_ns))
        total += stat.st_size
    return {"files": len(paths), "bytes": total, "names and times": sha.hexdigest(), "Pillow": PIL.__version__}


def stored_images(origin, cache_dir=None):
    """The images of a source as `StoredImages`. Makes their file if necessary.

    Raises:
        OSError: If the file cannot be written. The message says why and what to do.
    """
    path = origin.path(cache_dir)
    with _in_words(path, origin):
        source = origin.fingerprint()
        images, _ = open_stored(path, source)
        if images is not None:
            return images
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.in_turn(path.with_name(f".{path.name}.lock"), f"makes {path}"):
            images, why = open_stored(path, source)  # Another process may have made it meanwhile.
            if images is None:
                if why is not None:
                    warnings.warn(f"{path} is made again: {why}.", UserWarning, stacklevel=5)
                _make(path, origin, source)
                images, why = open_stored(path, source)
    if images is None:
        raise OSError(f"{path} was made, and cannot be used: {why or 'it is gone'}.")
    return images


def _make(path, origin, source):
    partial = _Partial(path, {"source": source, "shape": list(origin.image_shape)}, origin)
    needed = origin.bytes_needed - partial.rows * row_bytes(origin.image_shape)
    if needed > shutil.disk_usage(path.parent).free:
        path.unlink(missing_ok=True)  # It is out of date, and takes the room.
    if needed > shutil.disk_usage(path.parent).free:
        raise OSError(errno.ENOSPC, "no room")
    progress = Progress(f"Writing pixels of {origin.name}", origin.count)
    progress.done = partial.position
    for chunk in origin.chunks(partial.position, partial.notes):
        progress.advance(chunk.position - partial.position)
        partial.append(chunk)
    if origin.fingerprint() != source:
        partial.delete()
        raise ValueError(f"{origin.name!r} has changed while it was read. Run this again once nobody writes there.")
    partial.finish(path)


class _Partial:
    """A file in the making: its pixels, its labels, and a journal with a line and a hash for each chunk.

    They lie in a folder whose name says which process writes them. If that process is gone, another takes over the
    folder by renaming it, which succeeds only once. It keeps all chunks in the journal whose hashes match.
    """

    def __init__(self, path, header, origin):
        self.folder, self.header = files.temporary_of(path), header
        self.image_bytes = row_bytes(origin.image_shape)
        self.position, self.rows, self.chunks, self.broken, self.labelled = 0, 0, [], [], False
        _take_over(path, self.folder)
        if not self._read_journal():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            self.notes = origin.take_notes()
            self._write("journal", json.dumps(header | {"notes": self.notes}).encode() + b"\n")

    def append(self, chunk):
        """Adds a chunk."""
        pixels, labels = np.ascontiguousarray(chunk.images), labels_as_bytes(chunk.labels)
        self._write("pixels", pixels)
        self._write("labels", labels)
        line = [chunk.position, len(pixels), digest(pixels, labels), list(chunk.broken), chunk.labels is not None]
        self._write("journal", json.dumps(line).encode() + b"\n")
        os.utime(self.folder)  # Shows other machines that this process is alive.
        self._count(line)

    def finish(self, path):
        """Turns it into the file at `path`."""
        labels = (self.folder / "labels").read_bytes() if self.labelled else b""
        card = {
            "source": self.header["source"],
            "shape": [self.rows, *self.header["shape"]],
            "labels": self.labelled,
            "chunks": self.chunks,
            "broken": self.broken,
            "time": int(time.time()),
        }
        write_end(self.folder / "pixels", labels, card)
        os.replace(self.folder / "pixels", path)
        # Without this, a power cut could undo the renaming.
        files.sync_folder(path.parent)
        self.delete()

    def delete(self):
        """Deletes the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name, data):
        with open(self.folder / name, "ab", buffering=0) as file:
            view = memoryview(data).cast("B") if len(data) else b""
            while len(view):  # A disk that becomes full writes a part first, and raises only at the next write.
                view = view[file.write(view) :]

    def _read_journal(self):
        """Whether there is a journal of the same source. Counts and keeps its intact chunks."""
        try:
            first, *lines = (self.folder / "journal").read_bytes().splitlines(keepends=True)
            found = json.loads(first)
        except (OSError, ValueError):
            return False
        self.notes = found.pop("notes", None)
        if found != self.header:
            return False
        kept = len(first)
        with self._opened("pixels") as pixels, self._opened("labels") as labels:
            for text in lines:
                line = _parsed(text)
                if line is None or not self._holds(line, pixels, labels):
                    break
                self._count(line)
                kept += len(text)
        label_bytes = len(labels_as_bytes([0])) * self.rows * self.labelled
        for name, size in (("journal", kept), ("pixels", self.rows * self.image_bytes), ("labels", label_bytes)):
            os.truncate(self.folder / name, size)
        return True

    def _opened(self, name):
        return open(self.folder / name, "ab+")

    def _holds(self, line, pixels, labels):
        _, rows, sha, _, labelled = line
        labels_at = 0 if labelled else None
        return hash_of_chunk(pixels, self.rows, rows, self.image_bytes, labels_at, labels) == sha

    def _count(self, line):
        self.position, rows, sha, broken, self.labelled = line
        self.rows += rows
        self.chunks.append([rows, sha])
        self.broken += broken


def _parsed(text):
    """A line of the journal, or `None` if it was cut off."""
    with contextlib.suppress(ValueError):
        if text.endswith(b"\n"):
            return json.loads(text)
    return None


def _take_over(path, folder):
    """Renames the folder that a dead process has left, so that it belongs to this process."""
    for left in path.parent.glob(f".writing-*-{path.name}"):
        if left != folder and files.is_abandoned(left):
            if folder.exists():
                shutil.rmtree(left, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):  # Another process was faster.
                    os.rename(left, folder)


@contextlib.contextmanager
def _in_words(path, origin):
    """Says what to do about a full disk or a folder that cannot be written."""
    try:
        yield
    except OSError as error:
        size = _in_units(origin.bytes_needed)
        if error.errno in _FULL:
            raise OSError(
                f"There is no room for the pixels of {origin.name!r} in {str(path.parent)!r}: they take {size}. What "
                "is written stays: make room and run this again, or pass cache_dir=, a folder on another disk."
            ) from error
        if error.errno in _FORBIDDEN and Path(error.filename or "").is_relative_to(path.parent):
            raise PermissionError(
                f"The pixels of {origin.name!r} cannot be written to {str(path.parent)!r}. Pass cache_dir=, a folder "
                f"with {size} of room, or make that folder writable."
            ) from error
        raise


def _in_units(size):
    """A number of bytes in words."""
    return f"{size / 2**20:,.1f} MiB" if size < 2**30 else f"{size / 2**30:,.1f} GiB"
