"""Log-densities of samples and the KL divergence of normal distributions, in nats, as pure functions."""

import math

from keras import ops


def bernoulli(samples, logits):
    """Log-probability of binary images with independent pixels, summed over the pixels of each image.

        log p(x) = sum_i t_i log s(y_i) + (1 - t_i) log(1 - s(y_i)),   t = (x + 1) / 2
                 = sum_i t_i y_i - log(1 + exp(y_i))

    Other values between -1 and 1 give the negative cross-entropy, which is not a likelihood.

    Args:
        samples: Float tensor `(batch, ...)`, -1 or 1.
        logits: Float tensor y of the same shape. s is the sigmoid.

    Returns:
        Float32 tensor `(batch,)`.

    Example:

    >>> bernoulli(tf.constant([[1.0, -1.0]]), tf.zeros((1, 2)))  # 2 log(1 / 2)
    [-1.3862944]
    """
    samples, logits = ops.cast(samples, "float32"), ops.cast(logits, "float32")
    return ops.sum((samples + 1.0) / 2.0 * logits - ops.softplus(logits), axis=all_but_first(samples))


def gaussian(samples, mean, log_sigma):
    """Log-density of each sample under `N(mean, sigma^2 I)`.

    Args:
        samples: Float tensor `(batch, ...)`.
        mean: Float tensor of the same shape.
        log_sigma: Float or scalar tensor, the logarithm of the standard deviation.

    Returns:
        Float32 tensor `(batch,)`.
    """
    samples, mean = ops.cast(samples, "float32"), ops.cast(mean, "float32")
    squares = ops.sum(ops.square((samples - mean) * ops.exp(-log_sigma)), axis=all_but_first(samples))
    return -0.5 * squares - math.prod(samples.shape[1:]) * (log_sigma + 0.5 * math.log(2.0 * math.pi))


def kl_from_prior(mean, log_variance):
    """KL divergence from the prior, KL(N(mean, diag(exp(log_variance))) || N(0, I)), for each row.

        KL = -1/2 sum_j (1 + log_variance_j - mean_j^2 - exp(log_variance_j))

    It uses `expm1`, because near the prior `exp(v) - 1` loses its digits.

    Reference: [Kingma & Welling, 2013](https://arxiv.org/abs/1312.6114), Appendix B.

    Args:
        mean: Float tensor `(batch, latent_dim)`.
        log_variance: Float tensor of the same shape.

    Returns:
        Float tensor `(batch,)`.
    """
    return 0.5 * ops.sum(ops.square(mean) + ops.expm1(log_variance) - log_variance, axis=-1)


def all_but_first(samples):
    """All axes of a tensor except the batch axis."""
    return tuple(range(1, len(samples.shape)))
