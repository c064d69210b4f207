"""PSNR, SSIM and L1 of aligned pairs of images, with the real image as target and the generated image as output."""

import numpy as np
import scipy.ndimage

from ganzoo.metrics import intervals
from ganzoo.metrics.metric import Metric, check_chunk_size
from ganzoo.metrics.pixels import Pixels, check_images
from ganzoo.metrics.score import Score
from ganzoo.progress import track

PEAK = 255.0

# From Wang et al.: a Gaussian window of 11 x 11 pixels, and the constants that keep quotients finite.
RADIUS = 5
WINDOW = np.exp(-0.5 * np.square(np.arange(-RADIUS, RADIUS + 1) / 1.5))
WINDOW /= WINDOW.sum()
C1 = (0.01 * PEAK) ** 2
C2 = (0.03 * PEAK) ** 2


def psnr(real, fake, level=0.95, seed=0, chunk_size=64):
    """Peak signal-to-noise ratio in decibels, averaged over pairs of images.

        PSNR(x, y) = 10 log10(255^2 / mean of (x - y)^2)

    Use it for models with a single right output, such as autoencoders and pix2pix. It measures the error of pixels, not
    what the eye sees. A blurred image, or the mean of all plausible images, scores well. A pair without any difference
    has an infinite ratio, and then the mean is infinite too. `details["pooled"]` is the ratio for the mean squared
    error of all pairs, and `details["identical"]` the number of pairs without a difference.

    Images are quantised to 8 bits first.

    Args:
        real, fake: Images `(pairs, height, width, channels)`, uint8 or floats in [-1, 1], in the same order.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, for the bootstrap. Defaults to `0`.
        chunk_size: Integer, number of pairs in float64 at a time. Defaults to `64`.

    Returns:
        A `Score`. It has no interval if it is infinite, or if there is a single pair.

    Raises:
        ValueError: If the shapes differ, or without pairs.

    Example:

    >>> print(ganzoo.metrics.psnr(targets, pix2pix.generate(inputs)))
    """
    errors = of_pairs(real, fake, squared_error, chunk_size)
    with np.errstate(divide="ignore"):
        ratios, pooled = (10 * np.log10(PEAK**2 / error) for error in (errors, errors.mean()))
    details = {"pooled": float(pooled), "identical": int(np.sum(errors == 0))}
    return pairs_score("psnr", ratios, level, seed, lower_is_better=False, details=details)


def ssim(real, fake, level=0.95, seed=0, chunk_size=64):
    """Structural similarity, at most 1, averaged over windows, channels and pairs of images.

        SSIM(x, y) = (2 m_x m_y + C1) (2 s_xy + C2) / ((m_x^2 + m_y^2 + C1) (s_x^2 + s_y^2 + C2))

    m and s are means and (co)variances within a Gaussian window of 11 x 11 pixels (standard deviation 1.5), which moves
    over the whole image without leaving it. C1 = (0.01 * 255)^2, C2 = (0.03 * 255)^2. Use it for models with a single
    right output. It forgives changes of brightness and contrast more than PSNR does, but not a shift by a few pixels.
    Where many outputs are plausible, it also prefers a blur.

    Images are quantised to 8 bits first.

    Reference: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004,
    [doi:10.1109/TIP.2003.819861](https://doi.org/10.1109/TIP.2003.819861), Equations 13 to 17.

    Departures from the paper: For grey images there are no departures. In other images, each channel is compared
    separately.

    Args:
        real, fake: Images `(pairs, height, width, channels)`, uint8 or floats in [-1, 1], in the same order.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, for the bootstrap. Defaults to `0`.
        chunk_size: Integer, number of pairs in float64 at a time. Defaults to `64`.

    Returns:
        A `Score`.

    Raises:
        ValueError: If the shapes differ, without pairs, or if a side has fewer than 11 pixels.

    Example:

    >>> print(ganzoo.metrics.ssim(targets, pix2pix.generate(inputs)))
    """
    values = of_pairs(real, fake, lambda x, y: similarity(x, y)[0].mean(axis=1), chunk_size)
    return pairs_score("ssim", values, level, seed, lower_is_better=False)


def l1_distance(real, fake, level=0.95, seed=0, chunk_size=64):
    """Mean absolute difference of pairs of images with pixels in [-1, 1]. This is the L1 term of pix2pix.

        L1(x, y) = mean of |x - y|

    Use it for models with a single right output. Large errors count less than in PSNR. It does not measure what the eye
    sees, because the median of all plausible outputs scores best.

    Images are quantised to 8 bits first.

    Reference: [Isola et al., 2017](https://arxiv.org/abs/1611.07004), Equation 3.

    Args:
        real, fake: Images `(pairs, height, width, channels)`, uint8 or floats in [-1, 1], in the same order.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, for the bootstrap. Defaults to `0`.
        chunk_size: Integer, number of pairs in float64 at a time. Defaults to `64`.

    Returns:
        A `Score`.

    Raises:
        ValueError: If the shapes differ, or without pairs.

    Example:

    >>> print(ganzoo.metrics.l1_distance(targets, pix2pix.generate(inputs)))
    """
    values = of_pairs(real, fake, lambda x, y: np.abs(x - y).mean(axis=(1, 2, 3)) * 2 / PEAK, chunk_size)
    return pairs_score("l1_distance", values, level, seed, lower_is_better=True, settings={"scale": "[-1, 1]"})


class PairMetric(Metric):
    """Base of metrics of aligned pairs. Call `update_state(real=targets, fake=outputs)` with both in the same order.

    Args:
        level, seed: As in `Metric`.
        chunk_size: Integer, number of pairs in float64 at a time. Defaults to `64`.
    """

    def __init__(self, level=0.95, seed=0, chunk_size=64):
        super().__init__(Pixels(), level, seed, chunk_size)


class PSNR(PairMetric):
    """Streaming `psnr`.

    Example:

    >>> metric = ganzoo.metrics.PSNR()
    >>> for inputs, targets in test_set:
    ...     metric.update_state(real=targets, fake=pix2pix.generate(inputs))
    >>> print(metric.result())
    """

    def compute(self, real, fake):
        return psnr(real, fake, self.level, self.seed, self.chunk_size)


class SSIM(PairMetric):
    """Streaming `ssim`."""

    def compute(self, real, fake):
        return ssim(real, fake, self.level, self.seed, self.chunk_size)


class L1Distance(PairMetric):
    """Streaming `l1_distance`."""

    def compute(self, real, fake):
        return l1_distance(real, fake, self.level, self.seed, self.chunk_size)


def of_pairs(real, fake, measure, chunk_size):
    """`measure(x, y)` of all pairs, chunk by chunk, where x and y are float64 images in [0, 255]."""
    chunk_size = check_chunk_size(chunk_size)
    real, fake = check_images(real, fake)
    if len(real) != len(fake) or len(real) == 0:
        raise ValueError(
            "Pairs need equal numbers of real and fake images, at least one, in the same order. Received: "
            f"{len(real)} real, {len(fake)} fake"
        )
    parts = []
    starts = range(0, len(real), chunk_size)
    for start in track(starts, len(starts), "Comparing, blocks of pairs"):
        x, y = (images[start : start + chunk_size].astype("float64") for images in (real, fake))
        parts.append(measure(x, y))
    return np.concatenate(parts)


def pairs_score(name, values, level, seed, **facts):
    """The `Score` of a mean over pairs."""
    value = values.mean()
    has_interval = len(values) > 1 and np.isfinite(value)
    interval = intervals.from_influence(value, [values], level=level, seed=seed) if has_interval else None
    return Score(name, value, interval, len(values), len(values), features="pixels", level=level, **facts)


def squared_error(x, y):
    """Mean squared difference of each pair, `(pairs,)`."""
    return np.square(x - y).mean(axis=(1, 2, 3))


def similarity(x, y):
    """SSIM and its contrast and structure factor, which leaves out the means. Both are averaged over the windows.

    Args:
        x, y: Float64 images `(pairs, height, width, channels)` in [0, 255].

    Returns:
        Two arrays `(pairs, channels)`.
    """
    if min(x.shape[1:3]) < len(WINDOW):
        raise ValueError(
            f"The window of SSIM has {len(WINDOW)} x {len(WINDOW)} pixels; images must be as large. Received: "
            f"{x.shape[1]} x {x.shape[2]}"
        )
    mean_x, mean_y = windowed(x), windowed(y)
    product, squares = mean_x * mean_y, mean_x**2 + mean_y**2
    structure = (2 * (windowed(x * y) - product) + C2) / (windowed(x**2 + y**2) - squares + C2)
    ssim = (2 * product + C1) / (squares + C1) * structure
    return ssim.mean(axis=(1, 2)), structure.mean(axis=(1, 2))


def windowed(images):
    """Weighted mean of the images in each window that fits into them."""
    for axis in (1, 2):
        images = scipy.ndimage.correlate1d(images, WINDOW, axis)
    return images[:, RADIUS:-RADIUS, RADIUS:-RADIUS]
