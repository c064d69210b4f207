"""Convolutions whose filter gradient is fast in bfloat16 on a CPU."""

import keras
import tensorflow as tf

# On a CPU, bfloat16 convolutions are fast except for the filter gradient when the smaller map has few pixels. In that
# case, patches and a matrix product are faster (docs/performance.md). In float32 and on larger maps they are slower.
LARGEST_SMALL_MAP = 4 * 4


def trilinear_convolution(kernel_shape, strides, large_shape):
    """A strided "same" convolution and its transpose, with the filter gradient as patches and a matrix product.

    `<conv(x, w), y>` is linear in the large map x, the kernel w and the small map y. Its three derivatives are the
    convolution, the transposed convolution and the filter gradient, and the gradient of each is made of the other two:
    exact to any order, up to rounding.

    Args:
        kernel_shape: `(height, width, large_channels, small_channels)`.
        strides: `(rows, columns)`.
        large_shape: `(height, width, channels)` of the larger map.

    Returns:
        Two functions, `convolve(large, kernel)` -> small and `transpose(small, kernel)` -> large.
    """
    window, steps = [1, *kernel_shape[:2], 1], [1, *strides, 1]

    @tf.custom_gradient
    def convolve(large, kernel):
        small = tf.nn.conv2d(large, kernel, strides, "SAME")
        return small, lambda upstream: (transpose(upstream, kernel), filter_gradient(large, upstream))

    @tf.custom_gradient
    def transpose(small, kernel):
        shape = tf.concat([tf.shape(small)[:1], large_shape], 0)
        large = tf.nn.conv2d_transpose(small, kernel, shape, strides, "SAME")
        large = tf.ensure_shape(large, [small.shape[0], *large_shape])
        return large, lambda upstream: (convolve(upstream, kernel), filter_gradient(upstream, small))

    @tf.custom_gradient
    def filter_gradient(large, small):
        patches = tf.image.extract_patches(large, window, steps, [1, 1, 1, 1], "SAME")
        rows = tf.reshape(patches, [-1, patches.shape[-1]])
        columns = tf.reshape(small, [-1, small.shape[-1]])
        kernel = tf.reshape(tf.matmul(rows, columns, transpose_a=True), kernel_shape)
        return kernel, lambda upstream: (transpose(small, upstream), convolve(large, upstream))

    return convolve, transpose


def filter_gradient_is_slow(layer, small_shape):
    """Whether `trilinear_convolution` is faster for a layer, given the height and width of its smaller map."""
    return (
        layer.compute_dtype == "bfloat16"
        and layer.padding == "same"
        and layer.dilation_rate == (1, 1)
        and layer.data_format == "channels_last"
        and small_shape[0] * small_shape[1] <= LARGEST_SMALL_MAP
    )


@keras.saving.register_keras_serializable("ganzoo")
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, with a fast filter gradient in bfloat16. See `trilinear_convolution`."""

    def convolution_op(self, inputs, kernel):
        if not filter_gradient_is_slow(self, self.compute_output_shape(inputs.shape)[1:3]):
            return super().convolution_op(inputs, kernel)
        convolve, _ = trilinear_convolution(kernel.shape, self.strides, inputs.shape[1:])
        return convolve(inputs, tf.convert_to_tensor(kernel))


@keras.saving.register_keras_serializable("ganzoo")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, with a fast filter gradient in bfloat16. See `trilinear_convolution`."""

    def call(self, inputs):
        if not filter_gradient_is_slow(self, inputs.shape[1:3]):
            return super().call(inputs)
        _, transpose = trilinear_convolution(
            self.kernel.shape, self.strides, self.compute_output_shape(inputs.shape)[1:]
        )
        outputs = transpose(inputs, tf.convert_to_tensor(self.kernel))
        return self.activation(outputs + self.bias if self.use_bias else outputs)
