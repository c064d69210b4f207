"""Doubling and halving of maps with a filter: no checkerboards, and no high frequencies that fold over."""

import keras
import numpy as np
from keras import ops

from ganzoo import checks

# The filters of the papers, in each of the two directions: [1, 2, 1] is R3GAN's, [1, 3, 3, 1] StyleGAN2's.
LINEAR = (1, 2, 1)
SMOOTH = (1, 3, 3, 1)


def doubling(size, taps):
    """The matrix `(2 size, size)` that puts zeros between the values of a line and filters it.

    The line goes on beyond its ends with its last value, so a constant line stays constant.

    Args:
        size: Integer, the length of the line.
        taps: Sequence of numbers, the filter.
    """
    weights = 2.0 * np.asarray(taps, "float32") / np.sum(taps)
    matrix = np.zeros((2 * size, size), "float32")
    for row in range(2 * size):
        for index, weight in enumerate(weights):
            place = row + index - (len(weights) + 1) // 2
            if place % 2 == 0:
                matrix[row, np.clip(place // 2, 0, size - 1)] += weight
    return matrix


def halving(size, taps):
    """The matrix `(ceil(size / 2), size)` that filters a line and keeps every second value; see `doubling`."""
    weights = np.asarray(taps, "float32") / np.sum(taps)
    matrix = np.zeros((-(-size // 2), size), "float32")
    for row in range(len(matrix)):
        for index, weight in enumerate(weights):
            matrix[row, np.clip(2 * row + index - (len(weights) - 1) // 2, 0, size - 1)] += weight
    return matrix


def filtering(size, taps, length, shift, gain=1.0):
    """The matrix `(length, size)` of a filter whose first tap stands `shift` places before; zeros beyond the ends."""
    weights = gain * np.asarray(taps, "float32") / np.sum(taps)
    matrix = np.zeros((length, size), "float32")
    for row in range(length):
        for index, weight in enumerate(weights):
            if 0 <= row + index - shift < size:
                matrix[row, row + index - shift] = weight
    return matrix


def apply_to_lines(x, rows, columns):
    """Multiplies all columns and all rows of maps `(batch, height, width, channels)` by a matrix each.

    Two matrix products are faster on a CPU than a convolution of each channel by itself, and TensorFlow knows their
    gradients of any order.

    Args:
        x: Tensor of static height, width and channels.
        rows: NumPy array `(new height, height)`.
        columns: NumPy array `(new width, width)`.
    """
    height, width, channels = x.shape[1:]
    x = ops.matmul(ops.cast(rows, x.dtype), ops.reshape(x, (-1, height, width * channels)))
    x = ops.matmul(ops.cast(columns, x.dtype), ops.reshape(x, (-1, width, channels)))
    return ops.reshape(x, (-1, len(rows), len(columns), channels))


class FilteredResampling(keras.layers.Layer):
    """The base of `FilteredUpsampling2D` and `FilteredDownsampling2D`, which name the matrix of a line.

    Args:
        taps: Sequence of numbers, the filter. Defaults to `(1, 3, 3, 1)`.
    """

    def __init__(self, taps=SMOOTH, **kwargs):
        super().__init__(**kwargs)
        self.taps = list(checks.integers("taps", taps))

    def build(self, input_shape):
        self.matrices = [self.matrix_of(size) for size in input_shape[1:3]]

    def call(self, x):
        return apply_to_lines(x, *self.matrices)

    def get_config(self):
        return {**super().get_config(), "taps": self.taps}


@keras.saving.register_keras_serializable("ganzoo")
class FilteredUpsampling2D(FilteredResampling):
    """Doubles height and width: zeros between the pixels, then the filter. A constant map stays as it is."""

    def matrix_of(self, size):
        return doubling(size, self.taps)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, 2 * height, 2 * width, channels


@keras.saving.register_keras_serializable("ganzoo")
class FilteredDownsampling2D(FilteredResampling):
    """Halves height and width, rounded up: the filter, then every second pixel. A constant map stays as it is."""

    def matrix_of(self, size):
        return halving(size, self.taps)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, -(-height // 2), -(-width // 2), channels
