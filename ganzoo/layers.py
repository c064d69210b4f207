"""Layers that two families of networks or more share."""

import keras
import tensorflow as tf
from keras import ops

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
        kind: `"batch"`, `"layer"`, `"instance"`, `"spectral"` or `None`. `"layer"` normalizes each sample over height,
            width and channels, with a gain and a bias for each channel: the layer normalization of WGAN-GP's authors,
            which couples no samples. `"instance"` normalizes each channel of each sample. `"spectral"` is the
            identity: it normalizes weights, see `dense_layer` and `convolution_layer`.
        name: String, name of the layer.
    """
    if kind in (None, "spectral"):
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
    if kind == "instance":
        return keras.layers.GroupNormalization(
            groups=-1, epsilon=1e-5, gamma_initializer=DCGAN_GAINS, name=f"{name}_instance_norm"
        )
    raise ValueError(f'`normalization` must be "batch", "layer", "instance", "spectral" or None. Received: {kind!r}')


def dense_layer(normalization):
    """The class of dense layers that goes with a normalization."""
    return SpectralDense if normalization == "spectral" else keras.layers.Dense


def convolution_layer(normalization):
    """The class of convolutions that goes with a normalization."""
    return SpectralConv2D if normalization == "spectral" else Conv2D


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
            scale=self.gamma.value if self.scale else tf.ones(inputs.shape[-1:]),
            offset=self.beta.value if self.center else tf.zeros(inputs.shape[-1:]),
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


# === Spectral normalization ===


class SpectrallyNormalized:
    """Divides a layer's kernel by its largest singular value, in the forward pass: the layer is 1-Lipschitz.

        W_SN = W / sigma(W),   sigma(W) = u^T W v                      (Equation 8)
        v <- W^T u / ||W^T u||,   u <- W v / ||W v||                   (Algorithm 1, one iteration a forward pass)

    The kernel stays what the optimizer made of it, and the gradient goes through sigma, with u and v as constants. Only
    u is kept, as a weight that no optimizer moves. It goes on in training mode alone. sigma is float32 in any
    precision. The kernel of a convolution is a matrix with a row for each filter, as in the paper; its norm bounds the
    convolution's up to a constant.

    Reference: [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), Section 2.1 and Algorithm 1 of Appendix A.

    Args:
        power_iterations: Integer, iterations in a forward pass. Defaults to `1`.
        Others: As in the Keras layer.
    """

    def __init__(self, *args, power_iterations=1, **kwargs):
        super().__init__(*args, **kwargs)
        if isinstance(power_iterations, bool) or not isinstance(power_iterations, int) or power_iterations < 1:
            raise ValueError(
                f"`power_iterations` must be a positive integer, as 1 in the paper. Received: {power_iterations!r}"
            )
        self.power_iterations = power_iterations

    def add_weight(self, *args, name=None, **kwargs):
        if name == "kernel":
            kwargs["autocast"] = False  # sigma needs the kernel itself, not a copy in half precision.
        return super().add_weight(*args, name=name, **kwargs)

    def build(self, input_shape):
        super().build(input_shape)
        self.left_vector = self.add_weight(
            shape=self.kernel.shape[-1:],
            initializer={"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 1.0}},
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",  # A function of the kernel: the same on all.
            name="left_vector",
        )

    def spectral_norm(self, training=False):
        """sigma, differentiable in the kernel. In training mode u goes on by `power_iterations`."""
        matrix = tf.reshape(self.kernel, (-1, self.kernel.shape[-1]))  # The paper's W, transposed.
        constant = tf.stop_gradient(matrix)
        u = tf.math.l2_normalize(tf.convert_to_tensor(self.left_vector))
        v = tf.math.l2_normalize(tf.linalg.matvec(constant, u))
        if training:
            for iteration in range(self.power_iterations):
                if iteration > 0:
                    v = tf.math.l2_normalize(tf.linalg.matvec(constant, u))
                u = tf.math.l2_normalize(tf.linalg.matvec(constant, v, transpose_a=True))
            self.left_vector.assign(u)
        return tf.tensordot(v, tf.linalg.matvec(matrix, u), 1)

    def call(self, inputs, training=None):
        kernel = ops.cast(self.kernel / self.spectral_norm(training), self.compute_dtype)
        outputs = self.linear(inputs, kernel)
        if self.bias is not None:
            outputs = outputs + ops.cast(self.bias, outputs.dtype)
        return self.activation(outputs)

    def save_own_variables(self, store):
        keras.layers.Layer.save_own_variables(self, store)  # Dense and Conv2D save kernel and bias only.

    def load_own_variables(self, store):
        keras.layers.Layer.load_own_variables(self, store)

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}


@keras.saving.register_keras_serializable("ganzoo")
class SpectralDense(SpectrallyNormalized, keras.layers.Dense):
    """`keras.layers.Dense` with spectral normalization; see `SpectrallyNormalized`."""

    def linear(self, inputs, kernel):
        return ops.matmul(inputs, kernel)


@keras.saving.register_keras_serializable("ganzoo")
class SpectralConv2D(SpectrallyNormalized, Conv2D):
    """`Conv2D` with spectral normalization; see `SpectrallyNormalized`."""

    def linear(self, inputs, kernel):
        return self.convolution_op(inputs, kernel)


# === Labels, and units for them ===


@keras.saving.register_keras_serializable("ganzoo")
class OneHot(keras.layers.Layer):
    """Integer labels `(batch, ...)` to vectors `(batch, ..., num_classes)` of zeros and a one.

    Args:
        num_classes: Integer.
    """

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes

    def call(self, labels):
        return ops.one_hot(labels, self.num_classes, dtype=self.compute_dtype)

    def compute_output_spec(self, labels):
        return keras.KerasTensor((*labels.shape, self.num_classes), dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


@keras.saving.register_keras_serializable("ganzoo")
class ConditionalBatchNormalization(keras.layers.Layer):
    """Batch normalization whose gains and biases are those of the sample's class.

        y = gain[label] * (x - mean) / sqrt(variance + epsilon) + bias[label]

    Mean and variance are over all classes; see `BatchNormalization`. The gains start at 1, the biases at 0.

    Reference: [Dumoulin et al., 2016](https://arxiv.org/abs/1610.07629), with the statistics of each image;
    [de Vries et al., 2017](https://arxiv.org/abs/1707.00683), with those of the batch.

    Args:
        num_classes: Integer.

    Call arguments: `[x, label]` of the shapes `(batch, ..., channels)` and `(batch,)`.
    """

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.normalize = BatchNormalization(
            momentum=0.9, epsilon=1e-5, center=False, scale=False, synchronized=True, dtype=self.dtype_policy
        )

    def build(self, input_shape):
        shape, _ = input_shape
        self.normalize.build(shape)
        self.gain, self.bias = (
            self.add_weight(shape=(self.num_classes, shape[-1]), initializer=initializer, name=name)
            for name, initializer in (("gain", "ones"), ("bias", "zeros"))
        )

    def call(self, inputs, training=None):
        x, label = inputs
        shape = (-1, *[1] * (len(x.shape) - 2), x.shape[-1])
        gain, bias = (ops.reshape(ops.take(table, label, axis=0), shape) for table in (self.gain, self.bias))
        return gain * self.normalize(x, training=training) + bias

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


@keras.saving.register_keras_serializable("ganzoo")
class Maxout(keras.layers.Dense):
    """The largest of `pieces` affine functions, for each of `units` units.

        h_i(x) = max_j (x^T W_ij + b_ij)

    Reference: [Goodfellow et al., 2013](https://arxiv.org/abs/1302.4389), Section 2.

    Args:
        units: Integer, width of the output.
        pieces: Integer, the paper's k.
        Others: As in `keras.layers.Dense`.
    """

    def __init__(self, units, pieces, **kwargs):
        super().__init__(units * pieces, **kwargs)
        self.pieces = pieces

    def call(self, inputs, training=None):
        values = super().call(inputs)
        shape = (*ops.shape(values)[:-1], self.units // self.pieces, self.pieces)
        return ops.max(ops.reshape(values, shape), axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units // self.pieces)

    def get_config(self):
        return {**super().get_config(), "units": self.units // self.pieces, "pieces": self.pieces}
