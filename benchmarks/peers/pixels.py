"""Pixels of peers, whose networks want other sizes and ranges than the data have. Needs NumPy alone."""

import numpy as np


def margin(size, multiple):
    """The pixels to add before and after so that `size` becomes a multiple."""
    missing = -size % multiple
    return missing // 2, missing - missing // 2


def padded(images, multiple):
    """uint8 images `(count, height, width, channels)` with a black margin: sides become multiples.

    The pages resize instead. A margin can be cut off the samples again, and then they are measured without the blur of
    two resizings. So this departure favours the peer.
    """
    sides = [margin(size, multiple) for size in images.shape[1:3]]
    return np.pad(images, ((0, 0), *sides, (0, 0)))


def cropped(images, height, width):
    """Undoes `padded`."""
    top, left = (images.shape[1] - height) // 2, (images.shape[2] - width) // 2
    return images[:, top : top + height, left : left + width]


def to_uint8(images, low=-1.0):
    """Floats in `[low, 1]` as uint8, clipped and rounded."""
    scaled = (np.asarray(images, "float32") - low) * (255 / (1 - low))
    return np.clip(np.rint(scaled), 0, 255).astype("uint8")
