"""Encoder, decoder and prior of a VQ-VAE, for images of any height, width and channels.

`encoder` halves the image with strided convolutions and ends in residual blocks; `decoder` is its mirror. `prior` is a
PixelCNN over the grid of codes. A size that does not divide is decoded slightly larger and cropped.

Reference: [van den Oord et al., 2017](https://arxiv.org/abs/1711.00937), Section 4.1;
[van den Oord et al., 2016](https://arxiv.org/abs/1601.06759), Section 3, for the prior.
"""

import keras
import tensorflow as tf
from keras import layers

from ganzoo import checks
from ganzoo.layers import Codebook, Conv2D, Conv2DTranspose, MaskedConv2D, OneHot
from ganzoo.networks.dcgan import crop_to
from ganzoo.networks.inputs import network


@network
def encoder(image_shape, code_dim=64, filters=256, halvings=2, blocks=2, kernel_initializer="he_uniform"):
    """An image to a grid of vectors.

    Args:
        image_shape: `(height, width, channels)`.
        code_dim: Integer D, size of a vector. Defaults to `64`.
        filters: Integer, channels of all hidden maps. Defaults to `256`.
        halvings: Integer, 4x4 convolutions with stride 2. Defaults to `2`.
        blocks: Integer, residual blocks (ReLU, 3x3 convolution, ReLU, 1x1 convolution). Defaults to `2`.
        kernel_initializer: Keras initializer of the hidden layers. Defaults to `"he_uniform"`.

    Returns:
        Functional `keras.Model`: `image` -> float32 `(batch, rows, columns, code_dim)`.
    """
    image_shape = checks.sample_shape("image_shape", image_shape)
    code_dim, filters = checks.counts(code_dim=code_dim, filters=filters)
    halvings, blocks = (checks.depth(name, n) for name, n in (("halvings", halvings), ("blocks", blocks)))
    x = image = keras.Input(image_shape, name="image")
    for index in range(halvings):
        x = Conv2D(filters, 4, 2, "same", kernel_initializer=kernel_initializer, name=f"down_{index}")(x)
        x = layers.ReLU(name=f"down_{index}_relu")(x)
    x = Conv2D(filters, 3, padding="same", kernel_initializer=kernel_initializer, name="features")(x)
    x = residual_blocks(x, filters, blocks, kernel_initializer)
    x = Conv2D(code_dim, 1, dtype="float32", name="vectors")(x)
    return keras.Model(image, x, name="encoder")


@network
def decoder(image_shape, code_dim=64, filters=256, halvings=2, blocks=2, kernel_initializer="he_uniform"):
    """A grid of vectors to an image.

    Args:
        image_shape: `(height, width, channels)`.
        code_dim, filters, halvings, blocks, kernel_initializer: See `encoder`.

    Returns:
        Functional `keras.Model`: `vectors` `(batch, rows, columns, code_dim)` -> float32 images in [-1, 1].
    """
    height, width, channels = checks.sample_shape("image_shape", image_shape)
    code_dim, filters = checks.counts(code_dim=code_dim, filters=filters)
    halvings, blocks = (checks.depth(name, n) for name, n in (("halvings", halvings), ("blocks", blocks)))
    vectors = keras.Input((*grid_of((height, width), halvings), code_dim), name="vectors")
    x = Conv2D(filters, 3, padding="same", kernel_initializer=kernel_initializer, name="features")(vectors)
    x = residual_blocks(x, filters, blocks, kernel_initializer)
    for index in reversed(range(halvings)):
        x = Conv2DTranspose(filters, 4, 2, "same", kernel_initializer=kernel_initializer, name=f"up_{index}")(x)
        x = layers.ReLU(name=f"up_{index}_relu")(x)
    x = Conv2D(channels, 3, padding="same", dtype="float32", name="head")(x)
    x = crop_to(x, height, width)
    x = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(vectors, x, name="decoder")


@network
def prior(image_shape, num_codes=512, filters=64, blocks=4, halvings=2, kernel_initializer="he_uniform"):
    """A PixelCNN: a grid of codes to the distribution of each, given the codes before it.

    The first convolution is 7x7 and does not see its own place; residual blocks with 3x3 convolutions follow.

    Args:
        image_shape: `(height, width, channels)` of the images, whose grids of codes are predicted.
        num_codes: Integer K. Defaults to `512`.
        filters: Integer h: the maps have 2 h channels, h inside of the blocks. Defaults to `64`.
        blocks: Integer, residual blocks. Defaults to `4`.
        halvings: See `encoder`.
        kernel_initializer: Keras initializer of the hidden layers. Defaults to `"he_uniform"`.

    Returns:
        Functional `keras.Model`: `codes` int32 `(batch, rows, columns)` -> float32 logits `(batch, rows, columns, K)`.
    """
    height, width, _ = checks.sample_shape("image_shape", image_shape)
    num_codes, filters = checks.counts(num_codes=num_codes, filters=filters)
    halvings, blocks = (checks.depth(name, n) for name, n in (("halvings", halvings), ("blocks", blocks)))
    hidden = {"kernel_initializer": kernel_initializer}
    codes = keras.Input(grid_of((height, width), halvings), dtype="int32", name="codes")
    x = OneHot(num_codes, name="one_hot")(codes)
    x = MaskedConv2D(2 * filters, 7, sees_center=False, **hidden, name="past")(x)
    for index in range(blocks):
        y = layers.ReLU(name=f"block_{index}_relu_0")(x)
        y = Conv2D(filters, 1, **hidden, name=f"block_{index}_narrow")(y)
        y = layers.ReLU(name=f"block_{index}_relu_1")(y)
        y = MaskedConv2D(filters, 3, **hidden, name=f"block_{index}_masked")(y)
        y = layers.ReLU(name=f"block_{index}_relu_2")(y)
        y = Conv2D(2 * filters, 1, **hidden, name=f"block_{index}_wide")(y)
        x = layers.Add(name=f"block_{index}")([x, y])
    x = layers.ReLU(name="head_relu_0")(x)
    x = Conv2D(2 * filters, 1, **hidden, name="head_hidden")(x)
    x = layers.ReLU(name="head_relu_1")(x)
    x = Conv2D(num_codes, 1, dtype="float32", name="logits")(x)
    return keras.Model(codes, x, name="prior")


def code_network(decoder, num_codes):
    """The generator of a VQ-VAE: a grid of codes through a new codebook and the decoder to an image."""
    rows, columns, code_dim = decoder.inputs[0].shape[1:]
    codes = keras.Input((rows, columns), dtype="int32", name="latents")
    vectors = Codebook(num_codes, code_dim, dtype="float32", name="codebook")(codes)
    return keras.Model(codes, decoder(vectors), name="decoder_of_codes")


def draw_codes(network, uniform):
    """Draws codes place by place, each by the inverse of the distribution that the network gives it.

    Args:
        network: `keras.Model`, codes -> logits.
        uniform: Float32 tensor `(batch, rows, columns)` of numbers in [0, 1).

    Returns:
        Int32 tensor of the same shape.
    """
    rows, columns = uniform.shape[1:]
    places = tf.reshape(tf.range(rows * columns), (1, rows, columns))

    def draw(place, codes):
        row, column = place // columns, place % columns
        logits = tf.cast(network(codes, training=False)[:, row, column], "float32")
        below = tf.cumsum(tf.nn.softmax(logits), axis=-1) <= uniform[:, row, column, None]
        code = tf.reduce_sum(tf.cast(below[:, :-1], "int32"), axis=-1)
        return place + 1, tf.where(places == place, code[:, None, None], codes)

    codes = tf.zeros(tf.shape(uniform), "int32")
    shapes = [tf.TensorShape([]), tf.TensorShape((None, rows, columns))]
    _, codes = tf.while_loop(
        lambda place, codes: place < rows * columns, draw, [tf.constant(0), codes], shape_invariants=shapes
    )
    return tf.ensure_shape(codes, uniform.shape)


def residual_blocks(x, filters, blocks, kernel_initializer):
    """Residual blocks (ReLU, 3x3 convolution, ReLU, 1x1 convolution), and a ReLU at the end."""
    for index in range(blocks):
        y = layers.ReLU(name=f"block_{index}_relu_0")(x)
        y = Conv2D(filters, 3, padding="same", kernel_initializer=kernel_initializer, name=f"block_{index}_0")(y)
        y = layers.ReLU(name=f"block_{index}_relu_1")(y)
        y = Conv2D(filters, 1, kernel_initializer=kernel_initializer, name=f"block_{index}_1")(y)
        x = layers.Add(name=f"block_{index}")([x, y])
    return layers.ReLU(name="blocks_relu")(x)


def grid_of(size, halvings):
    """Rows and columns of the codes of an image of that size."""
    return tuple(-(-side // 2**halvings) for side in size)
