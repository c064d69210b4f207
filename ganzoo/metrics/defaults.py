"""The metrics for given samples if the user names no metrics."""

import numpy as np

from ganzoo.metrics.density_coverage import Coverage, Density
from ganzoo.metrics.features.classifiers import DigitsClassifier, FashionClassifier
from ganzoo.metrics.features.efficientnet import EfficientNetLite0
from ganzoo.metrics.frechet import FrechetDistance
from ganzoo.metrics.kernel import KernelDistance
from ganzoo.metrics.sliced import SlicedWasserstein


def default_metrics(samples):
    """Metrics that suit given samples: a distance, a measure of quality and a measure of missing parts.

    - Grey images of 28 x 28 pixels use the shipped classifier of digits or garments, whichever is more confident.
    - Other grey and RGB images use `EfficientNetLite0`. In pixels, flat noise around the mean would seem perfect. The
      distance is the kernel distance, because the Fréchet distance of 1,280 features needs thousands of samples, and
      minutes.
    - Points, and images with other channels, are used directly.

    Nothing is downloaded.

    Args:
        samples: Array of images, uint8 or floats in [-1, 1], or of points.

    Returns:
        List of metrics.
    """
    features = default_features(samples)
    if features is None:
        return [SlicedWasserstein(), Density(), Coverage()]
    distance = KernelDistance if isinstance(features, EfficientNetLite0) else FrechetDistance
    return [distance(features), Density(features), Coverage(features)]


def default_features(samples, quick=False):
    """The feature network that `default_metrics` chooses for given samples.

    Args:
        samples: Array of images, uint8 or floats in [-1, 1], or of points.
        quick: Boolean, whether EfficientNet gets small images at only twice their size, for speed. Defaults to `False`,
            which uses its own 112 pixels, as for the published scores of ganzoo.

    Returns:
        `Features`, or `None` to use the samples directly.
    """
    if samples.shape[1:] == (28, 28, 1):
        networks = (DigitsClassifier(), FashionClassifier())
        return max(networks, key=lambda network: confidence(network, samples[:500]))
    if samples.ndim != 4 or samples.shape[-1] not in (1, 3):
        return None
    return EfficientNetLite0(min(112, max(32, 2 * max(samples.shape[1:3])))) if quick else EfficientNetLite0()


def confidence(network, images):
    """Mean probability of the most likely class."""
    logits = network.logits(images)
    return float(np.mean(1 / np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)))
