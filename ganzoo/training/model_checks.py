"""Checks that the networks and the augmentation of an adversarial model fit each other."""

from ganzoo.networks import graph


def check_augmentation(name, value):
    """Returns an augmentation if it is a callable with an attribute `numbers`, or `None`."""
    if value is not None and not (callable(value) and hasattr(value, "numbers")):
        raise TypeError(
            f"`{name}` must be a callable, such as ganzoo.augmentation.DiffAugment(), with an attribute `numbers`: how "
            f"many random numbers it takes for a sample. Received: {value!r}"
        )
    return value


def check_augmentable(augmentation, image_shape):
    """Raises a `ValueError` if the samples to augment are not images."""
    if augmentation is not None and len(image_shape) != 3:
        raise ValueError(
            f"`augmentation` changes images, and the model's samples have the shape {image_shape}. Leave it out."
        )


def check_samples_agree(image_shape, discriminator, packing):
    """Raises a `ValueError` unless a discriminator takes packs of a generator's samples."""
    *size, channels = image_shape
    taken, wanted = tuple(discriminator.inputs[0].shape[1:]), (*size, packing * channels)
    if taken != wanted:
        packs = f", so packs of {packing} have the shape {wanted}" if packing > 1 else ""
        raise ValueError(
            f"The generator makes samples of shape {image_shape}{packs}, and the discriminator takes samples of shape "
            f"{taken}: they must be equal."
        )


def check_no_batch_normalization(discriminator):
    """Raises a `ValueError` if a critic with a gradient penalty has batch normalization.

    The penalty needs the gradient of each score by its own sample. Batch normalization mixes the samples.

    Reference: [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), Section 4.
    """
    for layer in graph.batch_normalizations(discriminator):
        raise ValueError(
            f"The critic has batch normalization (layer {layer.name!r}), and the gradient penalty needs scores "
            "that depend on one sample each. Use layer normalization or none: "
            'ganzoo.networks.dcgan.discriminator(image_shape, normalization="layer").'
        )
