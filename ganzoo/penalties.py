"""Penalties as pure functions of a critic and samples."""

import tensorflow as tf
from keras import ops

from ganzoo.layers import piecewise_linear
from ganzoo.replicas import mean_over_replicas

# Keeps the derivative of the square root finite where a critic's gradient vanishes. It moves a norm of 1 by 5e-13.
SQUARE_ROOT_EPSILON = 1e-12


def squared_gradient_norms(critic, samples):
    """Squared Euclidean norm of the critic's gradient at each sample, differentiable in the critic's weights.

    Args:
        critic: Callable, samples -> scores. No sample may influence the score of another.
        samples: Float tensor, `(batch, ...)`.

    Returns:
        Float32 tensor `(batch,)`.
    """
    with tf.GradientTape() as tape, piecewise_linear():
        tape.watch(samples)
        scores = critic(samples)
        # One score a sample: of a map of scores, as PatchGAN has it, the mean, which is what the losses take.
        scores = ops.mean(ops.reshape(scores, (ops.shape(scores)[0], -1)), axis=-1)
    gradients = ops.cast(tape.gradient(scores, samples), "float32")
    return ops.sum(ops.square(gradients), axis=tuple(range(1, len(gradients.shape))))


def gradient_norms(critic, samples):
    """Euclidean norm of the critic's gradient at each sample: `sqrt(|dD/dx|^2 + 1e-12)`.

    Arguments and result are those of `squared_gradient_norms`.
    """
    return ops.sqrt(squared_gradient_norms(critic, samples) + SQUARE_ROOT_EPSILON)


def euclidean_norms(vectors):
    """Euclidean norm of each row, `sqrt(|x|^2 + 1e-12)`, whose derivative is finite at 0.

    Args:
        vectors: Float tensor, `(batch, ...)`.

    Returns:
        Tensor `(batch,)`.
    """
    return ops.sqrt(ops.sum(ops.square(vectors), axis=tuple(range(1, len(vectors.shape)))) + SQUARE_ROOT_EPSILON)


def zero_centered_penalty(critic, samples):
    """`E[||grad D(x)||_2^2]`: R1 on real samples, R2 on generated ones, without the weight gamma / 2.

    Reference: [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406), Equations 9 and 10.

    Args:
        critic: Callable, samples -> scores.
        samples: Float tensor, `(batch, ...)`.

    Returns:
        Float32 scalar.
    """
    return ops.mean(squared_gradient_norms(critic, ops.cast(samples, "float32")))


def gradient_penalty(critic, real, fake, uniform, target=1.0, one_sided=False):
    """The penalty of WGAN-GP on straight lines between real and fake samples.

        x_hat = e x + (1 - e) x_fake,   e ~ U[0, 1], one for each sample
        P = E[(||grad D(x_hat)||_2 - 1)^2]

    Reference: [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), Equation 3 and lines 5-7 of Algorithm 1.

    Args:
        critic: Callable, samples -> scores.
        real: Float tensor, `(batch, ...)`.
        fake: Float tensor of the same shape.
        uniform: Callable, shape -> numbers drawn from U[0, 1); `model.uniform` inside of a model.
        target: Float, the norm that is not penalised. Defaults to `1.0`.
        one_sided: Boolean, penalise only norms above the target, as WGAN-LP does ([Petzka et al.,
            2018](https://arxiv.org/abs/1709.08894); the appendix of the first paper, too). Defaults to `False`.

    Returns:
        Float32 scalar, without the weight lambda.

    Example:

    >>> linear = lambda x: tf.reduce_sum(x * [3.0, 4.0], axis=-1)
    >>> gradient_penalty(linear, tf.ones((8, 2)), tf.zeros((8, 2)), tf.random.uniform)  # (5 - 1)^2
    16.0
    """
    excess = gradient_norms(critic, between(real, fake, uniform)) - target
    if one_sided:
        excess = ops.maximum(excess, 0.0)
    return ops.mean(ops.square(excess))


def between(real, fake, uniform):
    """A point on the line between each real sample and its generated one, see `gradient_penalty`."""
    real, fake = ops.cast(real, "float32"), ops.cast(fake, "float32")
    epsilon = uniform((ops.shape(real)[0],) + (1,) * (len(real.shape) - 1))
    return epsilon * real + (1.0 - epsilon) * fake


def gradient_power(critic, real, fake, uniform, power=6.0):
    """`E[||grad D(x_hat)||_2^p]` on straight lines between real and fake samples: the penalty of WGAN-div.

    Reference: [Wu et al., 2018](https://arxiv.org/abs/1712.01026); for the lines see `gradient_penalty`.

    Args:
        critic: Callable, samples -> scores.
        real: Float tensor, `(batch, ...)`.
        fake: Float tensor of the same shape.
        uniform: Callable, shape -> numbers drawn from U[0, 1); `model.uniform` inside of a model.
        power: Float of at least 2, p. Defaults to `6.0`.

    Returns:
        Float32 scalar, without the weight k.

    Example:

    >>> steep = lambda x: 2.0 * x[:, 0]
    >>> gradient_power(steep, tf.ones((8, 2)), tf.zeros((8, 2)), tf.random.uniform)  # 2^6
    64.0
    """
    return ops.mean(ops.power(squared_gradient_norms(critic, between(real, fake, uniform)), power / 2.0))


def dragan_penalty(critic, real, uniform, target=1.0, spread=0.5):
    """The penalty of DRAGAN, around the real samples only.

        x_hat = x + a * spread * std(x) * u,   u ~ U[0, 1] for each entry, a ~ U[0, 1] for each sample
        P = E[(||grad D(x_hat)||_2 - 1)^2]

    Reference: [Kodali et al., 2017](https://arxiv.org/abs/1705.07215), Algorithm 1 and the authors' code.

    Args:
        critic: Callable, samples -> scores.
        real: Float tensor, `(batch, ...)`; `std` is that of all its entries.
        uniform: Callable, shape -> numbers drawn from U[0, 1); `model.uniform` inside of a model.
        target: Float, the norm that is not penalised. Defaults to `1.0`.
        spread: Float, size of the noise in standard deviations of the data. Defaults to `0.5`.

    Returns:
        Float32 scalar, without the weight lambda.
    """
    real = ops.cast(real, "float32")
    noise = uniform((batch_of(real), *real.shape[1:]))
    share = uniform((batch_of(real),) + (1,) * (len(real.shape) - 1))
    noisy = real + share * spread * standard_deviation(real) * noise
    return ops.mean(ops.square(gradient_norms(critic, noisy) - target))


def standard_deviation(samples):
    """Standard deviation of all entries of the global batch."""
    mean, square = tf.unstack(mean_over_replicas(tf.stack([tf.reduce_mean(samples), tf.reduce_mean(samples**2)])))
    return tf.sqrt(tf.maximum(square - mean**2, 0.0))


def orthogonal_penalty(kernels):
    """`sum ||W^T W * (1 - I)||_F^2` over kernels: the inner products of different filters, squared.

    It is 0 where the filters of each kernel are orthogonal, whatever their lengths.

    Reference: [Brock et al., 2018](https://arxiv.org/abs/1809.11096), Equation 3.

    Args:
        kernels: Sequence of float tensors `(..., filters)`. Each is seen as a matrix with a column for each filter.

    Returns:
        Float32 scalar, without the weight beta.
    """
    total = ops.zeros((), "float32")
    for kernel in kernels:
        matrix = ops.reshape(ops.cast(kernel, "float32"), (-1, kernel.shape[-1]))
        products = ops.matmul(ops.transpose(matrix), matrix)
        total += ops.sum(ops.square(products * (1.0 - ops.eye(matrix.shape[-1]))))
    return total


def batch_of(samples):
    """The number of samples, as a Python integer where the graph knows it."""
    return samples.shape[0] or tf.shape(samples)[0]
