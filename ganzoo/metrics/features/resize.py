"""Images brought to the size that a network wants: antialiased, and not rounded on the way.

When an image is made smaller, the filter must grow with the reduction, or what is too fine for the new size appears as
something that is not there. The resizing functions of TensorFlow, PyTorch and OpenCV leave that out unless asked;
Pillow does not.

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
    """Resizes images with Pillow in floating point, each channel by itself.

    Args:
        images: Array `(batch, height, width, channels)` of pixels `0..255`, uint8 or float.
        size: Pair of integers `(height, width)`.
        rule: `"bilinear"`, `"bicubic"` (the default) or `"lanczos"`.

    Returns:
        Float32 array `(batch, *size, channels)`, clipped to `0..255` but not rounded.

    Raises:
        ValueError: If the rule is not known.

    Example:

    >>> resize_images(images, (299, 299))
    """
    check_rule(rule)
    (height, width), (count, *_, channels) = size, images.shape
    resized = np.empty((count, height, width, channels), "float32")
    for index, image in enumerate(images):
        for channel in range(channels):
            plane = Image.fromarray(image[..., channel].astype("float32"))
            resized[index, ..., channel] = plane.resize((width, height), RULES[rule])
    return np.clip(resized, 0, 255, out=resized)


def fit(images, shape, rule=None, name="The network"):
    """Images as a network takes them: grey is repeated for each of its channels, another size is resized by the rule.

    Args:
        images: uint8 array `(batch, height, width, channels)`.
        shape: `(height, width, channels)` of the network's input, `None` for a side of any length.
        rule: String, see `resize_images`, or `None` (the default): other sizes are refused.
        name: String, who takes the images, for the message.

    Returns:
        Array `(batch, *shape)` of pixels `0..255`: uint8, or float32 if resized.

    Raises:
        ValueError: If the images cannot be brought to this shape.
    """
    size, repeats = changes(images.shape[1:], shape, rule, name)
    if size is not None:
        images = resize_images(images, size, rule)
    return np.repeat(images, repeats, axis=-1)


def fit_tensor(images, shape, rule=None, name="The network"):
    """The same for a float32 tensor, as operations that gradients pass through; nothing is clipped."""
    size, repeats = changes(tuple(images.shape[1:]), shape, rule, name)
    if size is not None:
        images = tf.image.resize(images, size, {"lanczos": "lanczos3"}.get(rule, rule), antialias=True)
    return tf.repeat(images, repeats, axis=-1)


def changes(came, shape, rule, name):
    """The size to bring images to, or `None`, and how often to repeat their channel; `ValueError` if nothing helps."""
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
    """Raises `ValueError` unless images can be resized by this rule."""
    checks.choice("resize", rule, RULES)


def in_words(shape):
    """A shape as it is spoken of: `28 x 28 x 1`."""
    return " x ".join("any" if side is None else str(side) for side in shape)
