import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.networks import autoencoder, mlp
from tests.check_model import check_labels, check_model, tiny, two_replicas
from tests.scalar_networks import (
    DISCRIMINATOR_RATE,
    GENERATOR_RATE,
    A,
    B,
    C,
    W,
    numbers_of,
    scalar_discriminator,
    scalar_generator,
    weights_of,
)

LOGS = {"d_loss", "g_loss", "M", "k"}


def make(**overrides):
    # k is at 0 for the first steps: a fast balance, or the generated samples would not count.
    settings = {"filters": 2, "embedding_dim": 3, "repetitions": 1, "gamma": 0.9, "balance_rate": 0.5}
    return tiny(ganzoo.BEGAN, (9, 6, 1), **{**settings, **overrides})


def make_conditional(**overrides):
    return make(num_classes=3, **overrides)


@check_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


@check_labels
def test_conditional_contract(check, tmp_path):
    check(make_conditional, LOGS, tmp_path)


def test_settings_of_the_paper():
    model = ganzoo.BEGAN.from_paper((8, 8, 1), filters=2)
    assert (model.gamma, model.balance_rate, model.latent_dim, float(model.k)) == (0.5, 1e-3, 64, 0.0)
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        np.testing.assert_allclose(float(optimizer.learning_rate), 1e-4, rtol=1e-6)
        assert optimizer.beta_1 == 0.9


def scalar_model(**settings):
    """D(x) = w x + c; the samples stay on one side of their reconstructions, so that |x - D(x)| is smooth."""
    model = ganzoo.BEGAN(scalar_generator(), scalar_discriminator(), seed=5, **settings)
    model.compile(keras.optimizers.SGD(GENERATOR_RATE * 0.1), keras.optimizers.SGD(DISCRIMINATOR_RATE * 0.1))
    return model


def test_three_steps_by_hand():
    """L(v) = E|v - w v - c|: dL/dw = -E[s v], dL/dc = -E[s], dL/dv = s (1 - w), s = sign(v - w v - c)."""
    gamma, rate = 0.7, 0.4
    model = scalar_model(gamma=gamma, balance_rate=rate)
    numbers = numbers_of(model)
    a, b, w, c, k = A, B, W, C, 0.0
    seen = []
    for step in range(3):
        real = np.array([1.0, 0.4, 0.7]) - 0.3 * step
        latents = numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
        fake = a * latents + b
        signs = [np.sign(v - w * v - c) for v in (real, fake)]
        losses = [np.mean(np.abs(v - w * v - c)) for v in (real, fake)]
        expected = {
            "k": k,
            "M": losses[0] + abs(gamma * losses[0] - losses[1]),
            "d_loss": losses[0] - k * losses[1],
        }
        to_w = -np.mean(signs[0] * real) + k * np.mean(signs[1] * fake)
        to_c = -np.mean(signs[0]) + k * np.mean(signs[1])
        w, c = w - 0.1 * DISCRIMINATOR_RATE * to_w, c - 0.1 * DISCRIMINATOR_RATE * to_c
        latents = numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
        fake = a * latents + b
        real_loss, fake_loss = (np.mean(np.abs(v - w * v - c)) for v in (real, fake))
        to_fake = np.sign(fake - w * fake - c) * (1 - w)
        a, b = (
            a - 0.1 * GENERATOR_RATE * np.mean(to_fake * latents),
            b - 0.1 * GENERATOR_RATE * np.mean(to_fake),
        )
        k = np.clip(k + rate * (gamma * real_loss - fake_loss), 0, 1)
        seen.append(k)
        model.reset_metrics()
        logs = model.train_on_batch(real[:, None].astype("float32"), return_dict=True)
        assert logs == pytest.approx({**expected, "g_loss": fake_loss}, rel=1e-5, abs=1e-6)
        np.testing.assert_allclose(weights_of(model), [a, b, w, c], rtol=1e-5)
        assert float(model.k) == pytest.approx(k, rel=1e-5, abs=1e-7)
    assert seen[1] > 0.01  # The weight has counted in a later step.


@pytest.mark.parametrize(("start", "scale", "expected"), [(0.0, 100.0, 0.0), (1.0, 0.0, 1.0), (0.5, 0.0, 0.6)])
def test_k_stays_between_0_and_1(start, scale, expected):
    """D = 0, real samples 1: L(x) = 1. Generated samples of size `scale`: L(G(z)) is that large."""
    generator, discriminator = scalar_generator(), scalar_discriminator()
    generator.set_weights([np.zeros((1, 1)), np.array([scale])])
    discriminator.set_weights([np.zeros((1, 1)), np.zeros(1)])
    model = ganzoo.BEGAN(generator, discriminator, gamma=0.5, balance_rate=0.2)
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    model.k.assign(start)
    model.train_on_batch(np.ones((4, 1), "float32"))
    assert float(model.k) == pytest.approx(expected, abs=1e-6)


def test_replicas_share_one_k():
    """Each replica sees other samples; k follows the mean of both, also where it is clipped."""
    with two_replicas().scope():
        generator, discriminator = scalar_generator(), scalar_discriminator()
        generator.set_weights([np.zeros((1, 1)), np.zeros(1)])
        discriminator.set_weights([np.zeros((1, 1)), np.zeros(1)])
        model = ganzoo.BEGAN(generator, discriminator, gamma=1.0, balance_rate=1.0)
        model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    samples = np.array([[0.2], [0.2], [1.4], [1.4]], "float32")  # One alone would clip at 1.
    model.fit(tf.data.Dataset.from_tensors(samples), verbose=0)
    copies = [float(value) for value in two_replicas().experimental_local_results(model.k.value)]
    assert copies == pytest.approx([0.8, 0.8], rel=1e-6)


def test_k_is_saved(tmp_path):
    model = make()
    model.k.assign(0.25)
    model.save(tmp_path / "model.keras")
    assert float(keras.saving.load_model(tmp_path / "model.keras").k) == 0.25


def images(count):
    return np.random.default_rng(0).uniform(-1, 1, (count, 9, 6, 1)).astype("float32")


def test_evaluation_leaves_k():
    model = make()
    model.k.assign(0.25)
    logs = model.evaluate(images(4), verbose=0, return_dict=True)
    assert float(model.k) == logs["k"] == 0.25


def test_packs_are_reconstructed_as_packs():
    """A discriminator that gives 0: its loss for k = 0 is the mean of |x| over all pixels, packed or not."""
    model = make(packing=2)
    assert model.discriminator.input_shape == model.discriminator.output_shape == (None, 9, 6, 2)
    for weight in model.discriminator.get_layer("to_image").weights:
        weight.assign(np.zeros(weight.shape))
    logs = model.evaluate(images(4), verbose=0, return_dict=True)
    assert logs["d_loss"] == pytest.approx(np.abs(images(4)).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gamma": 0.0}, r"`gamma` must be a finite number above 0 and of at most 1. Received: gamma=0.0"),
        ({"gamma": 1.5}, "gamma=1.5"),
        ({"balance_rate": -1.0}, "`balance_rate` must be a finite number of at least 0. Received: balance_rate=-1.0"),
        ({"augmentation": ganzoo.augmentation.DiffAugment()}, "an augmentation changes what is reconstructed"),
        ({"repetitions": 0}, "`repetitions` must be an integer of at least 1"),
    ],
)
def test_settings_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)


def test_networks_refused():
    generator, critic = autoencoder.generator((8, 8, 1), filters=2), mlp.discriminator((8, 8, 1), hidden=(2,))
    with pytest.raises(ValueError, match=r"is an autoencoder.* mlp_discriminator from \(8, 8, 1\) to \(1,\)"):
        ganzoo.BEGAN(generator, critic)
    with pytest.raises(
        ValueError, match=r"\(height, width, channels\) of positive integers. Received: image_shape=\(2,\)"
    ):
        ganzoo.BEGAN.from_paper((2,))


def test_m_is_that_of_the_whole_batch():
    """Balances of opposite signs on two replicas: the mean of |b| is not |mean of b|."""
    histories = []
    for scope in (contextlib.nullcontext(), two_replicas().scope()):
        with scope:
            model = make(run_eagerly=True)
        images = np.repeat(np.array([0.0, 0.9], "float32"), 2)[:, None, None, None] * np.ones((1, *model.image_shape))
        data = tf.data.Dataset.from_tensors(images.astype("float32"))  # The first replica gets the zeros.
        histories.append(model.fit(data, verbose=0).history["M"][0])
    assert histories[1] == pytest.approx(histories[0], rel=1e-5)
