"""The layers that go with the name of a normalization."""

import keras
import numpy as np
import pytest

from ganzoo.layers import Conv2D, SpectralConv2D, SpectralDense, convolution_layer, dense_layer, normalization


def test_layer_normalization_normalizes_each_sample_over_all_its_features():
    layer = normalization("layer", "x")
    inputs = np.random.default_rng(0).normal(3.0, 2.0, (4, 5, 6, 7)).astype("float32")
    outputs = np.asarray(layer(inputs))
    wanted = (inputs - inputs.mean((1, 2, 3), keepdims=True)) / np.sqrt(inputs.var((1, 2, 3), keepdims=True) + 1e-5)
    np.testing.assert_allclose(outputs, wanted, atol=1e-4)
    assert [tuple(weight.shape) for weight in layer.weights] == [(7,), (7,)]


def test_an_unknown_normalization_is_refused_in_words():
    with pytest.raises(
        ValueError, match="`normalization` must be one of .*'spectral', None. Received: normalization='group'"
    ):
        normalization("group", "x")


def test_instance_normalization_normalizes_each_channel_of_each_sample():
    inputs = np.random.default_rng(0).normal(3.0, 2.0, (4, 5, 6, 7)).astype("float32")
    layer = normalization("instance", "x")
    outputs = np.asarray(layer(inputs)) / layer.gamma.numpy()
    wanted = (inputs - inputs.mean((1, 2), keepdims=True)) / np.sqrt(inputs.var((1, 2), keepdims=True) + 1e-5)
    np.testing.assert_allclose(outputs, wanted, atol=1e-4)


def test_which_layers_are_spectral():
    assert (dense_layer("spectral"), convolution_layer("spectral")) == (SpectralDense, SpectralConv2D)
    for kind in (None, "batch", "layer"):
        assert (dense_layer(kind), convolution_layer(kind)) == (keras.layers.Dense, Conv2D)
    assert normalization("spectral", "x")("anything") == "anything"
