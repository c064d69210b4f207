import keras
import numpy as np
import pytest

from ganzoo.networks import acgan, dcgan, heads, infogan
from ganzoo.networks.infogan import sizes_of


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (8, 12, 2), (4, 4, 1)])
def test_any_shape(shape):
    generator = infogan.generator(shape, 7, filters=2)
    discriminator = infogan.discriminator(shape, (3, 2), 1, filters=2)
    assert generator.output_shape == (None, *shape)
    images = np.array(generator(np.random.default_rng(0).normal(size=(2, 7)).astype("float32")))
    assert np.abs(images).max() <= 1
    outputs = discriminator(images)
    assert {name: tuple(tensor.shape) for name, tensor in outputs.items()} == {
        "scores": (2, 1),
        "category_0": (2, 3),
        "category_1": (2, 2),
        "continuous": (2, 1),
    }


def trainable(network):
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def test_the_networks_of_table_1():
    """Weights counted from Table 1: kernels, two weights for each normalized channel, biases at the ends."""
    generator, discriminator = infogan.generator((28, 28, 1)), infogan.discriminator((28, 28, 1))
    assert trainable(generator) == (
        74 * 1024 + 2 * 1024 + 1024 * 6272 + 2 * 6272 + 4 * 4 * 128 * 64 + 2 * 64 + 4 * 4 * 64 * 1 + 1
    )
    shared = 4 * 4 * 64 + 64 + 4 * 4 * 64 * 128 + 2 * 128 + 6272 * 1024 + 2 * 1024
    codes = 1024 * 128 + 2 * 128 + 128 * 10 + 10 + 128 * 2 + 2
    assert trainable(discriminator) == shared + 1024 + 1 + codes
    maps = [generator.get_layer(name).output.shape[1:] for name in ("dense_0", "map", "up_0", "images")]
    assert maps == [(1024,), (7, 7, 128), (14, 14, 64), (28, 28, 1)]
    maps = [discriminator.get_layer(name).output.shape[1:] for name in ("down_0", "down_1", "shared", "codes")]
    assert maps == [(14, 14, 64), (7, 7, 128), (1024,), (128,)]
    slopes = [layer.negative_slope for layer in discriminator.layers if isinstance(layer, keras.layers.LeakyReLU)]
    np.testing.assert_allclose(slopes, 0.1)


def test_the_first_convolution_is_not_normalized():
    names = [
        layer.name
        for layer in infogan.discriminator((8, 8, 1), filters=2).layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert names == ["down_1_batch_norm", "shared_batch_norm", "codes_batch_norm"]


def test_initial_weights():
    """Thousands of numbers from N(0, 0.02): their standard deviation is within 1 % of it."""
    keras.utils.set_random_seed(0)
    for network in (infogan.generator((28, 28, 1), filters=8), infogan.discriminator((28, 28, 1), filters=8)):
        kernels = np.concatenate([v.numpy().ravel() for v in network.trainable_variables if v.path.endswith("kernel")])
        np.testing.assert_allclose(kernels.std(), 0.02, rtol=0.01)


def test_heads_in_half_precision_are_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    outputs = infogan.discriminator((8, 8, 1), filters=2).output
    assert {tensor.dtype for tensor in outputs.values()} == {"float32"}
    assert infogan.generator((8, 8, 1), 3, filters=2).output.dtype == "float32"


def test_no_continuous_codes_no_head():
    assert set(infogan.discriminator((8, 8, 1), (2,), 0, filters=2).output) == {"scores", "category_0"}
    assert sizes_of((), 2) == {"continuous": 2}


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: infogan.generator((30, 28, 1)), "sides must be multiples of 4. Received: image_shape=\\(30, 28, 1\\)"),
        (lambda: infogan.discriminator((28, 30, 1)), "multiples of 4"),
        (lambda: infogan.generator((28, 28)), "number of channels"),
        (lambda: infogan.generator((28, 28, 1), latent_dim=0), "`latent_dim` must be an integer of at least 1"),
        (lambda: infogan.discriminator((28, 28, 1), filters=1.5), "`filters` must be an integer"),
        (lambda: infogan.discriminator((28, 28, 1), categories=(1,)), "`categories` must be .* of at least 2"),
        (lambda: infogan.discriminator((28, 28, 1), categories=10), "`categories` must be a sequence of integers"),
        (lambda: infogan.discriminator((28, 28, 1), continuous=-1), "`continuous` must be an integer of at least 0"),
    ],
)
def test_bad_arguments(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_acgan_is_dcgan_with_classes():
    discriminator = acgan.discriminator((16, 16, 1), num_classes=3, filters=2)
    assert {name: tuple(tensor.shape) for name, tensor in discriminator.output.items()} == {
        "scores": (None, 1),
        "classes": (None, 3),
    }
    assert len(discriminator.inputs) == 1
    plain = dcgan.discriminator((16, 16, 1), filters=2)
    assert trainable(discriminator) == trainable(plain) + 4 * 4 * 4 * 3 + 3
    spectral = acgan.discriminator((16, 16, 1), num_classes=3, filters=2, normalization="spectral")
    assert type(spectral.get_layer("classes")).__name__ == "SpectralDense"


def test_a_head_is_not_named_scores():
    with pytest.raises(ValueError, match='must not be named "scores"'):
        dcgan.discriminator((16, 16, 1), filters=2, heads={"scores": 2})


class TestReadHeads:
    network = staticmethod(lambda: infogan.discriminator((4, 4, 1), (3,), 1, filters=2))

    def test_is_a_pass_in_inference_mode_in_batches_of_any_size(self):
        network = self.network()
        images = np.random.default_rng(0).uniform(-1, 1, (5, 4, 4, 1)).astype("float32")
        once = network(images, training=False)
        for batch_size in (2, 64):
            read = heads.read_heads(network, images, batch_size)
            assert set(read) == {"category_0", "continuous"}
            for name, values in read.items():
                np.testing.assert_allclose(values, np.array(once[name]), rtol=1e-4, atol=1e-6)

    def test_reads_bytes_as_images(self):
        network, pixels = self.network(), np.arange(32, dtype="uint8").reshape(2, 4, 4, 1)
        read = [heads.read_heads(network, images) for images in (pixels, pixels / 127.5 - 1)]
        np.testing.assert_allclose(read[0]["category_0"], read[1]["category_0"], rtol=1e-4, atol=1e-6)

    @pytest.mark.parametrize("samples", [np.zeros((2, 4, 5, 1)), np.zeros((4, 4, 1)), np.zeros((0, 4, 4, 1)), "images"])
    def test_refuses_other_samples(self, samples):
        with pytest.raises(ValueError, match="`samples` must be numbers of the shape \\(count, 4, 4, 1\\)"):
            heads.read_heads(self.network(), samples)
