"""Masked convolutions: an output sees only what comes before it, row by row from the top left."""

import keras
import numpy as np

from ganzoo import checks


@keras.saving.register_keras_serializable("ganzoo")
class MaskedConv2D(keras.layers.Conv2D):
    """A convolution whose kernel is 0 below its middle row, and in that row right of the middle.

    Reference: [van den Oord et al., 2016](https://arxiv.org/abs/1601.06759), Section 3.4.

    Args:
        filters, kernel_size: As for `keras.layers.Conv2D`; the sides of the kernel are odd.
        sees_center: Boolean, whether an output sees the input at its own place: not in the first layer, whose input
            there is what the network predicts (the paper's mask A), but in all others (mask B).
        **kwargs: Further arguments of `keras.layers.Conv2D`, but for strides and padding.
    """

    def __init__(self, filters, kernel_size, sees_center=True, **kwargs):
        kwargs = {name: value for name, value in kwargs.items() if name not in ("padding", "strides")}
        filters = checks.integer("filters", filters, least=1)
        is_pair = checks.plain_items(kernel_size) is not None
        sides = checks.integers("kernel_size", kernel_size if is_pair else (kernel_size,) * 2, count=2)
        if not all(side % 2 for side in sides):
            raise checks.refusal("kernel_size", kernel_size, "odd, to have a middle")
        super().__init__(filters, sides, padding="same", **kwargs)
        self.sees_center = checks.boolean("sees_center", sees_center)

    def convolution_op(self, inputs, kernel):
        rows, columns = self.kernel_size
        mask = np.zeros((rows, columns, 1, 1), "float32")
        mask[: rows // 2] = 1
        mask[rows // 2, : columns // 2 + self.sees_center] = 1
        return super().convolution_op(inputs, kernel * keras.ops.cast(mask, kernel.dtype))

    def get_config(self):
        return {**super().get_config(), "sees_center": self.sees_center}
