"""Convolutions with a filter gradient of their own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import networks
from ganzoo.layers import Conv2D, Conv2DTranspose, trilinear_convolution

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
