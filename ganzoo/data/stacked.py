"""Stacked MNIST, a dataset with a thousand modes that can be counted."""

import numpy as np

from ganzoo import checks
from ganzoo.data.arrays import check_images, check_labels, from_arrays
from ganzoo.data.load import load
from ganzoo.data.reading import check_memory


def stacked_mnist(images=None, labels=None, num_samples=128_000, batch_size=None, seed=0):
    """Makes colour images with three random digits as their channels, which gives 1,000 equally likely modes.

    The label of the digits (a, b, c) is 100 a + 10 b + c. A classifier of digits reads a generated image channel by
    channel, and `ganzoo.metrics.StackedMNISTCoverage` counts the modes that it finds.

    Reference:
        Metz et al., "Unrolled generative adversarial networks", [arXiv:1611.02163](https://arxiv.org/abs/1611.02163),
        Section 3.3.1. The number of samples is from Srivastava et al., "VEEGAN",
        [arXiv:1705.07761](https://arxiv.org/abs/1705.07761).

    Args:
        images: uint8 array `(digits, height, width, 1)`. Defaults to the 10,000 digits of `mnist_10k`. Pass all 70,000
            to compare with published numbers.
        labels: Integer array `(digits,)`, 0 to 9, of `images`.
        num_samples: Integer, number of stacks, which are drawn once and kept in memory. Defaults to `128_000`.
        batch_size: Integer. `None` (the default) gives single samples.
        seed: Integer, the seed of the stacks and of their order. Defaults to `0`.

    Returns:
        A `tf.data.Dataset` of `(image, label)`, float32 `(height, width, 3)` in `[-1, 1]` and int64 from 0 to 999.

    Raises:
        ValueError: If only one of `images` and `labels` is given, the images are not grey, a label is not a digit, or a
            number is out of range or exceeds the memory.
    """
    num_samples = checks.integer("num_samples", num_samples, least=1, most=checks.MAX_SAMPLES)
    seed = checks.seed("seed", seed)
    if (images is None) != (labels is None):
        raise ValueError("`images` and `labels` come together: the labels of the digits name the modes.")
    if images is None:
        digits = load("mnist_10k", shuffle=False).source
        images, labels = digits.images.numpy(), digits.labels.numpy()
    images = check_images(images)
    labels = check_labels(labels, len(images))
    if images.ndim != 4 or images.shape[-1] != 1:
        raise ValueError(f"Digits are grey images `(digits, height, width, 1)`. Received: shape {images.shape}")
    if labels.min() < 0 or labels.max() > 9:
        raise ValueError(f"Labels of digits are 0 to 9. Received: labels from {labels.min()} to {labels.max()}")
    check_memory(num_samples, *images.shape[1:3], 3, fix="Pass a smaller num_samples.")
    chosen = np.random.default_rng(seed).integers(len(images), size=(3, num_samples))
    stacks = np.concatenate([images[index] for index in chosen], axis=-1)
    modes = 100 * labels[chosen[0]] + 10 * labels[chosen[1]] + labels[chosen[2]]
    return from_arrays(stacks, modes, batch_size=batch_size, seed=seed)
