import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.divergences import gaussian_energy_distance
from tests.check_model import check_labels, check_model, tiny
from tests.scalar_networks import DISCRIMINATOR_RATE, GENERATOR_RATE, A, B, compiled, numbers_of, scalar_generator

LOGS = {"d_loss", "g_loss", "surrogate", "gradient_penalty"}


def make(**overrides):
    settings = {"hidden": (4,), "score_dim": 3, "discriminator_steps": 2, "batch_normalization": True}
    return tiny(ganzoo.CramerGAN, (2,), **{**settings, **overrides})


def make_conditional(**overrides):
    return make(num_classes=3, **overrides)


@check_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


@check_labels
def test_conditional_contract(check, tmp_path):
    check(make_conditional, LOGS, tmp_path)


def test_settings_of_the_paper():
    model = ganzoo.CramerGAN.from_paper((16, 16, 1), filters=2)
    assert (model.gradient_penalty_weight, model.discriminator_steps) == (10.0, 5)
    assert model.discriminator.output_shape == (None, 256)


def plane_critic(weights):
    """h(x) = (w_1 x, w_2 x): the norm of a difference is ||w|| |x - y|."""
    image = keras.Input((1,), name="image")
    model = keras.Model(image, keras.layers.Dense(len(weights), use_bias=False)(image))
    model.set_weights([np.array([weights])])
    return model


def test_one_update_by_hand():
    """With s = ||w||: f(x) = s (|x - x'| - |x|), and the surrogate and the slope of f are linear in s."""
    weights = np.array([0.6, -0.8])
    model = compiled(ganzoo.CramerGAN(scalar_generator(), plane_critic(weights), discriminator_steps=1, seed=5))
    real = np.array([1.0, 0.4, -0.7])
    numbers = numbers_of(model)
    a, b = A, B

    def samples():
        latents = numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
        return latents, a * latents + b

    (_, fake), (_, other) = samples(), samples()
    epsilon = numbers.uniform((3, 1)).numpy()[:, 0].astype("float64")
    between = epsilon * real + (1 - epsilon) * fake
    surrogate = np.mean(np.abs(real - other) - np.abs(real)) - np.mean(np.abs(fake - other) - np.abs(fake))
    slopes = np.abs(np.sign(between - other) - np.sign(between))  # 0 or 2, times s = 1
    loss = -surrogate + 10 * np.mean((slopes - 1) ** 2)
    s = 1 - DISCRIMINATOR_RATE * (-surrogate + 10 * np.mean(2 * (slopes - 1) * slopes))
    assert set(slopes) == {0.0, 2.0} and s > 0
    # The gradient in w is that in s, along w.
    latents, fake = samples()
    other_latents, other = samples()
    slope = s * (np.sign(fake - real) - np.sign(fake - other))
    other_slope = s * (np.sign(other - real) + np.sign(fake - other))
    generator_loss = s * np.mean(np.abs(real - fake) + np.abs(real - other) - np.abs(fake - other))
    a -= GENERATOR_RATE * np.mean(slope * latents + other_slope * other_latents)
    b -= GENERATOR_RATE * np.mean(slope + other_slope)

    logs = model.train_on_batch(real[:, None].astype("float32"), return_dict=True)
    np.testing.assert_allclose(model.discriminator.get_weights()[0][0], s * weights, rtol=1e-3)
    np.testing.assert_allclose([float(w.squeeze()) for w in model.generator.get_weights()], [a, b], rtol=1e-3)
    for name, value in (("surrogate", surrogate), ("d_loss", loss), ("g_loss", generator_loss)):
        assert logs[name] == pytest.approx(value, rel=1e-3), name


@pytest.mark.parametrize("shift", [1.0, 2.0])
def test_the_generator_descends_the_energy_distance(shift):
    """h(x) = x, real samples from N(0, 1) and generated ones from N(shift, 1): E[L_G] = E(X, Y) + E|X - X'|."""
    generator = scalar_generator()
    generator.set_weights([np.ones((1, 1)), np.array([shift])])
    model = ganzoo.CramerGAN(generator, plane_critic([1.0]), seed=0)
    real = np.random.default_rng(0).normal(size=(200_000, 1)).astype("float32")
    with model.numbers_of_evaluation():
        critic = model.critic(None, training=False)
        update = model.new_update(critic, tf.constant(real), None, training=False)
        loss = model.generator_loss(critic, update.real, update.fake)
    # The standard error is 0.003.
    expected = gaussian_energy_distance(0.0, 1.0, shift, 1.0) + 2 / np.sqrt(np.pi)
    assert float(loss) == pytest.approx(expected, abs=0.02)


def test_equal_distributions_have_no_gradient_in_the_mean():
    """The energy distance is at its minimum there, however the copies fall: an unbiased gradient."""
    generator = scalar_generator()
    generator.set_weights([np.ones((1, 1)), np.zeros(1)])
    model = ganzoo.CramerGAN(generator, plane_critic([1.0]), seed=0)
    real = tf.constant(np.random.default_rng(0).normal(size=(50_000, 1)), "float32")
    critic = model.critic(None, training=False)
    with tf.GradientTape() as tape:
        fake = model.decode(model.latents(50_000), None, training=False)
        loss = model.generator_loss(critic, real, fake)
    # Each of the 50,000 terms lies in [-4, 4].
    assert float(tape.gradient(loss, generator.trainable_variables[1].value)[0]) == pytest.approx(0, abs=0.05)


def test_batch_normalization_is_refused():
    with pytest.raises(ValueError, match="batch normalization"):
        ganzoo.CramerGAN.from_paper((16, 16, 1), filters=2, normalization="batch")


def test_a_projection_of_features_is_refused():
    with pytest.raises(ValueError, match='Take conditioning="concatenate"'):
        ganzoo.CramerGAN.from_paper((2,), num_classes=3, hidden=(4,), conditioning="projection")
