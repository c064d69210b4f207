"""Maxout units."""

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import Maxout


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


@pytest.mark.parametrize("arguments, name", [((0, 3), "units"), ((2, 0), "pieces"), ((2, 1.5), "pieces")])
def test_sizes_are_checked(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` must be an integer of at least 1. Received: {name}="):
        Maxout(*arguments)
