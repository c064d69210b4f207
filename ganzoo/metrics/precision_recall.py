"""Precision and recall: how many samples of each kind lie in the region of the other kind."""

from ganzoo.metrics.balls import BallMetric, mean_of_terms


def precision(real, fake, k=3, level=0.95, seed=0, chunk_size=1024):
    """Share of generated samples that look real, because they lie in the ball of a real sample.

        precision = mean over y of [exists x: ||y - x|| <= ||x - NN_k(x)||],    y generated, x real

    Precision measures the quality of the samples and is blind to their diversity: copies of a single good sample have
    precision 1. A real outlier has a wide ball, which takes in much that is not real. `density` suffers less from
    outliers. Perfect samples need not reach 1. The value depends on k and on the numbers of samples, so compare only
    scores of equal numbers.

    Reference: [Kynkäänniemi et al., 2019](https://arxiv.org/abs/1904.06991), Equations 1 and 2.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        k: Integer, the neighbour that a ball reaches. Defaults to `3`.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, for the groups of samples behind the interval. Defaults to `0`.
        chunk_size: Integer, the edge of the largest block of distances. Defaults to `1024`.

    Returns:
        A `Score`. Its interval is for the expected score of the same number of samples. There is no interval with fewer
        than `20 (k + 1)` samples of either kind.

    Raises:
        ValueError: With fewer than `k + 1` real samples, or without generated samples.
    """
    return mean_of_terms("precision", real, fake, k, level, seed, chunk_size)


def recall(real, fake, k=3, level=0.95, seed=0, chunk_size=1024):
    """Share of real samples that the generator can make, because they lie in the ball of a generated sample.

        recall = mean over x of [exists y: ||x - y|| <= ||y - NN_k(y)||],    y generated, x real

    Recall is precision with the kinds exchanged. It measures the diversity of the samples and is nearly blind to their
    quality. Scattered bad samples have wide balls and a high recall, a fault that `coverage` does not have. Compare
    only scores of equal numbers of samples.

    Reference: [Kynkäänniemi et al., 2019](https://arxiv.org/abs/1904.06991), Equations 1 and 2.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        k: Integer, the neighbour that a ball reaches. Defaults to `3`.
        level, seed, chunk_size: As for `precision`.

    Returns:
        A `Score`, with an interval as in `precision`.

    Raises:
        ValueError: With fewer than `k + 1` generated samples, or without real samples.
    """
    return mean_of_terms("recall", real, fake, k, level, seed, chunk_size)


class Precision(BallMetric):
    """Streaming `precision`.

    Args:
        features, level, seed, chunk_size: As for `Metric`.
        k: Integer. Defaults to `3`.

    Example:

    >>> metric = ganzoo.metrics.Precision(features=ganzoo.metrics.features.DigitsClassifier())
    >>> metric.update_state(real=images, fake=gan.generate(10_000))
    >>> print(metric.result())
    """

    name = "precision"
    k = 3


class Recall(BallMetric):
    """Streaming `recall`.

    Args:
        features, level, seed, chunk_size: As for `Metric`.
        k: Integer. Defaults to `3`.

    Example:

    >>> metric = ganzoo.metrics.Recall(features=ganzoo.metrics.features.DigitsClassifier())
    """

    name = "recall"
    k = 3
