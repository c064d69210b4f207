import math

import keras
import numpy as np
import pytest

from ganzoo.networks import stylegan2
from tests.networks.r3gan_test import normal, parameters


@pytest.mark.parametrize(
    ("image_shape", "settings", "of_generator", "of_discriminator"),
    [
        ((32, 32, 3), {"mapping_layers": 2, "residual": False}, 19_947_539, 20_720_641),
        ((32, 32, 3), {"mapping_layers": 2, "residual": False, "num_classes": 10}, 20_215_315, 23_089_664),
        ((64, 64, 3), {"mapping_layers": 2, "base": 16384}, 22_243_608, 23_407_361),
        ((1024, 1024, 3), {}, 30_370_060, 29_012_513),
        ((32, 32, 3), {"mapping_layers": 2, "base": 1024, "max_filters": 64, "latent_dim": 64}, 263_987, 288_993),
    ],
    ids=["cifar", "cifar, 10 classes", "auto, 64 pixels", "1024 pixels", "small"],
)
def test_the_papers_numbers_of_parameters(image_shape, settings, of_generator, of_discriminator):
    common = {name: settings[name] for name in ("base", "max_filters", "num_classes") if name in settings}
    own = {"mapping_layers": settings.get("mapping_layers", 8), "latent_dim": settings.get("latent_dim", 512)}
    assert parameters(stylegan2.generator, image_shape, **common, **own) == of_generator
    own = {"residual": settings.get("residual", True)}
    assert parameters(stylegan2.discriminator, image_shape, **common, **own) == of_discriminator


TINY = {"base": 32, "max_filters": 3}


def tiny(image_shape, **settings):
    keras.utils.set_random_seed(0)
    generator = stylegan2.generator(image_shape, latent_dim=4, mapping_layers=1, **TINY, **settings)
    return generator, stylegan2.discriminator(image_shape, label_layers=1, **TINY, **settings)


@pytest.mark.parametrize("image_shape", [(6, 4, 1), (14, 9, 1), (28, 20, 3)])
def test_any_size_of_image(image_shape):
    generator, discriminator = tiny(image_shape, num_classes=3, num_attributes=2)
    label, attributes = np.array([0, 2]), np.array([[0.0, 1.0], [1.0, 0.0]])
    images = keras.ops.convert_to_numpy(generator([normal(2, 4), label, attributes]))
    assert images.shape == (2, *image_shape) and np.abs(images).max() <= 1.0
    scores = keras.ops.convert_to_numpy(discriminator([images, label, attributes]))
    assert scores.shape == (2, 1)
    assert np.abs(scores - keras.ops.convert_to_numpy(discriminator([images, 2 - label, attributes]))).max() > 1e-6
    styles = generator.get_layer("synthesis").inputs[0]
    assert styles.shape[1:] == (2 * len(stylegan2.sides_of(image_shape)), 4)


def test_each_style_has_its_layers():
    """The last style scales the input channels of the last image; a style of a map leaves smaller maps alone."""
    generator, _ = tiny((8, 8, 1))
    synthesis = generator.get_layer("synthesis")
    styles, noise = normal(1, 4, 4), normal(1, synthesis.inputs[1].shape[1])
    constants = keras.Function(synthesis.inputs, [synthesis.get_layer(name).output for name in ("image_0", "images")])
    small, image = (keras.ops.convert_to_numpy(part) for part in constants([styles, noise]))
    for index in range(4):
        changed = styles.copy()
        changed[:, index] += 1.0
        other_small, other = (keras.ops.convert_to_numpy(part) for part in constants([changed, noise]))
        assert (np.abs(other_small - small).max() > 1e-4) == (index < 2)
        assert np.abs(other - image).max() > 1e-4


def test_the_mapping_is_blind_to_the_length_of_latents():
    generator, _ = tiny((8, 8, 1))
    latents = normal(2, 4)
    np.testing.assert_allclose(generator(3 * latents), generator(latents), rtol=1e-4, atol=1e-5)
    x = latents / np.sqrt(np.mean(latents**2, axis=1, keepdims=True))
    kernel, bias = (0.01 * weight.numpy() for weight in generator.get_layer("mapping").weights)
    y = x @ kernel / 2 + bias
    expected = math.sqrt(2) * np.where(y > 0, y, 0.2 * y)
    np.testing.assert_allclose(generator.get_layer("mapping")(latents), expected, rtol=1e-4, atol=1e-5)
