"""The U-Net generator of pix2pix, which maps an image to an image of the same size.

Strided convolutions halve the image until a side is odd, at 256x256 down to a single pixel. Transposed convolutions
double it again. Each of them also gets the encoder's map of its own size. So shared structure of input and output, such
as edges, need not pass the bottleneck. Kernels are 4x4 with stride 2, from N(0, 0.02).

The noise of pix2pix is dropout. Here the latents decide which units drop out, see `NoiseDropout`.

Reference: [Isola et al., 2017](https://arxiv.org/abs/1611.07004), Section 3.2.1 and Section 6.1.1.
"""

import math
from statistics import NormalDist

import keras
import tensorflow as tf
from keras import layers, ops

from ganzoo import checks
from ganzoo.layers import DCGAN_KERNELS, BatchNormalization, Conv2D, Conv2DTranspose, normalization
from ganzoo.networks.inputs import network
from ganzoo.replicas import mean_over_replicas

DEEPEST = 8  # As in the paper's network for 256x256.
DROPOUT_BLOCKS = 3


def depth_of(image_shape, depth=None):
    """The number of halvings: the given depth if both sides allow it, by default as many as possible up to 8."""
    height, width, _ = image_shape
    common = math.gcd(height, width)
    # The lowest set bit of both sides is the largest power of 2 that divides them.
    possible = (common & -common).bit_length() - 1  # How often 2 divides both sides.
    if possible < (depth or 2):
        needed = 2 ** (depth or 2)
        raise ValueError(
            f"A U-Net of {depth or 2} halvings needs images whose height and width divide by {needed}. "
            f"Received: image_shape={tuple(image_shape)}. Load the images with another image_size, such as "
            f"({-(-height // needed) * needed}, {-(-width // needed) * needed})."
        )
    return min(possible, DEEPEST) if depth is None else depth


@network
def generator(
    image_shape,
    condition_shape=None,
    filters=64,
    depth=None,
    normalization="instance",
    dropout=0.5,
    dropout_at_test=True,
    batch_statistics_at_test=False,
    skips=True,
    kernel_initializer=DCGAN_KERNELS,
):
    """Maps the input image to the output image by an encoder and a decoder with skip connections.

    Args:
        image_shape: `(height, width, channels)` of the output. Both sides must be divisible by 4.
        condition_shape: `(height, width, channels)` of the input image. Defaults to `image_shape`.
        filters: Integer, channels of the largest hidden map. Each smaller map has twice as many, up to 8 times.
            Defaults to `64`.
        depth: Integer, at least 2, number of halvings. Defaults to as many as both sides allow, at most 8.
        normalization: `"instance"` (the default), `"batch"` or `None`. The first convolution has no normalization, nor
            has the bottleneck, whose single pixel would become zero.
        dropout: Float in [0, 1), dropout rate in the innermost blocks of the decoder, at most three. Defaults to `0.5`.
        dropout_at_test: Boolean, whether to use dropout also in inference, as the paper does. Defaults to `True`.
        batch_statistics_at_test: Boolean, for `"batch"`, whether to use the statistics of the batch also in inference.
            The paper does so, with batches of a single image. In a larger batch, images then depend on each other.
            Defaults to `False`.
        skips: Boolean, `False` is the encoder-decoder of the paper's ablation. Defaults to `True`.
        kernel_initializer: Keras initializer of all kernels. Defaults to N(0, 0.02).

    Returns:
        Functional `keras.Model`: `latents` `(batch, latent_dim)`, `condition` -> float32 images in [-1, 1].
        `latent_dim` is the number of units that can drop out. Without dropout it is 1, and the latents have no effect.
    """
    height, width, channels = image_shape = checks.sample_shape("image_shape", image_shape)
    condition_shape = check_condition_shape(image_shape, condition_shape)
    filters = checks.integer("filters", filters, least=1)
    depth = depth_of(image_shape, checks.integer("depth", depth, least=2, optional=True))
    skips = checks.boolean("skips", skips)
    check_statistics(normalization, batch_statistics_at_test)
    # The width doubles three times and then stays, as in the paper.
    widths = [filters * 2 ** min(index, 3) for index in range(depth)]
    dropouts, units = dropout_layers(height, width, widths, dropout, dropout_at_test)
    latents = keras.Input((max(units, 1),), name="latents")
    condition = keras.Input(condition_shape, name="condition")

    def convolution(layer, x, width, name, kind):
        x = layer(width, 4, 2, padding="same", use_bias=kind is None, kernel_initializer=kernel_initializer, name=name)(
            x
        )
        return normalization_layer(kind, batch_statistics_at_test, name)(x)

    x, maps = encode(condition, widths, normalization, convolution)
    if not dropouts:
        x = NoiseDropout(0.0, name="no_dropout")([x, latents])  # Keras needs all inputs connected.
    for index in reversed(range(depth - 1)):
        x = layers.ReLU(name=f"relu_{index + 1}")(x)
        x = convolution(Conv2DTranspose, x, widths[index], f"up_{index + 1}", normalization)
        if index in dropouts:
            x = dropouts[index]([x, latents])
        if skips:
            x = layers.Concatenate(name=f"skip_{index}")([x, maps[index]])
    x = layers.ReLU(name="relu_0")(x)
    x = Conv2DTranspose(
        channels,
        kernel_size=4,
        strides=2,
        padding="same",
        kernel_initializer=kernel_initializer,
        dtype="float32",
        name="images",
    )(x)
    x = layers.Activation("tanh", dtype="float32", name="tanh")(x)
    return keras.Model([latents, condition], x, name="unet_generator" if skips else "encoder_decoder_generator")


def encode(x, widths, normalization, convolution):
    """Halves an image repeatedly, with a convolution for each width.

    Returns:
        The bottleneck and the maps above it, largest first.
    """
    maps, last = [], len(widths) - 1
    for index, width in enumerate(widths):
        kind = normalization if 0 < index < last else None
        x = convolution(Conv2D, x, width, f"down_{index}", kind)
        if index < last:
            # The decoder also gets the map after the LeakyReLU. Its ReLU makes no difference between the two.
            x = layers.LeakyReLU(0.2, name=f"leaky_relu_{index}")(x)
            maps.append(x)
    return x, maps


def dropout_layers(height, width, widths, rate, at_test):
    """The dropout of the innermost blocks of the decoder.

    Returns:
        Dictionary, index of a decoder block's map -> `NoiseDropout`, and the number of units that can drop out.
    """
    rate, at_test = checks.number("dropout", rate, least=0, below=1), checks.boolean("dropout_at_test", at_test)
    found, start, depth = {}, 0, len(widths)
    for index in reversed(range(depth - 1)):
        if rate == 0 or len(found) == DROPOUT_BLOCKS:
            break
        found[index] = NoiseDropout(rate, start, at_test, name=f"dropout_{index + 1}")
        start += (height >> index + 1) * (width >> index + 1) * widths[index]
    return found, start


def check_statistics(normalization, batch_statistics_at_test):
    """Raises a `ValueError` for batch statistics without batch normalization."""
    if checks.boolean("batch_statistics_at_test", batch_statistics_at_test) and normalization != "batch":
        raise ValueError(
            'batch_statistics_at_test=True asks for normalization="batch". Received: '
            f"normalization={normalization!r}, which computes the statistics of each image anyway."
        )


def check_condition_shape(image_shape, condition_shape):
    """Returns the shape of the input image after a check that it has the output's height and width."""
    if condition_shape is None:
        return image_shape
    condition_shape = checks.sample_shape("condition_shape", condition_shape)
    if condition_shape[:2] != image_shape[:2]:
        raise ValueError(
            "Input and output must have the same height and width. Received: "
            f"condition_shape={condition_shape} and image_shape={image_shape}."
        )
    return condition_shape


def normalization_layer(kind, batch_statistics_at_test, name, affine=True):
    """Returns the normalization layer of a translation network, or the identity. See `generator`.

    Without `affine`, instance normalization has no gains and no biases.
    """
    kind = checks.choice("normalization", kind, ("instance", "batch", None))
    if kind == "instance" and not affine:
        return layers.GroupNormalization(
            groups=-1, epsilon=1e-5, center=False, scale=False, name=f"{name}_instance_norm"
        )
    layer = normalization(kind, name)
    if kind == "batch" and batch_statistics_at_test:
        return BatchStatisticsNormalization.from_config(layer.get_config())
    return layer


@keras.saving.register_keras_serializable("ganzoo")
class NoiseDropout(layers.Layer):
    """Dropout whose randomness is an input.

    Unit i is kept if Phi(z_i) > rate, with the distribution function Phi of N(0, 1), and scaled by 1 / (1 - rate). With
    z ~ N(0, I) this is dropout. As a function of z, it is the same for the same seed in training, on any number of
    replicas, in `generate` and in a SavedModel.

    Args:
        rate: Float in [0, 1), the fraction of units that drop out.
        start: Integer, the index of the first latent of this layer. Defaults to `0`.
        at_test: Boolean, whether to drop units also in inference. Defaults to `True`.

    Call arguments: `[features, latents]`, `(batch, ...)` and `(batch, latent_dim)`.
    """

    def __init__(self, rate, start=0, at_test=True, **kwargs):
        super().__init__(autocast=False, **kwargs)  # Keeps the latents in float32.
        self.rate = rate
        self.start = start
        self.at_test = at_test
        self.threshold = NormalDist().inv_cdf(rate) if rate else None

    def call(self, inputs, training=False):
        features, latents = inputs
        if not self.rate or not (training or self.at_test):
            return features
        size = math.prod(features.shape[1:])
        latents = ops.reshape(latents[:, self.start : self.start + size], (-1, *features.shape[1:]))
        mask = ops.where(latents > self.threshold, 1.0 / (1.0 - self.rate), 0.0)
        return features * ops.cast(mask, features.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def compute_output_spec(self, inputs, training=False):
        return keras.KerasTensor(inputs[0].shape, inputs[0].dtype)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "start": self.start, "at_test": self.at_test}


@keras.saving.register_keras_serializable("ganzoo")
class BatchStatisticsNormalization(BatchNormalization):
    """Batch normalization that also uses the statistics of the batch in inference, over all replicas."""

    def call(self, inputs, training=None, mask=None):
        if training:
            return super().call(inputs, training=training, mask=mask)
        x = tf.cast(inputs, "float32")
        axes = list(range(x.shape.rank - 1))
        mean, square = tf.unstack(mean_over_replicas(tf.stack([tf.reduce_mean(x, axes), tf.reduce_mean(x**2, axes)])))
        scale = tf.cast(self.gamma, "float32") * tf.math.rsqrt(tf.maximum(square - mean**2, 0.0) + self.epsilon)
        return tf.cast((x - mean) * scale + tf.cast(self.beta, "float32"), self.compute_dtype)
