"""Images in a file of raw pixels, read by index, for sets that do not fit into memory.

The file holds the pixels of all images, then their labels, then a card in JSON, then a footer that locates the card.
The card describes the source of the file and has the hashes of all its parts.
"""

import hashlib
import json
import os
import struct
import threading
import weakref

import numpy as np

from ganzoo.data.reading import check_memory
from ganzoo.progress import Progress

FORMAT = 1
_MAGIC = b"ganzoo raw"
_FOOTER = struct.Struct("<Q32s10s")  # Length and sha256 of the card.
_LABEL = np.dtype("<i8")
_ONE_AT_A_TIME = threading.Lock()


class StoredImages:
    """The images of a file, with the interface of a uint8 array `(num_images, height, width, channels)`.

    Images are read with `preadv` where it exists. A memory map would be as fast, but would kill the process without a
    message if somebody truncates the file.

    Args:
        file: Open binary file. You may close it afterwards.
        card: Dictionary, the card at its end.

    Attributes:
        shape: `(num_images, height, width, channels)`.
        labels: int64 array `(num_images,)`, or `None`.
        broken: List of pairs, the index of an unreadable sample of the source, and why.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, file, card):
        self.shape = tuple(card["shape"])
        self.broken = card["broken"]
        self._name, self._file = file.name, os.dup(file.fileno())
        # Closes the descriptor when the object is gone.
        weakref.finalize(self, os.close, self._file)
        self._row_bytes = row_bytes(self.shape[1:])
        self.labels = None
        if card["labels"]:
            labels = read_at(self._file, len(self) * _LABEL.itemsize, len(self) * self._row_bytes)
            self.labels = np.frombuffer(labels, _LABEL).astype(np.int64)

    def __len__(self):
        return self.shape[0]

    def take(self, indices):
        """The images at an int64 array of indices, a uint8 array `(len(indices), height, width, channels)`."""
        indices = np.asarray(indices)
        if len(indices) and not 0 <= indices.min() <= indices.max() < len(self):
            raise IndexError(f"indices from {indices.min()} to {indices.max()} of {len(self)} images")
        images = np.empty((len(indices), *self.shape[1:]), np.uint8)
        for image, index in zip(images, indices.tolist(), strict=True):
            if _read_into(self._file, image, index * self._row_bytes) != self._row_bytes:
                raise OSError(f"The file {self._name!r} has been cut off since it was opened.")
        return images

    def numpy(self):
        """All images, as an array in memory.

        Raises:
            ValueError: If they do not fit into memory.
        """
        check_memory(*self.shape, "Use fewer of them: slice the split.")
        return self.take(np.arange(len(self)))


# === The file ===


def open_stored(path, source):
    """Opens the images of a file, if it exists, is complete, and matches the present source.

    The size is checked each time. The hashes are checked if the time of the file has changed, which means that it was
    written to or copied.

    Args:
        path: `Path`.
        source: Dictionary that identifies the source and its present state.

    Returns:
        `StoredImages` or `None`, and a string that says why not, which is `None` if there is no file.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None, None
    with file:
        card = _read_card(file)
        if card is None:
            return None, "it is damaged"
        if card["source"] != source:
            changed = [key for key in {**source, **card["source"]} if source.get(key) != card["source"].get(key)]
            return None, f"the data have changed since ({', '.join(changed)})"
        # A new time means that the file was copied or written to.
        if os.fstat(file.fileno()).st_mtime_ns != card["time"] * 10**9:
            if not _hashes_hold(file, card):
                return None, "it is damaged"
            _set_time(path, card["time"])
        return StoredImages(file, card), None


def row_bytes(image_shape):
    """The number of bytes of an image `(height, width, channels)`."""
    return int(np.prod(image_shape, dtype=np.int64))


def digest(pixels, labels):
    """The hash of a chunk, from its pixels and its labels, if any."""
    sha = hashlib.sha256(pixels)
    sha.update(labels)
    return sha.hexdigest()


def labels_as_bytes(labels):
    """Labels in the format of the file. Empty for `None`."""
    return b"" if labels is None else np.asarray(labels, _LABEL).tobytes()


def write_end(path, labels, card):
    """Adds labels and card to a file of pixels, and flushes it to the disk."""
    text = json.dumps({"format": FORMAT, **card}).encode()
    with open(path, "ab") as file:
        file.write(labels)
        file.write(text + _FOOTER.pack(len(text), hashlib.sha256(text).digest(), _MAGIC))
        file.flush()
        os.fsync(file.fileno())
    _set_time(path, card["time"])


def _set_time(path, seconds):
    try:
        os.utime(path, (seconds, seconds))
    except OSError:  # If another user owns the file, its hashes are checked each time.
        pass


def _read_card(file):
    """The card of an open file, or `None` if the file is incomplete."""
    size = os.fstat(file.fileno()).st_size
    if size < _FOOTER.size:
        return None
    file.seek(size - _FOOTER.size)
    length, sha, magic = _FOOTER.unpack(file.read(_FOOTER.size))
    start = size - _FOOTER.size - length
    if magic != _MAGIC or start < 0:
        return None
    file.seek(start)
    text = file.read(length)
    if hashlib.sha256(text).digest() != sha:
        return None
    card = json.loads(text)
    num_images, *image_shape = card.get("shape", [0])
    bytes_each = row_bytes(image_shape) + (_LABEL.itemsize if card.get("labels") else 0)
    return card if card["format"] == FORMAT and start == num_images * bytes_each else None


def _hashes_hold(file, card):
    """Whether all pixels and labels match their hashes."""
    num_images, *image_shape = card["shape"]
    first, labels_at = 0, num_images * row_bytes(image_shape)
    progress = Progress("Checking pixels", num_images)
    for rows, sha in card["chunks"]:
        if hash_of_chunk(file, first, rows, row_bytes(image_shape), labels_at if card["labels"] else None) != sha:
            return False
        first += rows
        progress.advance(rows)
    return first == num_images


def hash_of_chunk(file, first, rows, image_bytes, labels_at=None, labels_file=None):
    """The hash of some rows of an open file. Their labels start at `labels_at`, perhaps in another file."""
    labels = b""
    if labels_at is not None:
        labels = read_at((labels_file or file).fileno(), rows * _LABEL.itemsize, labels_at + first * _LABEL.itemsize)
    return digest(read_at(file.fileno(), rows * image_bytes, first * image_bytes), labels)


def read_at(descriptor, count, offset):
    """Reads up to `count` bytes of an open file. Several threads may read at once."""
    buffer = bytearray(count)
    return bytes(memoryview(buffer)[: _read_into(descriptor, buffer, offset)])


def _read_into(descriptor, buffer, offset):
    """Fills a buffer from an offset in an open file. Returns the number of bytes."""
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [buffer], offset)
    view = memoryview(buffer).cast("B")
    with _ONE_AT_A_TIME:  # Windows has no `preadv`, so threads must take turns.
        os.lseek(descriptor, offset, os.SEEK_SET)
        data = os.read(descriptor, len(view))
    view[: len(data)] = data
    return len(data)
