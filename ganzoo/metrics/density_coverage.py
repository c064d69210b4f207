"""Density and coverage: how densely real samples surround generated samples, and how many real samples are covered."""

from ganzoo.metrics.balls import BallMetric, mean_of_terms


def density(real, fake, k=5, level=0.95, seed=0, chunk_size=1024):
    """Mean number of balls of real samples around a generated sample, divided by k.

        density = 1 / k mean over y of |{x: ||y - x|| < ||x - NN_k(x)||}|,    y generated, x real

    Samples from a continuous real distribution have density 1 on average, for any k and numbers of samples. Copies
    among the real samples lower it, because their balls are empty. Bad samples also lower it. More than 1 means that
    the samples stay where real samples are dense, which is no merit. The metric is blind to missing modes.

    Reference: [Naeem et al., 2020](https://arxiv.org/abs/2002.09797), Section 3.2. The balls are open, as in the
    authors' code.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        k: Integer, the neighbour that a ball reaches. Defaults to `5`.
        level, seed, chunk_size: As for `precision`.

    Returns:
        A `Score`, with an interval as in `precision`.

    Raises:
        ValueError: With fewer than `k + 1` real samples, or without generated samples.
    """
    return mean_of_terms("density", real, fake, k, level, seed, chunk_size)


def coverage(real, fake, k=5, level=0.95, seed=0, chunk_size=1024):
    """Share of real samples with a generated sample in their ball.

        coverage = mean over x of [exists y: ||y - x|| < ||x - NN_k(x)||],    y generated, x real

    Coverage measures diversity, and counts only good samples. Samples from the real distribution, if it is continuous,
    have about 1 - 2^-k if both kinds are many and equally many. The metric is blind to bad samples as long as there are
    enough good ones. Compare only scores of equal numbers of samples.

    Reference: [Naeem et al., 2020](https://arxiv.org/abs/2002.09797), Section 3.2. The balls are open, as in the
    authors' code.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        k: Integer, the neighbour that a ball reaches. Defaults to `5`.
        level, seed, chunk_size: As for `precision`.

    Returns:
        A `Score`, with an interval as in `precision`.

    Raises:
        ValueError: With fewer than `k + 1` real samples, or without generated samples.
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
