"""A codebook: vectors that stand for integer codes."""

import keras
import tensorflow as tf
from keras import ops

from ganzoo import checks


@keras.saving.register_keras_serializable("ganzoo")
class Codebook(keras.layers.Layer):
    """A table of vectors. A call looks up codes; `nearest` and `straight_through` replace vectors by codes.

    Reference: [van den Oord et al., 2017](https://arxiv.org/abs/1711.00937), Section 3.1.

    Args:
        num_codes: Integer K, rows of the table.
        code_dim: Integer D, size of a vector.
    """

    def __init__(self, num_codes, code_dim, **kwargs):
        super().__init__(**kwargs)
        self.num_codes, self.code_dim = checks.counts(num_codes=num_codes, code_dim=code_dim)
        # The spread of He's initializer, so that no code begins far from the encoder's outputs.
        self.embeddings = self.add_weight(
            shape=(self.num_codes, self.code_dim),
            initializer=keras.initializers.VarianceScaling(1.0, "fan_out", "uniform"),
            autocast=False,
            dtype="float32",
            name="embeddings",
        )

    def build(self, input_shape):
        self.built = True

    def call(self, codes):
        """Codes `(batch, ...)`, integers below K -> float32 vectors `(batch, ..., D)`."""
        codes = ops.convert_to_tensor(codes)
        if not codes.dtype.is_integer:
            raise ValueError(f"`codes` must be integers below {self.num_codes}. Received: {codes.dtype.name}")
        return ops.take(self.embeddings, codes, axis=0)

    def compute_output_spec(self, codes):
        return keras.KerasTensor((*codes.shape, self.code_dim), dtype="float32")

    def nearest(self, vectors):
        """The code whose vector is nearest to each of these: float32 `(batch, ..., D)` -> int32 `(batch, ...)`."""
        table = ops.convert_to_tensor(self.embeddings)
        # |v - e|^2 without |v|^2, which is the same for all codes.
        distances = ops.sum(ops.square(table), axis=-1) - 2.0 * ops.matmul(vectors, ops.transpose(table))
        return tf.argmin(distances, axis=-1, output_type="int32")  # Exports to all formats; that of keras.ops does not.

    def straight_through(self, vectors):
        """Replaces vectors by the nearest of the codebook, with the straight-through gradient.

        The values are those of the codebook. The gradient in `vectors` is the identity: what the decoder asks of its
        input goes to the encoder unchanged. The codebook gets no gradient from the result.

        Args:
            vectors: Float32 tensor `(batch, ..., D)`.

        Returns:
            `(quantized, codes)`, of the shapes of `vectors` and of `vectors` without its last axis.
        """
        codes = self.nearest(tf.stop_gradient(vectors))
        return vectors + tf.stop_gradient(self(codes) - vectors), codes

    def get_config(self):
        return {**super().get_config(), "num_codes": self.num_codes, "code_dim": self.code_dim}
