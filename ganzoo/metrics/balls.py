"""What precision, recall, density and coverage have in common: balls around samples, and who lies in them.

A ball around a sample reaches as far as its k-th nearest neighbour of the same kind. The balls of one kind stand for
the region where that kind lies, and a metric asks which samples of the other kind lie in them.

All four metrics decide by the distances between real and generated samples. `Neighbourhoods` computes these distances
once for all metrics that are measured together. A decision is exact, so that a metric has the same value, bit for bit,
whether it is measured alone or with others.
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

# An interval comes from so many divisions of the samples into so many groups, and has the quantile of Student's t of so
# many degrees of freedom: the variances that were found so spread like those of 10.
DIVISIONS, GROUPS, FREEDOM = 4, 4, 10


class Balls(NamedTuple):
    """The balls around all samples of one kind.

    Args:
        centres: String, `"real"` or `"fake"`.
        k: Integer, the neighbour that a ball reaches.
        closed: Boolean, whether the surface belongs to a ball.
    """

    centres: str
    k: int
    closed: bool


class Question(NamedTuple):
    """What a metric asks of the samples.

    Args:
        name: String, the metric.
        k: Integer.
    """

    name: str
    k: int

    @property
    def balls(self):
        """The balls that it is about."""
        return Balls("fake" if self.name == "recall" else "real", self.k, self.name in ("precision", "recall"))

    def terms(self, counts):
        """The terms whose mean is the metric.

        Args:
            counts: What `count_in_balls` found: for each kind, how many balls a sample of the other kind than the
                centres lies in; and how many of these samples lie in the ball of a centre.
        """
        if self.name == "density":
            return counts["fake"] / self.k
        return counts["fake" if self.name == "precision" else "real"] > 0


class Neighbourhoods:
    """Real and generated samples, and the answers to all questions about who lies in whose balls, found together.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        questions: List of `Question`. Those that the samples are too few for stay without an answer.
    """

    def __init__(self, real, fake, questions):
        self._samples = real, fake
        self._questions = list(questions)
        self._terms, self._means, self._scaled = {}, {}, None

    def terms(self, question, chunk_size):
        """The terms of a question, whose mean is the metric."""
        if (question, chunk_size) not in self._terms:
            real, fake = self._in_one_unit()
            asked = self._asked_with(question, lambda k: (k + 1, 1))
            for one, terms in answers(real, fake, asked, chunk_size).items():
                self._terms[one, chunk_size] = terms
        return self._terms[question, chunk_size]

    def means_of_groups(self, question, seed, chunk_size):
        """The metric of disjoint groups of the samples, an array `(DIVISIONS, GROUPS)`; `None` if they are too few."""
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
        """A question and all others that the samples are enough for: `least(k)` centres and other samples."""

        real, fake = map(len, self._samples)

        def has_answer(other):
            counts = (fake, real) if other.balls.centres == "fake" else (real, fake)
            return all(count >= needed for count, needed in zip(counts, least(other.k)))

        return list(dict.fromkeys([question, *filter(has_answer, self._questions)]))

    def _in_one_unit(self):
        if self._scaled is None:
            self._scaled, _ = scaled(*self._samples)
        return self._scaled


class BallMetric(Metric):
    """A metric of balls that reach the k-th neighbour. A subclass has a `name` and a default `k`."""

    name = None
    k = None

    def __init__(self, features=None, k=None, level=0.95, seed=0, chunk_size=1024):
        super().__init__(features, level, seed, chunk_size)
        self.k = checks.integer("k", type(self).k if k is None else k, least=1)

    @property
    def question(self):
        """What it asks of the samples."""
        return Question(self.name, self.k)

    def score(self, real, fake, labels=None, neighbourhoods=None):
        """The `Score` of features that exist already.

        Args:
            real, fake: Arrays `(samples, dimensions)`.
            labels: Not used.
            neighbourhoods: `Neighbourhoods` of both, which other metrics share. Defaults to `None`: its own.
        """
        return self.features.named(self._score(real, fake, neighbourhoods))

    def compute(self, real, fake):
        return self._score(real, fake)

    def _score(self, real, fake, neighbourhoods=None):
        settings = self.k, self.level, self.seed, self.chunk_size
        return mean_of_terms(self.name, real, fake, *settings, neighbourhoods=neighbourhoods)


def mean_of_terms(name, real, fake, k, level, seed, chunk_size, neighbourhoods=None):
    """The `Score` of a metric of balls; arguments as in `precision`, and `BallMetric.score`."""
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
    """Raises `ValueError` if there are too few samples for a question."""
    kinds = {"real": len(real), "fake": len(fake)}
    centres = question.balls.centres
    for kind, count in kinds.items():
        least = question.k + 1 if kind == centres else 1
        if count < least:
            raise ValueError(
                f"The {question.name} with k={question.k} needs at least {least} {kind} samples. Received: {count}"
            )


def interval_of_groups(terms, means, level, bounds):
    """Interval from the spread of a metric over disjoint groups of the samples.

    The terms are not independent: a ball holds several samples, and reaches as far as others allow. The bootstrap
    fails, for it makes copies, which are neighbours at distance 0; leaving out one sample at a time gives far too large
    an error. But the variance of what depends on near neighbours only goes as 1 / N, so that groups of N / 4 samples
    of each kind show that of N. Smaller groups, whose balls are wider, show too small a variance where the kinds
    differ. The variance is never less than that of the terms with the balls given.

    Reference: [Abadie & Imbens, 2008](https://doi.org/10.3982/ECTA6474), on the bootstrap of nearest neighbours.

    Args:
        terms: Array `(samples,)`, whose mean is the metric.
        means: Array `(DIVISIONS, GROUPS)`, the metric of each group.
        level: Float.
        bounds: Smallest and largest possible value of the metric.

    Returns:
        `(low, high)`.
    """
    variances = np.var(means, axis=1, ddof=1) / GROUPS
    error = np.sqrt(max(np.mean(variances), np.var(terms) / len(terms)))
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


def hashes_of(features):
    """A number for each row, by which copies are known."""
    return np.array([hash((row + 0).tobytes()) for row in features])  # -0.0 + 0 is 0.0.


# === Who lies in whose balls ===


def answers(real, fake, questions, chunk_size):
    """Dictionary, question -> its terms, from one pass over the distances between real and generated samples."""
    counts = count_in_balls(real, fake, dict.fromkeys(question.balls for question in questions), chunk_size)
    return {question: question.terms(counts[question.balls]) for question in questions}


def count_in_balls(real, fake, balls, chunk_size):
    """How many samples lie in how many balls.

    Args:
        real, fake: Arrays `(samples, dimensions)`.
        balls: Iterable of `Balls`.
        chunk_size: Integer, the edge of the largest block of distances.

    Returns:
        Dictionary, balls -> `{"real": ..., "fake": ...}`, integer arrays `(samples,)`. Of the kind of the centres: how
        many samples of the other kind lie in the ball of each. Of the other kind: how many balls each lies in.
    """
    radii = radii_of(real, fake, balls, chunk_size)
    counts = {one: {"real": np.zeros(len(real), "int64"), "fake": np.zeros(len(fake), "int64")} for one in balls}
    for chunk, start in zip(chunks(fake, chunk_size, "Samples among neighbours"), range(0, len(fake), chunk_size)):
        rows = slice(start, start + len(chunk))
        for columns, squares, errors in squared_distances(chunk, real, chunk_size):
            for one in balls:
                of_block = radii[one][columns][None] if one.centres == "real" else radii[one][rows][:, None]
                inside = is_inside(squares, errors, of_block, one.closed, chunk, real[columns], chunk_size)
                counts[one]["fake"][rows] += inside.sum(axis=1)
                counts[one]["real"][columns] += inside.sum(axis=0)
    return counts


def is_inside(squares, errors, radii, closed, x, y, chunk_size):
    """Whether samples lie in balls, exactly.

    Args:
        squares: Array `(x, y)`, squared distances but for rounding.
        errors: Array `(x, y)`, how far they may be off.
        radii: Array of squared radii that broadcasts to both.
        closed: Boolean, whether the surface belongs to a ball.
        x, y: Arrays `(samples, dimensions)`.
        chunk_size: Integer.
    """
    excess = squares - radii
    inside = excess < 0
    rows, places = np.nonzero(np.abs(excess) <= errors)
    exact = exact_squares(x, y, rows, places, chunk_size)
    radius = np.broadcast_to(radii, squares.shape)[rows, places]
    inside[rows, places] = exact <= radius if closed else exact < radius
    return inside


def radii_of(real, fake, balls, chunk_size):
    """Dictionary, balls -> the squared radius of each: the squared distance to the k-th nearest of the others."""
    radii = {}
    for kind, centres in (("real", real), ("fake", fake)):
        own = [one for one in balls if one.centres == kind]
        if own:
            squares, _ = nearest(centres, None, max(one.k for one in own), chunk_size)
            radii |= {one: squares[:, one.k - 1] for one in own}
    return radii
