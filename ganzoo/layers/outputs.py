"""How a generator ends."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("ganzoo")
class ClipInInference(keras.layers.Layer):
    """Clips to [-1, 1], but not in training.

    The networks of BEGAN, StyleGAN2 and R3GAN end linearly. With a tanh BEGAN's generator makes pixels of -1, which
    the discriminator learns first, and gets no gradient from there; an image has to lie in [-1, 1] nevertheless.
    """

    def call(self, inputs, training=False):
        return inputs if training else ops.clip(inputs, -1.0, 1.0)

    def compute_output_shape(self, input_shape):
        return input_shape
