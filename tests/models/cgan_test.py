import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.layers import OneHot
from tests.check_model import check_labels, check_model, samples_like, tiny
from tests.scalar_networks import DISCRIMINATOR_RATE, GENERATOR_RATE, compiled, numbers_of, sigmoid

LOGS = {"d_loss", "g_loss", "real_probability", "fake_probability"}


def make(**overrides):
    sizes = {"hidden": (6, 5, 8), "units": ((5, 2), (3, 2), (6, 3))}
    return tiny(ganzoo.CGAN, (6, 4, 1), **{"num_classes": 3, **sizes, **overrides})


def make_dcgan(**overrides):
    return tiny(
        ganzoo.CGAN,
        (16, 16, 1),
        **{"num_classes": 3, "networks": ganzoo.networks.dcgan, "filters": 2, **overrides},
    )


@check_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


@check_labels
def test_conditional_contract(check, tmp_path):
    check(make_dcgan, LOGS, tmp_path)


def test_settings_of_the_paper():
    model = ganzoo.CGAN.from_paper((28, 28, 1), 10)
    assert (model.generator.name, model.discriminator.name) == ("maxout_generator", "maxout_discriminator")
    assert (model.num_classes, model.latent_dim, model.discriminator_steps) == (10, 100, 1)
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        np.testing.assert_allclose([float(optimizer.learning_rate), optimizer.beta_1], [2e-4, 0.5], rtol=1e-6)


# g(z, y) = a z + b_y and d(x, y) = w x + c_y
SLOPE, OFFSETS = 0.7, np.array([-0.3, 0.8])
WEIGHT, SHIFTS = 1.5, np.array([0.2, -0.4])


def line_networks():
    networks = []
    for name, size, values in (("latents", SLOPE, OFFSETS), ("image", WEIGHT, SHIFTS)):
        x, label = keras.Input((1,), name=name), keras.Input((), dtype="int64", name="label")
        joined = keras.layers.Concatenate()([x, OneHot(2)(label)])
        network = keras.Model([x, label], keras.layers.Dense(1, use_bias=False)(joined))
        network.set_weights([np.array([[size], *values[:, None]])])
        networks.append(network)
    return networks


def test_one_update_by_hand():
    """d/ds -log p = p - 1 and d/ds -log(1 - p) = p; an offset of a class gets the gradient of its samples only."""
    model = compiled(ganzoo.CGAN(*line_networks(), num_classes=2, seed=5))
    real, labels = np.array([1.0, -2.0, 0.5, 2.5]), np.array([1, 0, 1, 1])
    one_hot = np.eye(2)[labels]
    numbers = numbers_of(model)
    fake = SLOPE * numbers.normal((4, 1)).numpy()[:, 0].astype("float64") + OFFSETS[labels]
    real_error = sigmoid(WEIGHT * real + SHIFTS[labels]) - 1
    fake_error = sigmoid(WEIGHT * fake + SHIFTS[labels])
    w = WEIGHT - DISCRIMINATOR_RATE * np.mean(real_error * real + fake_error * fake)
    shifts = SHIFTS - DISCRIMINATOR_RATE * (real_error + fake_error) @ one_hot / 4
    latents = numbers.normal((4, 1)).numpy()[:, 0].astype("float64")
    error = sigmoid(w * (SLOPE * latents + OFFSETS[labels]) + shifts[labels]) - 1
    slope = SLOPE - GENERATOR_RATE * np.mean(error * w * latents)
    offsets = OFFSETS - GENERATOR_RATE * (error * w) @ one_hot / 4

    model.train_on_batch(real[:, None].astype("float32"), labels)
    np.testing.assert_allclose(model.generator.get_weights()[0][:, 0], [slope, *offsets], rtol=1e-5)
    np.testing.assert_allclose(model.discriminator.get_weights()[0][:, 0], [w, *shifts], rtol=1e-5)


@pytest.mark.parametrize("make", [make, make_dcgan])
def test_the_label_reaches_both_networks(make):
    model = make()
    images = tf.constant(np.repeat(samples_like(model, 1)[0], 3, axis=0))
    scores = np.array(model.critic(tf.constant([0, 1, 2], "int64"), training=False)(images))
    assert len(set(scores.ravel())) == 3
    # With the latents alike, only the label can tell samples apart.
    latents = tf.ones((3, 3))
    samples = np.array(model.decode(latents, tf.constant([0, 1, 2], "int64"), training=False))
    assert np.abs(samples[0] - samples[1]).max() > 1e-4 and np.abs(samples[1] - samples[2]).max() > 1e-4


def test_generates_the_asked_classes():
    model = make()
    samples = model.generate(10, condition=[0, 1, 2, 0, 1, 2, 0, 1, 2, 0], seed=3)
    for label in range(3):
        alike = model.generate(10, condition=label, seed=3)
        np.testing.assert_allclose(samples[label::3], alike[label::3], rtol=1e-5, atol=1e-6)
    assert ganzoo.CGAN.from_paper((4, 4, 1), 10).generate(10, condition=range(10)).shape == (10, 4, 4, 1)


CASES = [(ganzoo.WGANGP, family) for family in ("mlp", "dcgan", "resnet", "maxout")]
CASES += [(model, "dcgan") for model in (ganzoo.GAN, ganzoo.WGAN, ganzoo.LSGAN, ganzoo.SNGAN)]


@pytest.mark.parametrize("model, family", CASES)
def test_every_adversarial_model_becomes_conditional(model, family):
    overrides = {"filters": 2} if family in ("dcgan", "resnet") else {}
    gan = model.from_paper(
        (8, 8, 1),
        num_classes=3,
        networks=getattr(ganzoo.networks, family),
        discriminator_steps=1,
        run_eagerly=True,
        **overrides,
    )
    images, labels = samples_like(gan, 4)
    before = gan.discriminator.get_weights()
    logs = gan.train_on_batch(images, labels, return_dict=True)
    assert np.isfinite(list(logs.values())).all()
    assert any((a != b).any() for a, b in zip(before, gan.discriminator.get_weights()))
    assert gan.generate(3, condition=range(3)).shape == (3, 8, 8, 1)


def test_classes_are_needed():
    unconditional = ganzoo.GAN.from_paper((2,), hidden=(3,))
    with pytest.raises(ValueError, match="needs `num_classes`.*take ganzoo.GAN for samples without labels"):
        ganzoo.CGAN(unconditional.generator, unconditional.discriminator)
    with pytest.raises(ValueError, match="needs `num_classes`"):
        ganzoo.CGAN.from_paper((28, 28, 1), None)


def test_round_trip():
    model = ganzoo.CGAN.from_config(make(minimax=True).get_config())
    assert isinstance(model, ganzoo.CGAN) and model.minimax and model.num_classes == 3
