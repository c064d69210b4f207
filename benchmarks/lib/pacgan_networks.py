"""The networks of PacGAN's experiments on mixtures of Gaussians.

Reference: [Lin et al., 2017](https://arxiv.org/abs/1712.04086), Section 4.1; sizes as in the authors' code.
"""

import keras
from keras import layers

from ganzoo.layers import Maxout
from ganzoo.networks import mlp
from ganzoo.networks.inputs import image_input


def generator(image_shape, latent_dim=2):
    """Four layers of 400 rectified units, each with batch normalization, and a linear output."""
    normal = keras.initializers.RandomNormal(stddev=0.02)
    return mlp.generator(image_shape, latent_dim, (400,) * 4, batch_normalization=True, hidden_initializer=normal)


def discriminator(image_shape, packing=1):
    """Three layers of 200 maxout units with five pieces each, and a linear output."""
    normal = keras.initializers.RandomNormal(stddev=0.02)
    x = image = image_input(image_shape, packing)
    for _ in range(3):
        x = Maxout(200, 5, kernel_initializer=normal)(x)
    return keras.Model(image, layers.Dense(1, kernel_initializer=normal, dtype="float32")(x))
