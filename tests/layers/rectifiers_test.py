import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import layers, penalties
from ganzoo.training.cost import cost_of

INPUTS = np.array([-3.0, -0.5, -1e-30, 0.0, 1e-30, 0.7, 2.0], "float32")


def values_and_gradients(layer):
    x = tf.constant(INPUTS)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    return y, tape.gradient(y, x, 3.0 * x)


@pytest.mark.parametrize(
    ("layer", "same"),
    [
        (layers.LeakyReLU(0.2), keras.layers.LeakyReLU(0.2)),
        (layers.ReLU(), keras.layers.ReLU()),
        (layers.ScaledLeakyReLU(1.0), keras.layers.LeakyReLU(0.2)),
    ],
)
def test_all_results_are_those_of_keras(layer, same):
    for expected, value in zip(values_and_gradients(same), values_and_gradients(layer), strict=True):
        np.testing.assert_array_equal(value, expected)
    with layers.piecewise_linear():
        for expected, value in zip(values_and_gradients(same), values_and_gradients(layer), strict=True):
            np.testing.assert_array_equal(value, expected)
    loaded = type(layer).from_config(layer.get_config())
    assert loaded.get_config() == layer.get_config()


def critic(rectifier, convolutions=4):
    """With random biases, so that some units are off, and linear at the end."""
    keras.utils.set_random_seed(0)
    image = x = keras.Input((8, 8, 3))
    for _ in range(convolutions):
        x = rectifier(keras.layers.Conv2D(3, 3, padding="same", bias_initializer="random_normal")(x))
    return keras.Model(image, keras.layers.Dense(1)(keras.layers.Flatten()(x)))


def penalty_and_gradients(network, images):
    with tf.GradientTape() as tape:
        value = penalties.gradient_penalty(network, images, -images, tf.zeros)
    variables = [variable.value for variable in network.trainable_variables]
    return value, tape.gradient(value, variables, unconnected_gradients="zero")


def convolutions_in(network, images):
    """All of them have 5 images of 8x8 pixels, 3x3 kernels and 3 channels."""
    function = tf.function(penalty_and_gradients, autograph=False)
    return cost_of(function.get_concrete_function(network, images)).convolution / (2 * 5 * 64 * 9 * 3 * 3)


@pytest.mark.parametrize(
    ("ours", "keras_own"),
    [
        (lambda x: layers.LeakyReLU(0.2)(x), lambda x: keras.layers.LeakyReLU(0.2)(x)),
        (lambda x: layers.ReLU()(x), lambda x: keras.layers.ReLU()(x)),
    ],
)
def test_a_penalty_passes_no_zeros_down(ours, keras_own):
    """Four convolutions forward, four backward, and twice four for the gradients of the latter."""
    images = tf.constant(np.random.default_rng(0).normal(size=(5, 8, 8, 3)).astype("float32"))
    networks = critic(ours), critic(keras_own)
    assert [convolutions_in(network, images) for network in networks] == [16, 23]
    (value, gradients), (expected, expected_gradients) = (penalty_and_gradients(n, images) for n in networks)
    assert float(value) == float(expected) > 0
    for gradient, other in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(gradient, other, rtol=1e-6, atol=1e-7 * np.abs(other).max())
