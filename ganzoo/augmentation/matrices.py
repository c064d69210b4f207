"""Small matrices for each sample, and helpers for the random numbers in them."""

import math

import tensorflow as tf


def spread(numbers):
    """Reshapes numbers `(batch,)` to `(batch, 1, 1)`, to multiply matrices."""
    return numbers[:, None, None]


def combined(steps, size):
    """The product of the matrices that apply, with the first on the right.

    Args:
        steps: List of `(applies, matrices)`, a boolean tensor `(batch,)` and matrices `(batch, size, size)`.
        size: Integer.

    Returns:
        Matrices `(batch, size, size)`, and a boolean tensor `(batch,)`, true where any step applies.
    """
    product, touched = tf.eye(size)[None], False
    for applies, matrix in steps:
        product = multiplied(tf.where(spread(applies), matrix, tf.eye(size)), product)
        touched = applies | touched
    return product, touched


def multiplied(left, right):
    """The product of small matrices in float32 arithmetic. On some GPUs, `tf.matmul` rounds to ten bits."""
    return tf.reduce_sum(left[:, :, :, None] * right[:, None, :, :], axis=2)


def normal(number):
    """Turns U[0, 1) into N(0, 1), by the inverse distribution function."""
    # At 0 it would be infinite. 2^-24 is half of the step between two numbers.
    return math.sqrt(2.0) * tf.math.erfinv(2.0 * tf.maximum(number, 2.0**-24) - 1.0)
