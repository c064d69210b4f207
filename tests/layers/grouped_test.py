import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import GroupedConv2D, grouped

X = np.random.default_rng(0).normal(size=(2, 5, 4, 6)).astype("float32")


def penalty_gradient(function, kernel):
    """The gradient of a penalty on the gradient, as R1 has it."""
    x = tf.constant(X)
    with tf.GradientTape() as outer:
        outer.watch(kernel)
        with tf.GradientTape() as inner:
            inner.watch(x)
            total = tf.reduce_sum(function(x, kernel) ** 2)
        penalty = tf.reduce_sum(inner.gradient(total, x) ** 2)
    return outer.gradient(penalty, kernel)


def block_diagonal(x, kernel, groups=3):
    """The definition: a convolution whose kernel is zero between groups."""
    rows, columns, size, filters = kernel.shape
    own = tf.reshape(kernel, (rows, columns, 1, size, groups, filters // groups))
    dense = tf.reshape(own * tf.eye(groups)[:, None, :, None], (rows, columns, groups * size, filters))
    return tf.nn.conv2d(x, dense, 1, "SAME")


@pytest.mark.parametrize("form", ["of this machine", "split"])
def test_the_definition_and_the_gradient_of_a_penalty(form, monkeypatch):
    if form == "split":
        monkeypatch.setattr(grouped, "has_grouped_gradients", lambda dtype: False)
    keras.utils.set_random_seed(0)
    layer = GroupedConv2D(9, 3, padding="same", groups=3, use_bias=False)
    y = layer(X)
    kernel = tf.constant(layer.kernel.numpy())
    np.testing.assert_allclose(y, block_diagonal(X, kernel), rtol=1e-4, atol=1e-5)
    expected = penalty_gradient(block_diagonal, kernel)
    np.testing.assert_allclose(penalty_gradient(layer.convolution_op, kernel), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_it_trains_in_half_precision(dtype):
    layer = GroupedConv2D(6, 3, padding="same", groups=3, dtype=dtype)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.cast(layer(tf.constant(X, dtype)), "float32"))
    (gradient,) = tape.gradient(loss, [layer.kernel.value])
    assert np.isfinite(np.asarray(gradient, "float32")).all()
