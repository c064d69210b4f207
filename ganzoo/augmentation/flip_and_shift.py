"""FlipAndShift: a mirror image or not, a few pixels away."""

import keras
import tensorflow as tf
from keras import ops

from ganzoo import checks
from ganzoo.augmentation.diff_augment import shifts


@keras.saving.register_keras_serializable("ganzoo")
class FlipAndShift:
    """Mirrors half of the images and moves each by a few pixels; what comes in from outside is reflected.

    What a discriminator should not care about. Consistency regularization asks it for the same score before and after.
    Where left and right have a meaning, as in digits, take `FlipAndShift(flip=False)`.

    Reference: [Zhang et al., 2019](https://arxiv.org/abs/1910.12027), Section 3.1: flips, and shifts by up to 4 of 32
    pixels.

    Args:
        shift: Float in [0, 0.5], the largest shift as a share of a side. Defaults to `0.125`.
        flip: Boolean, mirror half of the images. Defaults to `True`.

    Example:

    >>> change = ganzoo.augmentation.FlipAndShift(flip=False)
    >>> gan = ganzoo.SNGAN.from_paper((28, 28, 1), consistency_weight=10.0, consistency_augmentation=change)
    """

    # Numbers that one sample takes.
    numbers = 3

    def __init__(self, shift=0.125, flip=True):
        self.shift = checks.number("shift", shift, least=0, most=0.5)
        self.flip = checks.boolean("flip", flip)

    def __call__(self, images, numbers):
        """Changes each image by its own numbers.

        Args:
            images: Float tensor `(batch, height, width, channels)`.
            numbers: Float32 tensor `(batch, 3)` in [0, 1), as `model.uniform((batch, 3))`.

        Returns:
            Tensor of the shape of `images`.
        """
        if min(images.shape[1:3]) < 2:
            raise ValueError(f"FlipAndShift takes images of at least 2x2 pixels. Received: shape {images.shape}")
        side, down, right = tf.unstack(numbers, self.numbers, axis=1)
        if self.flip:
            images = ops.where((side < 0.5)[:, None, None, None], images[:, :, ::-1], images)
        for axis, number in ((1, down), (2, right)):
            images = reflected_shift(images, axis, shifts(images.shape[axis], self.shift, number))
        return images

    def get_config(self):
        return {"shift": self.shift, "flip": self.flip}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def reflected_shift(images, axis, pixels):
    """Moves each image along an axis by its own number of pixels; its reflection without the edge moves in."""
    last = images.shape[axis] - 1
    source = tf.abs(tf.range(last + 1)[None] - pixels[:, None])
    return tf.gather(images, last - tf.abs(last - source), axis=axis, batch_dims=1)
