"""Networks with two weights each, whose updates can be calculated by hand."""

import keras
import numpy as np

from ganzoo.sampling import RandomStream

# g(z) = a z + b
A, B = 0.7, -0.3
# d(x) = w f(x) + c
W, C = 1.5, 0.2
GENERATOR_RATE, DISCRIMINATOR_RATE = 0.5, 0.05


def scalar_generator():
    latents = keras.Input((1,), name="latents")
    model = keras.Model(latents, keras.layers.Dense(1, name="affine")(latents))
    model.set_weights([np.array([[A]]), np.array([B])])
    return model


def scalar_discriminator(feature=None):
    """`feature` is a function of x before the affine one; none by default."""
    image = keras.Input((1,), name="image")
    x = image if feature is None else feature(image)
    model = keras.Model(image, keras.layers.Dense(1, name="affine")(x))
    model.set_weights([np.array([[W]]), np.array([C])])
    return model


def compiled(model):
    model.compile(keras.optimizers.SGD(GENERATOR_RATE), keras.optimizers.SGD(DISCRIMINATOR_RATE))
    return model


def numbers_of(model):
    """A stream that draws what the model is going to draw."""
    stream = RandomStream(0)
    stream.state.assign(model.random.state)
    return stream


def weights_of(model):
    """a, b, w, c as floats."""
    return [float(weight.squeeze()) for weight in (*model.generator.get_weights(), *model.discriminator.get_weights())]


def sigmoid(score):
    return 1 / (1 + np.exp(-score))
