"""The likelihood by importance sampling, where it has a closed form."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from ganzoo.density import importance

MATRIX = np.array([[1.0, 0.5, -0.3], [0.2, -1.0, 0.8]], "float32")
SIGMA = 0.5


def estimate(samples, **settings):
    arguments = {"decode": lambda latents: latents @ MATRIX, "sigma": tf.constant(SIGMA), "latent_dim": 2}
    arguments |= {"step_size": 0.3, "seed": 0, **settings}
    graph = tf.function(lambda: importance.log_likelihood(samples=tf.constant(samples), **arguments), autograph=False)
    return graph().numpy()


def test_a_linear_generator():
    """x = z W + sigma e has the density N(0, W^T W + sigma^2 I)."""
    samples = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    wanted = scipy.stats.multivariate_normal(np.zeros(3), MATRIX.T @ MATRIX + SIGMA**2 * np.eye(3)).logpdf(samples)
    # The proposal is the posterior, but for its mean and a wider covariance: the weights vary by a few per cent, and
    # the mean of 1,000 of them by less than 0.02.
    np.testing.assert_allclose(estimate(samples), wanted, atol=0.05)


def test_batches_of_any_size_are_one_function():
    values = np.arange(7.0, dtype="float32")
    seen = []

    def double(part):
        seen.append(len(part))
        return 2 * part

    np.testing.assert_array_equal(importance.in_batches(double, [values], 3), 2 * values)
    assert seen == [3, 3, 3]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"num_samples": 0}, "`num_samples` must be an integer of at least 1. Received: num_samples=0"),
        ({"posterior_samples": 1.5}, "`posterior_samples` must be an integer of at least 1"),
        ({"candidates": -1}, "`candidates` must be an integer of at least 0"),
        ({"burn_in": True}, "`burn_in` must be an integer of at least 0"),
        ({"overdispersion": 0}, "`overdispersion` must be a finite number above 0"),
    ],
)
def test_refusals(settings, words):
    with pytest.raises(ValueError, match=words):
        estimate(np.zeros((2, 3), "float32"), **settings)
