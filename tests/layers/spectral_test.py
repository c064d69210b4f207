"""Spectral normalization against the singular value decomposition."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import SpectralConv2D, SpectralDense
from tests.check_model import two_replicas


def spectral_layers(dtype="float64", **settings):
    """A dense layer 5 -> 4 and a convolution 3x2x2 -> 4, with inputs for them."""
    random = np.random.default_rng(1)
    dense, convolution = SpectralDense(4, dtype=dtype, **settings), SpectralConv2D(4, (3, 2), dtype=dtype, **settings)
    cases = []
    for layer, shape in ((dense, (6, 5)), (convolution, (6, 5, 5, 2))):
        layer.build((None, *shape[1:]))
        layer.bias.assign(random.normal(size=4))
        cases.append((layer, random.normal(size=shape)))
    return cases


def matrix_of(layer):
    """The paper's W: a row for each output."""
    kernel = layer.kernel.numpy()
    return kernel.reshape(-1, kernel.shape[-1]).T


@pytest.mark.parametrize("which", [0, 1])
def test_spectral_norm_is_the_largest_singular_value(which):
    layer, inputs = spectral_layers(power_iterations=300)[which]
    kernel = layer.kernel.numpy()
    outputs = layer(inputs, training=True)
    left, singular, _ = np.linalg.svd(matrix_of(layer))
    assert singular[0] / singular[1] > 1.05  # Else the iteration would need more.
    np.testing.assert_allclose(layer.spectral_norm(), singular[0], rtol=1e-10)
    np.testing.assert_allclose(np.abs(layer.left_vector.numpy() @ left[:, 0]), 1.0, rtol=1e-10)
    np.testing.assert_array_equal(layer.kernel.numpy(), kernel)
    stock = type(layer).__mro__[2]  # Behind the mixin: the layer without normalization.
    plain = stock.from_config({k: v for k, v in layer.get_config().items() if k != "power_iterations"})
    plain.build(inputs.shape)
    plain.set_weights([kernel / singular[0], layer.bias.numpy()])
    np.testing.assert_allclose(outputs, plain(inputs), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("iterations", [1, 3])
def test_a_training_pass_is_that_of_the_algorithm(iterations):
    layer, inputs = spectral_layers(power_iterations=iterations)[0]
    matrix, u = matrix_of(layer), layer.left_vector.numpy()
    for _ in range(2):
        for _ in range(iterations):
            v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
            u = matrix @ v / np.linalg.norm(matrix @ v)
        wanted = inputs @ (matrix / (u @ matrix @ v)).T + layer.bias.numpy()
        np.testing.assert_allclose(layer(inputs, training=True), wanted, rtol=1e-9)
        np.testing.assert_allclose(layer.left_vector.numpy(), u, rtol=1e-9)
    v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
    for training in (False, None):  # u stays.
        wanted = inputs @ (matrix / (u @ matrix @ v)).T + layer.bias.numpy()
        np.testing.assert_allclose(layer(inputs, training=training), wanted, rtol=1e-9)
        np.testing.assert_allclose(layer.left_vector.numpy(), u, rtol=1e-9)


@pytest.mark.parametrize("which", [0, 1])
def test_gradient_goes_through_the_spectral_norm(which):
    """Where u and v have converged, the norm does not depend on them, and finite differences see the whole function."""
    layer, inputs = spectral_layers(power_iterations=1000)[which]
    layer(inputs, training=True)

    def loss():
        return tf.reduce_sum(tf.sin(layer(inputs, training=False)))

    with tf.GradientTape() as tape:
        value = loss()
    gradient = tape.gradient(value, layer.kernel.value).numpy()
    kernel, step = layer.kernel.numpy(), 1e-5
    differences = np.zeros_like(kernel)
    for index in np.ndindex(*kernel.shape):
        ends = []
        for sign in (1, -1):
            moved = kernel.copy()
            moved[index] += sign * step
            layer.kernel.assign(moved)
            ends.append(loss().numpy())
        differences[index] = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-8)
    # The function does not change with the scale of the kernel.
    assert abs(np.sum(gradient * kernel)) < 1e-10 * np.abs(gradient * kernel).sum()


def test_u_and_v_are_constants_of_the_gradient():
    """Of L = <A, W_SN>, before u and v converge: (A - <A, W_SN> u v^T) / sigma (Equation 12)."""
    layer, _ = spectral_layers()[0]
    weights = np.random.default_rng(2).normal(size=(4, 5))
    matrix, u = matrix_of(layer), layer.left_vector.numpy()
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(tf.constant(weights.T) * layer.kernel / layer.spectral_norm(training=True))
    gradient = tape.gradient(value, layer.kernel.value).numpy().T
    v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
    u = matrix @ v / np.linalg.norm(matrix @ v)
    sigma = u @ matrix @ v
    assert sigma < 0.999 * np.linalg.norm(matrix, 2)
    wanted = (weights - np.sum(weights * matrix) / sigma * np.outer(u, v)) / sigma
    np.testing.assert_allclose(gradient, wanted, rtol=1e-9)


def test_spectral_normalization_in_half_precision():
    for policy in ("mixed_bfloat16", "mixed_float16"):
        for layer, inputs in spectral_layers(policy):
            outputs = layer(tf.cast(inputs, layer.compute_dtype), training=True)
            assert outputs.dtype == layer.compute_dtype
            assert layer.spectral_norm().dtype == layer.kernel.dtype == layer.left_vector.dtype == "float32"
            u, matrix = layer.left_vector.numpy(), matrix_of(layer)
            v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
            np.testing.assert_allclose(layer.spectral_norm(), u @ matrix @ v, rtol=1e-6)


def spectral_network():
    image = keras.Input((6, 6, 2))
    x = SpectralConv2D(3, 3, padding="same", activation="relu", power_iterations=2)(image)
    return keras.Model(image, SpectralDense(1)(keras.layers.Flatten()(x)))


def test_spectral_layers_are_saved_with_u(tmp_path):
    network = spectral_network()
    inputs = np.random.default_rng(0).normal(size=(3, 6, 6, 2)).astype("float32")
    network(inputs, training=True)
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    assert loaded.layers[1].power_iterations == 2
    for training in (False, True, False):
        np.testing.assert_array_equal(loaded(inputs, training=training), network(inputs, training=training))
    assert len(loaded.non_trainable_weights) == 2
    for ours, theirs in zip(network.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_spectral_layers_compile():
    network = spectral_network()
    inputs = tf.random.stateless_normal((3, 6, 6, 2), seed=[0, 1])
    start, results = network.get_weights(), []
    for settings in ({"jit_compile": True}, {"jit_compile": False}):
        network.set_weights(start)

        @tf.function(**settings)
        def penalty():
            """A derivative of second order."""
            variables = [variable.value for variable in network.trainable_variables]
            with tf.GradientTape() as outer:
                with tf.GradientTape() as inner:
                    inner.watch(inputs)
                    scores = network(inputs, training=True)
                value = tf.reduce_sum(tf.square(inner.gradient(scores, inputs)))
            return outer.gradient(value, variables, unconnected_gradients="zero")

        results.append([*penalty(), *network.get_weights()])
        assert any((a != b).any() for a, b in zip(start, network.get_weights()))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_spectral_layers_are_equal_on_all_replicas():
    strategy = two_replicas()
    with strategy.scope():
        network = spectral_network()
    alone = spectral_network()
    alone.set_weights(network.get_weights())
    inputs = tf.random.stateless_normal((4, 6, 6, 2), seed=[0, 1])
    halves = strategy.experimental_distribute_values_from_function(
        lambda context: inputs[2 * context.replica_id_in_sync_group :][:2]
    )
    scores = strategy.run(lambda half: network(half, training=True), args=(halves,))
    scores = tf.concat(strategy.experimental_local_results(scores), 0)
    np.testing.assert_allclose(scores, alone(inputs, training=True), rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(network.weights, alone.weights, strict=True):
        copies = strategy.experimental_local_results(ours.value)
        np.testing.assert_array_equal(copies[0], copies[1])
        np.testing.assert_allclose(copies[0], theirs, rtol=1e-6)


@pytest.mark.parametrize("iterations", [0, 1.5, True])
def test_power_iterations_are_checked(iterations):
    with pytest.raises(ValueError, match="`power_iterations` must be an integer of at least 1"):
        SpectralDense(2, power_iterations=iterations)
