"""Residual networks, for images of any height, width and channels.

They are the networks of the WGAN-GP authors. Every block adds two 3x3 convolutions to a shortcut, with ReLU before each
convolution. The generator's blocks upsample by nearest neighbours and have batch normalization. The critic's blocks use
average pooling and have layer normalization or no normalization. With classes, the generator's normalization has gains
and biases for each class. The label enters there and not beside the latents.

| Network of the paper | Generator | Critic |
|---|---|---|
| CIFAR-10, 32x32 | `filters=128` | `filters=128` |
| 64x64 | `filters=64, growth=2` | `filters=64, growth=2, normalization="layer", down_blocks=4, same_blocks=0` |

The 64x64 critic in the authors' code differs. Its first layer is a plain convolution, and its head sees the last map
without pooling.

Reference: [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), Appendix F.
"""

import math

import keras
from keras import layers

from ganzoo import checks
from ganzoo.layers import (
    WGAN_GP_KERNELS,
    ConditionalBatchNormalization,
    Conv2D,
    ReLU,
    convolution_layer,
    dense_layer,
)
from ganzoo.layers import normalization as normalization_layer
from ganzoo.networks.dcgan import crop_to, stages
from ganzoo.networks.inputs import (
    add_projection,
    condition_vectors,
    functional,
    image_input,
    join_label_planes,
    label_input,
    network,
    split_condition,
)

# The paper's critic halves 32 pixels to 8, and 28 pixels to 7.
LAST_SIDE_OF_CRITIC = 7


@network
def generator(
    image_shape,
    latent_dim=128,
    filters=128,
    growth=1,
    batch_normalization=True,
    kernel_initializer=WGAN_GP_KERNELS,
    num_classes=None,
):
    """Maps latents to an image by a projection to a small map and residual blocks that double its size.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: Integer, size of the latent vector. Defaults to `128`.
        filters: Integer, channels of the largest hidden map. Defaults to `128`.
        growth: Integer, factor by which the channels grow with each halving of the map. Defaults to `1`.
        batch_normalization: Boolean. Defaults to `True`. Classes need it.
        kernel_initializer: Keras initializer of the convolutions on the residual paths. Defaults to the authors'
            initializer, uniform with variance `4 / (fan_in + fan_out)`. All other kernels start with half the variance.
        num_classes: Integer, or `None` (the default). With classes, there is a second input `label`, for conditional
            batch normalization.

    Returns:
        Functional `keras.Model`: `latents` `(batch, latent_dim)` [, `label` `(batch,)`] -> float32 images in [-1, 1].
    """
    height, width, channels = image_shape = checks.sample_shape("image_shape", image_shape)
    latent_dim, filters, growth = checks.counts(latent_dim=latent_dim, filters=filters, growth=growth)
    if num_classes is not None and not checks.boolean("batch_normalization", batch_normalization):
        raise ValueError(
            "The label enters the residual generator through its batch normalization. Received: num_classes="
            f"{num_classes} with batch_normalization=False. Leave batch_normalization out."
        )
    count = stages(image_shape)
    depths = [filters * growth ** (count - 1 - index) for index in range(count)]
    rows, columns = -(-height // 2**count), -(-width // 2**count)
    latents, label = keras.Input((latent_dim,), name="latents"), label_input(num_classes)

    def activate(x, name):
        if label is not None:
            x = ConditionalBatchNormalization(num_classes, name=f"{name}_batch_norm")([x, label])
        else:
            x = normalization_layer("batch" if batch_normalization else None, name)(x)
        return layers.ReLU(name=f"{name}_relu")(x)

    x = layers.Dense(rows * columns * depths[0], name="project")(latents)
    x = layers.Reshape((rows, columns, depths[0]), name="reshape")(x)
    for index, depth in enumerate(depths):
        name = f"up_{index}"
        residual = layers.UpSampling2D(name=f"{name}_double")(activate(x, f"{name}_0"))
        residual = convolution(depth, 3, f"{name}_conv_0", kernel_initializer)(residual)
        residual = convolution(depth, 3, f"{name}_conv_1", kernel_initializer)(activate(residual, f"{name}_1"))
        shortcut = layers.UpSampling2D(name=f"{name}_double_shortcut")(x)
        x = layers.Add(name=f"{name}_sum")([residual, convolution(depth, 1, f"{name}_shortcut")(shortcut)])
    x = Conv2D(channels, 3, padding="same", dtype="float32", name="images")(activate(x, "last"))
    x = layers.Activation("tanh", dtype="float32", name="tanh")(crop_to(x, height, width))
    return functional([latents, label], x, name="resnet_generator")


@network
def discriminator(
    image_shape,
    filters=128,
    growth=1,
    normalization=None,
    down_blocks=None,
    same_blocks=2,
    pooling="mean",
    kernel_initializer=WGAN_GP_KERNELS,
    num_classes=None,
    label="one_hot",
    conditioning="concatenate",
    packing=1,
    score_dim=1,
):
    """Scores an image by residual blocks that halve its size and blocks that keep it.

    Args:
        image_shape: `(height, width, channels)`.
        filters: Integer, channels of the largest map. Defaults to `128`.
        growth: Integer, factor by which the channels grow with each halving of the map. Defaults to `1`.
        normalization: `None` (the default), `"layer"`, `"batch"` or `"instance"`, never in the first block.
            `"spectral"` applies to all kernels.
        down_blocks: Integer, number of blocks that halve the size. By default as many as leave both sides at 7 pixels
            or more.
        same_blocks: Integer, number of blocks after them that keep the size. Defaults to `2`.
        pooling: `"mean"` (the default) over the last map, or `"sum"`, as in the networks of spectral normalization.
        kernel_initializer: As in `generator`.
        num_classes: Integer, or `None` (the default). With classes, there is a second input `label`.
        label: How the label is joined to the image as channels: `"one_hot"` (the default) or `"embedding"`.
        conditioning: `"concatenate"` (the default) or `"projection"`, where the score is `f(x) + <V y, phi(x)>` and phi
            is the pooled features.
        packing: Integer, images that are scored at once, joined in their channels. Defaults to `1`.
        score_dim: Integer, numbers that a sample gets as its score: more than one are the features of `CramerGAN`.
            Defaults to `1`.

    Returns:
        Functional `keras.Model`: `image` [, `label`] -> float32 scores `(batch, score_dim)`.

    Reference for sum pooling: [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), Table 4.
    """
    image_shape = checks.sample_shape("image_shape", image_shape)
    filters, growth, score_dim = checks.counts(filters=filters, growth=growth, score_dim=score_dim)
    pooling = checks.choice("pooling", pooling, ("mean", "sum"))
    same_blocks = checks.depth("same_blocks", same_blocks)
    stages(image_shape)  # Raises an error for images that are too small.
    down_blocks = checks.depth("down_blocks", down_blocks, least=1, optional=True) or halvings(image_shape)
    image, classes = image_input(image_shape, packing), label_input(num_classes, packing)
    (joined, _), (projected, _) = split_condition(classes, None, conditioning)
    x = join_label_planes(image, joined, num_classes, label)

    def activate(x, name):
        return ReLU(name=f"{name}_relu")(normalization_layer(normalization, name)(x))

    def convolve(x, depth, size, name, initializer="glorot_uniform"):
        return convolution(depth, size, name, initializer, normalization)(x)

    for index in range(down_blocks + same_blocks):
        first, halves = index == 0, index < down_blocks
        name = f"down_{index}" if halves else f"same_{index - down_blocks}"
        # Blocks that keep the size also keep the number of channels.
        depth = filters * growth ** min(index, down_blocks - 1)
        # The first block's input is an image, so it has no ReLU, and its hidden map is as deep as its output.
        residual = x if first else activate(x, f"{name}_0")
        residual = convolve(residual, depth if first else x.shape[-1], 3, f"{name}_conv_0", kernel_initializer)
        residual = ReLU(name=f"{name}_1_relu")(residual) if first else activate(residual, f"{name}_1")
        residual = convolve(residual, depth, 3, f"{name}_conv_1", kernel_initializer)
        if halves:
            # Pooling and a 1x1 convolution commute. Pooling first is cheaper.
            residual = layers.AveragePooling2D(2, padding="same", name=f"{name}_halve")(residual)
            x = layers.AveragePooling2D(2, padding="same", name=f"{name}_halve_shortcut")(x)
            x = convolve(x, depth, 1, f"{name}_shortcut")
        x = layers.Add(name=f"{name}_sum")([x, residual])
    x = ReLU(name="last_relu")(x)
    features = layers.GlobalAveragePooling2D(name="mean")(x)
    if pooling == "sum":
        features = layers.Rescaling(float(x.shape[1] * x.shape[2]), name="sum")(features)
    score = dense_layer(normalization)(score_dim, dtype="float32", name="score")(features)
    score = add_projection(score, features, condition_vectors(projected, num_classes, None), normalization)
    return functional([image, classes], score, name="resnet_discriminator")


def halvings(image_shape):
    """The number of times that the critic halves an image."""
    return max(1, int(math.log2(min(image_shape[:2]) / LAST_SIDE_OF_CRITIC)))


def convolution(depth, size, name, kernel_initializer="glorot_uniform", normalization=None):
    """A convolution that keeps height and width."""
    return convolution_layer(normalization)(
        depth, size, padding="same", kernel_initializer=kernel_initializer, name=name
    )
