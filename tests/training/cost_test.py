"""The cost of graphs against hand counts."""

import importlib
import sys
from pathlib import Path

import pytest
import tensorflow as tf

import ganzoo
from ganzoo.training.cost import Cost, cost_of, cost_of_step

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"


def counted(function, *shapes):
    specs = [tf.TensorSpec(shape, "float32") for shape in shapes]
    return cost_of(tf.function(function, autograph=False).get_concrete_function(*specs))


def test_a_dense_layer():
    """8 samples, 5 inputs, 3 outputs: 8 * 5 * 3 multiplications, and 24 sums with a bias: 3 tensors of 4 bytes."""
    cost = counted(lambda x, w, b: tf.matmul(x, w) + b, (8, 5), (5, 3), (3,))
    assert cost.product == 2 * 8 * 5 * 3 and cost.convolution == 0
    assert cost.operations == 2 and cost.bytes == 4 * (24 + 3 + 24)


def test_a_convolution():
    """4 images, 3x3 kernel from 2 to 7 channels, 10x6 pixels with stride 2: 5x3 of them."""
    cost = counted(lambda x, k: tf.nn.conv2d(x, k, 2, "SAME"), (4, 10, 6, 2), (3, 3, 2, 7))
    assert cost.convolution == 2 * 4 * 5 * 3 * 9 * 2 * 7 and cost.product == 0


def test_gradients_cost_as_much_as_the_convolution_and_unused_gradients_nothing():
    def gradients(x, k, of):
        with tf.GradientTape() as tape:
            tape.watch([x, k])
            y = tf.nn.conv2d(x, k, 2, "SAME")
        return tape.gradient(y, {"x": x, "k": k, "both": [x, k]}[of])

    once = 2 * 4 * 5 * 3 * 9 * 2 * 7
    shapes = (4, 10, 6, 2), (3, 3, 2, 7)
    for of, times in (("x", 1), ("k", 1), ("both", 2)):  # The forward pass of a linear map is not needed.
        assert counted(lambda x, k, of=of: gradients(x, k, of), *shapes).convolution == times * once


def test_a_transposed_convolution():
    cost = counted(lambda x, k: tf.nn.conv2d_transpose(x, k, (2, 8, 8, 5), 2), (2, 4, 4, 3), (4, 4, 5, 3))
    assert cost.convolution == 2 * 2 * 4 * 4 * 16 * 5 * 3


def test_a_nested_function_counts_as_often_as_it_is_called():
    product = tf.function(lambda x, w: tf.matmul(x, w), autograph=False)
    cost = counted(lambda x, w: product(product(x, w), w), (2, 5), (5, 5))
    assert cost.product == 2 * 2 * 2 * 25


def test_the_memory_of_a_chain_is_two_results():
    """x + 1, then + 1, then + 1: a result can go when the next exists."""
    cost = counted(lambda x: ((x + 1) + 1) + 1, (10,))
    assert cost.live_bytes == 2 * 40
    assert counted(lambda x: [x + 1, x + 2, x + 3], (10,)).live_bytes == 3 * 40


def test_costs_add_up():
    assert Cost(1, 2, 3, 4, 5, 1) + Cost(1, 1, 1, 1, 9, 0) == Cost(2, 3, 4, 5, 9, 1)


def step_cost(cls, batch, **settings):
    model = getattr(ganzoo, cls).from_paper((16, 16, 1), filters=4, seed=0, **settings)
    return model, cost_of_step(model, tf.TensorSpec((batch * model.batches_per_step, 16, 16, 1), "float32"))


def closed_form(model, batch):
    """The formulas of docs/performance.md, with the multiplications of the layers."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        workloads = importlib.import_module("lib.workloads")
    finally:
        sys.path.remove(str(BENCHMARKS))
    d, g = (
        [workloads.describe(layer, 0, 0, 0).macs for layer in workloads.counted(network)]
        for network in (model.discriminator, model.generator)
    )
    d, first, g, g_first = sum(d), d[0], sum(g), g[0]
    if isinstance(model, ganzoo.WGANGP):
        n = model.discriminator_steps
        return 2 * batch * (n * (10 * d - 2 * first + g) + 3 * g + 2 * d - g_first)
    return 2 * batch * (4 * g + 8 * d - 2 * first - g_first)


@pytest.mark.parametrize("cls, settings", [("DCGAN", {}), ("WGANGP", {"discriminator_steps": 2})])
def test_a_step_costs_what_the_formula_says(cls, settings):
    """And twice for twice the batch."""
    model, cost = step_cost(cls, 8, **settings)
    assert cost.flops == pytest.approx(closed_form(model, 8), rel=0.01)
    _, twice = step_cost(cls, 16, **settings)
    assert twice.flops == pytest.approx(2 * cost.flops, rel=1e-9)
    assert twice.operations == cost.operations and cost.live_bytes < twice.live_bytes < 2 * cost.live_bytes
