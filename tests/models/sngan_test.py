import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.layers import SpectralConv2D, SpectralDense
from tests.check_model import BATCH, check_labels, check_model, samples_like, tiny
from tests.scalar_networks import (
    DISCRIMINATOR_RATE,
    GENERATOR_RATE,
    compiled,
    numbers_of,
    scalar_discriminator,
    scalar_generator,
)

LOGS = {"d_loss", "g_loss", "real_score", "fake_score"}


def make(**overrides):
    return tiny(ganzoo.SNGAN, (16, 16, 1), **{"filters": 2, **overrides})


def make_conditional(**overrides):
    return make(num_classes=3, conditioning="projection", **overrides)


@check_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


@check_labels
def test_conditional_contract(check, tmp_path):
    check(make_conditional, LOGS, tmp_path)


def test_settings_of_the_paper():
    model = ganzoo.SNGAN.from_paper((16, 16, 1), filters=2)
    assert model.hinge and model.discriminator_steps == 1 and model.latent_dim == 128
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        settings = [float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2]
        np.testing.assert_allclose(settings, [1e-4, 0.5, 0.999], rtol=1e-6)
    linear = [layer for layer in model.discriminator.layers if hasattr(layer, "kernel")]
    assert [type(layer) for layer in linear] == [SpectralConv2D, SpectralConv2D, SpectralDense]
    residual = ganzoo.SNGAN.from_paper((16, 16, 1), networks=ganzoo.networks.resnet, filters=2)
    assert residual.discriminator.get_layer("sum").scale == 8 * 8
    assert residual.discriminator_steps == 5
    for optimizer in (residual.generator_optimizer, residual.discriminator_optimizer):
        settings = [float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2]
        np.testing.assert_allclose(settings, [2e-4, 0.0, 0.9], rtol=1e-6)


def test_settings_of_the_residual_networks_can_be_changed():
    residual = ganzoo.SNGAN.from_paper(
        (8, 8, 1),
        networks=ganzoo.networks.resnet,
        generator_filters=4,
        discriminator_filters=2,
        discriminator_steps=1,
        generator_optimizer="sgd",
    )
    assert residual.discriminator_steps == 1
    assert isinstance(residual.generator_optimizer, keras.optimizers.SGD)
    assert residual.discriminator_optimizer.beta_2 == 0.9
    assert residual.generator.get_layer("up_0_conv_0").filters == 4
    assert residual.discriminator.get_layer("down_0_conv_0").filters == 2


def test_residual_networks_are_as_wide_as_the_paper_s():
    residual = ganzoo.SNGAN.from_paper((8, 8, 1), networks=ganzoo.networks.resnet)
    assert residual.generator.get_layer("up_0_conv_0").filters == 256
    assert residual.discriminator.get_layer("down_0_conv_0").filters == 128


GENERATOR = np.array([[0.7, -0.4], [0.2, 0.5]])
OFFSET = np.array([-0.3, 0.1])
CRITIC = np.array([1.5, -2.0])
SHIFT = 0.2
REAL = np.array([[[1.0, 0.5], [-2.0, 1.0], [0.5, -3.0]], [[0.3, 0.9], [2.5, 0.1], [-1.0, -1.5]]])


def plane_networks():
    """g(z) = A^T z + b and d(x) = w^T x / ||w|| + c: one output, so that one power iteration is exact."""
    latents, image = keras.Input((2,), name="latents"), keras.Input((2,), name="image")
    generator = keras.Model(latents, keras.layers.Dense(2)(latents))
    discriminator = keras.Model(image, SpectralDense(1)(image))
    generator.set_weights([GENERATOR, OFFSET])
    discriminator.set_weights([CRITIC[:, None], np.array([SHIFT]), np.array([0.3])])
    return generator, discriminator


def test_one_update_by_hand():
    """Two discriminator steps on a minibatch each. The gradient of n = w / ||w|| in w is (I - n n^T) / ||w||."""
    model = compiled(ganzoo.SNGAN(*plane_networks(), discriminator_steps=2, seed=5))
    numbers = numbers_of(model)
    w, c = CRITIC.copy(), SHIFT
    losses, real_scores = [], []
    for real in REAL:
        fake = numbers.normal((3, 2)).numpy().astype("float64") @ GENERATOR + OFFSET
        norm = np.linalg.norm(w)
        unit = w / norm
        on_real, on_fake = real @ unit + c, fake @ unit + c
        losses.append(np.maximum(0, 1 - on_real).mean() + np.maximum(0, 1 + on_fake).mean())
        real_scores.append(on_real.mean())
        real_slope, fake_slope = -(on_real < 1).astype(float), (on_fake > -1).astype(float)
        assert 0 < abs(real_slope).sum() < 3 or 0 < fake_slope.sum() < 3  # Some score lies beyond the margin.
        gradient = (real_slope @ real + fake_slope @ fake) / 3
        w = w - DISCRIMINATOR_RATE * (gradient - unit * (unit @ gradient)) / norm
        c = c - DISCRIMINATOR_RATE * (real_slope.mean() + fake_slope.mean())
    latents = numbers.normal((3, 2)).numpy().astype("float64")
    unit = w / np.linalg.norm(w)
    generator_loss = -np.mean((latents @ GENERATOR + OFFSET) @ unit + c)
    generator = GENERATOR + GENERATOR_RATE * np.outer(latents.mean(0), unit)
    offset = OFFSET + GENERATOR_RATE * unit

    logs = model.train_on_batch(REAL.reshape(6, 2).astype("float32"), return_dict=True)
    kernel, bias, _ = model.discriminator.get_weights()
    np.testing.assert_allclose([*kernel[:, 0], *bias], [*w, c], rtol=1e-5)
    np.testing.assert_allclose(model.generator.get_weights()[0], generator, rtol=1e-5)
    np.testing.assert_allclose(model.generator.get_weights()[1], offset, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(logs["d_loss"], np.mean(losses), rtol=1e-5)
    np.testing.assert_allclose(logs["real_score"], np.mean(real_scores), rtol=1e-5)
    np.testing.assert_allclose(logs["g_loss"], generator_loss, rtol=1e-5)


def test_without_the_hinge_it_is_a_gan():
    logs = []
    for model in (
        ganzoo.SNGAN(*plane_networks(), hinge=False, seed=5),
        ganzoo.GAN(*plane_networks(), seed=5),
    ):
        logs.append(compiled(model).train_on_batch(REAL[0].astype("float32"), return_dict=True))
    assert logs[0] == logs[1] and "real_probability" in logs[0]


def test_a_discriminator_that_knows_nothing_has_the_loss_2():
    model = compiled(ganzoo.SNGAN(scalar_generator(), scalar_discriminator()))
    model.discriminator.set_weights([np.zeros((1, 1)), np.zeros(1)])
    logs = model.test_on_batch(np.ones((4, 1), "float32"), return_dict=True)
    assert logs["d_loss"] == pytest.approx(2.0) and logs["g_loss"] == pytest.approx(0.0)


def test_penalties_are_added_to_the_hinge_loss():
    """R1 of d(x) = w x + c is w^2: 1.5^2."""
    plain, penalized = (
        compiled(ganzoo.SNGAN(scalar_generator(), scalar_discriminator(), seed=5, r1_weight=weight))
        for weight in (0.0, 3.0)
    )
    batch = np.array([[0.5], [-1.0]], "float32")
    without, with_penalty = (model.train_on_batch(batch, return_dict=True) for model in (plain, penalized))
    assert with_penalty["r1"] == pytest.approx(1.5**2)
    assert with_penalty["d_loss"] == pytest.approx(without["d_loss"] + 3.0 / 2 * 1.5**2)


def test_u_moves_in_the_discriminators_update_alone():
    model = make(run_eagerly=True)
    images = tf.constant(samples_like(model, BATCH)[0])
    layers = [layer for layer in model.discriminator.layers if hasattr(layer, "left_vector")]
    assert len(layers) == 3
    wide = layers[:2]  # The score has one output, and its u is 1 or -1.
    model.update_discriminator(images)
    before = [layer.left_vector.numpy() for layer in wide]
    model.update_discriminator(images)
    after = [layer.left_vector.numpy() for layer in wide]
    assert all((a != b).any() for a, b in zip(before, after))
    weights = model.discriminator.get_weights()
    model.update_generator(images)
    for ours, theirs in zip(weights, model.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_discriminator_is_lipschitz_however_large_its_weights():
    """A thousandfold kernel is the same function."""
    model = make()
    images = samples_like(model, 3)[0]
    for _ in range(30):
        model.discriminator(images, training=True)
    scores = np.array(model.discriminator(images))
    for layer in model.discriminator.layers:
        if hasattr(layer, "left_vector"):
            layer.kernel.assign(1000.0 * layer.kernel)
    np.testing.assert_allclose(model.discriminator(images), scores, rtol=1e-4, atol=1e-6)


def test_minimax_needs_the_cross_entropy():
    with pytest.raises(ValueError, match="hinge loss has none.*Pass hinge=False"):
        ganzoo.SNGAN(scalar_generator(), scalar_discriminator(), minimax=True)
    assert ganzoo.SNGAN(scalar_generator(), scalar_discriminator(), minimax=True, hinge=False).minimax


def test_round_trip():
    model = ganzoo.SNGAN.from_config(make(hinge=False).get_config())
    assert isinstance(model, ganzoo.SNGAN) and model.hinge is False
