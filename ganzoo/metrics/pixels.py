"""Images as samples: pixels instead of features, and an order that does not depend on their arrival."""

import hashlib

import numpy as np

from ganzoo.metrics.features.base import Features, quantized


class Pixels(Features):
    """The images themselves, uint8 `(batch, height, width, channels)`."""

    name = "pixels"

    def __call__(self, samples):
        return quantized(samples)


class UnitPixels(Features):
    """Pixels as float32 vectors in [0, 1], as in published Parzen-window likelihoods."""

    name = "pixels in [0, 1]"

    def __call__(self, samples):
        images = quantized(samples)
        return images.reshape(len(images), -1) / np.float32(255)


def check_images(real, fake):
    """Returns both as uint8 images `(samples, height, width, channels)`, or raises an error.

    Raises:
        ValueError: If they are not images, if their shapes differ, or if a value is not finite.
        TypeError: If they are neither uint8 nor floats.
    """
    real, fake = quantized(real), quantized(fake)
    if real.shape[1:] != fake.shape[1:]:
        raise ValueError(
            "Real and fake images must have equal shapes; resize one of them. Received: "
            f"{real.shape[1:]} (real), {fake.shape[1:]} (fake)"
        )
    return real, fake


def shuffled(samples, rng):
    """A random order of the samples that does not depend on the order in which they arrived.

    The samples are sorted by a hash of their contents, then permuted. The permutation matters for copies of a sample,
    which the sort puts side by side.

    Args:
        samples: Array `(samples, ...)`.
        rng: NumPy random generator.

    Returns:
        Integer array `(samples,)`. `samples[shuffled(samples, rng)]` is in the new order.
    """
    samples = np.ascontiguousarray(samples)
    digests = [hashlib.blake2b(sample.tobytes(), digest_size=16).digest() for sample in samples]
    return rng.permutation(sorted(range(len(digests)), key=digests.__getitem__))
