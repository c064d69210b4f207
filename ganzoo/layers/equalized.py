"""The layers of StyleGAN2: equalized learning rates, modulated convolutions, noise, minibatch statistics."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo import checks
from ganzoo.layers.convolutions import Conv2D
from ganzoo.layers.rectifiers import leaky_relu
from ganzoo.layers.resampling import SMOOTH, FilteredResampling, apply_to_lines, filtering

# Every kernel starts as N(0, 1) and is scaled where it is used.
NORMAL = {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 1.0}}
EPSILON = 1e-8
SQRT_2 = math.sqrt(2.0)


@keras.saving.register_keras_serializable("ganzoo")
class EqualizedDense(keras.layers.Dense):
    """A dense layer whose kernel is N(0, 1) at first, and is scaled by `1 / sqrt(inputs)` in each use.

    Adam moves every weight by about its learning rate, whatever its size. So all weights are of size 1, and the scale
    that He's initializer would give them stands outside.

    Reference: [Karras et al., 2017](https://arxiv.org/abs/1710.10196), Section 4.1.

    Args:
        units: Integer.
        rate: Float, the learning rate of this layer relative to others: what is used is `rate * weight`, and the
            weights start as `1 / rate` times as large. Defaults to `1.0`.
        bias_value: Float, the bias at the start. Defaults to `0.0`.
        Others: As in `keras.layers.Dense`.
    """

    def __init__(self, units, rate=1.0, bias_value=0.0, **kwargs):
        rate, bias_value = checks.number("rate", rate, above=0), checks.number("bias_value", bias_value)
        kernel = keras.initializers.RandomNormal(0.0, 1.0 / rate)
        bias = keras.initializers.Constant(bias_value / rate)
        super().__init__(
            checks.integer("units", units, least=1), kernel_initializer=kernel, bias_initializer=bias, **kwargs
        )
        self.rate = rate
        self.bias_value = bias_value

    def call(self, inputs, training=None):
        outputs = ops.matmul(inputs, self.kernel * (self.rate / math.sqrt(self.kernel.shape[0])))
        if self.bias is not None:
            outputs = outputs + self.rate * self.bias
        return outputs if self.activation is None else self.activation(outputs)

    def get_config(self):
        config = super().get_config()
        own = {"rate": self.rate, "bias_value": self.bias_value}
        left_out = ("kernel_initializer", "bias_initializer")
        return {**{name: config[name] for name in config if name not in left_out}, **own}


@keras.saving.register_keras_serializable("ganzoo")
class EqualizedConv2D(Conv2D):
    """A convolution whose kernel is N(0, 1) at first, and is scaled by `1 / sqrt(inputs)` in each use.

    See `EqualizedDense`. A kernel of 3x3 pixels and c channels has 9 c inputs.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{**kwargs, "kernel_initializer": NORMAL})

    def convolution_op(self, inputs, kernel):
        return super().convolution_op(inputs, kernel * (1.0 / math.sqrt(math.prod(kernel.shape[:-1]))))


@keras.saving.register_keras_serializable("ganzoo")
class ScaledLeakyReLU(keras.layers.Layer):
    """LeakyReLU(0.2) times a gain, sqrt(2) by default: the square of a normal number keeps its mean, about.

    Args:
        gain: Float. Defaults to `sqrt(2)`.
    """

    def __init__(self, gain=SQRT_2, **kwargs):
        super().__init__(**kwargs)
        self.gain = checks.number("gain", gain, above=0)

    def call(self, x):
        return leaky_relu(x, 0.2) * self.gain

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "gain": self.gain}


@keras.saving.register_keras_serializable("ganzoo")
class PixelNormalization(keras.layers.Layer):
    """Scales each vector of the last axis to a mean square of 1.

    Reference: [Karras et al., 2017](https://arxiv.org/abs/1710.10196), Section 4.2.
    """

    def call(self, x):
        return x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + EPSILON)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable("ganzoo")
class ModulatedConv2D(keras.layers.Layer):
    """A convolution whose kernel is scaled by the style of each sample, and normalised for it.

        w'_ijk  = s_i w_ijk                                       (Equation 1)
        w''_ijk = w'_ijk / sqrt(sum_ik w'_ijk^2 + epsilon)        (Equation 3)

    i are the input channels, j the output channels, k the pixels of the kernel. The scale of an input channel and that
    of an output channel can be applied to the maps in the place of the kernel: conv(s x, w) / sqrt(...) is the same
    number, and all samples share one kernel.

    With `upsample`, height and width double: a transposed convolution of stride 2 and the filter [1, 3, 3, 1].

    Reference: [Karras et al., 2019](https://arxiv.org/abs/1912.04958), Section 2.2.

    Args:
        filters: Integer.
        kernel_size: Integer. Defaults to `3`.
        demodulate: Boolean, whether the kernel is normalised. Defaults to `True`.
        upsample: Boolean. Defaults to `False`.

    Call arguments: `[x, styles]` of the shapes `(batch, height, width, channels)` and `(batch, channels)`.
    """

    def __init__(self, filters, kernel_size=3, demodulate=True, upsample=False, **kwargs):
        super().__init__(**kwargs)
        self.filters = checks.integer("filters", filters, least=1)
        self.kernel_size = checks.integer("kernel_size", kernel_size, least=1)
        if self.kernel_size % 2 == 0:
            raise checks.refusal("kernel_size", kernel_size, "odd, to have a middle")
        self.demodulate = checks.boolean("demodulate", demodulate)
        self.upsample = checks.boolean("upsample", upsample)

    def build(self, input_shape):
        (_, *sides, channels), _ = input_shape
        shape = (self.kernel_size, self.kernel_size, channels, self.filters)
        self.kernel = self.add_weight(shape=shape, initializer=NORMAL, autocast=False, name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")
        if self.upsample:
            # The transposed convolution makes 2 n - 2 + kernel_size pixels; the filter brings the middle to 2 n.
            sizes = [2 * side - 2 + self.kernel_size for side in sides]
            shift = (self.kernel_size - 1) // 2
            self.matrices = [
                filtering(size, SMOOTH, 2 * side, 2 - shift, gain=2.0) for size, side in zip(sizes, sides, strict=True)
            ]

    def call(self, inputs):
        x, styles = inputs
        kernel = ops.cast(self.kernel, "float32") * (1.0 / math.sqrt(math.prod(self.kernel.shape[:-1])))
        x = x * ops.cast(styles, x.dtype)[:, None, None, :]
        x = self.convolve(x, ops.cast(kernel, x.dtype))
        if self.demodulate:
            x = x * ops.cast(self.demodulation(kernel, styles), x.dtype)[:, None, None, :]
        return x + ops.cast(self.bias, x.dtype)

    def demodulation(self, kernel, styles):
        """One over the norm of each sample's kernels, float32 `(batch, filters)`."""
        squares = ops.matmul(ops.square(ops.cast(styles, "float32")), ops.sum(ops.square(kernel), axis=(0, 1)))
        return ops.rsqrt(squares + EPSILON)

    def convolve(self, x, kernel):
        """The convolution that all samples share."""
        if not self.upsample:
            return tf.nn.conv2d(x, kernel, 1, "SAME")
        height, width = self.matrices[0].shape[1], self.matrices[1].shape[1]
        shape = (ops.shape(x)[0], height, width, self.filters)
        x = tf.nn.conv2d_transpose(x, tf.transpose(kernel, (0, 1, 3, 2)), shape, 2, "VALID")
        x = tf.ensure_shape(x, (None, height, width, self.filters))
        return apply_to_lines(x, *self.matrices)

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape[0]
        factor = 2 if self.upsample else 1
        return batch, factor * height, factor * width, self.filters

    def get_config(self):
        names = ("filters", "kernel_size", "demodulate", "upsample")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable("ganzoo")
class StyleNoise(keras.layers.Layer):
    """Adds noise to all channels of a map alike, times a strength that is learned and starts at 0.

    Args:
        start: Integer, where this layer's part of the noise begins.

    Call arguments: `[x, noise]` of the shapes `(batch, height, width, channels)` and `(batch, count)`.
    """

    def __init__(self, start=0, **kwargs):
        super().__init__(**kwargs)
        self.start = checks.integer("start", start, least=0)

    def build(self, input_shape):
        self.strength = self.add_weight(shape=(), initializer="zeros", name="strength")

    def call(self, inputs):
        x, noise = inputs
        height, width = x.shape[1:3]
        own = ops.reshape(noise[:, self.start : self.start + height * width], (-1, height, width, 1))
        return x + self.strength * own

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "start": self.start}


@keras.saving.register_keras_serializable("ganzoo")
class FixedNoise(keras.layers.Layer):
    """The same numbers from N(0, 1) for every sample, `(batch, count)`: what a generator has for noise when it is used.

    Args:
        count: Integer.

    Call arguments: any tensor `(batch, ...)`.
    """

    ignores_values = True

    def __init__(self, count, **kwargs):
        super().__init__(**kwargs)
        self.count = checks.integer("count", count, least=1)
        self.numbers = np.random.default_rng(0).standard_normal(self.count, "float32")

    def call(self, x):
        return ops.broadcast_to(ops.cast(self.numbers, self.compute_dtype), (ops.shape(x)[0], self.count))

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.count

    def get_config(self):
        return {**super().get_config(), "count": self.count}


@keras.saving.register_keras_serializable("ganzoo")
class MinibatchStandardDeviation(keras.layers.Layer):
    """Joins a map that tells how much the samples of a group differ, as a last channel.

    It is the standard deviation over the group, averaged over pixels and channels. A generator that makes one sample is
    found out. A group is a run of neighbours, so parts of a batch on several devices have the groups of the whole.

    Reference: [Karras et al., 2017](https://arxiv.org/abs/1710.10196), Section 3.

    Args:
        group_size: Integer, samples in a group. A batch that it does not divide has the largest smaller groups that do.
            Defaults to `4`.
    """

    def __init__(self, group_size=4, **kwargs):
        super().__init__(**kwargs)
        self.group_size = checks.integer("group_size", group_size, least=1)

    def call(self, x):
        batch = ops.shape(x)[0]
        size = largest_divisor(batch, self.group_size)
        groups = ops.reshape(ops.cast(x, "float32"), (-1, size, *x.shape[1:]))
        centred = groups - ops.mean(groups, axis=1, keepdims=True)
        deviations = ops.sqrt(ops.mean(ops.square(centred), axis=1) + EPSILON)
        statistic = ops.mean(deviations, axis=(1, 2, 3))
        statistic = ops.broadcast_to(statistic[:, None], (batch // size, size))
        height, width = x.shape[1:3]
        plane = ops.broadcast_to(ops.reshape(statistic, (-1, 1, 1, 1)), (batch, height, width, 1))
        return ops.concatenate([x, ops.cast(plane, x.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return *input_shape[:-1], input_shape[-1] + 1

    def get_config(self):
        return {**super().get_config(), "group_size": self.group_size}


def largest_divisor(number, most):
    """The largest divisor of a number up to `most`; the number may be a tensor."""
    if isinstance(number, int):
        return max(size for size in range(1, most + 1) if number % size == 0)
    sizes = tf.range(1, most + 1)
    return tf.reduce_max(tf.where(number % sizes == 0, sizes, 1))


@keras.saving.register_keras_serializable("ganzoo")
class FilterBeforeStride(FilteredResampling):
    """The filter [1, 3, 3, 1] before a 3x3 convolution of stride 2 without padding, which then halves, rounded up."""

    def matrix_of(self, size):
        return filtering(size, self.taps, length_before_stride(size), 2)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, length_before_stride(height), length_before_stride(width), channels


def length_before_stride(size):
    """The length of a line of which a kernel of 3 and stride 2 makes `ceil(size / 2)` values."""
    return 2 * -(-size // 2) + 1
