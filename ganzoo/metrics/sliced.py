"""Sliced Wasserstein distance: of features, and of images by the levels of their Laplacian pyramids."""

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

# Influences and bias are averaged over this many directions at most: they need fewer than the distance.
DIRECTIONS_OF_INTERVAL = 32

# The bias is averaged over this many random halvings of the samples.
SPLITS = 4

# More take minutes, and change nothing.
MOST_PROJECTIONS = 100_000

# Of Karras et al.: the side of a descriptor, and the weights of the pyramid's filter.
PATCH = 7
BINOMIAL = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16


def sliced_wasserstein(real, fake, p=1, projections=512, level=0.95, seed=0, chunk_size=1024):
    """Wasserstein distance of the features along a direction, over random directions.

        SW_p = (E_u [ integral over t from 0 to 1 of |F_u(t) - G_u(t)|^p ])^(1/p),    |u| = 1

    F_u and G_u are the quantile functions of u.x for real and generated samples: their projections on u, sorted. It
    needs no network, and sees all of a distribution, not its first two moments only. In many dimensions it sees less:
    along a random direction nearly everything is a Gaussian. It is biased upwards: compare scores of equal numbers of
    samples only.

    The interval covers the choice of directions, too. Its lower limit supposes that the bias falls as 1/sqrt(N), as
    between equal distributions, its upper limit that it falls as 1/N, as between distant ones.

    Reference: [Bonneel et al., 2015](https://doi.org/10.1007/s10851-014-0506-3), for p = 2;
    [Karras et al., 2018](https://arxiv.org/abs/1710.10196), Section 5, has p = 1.

    Args:
        real, fake: Arrays `(samples, dimensions)`. Their numbers of samples may differ.
        p: Integer, 1 or 2. Defaults to `1`.
        projections: Integer, random directions. Defaults to `512`.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, of the directions and of the bootstrap. Defaults to `0`.
        chunk_size: Integer, samples that are in float64 at once. Defaults to `1024`.

    Returns:
        A `Score`.

    Raises:
        ValueError: With fewer than two samples, or a `p` that is neither 1 nor 2.

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
    """Sliced Wasserstein distance (p = 1) of small patches of images, by level of their Laplacian pyramids.

    Each level of the pyramid holds structure of one size: the first the finest, the last the rough shapes. From each
    image and level, patches of 7 x 7 pixels are taken at random places; real and generated ones are each brought to
    mean 0 and standard deviation 1 in every channel, and compared by `sliced_wasserstein`. `details["levels"]` has the
    distance of each level, from fine to rough, and the value is their mean. It tells wrong textures from wrong shapes
    without any network. It is blind to where in the image a patch lies, to which patches appear together, and, because
    of the normalisation, to brightness and contrast of the whole set. It is biased upwards: compare scores of equal
    numbers of samples only. The interval is that of `sliced_wasserstein`, with the normalisation taken as given.

    Reference: [Karras et al., 2018](https://arxiv.org/abs/1710.10196), Section 5: 16,384 images, levels down to 16 x 16
    pixels. Its tables show 1,000 times this distance.

    Departures from the paper: images are halved down to a side of 14 instead of 16, for those of 28 x 28 pixels. One
    set of directions serves all levels.

    Args:
        real, fake: Images `(samples, height, width, channels)`, uint8 or floats in [-1, 1].
        projections: Integer, random directions. Defaults to `512`.
        descriptors: Integer, patches from each image and level, of which one level is in memory as float32. Defaults to
            `128`. 2,000 images of 28 x 28 take about 20 s on a core, with 128 projections and 32 descriptors 2 s.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, of the directions, the places and the bootstrap. Defaults to `0`.
        chunk_size: Integer, images that are in float64 at once. Defaults to `256`.

    Returns:
        A `Score`.

    Raises:
        ValueError: With fewer than two images, or with a side of fewer than 7 pixels.

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
    """Streaming `pyramid_sliced_wasserstein`. Takes images, uint8 or floats in [-1, 1].

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
    """Returns p and the counts as Python integers, or raises `ValueError` for a distance that cannot be computed."""
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
    """Boolean array `(2 * SPLITS, count)`: one row is true for a random half of the samples, the next for the rest."""
    first = [rng.permutation(count) < count // 2 for _ in range(SPLITS)]
    return np.array([half for mask in first for half in (mask, ~mask)])


def along_directions(real, fake, directions, splits, p, chunk_size):
    """What the samples look like along each direction.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        directions: Array `(directions, dimensions)`.
        splits: Of real and fake each, the `halves`.
        p: Integer, 1 or 2.
        chunk_size: Integer.

    Returns:
        Triple: the distance to the power p along each direction; the influence on their mean of each real and of each
        fake sample; by how much that mean is larger for halves of the samples.
    """
    costs, surplus = [], []
    influences = [np.zeros(len(real)), np.zeros(len(fake))]
    match = functools.cache(matching)
    few = min(DIRECTIONS_OF_INTERVAL, len(directions))
    for index, (x, y) in enumerate(projected(real, fake, directions, chunk_size)):
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
    """The distance and its interval from what `along_directions` found."""
    cost = costs.mean()
    low, high = intervals.from_influence(cost, [*influences, costs], level=level, seed=seed)
    low, high = low - surplus / (np.sqrt(2) - 1), high - surplus
    return cost ** (1 / p), tuple(max(limit, 0.0) ** (1 / p) for limit in (low, high))


def projected(real, fake, directions, chunk_size):
    """Yields the real and the fake samples along each direction, as two arrays."""
    block = max(1, 1024 * chunk_size // (len(real) + len(fake)))
    starts = range(0, len(directions), block)
    for start in track(starts, len(starts), "Sliced distance, blocks of directions"):
        some = directions[start : start + block]
        lines = [np.concatenate([some @ chunk.T for chunk in chunks(x, chunk_size)], axis=1) for x in (real, fake)]
        yield from zip(*lines)


def transport_cost(x, y, p, match=None):
    """Mean of |x - y|^p when two sorted arrays are matched in their order.

    Args:
        x, y: Float arrays `(n,)` and `(m,)`, sorted.
        p: Integer, 1 or 2.
        match: `matching`, or a copy of it that remembers.
    """
    if len(x) == len(y):
        return float(np.mean(np.abs(x - y) ** p))
    overlaps, i, j = (match or matching)(len(x), len(y))
    return float(overlaps @ np.abs(x[i] - y[j]) ** p)


def matching(n, m):
    """How n sorted points of weight 1/n are matched with m of weight 1/m.

    Point i takes up the part (i/n, (i + 1)/n) of the unit interval, and is matched with j to the extent that their
    parts overlap.

    Returns:
        Triple of arrays: overlaps, i, j.
    """
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    return np.diff(ends, prepend=0) / (n * m), (ends - 1) // m, (ends - 1) // n


def potential(x, y, p):
    """Derivative of `transport_cost` with respect to the weight of each x, up to a constant.

    This is Kantorovich's potential: from one x to the next it rises as the distance from the y between their quantiles
    does. Where that quantile lies between two y, their mean is taken.
    """
    n, m = len(x), len(y)
    ends = np.arange(1, n) * m
    rises = [np.abs(x[1:] - y[j]) ** p - np.abs(x[:-1] - y[j]) ** p for j in ((ends - 1) // n, ends // n)]
    return np.append(0.0, np.cumsum(np.mean(rises, axis=0)))


def level_sizes(size):
    """Heights and widths of the levels of a pyramid, the largest first."""
    if min(size) < PATCH:
        raise ValueError(f"Images must have {PATCH} x {PATCH} pixels or more. Received: {size[0]} x {size[1]}")
    sizes = [tuple(size)]
    while min(sizes[-1]) >= 4 * PATCH:
        sizes.append(tuple(-(-side // 2) for side in sizes[-1]))
    return sizes


def laplacian_level(images, index, last):
    """Level `index` of the Laplacian pyramid of images, float64; the last one is what is left of the images."""
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
    return 4 * blurred(spread)


def blurred(images):
    """Images under the binomial filter of 5 x 5 weights, mirrored at their edges."""
    for axis in (1, 2):
        images = scipy.ndimage.correlate1d(images, BINOMIAL, axis, mode="mirror")
    return images


def patches_of_level(images, index, last, descriptors, seed, chunk_size):
    """Patches of one level at random places, those of an image one after the other, normalised in each channel.

    Args:
        images: Array `(images, height, width, channels)`.
        index, last: Integers, the level and the last one.
        descriptors: Integer, patches from each image.
        seed: Integer. The places are equal for real and generated images: identical sets have the distance 0.
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
