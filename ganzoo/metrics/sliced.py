"""Sliced Wasserstein distance of features, and of images by the levels of their Laplacian pyramids."""

import functools

import numpy as np
import scipy.ndimage

from ganzoo import checks
from ganzoo.metrics import intervals
from ganzoo.metrics.metric import Metric, check_chunk_size, check_features, chunks
from ganzoo.metrics.pixels import Pixels, check_images, shuffled
from ganzoo.metrics.score import Score
from ganzoo.metrics.seeds import numbers_of
from ganzoo.progress import track

# Influences and bias are averaged over at most this many directions. They need fewer than the distance.
DIRECTIONS_OF_INTERVAL = 32

# The bias is averaged over this many random splits of the samples into halves.
SPLITS = 4

# More projections take minutes and change nothing.
MOST_PROJECTIONS = 100_000

# From Karras et al.: the side of a descriptor, and the weights of the pyramid's filter.
PATCH = 7
BINOMIAL = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16


def sliced_wasserstein(real, fake, p=1, projections=512, level=0.95, seed=0, chunk_size=1024):
    """Wasserstein distance of the features along a direction, averaged over random directions.

        SW_p = (E_u [ integral over t from 0 to 1 of |F_u(t) - G_u(t)|^p ])^(1/p),    |u| = 1

    F_u and G_u are the quantile functions of u.x for real and generated samples, which are the sorted projections on u.
    The metric needs no network, and sees the whole distribution, not only its first two moments. In many dimensions it
    sees less, because along a random direction nearly everything is a Gaussian. It is biased upwards, so compare only
    scores of equal numbers of samples.

    The interval also covers the choice of directions. Its lower limit assumes that the bias falls as 1/sqrt(N), as
    between equal distributions. Its upper limit assumes 1/N, as between distant distributions.

    Reference: [Bonneel et al., 2015](https://doi.org/10.1007/s10851-014-0506-3), for p = 2.
    [Karras et al., 2018](https://arxiv.org/abs/1710.10196), Section 5, uses p = 1.

    Args:
        real, fake: Arrays `(samples, dimensions)`. Their numbers of samples may differ.
        p: Integer, 1 or 2. Defaults to `1`.
        projections: Integer, number of random directions. Defaults to `512`.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, for the directions and the bootstrap. Defaults to `0`.
        chunk_size: Integer, number of samples in float64 at a time. Defaults to `1024`.

    Returns:
        A `Score`.

    Raises:
        ValueError: With fewer than two samples, or if `p` is neither 1 nor 2.

    Example:

    >>> print(ganzoo.metrics.sliced_wasserstein(points, gan.generate(10_000), p=2))
    """
    real, fake = check_features(real, fake)
    p, projections = check_settings(len(real), len(fake), p, projections=projections)
    chunk_size = check_chunk_size(chunk_size)
    rng = numbers_of(seed)
    directions = random_directions(rng, projections, real.shape[1])
    slices = along_directions(real, fake, directions, [halves(len(x), rng) for x in (real, fake)], p, chunk_size)
    value, interval = distance(*slices, p, level, seed)
    return Score(
        "sliced_wasserstein",
        value,
        interval,
        len(real),
        len(fake),
        level=level,
        lower_is_better=True,
        settings={"p": p, "projections": projections},
    )


class SlicedWasserstein(Metric):
    """Streaming `sliced_wasserstein`.

    Args:
        features, level, seed, chunk_size: As in `Metric`.
        p, projections: As in `sliced_wasserstein`.

    Example:

    >>> metric = ganzoo.metrics.SlicedWasserstein(projections=128)
    >>> metric.update_state(real=points, fake=gan.generate(10_000))
    >>> print(metric.result())
    """

    def __init__(self, features=None, p=1, projections=512, level=0.95, seed=0, chunk_size=1024):
        super().__init__(features, level, seed, chunk_size)
        self.p, self.projections = check_settings(2, 2, p, projections=projections)

    def compute(self, real, fake):
        return sliced_wasserstein(real, fake, self.p, self.projections, self.level, self.seed, self.chunk_size)


def pyramid_sliced_wasserstein(real, fake, projections=512, descriptors=128, level=0.95, seed=0, chunk_size=256):
    """Sliced Wasserstein distance (p = 1) of small patches of images, for each level of their Laplacian pyramids.

    Each level of the pyramid holds structures of a certain size, from the finest in the first level to the rough shapes
    in the last. Patches of 7 x 7 pixels are taken at random places from each image and level. Real and generated
    patches are normalised separately to mean 0 and standard deviation 1 in every channel, and compared by
    `sliced_wasserstein`. `details["levels"]` has the distance of each level, from fine to rough, and the value is their
    mean.

    The metric distinguishes wrong textures from wrong shapes without any network. It is blind to where in the image a
    patch lies and to which patches appear together. Because of the normalisation, it is also blind to brightness and
    contrast of the whole set. It is biased upwards, so compare only scores of equal numbers of samples. The interval is
    computed as in `sliced_wasserstein`, with the normalisation taken as given.

    Reference: [Karras et al., 2018](https://arxiv.org/abs/1710.10196), Section 5: 16,384 images, levels down to 16 x 16
    pixels. Its tables show 1,000 times this distance.

    Departures from the paper: images are halved down to a side of 14 instead of 16, to suit 28 x 28 pixels. All levels
    share the same directions.

    Args:
        real, fake: Images `(samples, height, width, channels)`, uint8 or floats in [-1, 1].
        projections: Integer, number of random directions. Defaults to `512`.
        descriptors: Integer, number of patches from each image and level. The patches of a level are in memory as
            float32. Defaults to `128`. 2,000 images of 28 x 28 take about 20 s on a core, with 128 projections and 32
            descriptors 2 s.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, for the directions, the places and the bootstrap. Defaults to `0`.
        chunk_size: Integer, number of images in float64 at a time. Defaults to `256`.

    Returns:
        A `Score`.

    Raises:
        ValueError: With fewer than two images, or if a side has fewer than 7 pixels.

    Example:

    >>> score = ganzoo.metrics.pyramid_sliced_wasserstein(images, gan.generate(2000), projections=128, descriptors=32)
    >>> print(score.details["levels"])
    """
    real, fake = check_images(real, fake)
    _, projections, descriptors = check_settings(
        len(real), len(fake), 1, projections=projections, descriptors=descriptors
    )
    seed, chunk_size = checks.seed("seed", seed), check_chunk_size(chunk_size)
    sizes = level_sizes(real.shape[1:3])
    last = len(sizes) - 1
    rng = numbers_of(seed)
    directions = random_directions(rng, projections, PATCH * PATCH * real.shape[3])
    real, fake = (images[shuffled(images, numbers_of(seed))] for images in (real, fake))
    splits = [halves(len(images), rng) for images in (real, fake)]
    # All patches of an image are in the same half, because they are not independent.
    split_patches = [np.repeat(split, descriptors, axis=1) for split in splits]
    values, influences, surplus = [], [], []
    for index in range(len(sizes)):
        patches = [patches_of_level(x, index, last, descriptors, seed, chunk_size) for x in (real, fake)]
        costs, of_patches, more = along_directions(*patches, directions, split_patches, 1, chunk_size * descriptors)
        values.append(costs)
        influences.append([x.reshape(-1, descriptors).mean(axis=1) for x in of_patches])
        surplus.append(more)
    mean_influences = [np.mean(kind, axis=0) for kind in zip(*influences)]
    value, interval = distance(np.mean(values, axis=0), mean_influences, np.mean(surplus), 1, level, seed)
    return Score(
        "pyramid_sliced_wasserstein",
        value,
        interval,
        len(real),
        len(fake),
        features="pixels",
        level=level,
        lower_is_better=True,
        settings={"projections": projections, "descriptors": descriptors, "levels": len(sizes)},
        details={"levels": [float(np.mean(costs)) for costs in values], "sizes": [list(size) for size in sizes]},
    )


class PyramidSlicedWasserstein(Metric):
    """Streaming `pyramid_sliced_wasserstein` of images, uint8 or floats in [-1, 1].

    Args:
        projections, descriptors, level, seed, chunk_size: As in `pyramid_sliced_wasserstein`.
    """

    def __init__(self, projections=512, descriptors=128, level=0.95, seed=0, chunk_size=256):
        super().__init__(Pixels(), level, seed, chunk_size)
        _, self.projections, self.descriptors = check_settings(
            2, 2, 1, projections=projections, descriptors=descriptors
        )

    def compute(self, real, fake):
        return pyramid_sliced_wasserstein(
            real, fake, self.projections, self.descriptors, self.level, self.seed, self.chunk_size
        )


def check_settings(num_real, num_fake, p, **counts):
    """Returns p and the counts as Python integers, or raises a `ValueError` if the settings are invalid."""
    for kind, count in (("real", num_real), ("fake", num_fake)):
        if count < 2:
            raise ValueError(f"An interval needs at least 2 samples. Received: {count} {kind}")
    return checks.choice("p", p, (1, 2)), *(
        checks.integer(name, count, least=1, most=MOST_PROJECTIONS) for name, count in counts.items()
    )


def random_directions(rng, count, dimensions):
    """Unit vectors `(count, dimensions)`, uniform on the sphere."""
    directions = rng.normal(size=(count, dimensions))
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def halves(count, rng):
    """Boolean array `(2 * SPLITS, count)`. Pairs of rows mark a random half of the samples and the other half."""
    first = [rng.permutation(count) < count // 2 for _ in range(SPLITS)]
    return np.array([half for mask in first for half in (mask, ~mask)])


def along_directions(real, fake, directions, splits, p, chunk_size):
    """Compares the samples along each direction.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        directions: Array `(directions, dimensions)`.
        splits: The `halves` of real and of fake.
        p: Integer, 1 or 2.
        chunk_size: Integer.

    Returns:
        `(costs, influences, surplus)`. `costs` is the distance to the power p along each direction. `influences` are
        the influences of each real and of each fake sample on the mean cost. `surplus` is how much larger the mean cost
        is for halves of the samples.
    """
    costs, surplus = [], []
    influences = [np.zeros(len(real)), np.zeros(len(fake))]
    # The matching depends only on the numbers of samples, which repeat in every direction.
    match = functools.cache(matching)
    few = min(DIRECTIONS_OF_INTERVAL, len(directions))
    for index, (x, y) in enumerate(projected(real, fake, directions, chunk_size)):
        # Enough directions for influences and bias. The rest only counts for the distance.
        if index >= few:
            costs.append(transport_cost(np.sort(x), np.sort(y), p, match))
            continue
        x_order, y_order = np.argsort(x), np.argsort(y)
        x, y = x[x_order], y[y_order]
        costs.append(transport_cost(x, y, p, match))
        influences[0][x_order] += potential(x, y, p) / few
        influences[1][y_order] += potential(y, x, p) / few
        halved = [transport_cost(x[of_x[x_order]], y[of_y[y_order]], p, match) for of_x, of_y in zip(*splits)]
        surplus.append(np.mean(halved) - costs[-1])
    return np.array(costs), influences, float(np.mean(surplus))


def distance(costs, influences, surplus, p, level, seed):
    """The distance and its interval, from the results of `along_directions`."""
    cost = costs.mean()
    low, high = intervals.from_influence(cost, [*influences, costs], level=level, seed=seed)
    # If the bias falls as 1 / sqrt(N), it is 1 / (sqrt(2) - 1) times the surplus of halves.
    low, high = low - surplus / (np.sqrt(2) - 1), high - surplus
    return cost ** (1 / p), tuple(max(limit, 0.0) ** (1 / p) for limit in (low, high))


def projected(real, fake, directions, chunk_size):
    """Yields the real and the fake samples along each direction, as two arrays."""
    # Limits the memory for projections.
    block = max(1, 1024 * chunk_size // (len(real) + len(fake)))
    starts = range(0, len(directions), block)
    for start in track(starts, len(starts), "Sliced distance, blocks of directions"):
        some = directions[start : start + block]
        lines = [np.concatenate([some @ chunk.T for chunk in chunks(x, chunk_size)], axis=1) for x in (real, fake)]
        yield from zip(*lines)


def transport_cost(x, y, p, match=None):
    """Mean of |x - y|^p when two sorted arrays are matched in order.

    Args:
        x, y: Float arrays `(n,)` and `(m,)`, sorted.
        p: Integer, 1 or 2.
        match: `matching`, or a cached version of it.
    """
    if len(x) == len(y):
        return float(np.mean(np.abs(x - y) ** p))
    overlaps, i, j = (match or matching)(len(x), len(y))
    return float(overlaps @ np.abs(x[i] - y[j]) ** p)


def matching(n, m):
    """How to match n sorted points of weight 1/n with m sorted points of weight 1/m.

    Point i takes up the part (i/n, (i + 1)/n) of the unit interval. It is matched with j to the extent that their parts
    overlap.

    Returns:
        Arrays `(overlaps, i, j)`.
    """
    # Integers up to n * m, because fractions i/n and j/m that should be equal may differ by rounding.
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    return np.diff(ends, prepend=0) / (n * m), (ends - 1) // m, (ends - 1) // n


def potential(x, y, p):
    """Derivative of `transport_cost` with respect to the weight of each x, up to a constant.

    This is Kantorovich's potential. From an x to the next, it rises by the change in distance to the y at the quantile
    between them. If the quantile lies between two y, the mean of both is used.
    """
    n, m = len(x), len(y)
    ends = np.arange(1, n) * m
    rises = [np.abs(x[1:] - y[j]) ** p - np.abs(x[:-1] - y[j]) ** p for j in ((ends - 1) // n, ends // n)]
    return np.append(0.0, np.cumsum(np.mean(rises, axis=0)))


def level_sizes(size):
    """Heights and widths of the levels of a pyramid, largest first."""
    if min(size) < PATCH:
        raise ValueError(f"Images must have {PATCH} x {PATCH} pixels or more. Received: {size[0]} x {size[1]}")
    sizes = [tuple(size)]
    while min(sizes[-1]) >= 4 * PATCH:
        sizes.append(tuple(-(-side // 2) for side in sizes[-1]))
    return sizes


def laplacian_level(images, index, last):
    """Level `index` of the Laplacian pyramid of images, float64. The last level is the rest of the images."""
    for _ in range(index):
        images = smaller(images)
    return images if index == last else images - larger(smaller(images), images.shape)


def smaller(images):
    """Blurred images at half the size."""
    return blurred(images)[:, ::2, ::2]


def larger(images, shape):
    """Images at twice the size, cut to `shape`."""
    spread = np.zeros(shape)
    spread[:, ::2, ::2] = images
    # Three of four pixels are zero, so multiply by 4 to keep the brightness.
    return 4 * blurred(spread)


def blurred(images):
    """Images blurred by a 5 x 5 binomial filter, mirrored at their edges."""
    for axis in (1, 2):
        images = scipy.ndimage.correlate1d(images, BINOMIAL, axis, mode="mirror")
    return images


def patches_of_level(images, index, last, descriptors, seed, chunk_size):
    """Patches of a level at random places, normalised in each channel. The patches of an image are consecutive.

    Args:
        images: Array `(images, height, width, channels)`.
        index, last: Integers, the level and the last level.
        descriptors: Integer, number of patches from each image.
        seed: Integer. The places are equal for real and generated images, so that identical sets have distance 0.
        chunk_size: Integer.

    Returns:
        Float32 array `(images * descriptors, 49 * channels)`.
    """
    height, width = level_sizes(images.shape[1:3])[index]
    rng = np.random.default_rng([seed, index])
    tops = rng.integers(height - PATCH + 1, size=(len(images), descriptors))
    lefts = rng.integers(width - PATCH + 1, size=(len(images), descriptors))
    channels = images.shape[3]
    patches = np.empty((len(images), descriptors, PATCH, PATCH, channels), "float32")
    for start in range(0, len(images), chunk_size):
        part = slice(start, start + chunk_size)
        level = laplacian_level(images[part].astype("float64"), index, last)
        windows = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), axis=(1, 2))
        chosen = windows[np.arange(len(level))[:, None], tops[part], lefts[part]]
        patches[part] = np.moveaxis(chosen, 2, -1)
    patches = patches.reshape(-1, PATCH * PATCH, channels)
    for channel in range(channels):
        values = patches[..., channel]
        mean = np.mean(values, dtype="float64")
        std = np.std(values, dtype="float64")
        values -= mean
        values /= std if std > 0 else 1.0
    return patches.reshape(len(patches), -1)
