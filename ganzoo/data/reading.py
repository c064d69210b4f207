"""Checks that a whole dataset fits into memory."""

import re
from pathlib import Path


def available_memory():
    """Bytes of memory that are available now, or `None` if the system does not say."""
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return None
    match = re.search(r"MemAvailable:\s*(\d+) kB", text)
    return int(match[1]) * 1024 if match else None


def check_memory(num_images, height, width, channels, fix='Use a smaller image_size, or storage="disk".'):
    """Refuses images that would not fit twice, as an array and briefly also as its tensor."""
    what = f"{num_images:,} images of {height} x {width} x {channels} bytes"
    check_room(what, 2 * num_images * height * width * channels, fix)


def check_room(what, needed, fix):
    """Raises a `ValueError` if a dataset needs more bytes of memory than are available."""
    available = available_memory()
    if available is not None and needed > available:
        raise ValueError(
            f"{what} need {needed / 2**30:,.1f} GiB of memory while they are made or read, but "
            f"{available / 2**30:,.1f} GiB are available. {fix}"
        )
