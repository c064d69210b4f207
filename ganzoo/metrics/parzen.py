"""Parzen-window log-likelihood, the metric of the first papers on GANs."""

import warnings

import numpy as np

from ganzoo import checks
from ganzoo.metrics import intervals
from ganzoo.metrics.metric import Metric, check_features, chunks
from ganzoo.metrics.pixels import UnitPixels, shuffled
from ganzoo.metrics.score import Score
from ganzoo.metrics.seeds import numbers_of

SIGMAS = tuple(float(sigma) for sigma in np.geomspace(0.1, 1.0, 10))


def parzen_log_likelihood(real, fake, validation=None, sigma=None, sigmas=SIGMAS, level=0.95, seed=0, chunk_size=1024):
    """Mean log-likelihood, in nats, of real samples under Gaussian kernels centred on the generated samples.

        LL = mean over real x of log( mean over generated y of N(x; y, sigma^2 I) )

    It is not a measure of quality. In many dimensions the estimate is far from the model's likelihood, even with
    millions of samples. A model of cluster centres beats the data itself. And the likelihood has nothing to do with how
    samples look (Theis et al.). Use it to compare with papers that report it, or to check that a rebuilt model matches
    its paper. In a few dimensions it is a fair estimate.

    Arrays are not rescaled. Papers report it for pixels in [0, 1], 10,000 generated samples and the whole test set.
    `ParzenLogLikelihood` scales images in this way. Scaling d-dimensional data by s lowers the likelihood by d log(s).

    sigma is the member of `sigmas` with the highest likelihood of the validation samples. The interval takes it as
    given. `details["neighbours"]` is the effective number of kernels over a real sample, 1 / sum of their squared
    shares. Near 1, the estimate is a nearest-neighbour distance, and no interval contains the likelihood.

    Reference: [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), Section 5. The authors' code has the ten
    default sigmas.
    [Theis et al., 2016](https://arxiv.org/abs/1511.01844), Section 3.5, on its flaws.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        validation: Array of other real samples, to choose sigma. `None` (the default) takes a tenth of `real`, which
            then does not count in the value.
        sigma: Float, the standard deviation of the kernels. `None` (the default) chooses it.
        sigmas: Sequence of floats, the sigmas to choose from. Defaults to ten from 0.1 to 1, with a constant factor
            between them.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, for the validation samples and the bootstrap. Defaults to `0`.
        chunk_size: Integer, number of samples of each kind whose distances are in memory at a time. Defaults to `1024`.

    Returns:
        A `Score`. Its details include the sigma.

    Raises:
        ValueError: If a sigma is not positive, or with too few samples to choose it.

    Example:

    >>> score = ganzoo.metrics.parzen_log_likelihood(test_points, gan.generate(10_000), validation_points)
    >>> print(score, score.details["sigma"])
    """
    real, fake = check_features(real, fake)
    sigmas = check_sigmas(sigmas)
    sigmas = sigmas if sigma is None else check_sigmas([sigma])
    settings = {"sigma": sigmas[0]}
    if sigma is None:
        if validation is None:
            validation, real = held_out(real, seed)
        validation, fake = check_features(validation, fake)
        settings = {"sigma": f"1 of {len(sigmas)}, {sigmas[0]:g} to {sigmas[-1]:g}", "validation": len(validation)}
    for kind, samples in (("real", real), ("fake", fake)):
        if len(samples) < 2:
            raise ValueError(f"An interval needs at least 2 samples. Received: {len(samples)} {kind}")
    if sigma is None:
        sigma = best_sigma(validation, fake, sigmas, chunk_size)
    values = log_likelihoods(real, fake, [sigma], chunk_size)[0]
    shares, squares = kernel_shares(real, fake, sigma, values, chunk_size)
    value = values.mean()
    # To second order, E[log p] - log E[p] = -Var[p] / 2 p^2.
    bias = -(squares.mean() - 1 / len(fake)) / 2
    return Score(
        "parzen_log_likelihood",
        value,
        intervals.from_influence(value, [values, shares * len(fake)], bias, level, seed),
        len(real),
        len(fake),
        level=level,
        lower_is_better=False,
        settings=settings,
        details={"sigma": float(sigma), "neighbours": float(np.mean(1 / squares)), "bias": float(bias)},
    )


class ParzenLogLikelihood(Metric):
    """Streaming `parzen_log_likelihood` of images, whose pixels it scales to [0, 1].

    Args:
        validation: Images to choose sigma. Defaults to `None`.
        sigma, sigmas, level, seed, chunk_size: As in `parzen_log_likelihood`.
        features: As in `Metric`, for samples other than images. `None` (the default) scales the pixels of images.

    Example:

    >>> metric = ganzoo.metrics.ParzenLogLikelihood(validation=validation_images)
    >>> metric.update_state(real=test_images, fake=gan.generate(10_000))
    >>> print(metric.result())
    """

    def __init__(self, validation=None, sigma=None, sigmas=SIGMAS, features=None, level=0.95, seed=0, chunk_size=1024):
        super().__init__(UnitPixels() if features is None else features, level, seed, chunk_size)
        self.validation = None if validation is None else self.features(validation)
        self.sigma = checks.number("sigma", sigma, above=0, optional=True)
        self.sigmas = check_sigmas(sigmas)

    def compute(self, real, fake):
        return parzen_log_likelihood(
            real, fake, self.validation, self.sigma, self.sigmas, self.level, self.seed, self.chunk_size
        )


def check_sigmas(sigmas):
    """Returns the sigmas as a sorted list of floats."""
    if not checks.plain_items(sigmas):  # Also refuses an empty sequence.
        raise checks.refusal("sigmas", sigmas, "a sequence of standard deviations of the kernels, and not empty")
    return sorted(checks.number("sigma", sigma, above=0) for sigma in sigmas)


def held_out(samples, seed):
    """A random tenth of the samples, and the rest."""
    if len(samples) < 10:
        raise ValueError(
            "To choose sigma, a tenth of 10 or more real samples is needed. Give `sigma`, or `validation` samples. "
            f"Received: {len(samples)} real"
        )
    order = shuffled(samples, numbers_of(seed))
    count = len(samples) // 10
    return samples[order[:count]], samples[order[count:]]


def best_sigma(validation, fake, sigmas, chunk_size):
    """The sigma with the highest likelihood of the validation samples."""
    means = log_likelihoods(validation, fake, sigmas, chunk_size).mean(axis=1)
    best = int(np.argmax(means))
    if len(sigmas) > 1 and best in (0, len(sigmas) - 1):
        warnings.warn(
            f"The best sigma, {sigmas[best]:g}, is the first or last of those from {sigmas[0]:g} to {sigmas[-1]:g}. "
            "Widen `sigmas`. Are the samples scaled as you think? Images should lie in [0, 1].",
            stacklevel=3,
        )
    return sigmas[best]


def log_likelihoods(points, kernels, sigmas, chunk_size):
    """Log-density of each point, `(sigmas, points)`, under Gaussian kernels of each sigma."""
    scales = -0.5 / np.square(sigmas)[:, None, None]
    parts = []
    for distances in distance_blocks(points, kernels, chunk_size):
        found = -np.inf
        for block in distances:
            exponents = scales * block
            # A running log-sum-exp: without subtracting the highest exponent, all terms underflow to 0 in many
            # dimensions.
            highest = np.maximum(found, exponents.max(axis=2))
            found = highest + np.log(np.exp(found - highest) + np.exp(exponents - highest[..., None]).sum(axis=2))
        parts.append(found)
    return np.concatenate(parts, axis=1) - log_normalizer(points, kernels, np.asarray(sigmas))[:, None]


def kernel_shares(points, kernels, sigma, values, chunk_size):
    """How much each kernel contributes to the density at the points.

    Returns:
        `(mean_shares, squares)`. `mean_shares` is the mean share of each kernel in the density of a point,
        `(kernels,)`. `squares` is the sum of the squared shares of the kernels in the density of each point,
        `(points,)`.
    """
    logs = values + log_normalizer(points, kernels, sigma)
    mean_shares, squares = np.zeros(len(kernels)), np.zeros(len(points))
    start = 0
    for distances in distance_blocks(points, kernels, chunk_size):
        column = 0
        for block in distances:
            rows, columns = slice(start, start + block.shape[0]), slice(column, column + block.shape[1])
            shares = np.exp(-0.5 / sigma**2 * block - logs[rows, None])
            mean_shares[columns] += shares.sum(axis=0) / len(points)
            squares[rows] += np.square(shares).sum(axis=1)
            column = columns.stop
        start = rows.stop
    return mean_shares, squares


def log_normalizer(points, kernels, sigma):
    """The term to subtract from the log of the summed exponentials to get a log-density."""
    return np.log(len(kernels)) + 0.5 * points.shape[1] * np.log(2 * np.pi * np.square(sigma))


def distance_blocks(points, kernels, chunk_size):
    """Yields, for each chunk of points, an iterator over squared distances `(points, kernels)` to chunks of kernels."""
    # Distances come from differences of squares, which lose fewer digits near 0.
    center = sum(chunk.sum(axis=0) for chunk in chunks(kernels, chunk_size)) / len(kernels)

    def row(chunk):
        for others in chunks(kernels, chunk_size):
            others = others - center
            squares = np.square(chunk).sum(axis=1)[:, None] + np.square(others).sum(axis=1)
            yield np.maximum(squares - 2 * chunk @ others.T, 0.0)

    for chunk in chunks(points, chunk_size, "Parzen windows"):
        yield row(chunk - center)
