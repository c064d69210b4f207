import math

import keras
import numpy as np
import pytest

from ganzoo.networks import r3gan


def parameters(build, image_shape, **settings):
    """The number of trainable parameters, without the memory for them."""
    with keras.StatelessScope(initialize_variables=False):
        return sum(math.prod(variable.shape) for variable in build(image_shape, **settings).trainable_variables)


@pytest.mark.parametrize(
    ("image_shape", "settings", "of_generator", "of_discriminator"),
    [
        ((32, 32, 3), {"num_classes": 10}, 20_781_952, 21_280_512),
        ((64, 64, 3), {"filters": (384, 768, 768, 768, 768)}, 22_429_824, 22_381_440),
        ((32, 32, 3), {"filters": 1536, "cardinality": 96, "num_classes": 1000}, 82_914_304, 86_548_992),
        ((32, 32, 3), {"filters": 64, "blocks": 1}, 145_600, 141_568),
        ((32, 32, 3), {"filters": 48, "blocks": 1}, 96_912, 93_888),
    ],
    ids=["CIFAR-10", "FFHQ-64", "ImageNet-32", "small", "smaller"],
)
def test_the_papers_numbers_of_parameters(image_shape, settings, of_generator, of_discriminator):
    assert parameters(r3gan.generator, image_shape, **settings) == of_generator
    assert parameters(r3gan.discriminator, image_shape, **settings) == of_discriminator


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_a_block_starts_as_the_identity():
    """Until its last convolution has moved, and with the scale of L blocks before it."""
    keras.utils.set_random_seed(0)
    stage = r3gan.stages_of((4, 4, 3), 32, 4, None, 2)[0]
    x = keras.Input((4, 4, 32))
    network = keras.Model(x, r3gan.residual_blocks(x, stage, "map"))
    images = normal(2, 4, 4, 32)
    np.testing.assert_array_equal(network(images), images)
    contract = network.get_layer("map_block_2_contract")
    contract.kernel.assign(normal(*contract.kernel.shape))
    assert np.abs(network(images) - images).max() > 0.1
    variance = 2 / 1.04 / math.sqrt(4)  # He et al., times L^(-1/4) squared.
    assert np.var(network.get_layer("map_block_0_expand").kernel) * 32 == pytest.approx(variance, rel=0.1)
    assert np.var(network.get_layer("map_block_0_grouped").kernel) * 9 * 16 == pytest.approx(variance, rel=0.1)
    assert network.get_layer("map_block_0_grouped").groups == 4


def test_whole_networks_start_linear():
    """All blocks are the identity, so images are linear in the latents, and scores in the image."""
    keras.utils.set_random_seed(0)
    generator, discriminator = (
        build((16, 12, 3), filters=4, blocks=1) for build in (r3gan.generator, r3gan.discriminator)
    )
    for network, x in ((generator, 0.01 * normal(2, 64)), (discriminator, normal(2, 16, 12, 3))):
        y = keras.ops.convert_to_numpy(network(x))
        assert np.abs(y).max() > 1e-4
        both = keras.ops.convert_to_numpy(network(x[:1] + 2 * x[1:]))
        np.testing.assert_allclose(both, y[:1] + 2 * y[1:], rtol=1e-3, atol=1e-5)


def test_vectors_of_classes_start_as_the_authors_start_them():
    """Variance 1 / K for K classes, and in the discriminator 1 / (K size), so that a score does not grow with size."""
    keras.utils.set_random_seed(0)
    settings = {"filters": 16, "blocks": 1, "num_classes": 50}
    generator = r3gan.generator((8, 8, 1), embedding_dim=64, **settings)
    assert np.var(generator.get_layer("embedding").kernel) * 50 == pytest.approx(1.0, rel=0.1)
    discriminator = r3gan.discriminator((8, 8, 1), **settings)
    vectors = discriminator.get_layer("embedding").kernel
    assert vectors.shape == (50, 16) and np.var(vectors) * 50 * 16 == pytest.approx(1.0, rel=0.2)
    images, labels = normal(3, 8, 8, 1), np.array([0, 7, 49])
    features = keras.Model(discriminator.inputs, discriminator.get_layer("features").output)([images, labels])
    expected = np.sum(features * keras.ops.take(vectors, labels, axis=0), axis=1)  # No further factor.
    np.testing.assert_allclose(discriminator([images, labels])[:, 0], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("image_shape", [(6, 4, 1), (28, 28, 1), (30, 45, 3)])
def test_any_size_of_image(image_shape):
    settings = {"filters": 2, "blocks": 1, "num_classes": 3, "num_attributes": 2}
    label, attributes = np.array([0, 2]), np.array([[0.0, 1.0], [1.0, 0.0]])
    generator, discriminator = (build(image_shape, **settings) for build in (r3gan.generator, r3gan.discriminator))
    images = keras.ops.convert_to_numpy(generator([5 * normal(2, 64), label, attributes]))
    assert images.shape == (2, *image_shape) and np.abs(images).max() <= 1.0
    scores = keras.ops.convert_to_numpy(discriminator([images, label, attributes]))
    assert scores.shape == (2, 1)
    other = keras.ops.convert_to_numpy(discriminator([images, 2 - label, attributes]))
    assert np.abs(scores - other).max() > 1e-6
    stages = r3gan.stages_of(image_shape, 2, 1, None, 2)
    assert len(stages) == {4: 1, 28: 3, 30: 3}[min(image_shape[:2])]


def test_wrong_settings():
    with pytest.raises(ValueError, match="cardinality.*must divide"):
        r3gan.generator((8, 8, 1), filters=4, cardinality=3)
    with pytest.raises(ValueError, match="filters"):
        r3gan.generator((8, 8, 1), filters=(4, 8, 16))
