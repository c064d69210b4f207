"""Kernel distance between two sets of features: the squared maximum mean discrepancy with a polynomial kernel."""

import numpy as np

from ganzoo import checks
from ganzoo.metrics import intervals
from ganzoo.metrics.metric import Metric, check_features, chunks
from ganzoo.metrics.score import Score
from ganzoo.metrics.seeds import legacy_numbers_of
from ganzoo.progress import track


def kernel_distance(
    real,
    fake,
    degree=3,
    gamma=None,
    coef0=1.0,
    subset_size=1000,
    subsets=100,
    level=0.95,
    seed=0,
    chunk_size=1024,
):
    """Unbiased squared maximum mean discrepancy (MMD) with a polynomial kernel.

        k(x, y) = (gamma x.y + coef0)^degree
        MMD^2 = mean k(x, x') + mean k(y, y') - 2 mean k(x, y),    over pairs of two different samples

    Call it KID only with features of `InceptionV3`. It has no bias, so a few hundred samples may be enough. It may be
    negative if the distributions are close. The cubic kernel compares moments up to the third, and is blind to
    differences in higher moments.

    As in the paper, the value is the mean over random subsets of `min(subset_size, samples)` samples of each kind. If a
    subset holds all samples, a single subset is enough, and the order of the samples does not matter. `subsets=None`
    uses all pairs. It computes exactly what the mean over subsets estimates, but its time grows with the square of the
    number of samples.

    Reference: [Bińkowski et al., 2018](https://arxiv.org/abs/1801.01401), Section 4,
    and [Gretton et al., 2012](https://jmlr.org/papers/v13/gretton12a.html), Equation 3.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        degree: Integer, the degree of the kernel. Defaults to `3`.
        gamma: Float, the scale of the inner product. Defaults to `None`, which means 1 / dimensions.
        coef0: Float, the constant added to it. Defaults to `1.0`.
        subset_size: Integer, samples of each kind in a subset. Defaults to `1000`.
        subsets: Integer, number of random subsets, or `None` for all samples at once. Defaults to `100`.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, for the subsets and the bootstrap. Equal seeds give the same subsets as torch-fidelity. Defaults
            to `0`.
        chunk_size: Integer, the edge of the largest block of the kernel matrix. Defaults to `1024`.

    Returns:
        A `Score`. If subsets were drawn, its details have `subset_std`, the standard deviation over them. This is not
        the error of their mean, because subsets share samples. Use the interval instead.

    Raises:
        ValueError: With fewer than two samples, or if the degree, the size or the number of subsets is too small.
    """
    real, fake = check_features(real, fake)
    degree, subset_size, subsets = check_settings(degree, subset_size, subsets)
    gamma = checks.number("gamma", 1 / max(1, real.shape[1]) if gamma is None else gamma, above=0)
    coef0 = checks.number("coef0", coef0)
    for kind, features in (("real", real), ("fake", fake)):
        if len(features) < 2:
            raise ValueError(f"A kernel distance needs pairs, of at least 2 samples. Received: {len(features)} {kind}")
    settings = {"degree": degree, "gamma": gamma, "coef0": coef0, "subsets": subsets}

    def kernel(inner):
        base = gamma * inner + coef0
        # Products are faster than a power of floats.
        power = base.copy()
        for _ in range(degree - 1):
            power *= base
        return power

    if subsets is not None:
        settings["subset_size"] = subset_size
    if subsets is None or subset_size >= max(len(real), len(fake)):
        value, *influences = discrepancy(real, fake, kernel, chunk_size)
        details = {}
    else:
        distances, *influences = over_subsets(real, fake, kernel, subset_size, subsets, seed, chunk_size)
        value = distances.mean()
        # Given the samples, the subsets are independent and the value is their mean, so they add their own variance.
        influences.append((distances - value) * np.sqrt(subsets / (subsets - 1)))
        details = {"subset_std": float(distances.std())}
    interval = intervals.from_influence(value, influences, 0.0, level, seed, bounds=(0.0, np.inf))
    return Score(
        "kernel_distance",
        value,
        interval,
        len(real),
        len(fake),
        level=level,
        lower_is_better=True,
        settings=settings,
        details=details,
    )


class KernelDistance(Metric):
    """Streaming `kernel_distance`.

    Args:
        features, level, seed, chunk_size: As for `Metric`.
        degree, gamma, coef0, subset_size, subsets: As for `kernel_distance`.

    Example:

    >>> metric = ganzoo.metrics.KernelDistance(features=ganzoo.metrics.features.DigitsClassifier())
    >>> metric.update_state(real=images, fake=gan.generate(10_000))
    >>> print(metric.result())
    """

    def __init__(
        self,
        features=None,
        degree=3,
        gamma=None,
        coef0=1.0,
        subset_size=1000,
        subsets=100,
        level=0.95,
        seed=0,
        chunk_size=1024,
    ):
        super().__init__(features, level, seed, chunk_size)
        degree, subset_size, subsets = check_settings(degree, subset_size, subsets)
        self.settings = {
            "degree": degree,
            "gamma": checks.number("gamma", gamma, above=0, optional=True),
            "coef0": checks.number("coef0", coef0),
            "subset_size": subset_size,
            "subsets": subsets,
        }

    def compute(self, real, fake):
        return kernel_distance(
            real, fake, **self.settings, level=self.level, seed=self.seed, chunk_size=self.chunk_size
        )


def check_settings(degree, subset_size, subsets):
    """Returns the settings as Python integers, or raises a `ValueError` if they are invalid."""
    return (
        checks.integer("degree", degree, least=1),
        checks.integer("subset_size", subset_size, least=2),
        checks.integer("subsets", subsets, least=2, most=100_000, optional=True),
    )


def discrepancy(real, fake, kernel, chunk_size):
    """Unbiased MMD^2 and the influence of each sample on it.

    The influence of x is the first term of Hoeffding's decomposition. It is twice the mean kernel with the same kind
    minus twice the mean kernel with the other kind.

    Returns:
        `(value, influences of real, influences of fake)`.
    """
    within_real, within_fake = sums_within(real, kernel, chunk_size), sums_within(fake, kernel, chunk_size)
    real_to_fake, fake_to_real = sums_between(real, fake, kernel, chunk_size)
    m, n = len(real), len(fake)
    value = within_real.sum() / (m * (m - 1)) + within_fake.sum() / (n * (n - 1)) - 2 * real_to_fake.sum() / (m * n)
    return (
        float(value),
        2 * (within_real / (m - 1) - real_to_fake / n),
        2 * (within_fake / (n - 1) - fake_to_real / m),
    )


def sums_between(x, y, kernel, chunk_size):
    """Row sums and column sums of the kernel matrix of x and y."""
    rows, columns = np.zeros(len(x)), np.zeros(len(y))
    for i, x_chunk in enumerate(chunks(x, chunk_size, "Kernel distance")):
        for j, y_chunk in enumerate(chunks(y, chunk_size)):
            block = kernel(x_chunk @ y_chunk.T)
            rows[i * chunk_size :][: len(x_chunk)] += block.sum(axis=1)
            columns[j * chunk_size :][: len(y_chunk)] += block.sum(axis=0)
    return rows, columns


def sums_within(x, kernel, chunk_size):
    """Row sums of the kernel matrix of x without its diagonal."""
    diagonal = [kernel(np.einsum("ij,ij->i", chunk, chunk)) for chunk in chunks(x, chunk_size)]
    return sums_between(x, x, kernel, chunk_size)[0] - np.concatenate(diagonal)


def over_subsets(real, fake, kernel, subset_size, subsets, seed, chunk_size):
    """MMD^2 of each random subset, and the influence of each sample, averaged over the subsets.

    Returns:
        `(distances, influences of real, influences of fake)`.
    """
    # torch-fidelity draws the same numbers, generated samples first.
    rng = legacy_numbers_of(seed)
    sums = [np.zeros(len(real)), np.zeros(len(fake))]
    counts = [np.zeros(len(real)), np.zeros(len(fake))]
    distances = []
    for _ in track(range(subsets), subsets, "Kernel distance, subsets"):
        of_fake, of_real = (rng.choice(n, min(n, subset_size), replace=False) for n in (len(fake), len(real)))
        distance, *influences = discrepancy(real[of_real], fake[of_fake], kernel, chunk_size)
        distances.append(distance)
        for index, influence, kind in zip((of_real, of_fake), influences, (0, 1)):
            sums[kind][index] += influence
            counts[kind][index] += 1
    influences = []
    for total, count in zip(sums, counts):
        drawn = count > 0
        # Samples in no subset have no influence. So scale the spread of the others to a mean over all samples.
        influence = total[drawn] / count[drawn]
        influences.append((influence - influence.mean()) * np.sqrt(drawn.mean()))
    return np.array(distances), *influences
