"""The conversion of uint8 pixels to `[-1, 1]`, and the resizing of images, for the whole library."""

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

from ganzoo import checks


def normalize(images):
    """Maps uint8 pixels `0..255` to float32 in `[-1, 1]`: `x / 127.5 - 1`.

    Args:
        images: uint8 tensor (also inside a `tf.function`) or numpy array of any shape.

    Returns:
        A float32 tensor, or array, of the same shape.

    Raises:
        TypeError: If `images` are not uint8, for example because they are already normalized.
    """
    if getattr(images, "dtype", None) != "uint8":
        came = getattr(images, "dtype", checks.shown(images))
        raise TypeError(f"normalize() takes a tensor or a numpy array of uint8 `images` (0..255); received {came}.")
    # A product, because TensorFlow turns the quotient into a product in a graph, but not outside.
    scale = np.float32(1 / 127.5)
    if isinstance(images, np.ndarray):
        return images.astype("float32") * scale - np.float32(1)
    return tf.cast(images, tf.float32) * scale - 1.0


def binarize(images, seed=0):
    """Draws binary images whose expectation is the grey image: each pixel is on with probability x / 255.

    This is static binarization, as in the literature on likelihoods. It is drawn once before the training, and is the
    same in each epoch.

    Args:
        images: uint8 numpy array of any shape.
        seed: Integer, which determines the result. Defaults to `0`.

    Returns:
        uint8 array of the same shape, with the values 0 and 255.

    Raises:
        TypeError: If `images` are not a uint8 array, for example because they are already normalized.
    """
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        came = getattr(images, "dtype", checks.shown(images))
        raise TypeError(f"binarize() takes a numpy array of uint8 `images` (0..255); received {came}.")
    random = np.random.default_rng(checks.seed("seed", seed))
    random = np.random.default_rng(checks.seed("seed", seed))
    thresholds = random.integers(0, 255, images.shape, np.uint8)  # 0..254, so that 255 is always on.
    return np.where(thresholds < images, np.uint8(255), np.uint8(0))


def cover(image, image_size):
    """Resizes a PIL image to cover `image_size`, keeping its aspect, and crops the centre.

    It uses Pillow's Lanczos filter, whose support grows with the reduction, so there is no aliasing.

    Args:
        image: `PIL.Image` of mode L, RGB or RGBA.
        image_size: Pair of integers `(height, width)`.
    """
    height, width = image_size
    return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)


def cover_array(image, image_size):
    """`cover` for a uint8 array `(height, width, channels)` with 1, 3 or 4 channels."""
    grey = image.shape[-1] == 1
    resized = np.asarray(cover(Image.fromarray(image[..., 0] if grey else image), image_size))
    return resized[..., None] if grey else resized


def check_image_size(image_size):
    """Returns `image_size` as a pair of integers `(height, width)`, or `None`."""
    if image_size is None:
        return None
    try:
        return checks.integers("image_size", image_size, count=2)
    except ValueError:
        wanted = "(height, width) in pixels, such as (64, 64)"
        raise checks.refusal("image_size", image_size, wanted, optional=True) from None
