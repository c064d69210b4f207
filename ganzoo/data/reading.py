"""The room that reading a whole dataset into memory asks for."""

import re
from pathlib import Path


def available_memory():
    """Bytes of memory that a program can take now, or `None` where the system does not tell."""
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return None
    match = re.search(r"MemAvailable:\s*(\d+) kB", text)
    return int(match[1]) * 1024 if match else None


def check_memory(num_images, height, width, channels, fix='Use a smaller image_size, or storage="disk".'):
    """Refuses images that would not fit: twice, as an array and, for a moment, as its tensor."""
    what = f"{num_images:,} images of {height} x {width} x {channels} bytes"
    check_room(what, 2 * num_images * height * width * channels, fix)


def check_room(what, needed, fix):
    """Raises a `ValueError` for a dataset that needs more bytes of memory than there are."""
    available = available_memory()
    if available is not None and needed > available:
        raise ValueError(
            f"{what} need {needed / 2**30:,.1f} GiB of memory while they are made or read, but "
            f"{available / 2**30:,.1f} GiB are available. {fix}"
        )
