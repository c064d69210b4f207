import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from scipy import stats
from scipy.special import expit, log_expit

import ganzoo
from ganzoo.networks import autoencoder as family
from tests.check_model import (
    arrays,
    check_generative_model,
    config_round_trip,
    reload,
    replicas_agree,
    resumes_with_the_same_bits,
    tiny,
)
from tests.scalar_networks import numbers_of

LOGS = {"loss", "elbo", "reconstruction", "kl"}


def make(**overrides):
    return tiny(ganzoo.VAE, (6, 4, 1), **{"hidden": (5,), **overrides})


def make_gaussian(**overrides):
    return tiny(ganzoo.VAE, (3,), **{"hidden": (5,), "beta": 0.5, **overrides})


make.optimizers = make_gaussian.optimizers = ("optimizer",)


@check_generative_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


# What the learned sigma adds to a step.
@pytest.mark.parametrize("check", [config_round_trip, resumes_with_the_same_bits, replicas_agree])
def test_contract_of_vectors(check, tmp_path):
    check(make_gaussian, LOGS, tmp_path)


def test_settings_of_the_paper():
    vae = ganzoo.VAE.from_paper((28, 28, 1))
    assert (vae.latent_dim, vae.likelihood, vae.beta) == (20, "bernoulli", 1.0)
    assert [layer.units for layer in vae.encoder.layers if isinstance(layer, keras.layers.Dense)] == [500, 20, 20]
    assert vae.encoder.get_layer("dense_0").activation is keras.activations.tanh
    assert ganzoo.VAE.from_paper((2,), hidden=(4,)).likelihood == "gaussian"


# === Closed forms ===


@pytest.mark.parametrize("pixels", ["binary", "grey"])
def test_bernoulli_likelihood(pixels):
    vae = make()
    random = np.random.default_rng(0)
    on = random.uniform(size=(4, 6, 4, 1)) if pixels == "grey" else random.integers(0, 2, (4, 6, 4, 1))
    latents = random.normal(size=(4, 3)).astype("float32")
    logits = np.asarray(vae.decoder(latents), "float64")
    expected = (on * log_expit(logits) + (1 - on) * log_expit(-logits)).sum((1, 2, 3))
    samples = tf.constant(2 * on - 1, "float32")
    np.testing.assert_allclose(vae.log_prob(samples, latents), expected, rtol=1e-5)
    # What it generates is the mean of the pixels.
    np.testing.assert_allclose(vae.decode(latents), 2 * expit(logits) - 1, atol=1e-6)


def test_bernoulli_likelihood_of_a_sure_decoder_is_finite():
    latents = keras.Input((1,))
    decoder = keras.Model(latents, keras.layers.Reshape((1, 1, 1))(keras.layers.Rescaling(1000.0)(latents)))
    image = keras.Input((1, 1, 1))
    flat = keras.layers.Flatten()(image)
    encoder = keras.Model(image, [keras.layers.Dense(1)(flat), keras.layers.Dense(1)(flat)])
    vae = ganzoo.VAE(encoder, decoder)
    samples = tf.constant([1.0, -1.0, 1.0, -1.0], shape=(4, 1, 1, 1))
    found = vae.log_prob(samples, tf.constant([[1.0], [-1.0], [-1.0], [1.0]]))
    np.testing.assert_allclose(found, [0, 0, -1000, -1000], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("sigma", [0.3, "learned"])
def test_gaussian_likelihood(sigma):
    vae = make(likelihood="gaussian", sigma=sigma)
    if sigma == "learned":
        vae.log_sigma.assign(math.log(0.3))
    random = np.random.default_rng(0)
    samples = random.uniform(-1, 1, (4, 6, 4, 1)).astype("float32")
    latents = random.normal(size=(4, 3)).astype("float32")
    mean = np.tanh(np.asarray(vae.decoder(latents), "float64"))
    expected = stats.norm(mean, 0.3).logpdf(samples).sum((1, 2, 3))
    np.testing.assert_allclose(vae.log_prob(samples, latents), expected, rtol=1e-5)
    np.testing.assert_allclose(vae.decode(latents), mean, atol=1e-6)


# === A model whose likelihood is known: x = W z + b + sigma e, so x ~ N(b, W W' + sigma^2 I) ===

SIGMA = 0.6
OFFSET = np.array([0.5, -1.0, 0.2, 2.0])
# Orthogonal columns: then the posterior's covariance is diagonal, as the encoder's.
FACTORS = np.linalg.qr(np.random.default_rng(5).normal(size=(4, 2)))[0] * [1.5, 0.7]
POSTERIOR = np.linalg.inv(np.eye(2) + FACTORS.T @ FACTORS / SIGMA**2)
MARGINAL = stats.multivariate_normal(OFFSET, FACTORS @ FACTORS.T + SIGMA**2 * np.eye(4))


def linear_gaussian(mean_error=0.0, log_variance_error=0.0):
    """A VAE with that decoder, whose encoder is the exact posterior, or that far from it."""
    encoder = family.encoder((4,), latent_dim=2, hidden=(), outputs=2)
    decoder = family.decoder((4,), latent_dim=2, hidden=())
    to_mean = FACTORS @ POSTERIOR / SIGMA**2
    encoder.set_weights(
        [to_mean, mean_error - OFFSET @ to_mean, np.zeros((4, 2)), np.log(np.diag(POSTERIOR)) + log_variance_error]
    )
    decoder.set_weights([FACTORS.T, OFFSET])
    vae = ganzoo.VAE(encoder, decoder, likelihood="gaussian", sigma=SIGMA, seed=3)
    vae.compile("sgd")
    return vae


def draw_samples(count):
    random = np.random.default_rng(1)
    samples = random.normal(size=(count, 2)) @ FACTORS.T + OFFSET + SIGMA * random.normal(size=(count, 4))
    return samples.astype("float32")


def test_at_the_optimum_every_importance_weight_is_the_likelihood():
    samples = draw_samples(50)
    truth = MARGINAL.logpdf(samples)
    for count in (1, 7):
        found = linear_gaussian().log_likelihood(samples, num_samples=count)
        np.testing.assert_allclose(found, truth, rtol=0, atol=2e-5)


def test_at_the_optimum_the_elbo_meets_the_likelihood():
    """One draw of e for each sample: E_q[log p(x|z)] varies by tr(S^2)/2 for S = W P W' / sigma^2."""
    samples = draw_samples(20_000)
    spread = FACTORS @ POSTERIOR @ FACTORS.T / SIGMA**2
    # And by the covariance with the residual, which itself is part of the noise: 4 standard errors of twice that.
    error = 4 * math.sqrt(2 * np.trace(spread @ spread + spread) / len(samples))
    elbo = linear_gaussian().evaluate(samples, batch_size=5000, verbose=0, return_dict=True)["elbo"]
    assert error < 0.1
    assert elbo == pytest.approx(MARGINAL.logpdf(samples).mean(), abs=error)


def test_bounds_are_in_order():
    """ELBO < IWAE-10 < IWAE-100 < log p(x), and the ELBO is below by KL(q || posterior), exactly."""
    mean_error, log_variance_error = np.array([0.2, -0.3]), np.array([0.5, 0.4])
    vae = linear_gaussian(mean_error, log_variance_error)
    samples = draw_samples(10_000)
    truth = MARGINAL.logpdf(samples)
    variances = np.diag(POSTERIOR)
    gap = 0.5 * np.sum(np.exp(log_variance_error) - 1 - log_variance_error + mean_error**2 / variances)
    one, ten, hundred = (vae.log_likelihood(samples, num_samples=count, batch_size=10_000) for count in (1, 10, 100))
    error = 4 * np.std(one - truth) / 100
    assert error < gap / 5
    assert np.mean(one - truth) == pytest.approx(-gap, abs=error)  # One draw is the ELBO.
    below = [float(np.mean(truth - bound)) for bound in (one, ten, hundred)]
    assert below[0] > 2 * below[1] > 4 * below[2] > 0
    assert below[2] > 2 * np.std(truth - hundred) / 100  # Not by chance.


def test_learns_the_linear_model():
    """Maximum likelihood by gradients comes to the true likelihood of the data, sigma included."""
    keras.utils.set_random_seed(0)
    samples = draw_samples(4000)
    rate = keras.optimizers.schedules.CosineDecay(0.05, decay_steps=800)
    vae = ganzoo.VAE.from_paper((4,), latent_dim=2, hidden=(), seed=0, optimizer=keras.optimizers.Adam(rate))
    vae.fit(samples, batch_size=200, steps_per_epoch=800, verbose=0)
    found = vae.log_likelihood(samples, num_samples=50, batch_size=4000).mean()
    assert found == pytest.approx(MARGINAL.logpdf(samples).mean(), abs=0.02)
    assert math.exp(float(vae.log_sigma)) == pytest.approx(SIGMA, abs=0.03)


# === One update by hand ===

A, B, C, E, W, V = 0.8, 0.1, -0.4, -0.7, 1.3, 0.2
RATE = 0.05


@pytest.mark.parametrize("sigma", [0.5, "learned"])
@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_one_update_by_hand(beta, sigma):
    """mean = A x + B, log-variance v = C x + E, y = W z + V."""
    encoder = family.encoder((1,), latent_dim=1, hidden=(), outputs=2)
    decoder = family.decoder((1,), latent_dim=1, hidden=())
    encoder.set_weights([np.array([[A]]), np.array([B]), np.array([[C]]), np.array([E])])
    decoder.set_weights([np.array([[W]]), np.array([V])])
    vae = ganzoo.VAE(encoder, decoder, likelihood="gaussian", sigma=sigma, beta=beta, seed=5)
    vae.compile(keras.optimizers.SGD(RATE))
    if sigma == "learned":
        vae.log_sigma.assign(math.log(0.5))
    x = np.array([0.9, -0.4, 0.3])
    e = numbers_of(vae).normal((3, 1)).numpy()[:, 0].astype("float64")
    mean, v = A * x + B, C * x + E
    z = mean + np.exp(v / 2) * e
    residual = (x - W * z - V) / 0.25  # over sigma^2
    reconstruction = np.mean(stats.norm(W * z + V, 0.5).logpdf(x))
    kl = np.mean(0.5 * (mean**2 + np.exp(v) - 1 - v))
    to_mean = -residual * W + beta * mean
    to_v = -residual * W * 0.5 * np.exp(v / 2) * e + beta * 0.5 * (np.exp(v) - 1)
    gradients = np.array([np.mean(g) for g in (to_mean * x, to_mean, to_v * x, to_v, -residual * z, -residual)])

    logs = vae.train_on_batch(x[:, None].astype("float32"), return_dict=True)
    after = [float(np.squeeze(weight)) for weight in (*encoder.get_weights(), *decoder.get_weights())]
    np.testing.assert_allclose(after, np.array([A, B, C, E, W, V]) - RATE * gradients, rtol=1e-5)
    expected = {
        "reconstruction": reconstruction,
        "kl": kl,
        "elbo": reconstruction - kl,
        "loss": beta * kl - reconstruction,
    }
    assert logs == pytest.approx(expected, rel=1e-5)
    if sigma == "learned":
        to_log_sigma = np.mean(1 - residual**2 * 0.25)
        np.testing.assert_allclose(float(vae.log_sigma), math.log(0.5) - RATE * to_log_sigma, rtol=1e-5)


def test_gradients_of_the_loss_against_finite_differences():
    vae = make(hidden=(4,), activation="tanh", latent_dim=2)
    samples = tf.constant(np.random.default_rng(0).uniform(-1, 1, (3, 6, 4, 1)), "float32")
    noise = np.random.default_rng(1).normal(size=(3, 2)).astype("float32")
    vae.normal = lambda shape: tf.constant(noise)
    for variable in vae.trainable_variables:  # Away from where tanh is flat or linear.
        variable.assign(np.random.default_rng(2).normal(size=variable.shape, scale=0.4))
    with tf.GradientTape() as tape:
        loss = vae.objective(samples, training=True)
    gradients = tape.gradient(loss, [variable.value for variable in vae.trainable_variables])
    for variable, gradient in zip(vae.trainable_variables, gradients):
        value, index = variable.numpy(), (0,) * len(variable.shape)
        differences = []
        for sign in (1, -1):
            moved = value.copy()
            moved[index] += sign * 1e-2
            variable.assign(moved)
            differences.append(float(vae.objective(samples, training=True)))
        variable.assign(value)
        difference = (differences[0] - differences[1]) / 2e-2
        assert float(gradient[index]) == pytest.approx(difference, rel=2e-2, abs=2e-3), variable.path


# === What users call ===


@pytest.fixture(scope="module")
def trained():
    keras.utils.set_random_seed(0)
    vae = make(ema_decay=0.9, run_eagerly=True)
    vae.fit(images(12), batch_size=4, verbose=0)
    return vae


def images(count):
    return np.random.default_rng(0).uniform(-1, 1, (count, 6, 4, 1)).astype("float32")


def test_encode_decode_reconstruct(trained):
    mean, log_variance = trained.encode(images(7))
    expected = trained.encoder(images(7))
    for found, wanted in zip((mean, log_variance), expected):
        assert found.shape == (7, 3) and found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, atol=1e-6)
    decoded = trained.decode(mean)
    np.testing.assert_allclose(decoded, trained.ema_generator(mean), atol=1e-6)
    assert not np.allclose(decoded, trained.generator(mean), atol=1e-6)  # The average decodes.
    np.testing.assert_array_equal(trained.reconstruct(images(7)), decoded)
    for batch_size in (1, 3, 7):
        np.testing.assert_allclose(trained.reconstruct(images(7), batch_size=batch_size), decoded, atol=1e-6)


def test_generate_decodes_the_prior(trained):
    latents = ganzoo.sampling.SeededNumbers(4).normal((5, 3))
    np.testing.assert_allclose(trained.generate(5, seed=4), trained.decode(latents), atol=1e-6)


def test_log_likelihood_is_a_function_of_the_seed(trained):
    found = trained.log_likelihood(images(7), num_samples=4, seed=2)
    assert found.shape == (7,) and found.dtype == np.float64
    np.testing.assert_array_equal(trained.log_likelihood(images(7), num_samples=4, seed=2), found)
    np.testing.assert_allclose(trained.log_likelihood(images(7), num_samples=4, seed=2, batch_size=3), found, rtol=1e-6)
    assert not np.allclose(trained.log_likelihood(images(7), num_samples=4, seed=3), found, rtol=1e-5)


def test_log_likelihood_by_hand(trained):
    """log-mean-exp over draws, from densities of scipy."""
    mean, log_variance = (np.asarray(part, "float64") for part in trained.encode(images(3)))
    weights = []
    for draw in range(5):
        noise = tf.random.stateless_normal((3, 3), (6, draw), alg="philox").numpy()
        z = mean + np.exp(log_variance / 2) * noise
        q = stats.norm(mean, np.exp(log_variance / 2)).logpdf(z).sum(-1)
        reconstruction = trained.log_prob(images(3), z.astype("float32")).numpy()
        weights.append(np.exp(reconstruction + stats.norm(0, 1).logpdf(z).sum(-1) - q))
    expected = np.log(np.mean(weights, axis=0))
    np.testing.assert_allclose(trained.log_likelihood(images(3), num_samples=5, seed=6), expected, rtol=1e-5)


def test_log_likelihood_does_not_underflow():
    """exp(-4 * 10^4) is 0 in any precision."""
    vae = linear_gaussian()
    far = np.full((1, 4), 200.0, "float32")
    np.testing.assert_allclose(vae.log_likelihood(far, num_samples=3), MARGINAL.logpdf(far), rtol=1e-4)
    assert MARGINAL.logpdf(far) < -4e4


def test_the_step_does_not_touch_the_random_numbers_of_an_evaluation(trained):
    before = trained.random.state.numpy()
    first = trained.evaluate(images(8), verbose=0, return_dict=True)
    assert trained.evaluate(images(8), verbose=0, return_dict=True) == first
    np.testing.assert_array_equal(trained.random.state.numpy(), before)


@pytest.mark.parametrize("image_shape", [(16, 16, 1), (11, 14, 3)])
def test_convolutional_networks(image_shape, tmp_path):
    vae = tiny(ganzoo.VAE, image_shape, filters=2, run_eagerly=True)
    before = arrays(vae.trainable_variables)
    samples = np.random.default_rng(0).uniform(-1, 1, (8, *image_shape)).astype("float32")
    vae.fit(samples, batch_size=4, verbose=0)
    assert all(np.any(a != b) for a, b in zip(before, arrays(vae.trainable_variables)))
    assert vae.reconstruct(samples).shape == samples.shape
    loaded = reload(vae, tmp_path)
    np.testing.assert_array_equal(loaded.reconstruct(samples), vae.reconstruct(samples))


def test_labels_are_dropped():
    vae = make(run_eagerly=True)
    logs = vae.fit(images(8), np.arange(8), batch_size=4, verbose=0).history
    assert set(logs) == LOGS


def test_learned_sigma_is_saved(tmp_path):
    vae = make_gaussian(optimizer="adam", run_eagerly=True)
    vae.fit(np.random.default_rng(0).normal(size=(8, 3)).astype("float32"), batch_size=4, verbose=0)
    assert float(vae.log_sigma) != 0
    loaded = reload(vae, tmp_path)
    assert float(loaded.log_sigma) == float(vae.log_sigma)
    assert any(variable is vae.log_sigma for variable in vae.trainable_variables)
    assert len(vae.optimizer._momentums) == len(vae.trainable_variables)


# === Bad input ===


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"likelihood": "poisson"}, r"`likelihood` must be one of 'bernoulli', 'gaussian'.*'poisson'"),
        ({"likelihood": "gaussian", "sigma": 0}, '`sigma` must be a positive number or "learned".*sigma=0'),
        ({"beta": -1.0}, "`beta` must be a finite number of at least 0. Received: beta=-1.0"),
        ({"optimizer": None}, "`optimizer` is missing"),
        ({"latent_dim": 0}, "`latent_dim` must be an integer of at least 1"),
        ({"filters": 4}, "need images of 8x8 pixels or more"),
    ],
)
def test_settings_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)


def test_unknown_settings_are_refused():
    with pytest.raises(TypeError, match=r"unknown settings \['discriminator_steps'\]. It takes: networks, activation"):
        make(discriminator_steps=2)


def test_networks_refused():
    decoder = family.decoder((6, 4, 1), latent_dim=3, hidden=())
    with pytest.raises(ValueError, match=r"must have two outputs, mean and log-variance, of shape \(3,\).*\(3,\)\]"):
        ganzoo.VAE(family.encoder((6, 4, 1), latent_dim=3), decoder)
    with pytest.raises(ValueError, match=r"must have two outputs, .*of shape \(3,\).*\[\(2,\), \(2,\)\]"):
        ganzoo.VAE(family.encoder((6, 4, 1), latent_dim=2, outputs=2), decoder)
    with pytest.raises(ValueError, match=r"makes samples of shape \(6, 4, 1\), and the encoder takes .*\(6, 4, 3\)"):
        ganzoo.VAE(family.encoder((6, 4, 3), latent_dim=3, outputs=2), decoder)
    with pytest.raises(TypeError, match="`decoder` must be a built keras.Model.*Received: 'decoder'"):
        ganzoo.VAE(family.encoder((6, 4, 1), latent_dim=3, outputs=2), "decoder")
    with pytest.raises(TypeError, match="`encoder` must be a built keras.Model.*Received: None"):
        ganzoo.VAE(None, decoder)
    with pytest.raises(ValueError, match='is for images.*shape .4,.: use likelihood="gaussian"'):
        ganzoo.VAE(family.encoder((4,), outputs=2), family.decoder((4,)))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda vae: vae.encode(images(2)[0]), "not batched"),
        (lambda vae: vae.encode(np.zeros((2, 6, 4, 1), "uint8")), "must be floats in .* Received: uint8"),
        (lambda vae: vae.encode(images(2) * 255), r"must lie in \[-1, 1\]"),
        (lambda vae: vae.encode(images(0)), r"no samples: received an array of shape \(0, 6, 4, 1\)"),
        (lambda vae: vae.encode(images(2), batch_size=0), "`batch_size` must be an integer of at least 1"),
        (lambda vae: vae.decode(np.zeros((2, 4))), r"must have the shape \(count, 3\).*Received: \(2, 4\)"),
        (lambda vae: vae.decode(np.zeros(3)), r"Received: \(3,\)"),
        (lambda vae: vae.log_likelihood(images(2), num_samples=0), "`num_samples` must be an integer of at least 1"),
        (lambda vae: vae.log_likelihood(images(2), num_samples=None), "`num_samples` must be an integer of at least 1"),
        (lambda vae: vae.fit(images(4) + 9, verbose=0), r"must lie in \[-1, 1\]"),
        (lambda vae: vae.generate(2, condition=1), "unconditional"),
    ],
)
def test_input_refused(trained, call, message):
    with pytest.raises(ValueError, match=message):
        call(trained)


def test_ops_see_float32():
    """The loss of a half-precision model is float32, where 784 nats of each of 128 images would overflow."""
    keras.config.set_dtype_policy("mixed_float16")
    vae = make()
    loss = vae.objective(tf.constant(images(2)), training=True)
    assert ops.dtype(loss) == "float32"
