"""PatchGAN, the discriminator of pix2pix and CycleGAN: a score for each patch of an image.

It is fully convolutional and scores all patches of a size in a single pass. The loss is the mean over the patches. So
it models texture and style, and leaves the overall structure to an L1 term.

Reference: [Isola et al., 2017](https://arxiv.org/abs/1611.07004), Section 3.2.2 and Section 6.1.2;
[Zhu et al., 2017](https://arxiv.org/abs/1703.10593), Appendix 7.2.
"""

import keras
from keras import layers

from ganzoo import checks
from ganzoo.layers import DCGAN_KERNELS, Conv2D, LeakyReLU
from ganzoo.networks.inputs import network
from ganzoo.networks.unet import check_condition_shape, normalization_layer

# Kernel size and stride of all convolutions, by receptive field (Section 6.1.2 and the authors' code).
PATCHES = {
    1: ((1, 1), (1, 1), (1, 1)),
    16: ((4, 2), (4, 1), (4, 1)),
    70: ((4, 2), (4, 2), (4, 2), (4, 1), (4, 1)),
    286: ((4, 2), (4, 2), (4, 2), (4, 2), (4, 2), (4, 1), (4, 1)),
}


def receptive_field_of(convolutions):
    """The side of the patch, in pixels, that a single output of a stack of convolutions sees.

    Args:
        convolutions: Pairs of kernel size and stride, the first layer first.
    """
    side = 1
    for kernel, stride in reversed(convolutions):
        side = (side - 1) * stride + kernel
    return side


def map_size(length, convolutions):
    """The number of scores along a side of `length` pixels. Less than 1 if the side is too short."""
    for kernel, stride in convolutions:
        # "same" rounds up. A 4x4 kernel with a padding of 1 on each side takes away 1.
        length = -(-length // 2) if stride == 2 else length - (kernel > 1)
    return length


@network
def discriminator(
    image_shape,
    condition_shape=None,
    receptive_field=70,
    filters=64,
    normalization="instance",
    batch_statistics_at_test=False,
    kernel_initializer=DCGAN_KERNELS,
    packing=1,
    conditional=True,
    affine=True,
):
    """Scores the patches of an image, together with the input image that it belongs to.

    Args:
        image_shape: `(height, width, channels)` of the judged image.
        condition_shape: `(height, width, channels)` of the input image. Defaults to `image_shape`. Not used without
            `conditional`.
        receptive_field: 1, 16, 70 (the default) or 286, the side of the patches in pixels.
        filters: Integer, channels of the first map. Each further map has twice as many, up to 8 times. Defaults to
            `64`.
        normalization: `"instance"` (the default), `"batch"` or `None`, never at the first convolution. With instance
            normalization, each score depends on the whole image through the statistics.
        batch_statistics_at_test: See `ganzoo.networks.unet.generator`.
        kernel_initializer: Keras initializer of all kernels. Defaults to N(0, 0.02).
        packing: Integer, number of samples that are judged together, see `AdversarialModel`. Defaults to `1`.
        conditional: Boolean. `False` judges images without the input image, as CycleGAN does. Defaults to `True`.
        affine: Boolean, whether instance normalization has gains and biases. Without them the convolutions keep their
            biases, as in the authors' code. Defaults to `True`.

    Returns:
        Functional `keras.Model`: `image` [, `condition`] -> float32 scores
        `(batch, rows, columns, 1)`.
    """
    height, width, channels = image_shape = checks.sample_shape("image_shape", image_shape)
    filters, packing = checks.counts(filters=filters, packing=packing)
    convolutions = PATCHES[checks.choice("receptive_field", receptive_field, PATCHES)]
    check_size(image_shape, receptive_field)
    affine = checks.boolean("affine", affine)
    image = keras.Input((height, width, packing * channels), name="image")
    inputs, x = image, image
    if checks.boolean("conditional", conditional):
        *_, condition_channels = check_condition_shape(image_shape, condition_shape)
        condition = keras.Input((height, width, packing * condition_channels), name="condition")
        inputs, x = [image, condition], layers.Concatenate(name="pair")([condition, image])

    def convolution(x, width, size, stride, name, **settings):
        if (size, stride) == (4, 1):
            # A row of zeros on each side, as in the authors' code. "same" would put two rows on the same side.
            x = layers.ZeroPadding2D(1, name=f"{name}_padding")(x)
        padding = "same" if stride == 2 else "valid"
        return Conv2D(
            width, size, stride, padding=padding, kernel_initializer=kernel_initializer, name=name, **settings
        )(x)

    *hidden, last = convolutions
    for index, (size, stride) in enumerate(hidden):
        kind, name = normalization if index else None, f"conv_{index}"
        use_bias = kind is None or (kind == "instance" and not affine)
        x = convolution(x, filters * 2 ** min(index, 3), size, stride, name, use_bias=use_bias)
        x = normalization_layer(kind, batch_statistics_at_test, name, affine)(x)
        x = LeakyReLU(0.2, name=f"leaky_relu_{index}")(x)
    x = convolution(x, 1, *last, "score", dtype="float32")
    return keras.Model(inputs, x, name="patchgan_discriminator")


def check_size(image_shape, receptive_field):
    """Raises a `ValueError` if an image is too small for a map of scores."""
    convolutions = PATCHES[receptive_field]
    if min(map_size(side, convolutions) for side in image_shape[:2]) < 1:
        smallest = next(length for length in range(1, 1000) if map_size(length, convolutions) == 1)
        smaller = [field for field in PATCHES if field < receptive_field]
        raise ValueError(
            f"A PatchGAN of receptive field {receptive_field} needs images of {smallest}x{smallest} pixels or more. "
            f"Received: image_shape={image_shape}. Take a smaller field: receptive_field={smaller[-1]}."
        )
