"""Metrics of nearest neighbours: precision and recall, density and coverage, and memorization.

The first four take balls around samples of one kind, each as far as the k-th nearest neighbour of that kind, for the
region where that kind lies, and ask which samples of the other kind lie in them.
"""

import warnings

import numpy as np
import scipy.stats
from scipy.spatial.distance import cdist

from ganzoo.metrics import intervals
from ganzoo.metrics.metric import Metric, check_chunk_size, check_features, chunks
from ganzoo.metrics.score import Score

# An interval comes from so many divisions of the samples into so many groups, and has the quantile of Student's t of so
# many degrees of freedom: the variances that were found so spread like those of 10.
DIVISIONS, GROUPS, FREEDOM = 4, 4, 10


# === Metrics ===


def precision(real, fake, k=3, level=0.95, seed=0, chunk_size=1024):
    """Share of generated samples that look real: that lie in the ball of a real sample.

        precision = mean over y of [exists x: ||y - x|| <= ||x - NN_k(x)||],    y generated, x real

    It measures the quality of the samples and is blind to their diversity: copies of one good sample have precision 1.
    A real outlier has a wide ball and takes in much that is not real; `density` is moved less by it. Perfect samples
    need not reach 1, and the value depends on k and on the numbers of samples: compare scores of equal numbers only.

    Reference: [Kynkäänniemi et al., 2019](https://arxiv.org/abs/1904.06991), Equations 1 and 2.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        k: Integer, the neighbour that a ball reaches. Defaults to `3`.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, of the groups of samples that the interval comes from. Defaults to `0`.
        chunk_size: Integer, the edge of the largest block of distances. Defaults to `1024`.

    Returns:
        A `Score`. Its interval is for the expected score of as many samples. There is none with fewer than `20 (k + 1)`
        samples of either kind.

    Raises:
        ValueError: With fewer than `k + 1` real samples, or no generated ones.
    """
    return mean_of_terms("precision", precision_terms, real, fake, k, level, seed, chunk_size)


def recall(real, fake, k=3, level=0.95, seed=0, chunk_size=1024):
    """Share of real samples that the generator can make: that lie in the ball of a generated sample.

        recall = mean over x of [exists y: ||x - y|| <= ||y - NN_k(y)||],    y generated, x real

    Precision with the kinds exchanged. It measures the diversity of the samples and is nearly blind to their quality:
    scattered bad samples have wide balls and a high recall, a fault that `coverage` does not have. Compare scores of
    equal numbers of samples only.

    Reference: [Kynkäänniemi et al., 2019](https://arxiv.org/abs/1904.06991), Equations 1 and 2.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        k: Integer, the neighbour that a ball reaches. Defaults to `3`.
        level, seed, chunk_size: As for `precision`.

    Returns:
        A `Score`, with an interval as that of `precision`.

    Raises:
        ValueError: With fewer than `k + 1` generated samples, or no real ones.
    """
    return mean_of_terms("recall", recall_terms, real, fake, k, level, seed, chunk_size)


def density(real, fake, k=5, level=0.95, seed=0, chunk_size=1024):
    """How many balls of real samples a generated sample lies in, on average, over k.

        density = 1 / k mean over y of |{x: ||y - x|| < ||x - NN_k(x)||}|,    y generated, x real

    Samples of a continuous real distribution have 1 on average, for any k and numbers of samples; where real samples
    come several times, their balls are empty, and it is less. Bad samples have less. More than 1 means that they keep
    to where real samples are dense, which is no merit. It is blind to missing modes.

    Reference: [Naeem et al., 2020](https://arxiv.org/abs/2002.09797), Section 3.2. The balls are open, as in the
    authors' code.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        k: Integer, the neighbour that a ball reaches. Defaults to `5`.
        level, seed, chunk_size: As for `precision`.

    Returns:
        A `Score`, with an interval as that of `precision`.

    Raises:
        ValueError: With fewer than `k + 1` real samples, or no generated ones.
    """
    return mean_of_terms("density", density_terms, real, fake, k, level, seed, chunk_size)


def coverage(real, fake, k=5, level=0.95, seed=0, chunk_size=1024):
    """Share of real samples that have a generated sample in their ball.

        coverage = mean over x of [exists y: ||y - x|| < ||x - NN_k(x)||],    y generated, x real

    It measures the diversity of the samples, and counts only those that are good. Samples of a continuous real
    distribution have about 1 - 2^-k if both kinds are many and equally many. It is blind to bad samples beside enough
    good ones. Compare scores of equal numbers of samples only.

    Reference: [Naeem et al., 2020](https://arxiv.org/abs/2002.09797), Section 3.2. The balls are open, as in the
    authors' code.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        k: Integer, the neighbour that a ball reaches. Defaults to `5`.
        level, seed, chunk_size: As for `precision`.

    Returns:
        A `Score`, with an interval as that of `precision`.

    Raises:
        ValueError: With fewer than `k + 1` real samples, or no generated ones.
    """
    return mean_of_terms("coverage", coverage_terms, real, fake, k, level, seed, chunk_size)


def memorization(real, fake, held_out, pairs=16, level=0.95, seed=0, chunk_size=1024):
    """Share of generated samples whose nearest neighbour is a training rather than a held-out sample.

        share = 1 - O / 2E,    E = generated samples * held-out samples / (held-out + training samples)

    O is how many generated samples have a held-out sample for the nearest of both kinds, and E how many would if the
    generator did not tell the kinds apart. Samples at equal distances count half. With equally many training and
    held-out samples it is the plain share. Whatever their numbers, it is 0.5 for a generator that does not memorize, 1
    for one that only copies, and (1 + c) / 2 for one that copies in a share c of its samples. It is blind to quality
    and diversity.

    Training and held-out samples must come from one distribution, and the generator must have been trained on all of
    the former and none of the latter.

    Reference: none; [Meehan et al., 2020](https://arxiv.org/abs/2004.05675) test the same suspicion with the same three
    sets of samples.

    Args:
        real: Array `(samples, dimensions)`, the training set.
        fake: Array `(samples, dimensions)`.
        held_out: Array `(samples, dimensions)`, real samples that were not trained on.
        pairs: Integer, how many pairs of a generated and a training sample are put in the details. Defaults to `16`.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, of the bootstrap. Defaults to `0`.
        chunk_size: Integer, the edge of the largest block of distances. Defaults to `1024`.

    Returns:
        A `Score`. In its details: `distance_ratio`, the median over the generated samples of the distance to the
        nearest training sample over that to the nearest held-out sample, scaled by the numbers of samples and the
        intrinsic dimension so that it is 1 without memorization. And `pairs`, a dictionary of lists, one entry for each
        pair, those with the smallest ratio first: `fake` and `real`, the indices of the samples, `distance`, and
        `held_out_distance`, to the nearest held-out sample.

    Raises:
        ValueError: With fewer than two samples of any kind.
    """
    real, fake = check_features(real, fake)
    held_out = check_held_out(held_out, real)
    if not (isinstance(pairs, int) and pairs >= 0):
        raise ValueError(f"`pairs` must be an integer of at least 0. Received: pairs={pairs!r}")
    for kind, features in (("real", real), ("fake", fake), ("held-out", held_out)):
        if len(features) < 2:
            raise ValueError(f"Memorization needs at least 2 samples of each kind. Received: {len(features)} {kind}")
    to_real, places = (found[:, 0] for found in nearest(fake, real, 1, chunk_size))
    to_held_out, other_places = nearest(fake, held_out, 2, chunk_size)
    intrinsic = inverse_dimension(to_held_out)
    to_held_out, other_places = to_held_out[:, 0], other_places[:, 0]
    is_nearer = np.where(to_real == to_held_out, 0.5, to_real < to_held_out)

    # Generated samples with the same neighbour move together when it moves. The independent values are the shares of
    # the generated samples that each training and each held-out sample attracts.
    attracted = np.bincount(places, is_nearer, len(real)) / len(fake)
    others = np.bincount(other_places, 1 - is_nearer, len(held_out)) / len(fake)
    expected = len(held_out) / (len(held_out) + len(real))
    value = 1 - others.sum() / (2 * expected)
    influences = influences_on_share(attracted, others, expected)
    least = 1 - 1 / (2 * expected)
    interval = intervals.from_influence(value, influences, 0.0, level, seed, bounds=(least, 1.0))
    if not (others.any() and attracted.any()):  # Where all agree nothing varies: Wilson's limit of a share.
        room = intervals.of_share(np.zeros(len(fake)), level)[1] / (2 * expected)
        interval = (least, least + room) if others.any() else (1 - room, 1.0)

    tiny = np.finfo("float64").tiny
    ratios = np.where(to_real == to_held_out, 1.0, np.sqrt(to_real) / np.sqrt(np.maximum(to_held_out, tiny)))
    first = np.lexsort((np.arange(len(fake)), to_real, ratios))[:pairs]
    return Score(
        "memorization",
        value,
        interval,
        len(real),
        len(fake),
        level=level,
        lower_is_better=True,
        settings={"held_out": len(held_out)},
        details={
            "distance_ratio": float(np.median(ratios) * (len(real) / len(held_out)) ** intrinsic),
            "pairs": {
                "fake": first.tolist(),
                "real": places[first].tolist(),
                "distance": np.sqrt(to_real[first]).tolist(),
                "held_out_distance": np.sqrt(to_held_out[first]).tolist(),
            },
        },
    )


class _OfBalls(Metric):
    """A metric of balls that reach the k-th neighbour."""

    function = None
    k = None

    def __init__(self, features=None, k=None, level=0.95, seed=0, chunk_size=1024):
        super().__init__(features, level, seed, chunk_size)
        if k is not None:
            self.k = k
        check_k(self.k)

    def compute(self, real, fake):
        return type(self).function(real, fake, self.k, self.level, self.seed, self.chunk_size)


class Precision(_OfBalls):
    """Streaming `precision`.

    Args:
        features, level, seed, chunk_size: As for `Metric`.
        k: Integer. Defaults to `3`.

    Example:

    >>> metric = ganzoo.metrics.Precision(features=ganzoo.metrics.features.DigitsClassifier())
    >>> metric.update_state(real=images, fake=gan.generate(10_000))
    >>> print(metric.result())
    """

    function = precision
    k = 3


class Recall(_OfBalls):
    """Streaming `recall`.

    Args:
        features, level, seed, chunk_size: As for `Metric`.
        k: Integer. Defaults to `3`.

    Example:

    >>> metric = ganzoo.metrics.Recall(features=ganzoo.metrics.features.DigitsClassifier())
    """

    function = recall
    k = 3


class Density(_OfBalls):
    """Streaming `density`.

    Args:
        features, level, seed, chunk_size: As for `Metric`.
        k: Integer. Defaults to `5`.

    Example:

    >>> metric = ganzoo.metrics.Density(features=ganzoo.metrics.features.DigitsClassifier())
    """

    function = density
    k = 5


class Coverage(_OfBalls):
    """Streaming `coverage`.

    Args:
        features, level, seed, chunk_size: As for `Metric`.
        k: Integer. Defaults to `5`.

    Example:

    >>> metric = ganzoo.metrics.Coverage(features=ganzoo.metrics.features.DigitsClassifier())
    """

    function = coverage
    k = 5


class Memorization(Metric):
    """Streaming `memorization`; the real samples are the training set.

    Args:
        features, level, seed, chunk_size: As for `Metric`.
        held_out: Samples that were not trained on, as `update_state` takes them, all at once.
        pairs: Integer, as for `memorization`. Defaults to `16`.

    Example:

    >>> metric = ganzoo.metrics.Memorization(held_out=test_images)
    >>> metric.update_state(real=training_images, fake=samples)
    >>> score = metric.result()
    >>> pairs = score.details["pairs"]
    >>> suspects = np.stack([samples[pairs["fake"]], training_images[pairs["real"]]], axis=1)
    """

    def __init__(self, features=None, *, held_out, pairs=16, level=0.95, seed=0, chunk_size=1024):
        super().__init__(features, level, seed, chunk_size)
        self.held_out = self.features(held_out)
        self.pairs = pairs

    def compute(self, real, fake):
        return memorization(real, fake, self.held_out, self.pairs, self.level, self.seed, self.chunk_size)


# === The terms whose mean is a metric ===


def precision_terms(real, fake, k, chunk_size):
    """Whether each generated sample lies in a ball of a real one."""
    return balls_around(fake, real, k, True, chunk_size) > 0


def recall_terms(real, fake, k, chunk_size):
    """Whether each real sample lies in a ball of a generated one."""
    return precision_terms(fake, real, k, chunk_size)


def density_terms(real, fake, k, chunk_size):
    """How many balls of real samples each generated one lies in, over k."""
    return balls_around(fake, real, k, False, chunk_size) / k


def coverage_terms(real, fake, k, chunk_size):
    """Whether each real sample has a generated one in its ball."""
    return nearest(real, fake, 1, chunk_size)[0][:, 0] < squared_radii(real, k, chunk_size)


def mean_of_terms(name, terms_of, real, fake, k, level, seed, chunk_size):
    """The `Score` of a metric of balls."""
    real, fake = check_features(real, fake)
    check_k(k)
    intervals.check_level(level)
    check_chunk_size(chunk_size)
    centres, others = (fake, real) if name == "recall" else (real, fake)
    kinds = ("fake", "real") if name == "recall" else ("real", "fake")
    for features, kind, least in ((centres, kinds[0], k + 1), (others, kinds[1], 1)):
        if len(features) < least:
            raise ValueError(f"The {name} with k={k} needs at least {least} {kind} samples. Received: {len(features)}")
    if name in ("density", "coverage"):
        warn_of_copies(centres, k)
    terms = terms_of(real, fake, k, chunk_size)
    bounds = (0.0, np.inf if name == "density" else 1.0)
    return Score(
        name,
        terms.mean(),
        interval_of_groups(terms_of, terms, real, fake, k, level, seed, chunk_size, bounds),
        len(real),
        len(fake),
        level=level,
        lower_is_better=None if name == "density" else False,
        settings={"k": k},
    )


def interval_of_groups(terms_of, terms, real, fake, k, level, seed, chunk_size, bounds):
    """Interval from the spread of a metric over disjoint groups of the samples.

    Its terms are not independent: a ball holds several samples, and reaches as far as others allow. The bootstrap
    fails, for it makes copies, which are neighbours at distance 0; leaving out one sample at a time gives far too large
    an error. But the variance of what depends on near neighbours only goes as 1 / N, so that groups of N / 4 samples
    of each kind show that of N; smaller ones, whose balls are wider, show too small a one where the kinds differ. It is
    never less than that of the terms with the balls given.

    Reference: [Abadie & Imbens, 2008](https://doi.org/10.3982/ECTA6474), on the bootstrap of nearest neighbours.

    Returns:
        `(low, high)`, or `None` with too few samples for groups of `5 (k + 1)`.
    """
    if min(len(real), len(fake)) < GROUPS * 5 * (k + 1):
        return None
    rng = np.random.default_rng(seed)

    def variance():
        parts = zip(*(np.array_split(rng.permutation(len(features)), GROUPS) for features in (real, fake)))
        return np.var([terms_of(real[r], fake[f], k, chunk_size).mean() for r, f in parts], ddof=1) / GROUPS

    error = np.sqrt(max(np.mean([variance() for _ in range(DIVISIONS)]), np.var(terms) / len(terms)))
    half_width = scipy.stats.t.ppf((1 + level) / 2, FREEDOM) * error
    return tuple(np.clip([terms.mean() - half_width, terms.mean() + half_width], *bounds))


def warn_of_copies(centres, k):
    """Warns of open balls that are empty, since the k-th neighbour of their centre is its copy."""
    _, counts = np.unique(hashes_of(centres), return_counts=True)
    empty = counts[counts > k].sum()
    if empty:
        warnings.warn(
            f"{empty:,} of {len(centres):,} real samples stand there more than {k} times (k): their balls are empty, "
            "and the score is too small by about that share. Remove the copies, or raise k.",
            stacklevel=4,
        )


def influences_on_share(attracted, others, expected):
    """Derivative of `1 - others / (others + attracted) / (2 expected)` with respect to each sample's weight.

    Args:
        attracted, others: Arrays, the share of the generated samples that each training or held-out sample attracts.
        expected: Float, the share that all held-out samples are expected to attract.
    """
    return [
        len(attracted) * others.sum() / (2 * expected) * attracted,
        -len(others) * attracted.sum() / (2 * expected) * others,
    ]


def inverse_dimension(squares):
    """1 / dimension of the region where samples lie, from the squared distances to their two nearest neighbours.

    The volume up to the second neighbour over that up to the first has a logarithm of 1 on average.

    Reference: [Facco et al., 2017](https://doi.org/10.1038/s41598-017-11873-y).
    """
    squares = squares[squares[:, 0] > 0]
    return np.mean(np.log(squares[:, 1] / squares[:, 0])) / 2 if len(squares) else 0.0


def check_k(k):
    """Raises `ValueError` for a number of neighbours that is none."""
    if not (isinstance(k, int) and k >= 1):
        raise ValueError(f"`k` must be a positive integer. Received: k={k!r}")


def check_held_out(held_out, real):
    """Returns the held-out samples as an array, or raises `ValueError`."""
    held_out = np.asarray(held_out)
    if held_out.ndim != 2 or held_out.shape[1] != real.shape[1]:
        raise ValueError(
            f"`held_out` must be `(samples, {real.shape[1]})` like the training set. Received: shape {held_out.shape}"
        )
    return check_features(held_out, real)[0]


def hashes_of(features):
    """A number for each row, by which copies are known."""
    return np.array([hash((row + 0).tobytes()) for row in features])  # -0.0 + 0 is 0.0.


# === Distances ===


def balls_around(points, centres, k, closed, chunk_size):
    """Integer array `(points,)`, in how many balls each point lies.

    Args:
        points, centres: Arrays `(samples, dimensions)`; a ball reaches the k-th nearest of the other centres.
        k: Integer.
        closed: Boolean, whether the surface belongs to a ball.
        chunk_size: Integer.
    """
    radii = squared_radii(centres, k, chunk_size)
    counts = []
    for chunk in chunks(points, chunk_size):
        count = np.zeros(len(chunk), "int64")
        for columns, squares, errors in squared_distances(chunk, centres, chunk_size):
            excess = squares - radii[columns]
            inside = excess < 0
            rows, places = np.nonzero(np.abs(excess) <= errors)
            exact = exact_squares(chunk, centres[columns], rows, places, chunk_size)
            radius = radii[columns][places]
            inside[rows, places] = exact <= radius if closed else exact < radius
            count += inside.sum(axis=1)
        counts.append(count)
    return np.concatenate(counts)


def squared_radii(centres, k, chunk_size):
    """Squared distance of each centre to the k-th nearest of the others."""
    return nearest(centres, None, k, chunk_size)[0][:, -1]


def nearest(queries, points, k, chunk_size, spare=3):
    """The k nearest points of each query, nearest first.

    Args:
        queries, points: Arrays `(samples, dimensions)`; `points=None`: among the other queries.
        k: Integer.
        chunk_size: Integer.
        spare: Integer, how many more are compared by exact distances, against ties that rounding made or broke. Where
            rounding may hide a nearer point even from these, all distances of that query are computed exactly.

    Returns:
        Squared distances and indices, both `(queries, k)`.
    """
    found = []
    itself = points is None
    points = queries if itself else points
    candidates = min(k + spare, len(points) - itself)
    for start, chunk in zip(range(0, len(queries), chunk_size), chunks(queries, chunk_size)):
        best = np.empty((len(chunk), 0)), np.empty((len(chunk), 0), "int64")
        largest_errors = np.zeros(len(chunk))
        for columns, squares, errors in squared_distances(chunk, points, chunk_size):
            largest_errors = np.maximum(largest_errors, errors.max(axis=1))
            if itself and columns.start == start:
                np.fill_diagonal(squares, np.inf)
            places = smallest(squares, candidates)
            joined = (np.take_along_axis(squares, places, axis=1), places + columns.start)
            best = [np.concatenate(pair, axis=1) for pair in zip(best, joined)]
            kept = smallest(best[0], candidates)
            best = [np.take_along_axis(array, kept, axis=1) for array in best]
        indices = best[1]
        rows = np.repeat(np.arange(len(chunk)), candidates)
        squares = exact_squares(chunk, points, rows, indices.ravel(), chunk_size).reshape(indices.shape)
        if candidates < len(points) - itself:
            kth = np.partition(squares, k - 1, axis=1)[:, k - 1]
            hidden = np.flatnonzero((kth > 0) & (kth > best[0].max(axis=1) - largest_errors))
            for row in hidden:
                exact = cdist(chunk[row : row + 1], points, "sqeuclidean")[0]
                if itself:
                    exact[start + row] = np.inf
                places = np.argpartition(exact, candidates - 1)[:candidates]
                indices[row] = places
                squares[row] = exact_squares(chunk, points, np.full(candidates, row), places, chunk_size)
        order = np.lexsort((indices, squares))[:, :k]
        found.append([np.take_along_axis(array, order, axis=1) for array in (squares, indices)])
    return tuple(np.concatenate(arrays) for arrays in zip(*found))


def smallest(array, count):
    """Places of the smallest values of each row, in no order."""
    if count >= array.shape[1]:
        return np.broadcast_to(np.arange(array.shape[1]), array.shape)
    return np.argpartition(array, count - 1, axis=1)[:, :count]


def squared_distances(queries, points, chunk_size):
    """Squared distances of some queries to all points, block by block, by `|x|^2 + |y|^2 - 2 x.y`.

    This is many times faster than the sum of squared differences, but rounding spoils it for samples close to each
    other: what depends on that is to be computed again by `exact_squares`.

    Args:
        queries: Array `(samples, dimensions)`, float64, a chunk.
        points: Array `(samples, dimensions)`.
        chunk_size: Integer.

    Yields:
        `(columns, squares, errors)`: the slice of the points; the block; and how far it may be off at most.
    """
    centre = queries.mean(axis=0)
    queries = queries - centre
    norms = np.einsum("ij,ij->i", queries, queries)
    tolerance = 4 * (queries.shape[1] + 4) * np.finfo("float64").eps
    for start, chunk in zip(range(0, len(points), chunk_size), chunks(points, chunk_size)):
        chunk = chunk - centre
        errors = norms[:, None] + np.einsum("ij,ij->i", chunk, chunk)
        squares = queries @ chunk.T
        squares *= -2
        squares += errors
        errors *= tolerance
        yield slice(start, start + len(chunk)), squares, errors


def exact_squares(x, y, rows, places, chunk_size):
    """Squared distances of the pairs `x[rows]`, `y[places]`: equal for equal pairs, and 0 for copies."""
    squares = np.empty(len(rows))
    for start in range(0, len(rows), chunk_size):
        part = slice(start, start + chunk_size)
        difference = x[rows[part]] - np.asarray(y[places[part]], "float64")
        squares[part] = np.einsum("ij,ij->i", difference, difference)
    return squares
