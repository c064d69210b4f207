"""Self-attention over the places of a map."""

import keras
from keras import ops

from ganzoo import checks
from ganzoo.layers.choices import convolution_layer


@keras.saving.register_keras_serializable("ganzoo")
class SelfAttention(keras.layers.Layer):
    """Each place of a map looks at all others, and adds what it finds there.

        b = softmax(f(x) g(x)^T)       over the places looked at
        y = x + gain * v(b h(x))

    f, g, h and v are 1x1 convolutions without biases. The gain starts at 0: the layer is the identity at first, and the
    network learns from its neighbours before it learns from afar.

    Reference: [Zhang et al., 2018](https://arxiv.org/abs/1805.08318), Section 3.

    Departures from the paper, as in the authors' code: g and h are halved in height and width by maxima, for a quarter
    of the memory, and h has half of the channels in the place of an eighth, which f and g have.

    Args:
        normalization: `"spectral"` (the default) or `None`, of the four kernels.
        kernel_initializer: Keras initializer of the four kernels. Defaults to `"glorot_uniform"`.

    Call arguments: a map `(batch, height, width, channels)`, of at least 2x2 places.
    """

    def __init__(self, normalization="spectral", kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.normalization = checks.choice("normalization", normalization, ("spectral", None))
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        channels = input_shape[-1]
        narrow, half = max(1, channels // 8), max(1, channels // 2)
        self.of_place, self.of_others, self.values = (
            self._built(name, width, input_shape)
            for name, width in (("of_place", narrow), ("of_others", narrow), ("values", half))
        )
        self.found = self._built("found", channels, (*input_shape[:-1], half))
        self.gain = self.add_weight(shape=(), initializer="zeros", name="gain")

    def _built(self, name, width, input_shape):
        layer = convolution_layer(self.normalization)(
            width,
            1,
            use_bias=False,
            kernel_initializer=self.kernel_initializer.clone(),
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build(input_shape)
        return layer

    def call(self, x, training=None):
        height, width = x.shape[1:3]
        places = rows_of(self.of_place(x, training=training))
        others, values = (
            rows_of(ops.max_pool(layer(x, training=training), 2)) for layer in (self.of_others, self.values)
        )
        logits = ops.cast(ops.matmul(places, ops.transpose(others, (0, 2, 1))), "float32")
        found = ops.matmul(ops.cast(ops.softmax(logits), values.dtype), values)
        found = ops.reshape(found, (-1, height, width, found.shape[-1]))
        return x + ops.cast(self.gain, x.dtype) * self.found(found, training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        initializer = keras.initializers.serialize(self.kernel_initializer)
        return {**super().get_config(), "normalization": self.normalization, "kernel_initializer": initializer}


def rows_of(x):
    """A map `(batch, height, width, channels)` as `(batch, places, channels)`."""
    return ops.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[3]))
