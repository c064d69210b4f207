"""DCGAN's networks for AC-GAN. The generator takes the class, the discriminator predicts it."""

from ganzoo.networks import dcgan
from ganzoo.networks.inputs import network

generator = dcgan.generator


@network
def discriminator(
    image_shape,
    num_classes=None,
    filters=64,
    normalization="batch",
    kernel_initializer=dcgan.DCGAN_KERNELS,
    packing=1,
    num_attributes=None,
    pixel_size=1,
):
    """DCGAN's discriminator with the logits of classes or attributes as a second output.

    Args:
        num_classes: Integer, or `None` (the default) for `num_attributes`.
        num_attributes: Integer. Defaults to `None`.
        filters: Integer, channels of the first map. Each smaller map has twice as many. Defaults to `64`.
        normalization: `"batch"` (the default), `"layer"`, `"instance"`, `"spectral"` or `None`.
        pixel_size: Integer k, for pixel art: the layers see means of k by k pixels. Defaults to `1`.
        image_shape, kernel_initializer, packing: See `ganzoo.networks.dcgan.discriminator`.

    Returns:
        Functional `keras.Model`: `image` -> `{"scores": (batch, 1), "classes": (batch, num_classes)}`, or with
        `"attributes": (batch, num_attributes)`, float32.

    Raises:
        ValueError: Unless exactly one of `num_classes` and `num_attributes` is given.
    """
    if (num_classes is None) == (num_attributes is None):
        raise ValueError(
            "The discriminator tells classes or attributes. Received: "
            f"num_classes={num_classes!r} and num_attributes={num_attributes!r}. Pass one of them."
        )
    return dcgan.discriminator(
        image_shape,
        filters,
        normalization,
        kernel_initializer,
        packing=packing,
        pixel_size=pixel_size,
        heads={"classes": num_classes} if num_attributes is None else {"attributes": num_attributes},
    )
