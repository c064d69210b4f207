"""The metrics that suit given samples, where the user names none."""

import numpy as np

from ganzoo.metrics.density_coverage import Coverage, Density
from ganzoo.metrics.features.classifiers import DigitsClassifier, FashionClassifier
from ganzoo.metrics.frechet import FrechetDistance
from ganzoo.metrics.sliced import SlicedWasserstein


def default_metrics(samples):
    """Metrics for samples like these.

    Grey images of 28 x 28 are compared in the features of the shipped classifier that is surer of them; all others, and
    points, as they are. Nothing is downloaded.

    Args:
        samples: Array of images, uint8 or floats in [-1, 1], or of points.

    Returns:
        List of metrics.
    """
    if samples.shape[1:] != (28, 28, 1):
        return [SlicedWasserstein(), Density(), Coverage()]
    features = max((DigitsClassifier(), FashionClassifier()), key=lambda network: confidence(network, samples[:500]))
    return [FrechetDistance(features), Density(features), Coverage(features)]


def confidence(network, images):
    """Mean probability of the class that a classifier chooses."""
    logits = network.logits(images)
    return float(np.mean(1 / np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)))
