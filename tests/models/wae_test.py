import keras
import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

import ganzoo
from ganzoo.networks import autoencoder as family
from tests.check_model import check_objective, tiny
from tests.scalar_networks import numbers_of

LOGS = {"loss", "reconstruction", "mmd"}


def make(**overrides):
    return tiny(ganzoo.WAE, (6, 4, 1), **{"hidden": (5,), **overrides})


make.optimizers = ("optimizer",)


@check_objective
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


def test_settings_of_the_paper():
    wae = ganzoo.WAE.from_paper((28, 28, 1), hidden=(8,))
    assert (wae.latent_dim, wae.mmd_weight, wae.optimizer.beta_1) == (64, 100.0, 0.5)
    assert wae.generator.layers[-1].activation is keras.activations.tanh
    assert ganzoo.WAE.from_paper((2,), hidden=(4,)).generator.layers[-1].activation is keras.activations.linear


def loss_of(weights, x, drawn, weight):
    """Pair by pair: z = a x + b, y = w z + v, C = 2."""
    a, b, w, v = weights
    z = a * x + b

    def mean_kernel(first, second, pairs):
        return np.mean([2 / (2 + (first[i] - second[j]) ** 2) for i, j in pairs])

    n = len(x)
    others, everyone = [(i, j) for i in range(n) for j in range(n) if i != j], list(np.ndindex(n, n))
    mmd = mean_kernel(z, z, others) + mean_kernel(drawn, drawn, others) - 2 * mean_kernel(z, drawn, everyone)
    reconstruction = np.mean((x - w * z - v) ** 2)
    return reconstruction + weight * mmd, reconstruction, mmd


def test_one_update_by_hand():
    encoder, decoder = family.encoder((1,), latent_dim=1, hidden=()), family.decoder((1,), latent_dim=1, hidden=())
    weights = np.array([0.8, 0.1, 1.3, 0.2])
    encoder.set_weights([weights[:1].reshape(1, 1), weights[1:2]])
    decoder.set_weights([weights[2:3].reshape(1, 1), weights[3:]])
    wae = ganzoo.WAE(encoder, decoder, mmd_weight=3.0, seed=5)
    wae.compile(keras.optimizers.SGD(0.05))
    x = np.array([0.9, -0.4, 0.3])
    drawn = numbers_of(wae).normal((3, 1)).numpy()[:, 0].astype("float64")
    loss, reconstruction, mmd = loss_of(weights, x, drawn, 3.0)
    gradients = scipy.optimize.approx_fprime(weights, lambda weights: loss_of(weights, x, drawn, 3.0)[0], 1e-7)

    logs = wae.train_on_batch(x[:, None].astype("float32"), return_dict=True)
    after = [float(np.squeeze(weight)) for weight in (*encoder.get_weights(), *decoder.get_weights())]
    np.testing.assert_allclose(after, weights - 0.05 * gradients, rtol=1e-5)
    assert logs == pytest.approx({"loss": loss, "reconstruction": reconstruction, "mmd": mmd}, rel=1e-4)


def test_the_latents_come_to_the_prior():
    """A line is enough to make N(2, 3^2) to N(0, 1), and nothing else has an MMD of 0."""
    keras.utils.set_random_seed(0)
    samples = (2 + 3 * np.random.default_rng(0).normal(size=(2000, 1))).astype("float32")
    rate = keras.optimizers.schedules.CosineDecay(0.05, decay_steps=200)
    wae = ganzoo.WAE.from_paper((1,), latent_dim=1, hidden=(), seed=0, optimizer=keras.optimizers.Adam(rate))
    wae.fit(samples, batch_size=200, steps_per_epoch=200, verbose=0)
    latents = wae.encode(samples)
    assert latents.mean() == pytest.approx(0, abs=0.1)
    assert latents.std() == pytest.approx(1, abs=0.1)
    generated = wae.generate(2000, seed=1)
    assert generated.mean() == pytest.approx(2, abs=0.5) and generated.std() == pytest.approx(3, abs=0.5)
    error = wae.reconstruct(samples) - samples
    assert np.mean(error**2) < 0.1 * samples.var()


def test_settings_refused():
    with pytest.raises(ValueError, match="`mmd_weight` must be a finite number of at least 0. Received: mmd_weight=-1"):
        make(mmd_weight=-1.0)
    with pytest.raises(TypeError, match=r"unknown settings \['beta'\]"):
        make(beta=2.0)


def test_a_batch_of_one_is_finite():
    loss = make().objective(tf.zeros((1, 6, 4, 1)), training=True)
    assert np.isfinite(float(loss))
