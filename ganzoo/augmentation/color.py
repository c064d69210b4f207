"""Random colour transformations, as an affine map of the channels for each image.

A matrix is `(batch, channels + 1, channels + 1)` and acts on homogeneous colours (red, green, blue, 1).
"""

import math

import numpy as np
import tensorflow as tf

from ganzoo.augmentation.matrices import normal, spread

# Appendix B: the standard deviations of a normal shift and of two log-normal factors.
BRIGHTNESS = 0.2
CONTRAST = 0.5 * math.log(2.0)
SATURATION = math.log(2.0)


def color_transformations(numbers, p, channels):
    """Brightness, contrast, luma flip, hue rotation, saturation.

    The luma axis is v = (1, ..., 1) / sqrt(channels). A grey image has no other axis, so hue and saturation do not
    change it, and the luma flip changes its sign. The hue is an angle only with three channels.

    Args:
        numbers: Ten float32 tensors `(batch,)` in [0, 1).
        p: Float32 scalar, the probability of each transformation.
        channels: Integer.

    Returns:
        List of `(applies, matrices)` in order of application. `applies` is a boolean tensor `(batch,)`.
    """
    brighten, shift, contrast, factor, flip, side, turn, angle, saturate, strength = numbers
    steps = [
        (brighten < p, brightness(BRIGHTNESS * normal(shift), channels)),
        (contrast < p, scaled_contrast(tf.exp(CONTRAST * normal(factor)), channels)),
        (flip < p, luma_flip(tf.floor(2.0 * side), channels)),
    ]
    if channels == 3:
        steps.append((turn < p, hue_rotation(math.pi * (2.0 * angle - 1.0))))
    if channels > 1:
        steps.append((saturate < p, saturation(tf.exp(SATURATION * normal(strength)), channels)))
    return steps


def brightness(shift, channels):
    """Adds `shift` to each channel: I + shift (1, ..., 1, 0)^T (0, ..., 0, 1)."""
    return np.eye(channels + 1, dtype="float32") + spread(shift) * unit(channels, last_column=True)


def scaled_contrast(factor, channels):
    """Multiplies each channel by `factor`. Grey, which is 0, does not change."""
    return spread(factor) * unit(channels) + corner(channels)


def luma_flip(count, channels):
    """Reflects along the luma axis if `count` is 1, not if it is 0: I - 2 count v v^T."""
    return np.eye(channels + 1, dtype="float32") - 2.0 * spread(count) * luma(channels)


def hue_rotation(angle):
    """Rotates red, green and blue about the luma axis: cos I + sin [v]x + (1 - cos) v v^T (Rodrigues' formula)."""
    axis = np.zeros((4, 4), "float32")
    axis[:3, :3] = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3.0)
    cosine, sine = spread(tf.cos(angle)), spread(tf.sin(angle))
    return cosine * unit(3) + sine * axis + (1.0 - cosine) * luma(3) + corner(3)


def saturation(factor, channels):
    """Multiplies the part across the luma axis by `factor`: v v^T + factor (I - v v^T)."""
    return luma(channels) + spread(factor) * (unit(channels) - luma(channels)) + corner(channels)


def recolored(images, matrices):
    """Maps the channels of each image.

    Args:
        images: Float32 tensor `(batch, height, width, channels)`.
        matrices: Float32 tensor `(batch, channels + 1, channels + 1)`.

    Returns:
        Tensor of the shape of `images`.
    """
    height, width, channels = images.shape[1:]
    colors = tf.reshape(images, [-1, height * width, channels])
    mixed = tf.matmul(colors, matrices[:, :-1, :-1], transpose_b=True) + matrices[:, None, :-1, -1]
    return tf.reshape(mixed, tf.shape(images))


def unit(channels, last_column=False):
    """The identity of the channels, or 1 in the last column, which adds to each channel. All other entries are 0."""
    matrix = np.zeros((channels + 1, channels + 1), "float32")
    matrix[:channels] = np.eye(channels + 1)[channels] if last_column else np.eye(channels, channels + 1)
    return matrix


def luma(channels):
    """v v^T, the projection to the luma axis."""
    matrix = np.zeros((channels + 1, channels + 1), "float32")
    matrix[:channels, :channels] = 1.0 / channels
    return matrix


def corner(channels):
    """A homogeneous matrix with a 1 in its lower right corner and 0 elsewhere."""
    matrix = np.zeros((channels + 1, channels + 1), "float32")
    matrix[channels, channels] = 1.0
    return matrix
