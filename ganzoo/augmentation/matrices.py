"""Small matrices, one for each sample, and the numbers they are made of."""

import math

import tensorflow as tf


def spread(numbers):
    """Numbers `(batch,)` as factors of matrices, `(batch, 1, 1)`."""
    return numbers[:, None, None]


def combined(steps, size):
    """The product of the matrices that apply, the first of them on the right.

    Args:
        steps: List of (boolean tensor `(batch,)`, whether it applies; matrices `(batch, size, size)`).
        size: Integer.

    Returns:
        Matrices `(batch, size, size)`, and a boolean tensor `(batch,)`: whether any step applies.
    """
    product, touched = tf.eye(size)[None], False
    for applies, matrix in steps:
        product = multiplied(tf.where(spread(applies), matrix, tf.eye(size)), product)
        touched = applies | touched
    return product, touched


def multiplied(left, right):
    """The product of small matrices by float32 arithmetic, where `tf.matmul` rounds to ten bits on some GPUs."""
    return tf.reduce_sum(left[:, :, :, None] * right[:, None, :, :], axis=2)


def normal(number):
    """N(0, 1) of U[0, 1), by the inverse distribution function."""
    # At 0 it is infinite. 2^-24 is half of the step between two numbers.
    return math.sqrt(2.0) * tf.math.erfinv(2.0 * tf.maximum(number, 2.0**-24) - 1.0)
