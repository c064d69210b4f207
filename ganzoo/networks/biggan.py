"""The residual networks of BigGAN and SAGAN, for images of any height, width and channels.

Blocks of two 3x3 convolutions and a shortcut, with ReLU before the convolutions, nearest neighbours upwards and means
downwards, as in `ganzoo.networks.resnet`. What is new: spectral normalization in both networks, gains and biases of the
generator's batch normalization that are linear in the label (and in a part of the latents), self-attention.

| Networks | Settings |
|---|---|
| BigGAN on CIFAR-10, 32x32 (authors' code) | the defaults; `filters=96` is the wider one |
| BigGAN on ImageNet, 128x128 | `filters=96, latent_dim=120, shared_dim=128, split_latents=True`, attention at 64x64 |
| SAGAN on CIFAR-10 | attention after the second block of the generator and the first of the discriminator |

Channels, in multiples of `filters`, from the smallest map to the largest:

| Image | Generator | Discriminator, from the first block to the last |
|---|---|---|
| below 64x64 | 4 everywhere | 4 in four blocks, two of which halve |
| 64x64 | 16, 16, 8, 4, 2 | 1, 2, 4, 8, 16 |
| 128x128 | 16, 16, 8, 4, 2, 1 | 1, 2, 4, 8, 16, 16 |
| 256x256 | 16, 16, 8, 8, 4, 2, 1 | 1, 2, 4, 8, 8, 16, 16 |
| 512x512 | 16, 16, 8, 8, 4, 2, 1, 1 | 1, 1, 2, 4, 8, 8, 16, 16 |

Reference: [Brock et al., 2018](https://arxiv.org/abs/1809.11096), Appendix B; [Zhang et al.,
2018](https://arxiv.org/abs/1805.08318).

Departures from the papers: biases start at 0. An image whose sides are no powers of two is made a little larger and
cropped.
"""

import keras
from keras import layers

from ganzoo import checks
from ganzoo.layers import (
    DCGAN_KERNELS,
    BatchNormalization,
    ModulatedBatchNormalization,
    ReLU,
    SelfAttention,
    convolution_layer,
    dense_layer,
)
from ganzoo.networks.dcgan import crop_to, stages
from ganzoo.networks.inputs import (
    add_projection,
    condition_vectors,
    functional,
    image_input,
    label_input,
    network,
    one_hot,
)

# By the number of times that 4 pixels double; fewer than four have the networks of CIFAR-10.
GENERATOR_WIDTHS = {
    4: (16, 16, 8, 4, 2),
    5: (16, 16, 8, 4, 2, 1),
    6: (16, 16, 8, 8, 4, 2, 1),
    7: (16, 16, 8, 8, 4, 2, 1, 1),
}
DISCRIMINATOR_WIDTHS = {
    4: (1, 2, 4, 8, 16),
    5: (1, 2, 4, 8, 16, 16),
    6: (1, 2, 4, 8, 8, 16, 16),
    7: (1, 1, 2, 4, 8, 8, 16, 16),
}


@network
def generator(
    image_shape,
    latent_dim=128,
    filters=64,
    num_classes=None,
    shared_dim=None,
    split_latents=False,
    attention=None,
    normalization="spectral",
    kernel_initializer=DCGAN_KERNELS,
):
    """Latents, projected to a map of about 4x4, through blocks that double its size to an image.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: Integer, size of the latent vector. Defaults to `128`.
        filters: Integer, the papers' ch. Defaults to `64`.
        num_classes: Integer, or `None` (the default). With classes, there is a second input `label`, for the batch
            normalization of the blocks.
        shared_dim: Integer, size of an embedding of the label that all blocks share. Defaults to `None`: a table of
            gains and biases in each block.
        split_latents: Boolean, hand the first part of the latents to the first layer and one more to each block. Their
            number must divide `latent_dim`. Defaults to `False`.
        attention: Integer k, self-attention after the k-th block, from 1. Defaults to `None`.
        normalization: `"spectral"` (the default), on all kernels but tables of classes, or `None`.
        kernel_initializer: Keras initializer of all kernels. Defaults to N(0, 0.02).

    Returns:
        Functional `keras.Model`: `latents` `(batch, latent_dim)` [, `label` `(batch,)`] -> float32 images in [-1, 1].
    """
    height, width, channels = image_shape = checks.sample_shape("image_shape", image_shape)
    latent_dim, filters = checks.counts(latent_dim=latent_dim, filters=filters)
    normalization = checks.choice("normalization", normalization, ("spectral", None))
    count = depth_of(image_shape)
    attention = attention_block(attention, count)
    widths = [filters * width for width in GENERATOR_WIDTHS.get(count, (4,) * (count + 1))]
    rows, columns = -(-height // 2**count), -(-width // 2**count)
    latents, label = keras.Input((latent_dim,), name="latents"), label_input(num_classes)
    parts = split(latents, count + 1) if split_latents else [latents] + [None] * count
    of_label = None if label is None else embedded(label, num_classes, shared_dim, kernel_initializer)
    shares = shared_dim is not None or split_latents
    convolve = convolution_of(normalization, kernel_initializer)

    def activate(x, vector, name):
        if vector is None:
            x = BatchNormalization(momentum=0.9, epsilon=1e-5, synchronized=True, name=f"{name}_batch_norm")(x)
        else:
            kind = normalization if shares else None
            x = ModulatedBatchNormalization(kind, kernel_initializer, name=f"{name}_batch_norm")([x, vector])
        return layers.ReLU(name=f"{name}_relu")(x)

    x = dense_layer(normalization)(rows * columns * widths[0], kernel_initializer=kernel_initializer, name="project")(
        parts[0]
    )
    x = layers.Reshape((rows, columns, widths[0]), name="reshape")(x)
    for index, (depth, part) in enumerate(zip(widths[1:], parts[1:], strict=True)):
        name, vector = f"up_{index}", beside(of_label, part, f"up_{index}_vector")
        residual = layers.UpSampling2D(name=f"{name}_double")(activate(x, vector, f"{name}_0"))
        residual = convolve(residual, depth, 3, f"{name}_conv_0")
        residual = convolve(activate(residual, vector, f"{name}_1"), depth, 3, f"{name}_conv_1")
        # A 1x1 convolution and nearest neighbours commute, and this order is the cheaper one.
        shortcut = layers.UpSampling2D(name=f"{name}_double_shortcut")(convolve(x, depth, 1, f"{name}_shortcut"))
        x = layers.Add(name=f"{name}_sum")([residual, shortcut])
        if attention == index + 1:
            x = SelfAttention(normalization, kernel_initializer, name="attention")(x)
    x = convolve(activate(x, None, "last"), channels, 3, "images", dtype="float32")
    x = layers.Activation("tanh", dtype="float32", name="tanh")(crop_to(x, height, width))
    return functional([latents, label], x, name="biggan_generator")


@network
def discriminator(
    image_shape,
    filters=64,
    num_classes=None,
    attention=None,
    normalization="spectral",
    kernel_initializer=DCGAN_KERNELS,
    packing=1,
):
    """An image through blocks that halve its size, and blocks that keep it, to a score.

    With classes, the score is `f(x) + <V y, phi(x)>`, phi the sum of the last map over its places.

    Args:
        image_shape: `(height, width, channels)`.
        filters: Integer, the papers' ch. Defaults to `64`.
        num_classes: Integer, or `None` (the default). With classes, there is a second input `label`.
        attention: Integer k, self-attention after the k-th block, from 1. Defaults to `None`.
        normalization: `"spectral"` (the default), on all kernels, or `None`.
        kernel_initializer: Keras initializer of all kernels. Defaults to N(0, 0.02).
        packing: Integer, images that are scored at once, joined in their channels. Defaults to `1`.

    Returns:
        Functional `keras.Model`: `image` [, `label`] -> float32 scores `(batch, 1)`.

    Reference: of the projection, [Miyato and Koyama, 2018](https://arxiv.org/abs/1802.05637).
    """
    image_shape = checks.sample_shape("image_shape", image_shape)
    filters = checks.integer("filters", filters, least=1)
    normalization = checks.choice("normalization", normalization, ("spectral", None))
    count = depth_of(image_shape)
    widths = [filters * width for width in DISCRIMINATOR_WIDTHS.get(count, (4, 4, 4, 4))]
    down_blocks = count if count in DISCRIMINATOR_WIDTHS else 2
    attention = attention_block(attention, len(widths))
    image, label = image_input(image_shape, packing), label_input(num_classes, packing)
    convolve = convolution_of(normalization, kernel_initializer)
    x = image
    for index, depth in enumerate(widths):
        name, first, halves = f"down_{index}", index == 0, index < down_blocks
        # The input of the first block is an image: no ReLU.
        residual = x if first else ReLU(name=f"{name}_0_relu")(x)
        residual = convolve(residual, depth, 3, f"{name}_conv_0")
        residual = convolve(ReLU(name=f"{name}_1_relu")(residual), depth, 3, f"{name}_conv_1")
        if halves:
            residual = layers.AveragePooling2D(2, padding="same", name=f"{name}_halve")(residual)
            x = layers.AveragePooling2D(2, padding="same", name=f"{name}_halve_shortcut")(x)
        if halves or x.shape[-1] != depth:
            x = convolve(x, depth, 1, f"{name}_shortcut")
        x = layers.Add(name=f"{name}_sum")([x, residual])
        if attention == index + 1:
            x = SelfAttention(normalization, kernel_initializer, name="attention")(x)
    x = ReLU(name="last_relu")(x)
    features = layers.GlobalAveragePooling2D(dtype="float32", name="mean")(x)
    features = layers.Rescaling(float(x.shape[1] * x.shape[2]), dtype="float32", name="sum")(features)
    score = dense_layer(normalization)(1, kernel_initializer=kernel_initializer, dtype="float32", name="score")(
        features
    )
    vectors = condition_vectors(label, num_classes, None)
    score = add_projection(score, features, vectors, normalization, kernel_initializer)
    return functional([image, label], score, name="biggan_discriminator")


def depth_of(image_shape):
    """How often 4 pixels double to the smaller side of an image."""
    count = stages(image_shape)
    if count > max(GENERATOR_WIDTHS):
        raise ValueError(
            f"The networks of BigGAN make images of up to 1023 pixels a side. Received: image_shape={image_shape}. "
            "Make smaller ones, and enlarge them."
        )
    return count


def attention_block(attention, count):
    """Returns the number of the block that attention follows, or `None`."""
    return checks.integer("attention", attention, least=1, most=count, optional=True)


def convolution_of(normalization, kernel_initializer):
    """A function that convolves a map and keeps its height and width."""

    def convolve(x, depth, size, name, **settings):
        settings = {"padding": "same", "kernel_initializer": kernel_initializer, "name": name, **settings}
        return convolution_layer(normalization)(depth, size, **settings)(x)

    return convolve


def embedded(label, num_classes, shared_dim, kernel_initializer):
    """The label as a vector that all blocks get: one-hot, or a learned one of `shared_dim` numbers."""
    vector = one_hot(label, num_classes)
    if shared_dim is None:
        return vector
    checks.counts(shared_dim=shared_dim)
    return layers.Dense(shared_dim, use_bias=False, kernel_initializer=kernel_initializer, name="shared_embedding")(
        vector
    )


def split(latents, count):
    """Latents in `count` equal parts, the first one for the first layer."""
    latent_dim = latents.shape[-1]
    if latent_dim % count:
        raise ValueError(
            f"`split_latents` needs latents in {count} equal parts, one for the first layer and one for each block. "
            f"Received: latent_dim={latent_dim}. Take a multiple of {count}."
        )
    rows = layers.Reshape((count, latent_dim // count), name="parts")(latents)
    cropped = [layers.Cropping1D((index, count - 1 - index), name=f"part_{index}_row")(rows) for index in range(count)]
    return [layers.Flatten(name=f"part_{index}")(part) for index, part in enumerate(cropped)]


def beside(of_label, part, name):
    """What modulates a block: the label's vector, a part of the latents, both side by side, or `None`."""
    vectors = [vector for vector in (of_label, part) if vector is not None]
    return layers.Concatenate(name=name)(vectors) if len(vectors) == 2 else next(iter(vectors), None)
