"""Shared parts of precision, recall, density and coverage: balls around samples, and which samples lie in them.

The ball around a sample reaches to its k-th nearest neighbour of the same kind. Together, the balls of a kind stand for
the region where that kind lies. Each metric asks which samples of the other kind lie in these balls.

All four metrics depend on the distances between real and generated samples. `Neighbourhoods` computes these distances
once for all metrics that are measured together. The decisions are exact, so a metric has the same value, bit for bit,
measured alone or with others.
"""

import warnings
from typing import NamedTuple

import numpy as np
import scipy.stats

from ganzoo import checks
from ganzoo.metrics import intervals
from ganzoo.metrics.distances import exact_squares, nearest, scaled, squared_distances
from ganzoo.metrics.metric import Metric, check_chunk_size, check_features, chunks
from ganzoo.metrics.score import Score
from ganzoo.metrics.seeds import numbers_of

# An interval comes from DIVISIONS random divisions of the samples into GROUPS groups. It uses the quantile of Student's
# t with FREEDOM degrees of freedom, because the variances scatter like variances with 10 degrees of freedom.
DIVISIONS, GROUPS, FREEDOM = 4, 4, 10


class Balls(NamedTuple):
    """The balls around all samples of one kind, real or fake.

    Args:
        centres: String, `"real"` or `"fake"`.
        k: Integer. A ball reaches to the k-th nearest neighbour of its centre.
        closed: Boolean, whether the surface belongs to the ball.
    """

    centres: str
    k: int
    closed: bool


class Question(NamedTuple):
    """What a metric needs to know about the samples.

    Args:
        name: String, the name of the metric.
        k: Integer.
    """

    name: str
    k: int

    @property
    def balls(self):
        """The balls that the metric looks at."""
        return Balls("fake" if self.name == "recall" else "real", self.k, self.name in ("precision", "recall"))

    def terms(self, counts):
        """The values per sample whose mean is the metric.

        Args:
            counts: Result of `count_in_balls` for these balls. For a sample of the kind of the centres, it is the
                number of other samples in the ball. For any other sample, it is the number of balls around it.
        """
        if self.name == "density":
            return counts["fake"] / self.k
        return counts["fake" if self.name == "precision" else "real"] > 0


class Neighbourhoods:
    """Answers questions about which real or generated samples lie in which balls, all in one pass.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        questions: List of `Question`. Questions that need more samples than there are get no answer.
    """

    def __init__(self, real, fake, questions):
        self._samples = real, fake
        self._questions = list(questions)
        self._terms, self._means, self._scaled = {}, {}, None

    def terms(self, question, chunk_size):
        """The values per sample whose mean is the metric."""
        if (question, chunk_size) not in self._terms:
            real, fake = self._in_one_unit()
            # Answer all questions together, because the distances take nearly all of the time.
            asked = self._asked_with(question, lambda k: (k + 1, 1))
            for one, terms in answers(real, fake, asked, chunk_size).items():
                self._terms[one, chunk_size] = terms
        return self._terms[question, chunk_size]

    def means_of_groups(self, question, seed, chunk_size):
        """The metric on disjoint groups of samples, an array `(DIVISIONS, GROUPS)`, or `None` with too few samples."""
        least = GROUPS * 5 * (question.k + 1)
        if min(map(len, self._samples)) < least:
            return None
        if (question, seed, chunk_size) not in self._means:
            asked = self._asked_with(question, lambda k: (GROUPS * 5 * (k + 1),) * 2)
            for one, means in self._of_groups(asked, seed, chunk_size).items():
                self._means[one, seed, chunk_size] = means
        return self._means[question, seed, chunk_size]

    def _of_groups(self, asked, seed, chunk_size):
        real, fake = self._in_one_unit()
        rng = numbers_of(seed)
        means = {question: np.empty((DIVISIONS, GROUPS)) for question in asked}
        for division in range(DIVISIONS):
            parts = zip(*(np.array_split(rng.permutation(len(x)), GROUPS) for x in (real, fake)))
            for group, (of_real, of_fake) in enumerate(parts):
                for question, terms in answers(real[of_real], fake[of_fake], asked, chunk_size).items():
                    means[question][division, group] = terms.mean()
        return means

    def _asked_with(self, question, least):
        """The question, and all others that have at least `least(k)` centres and other samples."""

        real, fake = map(len, self._samples)

        def has_answer(other):
            counts = (fake, real) if other.balls.centres == "fake" else (real, fake)
            return all(count >= needed for count, needed in zip(counts, least(other.k)))

        # Removes duplicates and keeps the order.
        return list(dict.fromkeys([question, *filter(has_answer, self._questions)]))

    def _in_one_unit(self):
        if self._scaled is None:
            self._scaled, _ = scaled(*self._samples)
        return self._scaled


class BallMetric(Metric):
    """Base of metrics that use balls up to the k-th neighbour. A subclass has a `name` and a default `k`."""

    name = None
    k = None

    def __init__(self, features=None, k=None, level=0.95, seed=0, chunk_size=1024):
        super().__init__(features, level, seed, chunk_size)
        self.k = checks.integer("k", type(self).k if k is None else k, least=1)

    @property
    def question(self):
        """The `Question` that this metric asks."""
        return Question(self.name, self.k)

    def score(self, real, fake, labels=None, neighbourhoods=None):
        """The `Score` of features that are already computed.

        Args:
            real, fake: Arrays `(samples, dimensions)`.
            labels: Not used.
            neighbourhoods: `Neighbourhoods` of both, shared with other metrics. Defaults to `None`, which computes them
                here.
        """
        return self.features.named(self._score(real, fake, neighbourhoods))

    def compute(self, real, fake):
        return self._score(real, fake)

    def _score(self, real, fake, neighbourhoods=None):
        settings = self.k, self.level, self.seed, self.chunk_size
        return mean_of_terms(self.name, real, fake, *settings, neighbourhoods=neighbourhoods)


def mean_of_terms(name, real, fake, k, level, seed, chunk_size, neighbourhoods=None):
    """The `Score` of a metric of balls. For the arguments see `precision` and `BallMetric.score`."""
    real, fake = check_features(real, fake, largest=np.inf)  # `Neighbourhoods` scales them.
    question = Question(name, checks.integer("k", k, least=1))
    intervals.check_level(level)
    chunk_size = check_chunk_size(chunk_size)
    check_numbers(question, real, fake)
    if name in ("density", "coverage"):
        warn_of_copies(real, question.k)
    neighbourhoods = neighbourhoods or Neighbourhoods(real, fake, [question])
    terms = neighbourhoods.terms(question, chunk_size)
    means = neighbourhoods.means_of_groups(question, checks.seed("seed", seed), chunk_size)
    bounds = (0.0, np.inf if name == "density" else 1.0)
    return Score(
        name,
        terms.mean(),
        None if means is None else interval_of_groups(terms, means, level, bounds),
        len(real),
        len(fake),
        level=level,
        lower_is_better=None if name == "density" else False,
        settings={"k": question.k},
    )


def check_numbers(question, real, fake):
    """Raises a `ValueError` if there are too few samples for a question."""
    kinds = {"real": len(real), "fake": len(fake)}
    centres = question.balls.centres
    for kind, count in kinds.items():
        least = question.k + 1 if kind == centres else 1
        if count < least:
            raise ValueError(
                f"The {question.name} with k={question.k} needs at least {least} {kind} samples. Received: {count}"
            )


def interval_of_groups(terms, means, level, bounds):
    """Confidence interval from the spread of a metric over disjoint groups of the samples.

    The values per sample are not independent. A ball holds several samples, and its radius depends on others. Two usual
    methods fail here. The bootstrap makes copies, which are neighbours at distance 0. The jackknife gives far too large
    an error.

    But the variance of a statistic of near neighbours goes as 1 / N, so groups of N / 4 samples of each kind show the
    variance for N. Smaller groups have wider balls, and show too small a variance where the kinds differ. The variance
    is never less than the variance of the values with the balls held fixed.

    Reference: [Abadie & Imbens, 2008](https://doi.org/10.3982/ECTA6474), on the bootstrap of nearest neighbours.

    Args:
        terms: Array `(samples,)`, whose mean is the metric.
        means: Array `(DIVISIONS, GROUPS)`, the metric of each group.
        level: Float.
        bounds: Smallest and largest possible value of the metric.

    Returns:
        `(low, high)`.
    """
    # A group has N / GROUPS samples, and the variance goes as 1 / N.
    variances = np.var(means, axis=1, ddof=1) / GROUPS
    # The groups may agree by chance, so the error has a floor.
    error = np.sqrt(max(np.mean(variances), np.var(terms) / len(terms)))
    half_width = scipy.stats.t.ppf((1 + level) / 2, FREEDOM) * error
    return tuple(np.clip([terms.mean() - half_width, terms.mean() + half_width], *bounds))


def warn_of_copies(centres, k):
    """Warns if open balls are empty because the k-th neighbour of the centre is a copy of it."""
    _, counts = np.unique(hashes_of(centres), return_counts=True)
    empty = counts[counts > k].sum()
    if empty:
        warnings.warn(
            f"{empty:,} of {len(centres):,} real samples stand there more than {k} times (k): their balls are empty, "
            "and the score is too small by about that share. Remove the copies, or raise k.",
            stacklevel=4,
        )


def hashes_of(features):
    """A hash of each row, to find copies."""
    # -0.0 + 0 is 0.0, so that both zeros have one hash.
    return np.array([hash((row + 0).tobytes()) for row in features])


# === Which samples lie in which balls ===


def answers(real, fake, questions, chunk_size):
    """Dictionary from each question to its values per sample, from one pass over all real-fake distances."""
    # Density and coverage with equal k share their balls.
    counts = count_in_balls(real, fake, dict.fromkeys(question.balls for question in questions), chunk_size)
    return {question: question.terms(counts[question.balls]) for question in questions}


def count_in_balls(real, fake, balls, chunk_size):
    """Counts the samples in each ball, and the balls around each sample.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        balls: Iterable of `Balls`.
        chunk_size: Integer, the edge of the largest block of distances.

    Returns:
        Dictionary from balls to `{"real": ..., "fake": ...}`, integer arrays `(samples,)`. For the kind of the centres,
        an entry is the number of samples of the other kind in the ball. For the other kind, it is the number of balls
        around the sample.
    """
    radii = radii_of(real, fake, balls, chunk_size)
    counts = {one: {"real": np.zeros(len(real), "int64"), "fake": np.zeros(len(fake), "int64")} for one in balls}
    for chunk, start in zip(chunks(fake, chunk_size, "Samples among neighbours"), range(0, len(fake), chunk_size)):
        rows = slice(start, start + len(chunk))
        for columns, squares, errors in squared_distances(chunk, real, chunk_size):
            for one in balls:
                # Real centres are the columns of the block, generated centres its rows.
                of_block = radii[one][columns][None] if one.centres == "real" else radii[one][rows][:, None]
                inside = is_inside(squares, errors, of_block, one.closed, chunk, real[columns], chunk_size)
                counts[one]["fake"][rows] += inside.sum(axis=1)
                counts[one]["real"][columns] += inside.sum(axis=0)
    return counts


def is_inside(squares, errors, radii, closed, x, y, chunk_size):
    """Decides exactly which samples lie in which balls.

    Args:
        squares: Array `(x, y)`, squared distances up to rounding.
        errors: Array `(x, y)`, bounds of the rounding errors.
        radii: Array of squared radii that broadcasts to both.
        closed: Boolean, whether the surface belongs to the ball.
        x, y: Arrays `(samples, dimensions)`.
        chunk_size: Integer.
    """
    excess = squares - radii
    inside = excess < 0
    # Where rounding could change the answer, compute the distance again exactly.
    rows, places = np.nonzero(np.abs(excess) <= errors)
    exact = exact_squares(x, y, rows, places, chunk_size)
    radius = np.broadcast_to(radii, squares.shape)[rows, places]
    inside[rows, places] = exact <= radius if closed else exact < radius
    return inside


def radii_of(real, fake, balls, chunk_size):
    """Dictionary from balls to their squared radii, the squared distances to the k-th nearest of the others."""
    radii = {}
    for kind, centres in (("real", real), ("fake", fake)):
        own = [one for one in balls if one.centres == kind]
        if own:
            squares, _ = nearest(centres, None, max(one.k for one in own), chunk_size)
            radii |= {one: squares[:, one.k - 1] for one in own}
    return radii
