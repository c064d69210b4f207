"""Resizes images for a network, antialiased and without rounding in between.

When an image shrinks, the filter must grow with the reduction. Otherwise details that are too fine for the new size
alias into false patterns. The resizing functions of TensorFlow, PyTorch and OpenCV do not antialias unless asked.
Pillow does.

Reference: [Parmar et al., 2021](https://arxiv.org/abs/2104.11222), Figure 1.
"""

import numpy as np
import tensorflow as tf
from PIL import Image

from ganzoo import checks

RULES = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def resize_images(images, size, rule="bicubic"):
    """Resizes images with Pillow in floating point, each channel separately.

    Args:
        images: Array `(batch, height, width, channels)` of pixels `0..255`, uint8 or float.
        size: Pair of integers `(height, width)`.
        rule: `"bilinear"`, `"bicubic"` (the default) or `"lanczos"`.

    Returns:
        Float32 array `(batch, *size, channels)`, clipped to `0..255` but not rounded.

    Raises:
        ValueError: If the rule is unknown.

    Example:

    >>> resize_images(images, (299, 299))
    """
    check_rule(rule)
    (height, width), (count, *_, channels) = size, images.shape
    resized = np.empty((count, height, width, channels), "float32")
    for index, image in enumerate(images):
        for channel in range(channels):
            # Pillow resizes float planes without rounding.
            plane = Image.fromarray(image[..., channel].astype("float32"))
            resized[index, ..., channel] = plane.resize((width, height), RULES[rule])
    # Bicubic and Lanczos kernels overshoot.
    return np.clip(resized, 0, 255, out=resized)


def fit(images, shape, rule=None, name="The network"):
    """Converts images for a network: repeats grey for each channel, and resizes other sizes by the rule.

    Args:
        images: uint8 array `(batch, height, width, channels)`.
        shape: `(height, width, channels)` of the network's input, with `None` for a side of any length.
        rule: String, see `resize_images`. Defaults to `None`, where other sizes raise an error.
        name: String, the network's name for the error message.

    Returns:
        Array `(batch, *shape)` of pixels `0..255`, as uint8, or float32 if resized.

    Raises:
        ValueError: If the images cannot be converted to this shape.
    """
    size, repeats = changes(images.shape[1:], shape, rule, name)
    if size is not None:
        images = resize_images(images, size, rule)
    return np.repeat(images, repeats, axis=-1)


def fit_tensor(images, shape, rule=None, name="The network"):
    """`fit` for a float32 tensor, with operations that pass gradients. Nothing is clipped."""
    size, repeats = changes(tuple(images.shape[1:]), shape, rule, name)
    if size is not None:
        images = tf.image.resize(images, size, {"lanczos": "lanczos3"}.get(rule, rule), antialias=True)
    return tf.repeat(images, repeats, axis=-1)


def changes(came, shape, rule, name):
    """The size to resize to, or `None`, and how often to repeat the channel. `ValueError` if neither helps."""
    *size, channels = (side or own for side, own in zip(shape, came))
    wrong_channels = came[-1] not in (1, channels)
    wrong_size = tuple(came[:2]) != tuple(size)
    if wrong_channels or (wrong_size and rule is None):
        hint = "Only grey images are changed to other channels."
        if not wrong_channels:
            hint = "Bring them to this size first, or take features that do: `ModelFeatures(model, resize='bicubic')`."
        raise ValueError(f"{name} takes images of {in_words(shape)}. Received: {in_words(came)}. {hint}")
    return tuple(size) if wrong_size else None, channels // came[-1]


def check_rule(rule):
    """Raises a `ValueError` if images cannot be resized by this rule."""
    checks.choice("resize", rule, RULES)


def in_words(shape):
    """A shape in words, such as `28 x 28 x 1`."""
    return " x ".join("any" if side is None else str(side) for side in shape)
