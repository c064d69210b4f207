"""Spectral normalization: layers that divide their kernel by its largest singular value."""

import keras
import tensorflow as tf
from keras import ops

from ganzoo import checks
from ganzoo.layers.convolutions import Conv2D


class SpectrallyNormalized:
    """Divides a layer's kernel by its largest singular value, in the forward pass.

        W_SN = W / sigma(W),   sigma(W) = u^T W v                      (Equation 8)
        v <- W^T u / ||W^T u||,   u <- W v / ||W v||                   (Algorithm 1, one iteration a forward pass)

    A dense layer becomes 1-Lipschitz. The kernel of a convolution is a matrix with a row for each filter, as in the
    paper. The norm of that matrix is not the norm of the convolution, but bounds it up to a constant. Overlapping
    patches share pixels, so a 4x4 convolution with stride 2 can have a Lipschitz constant above 1.

    The kernel itself is not changed. The gradient goes through sigma, with u and v as constants. Only u is stored, as a
    weight that is not trained. It is updated only in training mode. sigma is float32 in any precision.

    Reference: [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), Section 2.1 and Algorithm 1 of Appendix A.

    Args:
        power_iterations: Integer, iterations in a forward pass. Defaults to `1`, as in the paper.
        Others: As in the Keras layer.
    """

    def __init__(self, *args, power_iterations=1, **kwargs):
        super().__init__(*args, **kwargs)
        self.power_iterations = checks.integer("power_iterations", power_iterations, least=1)

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
            aggregation="only_first_replica",  # It follows from the kernel, so it is equal on all.
            name="left_vector",
        )

    def spectral_norm(self, training=False):
        """sigma, differentiable in the kernel. In training mode, u is updated by `power_iterations` iterations."""
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
    """`keras.layers.Dense` with spectral normalization. See `SpectrallyNormalized`."""

    def linear(self, inputs, kernel):
        return ops.matmul(inputs, kernel)


@keras.saving.register_keras_serializable("ganzoo")
class SpectralConv2D(SpectrallyNormalized, Conv2D):
    """`Conv2D` with spectral normalization. See `SpectrallyNormalized`."""

    def linear(self, inputs, kernel):
        return self.convolution_op(inputs, kernel)
