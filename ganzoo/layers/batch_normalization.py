"""Batch normalization, with the same gains for all samples or with gains for each class."""

import keras
import tensorflow as tf
from keras import ops

from ganzoo import checks


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
