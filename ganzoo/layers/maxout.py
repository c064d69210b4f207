"""Maxout units."""

import keras
from keras import ops

from ganzoo import checks


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
        units, pieces = checks.integer("units", units, least=1), checks.integer("pieces", pieces, least=1)
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
