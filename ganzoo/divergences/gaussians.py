"""Divergences of Gaussians in closed form, in nats.

A Gaussian is either two numbers, mean and variance, or a mean `(dimensions,)` and a covariance `(dimensions,
dimensions)`. A covariance may be singular, and a variance 0. Then all of the mass lies in a subspace or on a point. In
more than one dimension, a direction counts as having no width if its variance is below the rounding error of the
largest.
"""

import math

import numpy as np
import scipy.linalg
from scipy import integrate, special

from ganzoo import checks
from ganzoo.metrics.frechet import gaussian_distance, truncated_eigh


def gaussian_kl(mean_1, cov_1, mean_2, cov_2):
    """Kullback-Leibler divergence KL(N_1 || N_2) between two Gaussians.

        KL = 1/2 [ tr(C_2^-1 C_1) - d - log det(C_2^-1 C_1) + (m_2 - m_1)^T C_2^-1 (m_2 - m_1) ]

    It is infinite if either Gaussian lies in a subspace of fewer dimensions and the other does not lie in the same
    subspace. Then their supports have no part in common that matters to both.

    Reference: [Kingma and Welling, 2013](https://arxiv.org/abs/1312.6114), Appendix B, for a standard normal N_2.

    Args:
        mean_1, mean_2: Floats, or arrays `(dimensions,)`.
        cov_1, cov_2: Floats, the variances, or arrays `(dimensions, dimensions)`.

    Returns:
        Float. `inf` if N_1 has no density with respect to N_2.

    Raises:
        ValueError: If shapes do not match, or a covariance is not symmetric or has negative eigenvalues.

    Example:

    >>> ganzoo.divergences.gaussian_kl(0.0, 1.0, 3.0, 1.0)  # 3^2 / 2
    4.5
    """
    (mean_1, cov_1), (mean_2, cov_2) = check_gaussians(mean_1, cov_1, mean_2, cov_2)
    values, vectors = truncated_eigh(cov_2)
    shift = mean_2 - mean_1
    if len(values) < len(mean_2):  # Where N_2 has no width, N_1 must not have width or shift.
        off = np.eye(len(mean_2)) - vectors @ vectors.T
        sizes = np.abs([cov_1, cov_2]).max(), np.abs([mean_1, mean_2]).max()
        if any(np.abs(off @ part).max() > 1e-12 * size for part, size in zip((cov_1, shift), sizes)):
            return math.inf
        if not len(values):
            return 0.0
    # Judge the rank of N_1 separately, because the ratio of two valid covariances may exceed the range of float64.
    values_1, _ = truncated_eigh(cov_1)
    if len(values_1) < len(values):
        return math.inf
    # In this basis, C_2 is the identity.
    whiten = vectors / np.sqrt(values)
    ratios = scipy.linalg.eigvalsh(whiten.T @ cov_1 @ whiten)
    if ratios[0] > len(ratios) * np.finfo("float64").eps * ratios[-1]:
        terms = np.maximum(ratios - 1 - np.log(ratios), 0.0)  # Never negative, and exact for near equality.
        divergence = np.sum(terms)
    else:
        # The smallest ratio is noise, so the two log-determinants are computed separately.
        divergence = np.sum(ratios) - len(values) - np.sum(np.log(values_1)) + np.sum(np.log(values))
    with np.errstate(over="ignore"):
        return float(divergence + np.sum((whiten.T @ shift) ** 2)) / 2


def gaussian_wasserstein(mean_1, cov_1, mean_2, cov_2, p=2):
    """p-Wasserstein distance between two Gaussians. The default is the 2-Wasserstein distance.

        W_2^2 = |m_1 - m_2|^2 + tr(C_1 + C_2 - 2 (C_1 C_2)^(1/2))
        W_p^p = E|m_1 - m_2 + (s_1 - s_2) z|^p,    z from N(0, 1), of numbers

    For numbers, W_2^2 is (m_1 - m_2)^2 + (s_1 - s_2)^2. The Fréchet distance of samples estimates W_2^2. With equal
    variances every W_p is |m_1 - m_2|. For the W of the WGAN pass `p=1`.

    Reference: Dowson and Landau, 1982, and [Heusel et al., 2017](https://arxiv.org/abs/1706.08500), Equation 6.

    Args:
        mean_1, mean_2: Floats, or arrays `(dimensions,)`.
        cov_1, cov_2: Floats, the variances, or arrays `(dimensions, dimensions)`.
        p: Float of at least 1, the power of the distance. In several dimensions, different covariances need 2. Defaults
            to `2`.

    Returns:
        Float.

    Raises:
        ValueError: If shapes do not match, a covariance is not symmetric or has negative eigenvalues, or if there is no
            closed form for that `p`.

    Example:

    >>> ganzoo.divergences.gaussian_wasserstein(0.0, 1.0, 3.0, 25.0)  # sqrt(3^2 + (5 - 1)^2)
    5.0
    """
    (mean_1, cov_1), (mean_2, cov_2) = check_gaussians(mean_1, cov_1, mean_2, cov_2)
    p = checks.number("p", p, least=1)
    if np.array_equal(cov_1, cov_2):
        return math.hypot(*(mean_1 - mean_2))
    if len(mean_1) == 1:
        spread = math.sqrt(cov_1[0, 0]) - math.sqrt(cov_2[0, 0])
        return moment_of_normal(float(mean_1[0] - mean_2[0]), abs(spread), p)
    if p != 2:
        raise ValueError(
            f"In several dimensions W_p has a closed form for p=2, or equal covariances. Received: p={p!r}. "
            "`wasserstein` takes samples."
        )
    origin = np.zeros_like(mean_1)
    return math.hypot(*(mean_1 - mean_2), math.sqrt(gaussian_distance(origin, cov_1, origin, cov_2)))


def moment_of_normal(mean, std, p):
    """(E|x|^p)^(1/p) for x from N(mean, std^2).

    E|x|^p = std^p 2^(p/2) Gamma((1 + p)/2) / sqrt(pi) M(-p/2, 1/2, -mean^2 / (2 std^2)), M Kummer's function
    """
    if p == 2:
        return math.hypot(mean, std)
    ratio = abs(mean) / std if std > 0 else math.inf
    if ratio > 20:  # x keeps its sign, so three terms of the series of E(1 + z / ratio)^p are enough.
        z = 1 / ratio**2
        return abs(mean) * (1 + p * (p - 1) / 2 * z + p * (p - 1) * (p - 2) * (p - 3) / 8 * z**2) ** (1 / p)
    log_factor = p / 2 * math.log(2) + special.gammaln((1 + p) / 2) - math.log(math.pi) / 2
    return std * math.exp((log_factor + math.log(special.hyp1f1(-p / 2, 0.5, -(ratio**2) / 2))) / p)


def gaussian_total_variation(mean_1, variance_1, mean_2, variance_2):
    """Total variation between two Gaussians on the line.

        TV = N_1(A) - N_2(A),    A = {x: density 1 > density 2}

    A lies between the points where the densities cross. For equal variances it is erf(|m_1 - m_2| / (2 sqrt(2) s)).

    Args:
        mean_1, variance_1, mean_2, variance_2: Floats.

    Returns:
        Float in [0, 1].

    Raises:
        ValueError: If an argument is not a number, or a variance is negative.

    Example:

    >>> ganzoo.divergences.gaussian_total_variation(-1.0, 1.0, 1.0, 1.0)  # erf(1 / sqrt(2))
    0.6826894921370859
    """
    (mean_1, variance_1), (mean_2, variance_2) = check_univariate(mean_1, variance_1, mean_2, variance_2)
    if variance_1 == 0 or variance_2 == 0:
        return float((mean_1, variance_1) != (mean_2, variance_2))
    shift, ratio = in_units_of_the_narrower(mean_1, variance_1, mean_2, variance_2)
    if is_disjoint(shift, ratio):
        return 1.0
    if ratio == 1:
        return math.erf(shift / math.sqrt(8))
    # The densities cross where (ratio - 1) z^2 + 2 shift z = constant. Between these two points the narrower Gaussian
    # is denser. The second root is written without a difference of nearly equal numbers.
    constant = shift**2 + ratio * math.log(ratio)
    total = shift + math.sqrt(shift**2 + (ratio - 1) * constant)
    ends = np.array([-total / (ratio - 1), constant / total])
    of_narrow, of_wide = (np.diff(special.ndtr(z))[0] for z in (ends, (ends - shift) / math.sqrt(ratio)))
    return float(of_narrow - of_wide)


def gaussian_energy_distance(mean_1, variance_1, mean_2, variance_2):
    """Energy distance of two Gaussians on the line; half of it is their Cramér distance.

        E(X, Y) = 2 E|X - Y| - E|X - X'| - E|Y - Y'|,    X', Y' independent copies
        Cramér = integral of (F_1(x) - F_2(x))^2 = E(X, Y) / 2,    F the distribution functions

    Each of the three differences is Gaussian, and E|x| of x from N(m, s^2) is
    `s sqrt(2 / pi) exp(-m^2 / (2 s^2)) + m erf(m / (sqrt(2) s))`.

    Reference: [Bellemare et al., 2017](https://arxiv.org/abs/1705.10743), Section 4.

    Args:
        mean_1, variance_1, mean_2, variance_2: Floats.

    Returns:
        Float, at least 0.

    Raises:
        ValueError: If something is not a number, or a variance is negative.

    Example:

    >>> ganzoo.divergences.gaussian_energy_distance(0.0, 1.0, 1.0, 1.0)
    0.5418...
    """
    (mean_1, variance_1), (mean_2, variance_2) = check_univariate(mean_1, variance_1, mean_2, variance_2)
    across = mean_size(mean_1 - mean_2, math.sqrt(variance_1 + variance_2))
    within = mean_size(0.0, math.sqrt(2 * variance_1)) + mean_size(0.0, math.sqrt(2 * variance_2))
    return max(0.0, 2 * across - within)


def mean_size(mean, std):
    """E|x| of x from N(mean, std^2)."""
    if std == 0:
        return abs(mean)
    ratio = mean / std
    return std * math.sqrt(2 / math.pi) * math.exp(-(ratio**2) / 2) + mean * math.erf(ratio / math.sqrt(2))


def gaussian_jensen_shannon(mean_1, variance_1, mean_2, variance_2):
    """Jensen-Shannon divergence between two Gaussians on the line.

        JS = 1/2 KL(N_1 || M) + 1/2 KL(N_2 || M),    M = (N_1 + N_2) / 2

    It has no closed form. It is integrated numerically, with an error of about 1e-12.

    Reference: [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), Section 4.1.

    Args:
        mean_1, variance_1, mean_2, variance_2: Floats.

    Returns:
        Float in [0, log 2].

    Raises:
        ValueError: If an argument is not a number, or a variance is negative.

    Example:

    >>> ganzoo.divergences.gaussian_jensen_shannon(-1.0, 1.0, 1.0, 1.0)
    0.3368...
    """
    (mean_1, variance_1), (mean_2, variance_2) = check_univariate(mean_1, variance_1, mean_2, variance_2)
    if (mean_1, variance_1) == (mean_2, variance_2):
        return 0.0
    if variance_1 == 0 or variance_2 == 0:
        return math.log(2)
    shift, ratio = in_units_of_the_narrower(mean_1, variance_1, mean_2, variance_2)
    if is_disjoint(shift, ratio):
        return math.log(2)
    gaussians = [(0.0, 1.0), (shift, math.sqrt(ratio))]

    def integrand(x):
        densities = [
            math.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi)) for mean, std in gaussians
        ]
        mixture = max(sum(densities) / 2, 1e-300)  # Half of the smallest float would be 0.
        # Terms p log(p / m) - p + m are never negative, and the added part sums to 0.
        return special.kl_div(densities, mixture).sum() / 2

    # Integrate in pieces of a few standard deviations around each mean, so as not to miss a narrow peak.
    steps = (-12, -8, -5, -3, -1.5, 0, 1.5, 3, 5, 8, 12)
    ends = sorted({mean + step * std for mean, std in gaussians for step in steps})
    pieces = [integrate.quad(integrand, *piece, epsabs=1e-14, epsrel=1e-12)[0] for piece in zip(ends, ends[1:])]
    return min(max(math.fsum(pieces), 0.0), math.log(2))


def in_units_of_the_narrower(mean_1, variance_1, mean_2, variance_2):
    """`(shift, ratio)` so that N(0, 1) and N(shift, ratio >= 1) are the Gaussians up to position and scale."""
    narrow, wide = sorted([variance_1, variance_2])
    return abs(mean_2 - mean_1) / math.sqrt(narrow), wide / narrow


def is_disjoint(shift, ratio):
    """Whether the overlap of N(0, 1) and N(shift, ratio) is below the rounding error of a float."""
    return ratio > 1e40 or shift > 1e25


def check_gaussians(mean_1, cov_1, mean_2, cov_2):
    """Returns two pairs of mean `(dimensions,)` and covariance `(dimensions, dimensions)`, or raises an error."""
    pairs = []
    for index, mean, covariance in ((1, mean_1, cov_1), (2, mean_2, cov_2)):
        mean, covariance = (
            checks.array(f"mean_{index}", mean, "float64"),
            checks.array(f"cov_{index}", covariance, "float64"),
        )
        if (mean.ndim, covariance.ndim) == (0, 0):
            mean, covariance = mean.reshape(1), covariance.reshape(1, 1)
        if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
            raise ValueError(
                "A Gaussian is two numbers, mean and variance, or a mean (dimensions,) and a covariance (dimensions, "
                f"dimensions). Received: mean_{index} of shape {mean.shape}, cov_{index} of shape {covariance.shape}"
            )
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise ValueError(f"`mean_{index}` and `cov_{index}` must be finite. Received: {mean}, {covariance}")
        size = np.abs(covariance).max()
        if np.abs(covariance - covariance.T).max() > 1e-6 * size:
            raise ValueError(f"A covariance must be symmetric. Received: cov_{index} = {covariance}")
        smallest = np.linalg.eigvalsh(covariance)[0]
        if smallest < -1e-6 * size:
            raise ValueError(
                f"A covariance must not have negative eigenvalues. Received: cov_{index} with {smallest:.6g}"
            )
        pairs.append((mean, (covariance + covariance.T) / 2))
    if len(pairs[0][0]) != len(pairs[1][0]):
        raise ValueError(
            f"Both Gaussians must have equally many dimensions. Received: {len(pairs[0][0])} and {len(pairs[1][0])}"
        )
    return pairs


def check_univariate(mean_1, variance_1, mean_2, variance_2):
    """Returns two pairs of mean and variance as floats, or raises a `ValueError`."""
    pairs = check_gaussians(mean_1, variance_1, mean_2, variance_2)
    if len(pairs[0][0]) != 1:
        raise ValueError(
            f"This is computed for Gaussians on the line, of numbers. Received: {len(pairs[0][0])} dimensions"
        )
    return [(float(mean[0]), float(variance[0, 0])) for mean, variance in pairs]
