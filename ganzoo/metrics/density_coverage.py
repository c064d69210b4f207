"""Density and coverage: how densely real samples lie around generated ones, and how many of them are covered."""

from ganzoo.metrics.balls import BallMetric, mean_of_terms


def density(real, fake, k=5, level=0.95, seed=0, chunk_size=1024):
    """How many balls of real samples a generated sample lies in, on average, over k.

        density = 1 / k mean over y of |{x: ||y - x|| < ||x - NN_k(x)||}|,    y generated, x real

    Samples of a continuous real distribution have 1 on average, for any k and numbers of samples; where real samples
    come several times, their balls are empty, and it is less. Bad samples have less. More than 1 means that they keep
    to where real samples are dense, which is no merit. It is blind to missing modes.

    Reference: [Naeem et al., 2020](https://arxiv.org/abs/2002.09797), Section 3.2. The balls are open, as in the
    authors' code.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        k: Integer, the neighbour that a ball reaches. Defaults to `5`.
        level, seed, chunk_size: As for `precision`.

    Returns:
        A `Score`, with an interval as that of `precision`.

    Raises:
        ValueError: With fewer than `k + 1` real samples, or no generated ones.
    """
    return mean_of_terms("density", real, fake, k, level, seed, chunk_size)


def coverage(real, fake, k=5, level=0.95, seed=0, chunk_size=1024):
    """Share of real samples that have a generated sample in their ball.

        coverage = mean over x of [exists y: ||y - x|| < ||x - NN_k(x)||],    y generated, x real

    It measures the diversity of the samples, and counts only those that are good. Samples of a continuous real
    distribution have about 1 - 2^-k if both kinds are many and equally many. It is blind to bad samples beside enough
    good ones. Compare scores of equal numbers of samples only.

    Reference: [Naeem et al., 2020](https://arxiv.org/abs/2002.09797), Section 3.2. The balls are open, as in the
    authors' code.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        k: Integer, the neighbour that a ball reaches. Defaults to `5`.
        level, seed, chunk_size: As for `precision`.

    Returns:
        A `Score`, with an interval as that of `precision`.

    Raises:
        ValueError: With fewer than `k + 1` real samples, or no generated ones.
    """
    return mean_of_terms("coverage", real, fake, k, level, seed, chunk_size)


class Density(BallMetric):
    """Streaming `density`.

    Args:
        features, level, seed, chunk_size: As for `Metric`.
        k: Integer. Defaults to `5`.

    Example:

    >>> metric = ganzoo.metrics.Density(features=ganzoo.metrics.features.DigitsClassifier())
    """

    name = "density"
    k = 5


class Coverage(BallMetric):
    """Streaming `coverage`.

    Args:
        features, level, seed, chunk_size: As for `Metric`.
        k: Integer. Defaults to `5`.

    Example:

    >>> metric = ganzoo.metrics.Coverage(features=ganzoo.metrics.features.DigitsClassifier())
    """

    name = "coverage"
    k = 5
