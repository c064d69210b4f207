"""The space between digits, and the bound of the VAE: ELBO + KL(q || posterior) = log p(x)."""

import latent_spaces as experiment
import numpy as np
import pytest

import ganzoo
from ganzoo.density import likelihoods


def constant_vae(mean, log_variance, bias):
    """A VAE whose encoder and decoder ignore their inputs: everything about it is known in closed form."""
    vae = ganzoo.VAE.from_paper((28, 28, 1), latent_dim=2, hidden=(2,), seed=0)
    for network in (vae.encoder, vae.decoder):
        network.set_weights([np.zeros_like(weight) for weight in network.get_weights()])
    vae.encoder.get_layer("mean").bias.assign(mean)
    vae.encoder.get_layer("log_variance").bias.assign(log_variance)
    vae.decoder.get_layer("head").bias.assign(np.full(784, bias, "float32"))
    return vae


@pytest.fixture(scope="module")
def images():
    return experiment.digits("train[:100]", 0)[0][:5]


def test_digits_are_binary_and_keep_their_expectation():
    images, labels = experiment.digits("train[:300]", 0)
    grey = ganzoo.data.load("mnist_10k", split="train[:300]", shuffle=False, batch_size=300)
    expected, expected_labels = next(iter(grey))
    assert images.shape == (300, 28, 28, 1) and set(np.unique(images)) == {-1.0, 1.0}
    np.testing.assert_allclose(images.mean(), np.mean(expected), atol=0.01)
    np.testing.assert_array_equal(labels, expected_labels)


def test_the_exact_bound_of_a_constant_decoder(images):
    """log p(x) = log p(x|z), the posterior is the prior, and the gap is KL(q || N(0, I)), by hand."""
    mean, log_variance, bias = np.array([1.0, -0.5]), np.array([-2.0, 0.3]), -1.5
    exact = experiment.exact_bound(constant_vae(mean, log_variance, bias), images, spacing=0.1, draws=2)
    bits = (images.reshape(5, -1) + 1) / 2
    log_likelihood = (bits * bias - np.log1p(np.exp(bias))).sum(axis=1)
    gap = 0.5 * np.sum(mean**2 + np.exp(log_variance) - log_variance - 1)
    np.testing.assert_allclose(exact["log_likelihood"], log_likelihood, atol=2e-3)
    np.testing.assert_allclose(exact["gap"], gap, rtol=1e-3)
    np.testing.assert_allclose(exact["kl_to_prior"], gap, rtol=1e-5)
    np.testing.assert_allclose(exact["elbo"], log_likelihood - gap, atol=2e-3)


def test_the_joint_density_is_that_of_the_library(images):
    """With weights as they are drawn, so that the decoder does depend on the latents."""
    vae = ganzoo.VAE.from_paper((28, 28, 1), latent_dim=2, hidden=(8,), seed=0)
    line = np.array([-1.0, 0.0, 2.0])
    joint = experiment.log_joint(vae, images, line).reshape(3, 3, 5)
    latents = np.tile(np.array([[2.0, -1.0]], "float32"), (5, 1))
    log_prob = likelihoods.bernoulli(images, vae.decoder(latents))
    np.testing.assert_allclose(joint[2, 0], log_prob - 2.5 - np.log(2 * np.pi), rtol=1e-5)
    assert np.ptp(joint, axis=(0, 1)).min() > 0.1


def test_entropy_of_digits_of_equal_shares():
    images, labels = experiment.digits("train[:1000]", 0)
    classifier = ganzoo.metrics.features.DigitsClassifier()
    assert 2.2 < experiment.entropy_of_digits(classifier, images) <= np.log(10)
    assert experiment.entropy_of_digits(classifier, images[labels == 1]) < 0.3


@pytest.fixture(scope="module")
def results():
    return experiment.compute()


@pytest.mark.slow
def test_only_the_vae_puts_its_latents_where_the_prior_is(results):
    autoencoder, vae = results["models"]["autoencoder"], results["models"]["VAE"]
    assert 0 <= vae["outside"] < 0.05 and autoencoder["outside"] > 0.1  # 0.01 if it were the prior.
    np.testing.assert_allclose(vae["spread"], 1.0, atol=0.25)
    assert 1.5 * vae["distance_to_prior"] < autoencoder["distance_to_prior"]


@pytest.mark.slow
def test_drawing_from_the_prior_costs_the_autoencoder_more(results):
    """The distance that decoded draws from N(0, I) have above that of reconstructions, by the same decoder."""
    price = {name: found["frechet"] - found["frechet_reconstructed"] for name, found in results["models"].items()}
    assert price["autoencoder"] > 1.5 * price["VAE"] > 0


@pytest.mark.slow
def test_the_autoencoder_reconstructs_better(results):
    """That is all that it was asked for."""
    autoencoder, vae = results["models"]["autoencoder"], results["models"]["VAE"]
    assert 0 < autoencoder["reconstruction_error"] < vae["reconstruction_error"]


@pytest.mark.slow
def test_log_likelihood_is_elbo_plus_divergence_from_the_posterior(results):
    """log p(x) and the divergence by quadrature, the ELBO by random draws: the rest is their noise."""
    exact = results["exact"]
    # A sum over a grid of spacing h misses 2 exp(-2 (pi sigma / h)^2) of a Gaussian: here at most 0.2 %.
    assert exact["narrowest"] > 0.6 * exact["spacing"]
    assert exact["gap"].min() > 0 and exact["gap"].mean() > 1
    rest = exact["log_likelihood"] - exact["elbo"] - exact["gap"]
    assert abs(rest.mean()) < 4 * rest.std() / len(rest) ** 0.5 + 1e-3
    assert abs(rest.mean()) < 0.02 * exact["gap"].mean()


@pytest.mark.slow
def test_importance_sampling_lies_between_bound_and_likelihood(results):
    """Where a posterior has a second place, far from q, samples of q do not find it."""
    exact = results["exact"]
    sampled, likelihood = results["importance_sampled"].mean(), exact["log_likelihood"].mean()
    assert exact["elbo"].mean() + 1 < sampled < likelihood + 0.05


@pytest.mark.slow
def test_the_bound_rises_and_stays_below(results):
    rows = results["course"]
    for row in rows:
        assert row["elbo"] < row["log_likelihood"]
        np.testing.assert_allclose(row["log_likelihood"] - row["elbo"], row["gap"], rtol=0.1)
    assert rows[-1]["elbo"] > rows[0]["elbo"] + 5
