import keras
import numpy as np
import pytest

import ganzoo
from ganzoo.latent import TruncatedNumbers, standing_statistics
from tests.check_model import tiny


def model_with(layer, **settings):
    """G(z) = BN(z), and a discriminator that does not matter."""
    latents, image = keras.Input((2,), name="latents"), keras.Input((2,), name="image")
    generator = keras.Model(latents, layer(latents))
    return ganzoo.GAN(generator, keras.Model(image, keras.layers.Dense(1)(image)), **settings)


def test_the_statistics_are_those_of_the_latents():
    """Of N(0, 1) given |x| <= 1: variance 0.29113. The mean of the batches' variances lacks a 64th."""
    model = model_with(keras.layers.BatchNormalization())
    assert standing_statistics(model, truncation=1.0, batches=50) == 1
    layer = model.generator.layers[1]
    latents = np.array(model.prior(TruncatedNumbers(0, 1.0), 50 * 64)).reshape(50, 64, 2)
    np.testing.assert_allclose(layer.moving_mean, latents.mean(axis=(0, 1)), atol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, latents.var(axis=1).mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, 0.29113 * 63 / 64, rtol=0.05)
    standing_statistics(model, batches=50)
    np.testing.assert_allclose(layer.moving_variance, 63 / 64, rtol=0.05)


def test_statistics_of_an_average():
    """Its layers are frozen, and are measured nevertheless."""
    model = model_with(keras.layers.BatchNormalization(), ema_decay=0.9)
    standing_statistics(model, truncation=1.0, batches=50)
    np.testing.assert_allclose(model.ema_generator.layers[1].moving_variance, 0.29113 * 63 / 64, rtol=0.05)
    np.testing.assert_array_equal(model.generator.layers[1].moving_variance, np.ones(2))


def test_only_statistics_of_the_network_that_generates_change():
    model = tiny(ganzoo.BigGAN, (8, 8, 1), num_classes=3, filters=1, ema_decay=0.9)
    before = {weight.path: weight.numpy() for weight in model.weights}
    momenta = [layer.momentum for layer in model.ema_generator._flatten_layers() if hasattr(layer, "momentum")]
    standing_statistics(model, truncation=0.5, batches=2, batch_size=8)
    changed = {weight.path for weight in model.weights if not np.array_equal(before[weight.path], weight)}
    moving = {weight.path for weight in model.ema_generator.weights if "moving" in weight.path}
    assert changed == moving
    assert changed <= {weight.path for weight in model.ema_generator.weights}
    assert momenta == [layer.momentum for layer in model.ema_generator._flatten_layers() if hasattr(layer, "momentum")]
    assert np.isfinite(model.generate(3, condition=[0, 1, 2])).all()


def test_refusals():
    with pytest.raises(ValueError, match="has no batch normalization"):
        standing_statistics(model_with(keras.layers.Dense(2)))
    model = model_with(keras.layers.BatchNormalization())
    with pytest.raises(ValueError, match="threshold"):
        standing_statistics(model, truncation=0.0)
    with pytest.raises(ValueError, match="batches"):
        standing_statistics(model, batches=0)
