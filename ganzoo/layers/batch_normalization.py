"""Batch normalization, with the same gains for all samples, with gains for each class, or with gains of a vector."""

import keras
import tensorflow as tf
from keras import ops

from ganzoo import checks
from ganzoo.layers.spectral import SpectralDense


@keras.saving.register_keras_serializable("ganzoo")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` with TensorFlow's fused kernel, when a single replica trains on images.

    It computes the same function and the same statistics, but faster. Keras composes it of single operations, which are
    needed for statistics over several replicas.
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
        variance = fused.batch_variance * (count - 1.0) / count  # The kernel's estimate is unbiased, Keras' is not.
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


@keras.saving.register_keras_serializable("ganzoo")
class ConditionalBatchNormalization(keras.layers.Layer):
    """Batch normalization with gains and biases for each class.

        y = gain[label] * (x - mean) / sqrt(variance + epsilon) + bias[label]

    Mean and variance are over all classes, as in `BatchNormalization`. The gains start at 1, the biases at 0.

    Reference: [Dumoulin et al., 2016](https://arxiv.org/abs/1610.07629), with statistics of each image, and [de Vries
    et al., 2017](https://arxiv.org/abs/1707.00683), with statistics of the batch.

    Args:
        num_classes: Integer.

    Call arguments: `[x, label]` of the shapes `(batch, ..., channels)` and `(batch,)`.
    """

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = checks.integer("num_classes", num_classes, least=1)
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
class ModulatedBatchNormalization(keras.layers.Layer):
    """Batch normalization whose gains and biases are linear in a vector: a label, an embedding, a part of the latents.

        y = (1 + U v) * (x - mean) / sqrt(variance + epsilon) + W v

    With a one-hot vector, U and W are tables with a row for each class. With an embedding that all such layers share,
    they are far smaller than such tables where classes are many.

    Reference: [Brock et al., 2018](https://arxiv.org/abs/1809.11096), Section 3 and Appendix B.

    Args:
        normalization: `"spectral"`, or `None` (the default), of the kernels U and W.
        kernel_initializer: Keras initializer of U and W. Defaults to `"glorot_uniform"`.

    Call arguments: `[x, v]` of the shapes `(batch, ..., channels)` and `(batch, width)`.
    """

    def __init__(self, normalization=None, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.normalization = checks.choice("normalization", normalization, ("spectral", None))
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.normalize = BatchNormalization(
            momentum=0.9, epsilon=1e-5, center=False, scale=False, synchronized=True, dtype=self.dtype_policy
        )

    def build(self, input_shape):
        shape, width = input_shape
        self.normalize.build(shape)
        kind = SpectralDense if self.normalization == "spectral" else keras.layers.Dense
        self.gain, self.bias = (
            kind(
                shape[-1],
                use_bias=False,
                kernel_initializer=self.kernel_initializer.clone(),
                dtype=self.dtype_policy,
                name=name,
            )
            for name in ("gain", "bias")
        )
        self.gain.build(width)
        self.bias.build(width)

    def call(self, inputs, training=None):
        x, vector = inputs
        shape = (-1, *[1] * (len(x.shape) - 2), x.shape[-1])
        gain, bias = (ops.reshape(layer(vector, training=training), shape) for layer in (self.gain, self.bias))
        return (1.0 + gain) * self.normalize(x, training=training) + bias

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        initializer = keras.initializers.serialize(self.kernel_initializer)
        return {**super().get_config(), "normalization": self.normalization, "kernel_initializer": initializer}
