"""DCGAN's networks for AC-GAN: the generator gets the class, the discriminator tells it."""

from ganzoo.networks import dcgan
from ganzoo.networks.inputs import network

generator = dcgan.generator


@network
def discriminator(
    image_shape, num_classes, filters=64, normalization="batch", kernel_initializer=dcgan.DCGAN_KERNELS, packing=1
):
    """DCGAN's discriminator with class logits as a second output.

    Args:
        num_classes: Integer.
        image_shape, filters, normalization, kernel_initializer, packing: See `ganzoo.networks.dcgan.discriminator`.

    Returns:
        Functional `keras.Model`: `image` -> `{"scores": (batch, 1), "classes": (batch, num_classes)}`, float32.
    """
    return dcgan.discriminator(
        image_shape,
        filters,
        normalization,
        kernel_initializer,
        packing=packing,
        heads={"classes": num_classes},
    )
