"""The networks of InfoGAN's experiment with digits. The discriminator also estimates the latent codes.

All kernels start from N(0, 0.02), and batch normalization has epsilon 1e-5, as in the authors' code.

Reference: [Chen et al., 2016](https://arxiv.org/abs/1606.03657), Table 1 in Appendix C. The slope 0.1 of LeakyReLU is
the paper's. The authors' code has 0.01.
"""

import keras
from keras import layers

from ganzoo import checks
from ganzoo.layers import DCGAN_KERNELS, Conv2D, Conv2DTranspose, LeakyReLU, normalization
from ganzoo.networks.heads import with_heads
from ganzoo.networks.inputs import image_input, network


@network
def generator(image_shape, latent_dim=74, filters=64, kernel_initializer=DCGAN_KERNELS):
    """Maps latents to an image by two dense layers and two transposed convolutions with batch normalization.

    Args:
        image_shape: `(height, width, channels)`, sides multiples of 4.
        latent_dim: Integer, noise and codes together. Defaults to `74`.
        filters: Integer, channels of the map before the image. The map before that has twice as many, and the dense
            layer 16 times as many units. Defaults to `64`.
        kernel_initializer: Keras initializer of all kernels. Defaults to N(0, 0.02).

    Returns:
        Functional `keras.Model`: `latents` `(batch, latent_dim)` -> float32 images in [-1, 1].
    """
    height, width, channels = check_divisible(image_shape)
    latent_dim, filters = checks.counts(latent_dim=latent_dim, filters=filters)
    rows, columns, depth = height // 4, width // 4, 2 * filters
    x = latents = keras.Input((latent_dim,), name="latents")
    for index, units in enumerate((16 * filters, rows * columns * depth)):
        # Without a bias, because batch normalization would subtract it.
        x = layers.Dense(units, use_bias=False, kernel_initializer=kernel_initializer, name=f"dense_{index}")(x)
        x = normalization("batch", f"dense_{index}")(x)
        x = layers.ReLU(name=f"dense_{index}_relu")(x)
    x = layers.Reshape((rows, columns, depth), name="map")(x)
    up = {"kernel_size": 4, "strides": 2, "padding": "same", "kernel_initializer": kernel_initializer}
    x = Conv2DTranspose(filters, use_bias=False, name="up_0", **up)(x)
    x = normalization("batch", "up_0")(x)
    x = layers.ReLU(name="up_0_relu")(x)
    x = Conv2DTranspose(channels, dtype="float32", name="images", **up)(x)
    return keras.Model(latents, layers.Activation("tanh", dtype="float32", name="tanh")(x), name="infogan_generator")


@network
def discriminator(image_shape, categories=(10,), continuous=2, filters=64, kernel_initializer=DCGAN_KERNELS):
    """Scores an image and estimates its codes, by two convolutions and a dense layer that both share.

    The estimates, the paper's network Q, have a further dense layer of their own.

    Args:
        image_shape: `(height, width, channels)`, sides multiples of 4.
        categories: Sizes of the categorical codes. Defaults to `(10,)`.
        continuous: Integer, number of continuous codes. Defaults to `2`.
        filters: Integer, channels of the first map. The second has twice as many, the shared dense layer 16 times as
            many units, Q's dense layer twice as many. Defaults to `64`.
        kernel_initializer: Keras initializer of all kernels. Defaults to N(0, 0.02).

    Returns:
        Functional `keras.Model`: `image` -> a dictionary of float32 tensors: `"scores"` `(batch, 1)`, logits
        `"category_0"` `(batch, categories[0])`, ..., and the means `"continuous"` `(batch, continuous)`.
    """
    image_shape = check_divisible(image_shape)
    filters = checks.integer("filters", filters, least=1)
    x = image = image_input(image_shape)
    for index in range(2):
        x = Conv2D(
            filters * 2**index,
            4,
            strides=2,
            padding="same",
            use_bias=index == 0,  # The first convolution has no batch normalization.
            kernel_initializer=kernel_initializer,
            name=f"down_{index}",
        )(x)
        x = normalization("batch" if index else None, f"down_{index}")(x)
        x = LeakyReLU(0.1, name=f"down_{index}_leaky_relu")(x)
    x = hidden(layers.Flatten(name="flatten")(x), 16 * filters, kernel_initializer, "shared")
    score = layers.Dense(1, kernel_initializer=kernel_initializer, dtype="float32", name="score")(x)
    codes = hidden(x, 2 * filters, kernel_initializer, "codes")
    outputs = with_heads(score, codes, sizes_of(categories, continuous), kernel_initializer=kernel_initializer)
    return keras.Model(image, outputs, name="infogan_discriminator")


def hidden(x, units, kernel_initializer, name):
    """A dense layer with batch normalization and LeakyReLU."""
    x = layers.Dense(units, use_bias=False, kernel_initializer=kernel_initializer, name=name)(x)
    x = normalization("batch", name)(x)
    return LeakyReLU(0.1, name=f"{name}_leaky_relu")(x)


def sizes_of(categories, continuous):
    """The number of outputs of each head, by name."""
    categories = checks.integers("categories", categories, least=2)
    continuous = checks.integer("continuous", continuous, least=0)
    heads = {f"category_{index}": size for index, size in enumerate(categories)}
    return {**heads, **({"continuous": continuous} if continuous else {})}


def check_divisible(image_shape):
    """Returns the image shape after a check that both sides can be halved twice."""
    shape = checks.sample_shape("image_shape", image_shape)
    if shape[0] % 4 or shape[1] % 4:
        raise ValueError(
            f"The networks of InfoGAN halve an image twice, so its sides must be multiples of 4. Received: "
            f"image_shape={shape}. Resize the images, or take ganzoo.networks.dcgan with `heads`."
        )
    return shape
