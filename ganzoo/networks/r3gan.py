"""The networks of R3GAN ("Config E"), for images of any height, width and channels.

A residual network of today without any normalization. Generator and discriminator mirror each other. A block widens a
map, convolves it in groups, and narrows it again:

    x + W_3 f(W_2 f(W_1 x + b_1) + b_2),   f = LeakyReLU(0.2),   W_1 and W_3: 1x1, W_2: 3x3 in groups

W_3 starts at 0, so a block starts as the identity, and W_1 and W_2 start smaller by L^(-1/4) for L blocks: the
variance of the whole network is bounded without normalization (Fixup,
[Zhang et al., 2019](https://arxiv.org/abs/1901.09321)). Between maps of two sizes stands the filter [1, 2, 1], and a
1x1 convolution where the number of filters changes. No other layer has a bias.

The generator starts with a learned basis, a small map each of whose filters is scaled by a linear function of the
latents. The discriminator ends with the products of its last map and a basis. A label enters both as a learned vector:
beside the latents, and as a projection. For K classes the entries of these vectors start with variance 1 / K, and in
the discriminator 1 / (K size), as in the authors' code. The paper does not say.

| Network of the paper | Settings |
|---|---|
| CIFAR-10, 32x32 | `filters=768` |
| FFHQ, 64x64 | `filters=(384, 768, 768, 768, 768)` |
| ImageNet, 32x32 | `filters=1536, cardinality=96` |

Reference: [Huang et al., 2025](https://arxiv.org/abs/2501.05441), Section 4 and Appendix D.

Departures from the paper:

- A size is halved while both sides stay at 4 pixels or more, rounded up, so the basis is 4x4 for powers of 2 and
  larger for others, such as 7x7 for 28 pixels. What is generated too large is cropped.
- Beyond its borders, a map that is resampled goes on with its last pixel. The paper does not say.
- Images are clipped to [-1, 1] outside of training.
"""

import math

import keras
from keras import layers, ops

from ganzoo import checks
from ganzoo.layers import (
    LINEAR,
    ClipInInference,
    FilteredDownsampling2D,
    FilteredUpsampling2D,
    GroupedConv2D,
    LeakyReLU,
)
from ganzoo.networks.dcgan import crop_to
from ganzoo.networks.inputs import (
    EMBEDDINGS,
    attributes_input,
    condition_vectors,
    functional,
    image_input,
    label_input,
    network,
)

SMALLEST_SIDE = 4  # Of the basis.
FILTERS_OF_A_GROUP = 16  # CIFAR-10: 96 groups of 2 * 768 filters.
SLOPE = 0.2

# Variance 1 / fan_in, for layers without a rectifier after them.
LINEAR_KERNELS = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0, "mode": "fan_in", "distribution": "untruncated_normal"},
}


def kernels_of_block(blocks):
    """The initializer of a block's first two convolutions: He et al., times L^(-1/4) of standard deviation.

    Args:
        blocks: Integer L, the blocks of the network.
    """
    scale = 2.0 / (1.0 + SLOPE**2) / math.sqrt(blocks)
    config = {"scale": scale, "mode": "fan_in", "distribution": "untruncated_normal"}
    return {"class_name": "VarianceScaling", "config": config}


@network
def generator(
    image_shape,
    latent_dim=64,
    filters=768,
    blocks=2,
    cardinality=None,
    expansion=2,
    num_classes=None,
    num_attributes=None,
    embedding_dim=64,
):
    """Latents, spread over a basis, through residual blocks and doublings to an image.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: Integer, size of the latent vector. Defaults to `64`.
        filters: Integer, width of all maps; or a sequence, from the largest map to the smallest. Defaults to `768`.
        blocks: Integer, residual blocks at each size; or a sequence in that order. Defaults to `2`.
        cardinality: Integer, groups of the 3x3 convolutions; or a sequence in that order. Defaults to `None`: as many
            as make groups of 16 filters.
        expansion: Integer, how many times wider a block is inside. Defaults to `2`.
        num_classes: Integer, or `None` (the default). With classes, there is a second input `label`.
        num_attributes: Integer, or `None` (the default). With attributes, numbers from 0 to 1, there is a further input
            `attributes`.
        embedding_dim: Integer, size of the learned vector of a condition. Defaults to `64`.

    Returns:
        Functional `keras.Model`: `latents` `(batch, latent_dim)` [, `label` `(batch,)`] [, `attributes` `(batch,
        num_attributes)`] -> float32 images, linear in training mode, clipped to [-1, 1] else.
    """
    height, width, channels = image_shape = checks.sample_shape("image_shape", image_shape)
    latent_dim, embedding_dim = checks.counts(latent_dim=latent_dim, embedding_dim=embedding_dim)
    plan = stages_of(image_shape, filters, blocks, cardinality, expansion)
    latents, label = keras.Input((latent_dim,), name="latents"), label_input(num_classes)
    attributes = attributes_input(num_attributes)
    vectors, x = condition_vectors(label, num_classes, attributes), latents
    if vectors is not None:
        x = layers.Concatenate(name="with_condition")([x, embedded(vectors, embedding_dim)])
    width_of_smallest = plan[-1]["filters"]
    x = layers.Dense(width_of_smallest, use_bias=False, kernel_initializer=LINEAR_KERNELS, name="coefficients")(x)
    x = Spread(sides_after(image_shape, len(plan) - 1), name="basis")(x)
    for index, stage in reversed(list(enumerate(plan))):
        if stage is not plan[-1]:
            x = linear_convolution(x, stage["filters"], f"widen_{index}")
            x = FilteredUpsampling2D(LINEAR, name=f"up_{index}")(x)
        x = residual_blocks(x, stage, f"map_{index}")
    x = layers.Conv2D(channels, 1, use_bias=False, kernel_initializer=LINEAR_KERNELS, dtype="float32", name="to_image")(
        x
    )
    x = ClipInInference(dtype="float32", name="images")(crop_to(x, height, width))
    return functional([latents, label, attributes], x, name="r3gan_generator")


@network
def discriminator(
    image_shape,
    filters=768,
    blocks=2,
    cardinality=None,
    expansion=2,
    num_classes=None,
    num_attributes=None,
    packing=1,
):
    """An image through residual blocks and halvings to products with a basis, and to a score.

    Args:
        image_shape: `(height, width, channels)`.
        filters, blocks, cardinality, expansion: See `generator`.
        num_classes: Integer, or `None` (the default). With classes, there is a second input `label`, and the score is
            the product of features with a learned vector of the class.
        num_attributes: Integer, or `None` (the default). With attributes, there is a further input `attributes`.
        packing: Integer, images that are scored at once, joined in their channels. Defaults to `1`.

    Returns:
        Functional `keras.Model`: `image` [, `label`] [, `attributes`] -> float32 scores `(batch, 1)`.
    """
    image_shape = checks.sample_shape("image_shape", image_shape)
    plan = stages_of(image_shape, filters, blocks, cardinality, expansion)
    image, label = image_input(image_shape, packing), label_input(num_classes, packing)
    attributes = attributes_input(num_attributes, packing)
    vectors = condition_vectors(label, num_classes, attributes)
    x = linear_convolution(image, plan[0]["filters"], "from_image", always=True)
    for index, stage in enumerate(plan):
        if index:
            x = FilteredDownsampling2D(LINEAR, name=f"down_{index}")(x)
            x = linear_convolution(x, stage["filters"], f"widen_{index}")
        x = residual_blocks(x, stage, f"map_{index}")
    x = Products(name="basis")(x)
    units = 1 if vectors is None else x.shape[-1]
    dense = {"use_bias": False, "kernel_initializer": LINEAR_KERNELS, "dtype": "float32"}
    x = layers.Dense(units, **dense, name="score" if vectors is None else "features")(x)
    if vectors is not None:
        x = layers.Dot(axes=-1, dtype="float32", name="score")([x, embedded(vectors, units, scale=1.0 / units)])
    return functional([image, label, attributes], x, name="r3gan_discriminator")


def stages_of(image_shape, filters, blocks, cardinality, expansion):
    """What the residual blocks of each size are, from the largest map to the smallest, as a list of dictionaries."""
    count = maps_of(image_shape)
    (expansion,) = checks.counts(expansion=expansion)
    widths = one_each("filters", filters, count)
    groups = [None] * count if cardinality is None else one_each("cardinality", cardinality, count)
    numbers = [checks.depth("blocks", number, least=1) for number in one_each("blocks", blocks, count)]
    scale = kernels_of_block(sum(numbers))
    stages = []
    for width, number, group in zip(widths, numbers, groups, strict=True):
        hidden = width * expansion
        group = default_cardinality(hidden) if group is None else group
        if hidden % group:
            raise ValueError(
                f"`cardinality` must divide filters * expansion = {width} * {expansion}. Received: cardinality={group}"
            )
        stages.append({"filters": width, "blocks": number, "groups": group, "hidden": hidden, "kernels": scale})
    return stages


def maps_of(image_shape):
    """How many sizes of map there are."""
    return 1 + max(0, int(math.log2(max(min(image_shape[:2]) // SMALLEST_SIDE, 1))))


def one_each(name, value, count):
    """A positive integer for each size of map."""
    items = checks.plain_items(value)
    if items is None:
        return [checks.integer(name, value, least=1)] * count
    return list(checks.integers(name, items, count=count))


def default_cardinality(hidden):
    """The largest number of equal groups that have `FILTERS_OF_A_GROUP` filters or more; one group for few filters."""
    most = max(hidden // FILTERS_OF_A_GROUP, 1)
    return next(groups for groups in range(most, 0, -1) if hidden % groups == 0)


def sides_after(image_shape, halvings):
    """Height and width of an image after some halvings, rounded up."""
    return tuple(-(-side // 2**halvings) for side in image_shape[:2])


def residual_blocks(x, stage, name):
    """The residual blocks of one size."""
    expand = {"kernel_initializer": stage["kernels"]}
    for index in range(stage["blocks"]):
        prefix = f"{name}_block_{index}"
        y = layers.Conv2D(stage["hidden"], 1, **expand, name=f"{prefix}_expand")(x)
        y = LeakyReLU(SLOPE, name=f"{prefix}_leaky_relu_0")(y)
        y = GroupedConv2D(
            stage["hidden"], 3, padding="same", groups=stage["groups"], **expand, name=f"{prefix}_grouped"
        )(y)
        y = LeakyReLU(SLOPE, name=f"{prefix}_leaky_relu_1")(y)
        y = layers.Conv2D(stage["filters"], 1, use_bias=False, kernel_initializer="zeros", name=f"{prefix}_contract")(y)
        x = layers.Add(name=f"{prefix}_sum")([x, y])
    return x


def linear_convolution(x, filters, name, always=False):
    """A 1x1 convolution without bias, where the number of filters changes."""
    if x.shape[-1] == filters and not always:
        return x
    return layers.Conv2D(filters, 1, use_bias=False, kernel_initializer=LINEAR_KERNELS, name=name)(x)


def embedded(vectors, size, scale=1.0):
    """A learned vector of a condition. Its entries start with variance `scale / (classes + attributes)`."""
    config = {**LINEAR_KERNELS["config"], "scale": scale}
    initializer = {**LINEAR_KERNELS, "config": config}
    return layers.Dense(size, use_bias=False, kernel_initializer=initializer, name="embedding")(vectors)


@keras.saving.register_keras_serializable("ganzoo")
class Spread(layers.Layer):
    """Scales each filter of a learned map: coefficients `(batch, filters)` -> `(batch, height, width, filters)`.

    Args:
        size: `(height, width)`.
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = list(checks.integers("size", size, count=2))

    def build(self, input_shape):
        self.basis = self.add_weight(shape=(*self.size, input_shape[-1]), initializer=EMBEDDINGS, name="kernel")

    def call(self, coefficients):
        return coefficients[:, None, None, :] * self.basis

    def compute_output_shape(self, input_shape):
        return input_shape[0], *self.size, input_shape[-1]

    def get_config(self):
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable("ganzoo")
class Products(layers.Layer):
    """The product of each filter with a learned map: `(batch, height, width, filters)` -> `(batch, filters)`."""

    def build(self, input_shape):
        scale = 1.0 / math.sqrt(input_shape[1] * input_shape[2])
        initializer = keras.initializers.RandomNormal(0.0, scale)
        self.basis = self.add_weight(shape=input_shape[1:], initializer=initializer, name="kernel")

    def call(self, x):
        return ops.sum(x * self.basis, axis=(1, 2))

    def compute_output_shape(self, input_shape):
        return input_shape[0], input_shape[-1]
