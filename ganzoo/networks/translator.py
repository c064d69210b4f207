"""The residual generator of CycleGAN, which maps an image to an image of the same size, without noise.

Two strided convolutions halve the image twice, residual blocks work on the small map, and two transposed convolutions
double it again. Each residual block adds a change to its input, so content that should stay can pass. The borders are
padded with their mirror image, which leaves fewer artefacts than zeros.

Reference: [Zhu et al., 2017](https://arxiv.org/abs/1703.10593), Section 4 and Appendix 7.2; architecture after [Johnson
et al., 2016](https://arxiv.org/abs/1603.08155).
"""

import keras
from keras import layers, ops

from ganzoo import checks
from ganzoo.layers import DCGAN_KERNELS, Conv2D, Conv2DTranspose
from ganzoo.networks.inputs import network
from ganzoo.networks.unet import check_condition_shape, normalization_layer

# Appendix 7.2: 6 residual blocks for images of 128 x 128, 9 for 256 x 256 and above.
SMALL_SIDE, SMALL_BLOCKS, LARGE_BLOCKS = 128, 6, 9


@network
def generator(
    image_shape,
    condition_shape=None,
    filters=64,
    blocks=None,
    normalization="instance",
    affine=False,
    kernel_initializer=DCGAN_KERNELS,
):
    """Maps an image to an image, by the paper's layers c7s1-64, d128, d256, R256 blocks, u128, u64 and c7s1-3.

    Args:
        image_shape: `(height, width, channels)` of the output. Both sides must be divisible by 4 and have 8 pixels or
            more.
        condition_shape: `(height, width, channels)` of the input image. Defaults to `image_shape`.
        filters: Integer, channels of the first map. The residual blocks have four times as many. Defaults to `64`.
        blocks: Integer, the number of residual blocks. Defaults to 6 up to 128 pixels a side, and to 9 above.
        normalization: `"instance"` (the default), `"batch"` or `None`, after each convolution except the last.
        affine: Boolean, whether instance normalization has gains and biases. Defaults to `False`, as in the authors'
            code, where the convolutions before it keep their biases. The normalization cancels them.
        kernel_initializer: Keras initializer of all kernels. Defaults to N(0, 0.02).

    Returns:
        Functional `keras.Model`: `image` -> float32 images in [-1, 1].

    Raises:
        ValueError: If a shape or number does not fit.
    """
    image_shape = checks.sample_shape("image_shape", image_shape)
    condition_shape = check_condition_shape(image_shape, condition_shape)
    check_side(image_shape)
    filters = checks.integer("filters", filters, least=1)
    blocks = checks.depth("blocks", blocks, least=1, optional=True) or blocks_for(image_shape)
    affine = checks.boolean("affine", affine)
    # A bias of the normalization makes the convolution's bias redundant.
    settings = {
        "use_bias": normalization is None or (normalization == "instance" and not affine),
        "kernel_initializer": kernel_initializer,
    }

    def normalized(x, name, activation=True):
        x = normalization_layer(normalization, False, name, affine)(x)
        return layers.ReLU(name=f"{name}_relu")(x) if activation else x

    def residual_block(x, name):
        start, width = x, x.shape[-1]
        for part in ("a", "b"):
            x = ReflectionPadding2D(1, name=f"{name}{part}_padding")(x)
            x = Conv2D(width, 3, name=f"{name}{part}", **settings)(x)
            x = normalized(x, f"{name}{part}", activation=part == "a")
        return layers.Add(name=f"{name}_sum")([start, x])

    image = keras.Input(condition_shape, name="image")
    x = ReflectionPadding2D(3, name="first_padding")(image)
    x = normalized(Conv2D(filters, 7, name="first", **settings)(x), "first")
    for index in (1, 2):
        name = f"down_{index}"
        x = Conv2D(filters * 2**index, 3, strides=2, padding="same", name=name, **settings)(x)
        x = normalized(x, name)
    for index in range(blocks):
        x = residual_block(x, f"block_{index}")
    for index in (2, 1):
        name = f"up_{index}"
        x = Conv2DTranspose(filters * 2 ** (index - 1), 3, strides=2, padding="same", name=name, **settings)(x)
        x = normalized(x, name)
    x = ReflectionPadding2D(3, name="images_padding")(x)
    x = Conv2D(image_shape[-1], 7, kernel_initializer=kernel_initializer, dtype="float32", name="images")(x)
    x = layers.Activation("tanh", dtype="float32", name="tanh")(x)
    return keras.Model(image, x, name="resnet_translator")


def blocks_for(image_shape):
    """The paper's number of residual blocks for an image size."""
    return SMALL_BLOCKS if max(image_shape[:2]) <= SMALL_SIDE else LARGE_BLOCKS


def check_side(image_shape):
    """Raises a `ValueError` unless the image can be halved twice exactly and leaves a map of 2 x 2 or more."""
    if any(side % 4 or side < 8 for side in image_shape[:2]):
        fitting = tuple(max(8, -(-side // 4) * 4) for side in image_shape[:2])
        raise ValueError(
            "A translator needs images whose height and width divide by 4 and are 8 or more. Received: "
            f"image_shape={image_shape}. Load the images with another image_size, such as {fitting}."
        )


@keras.saving.register_keras_serializable("ganzoo")
class ReflectionPadding2D(layers.Layer):
    """Pads an image on all four sides with its mirror image at the border pixels.

    `a b c d` with a padding of 2 becomes `c b a b c d c b`.

    Args:
        padding: Integer, the number of rows and columns on each side. It must be less than both sides of the image.

    Call arguments: images `(batch, height, width, channels)`.
    """

    def __init__(self, padding, **kwargs):
        super().__init__(**kwargs)
        self.padding = checks.integer("padding", padding, least=1)

    def call(self, inputs):
        around = (self.padding, self.padding)
        return ops.pad(inputs, ((0, 0), around, around, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, *(side and side + 2 * self.padding for side in (height, width)), channels

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}
