"""Estimates the likelihood of a generator with Gaussian noise, by importance sampling."""

import math

import numpy as np
import tensorflow as tf

from ganzoo import checks
from ganzoo.density import hmc


def in_batches(function, inputs, batch_size):
    """Computes a function of several tensors, `batch_size` rows at a time. Returns a float32 NumPy array."""
    count = inputs[0].shape[0]
    batch_size = min(batch_size, count)
    values = np.empty(count, "float32")
    for start in range(0, count, batch_size):
        start = min(start, count - batch_size)  # A full last batch avoids tracing a second graph.
        values[start : start + batch_size] = function(*(part[start : start + batch_size] for part in inputs))
    return values


def log_likelihood(
    decode,
    sigma,
    samples,
    latent_dim,
    step_size,
    seed,
    num_samples=1000,
    candidates=100,
    burn_in=200,
    posterior_samples=100,
    overdispersion=1.2,
):
    """Estimates log p(x) for x = G(z) + sigma e, with z ~ N(0, I) and e ~ N(0, I).

    The integral over z is estimated with draws z_s from a proposal r(z | x) close to the posterior p(z | x),

        log p(x) ~ log (1/S) sum_s p(x | z_s) p(z_s) / r(z_s | x)

    all of it in log space. r is a Gaussian. Its mean is the posterior mean from Hamiltonian Monte Carlo, which starts
    at the best of some draws from the prior. Its covariance is `overdispersion` times the inverse of I + J^T diag(1 /
    sigma^2) J, where J is the Jacobian of G at the mean. If G is linear, this inverse is the posterior covariance, and
    with `overdispersion=1` the estimate is exact except for the error of the mean.

    The expectation of the estimate lies below log p(x) and rises with S.

    Args:
        decode: Callable, latents `(batch, latent_dim)` -> means `(batch, ...)`, in inference mode.
        sigma: Float32 tensor that broadcasts to a sample.
        samples: Float32 tensor `(batch, ...)`.
        latent_dim: Integer.
        step_size: Float, the initial step size of Hamiltonian Monte Carlo.
        seed: Integer scalar.
        num_samples: Integer S. Defaults to `1000`.
        candidates: Integer, number of draws from the prior. The chain starts at the best of them. Defaults to `100`.
        burn_in: Integer, trajectories that bring the chain to the posterior. Defaults to `200`.
        posterior_samples: Integer, trajectories whose mean becomes the mean of the proposal. Defaults to `100`.
        overdispersion: Float. Tails heavier than the posterior's keep the weights bounded. Defaults to `1.2`.

    Returns:
        Float32 tensor `(batch,)`, in nats.

    Raises:
        ValueError: If a setting is out of range.
    """
    latent_dim, num_samples, posterior_samples = checks.counts(
        latent_dim=latent_dim, num_samples=num_samples, posterior_samples=posterior_samples
    )
    candidates, burn_in = checks.integer("candidates", candidates, least=0), checks.integer("burn_in", burn_in, least=0)
    overdispersion = checks.number("overdispersion", overdispersion, above=0)
    batch, shape = tf.shape(samples)[0], [*samples.shape[1:]]
    size = math.prod(shape)
    log_normalizer = -0.5 * (latent_dim + size) * math.log(2 * math.pi) - tf.reduce_sum(
        tf.math.log(tf.broadcast_to(sigma, shape))
    )

    def whiten(residual):
        return tf.reshape(residual / sigma, [-1, size])

    def log_joint(latents):
        residual = whiten(samples - decode(latents))
        return log_normalizer - 0.5 * (squared_norm(latents) + squared_norm(residual))

    def draw(stage, index=0, shape=None):
        shape = tf.stack([batch, latent_dim] if shape is None else shape)
        key = tf.stack([tf.cast(seed, "int64"), tf.cast(stage, "int64") * 2**32 + tf.cast(index, "int64")])
        return tf.random.stateless_normal(shape, key, alg="philox")

    def uniform(shape):
        return tf.random.stateless_uniform(tf.stack(shape), tf.stack([tf.cast(seed, "int64"), 0]), alg="philox")

    def better(index, best, best_value):
        latents = draw(1, index)
        value = log_joint(latents)
        return tf.where((value > best_value)[:, None], latents, best), tf.maximum(value, best_value)

    # The mean of the prior is a candidate, too.
    start = tf.zeros([batch, latent_dim])
    start, _ = hmc.repeat(candidates, better, (start, log_joint(start)))
    draws = hmc.sample(
        log_joint,
        start,
        step_size,
        lambda shape: draw(2, shape=shape),
        uniform,
        num_samples=posterior_samples,
        burn_in=burn_in,
        leapfrog_steps=10,
        adaptation_rate=0.1,
    )
    mean = tf.reduce_mean(draws.samples, axis=0)

    def column(index):
        tangent = tf.broadcast_to(tf.one_hot(index, latent_dim), tf.shape(mean))
        # Forward mode gives a column of the Jacobian per pass, and there are fewer latents than pixels.
        with tf.autodiff.ForwardAccumulator(mean, tangent) as accumulator:
            means = decode(mean)
        return whiten(accumulator.jvp(means))

    jacobian = tf.map_fn(column, tf.range(latent_dim), fn_output_signature=tf.TensorSpec([None, size], "float32"))
    jacobian = tf.transpose(jacobian, [1, 0, 2])  # (batch, latent_dim, size)
    precision = (tf.eye(latent_dim) + tf.matmul(jacobian, jacobian, transpose_b=True)) / overdispersion
    root = tf.linalg.cholesky(precision)
    log_determinant = tf.reduce_sum(tf.math.log(tf.linalg.diag_part(root)), axis=1)

    def add_weight(index, log_sum):
        noise = draw(3, index)
        # With P = L L^T, the vector L^-T e has the covariance P^-1.
        latents = mean + tf.linalg.triangular_solve(root, noise[..., None], adjoint=True)[..., 0]
        log_proposal = log_determinant - 0.5 * (latent_dim * math.log(2 * math.pi) + squared_norm(noise))
        log_weight = log_joint(latents) - log_proposal
        return (tf.reduce_logsumexp(tf.stack([log_sum, log_weight]), axis=0),)

    (log_sum,) = hmc.repeat(num_samples, add_weight, (tf.fill([batch], -math.inf),))
    return log_sum - math.log(num_samples)


def squared_norm(rows):
    """`||row||^2` of each row."""
    return tf.reduce_sum(tf.square(rows), axis=1)
