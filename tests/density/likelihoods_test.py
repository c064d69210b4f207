import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.special import log_expit

from ganzoo.density.likelihoods import bernoulli, gaussian, kl_from_prior

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(5,), (4, 3, 2)])
def test_gaussian(shape):
    samples, mean = RANDOM.normal(size=(2, 6, *shape))
    expected = stats.norm(mean, 0.3).logpdf(samples).reshape(6, -1).sum(1)
    np.testing.assert_allclose(gaussian(samples, mean, math.log(0.3)), expected, rtol=1e-5)
    np.testing.assert_allclose(gaussian(samples, mean, tf.constant(math.log(0.3))), expected, rtol=1e-5)


@pytest.mark.parametrize("shape", [(5,), (4, 3, 2)])
def test_bernoulli(shape):
    on, logits = RANDOM.integers(0, 2, (6, *shape)), RANDOM.normal(size=(6, *shape), scale=3)
    expected = (on * log_expit(logits) + (1 - on) * log_expit(-logits)).reshape(6, -1).sum(1)
    np.testing.assert_allclose(bernoulli(2.0 * on - 1, logits), expected, rtol=1e-5)


def test_bernoulli_probabilities_sum_to_one():
    """Over all eight images of three pixels."""
    images = np.stack(np.meshgrid(*[[-1.0, 1.0]] * 3), axis=-1).reshape(8, 3)
    logits = np.broadcast_to([0.3, -2.0, 1.1], (8, 3))
    assert np.exp(bernoulli(images, logits)).sum() == pytest.approx(1, rel=1e-6)


def test_half_precision_is_summed_in_float32():
    """100 nats for each of 1,000 pixels; float16 ends at 65,504."""
    logits = tf.fill((1, 1000), tf.constant(-100.0, "float16"))
    np.testing.assert_allclose(bernoulli(tf.ones((1, 1000), "float16"), logits), [-1e5], rtol=1e-6)


def test_kl_divergence_of_two_normals():
    mean, log_variance = np.array([[0.7, -1.2]]), np.array([[0.4, -0.9]])
    z = np.linspace(-15, 15, 200_001)
    expected = 0
    for m, v in zip(mean[0], log_variance[0]):
        q, p = stats.norm(m, math.exp(v / 2)), stats.norm(0, 1)
        expected += np.trapezoid(q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), z)
    np.testing.assert_allclose(kl_from_prior(mean, log_variance), [expected], rtol=1e-6)


def test_kl_divergence_is_zero_at_the_prior_and_exact_beside_it():
    assert float(kl_from_prior(tf.zeros((1, 3)), tf.zeros((1, 3)))[0]) == 0
    # v^2 / 4 for a small log-variance v, far below the rounding error of exp(v) - 1.
    np.testing.assert_allclose(kl_from_prior(tf.zeros((1, 1)), tf.constant([[1e-3]])), [2.5e-7], rtol=1e-3)


def test_gradient_of_the_kl_divergence():
    mean, log_variance = tf.constant([[0.7, -1.2]]), tf.constant([[0.4, -0.9]])
    with tf.GradientTape() as tape:
        tape.watch([mean, log_variance])
        kl = kl_from_prior(mean, log_variance)
    to_mean, to_log_variance = tape.gradient(kl, [mean, log_variance])
    np.testing.assert_allclose(to_mean, mean, rtol=1e-6)
    np.testing.assert_allclose(to_log_variance, (np.exp(log_variance) - 1) / 2, rtol=1e-6)
