"""Mode coverage for distributions with known modes: mixtures of Gaussians, and stacked MNIST."""

import numpy as np
import scipy.stats

from ganzoo import checks
from ganzoo.data.toys import grid_centers, ring_centers
from ganzoo.metrics import intervals
from ganzoo.metrics.classes import as_classifier, check_labels, scores_of
from ganzoo.metrics.features.base import Features
from ganzoo.metrics.metric import Metric, check_features, chunks
from ganzoo.metrics.score import Score

# A sample within this many standard deviations of the nearest mode is of high quality.
RADIUS = 3.0

REPORTS = {"modes": "captured_modes", "high_quality": "high_quality_share", "kl": "mode_divergence"}
PERFECT = {"modes": "modes_ceiling", "high_quality": "high_quality_ceiling", "kl": "kl_floor"}


def mode_coverage(fake, centers, std, report="modes", level=0.95, seed=0, chunk_size=1024):
    """Which modes of a mixture of Gaussians the samples cover, how well, and how evenly.

        high quality:  share of samples with |x - c| <= 3 std, c the nearest centre
        modes:         centres that are nearest to at least 1 sample of high quality
        KL:            sum over modes of p log(p K), p the shares of the K modes among samples of high quality

    All three are in the details, and `report` chooses the value. The details also say what a perfect sampler would
    score: in the plane 98.889 % of high quality (1 - exp(-4.5)), a divergence of about (K - 1) / 2N, and all modes
    except those missed by chance. More than 98.889 % means that the modes have become too narrow. `describe` prints
    them together. The metric sees the shares of the modes and how far samples stray from them, but not the shape of a
    mode.

    The number of modes has no interval, because the samples say nothing about a mode without samples. The interval of
    the divergence corrects its bias with Grassberger's estimate. With fewer than about five samples per mode it is too
    narrow.

    Reference: [Srivastava et al., 2017](https://arxiv.org/abs/1705.07761), Section 4.1, and
    [Lin et al., 2018](https://arxiv.org/abs/1712.04086), Section 4.1: 2,500 samples, "reverse KL divergence".

    Args:
        fake: Array `(samples, dimensions)`.
        centers: Array `(modes, dimensions)`, such as `ganzoo.data.ring_centers()` or `grid_centers()`.
        std: Float, the standard deviation of each Gaussian in each dimension: 0.01 for the ring, 0.05 for the grid.
        report: String, the value of the score: `"modes"`, `"high_quality"` or `"kl"`. Defaults to `"modes"`.
        level: Float, the level of the intervals. Defaults to `0.95`.
        seed: Integer, for the bootstrap. Defaults to `0`.
        chunk_size: Integer, number of samples in float64 at a time. Defaults to `1024`.

    Returns:
        A `Score`. Without samples of high quality, the divergence is NaN, and `None` in the details.

    Raises:
        ValueError: Without samples, with a `std` that is not positive, or with an unknown `report`.

    Example:

    >>> score = ganzoo.metrics.mode_coverage(gan.generate(2500), ganzoo.data.ring_centers(), std=0.01)
    >>> print(ganzoo.metrics.modes.describe(score))
    """
    report, std = checks.choice("report", report, REPORTS), checks.number("std", std, above=0)
    fake, centers = check_points(fake, centers)
    nearest, good = [], []
    for chunk in chunks(fake, chunk_size):
        squares = np.square(chunk[:, None] - centers).sum(axis=2)
        nearest.append(squares.argmin(axis=1))
        good.append(squares.min(axis=1) <= (RADIUS * std) ** 2)
    good = np.concatenate(good)
    ceiling = float(scipy.stats.chi2.cdf(RADIUS**2, centers.shape[1]))
    interval = intervals.of_share(good, level)
    quality = {
        "high_quality": float(good.mean()),
        "high_quality_interval": list(interval),
        "high_quality_ceiling": ceiling,
    }
    return coverage_score(
        np.concatenate(nearest)[good], len(centers), len(fake), ceiling, quality, report, level, seed, std=std
    )


def stacked_mnist_coverage(digits, report="modes", level=0.95, seed=0):
    """Which of the 1,000 modes of stacked MNIST the samples cover, and how evenly.

    A mode is a triple of digits, which a classifier recognizes in the three channels.

        modes:  triples that occur at least once
        KL:     sum over triples of p log(1000 p), p their shares

    Both are in the details, and `report` chooses the value. The details also say what a perfect sampler would score: a
    divergence of about 999 / 2N, 0.0192 with the usual 26,000 samples, and all modes except those missed by chance.
    `describe` prints them together. The classifier sees a digit in anything, so blurs and noise count as modes. Its
    errors spread a collapsed generator over more triples than it makes.

    The number of modes has no interval, because the samples say nothing about a mode without samples. The interval of
    the divergence corrects its bias with Grassberger's estimate. With fewer than about five samples per mode it is too
    narrow.

    Reference: [Metz et al., 2017](https://arxiv.org/abs/1611.02163), Section 3.3.1.
    [Srivastava et al., 2017](https://arxiv.org/abs/1705.07761), Section 4.1, for 26,000 samples.

    Args:
        digits: Integer array `(samples, 3)`, the digits 0 to 9 of the channels.
        report: String, the value of the score: `"modes"` or `"kl"`. Defaults to `"modes"`.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, for the bootstrap. Defaults to `0`.

    Returns:
        A `Score`.

    Raises:
        ValueError: If these are not triples of digits, or with an unknown `report`.

    Example:

    >>> metric = ganzoo.metrics.StackedMNISTCoverage(ganzoo.metrics.features.DigitsClassifier())
    >>> metric.update_state(fake=gan.generate(26_000))
    >>> print(ganzoo.metrics.modes.describe(metric.result()))
    """
    report = checks.choice("report", report, ("modes", "kl"))
    digits = checks.array("digits", digits)
    if digits.ndim != 2 or digits.shape[1] != 3 or len(digits) == 0:
        raise ValueError(f"Digits must be `(samples, 3)`, one for each channel. Received: shape {digits.shape}")
    check_labels(digits.reshape(-1), 10, "fake")
    return coverage_score(digits @ [100, 10, 1], 1000, len(digits), 1.0, {}, report, level, seed)


class ModeCoverage(Metric):
    """Streaming `mode_coverage`. Use `ModeCoverage.ring()` and `ModeCoverage.grid()` for `ganzoo.data.ring` and `grid`.

    Args:
        centers, std, report, level, seed, chunk_size: As in `mode_coverage`.

    Example:

    >>> metric = ganzoo.metrics.ModeCoverage.ring()
    >>> metric.update_state(fake=gan.generate(2500))
    >>> print(metric.result())
    """

    kinds = ("fake",)

    def __init__(self, centers, std, report="modes", level=0.95, seed=0, chunk_size=1024):
        super().__init__(None, level, seed, chunk_size)
        self.centers = checks.array("centers", centers)
        self.std = checks.number("std", std, above=0)
        self.report = checks.choice("report", report, REPORTS)

    @classmethod
    def ring(cls, modes=8, radius=1.0, std=0.01, **settings):
        """Makes the metric for `ganzoo.data.ring`, with the same arguments."""
        return cls(ring_centers(modes, radius), std, **settings)

    @classmethod
    def grid(cls, side=5, spacing=2.0, std=0.05, **settings):
        """Makes the metric for `ganzoo.data.grid`, with the same arguments."""
        return cls(grid_centers(side, spacing), std, **settings)

    def compute(self, real, fake):
        return mode_coverage(fake, self.centers, self.std, self.report, self.level, self.seed, self.chunk_size)


class StackedMNISTCoverage(Metric):
    """Streaming `stacked_mnist_coverage` of images with three channels.

    Args:
        classifier: A classifier of grey images of digits, such as `DigitsClassifier()`, see `as_classifier`.
        report, level, seed: As in `stacked_mnist_coverage`.
    """

    kinds = ("fake",)

    def __init__(self, classifier, report="modes", level=0.95, seed=0):
        super().__init__(StackedDigits(classifier), level, seed)
        self.report = checks.choice("report", report, ("modes", "kl"))

    def compute(self, real, fake):
        return stacked_mnist_coverage(fake, self.report, self.level, self.seed)


class StackedDigits(Features):
    """The digits that a classifier sees in the three channels of an image, `(batch, 3)`."""

    def __init__(self, classifier):
        self.classifier = as_classifier(classifier)
        self.name = self.classifier.name
        self.resize = self.classifier.resize

    def extract(self, images):
        if images.shape[3] != 3:
            raise ValueError(f"Stacked digits have 3 channels. Received: images of shape {images.shape[1:]}")
        channels = np.moveaxis(images, 3, 1).reshape(-1, *images.shape[1:3], 1)
        scores = scores_of(self.classifier, self.classifier(channels))
        return scores.argmax(axis=1).reshape(len(images), 3)


def check_points(fake, centers):
    """Returns both as arrays of points with equal dimensions."""
    centers, fake = check_features(checks.array("centers", centers, "float64"), fake)
    for name, points in (("centre", centers), ("sample", fake)):
        if len(points) == 0:
            raise ValueError(f"Mode coverage needs one {name} at least. Received: 0")
    return fake, centers


def coverage_score(modes, total, num_fake, ceiling, quality, report, level, seed, **settings):
    """Makes the `Score` from the modes of the samples of high quality.

    Args:
        modes: Integer array, the mode of each sample of high quality.
        total: Integer, number of modes.
        num_fake: Integer, number of all samples.
        ceiling: Float, the share of high quality of a perfect sampler.
        quality: Dictionary of details on high quality.
        report, level, seed: As in `mode_coverage`.
        settings: Further parts of the protocol.
    """
    counts = np.bincount(modes, minlength=total)
    captured = int(np.sum(counts > 0))
    details = {"modes": captured, "of": total, "modes_ceiling": expected_modes(total, num_fake * ceiling), **quality}
    details |= {"kl": None, "kl_interval": None, "kl_floor": None, "kl_of_even_modes": None}
    if captured:
        divergence, interval = divergence_from_uniform(modes, counts, level, seed)
        details["kl"] = divergence
        details["kl_interval"] = list(interval)
        details["kl_floor"] = expected_divergence(total, len(modes))
        details["kl_of_even_modes"] = float(np.log(total / captured))
    details["counts"] = counts.tolist()
    details["perfect"] = details[PERFECT[report]]
    value, interval = details[report], details.get(f"{report}_interval")
    return Score(
        REPORTS[report],
        np.nan if value is None else value,
        None if interval is None else tuple(interval),
        None,
        num_fake,
        level=level,
        lower_is_better={"modes": False, "high_quality": None, "kl": True}[report],
        settings={"modes": total, **settings},
        details=details,
    )


def divergence_from_uniform(modes, counts, level, seed):
    """KL divergence of the shares of the modes from equal shares, in nats, and its interval."""
    logs = np.log(np.maximum(counts, 1) * len(counts) / len(modes))
    value = float(counts @ logs / len(modes))
    met = counts[counts > 0]
    if len(met) == 1 and len(counts) > 1:
        # All samples are in a single mode, where the bootstrap has no width. Assume that the unmet share is spread
        # evenly.
        rest = intervals.unmet_share(len(modes), level)
        spread = rest * np.log(rest / (len(counts) - 1)) + (1 - rest) * np.log1p(-rest)
        return value, (float(max(0.0, np.log(len(counts)) + spread)), value)
    bias = float(met @ (np.log(met) - grassberger_log(met)) / len(modes))
    bounds = (0.0, np.log(len(counts)))
    return value, intervals.from_influence(value, [logs[modes]], bias, level, seed, bounds=bounds)


def grassberger_log(counts):
    """Replaces the logarithm of a count in an estimate of entropy, so that few samples per mode are enough.

    Reference: [Grassberger, 2003](https://arxiv.org/abs/physics/0307138): `G(n) = psi(n) + (-1)^n / 2 *
    (psi((n + 1) / 2) - psi(n / 2))`.
    """
    psi = scipy.special.digamma
    return psi(counts) + 0.5 * (-1.0) ** counts * (psi((counts + 1) / 2) - psi(counts / 2))


def expected_modes(total, samples):
    """Expected number of modes that a perfect sampler of `total` equal modes hits: `K (1 - (1 - 1/K)^N)`."""
    return float(total * -np.expm1(samples * np.log1p(-1 / total))) if total > 1 else 1.0


def expected_divergence(total, samples):
    """Expected divergence of a perfect sampler of `total` equal modes. With many samples it is about `(K - 1) / 2N`.

    sum over modes of E[n/N log(n K / N)],    n binomial (N, 1/K)
    """
    counts = np.arange(1, samples + 1)
    terms = counts / samples * np.log(counts * total / samples)
    return float(total * scipy.stats.binom.pmf(counts, samples, 1 / total) @ terms)


def describe(score):
    """Describes a score of `mode_coverage` or `stacked_mnist_coverage`, and compares it with a perfect sampler.

    Example:

    >>> print(ganzoo.metrics.modes.describe(score))
    8 of 8 modes (perfect sampler: 8.00); high quality 99.20% [98.88%, 99.52%] (perfect sampler: 98.889%; more means
    modes that are too narrow); KL to uniform 0.0016 [0.0000, 0.0022] (perfect sampler: 0.0014; as many even modes:
    0.0000); 2,500 samples
    """
    found = score.details
    parts = [f"{found['modes']:,} of {found['of']:,} modes (perfect sampler: {found['modes_ceiling']:,.2f})"]
    if "high_quality" in found:
        low, high = found["high_quality_interval"]
        parts.append(
            f"high quality {found['high_quality']:.2%} [{low:.2%}, {high:.2%}] (perfect sampler: "
            f"{found['high_quality_ceiling']:.3%}; more means modes that are too narrow)"
        )
    if found["kl"] is None:
        parts.append("KL to uniform undefined")
    else:
        low, high = found["kl_interval"]
        parts.append(
            f"KL to uniform {found['kl']:.4f} [{low:.4f}, {high:.4f}] (perfect sampler: {found['kl_floor']:.4f}; as "
            f"many even modes: {found['kl_of_even_modes']:.4f})"
        )
    return "; ".join([*parts, f"{score.num_fake:,} samples"])
