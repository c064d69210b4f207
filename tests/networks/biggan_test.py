import keras
import numpy as np
import pytest

from ganzoo.layers import ORTHOGONAL_KERNELS, ModulatedBatchNormalization, SelfAttention, SpectralConv2D, SpectralDense
from ganzoo.networks import biggan
from ganzoo.penalties import orthogonal_penalty


def count(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)


@pytest.mark.parametrize(("filters", "of_generator", "of_discriminator"), [(64, 4_304_387, 4_207_361)])
def test_parameters_on_cifar_10(filters, of_generator, of_discriminator):
    """As many as in the authors' code."""
    shape = (32, 32, 3)
    assert count(biggan.generator(shape, filters=filters, num_classes=10)) == of_generator
    assert count(biggan.discriminator(shape, filters=filters, num_classes=10)) == of_discriminator


def numbers_of_cifar_10(ch):
    """The sums of the layers: 3x3 and 1x1 convolutions with biases, tables of 10 classes."""
    c = 4 * ch
    same, narrow = 9 * c * c + c, c * c + c
    generator = 128 * 16 * c + 16 * c + 3 * (2 * same + narrow + 4 * 10 * c) + 2 * c + 27 * c + 3
    first = 27 * c + c + same + 3 * c + c
    return generator, first + 2 * same + narrow + 2 * 2 * same + c + 1 + 10 * c


def test_the_sums_of_the_layers():
    assert numbers_of_cifar_10(64) == (4_304_387, 4_207_361)
    assert numbers_of_cifar_10(96) == (9_258_243, 9_456_769)
    networks = [build((32, 32, 3), filters=2, num_classes=10) for build in (biggan.generator, biggan.discriminator)]
    assert tuple(map(count, networks)) == numbers_of_cifar_10(2)


def test_what_is_normalized():
    generator = biggan.generator((16, 16, 1), filters=1, num_classes=3)
    discriminator = biggan.discriminator((16, 16, 1), filters=1, num_classes=3)
    for network in (generator, discriminator):
        kinds = {type(layer) for layer in network.layers if hasattr(layer, "kernel")}
        assert kinds == {SpectralConv2D, SpectralDense}
    tables = [layer for layer in generator.layers if isinstance(layer, ModulatedBatchNormalization)]
    assert len(tables) == 4 and all(layer.gain.kernel.shape == (3, 4) for layer in tables)
    assert not any(isinstance(layer.gain, SpectralDense) for layer in tables)


def test_shared_embedding_and_split_latents():
    """16 pixels are two blocks, so the latents have three parts; gains are linear in the embedding and a part."""
    settings = {"latent_dim": 6, "filters": 1, "num_classes": 3, "shared_dim": 5, "split_latents": True}
    generator = biggan.generator((16, 16, 1), **settings)
    assert generator.get_layer("shared_embedding").kernel.shape == (3, 5)
    assert generator.get_layer("project").kernel.shape[0] == 2
    gain = generator.get_layer("up_1_0_batch_norm").gain
    assert isinstance(gain, SpectralDense) and gain.kernel.shape == (5 + 2, 4)
    # The last part reaches the last block alone: its first convolution sees what it changes, the first block does not.
    latents, label = np.ones((1, 6), "float32"), np.zeros(1, "int64")
    blocks = keras.Model(generator.inputs, [generator.get_layer(f"up_{index}_sum").output for index in (0, 1)])
    before, after = (blocks([part, label]) for part in (latents, latents * [1, 1, 1, 1, 2, 2]))
    np.testing.assert_array_equal(before[0], after[0])
    assert not np.allclose(before[1], after[1])


def test_split_latents_without_classes():
    generator = biggan.generator((16, 16, 1), latent_dim=6, filters=1, split_latents=True)
    assert generator.get_layer("up_0_0_batch_norm").gain.kernel.shape == (2, 4)
    plain = biggan.generator((16, 16, 1), latent_dim=6, filters=1)
    assert isinstance(plain.get_layer("up_0_0_batch_norm"), keras.layers.BatchNormalization)


def test_attention_stands_after_its_block():
    generator = biggan.generator((32, 32, 1), filters=2, attention=2)
    discriminator = biggan.discriminator((32, 32, 1), filters=2, attention=1)
    for network in (generator, discriminator):
        (layer,) = (layer for layer in network.layers if isinstance(layer, SelfAttention))
        assert layer.output.shape[1:3] == (16, 16)


@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 12, 3), (30, 17, 2)])
def test_any_size(shape):
    generator = biggan.generator(shape, latent_dim=3, filters=1, num_classes=2)
    discriminator = biggan.discriminator(shape, filters=1, num_classes=2)
    label = np.array([0, 1])
    images = np.array(generator([np.zeros((2, 3), "float32"), label]))
    assert images.shape == (2, *shape) and np.abs(images).max() <= 1
    assert discriminator([images, label]).shape == (2, 1)


def test_widths_of_larger_images():
    generator = biggan.generator((128, 128, 3), latent_dim=6, filters=1)
    discriminator = biggan.discriminator((128, 128, 3), filters=1)
    assert [generator.get_layer(f"up_{index}_conv_0").filters for index in range(5)] == [16, 8, 4, 2, 1]
    assert generator.get_layer("reshape").target_shape == (4, 4, 16)
    assert [discriminator.get_layer(f"down_{index}_conv_0").filters for index in range(6)] == [1, 2, 4, 8, 16, 16]
    assert discriminator.get_layer("down_5_sum").output.shape[1:3] == (4, 4)


def test_the_score_sums_over_places_and_projects_the_label():
    """With kernels of 0 but in the projection, the score is <V y, phi>, phi the sum of the last rectified map."""
    network = biggan.discriminator((8, 8, 1), filters=1, num_classes=2, normalization=None)
    image = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 1)).astype("float32")
    label = np.array([0, 1])
    network.get_layer("score").kernel.assign(np.zeros((4, 1)))
    last = keras.Model(network.inputs, network.get_layer("last_relu").output)([image, label])
    rows = np.array(network.get_layer("projection").kernel)[label]
    expected = np.sum(rows * np.sum(last, axis=(1, 2)), axis=1, keepdims=True)
    np.testing.assert_allclose(network([image, label]), expected, rtol=1e-4, atol=1e-6)


def test_orthogonal_kernels_have_no_penalty():
    keras.utils.set_random_seed(0)
    network = biggan.discriminator((8, 8, 1), filters=1, kernel_initializer=ORTHOGONAL_KERNELS)
    kernels = [layer.kernel for layer in network.layers if hasattr(layer, "kernel")]
    wide = [kernel for kernel in kernels if np.prod(kernel.shape[:-1]) >= kernel.shape[-1]]
    assert len(wide) >= 8
    np.testing.assert_allclose(orthogonal_penalty(wide), 0.0, atol=1e-8)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latent_dim": 7, "split_latents": True}, "latent_dim=7. Take a multiple of 3"),
        ({"attention": 3}, "attention"),
        ({"normalization": "batch"}, "normalization"),
        ({"image_shape": (4, 4, 1)}, "8x8 pixels or more"),
        ({"num_classes": 3, "shared_dim": 0}, "shared_dim"),
    ],
)
def test_refusals(settings, message):
    with pytest.raises(ValueError, match=message):
        biggan.generator(**{"image_shape": (16, 16, 1), "filters": 1, **settings})


def test_images_of_a_thousand_pixels_are_refused():
    with pytest.raises(ValueError, match="up to 1023 pixels"):
        biggan.depth_of((1024, 1024, 3))
