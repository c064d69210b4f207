import keras
import numpy as np
import pytest

from ganzoo.networks import dcgan

SHAPES = [(28, 28, 1), (32, 32, 3), (48, 40, 3), (100, 60, 4), (64, 64, 1), (8, 8, 3), (9, 13, 2)]


@pytest.mark.parametrize("shape", SHAPES)
def test_any_shape(shape):
    generator, discriminator = dcgan.generator(shape, 5, filters=2), dcgan.discriminator(shape, filters=2)
    assert generator.output_shape == (None, *shape)
    assert discriminator.input_shape == (None, *shape)
    assert discriminator.output_shape == (None, 1)
    images = generator(np.random.default_rng(0).normal(size=(2, 5)).astype("float32"))
    assert np.abs(images).max() <= 1
    assert discriminator(images).shape == (2, 1)


@pytest.mark.parametrize(("shape", "count"), [((64, 64, 3), 4), ((28, 28, 1), 2), ((32, 32, 3), 3), ((8, 8, 1), 1)])
def test_stages_leave_four_pixels(shape, count):
    assert dcgan.stages(shape) == count
    discriminator = dcgan.discriminator(shape, filters=2)
    last = discriminator.get_layer(f"down_{count - 1}").output.shape
    assert 4 <= min(last[1:3]) < 8


def test_the_network_of_the_paper_at_64_pixels():
    generator = dcgan.generator((64, 64, 3), filters=4)
    # Figure 1: 4x4x1024, 8x8x512, 16x16x256, 32x32x128, 64x64x3, here at a 32nd of the filters.
    maps = [generator.get_layer(name).output.shape[1:] for name in ("reshape", "up_0", "up_1", "up_2", "images")]
    assert maps == [(4, 4, 32), (8, 8, 16), (16, 16, 8), (32, 32, 4), (64, 64, 3)]
    discriminator = dcgan.discriminator((64, 64, 3), filters=4)
    maps = [discriminator.get_layer(f"down_{index}").output.shape[1:] for index in range(4)]
    assert maps == [(32, 32, 4), (16, 16, 8), (8, 8, 16), (4, 4, 32)]


def layers_of(model, kind):
    return [layer.name for layer in model.layers if isinstance(layer, kind)]


def test_batch_normalization_stands_everywhere_but_at_the_ends():
    generator, discriminator = dcgan.generator((32, 32, 1), filters=2), dcgan.discriminator((32, 32, 1), filters=2)
    norm = keras.layers.BatchNormalization
    assert layers_of(generator, norm) == ["stage_0_batch_norm", "stage_1_batch_norm", "stage_2_batch_norm"]
    assert layers_of(discriminator, norm) == ["down_1_batch_norm", "down_2_batch_norm"]
    assert layers_of(dcgan.generator((32, 32, 1), filters=2, batch_normalization=False), norm) == []
    for kind in (None, "layer", "spectral"):
        assert layers_of(dcgan.discriminator((32, 32, 1), 2, kind), norm) == []
    assert layers_of(dcgan.discriminator((32, 32, 1), 2, "layer"), keras.layers.GroupNormalization) == [
        "down_1_layer_norm",
        "down_2_layer_norm",
    ]


def test_initial_weights():
    keras.utils.set_random_seed(0)
    for network in (dcgan.generator((32, 32, 3), filters=32), dcgan.discriminator((32, 32, 3), filters=32)):
        kernels = np.concatenate([v.numpy().ravel() for v in network.trainable_variables if v.path.endswith("kernel")])
        np.testing.assert_allclose([kernels.mean(), kernels.std()], [0, 0.02], atol=2e-4)
        gammas = np.concatenate([v.numpy() for v in network.trainable_variables if v.path.endswith("gamma")])
        np.testing.assert_allclose([gammas.mean(), gammas.std()], [1, 0.02], atol=5e-3)


def test_leaky_relu_has_slope_one_fifth():
    discriminator = dcgan.discriminator((16, 16, 1), filters=2)
    slopes = [layer.negative_slope for layer in discriminator.layers if isinstance(layer, keras.layers.LeakyReLU)]
    assert slopes == [0.2, 0.2]


def test_labels():
    generator = dcgan.generator((16, 16, 1), 5, filters=2, num_classes=3)
    discriminator = dcgan.discriminator((16, 16, 1), filters=2, num_classes=3)
    assert [tensor.name for tensor in generator.inputs] == ["latents", "label"]
    assert [tensor.name for tensor in discriminator.inputs] == ["image", "label"]
    latents = np.ones((3, 5), "float32")
    images = np.array(generator([latents, np.array([0, 1, 2])]))
    assert not np.allclose(images[0], images[1])
    same = np.repeat(images[:1], 2, axis=0)
    scores = np.array(discriminator([same, np.array([0, 1])]))
    assert scores[0] != scores[1]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_ends_are_float32(policy):
    keras.config.set_dtype_policy(policy)
    generator, discriminator = dcgan.generator((9, 13, 1), 5, filters=2), dcgan.discriminator((9, 13, 1), filters=2)
    images = generator(np.ones((2, 5), "float32"))
    assert images.dtype == "float32"
    assert discriminator(images).dtype == "float32"
    assert generator.get_layer("project").compute_dtype == policy.removeprefix("mixed_")
