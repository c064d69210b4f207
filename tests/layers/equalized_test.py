import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import layers
from ganzoo.layers import (
    EqualizedConv2D,
    EqualizedDense,
    FixedNoise,
    MinibatchStandardDeviation,
    ModulatedConv2D,
    PixelNormalization,
    ScaledLeakyReLU,
    StyleNoise,
)

RANDOM = np.random.default_rng(0)


def normal(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def kernels_of(layer, styles):
    """Equations 1 and 3 as they stand: a kernel for each sample, float64."""
    kernel = layer.kernel.numpy().astype("float64")
    kernel = kernel / np.sqrt(np.prod(kernel.shape[:-1]))
    scaled = kernel[None] * styles[:, None, None, :, None]
    if not layer.demodulate:
        return scaled
    return scaled / np.sqrt(np.sum(scaled**2, axis=(1, 2, 3), keepdims=True) + 1e-8)


@pytest.mark.parametrize(("size", "demodulate"), [(3, True), (1, False)])
def test_a_modulated_convolution_is_one_with_a_kernel_for_each_sample(size, demodulate):
    layer = ModulatedConv2D(5, size, demodulate=demodulate)
    x, styles = normal(3, 6, 4, 7), 1.0 + normal(3, 7)
    y = layer([x, styles])
    layer.bias.assign(normal(5))
    kernels = kernels_of(layer, styles).astype("float32")
    expected = [tf.nn.conv2d(x[i : i + 1], kernels[i], 1, "SAME")[0] + layer.bias for i in range(3)]
    np.testing.assert_allclose(layer([x, styles]), np.stack(expected), atol=1e-5)
    assert y.shape == layer.compute_output_shape((x.shape, styles.shape))


def test_a_modulated_convolution_doubles():
    """A transposed convolution of stride 2 with each sample's kernel, and the filter [1, 3, 3, 1] / 4 both ways."""
    layer = ModulatedConv2D(5, upsample=True)
    x, styles = normal(2, 3, 4, 7), 1.0 + normal(2, 7)
    y = layer([x, styles]).numpy()
    kernels = kernels_of(layer, styles)
    taps = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 16
    for sample in range(2):
        spread = np.zeros((7 + 2, 9 + 2, 5))  # A border of zeros for the filter.
        for row, column, i, j in np.ndindex(3, 4, 3, 3):
            spread[1 + 2 * row + i, 1 + 2 * column + j] += x[sample, row, column] @ kernels[sample, i, j]
        expected = sum(taps[i, j] * spread[i : i + 6, j : j + 8] for i, j in np.ndindex(4, 4))
        np.testing.assert_allclose(y[sample], expected, atol=1e-5)


def test_demodulated_kernels_have_the_norm_1():
    layer = ModulatedConv2D(5)
    styles = 1.0 + normal(3, 7)
    layer([normal(3, 4, 4, 7), styles])
    kernel = layer.kernel / np.sqrt(9 * 7)
    scales = layer.demodulation(kernel, styles).numpy()
    norms = np.sqrt(np.einsum("hwio,bi->bo", kernel.numpy() ** 2, styles**2))
    np.testing.assert_allclose(scales * norms, 1.0, rtol=1e-5)
    np.testing.assert_allclose(np.sum(kernels_of(layer, styles) ** 2, axis=(1, 2, 3)), 1.0, rtol=1e-6)


def test_equalized_layers_scale_their_kernels_where_they_are_used():
    dense = EqualizedDense(4, rate=0.01, bias_value=1.0)
    x = normal(3, 9)
    y = dense(x)
    kernel = dense.kernel.numpy()
    assert 50 < kernel.std() < 200  # N(0, 100^2)
    np.testing.assert_allclose(dense.bias.numpy(), 100.0)
    np.testing.assert_allclose(y, x @ kernel * 0.01 / 3 + 1, rtol=1e-4, atol=1e-5)
    again = EqualizedDense.from_config(dense.get_config())
    assert again.get_config() == dense.get_config() and again.rate == 0.01
    convolution = EqualizedConv2D(4, 1)
    maps = normal(1, 2, 2, 9)
    np.testing.assert_allclose(convolution(maps), maps @ convolution.kernel.numpy()[0, 0] / 3, rtol=1e-4, atol=1e-5)


def test_small_layers_by_hand():
    np.testing.assert_allclose(ScaledLeakyReLU()(np.array([-1.0, 2.0])), [-0.2 * 2**0.5, 2 * 2**0.5], rtol=1e-6)
    np.testing.assert_allclose(
        PixelNormalization()(np.array([[3.0, 4.0]])), [[3 / 12.5**0.5, 4 / 12.5**0.5]], rtol=1e-6
    )
    layer, x, noise = StyleNoise(start=1), normal(2, 2, 3, 4), normal(2, 8)
    np.testing.assert_array_equal(layer([x, noise]), x)
    layer.strength.assign(0.5)
    np.testing.assert_allclose(layer([x, noise]), x + 0.5 * noise[:, 1:7].reshape(2, 2, 3, 1), rtol=1e-5, atol=1e-6)
    rows = FixedNoise(1000)(np.zeros((2, 1))).numpy()
    np.testing.assert_array_equal(rows[0], rows[1])
    assert abs(rows.mean()) < 0.15 and abs(rows.std() - 1) < 0.1


def test_the_deviation_of_groups_of_neighbours():
    """Samples a, a + 2 deviate by 1 in every pixel and channel; equal samples by nothing."""
    a = normal(1, 2, 3, 4)
    x = np.concatenate([a, a + 2, a, a])
    y = MinibatchStandardDeviation(2)(x).numpy()
    np.testing.assert_array_equal(y[..., :4], x)
    np.testing.assert_allclose(y[:2, ..., 4], 1.0, rtol=1e-5)
    np.testing.assert_allclose(y[2:, ..., 4], 1e-4, rtol=1e-3)
    # Groups of 3 do not divide 4 samples, in a graph whose batch is not known as well.
    layer = MinibatchStandardDeviation(3)
    graph = tf.function(layer, input_signature=[tf.TensorSpec((None, 2, 3, 4))], autograph=False)
    np.testing.assert_allclose(graph(x), y, rtol=1e-5, atol=1e-6)
    assert layer(x[:3]).shape == layer.compute_output_shape((3, 2, 3, 4))


@pytest.mark.parametrize("layer", [EqualizedDense(2), ModulatedConv2D(2, 1), MinibatchStandardDeviation(2)])
def test_layers_are_made_anew_from_their_configs(layer):
    config = layer.get_config()
    assert keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer)).get_config() == config


@pytest.mark.parametrize(
    "name, arguments, message",
    [
        ("EqualizedDense", {"units": 0}, "`units` must be an integer of at least 1. Received: units=0"),
        ("ModulatedConv2D", {"filters": 2, "kernel_size": 4}, "`kernel_size` must be odd, to have a middle"),
        ("MaskedConv2D", {"filters": True, "kernel_size": 3}, "`filters` must be an integer of at least 1"),
        ("MaskedConv2D", {"filters": 2, "kernel_size": (3,)}, "`kernel_size` must be"),
        ("MaskedConv2D", {"filters": 2, "kernel_size": 4}, "`kernel_size` must be odd, to have a middle"),
    ],
)
def test_odd_sizes_are_refused(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(layers, name)(**arguments)
