"""The convolutional networks of DCGAN, for images of any height, width and channels.

They follow the guidelines of Radford et al., Section 3:

- strided convolutions instead of pooling, and no hidden dense layers
- ReLU and tanh in the generator, LeakyReLU(0.2) in the discriminator
- batch normalization in both, except at the generator's output and the discriminator's input
- weights from N(0, 0.02)

The networks halve a size while both sides stay at 4 pixels or more: 64x64 has four stages (512, 256, 128, 64 filters at
`filters=64`), 28x28 has two. Kernels are 4x4 with stride 2, which overlap evenly. The authors' first code has 5x5, the
WGAN authors' has 4x4. If a size does not divide, the image is generated slightly larger and cropped.

Reference: [Radford et al., 2015](https://arxiv.org/abs/1511.06434), Section 3 and Figure 1.
"""

import math

import keras
from keras import layers

from ganzoo import checks
from ganzoo.layers import DCGAN_KERNELS, Conv2DTranspose, LeakyReLU, convolution_layer, dense_layer
from ganzoo.layers import normalization as normalization_layer
from ganzoo.networks.heads import with_heads
from ganzoo.networks.inputs import (
    add_projection,
    attributes_input,
    condition_vectors,
    functional,
    image_input,
    join_attribute_planes,
    join_attributes,
    join_label,
    join_label_planes,
    label_input,
    network,
    split_condition,
)

SMALLEST_SIDE = 4


def stages(image_shape):
    """Number of halvings that leave both sides at 4 pixels or more (at least one)."""
    height, width, _ = image_shape
    smallest = min(height, width)
    if smallest < 2 * SMALLEST_SIDE:
        raise ValueError(
            f"The DCGAN networks need images of 8x8 pixels or more. Received: image_shape={tuple(image_shape)}. "
            "Use ganzoo.networks.mlp for smaller ones."
        )
    return int(math.log2(smallest // SMALLEST_SIDE))


def grid_of(image_shape, pixel_size):
    """The shape of pixel art on its own grid, on which the layers work."""
    height, width, channels = checks.sample_shape("image_shape", image_shape)
    size = checks.integer("pixel_size", pixel_size, least=1)
    if height % size or width % size:
        raise ValueError(
            f"`pixel_size` must divide the height and the width of image_shape={(height, width, channels)}. Received: "
            f"pixel_size={size}"
        )
    return height // size, width // size, channels


@network
def generator(
    image_shape,
    latent_dim=100,
    filters=64,
    batch_normalization=True,
    kernel_initializer=DCGAN_KERNELS,
    num_classes=None,
    label="one_hot",
    pixel_size=1,
    num_attributes=None,
):
    """Maps latents to an image by a projection to a small map and transposed convolutions.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: Integer, size of the latent vector. Defaults to `100`.
        filters: Integer, channels of the largest hidden map. Each smaller map has twice as many. Defaults to `64`.
        batch_normalization: Boolean. Defaults to `True`.
        kernel_initializer: Keras initializer of all kernels. Defaults to N(0, 0.02).
        num_classes: Integer, or `None` (the default). With classes, a second input `label` is joined to the latents.
        label: `"one_hot"` (the default), or `"embedding"`, a learned vector with the size of the latents.
        pixel_size: Integer k, for pixel art: the layers make an image of `height / k` by `width / k`, whose pixels are
            enlarged to k by k. Defaults to `1`.
        num_attributes: Integer, or `None` (the default). With attributes, numbers from 0 to 1, a further input
            `attributes` is joined to the latents.

    Returns:
        Functional `keras.Model`: `latents` `(batch, latent_dim)` [, `label` `(batch,)`] [, `attributes` `(batch,
        num_attributes)`] -> float32 images in [-1, 1].
    """
    height, width, channels = image_shape = grid_of(image_shape, pixel_size)
    latent_dim, filters = checks.counts(latent_dim=latent_dim, filters=filters)
    count = stages(image_shape)
    kind = "batch" if checks.boolean("batch_normalization", batch_normalization) else None
    # Rounded up. `crop_to` removes the rest at the end.
    rows, columns, depth = -(-height // 2**count), -(-width // 2**count), filters * 2 ** (count - 1)

    latents, classes = keras.Input((latent_dim,), name="latents"), label_input(num_classes)
    attributes = attributes_input(num_attributes)
    x = join_attributes(join_label(latents, classes, num_classes, label, latent_dim), attributes)
    # Equivalent to a transposed convolution of a 1x1 image.
    x = layers.Dense(
        rows * columns * depth, use_bias=kind is None, kernel_initializer=kernel_initializer, name="project"
    )(x)
    x = layers.Reshape((rows, columns, depth), name="reshape")(x)
    for index in range(count):
        x = normalization_layer(kind, f"stage_{index}")(x)
        x = layers.ReLU(name=f"relu_{index}")(x)
        last = index == count - 1
        x = Conv2DTranspose(
            channels if last else depth // 2 ** (index + 1),
            kernel_size=4,
            strides=2,
            padding="same",
            # Batch normalization would subtract a bias.
            use_bias=last or kind is None,
            kernel_initializer=kernel_initializer,
            dtype="float32" if last else None,
            name="images" if last else f"up_{index}",
        )(x)
    x = layers.Activation("tanh", dtype="float32", name="tanh")(crop_to(x, height, width))
    if pixel_size > 1:
        x = layers.UpSampling2D(pixel_size, dtype="float32", name="pixels")(x)
    return functional([latents, classes, attributes], x, name="dcgan_generator")


def crop_to(x, height, width):
    """Crops a float32 map to its middle."""
    spare_rows, spare_columns = x.shape[1] - height, x.shape[2] - width
    if not (spare_rows or spare_columns):
        return x
    top, left = spare_rows // 2, spare_columns // 2
    crop = ((top, spare_rows - top), (left, spare_columns - left))
    return layers.Cropping2D(crop, dtype="float32", name="crop")(x)


@network
def discriminator(
    image_shape,
    filters=64,
    normalization="batch",
    kernel_initializer=DCGAN_KERNELS,
    num_classes=None,
    label="one_hot",
    conditioning="concatenate",
    packing=1,
    heads=None,
    pixel_size=1,
    num_attributes=None,
    score_dim=1,
):
    """Scores an image by strided convolutions.

    Args:
        image_shape: `(height, width, channels)`.
        filters: Integer, channels of the first map. Each smaller map has twice as many. Defaults to `64`.
        normalization: `"batch"` (the default), `"layer"`, `"instance"` or `None`, never at the first convolution.
            `"spectral"` applies to all kernels.
        kernel_initializer: Keras initializer of all kernels. Defaults to N(0, 0.02).
        num_classes: Integer, or `None` (the default). With classes, there is a second input `label`.
        label: How the label is joined to the image as channels. `"one_hot"` (the default) adds `num_classes` planes,
            the plane of the class filled with 1 and the others with 0. `"embedding"` adds a learned plane.
        conditioning: `"concatenate"` (the default) or `"projection"`, where the score is `f(x) + <V y, phi(x)>` and phi
            is the last map.
        packing: Integer, images that are scored at once, joined in their channels. Defaults to `1`.
        heads: Dictionary, name -> number of outputs, of further outputs beside the score, on the last features. See
            `ganzoo.networks.heads`. Defaults to `None`.
        pixel_size: Integer k, as in `generator`. The layers see means of k by k pixels. Defaults to `1`.
        num_attributes: Integer, or `None` (the default). With attributes, there is a further input `attributes`.
        score_dim: Integer, numbers that a sample gets as its score: more than one are the features of `CramerGAN`.
            Defaults to `1`.

    Returns:
        Functional `keras.Model`: `image` [, `label`] [, `attributes`] -> float32 scores `(batch, score_dim)`, or a
        dictionary with `"scores"` and the heads.
    """
    grid = grid_of(image_shape, pixel_size)
    filters, score_dim = checks.counts(filters=filters, score_dim=score_dim)
    image, classes = image_input(image_shape, packing), label_input(num_classes, packing)
    attributes = attributes_input(num_attributes, packing)
    joined, projected = split_condition(classes, attributes, conditioning)
    x = layers.AveragePooling2D(pixel_size, name="pixels")(image) if pixel_size > 1 else image
    x = join_attribute_planes(join_label_planes(x, joined[0], num_classes, label), joined[1])
    for index in range(stages(grid)):
        # Batch normalization in the first layer makes samples oscillate and the training unstable (Section 3).
        kind = normalization if index > 0 or normalization == "spectral" else None
        x = convolution_layer(kind)(
            filters * 2**index,
            kernel_size=4,
            strides=2,
            padding="same",
            use_bias=kind in (None, "spectral"),
            kernel_initializer=kernel_initializer,
            name=f"down_{index}",
        )(x)
        x = normalization_layer(kind, f"down_{index}")(x)
        x = LeakyReLU(0.2, name=f"leaky_relu_{index}")(x)
    x = layers.Flatten(name="flatten")(x)
    score = dense_layer(normalization)(score_dim, kernel_initializer=kernel_initializer, dtype="float32", name="score")(
        x
    )
    vectors = condition_vectors(projected[0], num_classes, projected[1])
    score = add_projection(score, x, vectors, normalization, kernel_initializer)
    outputs = with_heads(score, x, heads, normalization, kernel_initializer)
    return functional([image, classes, attributes], outputs, name="dcgan_discriminator")
