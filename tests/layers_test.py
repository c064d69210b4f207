"""The layers that families of networks share."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import networks
from ganzoo.layers import (
    BatchNormalization,
    ConditionalBatchNormalization,
    Conv2D,
    Conv2DTranspose,
    Maxout,
    OneHot,
    SpectralConv2D,
    SpectralDense,
    convolution_layer,
    dense_layer,
    normalization,
    trilinear_convolution,
)
from tests.check_model import two_replicas

# (large map, small map, kernel, strides): even and odd sizes, overlapping and not.
CASES = [
    ((8, 8, 3), (4, 4, 5), (4, 4), (2, 2)),
    ((7, 6, 2), (4, 3, 4), (5, 5), (2, 2)),
    ((4, 4, 3), (4, 4, 2), (3, 3), (1, 1)),
    ((9, 4, 2), (3, 2, 3), (2, 3), (3, 2)),
]


def derivatives(convolve, transpose, large, small, kernel):
    """Both maps, all their first derivatives, and the second derivatives of the norm of each first one."""
    results = []
    for function, features in ((convolve, large), (transpose, small)):
        with tf.GradientTape() as outer:
            outer.watch([features, kernel])
            with tf.GradientTape(persistent=True) as inner:
                inner.watch([features, kernel])
                value = tf.reduce_sum(tf.sin(function(features, kernel)))
            first = inner.gradient(value, [features, kernel])
            norms = sum(tf.reduce_sum(tf.square(gradient)) for gradient in first)
        results += [function(features, kernel), *first, *outer.gradient(norms, [features, kernel])]
    return results


@pytest.mark.parametrize("large_shape, small_shape, size, strides", CASES)
def test_trilinear_convolution_equals_the_stock_one_through_the_second_order(large_shape, small_shape, size, strides):
    random = np.random.default_rng(0)
    kernel_shape = (*size, large_shape[-1], small_shape[-1])
    large, small, kernel = (
        tf.constant(random.normal(size=shape), "float64")
        for shape in ((6, *large_shape), (6, *small_shape), kernel_shape)
    )
    stock = (
        lambda x, w: tf.nn.conv2d(x, w, strides, "SAME"),
        lambda y, w: tf.nn.conv2d_transpose(y, w, [6, *large_shape], strides, "SAME"),
    )
    ours = trilinear_convolution(kernel_shape, strides, large_shape)
    for wanted, got in zip(
        derivatives(*stock, large, small, kernel), derivatives(*ours, large, small, kernel), strict=True
    ):
        np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-10 * np.abs(wanted).max())


@pytest.mark.parametrize(
    "layer, stock", [(Conv2D, keras.layers.Conv2D), (Conv2DTranspose, keras.layers.Conv2DTranspose)]
)
@pytest.mark.parametrize("side, patches", [(4, True), (8, False)])
def test_layers_use_patches_for_small_maps_in_bfloat16_only(layer, stock, side, patches):
    small_side_in = layer is Conv2DTranspose
    size = side if small_side_in else 2 * side
    for dtype in ("bfloat16", "float32"):
        ours = layer(5, 4, strides=2, padding="same", dtype=dtype, activation="relu")
        theirs = stock(5, 4, strides=2, padding="same", dtype=dtype, activation="relu")
        inputs = tf.cast(tf.random.stateless_normal((3, size, size, 2), seed=[0, 1]), dtype)
        for one in (ours, theirs):
            one.build(inputs.shape)
        theirs.set_weights(ours.get_weights())

        @tf.function
        def gradient(one, inputs):
            with tf.GradientTape() as tape:
                outputs = one(inputs)
                loss = tf.reduce_sum(tf.square(tf.cast(outputs, "float32")))
            return outputs, tape.gradient(loss, one.kernel.value)

        graph = gradient.get_concrete_function(ours, inputs).graph
        used = any(operation.type == "ExtractImagePatches" for operation in graph.get_operations())
        assert used == (patches and dtype == "bfloat16")
        (outputs, kernel), (their_outputs, their_kernel) = gradient(ours, inputs), gradient(theirs, inputs)
        np.testing.assert_array_equal(np.asarray(outputs, "float32"), np.asarray(their_outputs, "float32"))
        tolerance = 0.02 if dtype == "bfloat16" else 1e-6
        np.testing.assert_allclose(
            np.asarray(kernel, "float32"),
            np.asarray(their_kernel, "float32"),
            atol=tolerance * np.abs(np.asarray(their_kernel, "float32")).max(),
        )


def test_the_networks_are_built_of_them():
    generator, discriminator = networks.dcgan.generator((16, 16, 1)), networks.dcgan.discriminator((16, 16, 1))
    assert isinstance(generator.get_layer("up_0"), Conv2DTranspose)
    assert isinstance(discriminator.get_layer("down_0"), Conv2D)
    again = keras.Model.from_config(discriminator.get_config())
    assert isinstance(again.get_layer("down_0"), Conv2D)


def test_layer_normalization_normalizes_each_sample_over_all_its_features():
    layer = normalization("layer", "x")
    inputs = np.random.default_rng(0).normal(3.0, 2.0, (4, 5, 6, 7)).astype("float32")
    outputs = np.asarray(layer(inputs))
    wanted = (inputs - inputs.mean((1, 2, 3), keepdims=True)) / np.sqrt(inputs.var((1, 2, 3), keepdims=True) + 1e-5)
    np.testing.assert_allclose(outputs, wanted, atol=1e-4)
    assert [tuple(weight.shape) for weight in layer.weights] == [(7,), (7,)]


def test_an_unknown_normalization_is_refused_in_words():
    with pytest.raises(ValueError, match='"instance", "spectral" or None. Received: \'group\''):
        normalization("group", "x")


def test_instance_normalization_normalizes_each_channel_of_each_sample():
    inputs = np.random.default_rng(0).normal(3.0, 2.0, (4, 5, 6, 7)).astype("float32")
    layer = normalization("instance", "x")
    outputs = np.asarray(layer(inputs)) / layer.gamma.numpy()
    wanted = (inputs - inputs.mean((1, 2), keepdims=True)) / np.sqrt(inputs.var((1, 2), keepdims=True) + 1e-5)
    np.testing.assert_allclose(outputs, wanted, atol=1e-4)


@pytest.mark.parametrize("dtype, tolerance", [("float32", 2e-6), ("mixed_bfloat16", 0.02)])
def test_fused_batch_normalization_equals_that_of_keras(dtype, tolerance):
    inputs = tf.random.stateless_normal((6, 5, 4, 3), seed=[0, 1], mean=0.5, stddev=2.0)
    weights = tf.random.stateless_normal((6, 5, 4, 3), seed=[0, 2])
    results = []
    for layer_type in (BatchNormalization, keras.layers.BatchNormalization):
        layer = layer_type(momentum=0.9, epsilon=1e-5, dtype=dtype)
        layer.build(inputs.shape)
        layer.set_weights([np.array([1.5, 0.5, -1.0]), np.array([0.1, 0.2, 0.3]), np.arange(3.0), np.arange(1.0, 4.0)])

        @tf.function
        def train(layer, inputs):
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = tf.cast(layer(inputs, training=True), "float32")
                loss = tf.reduce_sum(outputs * weights)
            return outputs, *tape.gradient(loss, [inputs, layer.gamma.value, layer.beta.value])

        graph = train.get_concrete_function(layer, inputs).graph
        fused = any(operation.type == "FusedBatchNormV3" for operation in graph.get_operations())
        assert fused == (layer_type is BatchNormalization)
        results.append([*train(layer, inputs), *layer.get_weights(), layer(inputs, training=False)])
    for ours, theirs in zip(*results, strict=True):
        theirs = np.asarray(theirs, "float32")
        np.testing.assert_allclose(np.asarray(ours, "float32"), theirs, atol=tolerance * max(1.0, np.abs(theirs).max()))


# === Spectral normalization ===


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


def test_which_layers_are_spectral():
    assert (dense_layer("spectral"), convolution_layer("spectral")) == (SpectralDense, SpectralConv2D)
    for kind in (None, "batch", "layer"):
        assert (dense_layer(kind), convolution_layer(kind)) == (keras.layers.Dense, Conv2D)
    assert normalization("spectral", "x")("anything") == "anything"


@pytest.mark.parametrize("iterations", [0, 1.5, True])
def test_power_iterations_are_checked(iterations):
    with pytest.raises(ValueError, match="`power_iterations` must be a positive integer"):
        SpectralDense(2, power_iterations=iterations)


# === Labels and units ===


def test_one_hot():
    vectors = OneHot(3)(np.array([[0, 2], [1, 1]]))
    np.testing.assert_array_equal(vectors, [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 1, 0]]])
    label = keras.Input((), dtype="int64")
    assert OneHot(3, dtype="mixed_bfloat16")(label).dtype == "bfloat16"
    assert OneHot(3)(label).shape == (None, 3)


def test_maxout_takes_the_largest_piece():
    layer = Maxout(2, 3)
    assert layer(np.zeros((1, 4), "float32")).shape == (1, 2)
    inputs = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    kernel, bias = np.random.default_rng(1).normal(size=(4, 6)), np.arange(6.0)
    layer.set_weights([kernel, bias])
    values = inputs @ kernel + bias
    wanted = np.stack([values[:, :3].max(-1), values[:, 3:].max(-1)], -1)
    np.testing.assert_allclose(layer(inputs), wanted, rtol=1e-5, atol=1e-6)
    again = Maxout.from_config(layer.get_config())
    assert again.compute_output_shape((7, 4)) == (7, 2) and again.pieces == 3
    with tf.GradientTape() as tape:
        inputs = tf.constant(inputs[:1])
        tape.watch(inputs)
        value = layer(inputs)[0, 1]
    np.testing.assert_allclose(tape.gradient(value, inputs)[0], kernel[:, 3 + values[0, 3:].argmax()], rtol=1e-6)


def test_conditional_batch_normalization():
    inputs = np.random.default_rng(0).normal(3.0, 2.0, (4, 5, 5, 3)).astype("float32")
    labels = np.array([0, 1, 1, 0])
    layer = ConditionalBatchNormalization(2)
    mean, variance = inputs.mean((0, 1, 2)), inputs.var((0, 1, 2))
    normalized = (inputs - mean) / np.sqrt(variance + 1e-5)
    np.testing.assert_allclose(layer([inputs, labels], training=True), normalized, atol=1e-5)  # As without classes.
    gain, bias = np.random.default_rng(1).normal(size=(2, 2, 3))
    layer.gain.assign(gain)
    layer.bias.assign(bias)
    wanted = gain[labels][:, None, None] * normalized + bias[labels][:, None, None]
    np.testing.assert_allclose(layer([inputs, labels], training=True), wanted, atol=1e-5)
    np.testing.assert_allclose(layer.normalize.moving_mean.numpy(), mean * (1 - 0.9**2), rtol=1e-5)
    in_inference = (inputs - layer.normalize.moving_mean) / np.sqrt(layer.normalize.moving_variance + 1e-5)
    wanted = gain[labels][:, None, None] * in_inference + bias[labels][:, None, None]
    np.testing.assert_allclose(layer([inputs, labels]), wanted, atol=1e-5)


def test_conditional_batch_normalization_is_over_all_replicas():
    strategy = two_replicas()
    inputs = np.random.default_rng(0).normal(3.0, 2.0, (4, 5, 5, 3)).astype("float32")
    labels = np.array([0, 1, 1, 0])
    with strategy.scope():
        layer = ConditionalBatchNormalization(2)
        layer.build([(None, 5, 5, 3), (None,)])
    alone = ConditionalBatchNormalization(2)
    wanted = alone([inputs, labels], training=True)

    def half(values):
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(values[2 * context.replica_id_in_sync_group :][:2])
        )

    outputs = strategy.run(lambda x, label: layer([x, label], training=True), args=(half(inputs), half(labels)))
    outputs = tf.concat(strategy.experimental_local_results(outputs), 0)
    np.testing.assert_allclose(outputs, wanted, rtol=1e-5, atol=1e-5)
    for ours, theirs in zip(layer.weights, alone.weights, strict=True):
        for copy in strategy.experimental_local_results(ours.value):
            np.testing.assert_allclose(copy, theirs, rtol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_conditional_batch_normalization_is_saved(policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    image, label = keras.Input((4, 4, 3)), keras.Input((), dtype="int64")
    network = keras.Model([image, label], ConditionalBatchNormalization(2)([image, label]))
    assert len(network.trainable_weights) == 2 and len(network.non_trainable_weights) == 2
    inputs = [np.random.default_rng(0).normal(size=(3, 4, 4, 3)).astype("float32"), np.array([0, 1, 1])]
    assert network(inputs, training=True).dtype == network.layers[-1].compute_dtype
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    for ours, theirs in zip(network.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(np.asarray(network(inputs), "float32"), np.asarray(loaded(inputs), "float32"))
