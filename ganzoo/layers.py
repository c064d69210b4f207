"""Layers that two families of networks or more share."""

import keras
import tensorflow as tf

# Radford et al., 2015, Section 4: zero-centred normal weights of standard deviation 0.02; the authors' code draws the
# gains of batch normalization from N(1, 0.02).
# Configs, not initializers: an instance draws its seed when it is made, a config when a layer takes it.
DCGAN_KERNELS = {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.02}}
DCGAN_GAINS = {"class_name": "RandomNormal", "config": {"mean": 1.0, "stddev": 0.02}}

# For rectifiers, after the code of Gulrajani et al., 2017 (tflib/ops/conv2d.py): uniform, of variance
# 4 / (fan_in + fan_out), without its correction for strides.
WGAN_GP_KERNELS = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_avg", "distribution": "uniform"},
}


def normalization(kind, name):
    """Returns a normalization layer, or the identity.

    Args:
        kind: `"batch"`, `"layer"` or `None`. `"layer"` normalizes each sample over height, width and channels, with a
            gain and a bias for each channel: the layer normalization of WGAN-GP's authors, which couples no samples.
        name: String, name of the layer.
    """
    if kind is None:
        return lambda x: x
    if kind == "batch":
        # Momentum and epsilon of the reference code; Keras' 0.99 lags behind a network that learns fast. The batch
        # of the papers is the global one, so its statistics are taken over all replicas.
        return BatchNormalization(
            momentum=0.9,
            epsilon=1e-5,
            gamma_initializer=DCGAN_GAINS,
            synchronized=True,
            name=f"{name}_batch_norm",
        )
    if kind == "layer":
        return keras.layers.GroupNormalization(groups=1, epsilon=1e-5, name=f"{name}_layer_norm")
    raise ValueError(f'`normalization` must be "batch", "layer" or None. Received: {kind!r}')


@keras.saving.register_keras_serializable("ganzoo")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, by TensorFlow's fused kernel while one replica trains on images.

    The same function and the same statistics, faster: Keras composes it of single operations, which it needs for
    statistics over several replicas.
    """

    def call(self, inputs, training=None, mask=None):
        if not (training and self.trainable and mask is None and self._kernel_fits(inputs)):
            return super().call(inputs, training=training, mask=mask)
        fused = tf.raw_ops.FusedBatchNormV3(
            x=tf.cast(inputs, self.compute_dtype),
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), "float32")
        variance = fused.batch_variance * (count - 1.0) / count  # The kernel's is the unbiased estimate, Keras' is not.
        for average, value in ((self.moving_mean, fused.batch_mean), (self.moving_variance, variance)):
            average.assign(average * self.momentum + value * (1.0 - self.momentum))
        return fused.y

    def _kernel_fits(self, inputs):
        return (
            len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and self.scale
            and self.center
            and not getattr(self, "renorm", False)
            and self.compute_dtype in ("float32", "bfloat16")
            and tf.distribute.get_strategy().num_replicas_in_sync == 1
        )


# A bfloat16 convolution on a CPU loses its lead in one place: the filter gradient where the smaller map has few pixels.
# There, patches and one matrix product are faster (docs/performance.md); in float32 and on larger maps they are not.
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
    """Whether `trilinear_convolution` is the faster way for a layer whose smaller map has that height and width."""
    return (
        layer.compute_dtype == "bfloat16"
        and layer.padding == "same"
        and layer.dilation_rate == (1, 1)
        and layer.data_format == "channels_last"
        and small_shape[0] * small_shape[1] <= LARGEST_SMALL_MAP
    )


@keras.saving.register_keras_serializable("ganzoo")
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, with a fast filter gradient in bfloat16; see `trilinear_convolution`."""

    def convolution_op(self, inputs, kernel):
        if not filter_gradient_is_slow(self, self.compute_output_shape(inputs.shape)[1:3]):
            return super().convolution_op(inputs, kernel)
        convolve, _ = trilinear_convolution(kernel.shape, self.strides, inputs.shape[1:])
        return convolve(inputs, tf.convert_to_tensor(kernel))


@keras.saving.register_keras_serializable("ganzoo")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, with a fast filter gradient in bfloat16; see `trilinear_convolution`."""

    def call(self, inputs):
        if not filter_gradient_is_slow(self, inputs.shape[1:3]):
            return super().call(inputs)
        _, transpose = trilinear_convolution(
            self.kernel.shape, self.strides, self.compute_output_shape(inputs.shape)[1:]
        )
        outputs = transpose(inputs, tf.convert_to_tensor(self.kernel))
        return self.activation(outputs + self.bias if self.use_bias else outputs)
