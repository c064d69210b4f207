"""Paints dabs of colour under the lines of a drawing, as a user of a trained model would."""

import tensorflow as tf

from ganzoo import checks
from ganzoo.data.indexed import uniform_numbers

# A dab is a square whose side is this fraction of the image, five pixels of 64.
SIDE = 1 / 13

_NUMBERS_OF_PLACES = 3  # Random numbers that jitter and mirroring draw for each pair, before the hints.


def hinting(seed, most):
    """Makes a function that adds colour hints to batches of pairs. Hints depend only on seed, epoch and position.

    There are up to `most` dabs, with a uniform number from 0, at uniform places in the image. Each dab has the colour
    of the target at its centre. The lines of the input stay above it, because both are multiplied, with black as 0 and
    white as 1.

    Args:
        seed: Integer.
        most: Integer, 1 or more.

    Returns:
        Function `(inputs, targets, epoch, positions)` -> inputs with the channels of the targets, and targets.
    """

    def hint(inputs, targets, epoch, positions):
        numbers = uniform_numbers(positions, seed, epoch, _NUMBERS_OF_PLACES + 1 + 2 * most)[_NUMBERS_OF_PLACES:]
        painted = unit(inputs) * dabs(unit(targets), numbers[0], numbers[1::2], numbers[2::2])
        if inputs.dtype == tf.uint8:
            return tf.cast(tf.round(painted * 255.0), tf.uint8), targets
        return painted * 2.0 - 1.0, targets

    return hint


def dabs(targets, share, tops, lefts):
    """White images `(batch, height, width, channels)` with dabs in the colours of `targets`, all in [0, 1].

    Args:
        targets: Float tensor, the images that give the colours.
        share: Tensor `(batch,)` in (0, 1), which sets how many of the dabs to paint.
        tops, lefts: Tensors `(most, batch)` in (0, 1), the centres.
    """
    batch, height, width, _ = targets.shape
    batch = tf.shape(targets)[0] if batch is None else batch
    most = tops.shape[0]
    count = tf.cast(tf.floor(share * (most + 1)), tf.int32)
    rows, columns = (tf.cast(tf.floor(at * size), tf.int32) for at, size in ((tops, height), (lefts, width)))
    images = tf.broadcast_to(tf.range(batch), tf.shape(rows))
    colours = tf.gather_nd(targets, tf.stack([images, rows, columns], axis=-1))
    in_rows, in_columns = (
        tf.abs(tf.range(size) - centre[..., None]) <= reach(size) for centre, size in ((rows, height), (columns, width))
    )
    painted = tf.ones_like(targets)
    for index in range(most):
        inside = in_rows[index][:, :, None] & in_columns[index][:, None, :] & (index < count)[:, None, None]
        painted = tf.where(inside[..., None], colours[index][:, None, None, :], painted)
    return painted


def reach(size):
    """How far a dab reaches from its centre, in pixels."""
    return max(1, round((size * SIDE - 1) / 2))


def unit(images):
    """Pixels in [0, 1], from uint8 images or from floats in [-1, 1]."""
    if images.dtype == tf.uint8:
        return tf.cast(images, tf.float32) / 255.0
    return (images + 1.0) / 2.0


def check_hints(color_hints):
    """Returns the number of hints, 0 or more."""
    return checks.integer("color_hints", color_hints, least=0, most=100)


def check_colors(inputs, targets):
    """Raises a `ValueError` unless the targets are RGB and the inputs grey or RGB."""
    channels = inputs.shape[-1], targets.shape[-1]
    if channels not in ((1, 3), (3, 3)):
        raise ValueError(
            "color_hints paints the colours of RGB targets on inputs that are grey or RGB. Received: inputs of shape "
            f"{inputs.shape}, targets of shape {targets.shape}. Leave color_hints out, or pass images with 3 channels."
        )
