"""Confidence intervals of metrics by the bootstrap.

A metric is a function of two empirical distributions. To first order, each sample moves it by the sample's influence.
So it is enough to bootstrap the mean influence, which costs almost nothing. Computing a Fréchet distance of 2,048
dimensions a thousand times would be far too slow. If a metric is a plain mean over samples, the influences are the
values of the samples, and this is the ordinary bootstrap.

Reference: Davison & Hinkley, "Bootstrap Methods and their Application", 1997, Sections 2.7 (nonparametric delta method)
and 5.2 (basic bootstrap limits).
"""

import numpy as np
import scipy.stats

from ganzoo import checks
from ganzoo.metrics.seeds import numbers_of

RESAMPLES = 1000


def from_influence(value, influences, bias=0.0, level=0.95, seed=0, resamples=RESAMPLES, bounds=(-np.inf, np.inf)):
    """Interval for the large-sample value, from the influence of each sample on the metric.

    With few samples it is as wide as Student's interval.

    Args:
        value: Float, the metric.
        influences: List of float arrays, for each independent set of samples (real, fake). Entry i is the derivative of
            the metric with respect to the weight of sample i. Its mean does not matter.
        bias: Float, an estimate of E[value] minus the large-sample value. Defaults to `0.0`.
        level: Float, the level. Defaults to `0.95`.
        seed: Integer. Defaults to `0`.
        resamples: Integer. Defaults to `1000`.
        bounds: Smallest and largest possible value of the metric.

    Returns:
        `(low, high)`.
    """
    check_level(level)
    rng = numbers_of(seed)
    shifts = np.zeros(resamples)
    quantile = (1 + level) / 2
    for influence in influences:
        centered = np.asarray(influence, "float64") - np.mean(influence)
        count = len(centered)
        if count > 1:  # With few samples, the bootstrap variance and the normal quantile are too small.
            centered *= np.sqrt(count / (count - 1))
            centered *= scipy.stats.t.ppf(quantile, count - 1) / scipy.stats.norm.ppf(quantile)
        # Draw in blocks, because all indices at once may not fit into memory.
        block = max(1, 2**15 // len(centered))
        for start in range(0, resamples, block):
            part = shifts[start : start + block]
            part += centered[rng.integers(len(centered), size=(len(part), len(centered)))].mean(axis=1)
    return from_resamples(value, value + bias + shifts, level, bounds)


def from_resamples(value, resampled, level=0.95, bounds=(-np.inf, np.inf)):
    """Basic bootstrap interval `[2 value - q_high, 2 value - q_low]` from the metric of resampled sets.

    A resampled set relates to its sample as the sample relates to the population, bias included. If the resampled
    values lie above the value, the value lies above the truth.

    Returns:
        `(low, high)`.
    """
    check_level(level)
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return tuple(float(np.clip(limit, *bounds)) for limit in (2 * value - high, 2 * value - low))


def of_share(hits, level=0.95):
    """Wilson's interval of a share. Near 0 or 1 the bootstrap is far too narrow, and it is empty if all samples agree.

    Reference: Wilson, 1927, and Brown, Cai & DasGupta, [2001](https://doi.org/10.1214/ss/1009213286), Section 3.1.1.

    Args:
        hits: Array of booleans, or of 0 and 1.
        level: Float, the level. Defaults to `0.95`.

    Returns:
        `(low, high)`.
    """
    check_level(level)
    test = scipy.stats.binomtest(int(np.sum(hits)), len(hits))
    return tuple(float(limit) for limit in test.proportion_ci(level, method="wilson"))


def unmet_share(count, level=0.95):
    """Upper limit, by Wilson's interval, for the share of something that does not occur among `count` samples.

    If all samples agree, every resampled set agrees too, and the bootstrap interval has no width. This limit is what
    the samples may have missed.
    """
    return of_share(np.zeros(count, bool), level)[1]


def check_level(level):
    """Returns the level as a float, or raises a `ValueError` if it is not between 0 and 1."""
    return checks.number("level", level, above=0, below=1)
