"""Kernels, and the maximum mean discrepancy of two samples, as functions of tensors that gradients pass through."""

import tensorflow as tf
from keras import ops


def squared_distances(x, y):
    """Squared Euclidean distances of all rows of two float tensors `(m, d)` and `(n, d)`: `(m, n)`."""
    norms = ops.sum(ops.square(x), axis=-1)[:, None] + ops.sum(ops.square(y), axis=-1)[None, :]
    return ops.relu(norms - 2.0 * ops.matmul(x, ops.transpose(y)))


def gaussian(x, y, scale=1.0):
    """The Gaussian (radial basis function) kernel of all pairs of rows.

        k(x, y) = exp(-|x - y|^2 / (2 scale^2))

    Args:
        x, y: Float tensors `(m, d)` and `(n, d)`.
        scale: Float. Defaults to `1.0`.

    Returns:
        Float tensor `(m, n)`.
    """
    return ops.exp(-0.5 * squared_distances(x, y) / scale**2)


def inverse_multiquadratic(x, y, scale=1.0):
    """The inverse multiquadratic kernel of all pairs of rows, whose tails are heavier than those of a Gaussian.

        k(x, y) = C / (C + |x - y|^2),   C = 2 d scale^2

    C is the mean squared distance of two draws of N(0, scale^2 I) in d dimensions. Far points still feel a force.

    Reference: [Tolstikhin et al., 2018](https://arxiv.org/abs/1711.01558), Section 4.

    Args:
        x, y: Float tensors `(m, d)` and `(n, d)`.
        scale: Float. Defaults to `1.0`.

    Returns:
        Float tensor `(m, n)`.
    """
    constant = 2.0 * x.shape[-1] * scale**2
    return constant / (constant + squared_distances(x, y))


def squared_mmd(x, y, kernel=gaussian):
    """Squared maximum mean discrepancy of two samples, unbiased; it may fall below 0.

        MMD^2 = mean k(x, x') + mean k(y, y') - 2 mean k(x, y),    over pairs of two different rows

    Reference: [Gretton et al., 2012](https://jmlr.org/papers/v13/gretton12a.html), Equation 3.

    Args:
        x, y: Float tensors `(m, d)` and `(n, d)`, of at least 2 rows each.
        kernel: Function of two such tensors -> `(m, n)`. Defaults to `gaussian`.

    Returns:
        Float scalar.

    Example:

    >>> squared_mmd(tf.constant([[0.0], [0.0]]), tf.constant([[9.0], [9.0]]))  # Two points, far apart.
    2.0
    """
    return mean_of_others(kernel(x, x)) + mean_of_others(kernel(y, y)) - 2.0 * ops.mean(kernel(x, y))


def mean_of_others(matrix):
    """The mean of a square matrix without its diagonal."""
    count = ops.shape(matrix)[0]
    others = tf.linalg.set_diag(matrix, tf.zeros_like(tf.linalg.diag_part(matrix)))
    return ops.sum(others) / ops.cast(ops.maximum(count * (count - 1), 1), matrix.dtype)
