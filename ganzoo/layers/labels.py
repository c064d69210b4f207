"""Labels as one-hot vectors."""

import keras
from keras import ops

from ganzoo import checks


@keras.saving.register_keras_serializable("ganzoo")
class OneHot(keras.layers.Layer):
    """Turns integer labels `(batch, ...)` into one-hot vectors `(batch, ..., num_classes)`.

    Args:
        num_classes: Integer.
    """

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = checks.integer("num_classes", num_classes, least=1)

    def call(self, labels):
        return ops.one_hot(labels, self.num_classes, dtype=self.compute_dtype)

    def compute_output_spec(self, labels):
        return keras.KerasTensor((*labels.shape, self.num_classes), dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}
