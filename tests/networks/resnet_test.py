import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import ConditionalBatchNormalization
from ganzoo.networks import resnet

SHAPES = [(28, 28, 1), (32, 32, 3), (48, 40, 3), (64, 64, 1), (8, 8, 3), (9, 13, 2)]


@pytest.mark.parametrize("shape", SHAPES)
def test_any_shape(shape):
    generator, discriminator = resnet.generator(shape, 5, filters=2), resnet.discriminator(shape, filters=2)
    assert generator.output_shape == (None, *shape)
    assert discriminator.input_shape == (None, *shape)
    images = generator(np.random.default_rng(0).normal(size=(2, 5)).astype("float32"))
    assert np.abs(images).max() <= 1
    assert discriminator(images).shape == (2, 1)


def maps(model, ending="_sum"):
    return [layer.output.shape[1:] for layer in model.layers if layer.name.endswith(ending)]


def test_the_networks_of_the_paper_for_cifar_10():
    generator, discriminator = resnet.generator((32, 32, 3)), resnet.discriminator((32, 32, 3))
    assert maps(generator) == [(8, 8, 128), (16, 16, 128), (32, 32, 128)]
    assert maps(discriminator) == [(16, 16, 128), (8, 8, 128), (8, 8, 128), (8, 8, 128)]
    # By hand: a 3x3 convolution of 128 channels, a 1x1 one, and batch normalization with its statistics.
    large, small, norm = 3 * 3 * 128 * 128 + 128, 128 * 128 + 128, 4 * 128
    up = norm + large + norm + large + small
    assert generator.count_params() == (128 + 1) * 4 * 4 * 128 + 3 * up + norm + (3 * 3 * 128 + 1) * 3
    first = (3 * 3 * 3 + 1) * 128 + large + (3 + 1) * 128
    assert discriminator.count_params() == first + (2 * large + small) + 2 * 2 * large + (128 + 1)
    norms = (keras.layers.BatchNormalization, keras.layers.GroupNormalization)
    assert not any(isinstance(layer, norms) for layer in discriminator.layers)


def test_the_networks_of_the_paper_for_64_pixels():
    """Here at a 16th of the filters: 512, 256, 128, 64."""
    generator = resnet.generator((64, 64, 3), filters=4, growth=2)
    discriminator = resnet.discriminator(
        (64, 64, 3), filters=4, growth=2, normalization="layer", down_blocks=4, same_blocks=0
    )
    assert generator.get_layer("reshape").output.shape[1:] == (4, 4, 32)
    assert maps(generator) == [(8, 8, 32), (16, 16, 16), (32, 32, 8), (64, 64, 4)]
    assert maps(discriminator) == [(32, 32, 4), (16, 16, 8), (8, 8, 16), (4, 4, 32)]
    layer_norms = [layer.name for layer in discriminator.layers if isinstance(layer, keras.layers.GroupNormalization)]
    assert layer_norms == [f"down_{block}_{index}_layer_norm" for block in (1, 2, 3) for index in (0, 1)]


def test_up_block_by_hand():
    """Shortcut: nearest neighbours and a 1x1 convolution. Residual: norm, ReLU, doubling, 3x3, norm, ReLU, 3x3."""
    generator = resnet.generator((8, 8, 1), 3, filters=2)
    block = keras.Model(generator.input, [generator.get_layer(n).output for n in ("reshape", "up_0_sum")])
    x, out = (np.array(value) for value in block(np.random.default_rng(0).normal(size=(2, 3)).astype("float32")))

    def apply(name, value):
        return np.array(generator.get_layer(name)(value))

    def double(value):
        return value.repeat(2, 1).repeat(2, 2)

    residual = np.maximum(apply("up_0_0_batch_norm", x), 0)
    residual = apply("up_0_conv_0", double(residual))
    residual = apply("up_0_conv_1", np.maximum(apply("up_0_1_batch_norm", residual), 0))
    np.testing.assert_allclose(out, residual + apply("up_0_shortcut", double(x)), rtol=1e-5, atol=1e-6)


def test_down_and_same_blocks_by_hand():
    discriminator = resnet.discriminator((16, 16, 1), filters=2, same_blocks=1)
    names = ("down_0_sum", "same_0_sum")
    blocks = keras.Model(discriminator.input, [discriminator.get_layer(name).output for name in names])
    x = np.random.default_rng(0).normal(size=(2, 16, 16, 1)).astype("float32")
    down, same = (np.array(value) for value in blocks(x))

    def apply(name, value):
        return np.array(discriminator.get_layer(name)(value))

    def halve(value):
        return value.reshape(2, 8, 2, 8, 2, -1).mean((2, 4))

    residual = apply("down_0_conv_1", np.maximum(apply("down_0_conv_0", x), 0))
    wanted = halve(residual) + halve(apply("down_0_shortcut", x))  # The paper's order; pooling commutes with 1x1.
    np.testing.assert_allclose(down, wanted, rtol=1e-5, atol=1e-6)
    residual = apply("same_0_conv_1", np.maximum(apply("same_0_conv_0", np.maximum(down, 0)), 0))
    np.testing.assert_allclose(same, down + residual, rtol=1e-5, atol=1e-6)
    score = np.maximum(same, 0).mean((1, 2)) @ discriminator.get_layer("score").kernel.numpy()
    np.testing.assert_allclose(discriminator(x), score, rtol=1e-5, atol=1e-6)
    summed = resnet.discriminator((16, 16, 1), filters=2, same_blocks=1, pooling="sum")
    summed.set_weights(discriminator.get_weights())
    np.testing.assert_allclose(summed(x), 8 * 8 * score, rtol=1e-5, atol=1e-5)


def test_initial_weights():
    keras.utils.set_random_seed(0)
    discriminator = resnet.discriminator((32, 32, 3), filters=32)
    for name, scale, fans in (("down_1_conv_0", 4, 2 * 9 * 32), ("down_1_shortcut", 2, 2 * 32)):
        kernel = discriminator.get_layer(name).kernel.numpy()
        np.testing.assert_allclose(kernel.var(), scale / fans, rtol=0.1)
        assert np.abs(kernel).max() <= (3 * scale / fans) ** 0.5


def test_labels_enter_the_generator_by_its_normalization():
    generator = resnet.generator((8, 8, 1), 5, filters=2, num_classes=3)
    kinds = [type(layer) for layer in generator.layers]
    assert kinds.count(ConditionalBatchNormalization) == 3
    assert keras.layers.BatchNormalization not in kinds
    latents, labels = np.random.default_rng(0).normal(size=(3, 5)).astype("float32"), np.arange(3)
    same = [np.repeat(latents[:1], 3, axis=0), labels]
    images = np.array(generator(same))
    np.testing.assert_array_equal(images[0], images[1])  # All classes start alike.
    generator.get_layer("up_0_0_batch_norm").gain.assign(np.random.default_rng(1).normal(size=(3, 2)))
    images = np.array(generator(same))
    assert np.abs(images[0] - images[1]).max() > 1e-3
    with pytest.raises(ValueError, match="through its batch normalization.*Leave batch_normalization out"):
        resnet.generator((8, 8, 1), num_classes=3, batch_normalization=False)


def test_bad_arguments():
    with pytest.raises(ValueError, match="8x8 pixels or more"):
        resnet.discriminator((7, 8, 1))
    with pytest.raises(ValueError, match="`pooling` must be one of 'mean', 'sum'"):
        resnet.discriminator((8, 8, 1), pooling="max")
    with pytest.raises(ValueError, match="`growth` must be an integer of at least 1"):
        resnet.generator((8, 8, 1), growth=0)
    with pytest.raises(ValueError, match="`down_blocks` must be an integer from 1 to 1,000"):
        resnet.discriminator((8, 8, 1), down_blocks=0)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_ends_are_float32(policy):
    keras.config.set_dtype_policy(policy)
    generator = resnet.generator((9, 13, 1), 5, filters=2, num_classes=2)
    discriminator = resnet.discriminator(
        (9, 13, 1), filters=2, normalization="spectral", num_classes=2, conditioning="projection"
    )
    labels = tf.constant([0, 1], "int64")
    images = generator([tf.ones((2, 5)), labels], training=True)
    assert images.dtype == "float32"
    assert discriminator([images, labels], training=True).dtype == "float32"
    assert generator.get_layer("up_0_conv_0").compute_dtype == policy.removeprefix("mixed_")
