"""The networks of InfoGAN's experiments with digits: a discriminator that tells the latent codes as well.

Reference: [Chen et al., 2016](https://arxiv.org/abs/1606.03657), Table 1 in Appendix C.
"""

import keras
from keras import layers

from ganzoo.layers import Conv2D, Conv2DTranspose
from ganzoo.networks.heads import with_heads
from ganzoo.networks.inputs import check_positive, check_sample_shape, image_input


def check_divisible(image_shape):
    """Returns the shape of images whose sides can be halved twice."""
    shape = check_sample_shape(image_shape)
    if shape[0] % 4 or shape[1] % 4:
        raise ValueError(
            f"The networks of InfoGAN halve an image twice, so its sides must be multiples of 4. Received: "
            f"image_shape={shape}."
        )
    return shape


def generator(image_shape, latent_dim=74, filters=64):
    """Latents through two dense layers and two transposed convolutions, with batch normalization, to an image.

    Args:
        image_shape: `(height, width, channels)`, sides multiples of 4.
        latent_dim: Integer, noise and codes together. Defaults to `74`.
        filters: Integer, channels of the map before the image; the smallest map has twice as many. Defaults to `64`.

    Returns:
        Functional `keras.Model`: `latents` `(batch, latent_dim)` -> float32 images in [-1, 1].
    """
    height, width, channels = check_divisible(image_shape)
    check_positive(latent_dim=latent_dim, filters=filters)
    x = latents = keras.Input((latent_dim,), name="latents")
    for index, units in enumerate((16 * filters, height // 4 * (width // 4) * 2 * filters)):
        x = layers.Dense(units, use_bias=False, name=f"dense_{index}")(x)
        x = layers.BatchNormalization(synchronized=True, name=f"dense_{index}_normalized")(x)
        x = layers.ReLU(name=f"dense_{index}_relu")(x)
    x = layers.Reshape((height // 4, width // 4, 2 * filters), name="map")(x)
    x = Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=False, name="up_0")(x)
    x = layers.BatchNormalization(synchronized=True, name="up_0_normalized")(x)
    x = layers.ReLU(name="up_0_relu")(x)
    x = Conv2DTranspose(channels, 4, strides=2, padding="same", dtype="float32", name="images")(x)
    return keras.Model(latents, layers.Activation("tanh", dtype="float32", name="tanh")(x), name="infogan_generator")


def discriminator(image_shape, categories=(10,), continuous=2, filters=64):
    """Two convolutions and a dense layer, shared by the score and by the estimates of the codes.

    Args:
        image_shape: `(height, width, channels)`, sides multiples of 4.
        categories: Sizes of the categorical codes. Defaults to `(10,)`.
        continuous: Integer, number of continuous codes. Defaults to `2`.
        filters: Integer, channels of the first map. Defaults to `64`.

    Returns:
        Functional `keras.Model`: `image` -> a dictionary of float32 tensors: `"scores"` `(batch, 1)`, logits
        `"category_0"` `(batch, categories[0])`, ..., and the means `"continuous"` `(batch, continuous)`.
    """
    image_shape = check_divisible(image_shape)
    check_positive(filters=filters)
    x = image = image_input(image_shape)
    for index in range(2):
        x = Conv2D(filters * 2**index, 4, strides=2, padding="same", use_bias=index == 0, name=f"down_{index}")(x)
        if index:
            x = layers.BatchNormalization(synchronized=True, name=f"down_{index}_normalized")(x)
        x = layers.LeakyReLU(0.1, name=f"down_{index}_leaky_relu")(x)
    x = layers.Dense(16 * filters, use_bias=False, name="shared")(layers.Flatten(name="flatten")(x))
    x = layers.BatchNormalization(synchronized=True, name="shared_normalized")(x)
    x = layers.LeakyReLU(0.1, name="shared_leaky_relu")(x)
    score = layers.Dense(1, dtype="float32", name="score")(x)
    codes = layers.Dense(2 * filters, use_bias=False, name="codes")(x)
    codes = layers.BatchNormalization(synchronized=True, name="codes_normalized")(codes)
    codes = layers.LeakyReLU(0.1, name="codes_leaky_relu")(codes)
    heads = {f"category_{index}": size for index, size in enumerate(categories)}
    if continuous:
        heads["continuous"] = continuous
    return keras.Model(image, with_heads(score, codes, heads), name="infogan_discriminator")
