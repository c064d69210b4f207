"""Fréchet distance between two sets of features."""

import warnings

import numpy as np
import scipy.linalg

from ganzoo.metrics import intervals
from ganzoo.metrics.metric import Metric, check_chunk_size, check_features, chunks
from ganzoo.metrics.score import Score
from ganzoo.metrics.seeds import numbers_of
from ganzoo.progress import Progress


def frechet_distance(real, fake, level=0.95, seed=0, chunk_size=1024):
    """Squared 2-Wasserstein distance between Gaussians with the means and covariances of the features.

        d^2 = ||m_r - m_f||^2 + tr(C_r + C_f - 2 (C_r C_f)^(1/2))

    Call it FID only with features of `InceptionV3`. It is biased upwards, so compare only scores of equal numbers of
    samples. 10,000 or more are usual.

    Reference: [Heusel et al., 2017](https://arxiv.org/abs/1706.08500), Equation 6.
    [Chong & Forsyth, 2020](https://arxiv.org/abs/1911.07023), for the bias, which is linear in 1/N.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, for the bootstrap. Defaults to `0`.
        chunk_size: Integer, number of samples in float64 at a time. Defaults to `1024`.

    Returns:
        A `Score`.

    Raises:
        ValueError: With fewer than two samples.
    """
    real, fake = check_features(real, fake)
    for kind, features in (("real", real), ("fake", fake)):
        if len(features) < 2:
            raise ValueError(f"A covariance needs at least 2 samples. Received: {len(features)} {kind}")
        if len(features) < features.shape[1]:
            warnings.warn(
                f"{len(features)} {kind} samples of {features.shape[1]} features: the covariance is singular, and the "
                "Fréchet distance far too large. Take more samples than features.",
                stacklevel=2,
            )
    progress = Progress(f"Fréchet distance of {real.shape[1]:,} features, steps", 3)
    statistics = [moments(features, chunk_size) for features in (real, fake)]
    value = gaussian_distance(*statistics[0], *statistics[1])
    progress.advance()
    bias = bias_of_halves(real, fake, value, seed, chunk_size)
    progress.advance()
    influences = influences_on_distance(real, fake, *statistics, chunk_size)
    progress.advance()
    interval = intervals.from_influence(value, influences, bias, level, seed, bounds=(0.0, np.inf))
    return Score(
        "frechet_distance",
        value,
        interval,
        len(real),
        len(fake),
        level=level,
        lower_is_better=True,
        details={"bias": bias},
    )


class FrechetDistance(Metric):
    """Streaming `frechet_distance`.

    Example:

    >>> metric = ganzoo.metrics.FrechetDistance(features=ganzoo.metrics.features.DigitsClassifier())
    >>> metric.update_state(real=images, fake=gan.generate(10_000))
    >>> print(metric.result())
    """

    def compute(self, real, fake):
        return frechet_distance(real, fake, self.level, self.seed, self.chunk_size)


def moments(features, chunk_size=1024, rows=None):
    """Mean and unbiased covariance of an array `(samples, dimensions)`, or of some of its rows, in float64."""
    chunk_size = check_chunk_size(chunk_size)
    rows = np.arange(len(features)) if rows is None else rows
    parts = [rows[start : start + chunk_size] for start in range(0, len(rows), chunk_size)]
    mean = sum(features[part].sum(axis=0, dtype="float64") for part in parts) / len(rows)
    covariance = np.zeros((len(mean), len(mean)))
    for part in parts:
        centered = features[part] - mean
        covariance += centered.T @ centered
    covariance /= len(rows) - 1
    return mean, covariance


def gaussian_distance(mean_1, covariance_1, mean_2, covariance_2):
    """Squared 2-Wasserstein distance between two Gaussians, whose covariances may be singular.

    With C_i = L_i L_i^T, the trace of (C_1 C_2)^(1/2) is the sum of the singular values of L_1^T L_2. Singular
    covariances do not make them less exact. The eigenvalues of the squared product are faster to compute, but small
    values have only half the digits. They are used if that changes the sum by less than 1e-9 of itself. LAPACK's divide
    and conquer, `evd`, takes a tenth of the time of SciPy's default.

    Eigenvalues of a covariance below the rounding noise of the largest count as zero, see `truncated_eigh`. Otherwise
    the error would be the square root of that noise, 1e-8. If such an eigenvalue was small but not zero, the distance
    is wrong by at most that much. Float64 cannot tell the two cases apart.

    Args:
        mean_1, mean_2: Arrays `(dimensions,)`.
        covariance_1, covariance_2: Arrays `(dimensions, dimensions)`.

    Returns:
        Float, not negative.
    """
    shift = np.sum(np.square(mean_1 - mean_2))
    product = root(covariance_1).T @ root(covariance_2)
    if not product.size:  # One of the Gaussians is a point.
        return float(shift + np.trace(covariance_1) + np.trace(covariance_2))
    squares = np.clip(scipy.linalg.eigvalsh(product @ product.T, driver="evd"), 0.0, None)
    singular = np.sqrt(squares)
    # An error in s^2 changes s by error / 2s, so it is worst for small s.
    error = np.finfo("float64").eps * squares[-1] * np.sum(1 / np.maximum(singular, 1e-300))
    if error > 1e-9 * singular.sum():
        singular = scipy.linalg.svdvals(product)
    return float(max(shift + np.trace(covariance_1) + np.trace(covariance_2) - 2 * singular.sum(), 0.0))


def root(covariance):
    """A matrix L with `L L^T = covariance`.

    The Cholesky decomposition is ten times as fast as eigenvectors. But it accepts a singular matrix if the rounding
    noise happens to be positive. So it is used only for well-conditioned matrices.
    """
    try:
        factor = scipy.linalg.cholesky(covariance, lower=True)
    except scipy.linalg.LinAlgError:
        return root_of_eigenvalues(covariance)
    # LAPACK estimates the reciprocal condition number in the 1-norm, which is at most smallest / largest eigenvalue.
    # The estimate may be a few times too large, hence the factor 10.
    condition, _ = scipy.linalg.lapack.dpocon(factor, np.linalg.norm(covariance, 1), uplo="L")
    return factor if condition > 10 * noise(len(covariance)) else root_of_eigenvalues(covariance)


def root_of_eigenvalues(covariance):
    """A matrix L with `L L^T = covariance`, with a column for each nonzero eigenvalue."""
    values, vectors = truncated_eigh(covariance)
    return vectors * np.sqrt(values)


def truncated_eigh(matrix):
    """Eigenvalues and eigenvectors of a positive semidefinite matrix, without zeros up to rounding."""
    values, vectors = scipy.linalg.eigh(matrix, driver="evd")
    kept = values > noise(len(values)) * max(values[-1], 0.0)
    return values[kept], vectors[:, kept]


def noise(dimensions):
    """Rounding error of the eigenvalues of a covariance, relative to the largest.

    An entry is a sum of products, with an error of a few epsilon. At worst, the errors of a row add up.
    """
    return (10 + dimensions) * np.finfo("float64").eps


def bias_of_halves(real, fake, value, seed, chunk_size):
    """Estimate of E[value] minus its limit for many samples.

    The bias goes as 1/N, so half of the samples have twice the bias.
    """
    if min(len(real), len(fake)) < 4:
        return 0.0
    rng = numbers_of(seed)
    halves = [np.array_split(rng.permutation(len(features)), 2) for features in (real, fake)]
    distances = [
        gaussian_distance(*moments(real, chunk_size, r), *moments(fake, chunk_size, f)) for r, f in zip(*halves)
    ]
    return float(np.mean(distances) - value)


def influences_on_distance(real, fake, real_moments, fake_moments, chunk_size):
    """Derivative of the distance with respect to the weight of each sample, `[of real, of fake]`.

    With the optimal map T from the real to the fake Gaussian, d(d^2)/dm_r = 2 (m_r - m_f) and d(d^2)/dC_r = I - T.
    """
    (real_mean, real_covariance), (fake_mean, fake_covariance) = real_moments, fake_moments
    shift = 2 * (real_mean - fake_mean)
    return [
        quadratic_form(real, real_mean, shift, transport_map(real_covariance, fake_covariance), chunk_size),
        quadratic_form(fake, fake_mean, -shift, transport_map(fake_covariance, real_covariance), chunk_size),
    ]


def transport_map(source, target):
    """`C_s^(-1/2) (C_s^(1/2) C_t C_s^(1/2))^(1/2) C_s^(-1/2)` on the support of the source."""
    values, vectors = truncated_eigh(source)
    half = vectors * np.sqrt(values)
    inner_values, inner_vectors = scipy.linalg.eigh(half.T @ target @ half, driver="evd", overwrite_a=True)
    # Wide features need much memory here.
    del half
    turned = (vectors / np.sqrt(values)) @ inner_vectors
    return turned * np.sqrt(np.clip(inner_values, 0.0, None)) @ turned.T


def quadratic_form(features, mean, linear, transport, chunk_size):
    """`b.(x - m) + (x - m)^T (I - T) (x - m)` for each sample."""
    matrix = np.eye(len(mean)) - transport
    parts = []
    for chunk in chunks(features, chunk_size):
        centered = chunk - mean
        parts.append(centered @ linear + np.einsum("ij,ij->i", centered @ matrix, centered))
    return np.concatenate(parts)
