"""Batch normalization, and its kind with gains for each class."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import BatchNormalization, ConditionalBatchNormalization, ModulatedBatchNormalization
from tests.check_model import two_replicas


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


@pytest.mark.parametrize("normalization", [None, "spectral"])
def test_modulated_gains_and_biases_are_linear_in_the_vector(normalization):
    layer = ModulatedBatchNormalization(normalization)
    x = np.random.default_rng(0).normal(size=(4, 3, 3, 2)).astype("float32")
    vectors = np.eye(3, dtype="float32")[[0, 1, 2, 1]]
    layer.build([x.shape, vectors.shape])
    gains, biases = (np.array(part(vectors))[:, None, None] for part in (layer.gain, layer.bias))
    np.testing.assert_allclose(layer([x, vectors]), (1 + gains) * x / np.sqrt(1 + 1e-5) + biases, rtol=1e-4, atol=1e-5)
    if normalization is None:
        y = layer([x, vectors], training=True)
        normalized = (x - x.mean(axis=(0, 1, 2))) / np.sqrt(x.var(axis=(0, 1, 2)) + 1e-5)
        np.testing.assert_allclose(y, (1 + gains) * normalized + biases, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(layer.normalize.moving_mean, 0.1 * x.mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-6)


def test_a_table_of_classes_is_a_modulation_by_one_hot_vectors():
    table, modulated = ConditionalBatchNormalization(3), ModulatedBatchNormalization()
    x = np.random.default_rng(0).normal(size=(4, 2)).astype("float32")
    labels = np.array([0, 2, 2, 1])
    vectors = np.eye(3, dtype="float32")[labels]
    table.build([x.shape, labels.shape])
    modulated.build([x.shape, vectors.shape])
    table.gain.assign(1.0 + modulated.gain.kernel)
    table.bias.assign(modulated.bias.kernel)
    np.testing.assert_allclose(table([x, labels]), modulated([x, vectors]), rtol=1e-5, atol=1e-6)
