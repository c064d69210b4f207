import keras
import numpy as np
import pytest

import ganzoo
from ganzoo.networks import inputs, mlp


@pytest.mark.parametrize("shape", [(28, 28, 1), (5, 3, 4), (2,)])
def test_any_shape(shape):
    generator, discriminator = mlp.generator(shape, 5, (7,)), mlp.discriminator(shape, (7,))
    assert generator.output_shape == (None, *shape)
    assert discriminator.input_shape == (None, *shape)
    samples = generator(np.ones((2, 5), "float32"))
    assert discriminator(samples).shape == (2, 1)


def test_images_end_in_a_tanh_and_points_do_not():
    latents = 1000 * np.ones((2, 5), "float32")
    assert np.abs(mlp.generator((3, 3, 1), 5, (7,))(latents)).max() <= 1
    assert np.abs(mlp.generator((2,), 5, (7,))(latents)).max() > 1


def test_sizes():
    generator, discriminator = mlp.generator((4, 4, 1), 5, (7, 6)), mlp.discriminator((4, 4, 1), (7, 6))
    assert generator.count_params() == (5 + 1) * 7 + (7 + 1) * 6 + (6 + 1) * 16
    assert discriminator.count_params() == (16 + 1) * 7 + (7 + 1) * 6 + (6 + 1)
    assert mlp.generator((2,)).count_params() == 128 * 512 + 512 + 2 * (512 * 512 + 512) + 512 * 2 + 2


def test_initial_weights_keep_the_scale_of_the_signal():
    keras.utils.set_random_seed(0)
    kernel = mlp.generator((2,), 128, (512,)).get_layer("dense_0").kernel.numpy()
    # He: uniform in +-sqrt(6 / inputs), a variance of 2 / inputs.
    assert np.abs(kernel).max() <= (6 / 128) ** 0.5
    np.testing.assert_allclose(kernel.var(), 2 / 128, rtol=0.02)


def test_no_hidden_layers():
    assert mlp.generator((2,), 3, ()).count_params() == 3 * 2 + 2


def test_normalization():
    def kinds(model):
        return {type(layer).__name__ for layer in model.layers if "Normalization" in type(layer).__name__}

    assert kinds(mlp.generator((2,), 3, (4,))) == kinds(mlp.discriminator((2,), (4,))) == set()
    assert kinds(mlp.generator((2,), 3, (4,), batch_normalization=True)) == {"BatchNormalization"}
    assert kinds(mlp.discriminator((2,), (4,), "batch")) == {"BatchNormalization"}
    assert kinds(mlp.discriminator((2,), (4,), "layer")) == {"GroupNormalization"}


def test_layer_normalization_is_per_sample():
    keras.utils.set_random_seed(0)
    discriminator = mlp.discriminator((3,), (4,), "layer")
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    np.testing.assert_allclose(discriminator(x, training=True)[:2], discriminator(x[:2], training=True), atol=1e-6)


def test_labels():
    generator, discriminator = mlp.generator((2,), 5, (7,), num_classes=3), mlp.discriminator((2,), (7,), num_classes=3)
    assert [tensor.name for tensor in generator.inputs] == ["latents", "label"]
    assert [tensor.name for tensor in discriminator.inputs] == ["image", "label"]
    samples = np.array(generator([np.ones((3, 5), "float32"), np.array([0, 1, 2])]))
    assert not np.allclose(samples[0], samples[1])


def test_ends_are_float32():
    keras.config.set_dtype_policy("mixed_float16")
    samples = mlp.generator((2,), 5, (7,))(np.ones((2, 5), "float32"))
    assert samples.dtype == "float32"
    assert mlp.discriminator((2,), (7,))(samples).dtype == "float32"


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh"])
def test_activation_by_hand(activation):
    slope = {"relu": 0.0, "leaky_relu": 0.2}

    def function(x):
        return np.tanh(x) if activation == "tanh" else np.maximum(x, slope[activation] * x)

    networks = mlp.generator((2,), 3, (4,), activation=activation), mlp.discriminator((3,), (4,), activation=activation)
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    for network in networks:
        first, bias, head, head_bias = network.get_weights()
        wanted = function(x @ first + bias) @ head + head_bias
        np.testing.assert_allclose(network(x), wanted, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="`activation` must be one of 'relu', 'leaky_relu', 'tanh'"):
        mlp.generator((2,), activation="elu")


def test_hidden_initializer_is_that_of_the_hidden_layers():
    orthogonal = {"class_name": "Orthogonal", "config": {"gain": 1.4}}
    for network in (
        mlp.generator((2,), 8, (8, 8), hidden_initializer=orthogonal),
        mlp.discriminator((8,), (8, 8), hidden_initializer=orthogonal),
    ):
        kernels = [network.get_layer(f"dense_{index}").kernel.numpy() for index in range(2)]
        for kernel in kernels:
            np.testing.assert_allclose(kernel @ kernel.T, 1.4**2 * np.eye(8), atol=1e-5)
        assert np.abs(kernels[0] - kernels[1]).max() > 0.1


def test_the_initial_weights_of_a_paper_for_convolutions_are_not_those_of_dense_layers():
    """WGAN-GP's `kernel_initializer` would make the first layer too weak: variance 4 / 514 in the place of 2 / 2."""
    critic = ganzoo.WGANGP.from_paper((2,)).discriminator
    assert np.var(critic.get_layer("dense_0").kernel.numpy()) == pytest.approx(2 / 2, rel=0.15)


def test_checks_of_arguments_draw_no_random_numbers():
    """An initializer draws its seed when it is made. The checks leave the weights as they are."""

    def weights(build):
        keras.utils.set_random_seed(5)
        return build((2,), latent_dim=3, hidden=(4,), hidden_initializer="he_uniform").get_weights()

    for ours, plain in zip(weights(mlp.generator), weights(mlp.generator.__wrapped__), strict=True):
        np.testing.assert_array_equal(ours, plain)


def test_a_network_that_no_memory_holds():
    @inputs.network
    def build(filters, kernel_initializer="he_uniform"):
        raise MemoryError

    with pytest.raises(ValueError, match=r"The memory does not hold this network\. Received: \{'filters': 7\}"):
        build(7)
    with pytest.raises(ValueError, match="`kernel_initializer` must be"):
        build(7, kernel_initializer=len)
