"""Decodes image files to uint8 arrays, with the intended orientation, depth and transparency."""

import os
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageOps

from ganzoo.data.pixels import cover
from ganzoo.data.reading import check_memory
from ganzoo.progress import track

MODES = {1: "L", 3: "RGB", 4: "RGBA"}

# Possible values of white in greys of more than 8 bits: the maxima of 8, 10, 12, 14 and 16 bits.
_WHITES = (255, 1023, 4095, 16383, 65535)


class Depths:
    """Finds the value of white in deep greys. 16 bits, 32 bits and floats do not say how much of their range is used.

    A camera writes 12 bits into 16. Other programs write 0 to 255 into 32 bits, or 0 to 1 as floats. The largest value
    in all files of a kind decides, so that a dark picture among bright pictures stays dark.

    Args:
        measured: Dictionary, kind (Pillow's mode) -> largest value in all files. Defaults to `None`, where each file
            decides for itself.

    Attributes:
        largest: Dictionary, kind -> largest value that `white` has seen.
    """

    def __init__(self, measured=None):
        self.measured = measured
        self.largest = {}

    def white(self, kind, values):
        """The value of white for an array of deep greys."""
        lowest, largest = float(values.min()), float(values.max())
        if not np.isfinite([lowest, largest]).all():
            raise ValueError("pixels that are NaN or infinite")
        if lowest < 0:
            raise ValueError(f"pixels down to {lowest:g}: below black")
        self.largest[kind] = max(largest, self.largest.get(kind, 0.0))
        return white_of(kind, largest if self.measured is None else self.measured[kind])


def white_of(kind, largest):
    """The value of white, given the largest value of all.

    Raises:
        ValueError: If the value exceeds all usual ranges.
    """
    whites = (1, 255) if kind == "F" else _WHITES
    for white in whites:
        if largest <= white:
            return white
    raise ValueError(f"pixels up to {largest:g}, beyond every usual range (0 to {' or '.join(map(str, whites))})")


def decode_image(file, channels, image_size, depths=None):
    """Reads a file as a uint8 array `(height, width, channels)`.

    Args:
        file: `Path`, or another object with its method `open`.
        channels: 1, 3 or 4.
        image_size: `(height, width)`, or `None` for its own size.
        depths: `Depths`. Defaults to `None`, where the file decides for itself.
    """
    with file.open("rb") as opened, Image.open(opened) as image:
        if image_size:
            # A JPEG can be decoded at half, quarter, ... size, which is far faster for photographs.
            image.draft(None, (2 * max(image_size),) * 2)
        image = _convert(image, channels, depths or Depths())
    if image_size:
        image = cover(image, image_size)
    return np.asarray(image).reshape(image.height, image.width, channels)


def _convert(image, channels, depths):
    see_through = image.info.get("transparency")
    image = ImageOps.exif_transpose(image)
    if _is_deep(image):  # convert() would clip them to 255.
        values = np.asarray(image)
        kind = image.mode[:4]
        grey = Image.fromarray((np.clip(values / depths.white(kind, values), 0, 1) * 255 + 0.5).astype(np.uint8))
        image = grey
        if isinstance(see_through, int):
            alpha = Image.fromarray(np.where(values == see_through, 0, 255).astype(np.uint8))
            image = Image.merge("LA", (grey, alpha))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if channels != 4:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(MODES[channels])


def decode_all(files, channels, image_size, decode=decode_image):
    """Decodes all readable files. Returns the images and the indices of the files.

    Args:
        files: List of paths.
        channels: Integer, the channels of the arrays that `decode` returns.
        image_size: `(height, width)`, or `None` if all images have the same size.
        decode: Function such as `decode_image`.

    Returns:
        uint8 array `(count, height, width, channels)`, and int64 array `(count,)`.
    """
    size = image_size or first_size(files, channels, decode)
    check_memory(len(files), *size, channels)
    images = np.empty((len(files), *size, channels), np.uint8)

    largest = {}  # Index of a file with deep greys -> largest value of each kind in it.

    def fill(index, measured=None):
        depths = Depths(measured)
        try:
            image = decode(files[index], channels, image_size, depths)
        except Exception as error:  # A broken file may make Pillow raise any exception.
            return error
        if depths.largest:
            largest[index] = depths.largest
        if image.shape[:2] == size:
            images[index] = image
        return image.shape[:2]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(track(pool.map(fill, range(len(files))), len(files), "Reading images"))
        # The largest value of all files is known only now, so decode the deep greys again.
        if largest:
            deep, measured = sorted(largest), _measured(list(largest.values()))
            again = pool.map(lambda index: fill(index, measured), deep)
            for index, result in zip(deep, track(again, len(deep), "Reading images of more than 8 bits")):
                results[index] = result

    broken = [i for i, result in enumerate(results) if isinstance(result, Exception)]
    report_broken([(files[i], results[i]) for i in broken], len(files))
    readable = np.delete(np.arange(len(files)), broken)
    _check_sizes([results[i] for i in readable])
    return _compacted(images, readable), readable


# === In chunks ===


def notes_of(files, channels, image_size):
    """Collects what `decoded_chunks` must know about all files: the largest values of deep greys.

    Returns:
        Dictionary for JSON. `measured` is the largest value of each kind of deep greys. `broken` is a list with the
        index of each unreadable deep file, and why.
    """
    largest, broken = [], []

    def look(index):
        try:
            with files[index].open("rb") as opened:
                if _has_eight_bits(opened.read(26)):
                    return None
                with Image.open(opened) as image:
                    if not _is_deep(image):
                        return None
            depths = Depths()
            decode_image(files[index], channels, image_size, depths)
            return depths.largest
        except Exception as error:  # A broken file may make Pillow raise any exception.
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(look, range(len(files)))
        for index, result in enumerate(track(found, len(files), "Looking at images")):
            if isinstance(result, Exception):
                broken.append([index, str(result) or type(result).__name__])
            elif result:
                largest.append(result)
    return {"measured": _measured(largest) if largest else {}, "broken": broken}


def decoded_chunks(files, channels, size, image_size, labels, rows, start, notes):
    """Yields the images of `decode_all` in chunks, starting at any file.

    Args:
        files: List of paths.
        channels: 1, 3 or 4.
        size: `(height, width)` of all images.
        image_size: The same, or `None` if images are not resized.
        labels: int64 array `(len(files),)`, or `None`.
        rows: Integer, files per chunk.
        start: Integer, index of the first file.
        notes: Result of `notes_of`.

    Yields:
        Index of the next file, uint8 array `(count, height, width, channels)`, the labels of these images or `None`,
        and a list of pairs for unreadable files, each the index and why.

    Raises:
        ValueError: If images differ in size.
    """
    known = dict(notes["broken"])

    def decode(index):
        if index in known:
            return known[index]
        try:
            return decode_image(files[index], channels, image_size, Depths(notes["measured"]))
        except Exception as error:  # A broken file may make Pillow raise any exception.
            return str(error) or type(error).__name__

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for first in range(start, len(files), rows):
            part = range(first, min(first + rows, len(files)))
            results = list(pool.map(decode, part))
            images = [image for image in results if not isinstance(image, str)]
            _check_sizes([size, *(image.shape[:2] for image in images)])
            readable = [index for index, image in zip(part, results) if not isinstance(image, str)]
            broken = [[index, image] for index, image in zip(part, results) if isinstance(image, str)]
            pixels = np.stack(images) if images else np.empty((0, *size, channels), np.uint8)
            yield part.stop, pixels, None if labels is None else labels[readable], broken


def _has_eight_bits(head):
    """Whether the first bytes of a file rule out deep greys. This is ten times faster than opening an image."""
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return head[24:25] != b"\x10"  # Bits per sample, in the header of each PNG.
    return head.startswith((b"\xff\xd8\xff", b"GIF8", b"BM")) or (head[:4], head[8:12]) == (b"RIFF", b"WEBP")


def _is_deep(image):
    return image.mode == "F" or image.mode.startswith("I")


def _measured(found):
    """The largest value of each kind of greys in all files. Warns of kinds that use only a part of their bits."""
    measured = {kind: max(one.get(kind, 0.0) for one in found) for kind in set().union(*found)}
    for kind, value in measured.items():
        white = white_of(kind, value)
        if white != {"F": 1, "I;16": 65535}.get(kind):
            what = {"F": "floats", "I;16": "16 bits"}.get(kind, "32 bits")
            warnings.warn(
                f"{sum(kind in one for one in found)} images of {what} hold values up to {value:g}: 0 to {white} is "
                "taken for black to white.",
                UserWarning,
                stacklevel=5,
            )
    return measured


def _compacted(images, rows):
    """Moves some rows of an array to its front. A second array might not fit into memory."""
    if len(rows) < len(images):
        for row, index in enumerate(rows):
            images[row] = images[index]
    return images[: len(rows)]


def first_size(files, channels, decode=decode_image):
    """`(height, width)` of the first readable file."""
    for file in files:
        try:
            return decode(file, channels, None, Depths()).shape[:2]
        except Exception:  # Reported with the others later.
            continue
    return 1, 1


def report_broken(broken, num_files, stacklevel=5):
    """Warns of unreadable files, given as pairs of a file and an error. Raises a `ValueError` if all are unreadable."""
    if not broken:
        return
    lines = [f"  {file}: {str(error) or type(error).__name__}" for file, error in broken[:10]]
    if len(broken) > 10:
        lines.append(f"  and {len(broken) - 10} more")
    message = f"{len(broken)} of {num_files} image files cannot be read:\n" + "\n".join(lines)
    if len(broken) == num_files:
        raise ValueError(message)
    warnings.warn(message + "\nThey are left out.", UserWarning, stacklevel=stacklevel)


def _check_sizes(sizes):
    counts = Counter(sizes)
    if len(counts) > 1:
        found = [f"{height} x {width} ({n} images)" for (height, width), n in counts.most_common(5)]
        raise ValueError(
            f"The images have {len(counts)} different sizes (height x width): {', '.join(found)}"
            f"{', ...' if len(counts) > 5 else ''}. Pass image_size=(height, width), on the command line "
            "--image_size=64, to bring them to one."
        )
