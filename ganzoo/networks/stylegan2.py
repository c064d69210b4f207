"""The networks of StyleGAN2, for images of any height, width and channels.

The generator is a mapping network, latents -> style w, and a synthesis network, which starts from a learned constant.
The style of each layer scales the input channels of its convolution (`ModulatedConv2D`), noise is added to each map,
and the images of all sizes are summed ("skip generator"). The discriminator is residual and sees how much the samples
of a group differ before its last convolution.

The maps of side s have `min(base / s, max_filters)` filters:

| Configuration | `base` | `max_filters` | `mapping_layers` | discriminator |
|---|---|---|---|---|
| the paper's F, and FFHQ at 1024x1024 | 32768 | 512 | 8 | `group_size=4` |
| `auto`, below 512 pixels | 16384 | 512 | 2 | `group_size=4` |
| `cifar` | 32768 | 512 | 2 | `group_size=32, residual=False` |
| two cores of a CPU, 32x32 | 1024 | 64 | 2 | `group_size=4` |

Reference: [Karras et al., 2019](https://arxiv.org/abs/1912.04958), Sections 2 to 4, Appendix B;
[Karras et al., 2018](https://arxiv.org/abs/1812.04948), Section 2; configurations and conditions:
[Karras et al., 2020](https://arxiv.org/abs/2006.06676), Appendix D.

Departures from the paper:

- A size is halved while both sides stay at 4 pixels or more, rounded up. What is generated too large is cropped.
- Images are clipped to [-1, 1] outside of training.
- Outside of training the noise is the same for all samples, so the sample is a function of latents or styles alone.
  Training draws new noise for each sample.
- A group of the minibatch statistics is a run of neighbours.
- Filters of images that are doubled or halved repeat the pixels at the edge, where the authors' code has zeros.
"""

import math

import keras
from keras import layers, ops

from ganzoo import checks
from ganzoo.layers import (
    ClipInInference,
    EqualizedConv2D,
    EqualizedDense,
    FilterBeforeStride,
    FilteredDownsampling2D,
    FilteredUpsampling2D,
    FixedNoise,
    MinibatchStandardDeviation,
    ModulatedConv2D,
    PixelNormalization,
    ScaledLeakyReLU,
    StyleNoise,
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

SMALLEST_SIDE = 4
RATE_OF_MAPPING = 0.01  # The mapping network learns a hundred times slower.
SQRT_2 = math.sqrt(2.0)
HALF = math.sqrt(0.5)  # The sum of two maps keeps its variance.


@network
def generator(
    image_shape,
    latent_dim=512,
    style_dim=None,
    mapping_layers=8,
    base=32768,
    max_filters=512,
    num_classes=None,
    num_attributes=None,
):
    """Latents through a mapping network to a style, and through modulated convolutions to an image.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: Integer, size of the latent vector. Defaults to `512`.
        style_dim: Integer, size of a style. Defaults to `None`: `latent_dim`.
        mapping_layers: Integer. Defaults to `8`.
        base: Integer, filters times side: a map of side s has `base / s` filters. Defaults to `32768`.
        max_filters: Integer, the most filters of a map. Defaults to `512`.
        num_classes: Integer, or `None` (the default). With classes, there is a second input `label`, of which the
            mapping network gets a learned vector.
        num_attributes: Integer, or `None` (the default). With attributes, numbers from 0 to 1, there is a further input
            `attributes`.

    Returns:
        Functional `keras.Model`: `latents` `(batch, latent_dim)` [, `label` `(batch,)`] [, `attributes` `(batch,
        num_attributes)`] -> float32 images. Its layers `"mapping"` and `"synthesis"` are models: latents [, condition]
        -> style `(batch, style_dim)`, and `[styles, noise]` of the shapes `(batch, layers, style_dim)` and `(batch,
        count)` -> images, linear in training mode, clipped to [-1, 1] else.
    """
    image_shape = checks.sample_shape("image_shape", image_shape)
    latent_dim = checks.integer("latent_dim", latent_dim, least=1)
    style_dim = checks.integer("style_dim", style_dim, least=1, optional=True) or latent_dim
    latents, label = keras.Input((latent_dim,), name="latents"), label_input(num_classes)
    attributes = attributes_input(num_attributes)
    inputs = [tensor for tensor in (latents, label, attributes) if tensor is not None]
    mapping = mapping_network(latent_dim, style_dim, mapping_layers, num_classes, num_attributes)
    synthesis = synthesis_network(image_shape, style_dim, base, max_filters)
    count, size = synthesis.inputs[0].shape[1], synthesis.inputs[1].shape[1]
    style = mapping(inputs if len(inputs) > 1 else inputs[0])
    styles = layers.RepeatVector(count, name="styles")(style)
    images = synthesis([styles, FixedNoise(size, name="noise")(styles)])
    return functional([latents, label, attributes], images, name="stylegan2_generator")


@network
def discriminator(
    image_shape,
    base=32768,
    max_filters=512,
    group_size=4,
    residual=True,
    label_layers=8,
    num_classes=None,
    num_attributes=None,
    packing=1,
):
    """An image through blocks that halve its size to a score.

    Args:
        image_shape: `(height, width, channels)`.
        base, max_filters: See `generator`.
        group_size: Integer, samples that are compared in the minibatch statistics. Defaults to `4`.
        residual: Boolean, whether a block adds its input. Defaults to `True`.
        label_layers: Integer, layers of the mapping network of a condition. Defaults to `8`.
        num_classes: Integer, or `None` (the default). With classes, there is a second input `label`, and the score is
            the product of features with a mapped vector of the class.
        num_attributes: Integer, or `None` (the default). With attributes, there is a further input `attributes`.
        packing: Integer, images that are scored at once, joined in their channels. Defaults to `1`.

    Returns:
        Functional `keras.Model`: `image` [, `label`] [, `attributes`] -> float32 scores `(batch, 1)`.
    """
    image_shape = checks.sample_shape("image_shape", image_shape)
    base, max_filters = checks.counts(base=base, max_filters=max_filters)
    label_layers = checks.depth("label_layers", label_layers)
    image, label = image_input(image_shape, packing), label_input(num_classes, packing)
    attributes = attributes_input(num_attributes, packing)
    vectors = condition_vectors(label, num_classes, attributes)
    depths = [filters_of(side, base, max_filters) for side in sides_of(image_shape)]
    x = activated(EqualizedConv2D(depths[0], 1, name="from_image")(image), "from_image")
    for index, (depth, deeper) in enumerate(zip(depths, depths[1:])):
        x = halving_block(x, depth, deeper, residual, f"down_{index}")
    x = MinibatchStandardDeviation(group_size, name="group_deviation")(x)
    x = activated(EqualizedConv2D(depths[-1], 3, padding="same", name="last")(x), "last")
    x = activated(EqualizedDense(depths[-1], name="dense")(layers.Flatten(name="flatten")(x)), "dense")
    if vectors is None:
        x = EqualizedDense(1, dtype="float32", name="score")(x)
    else:
        x = EqualizedDense(depths[-1], dtype="float32", name="features")(x)
        x = layers.Dot(axes=-1, dtype="float32", name="projection")([x, mapped(vectors, depths[-1], label_layers)])
        x = layers.Rescaling(1.0 / math.sqrt(depths[-1]), dtype="float32", name="score")(x)
    return functional([image, label, attributes], x, name="stylegan2_discriminator")


# === The generator's parts ===


def mapping_network(latent_dim, style_dim, mapping_layers, num_classes=None, num_attributes=None):
    """Latents and conditions to a style."""
    mapping_layers = checks.depth("mapping_layers", mapping_layers)
    latents, label = keras.Input((latent_dim,), name="latents"), label_input(num_classes)
    attributes = attributes_input(num_attributes)
    vectors = condition_vectors(label, num_classes, attributes)
    x = PixelNormalization(name="normalized_latents")(latents)
    if vectors is not None:
        condition = EqualizedDense(style_dim, name="condition")(vectors)
        x = layers.Concatenate(name="with_condition")([x, PixelNormalization(name="normalized_condition")(condition)])
    x = dense_layers(x, style_dim, mapping_layers)
    return functional([latents, label, attributes], layers.Activation("linear", name="style")(x), name="mapping")


def mapped(vectors, size, count):
    """The vector of a condition that a discriminator's features are multiplied with."""
    x = EqualizedDense(size, name="condition")(vectors)
    x = PixelNormalization(name="normalized_condition")(x)
    return dense_layers(x, size, count)


def dense_layers(x, size, count):
    """Dense layers that learn slowly."""
    for index in range(count):
        x = activated(EqualizedDense(size, RATE_OF_MAPPING, name=f"mapping_{index}")(x), f"mapping_{index}")
    return x


def synthesis_network(image_shape, style_dim, base, max_filters):
    """A style for each layer, and noise, to an image."""
    height, width, channels = image_shape
    base, max_filters = checks.counts(base=base, max_filters=max_filters)
    sides = sides_of(image_shape)[::-1]
    count = len(sides)
    size = [-(-side // 2 ** (count - 1)) for side in (height, width)]
    total = sum((2 if index else 1) * size[0] * size[1] * 4**index for index in range(count))
    styles, noise = keras.Input((2 * count, style_dim), name="styles"), keras.Input((total,), name="noise")
    x, image, start = None, None, 0
    for index, side in enumerate(sides):
        filters, pixels = filters_of(side, base, max_filters), size[0] * size[1] * 4**index
        if x is None:
            x = LearnedConstant((*size, filters), name="constant")(styles)
        else:
            x = styled(x, styles, noise, 2 * index - 1, filters, start, f"up_{index}", upsample=True)
            start += pixels
        x = styled(x, styles, noise, 2 * index, filters, start, f"convolution_{index}")
        start += pixels
        image = add_image(image, x, styles, 2 * index + 1, channels, f"image_{index}")
    image = ClipInInference(dtype="float32", name="images")(crop_to(image, height, width))
    return keras.Model([styles, noise], image, name="synthesis")


def styled(x, styles, noise, index, filters, start, name, upsample=False):
    """A modulated convolution with noise and LeakyReLU."""
    x = ModulatedConv2D(filters, upsample=upsample, name=name)([x, affine(styles, index, x.shape[-1], name)])
    return activated(StyleNoise(start, name=f"{name}_noise")([x, noise]), name)


def add_image(image, x, styles, index, channels, name):
    """The sum of the doubled image of the smaller maps and the image of this map, float32."""
    style = affine(styles, index, x.shape[-1], name)
    own = ModulatedConv2D(channels, 1, demodulate=False, dtype="float32", name=name)([x, style])
    if image is None:
        return own
    image = FilteredUpsampling2D(dtype="float32", name=f"{name}_double")(image)
    return layers.Add(dtype="float32", name=f"{name}_sum")([image, own])


def affine(styles, index, size, name):
    """The scales of a layer's input channels: an affine function of its style, 1 at the start."""
    style = StyleOfLayer(index, name=f"{name}_style")(styles)
    return EqualizedDense(size, bias_value=1.0, name=f"{name}_affine")(style)


# === What both share ===


def activated(x, name, gain=SQRT_2):
    """LeakyReLU that keeps the variance."""
    return ScaledLeakyReLU(gain, name=f"{name}_leaky_relu")(x)


def halving_block(x, filters, deeper, residual, name):
    """Two convolutions of the discriminator, of which the second halves the map."""
    gain = HALF if residual else 1.0
    y = activated(EqualizedConv2D(filters, 3, padding="same", name=f"{name}_conv_0")(x), f"{name}_conv_0")
    y = FilterBeforeStride(name=f"{name}_filter")(y)
    y = EqualizedConv2D(deeper, 3, strides=2, name=f"{name}_conv_1")(y)
    y = activated(y, f"{name}_conv_1", SQRT_2 * gain)
    if not residual:
        return y
    x = FilteredDownsampling2D(name=f"{name}_halve")(x)
    x = EqualizedConv2D(deeper, 1, use_bias=False, name=f"{name}_shortcut")(x)
    return layers.Add(name=f"{name}_sum")([layers.Rescaling(HALF, name=f"{name}_half")(x), y])


def sides_of(image_shape):
    """The smaller side of the maps, from that of the image to the smallest."""
    side = min(image_shape[:2])
    count = max(0, int(math.log2(max(side // SMALLEST_SIDE, 1))))
    return [-(-side // 2**index) for index in range(count + 1)]


def filters_of(side, base, max_filters):
    """The filters of a map of that side."""
    return max(1, min(base // side, max_filters))


@keras.saving.register_keras_serializable("ganzoo")
class LearnedConstant(layers.Layer):
    """A learned map, the same for all samples.

    Args:
        shape: `(height, width, channels)`.

    Call arguments: any tensor `(batch, ...)`.
    """

    ignores_values = True

    def __init__(self, shape, **kwargs):
        super().__init__(**kwargs)
        self.shape = list(checks.integers("shape", shape, count=3))
        self.constant = self.add_weight(shape=self.shape, initializer=EMBEDDINGS, name="kernel")
        self.built = True

    def call(self, x):
        return ops.broadcast_to(self.constant[None], (ops.shape(x)[0], *self.shape))

    def compute_output_shape(self, input_shape):
        return input_shape[0], *self.shape

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}


@keras.saving.register_keras_serializable("ganzoo")
class StyleOfLayer(layers.Layer):
    """The style of one layer: `(batch, layers, size)` -> `(batch, size)`.

    Args:
        index: Integer.
    """

    def __init__(self, index, **kwargs):
        super().__init__(**kwargs)
        self.index = checks.integer("index", index, least=0)

    def call(self, styles):
        return styles[:, self.index]

    def compute_output_shape(self, input_shape):
        return input_shape[0], input_shape[2]

    def get_config(self):
        return {**super().get_config(), "index": self.index}
