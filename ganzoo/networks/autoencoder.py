"""Encoders and decoders, for vectors and for images of any height, width and channels.

`encoder` and `decoder` are for `Autoencoder` and `VAE`. By default they have dense `hidden` layers, as in Kingma &
Welling and most textbooks. The decoder has the same sizes in reverse order. With `filters` they are convolutional: the
encoder halves the image as often as DCGAN's networks, with 4x4 kernels of stride 2, and the decoder has the transposed
convolutions.

`generator` and `discriminator` are for `BEGAN`. The discriminator is an autoencoder, and the generator is built like
its decoder. They have 3x3 convolutions with ELU, and halve the image until its smaller side has 8 pixels or fewer.

If a size does not divide, the image is decoded slightly larger and cropped.

Reference: [Hinton & Salakhutdinov, 2006](https://doi.org/10.1126/science.1127647);
[Kingma & Welling, 2013](https://arxiv.org/abs/1312.6114), Appendix C;
[Berthelot et al., 2017](https://arxiv.org/abs/1703.10717), Section 3.5 and Figure 1.
"""

import math

import keras
from keras import layers, ops

from ganzoo import checks
from ganzoo.layers import ClipInInference, Conv2D, Conv2DTranspose
from ganzoo.networks.dcgan import crop_to, stages
from ganzoo.networks.inputs import (
    functional,
    image_input,
    join_label,
    join_label_planes,
    label_input,
    network,
)

SMALLEST_MAP = 8  # In BEGAN's networks.


@network
def encoder(
    image_shape,
    latent_dim=2,
    hidden=(512, 512),
    filters=None,
    outputs=1,
    activation="relu",
    kernel_initializer="he_uniform",
):
    """Maps a sample to its latents, or to the mean and log-variance of a distribution over latents.

    Args:
        image_shape: `(height, width, channels)`, or `(dimensions,)`.
        latent_dim: Integer, size of the latent vector. Defaults to `2`.
        hidden: Sizes of the dense hidden layers. Defaults to `(512, 512)`.
        filters: Integer, channels of the first map of a convolutional encoder, which replaces the dense layers. Each
            smaller map has twice as many. Defaults to `None`: dense.
        outputs: Integer. `1` (the default) gives `latents`, `2` gives `mean` and `log_variance`.
        activation: Keras activation of the hidden layers. Defaults to `"relu"`.
        kernel_initializer: Keras initializer of the hidden layers. The output layers always have Glorot's. Defaults to
            `"he_uniform"`.

    Returns:
        Functional `keras.Model`: `image` -> `outputs` float32 tensors `(batch, latent_dim)`.
    """
    image_shape = checks.sample_shape("image_shape", image_shape, vectors=filters is None)
    latent_dim = checks.integer("latent_dim", latent_dim, least=1)
    outputs = checks.choice("outputs", outputs, (1, 2))
    hidden_layer = {"activation": activation, "kernel_initializer": kernel_initializer}
    image = keras.Input(image_shape, name="image")
    if filters is None:
        x = layers.Flatten(name="flatten")(image)
        for index, units in enumerate(checks.integers("hidden", hidden)):
            x = layers.Dense(units, **hidden_layer, name=f"dense_{index}")(x)
    else:
        filters = checks.integer("filters", filters, least=1)
        x = image
        for index in range(stages(image_shape)):
            x = Conv2D(filters * 2**index, 4, 2, padding="same", **hidden_layer, name=f"down_{index}")(x)
        x = layers.Flatten(name="flatten")(x)
    names = ["latents"] if outputs == 1 else ["mean", "log_variance"]
    heads = [layers.Dense(latent_dim, dtype="float32", name=name)(x) for name in names]
    return keras.Model(image, heads if outputs > 1 else heads[0], name="encoder")


@network
def decoder(
    image_shape,
    latent_dim=2,
    hidden=(512, 512),
    filters=None,
    activation="relu",
    output_activation=None,
    kernel_initializer="he_uniform",
):
    """Maps latents to a sample, or to the parameters of a likelihood such as logits or a mean.

    Args:
        image_shape: `(height, width, channels)`, or `(dimensions,)`.
        latent_dim: Integer, size of the latent vector. Defaults to `2`.
        hidden: Sizes of the encoder's dense hidden layers. The decoder reverses their order. Defaults to `(512, 512)`.
        filters: Integer, channels of the largest hidden map of a convolutional decoder, which replaces the dense
            layers. Each smaller map has twice as many. Defaults to `None`: dense.
        activation: Keras activation of the hidden layers. Defaults to `"relu"`.
        output_activation: Keras activation of the output. Defaults to `None`: linear.
        kernel_initializer: Keras initializer of the hidden layers. The output layer always has Glorot's. Defaults to
            `"he_uniform"`.

    Returns:
        Functional `keras.Model`: `latents` `(batch, latent_dim)` -> float32 tensor `(batch, *image_shape)`.
    """
    image_shape = checks.sample_shape("image_shape", image_shape, vectors=filters is None)
    latent_dim = checks.integer("latent_dim", latent_dim, least=1)
    hidden_layer = {"activation": activation, "kernel_initializer": kernel_initializer}
    x = latents = keras.Input((latent_dim,), name="latents")
    if filters is None:
        for index, units in enumerate(reversed(checks.integers("hidden", hidden))):
            x = layers.Dense(units, **hidden_layer, name=f"dense_{index}")(x)
        x = layers.Dense(math.prod(image_shape), dtype="float32", name="head")(x)
        x = layers.Reshape(image_shape, dtype="float32", name="reshape")(x)
    else:
        filters = checks.integer("filters", filters, least=1)
        height, width, channels = image_shape
        count = stages(image_shape)
        # Rounded up. `crop_to` removes the rest at the end.
        rows, columns, depth = -(-height // 2**count), -(-width // 2**count), filters * 2 ** (count - 1)
        x = layers.Dense(rows * columns * depth, **hidden_layer, name="project")(x)
        x = layers.Reshape((rows, columns, depth), name="reshape")(x)
        for index in reversed(range(count - 1)):
            x = Conv2DTranspose(filters * 2**index, 4, 2, padding="same", **hidden_layer, name=f"up_{index}")(x)
        x = Conv2DTranspose(channels, 4, 2, padding="same", dtype="float32", name="head")(x)
        x = crop_to(x, height, width)
    x = layers.Activation(output_activation or "linear", dtype="float32", name="images")(x)
    return keras.Model(latents, x, name="decoder")


def mean_network(decoder, likelihood):
    """Adds a head to the decoder of a `VAE` that turns its output y into the mean of p(x|z), in the scale of the data.

    The head is `2 sigmoid(y) - 1 = tanh(y / 2)` for the Bernoulli likelihood, and `tanh(y)` for images with the
    Gaussian likelihood.

    Args:
        decoder: `keras.Model`, latents -> y.
        likelihood: `"bernoulli"` or `"gaussian"`.
    """
    x = decoder.outputs[0]
    if likelihood == "bernoulli":
        x = layers.Rescaling(0.5, dtype="float32", name="half")(x)
    if len(x.shape) == 4:
        x = layers.Activation("tanh", dtype="float32", name="mean")(x)
    return keras.Model(decoder.inputs[0], x, name="mean_of_decoder")


# === BEGAN ===


@network
def generator(
    image_shape,
    latent_dim=64,
    filters=128,
    repetitions=2,
    uniform_latents=True,
    kernel_initializer="glorot_uniform",
    num_classes=None,
    label="embedding",
):
    """Maps latents to an image by a dense layer, 3x3 convolutions and nearest-neighbour upsampling.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: Integer, size of the latent vector. Defaults to `64`.
        filters: Integer n, channels of all hidden maps. Defaults to `128`.
        repetitions: Integer, convolutions at each size. Defaults to `2`.
        uniform_latents: Boolean, whether to map the latents from N(0, I) to the paper's uniform distribution on [-1, 1]
            first. Defaults to `True`.
        kernel_initializer: Keras initializer of all kernels. Defaults to `"glorot_uniform"`.
        num_classes: Integer, or `None` (the default). With classes, a second input `label` is joined to the latents.
        label: `"embedding"` (the default), with the size of the latents, or `"one_hot"`.

    Returns:
        Functional `keras.Model`: `latents` `(batch, latent_dim)` [, `label` `(batch,)`] -> float32 images. They are
        linear in training mode and otherwise clipped to [-1, 1].
    """
    image_shape = checks.sample_shape("image_shape", image_shape)
    latent_dim, filters, repetitions = checks.counts(latent_dim=latent_dim, filters=filters, repetitions=repetitions)
    uniform_latents = checks.boolean("uniform_latents", uniform_latents)
    latents, classes = keras.Input((latent_dim,), name="latents"), label_input(num_classes)
    x = NormalToUniform(dtype="float32", name="uniform_latents")(latents) if uniform_latents else latents
    x = join_label(x, classes, num_classes, label, latent_dim)
    x = decode_embedding(x, image_shape, filters, repetitions, kernel_initializer)
    x = ClipInInference(dtype="float32", name="images")(x)
    return functional([latents, classes], x, name="began_generator")


@network
def discriminator(
    image_shape,
    filters=128,
    embedding_dim=64,
    repetitions=2,
    kernel_initializer="glorot_uniform",
    num_classes=None,
    label="embedding",
    packing=1,
):
    """An autoencoder of images: 3x3 convolutions to an embedding and back to an image.

    Args:
        image_shape: `(height, width, channels)`.
        filters: Integer n: n channels at the full size, 2 n, 3 n, ... at the smaller sizes, and n in the decoder.
            Defaults to `128`.
        embedding_dim: Integer, size of the embedding. Defaults to `64`.
        repetitions: Integer, convolutions at each size. Defaults to `2`.
        kernel_initializer: Keras initializer of all kernels. Defaults to `"glorot_uniform"`.
        num_classes: Integer, or `None` (the default). With classes, there is a second input `label`.
        label: How the label is joined to the image as channels: `"embedding"` (the default) or `"one_hot"`.
        packing: Integer, images that are judged at once, joined in their channels. Defaults to `1`.

    Returns:
        Functional `keras.Model`: `image` [, `label`] -> float32 image of the same shape, linear.
    """
    *size, channels = image_shape = checks.sample_shape("image_shape", image_shape)
    filters, embedding_dim, repetitions = checks.counts(
        filters=filters, embedding_dim=embedding_dim, repetitions=repetitions
    )
    image, classes = image_input(image_shape, packing), label_input(num_classes, packing)
    convolution = {"padding": "same", "activation": "elu", "kernel_initializer": kernel_initializer}
    x = join_label_planes(image, classes, num_classes, label)
    x = Conv2D(filters, 3, **convolution, name="from_image")(x)
    count = halvings(image_shape)
    for stage in range(count + 1):
        for index in range(repetitions):
            x = Conv2D(filters * (stage + 1), 3, **convolution, name=f"encoder_{stage}_{index}")(x)
        if stage < count:
            x = Conv2D(filters * (stage + 2), 3, strides=2, **convolution, name=f"down_{stage}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(embedding_dim, kernel_initializer=kernel_initializer, name="embedding")(x)
    x = decode_embedding(x, (*size, packing * channels), filters, repetitions, kernel_initializer)
    return functional([image, classes], x, name="began_discriminator")


def decode_embedding(x, image_shape, filters, repetitions, kernel_initializer):
    """The decoder of BEGAN's discriminator, which is also its generator. The output is linear and float32."""
    height, width, channels = image_shape
    count = halvings(image_shape)
    rows, columns = -(-height // 2**count), -(-width // 2**count)
    x = layers.Dense(rows * columns * filters, kernel_initializer=kernel_initializer, name="project")(x)
    x = layers.Reshape((rows, columns, filters), name="reshape")(x)
    convolution = {"padding": "same", "kernel_initializer": kernel_initializer}
    for stage in range(count + 1):
        for index in range(repetitions):
            x = Conv2D(filters, 3, activation="elu", **convolution, name=f"decoder_{stage}_{index}")(x)
        if stage < count:
            x = layers.UpSampling2D(2, interpolation="nearest", name=f"up_{stage}")(x)
    x = Conv2D(channels, 3, **convolution, dtype="float32", name="to_image")(x)
    return crop_to(x, height, width)


def halvings(image_shape):
    """The number of halvings, with sizes rounded up, until the smaller side has 8 pixels or fewer."""
    smallest = min(image_shape[:2])
    return max(0, math.ceil(math.log2(smallest / SMALLEST_MAP)))


@keras.saving.register_keras_serializable("ganzoo")
class NormalToUniform(layers.Layer):
    """Maps numbers from N(0, 1) to numbers from U(-1, 1): `2 Phi(z) - 1 = erf(z / sqrt(2))`.

    The models of the zoo draw all latents from N(0, I). This layer gives a network uniform latents, as in its paper.
    """

    def call(self, inputs):
        return ops.erf(inputs / math.sqrt(2.0))

    def compute_output_shape(self, input_shape):
        return input_shape
