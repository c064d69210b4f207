import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.special import logsumexp, softmax

import ganzoo
from ganzoo.models.iwae import log_mean_exp
from ganzoo.networks import autoencoder as family
from tests.check_model import check_objective, tiny
from tests.models.vae_test import MARGINAL, POSTERIOR, draw_samples, linear_gaussian

LOGS = {"loss", "elbo", "effective_samples"}


def make(**overrides):
    return tiny(ganzoo.IWAE, (6, 4, 1), **{"hidden": (5,), "num_samples": 3, **overrides})


make.optimizers = ("optimizer",)


@check_objective
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


def test_settings_of_the_paper():
    iwae = ganzoo.IWAE.from_paper((28, 28, 1))
    assert (iwae.num_samples, iwae.latent_dim, iwae.likelihood, iwae.beta) == (50, 50, "bernoulli", 1.0)
    assert [layer.units for layer in iwae.encoder.layers if isinstance(layer, keras.layers.Dense)] == [200, 200, 50, 50]
    assert (float(iwae.optimizer.learning_rate), iwae.optimizer.epsilon) == (pytest.approx(1e-3), 1e-4)
    assert ganzoo.IWAE.from_paper((2,), hidden=(4,)).likelihood == "gaussian"


def test_log_mean_exp():
    values = np.array([[0.0, 1.0, -2.0], [-4e4, -4e4 + 3.0, -4e4 - 100.0], [2e3, 2e3, 2e3]])
    expected = logsumexp(values, axis=-1) - np.log(3)
    np.testing.assert_allclose(log_mean_exp(tf.constant(values, "float32")), expected, rtol=1e-6)


# === One proposal: the bound of the VAE ===


def test_one_proposal_is_the_bound_of_the_vae():
    """With e of -1 and 1 in each latent, once with each sign, e^2 = 1 and the mean of z^2 is mean^2 + sigma^2.

    So the mean of log p(z) - log q(z|x) over the pair is -KL, and both losses and their gradients are equal.
    """
    vae, iwae = tiny(ganzoo.VAE, (6, 4, 1), hidden=(5,)), make(num_samples=1)
    iwae.set_weights(vae.get_weights())
    random = np.random.default_rng(0)
    images = np.repeat(random.uniform(-1, 1, (4, 6, 4, 1)), 2, axis=0).astype("float32")
    signs = random.choice([-1.0, 1.0], (4, 3))
    noise = np.stack([signs, -signs], axis=1).reshape(8, 3).astype("float32")
    found = []
    for model in (vae, iwae):
        model.normal = lambda shape: tf.reshape(noise, [int(size) for size in shape])
        with tf.GradientTape() as tape:
            loss = model.objective(tf.constant(images), training=True)
        found.append((loss, *tape.gradient(loss, [variable.value for variable in model.trainable_variables])))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_one_proposal_draws_the_numbers_of_the_vae():
    vae, iwae = tiny(ganzoo.VAE, (6, 4, 1), hidden=(5,)), make(num_samples=1)
    images = tf.constant(np.random.default_rng(0).uniform(-1, 1, (4, 6, 4, 1)), "float32")
    noise = vae.latents(4)
    expected = vae.log_weights(images, *vae.posterior(images), noise)
    np.testing.assert_allclose(iwae.proposals(images)[:, 0], expected, rtol=1e-6)


# === A linear decoder, whose likelihood is known ===

ERRORS = {"mean_error": np.array([0.2, -0.3]), "log_variance_error": np.array([0.5, 0.4])}


def bounds(count, samples, **errors):
    """L_K of each sample, by an IWAE with the networks of `linear_gaussian`."""
    vae = linear_gaussian(**errors)
    iwae = ganzoo.IWAE(vae.encoder, vae.decoder, count, likelihood="gaussian", sigma=vae.sigma, seed=3)
    return log_mean_exp(iwae.proposals(tf.constant(samples))).numpy().astype("float64")


def test_bounds_are_in_order_and_as_far_below_as_calculated():
    """L_1 is below log p by KL(q || p); L_K for large K by chi^2(p || q) / 2K, up to 1 / K^2; p is the posterior."""
    samples = draw_samples(10_000)
    gaps = {count: MARGINAL.logpdf(samples) - bounds(count, samples, **ERRORS) for count in (1, 5, 50)}
    error = {count: np.std(gap) / 100 for count, gap in gaps.items()}
    variance, ratio, shift = np.diag(POSTERIOR), np.exp(ERRORS["log_variance_error"]), ERRORS["mean_error"]
    kl = 0.5 * np.sum(ratio - 1 - np.log(ratio) + shift**2 / variance)
    # The integral of p^2 / q, for q = N(shift, ratio v) and p = N(0, v), is this product.
    chi = np.prod(ratio / np.sqrt(2 * ratio - 1) * np.exp(shift**2 / variance / (2 * ratio - 1))) - 1
    assert np.mean(gaps[1]) == pytest.approx(kl, abs=4 * error[1])
    assert np.mean(gaps[50]) == pytest.approx(chi / 100, abs=4 * error[50] + 0.15 * chi / 100)
    steps = [gaps[1] - gaps[5], gaps[5] - gaps[50], gaps[50]]
    for step in steps:  # Of independent draws, so the errors add up.
        assert np.mean(step) > 4 * np.std(step) / 100


def test_an_exact_encoder_has_no_gap():
    samples = draw_samples(50)
    for count in (1, 5):
        np.testing.assert_allclose(bounds(count, samples), MARGINAL.logpdf(samples), rtol=0, atol=2e-5)


# === One update by hand ===

A, B, C, E, W, V, SIGMA = 0.8, 0.1, -0.4, -0.7, 1.3, 0.2, 0.5


def test_one_update_by_hand():
    """mean = A x + B, log-variance v = C x + E, y = W z + V: the gradients of log w_k, weighted by w_k / sum w."""
    encoder, decoder = (
        family.encoder((1,), latent_dim=1, hidden=(), outputs=2),
        family.decoder((1,), latent_dim=1, hidden=()),
    )
    encoder.set_weights([np.array([[A]]), np.array([B]), np.array([[C]]), np.array([E])])
    decoder.set_weights([np.array([[W]]), np.array([V])])
    iwae = ganzoo.IWAE(encoder, decoder, num_samples=4, likelihood="gaussian", sigma=SIGMA, seed=5)
    iwae.compile(keras.optimizers.SGD(0.05))
    x = np.array([0.9, -0.4, 0.3])[:, None]
    e = np.random.default_rng(2).normal(size=(3, 4))
    iwae.normal = lambda shape: tf.constant(e[..., None], "float32")
    mean, v = A * x + B, C * x + E
    spread = np.exp(v / 2)
    z = mean + spread * e
    density = stats.norm(W * z + V, SIGMA).logpdf(x) + stats.norm.logpdf(z) - stats.norm(mean, spread).logpdf(z)
    share = softmax(density, axis=1)
    residual = (x - W * z - V) / SIGMA**2
    to_mean = residual * W - z
    to_v = to_mean * 0.5 * spread * e + 0.5
    parts = (to_mean * x, to_mean, to_v * x, to_v, residual * z, residual)
    gradients = np.array([np.mean(np.sum(share * part, axis=1)) for part in parts])

    logs = iwae.train_on_batch(x.astype("float32"), return_dict=True)
    after = [float(np.squeeze(weight)) for weight in (*encoder.get_weights(), *decoder.get_weights())]
    np.testing.assert_allclose(after, np.array([A, B, C, E, W, V]) + 0.05 * gradients, rtol=1e-5)
    expected = {
        "loss": -np.mean(logsumexp(density, axis=1) - np.log(4)),
        "elbo": np.mean(density),
        "effective_samples": np.mean(1 / np.sum(share**2, axis=1)),
    }
    assert logs == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_samples": 0}, "`num_samples` must be an integer of at least 1. Received: num_samples=0"),
        ({"beta": 4.0}, "`beta` must be 1: the loss of an IWAE has no KL divergence.*ganzoo.VAE"),
    ],
)
def test_settings_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)
