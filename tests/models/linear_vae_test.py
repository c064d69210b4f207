"""A VAE with linear networks is probabilistic principal component analysis, and its best weights are known.

Tipping & Bishop, 1999, Equations 7 and 8; Lucas et al., 2019 (arXiv:1911.02469), Section 4.
"""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import ganzoo
from ganzoo.networks import autoencoder as family

DIMENSIONS, LATENTS = 5, 2


VARIANCES = np.array([4.0, 2.0, 1.8, 0.5, 0.3])
DIRECTIONS = np.linalg.qr(np.random.default_rng(1).normal(size=(DIMENSIONS, DIMENSIONS)))[0]


def data(count=200):
    """Samples whose principal components have exactly these variances and directions."""
    normal = np.random.default_rng(0).normal(size=(count, DIMENSIONS))
    white = np.linalg.svd(normal - normal.mean(axis=0), full_matrices=False)[0] * math.sqrt(count)
    return white * np.sqrt(VARIANCES) @ DIRECTIONS.T + [1.0, 0.5, 0.0, -0.5, -1.0]


SAMPLES = data()


def principal_components(kept=(0, 1), stretch=1.0):
    """The linear VAE whose factors are these principal components, with the exact posterior as its encoder.

    W = U (Lambda - sigma^2 I)^(1/2), sigma^2 the mean of the other variances. `stretch` multiplies W.
    """
    others = np.delete(VARIANCES, kept)
    noise = others.mean()
    factors = stretch * DIRECTIONS[:, kept] * np.sqrt(VARIANCES[list(kept)] - noise)
    covariance = np.linalg.inv(np.eye(LATENTS) + factors.T @ factors / noise)
    to_mean = factors @ covariance / noise
    offset = SAMPLES.mean(axis=0)
    encoder = family.encoder((DIMENSIONS,), latent_dim=LATENTS, hidden=(), outputs=2)
    decoder = family.decoder((DIMENSIONS,), latent_dim=LATENTS, hidden=())
    encoder.set_weights([to_mean, -offset @ to_mean, np.zeros(to_mean.shape), np.log(np.diag(covariance))])
    decoder.set_weights([factors.T, offset])
    vae = ganzoo.VAE(encoder, decoder, likelihood="gaussian", sigma="learned", seed=0)
    vae.log_sigma.assign(0.5 * math.log(noise))
    return vae, stats.multivariate_normal(offset, factors @ factors.T + noise * np.eye(DIMENSIONS))


def elbo_and_gradients(vae):
    """The exact expectation over e: the ELBO is quadratic in e, so 2 n points of N(0, I)'s mean and covariance do."""
    points = math.sqrt(LATENTS) * np.concatenate([np.eye(LATENTS), -np.eye(LATENTS)])
    samples = np.repeat(SAMPLES, len(points), axis=0)
    vae.normal = lambda shape: tf.constant(np.tile(points, (len(SAMPLES), 1)), "float32")
    with tf.GradientTape() as tape:
        loss = vae.objective(tf.constant(samples, "float32"), training=True)
    variables = vae.trainable_variables
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    return -float(loss), {variable.path: gradient for variable, gradient in zip(variables, gradients, strict=True)}


def assert_stationary(gradients):
    assert len(gradients) == 7  # Four of the encoder, two of the decoder, and sigma.
    for path, gradient in gradients.items():
        np.testing.assert_allclose(gradient, 0.0, atol=2e-4, err_msg=path)


def likelihood_of_components(kept):
    """Equation 3 of Tipping & Bishop at the components `kept`, for each sample."""
    noise = np.delete(VARIANCES, kept).mean()
    logs = np.sum(np.log(VARIANCES[list(kept)])) + (DIMENSIONS - LATENTS) * math.log(noise)
    return -0.5 * (DIMENSIONS * math.log(2 * math.pi) + logs + DIMENSIONS)


def test_at_the_principal_components_the_elbo_is_the_likelihood_and_its_gradient_vanishes():
    vae, marginal = principal_components()
    elbo, gradients = elbo_and_gradients(vae)
    assert elbo == pytest.approx(marginal.logpdf(SAMPLES).mean(), abs=2e-5)
    assert elbo == pytest.approx(likelihood_of_components((0, 1)), abs=2e-5)
    assert_stationary(gradients)
    # Of each sample, not only in the mean.
    found = vae.log_likelihood(SAMPLES.astype("float32"), num_samples=1)
    np.testing.assert_allclose(found, marginal.logpdf(SAMPLES), rtol=0, atol=1e-4)


@pytest.mark.parametrize("stretch", [0.8, 1.25])
def test_beside_it_the_elbo_is_lower_and_the_gradient_leads_back(stretch):
    best = likelihood_of_components((0, 1))
    vae, marginal = principal_components(stretch=stretch)
    elbo, gradients = elbo_and_gradients(vae)
    assert elbo == pytest.approx(marginal.logpdf(SAMPLES).mean(), abs=2e-5)  # The encoder is exact here, too.
    assert elbo < best - 1e-2
    (to_factors,) = (np.ravel(part) for path, part in gradients.items() if path.endswith("head/kernel"))
    factors = np.ravel(vae.decoder.get_weights()[0])
    assert np.sign(-to_factors @ factors) == np.sign(1 - stretch)
    assert np.abs(to_factors).max() > 1e-2


def test_other_components_are_a_saddle_point():
    """There the gradient vanishes, too, and the likelihood is lower: Lucas et al., Theorem 1 and Appendix."""
    elbo, gradients = elbo_and_gradients(principal_components((0, 2))[0])
    assert elbo == pytest.approx(likelihood_of_components((0, 2)), abs=2e-5)
    assert elbo < likelihood_of_components((0, 1)) - 1e-2
    assert_stationary(gradients)


def test_a_collapsed_latent_is_no_local_maximum():
    """With one factor at 0 the gradient vanishes, and along the missing component the ELBO rises: no posterior
    collapse of a linear VAE with learned sigma is stable (Lucas et al., Section 4)."""
    others = np.delete(VARIANCES, [0])
    noise = others.mean()
    heights = []
    for size in (0.0, 0.2, -0.2):
        factors = np.stack([DIRECTIONS[:, 0] * math.sqrt(VARIANCES[0] - noise), DIRECTIONS[:, 1] * size], axis=1)
        covariance = np.linalg.inv(np.eye(LATENTS) + factors.T @ factors / noise)
        vae, _ = principal_components()
        to_mean, offset = factors @ covariance / noise, SAMPLES.mean(axis=0)
        vae.encoder.set_weights([to_mean, -offset @ to_mean, np.zeros(to_mean.shape), np.log(np.diag(covariance))])
        vae.decoder.set_weights([factors.T, offset])
        vae.log_sigma.assign(0.5 * math.log(noise))
        elbo, gradients = elbo_and_gradients(vae)
        heights.append(elbo)
        if not size:
            assert_stationary(gradients)
    assert min(heights[1:]) > heights[0] + 1e-4
