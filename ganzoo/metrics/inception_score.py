"""Inception score: how surely a classifier recognizes samples, and how many classes it finds."""

import warnings

import numpy as np
import scipy.special

from ganzoo import checks
from ganzoo.metrics import intervals
from ganzoo.metrics.features.classifiers import Classifier
from ganzoo.metrics.metric import Metric, chunks
from ganzoo.metrics.score import Score
from ganzoo.metrics.seeds import legacy_numbers_of


def inception_score(fake, splits=10, from_logits=True, level=0.95, seed=0, chunk_size=1024):
    """Exponential of the mutual information between generated samples and their predicted labels.

        IS = exp(mean KL(p(y|x) || p(y))),    p(y) = mean p(y|x)

    The score lies between 1 and the number of classes. Call it IS only with the logits of `InceptionV3`. It does not
    use real samples. So one image of each class, repeated, may get the best possible score. The same holds for copies
    of the training set, and for noise that the classifier is sure of.

    As in the paper, the value is the mean over `splits` parts of the samples. The samples are shuffled first, so that
    sorted labels do no harm. So the value depends a little on the order of the samples, except with `splits=1`. Each
    part has its own p(y), and the score is too low if a part has few samples for its classes. Compare only scores of
    equal numbers of samples. 50,000 are usual.

    Reference: [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), Section 4.
    [Barratt & Sharma, 2018](https://arxiv.org/abs/1801.01973), for what it is blind to, and for the splits.

    Args:
        fake: Array `(samples, classes)` of logits or probabilities.
        splits: Integer, number of parts. Defaults to `10`.
        from_logits: Boolean, whether `fake` holds logits. Defaults to `True`.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, for the shuffling and the bootstrap. Equal seeds give the same parts as torch-fidelity. Defaults
            to `0`.
        chunk_size: Integer, number of samples in float64 at a time. Defaults to `1024`.

    Returns:
        A `Score`. Its details have `split_std`, the standard deviation over the splits, and `bias`, the estimated
        difference to the score of infinitely many samples. A negative bias means that the score is too low.

    Raises:
        ValueError: With fewer than two samples in a split, or if `fake` contradicts `from_logits`.
    """
    splits, from_logits = checks.integer("splits", splits, least=1), checks.boolean("from_logits", from_logits)
    fake = check_predictions(fake, from_logits)
    count, classes = fake.shape
    if count < 2 * splits:
        raise ValueError(
            f"{splits} splits need at least {2 * splits} samples. Received: {count}. Take more, or fewer splits."
        )
    if count < classes * splits:
        warnings.warn(
            f"{count // splits} samples in a split for {classes} classes: the inception score is far too low. Take "
            "more samples, or fewer splits.",
            stacklevel=2,
        )
    # The same shuffling as torch-fidelity.
    order = legacy_numbers_of(seed).permutation(count)
    parts = [order[i * count // splits : (i + 1) * count // splits] for i in range(splits)]
    scores, biases, influences = zip(*(score_of_part(fake[part], from_logits, chunk_size) for part in parts))
    value, bias = float(np.mean(scores)), float(np.mean(biases))
    # The value is a mean over parts, so each part has its own mean.
    influence = np.concatenate([part - part.mean() for part in influences])
    interval = intervals.from_influence(value, [influence], bias, level, seed, bounds=(1.0, classes))
    return Score(
        "inception_score",
        value,
        interval,
        num_fake=count,
        level=level,
        lower_is_better=False,
        settings={"splits": splits},
        details={"split_std": float(np.std(scores)), "bias": bias},
    )


class InceptionScore(Metric):
    """Streaming `inception_score` of generated samples.

    Args:
        features: A classifier of `ganzoo.metrics.features`, or a `keras.Model` that returns logits, or probabilities
            with `from_logits=False`. With `None` (the default), pass logits or probabilities to `update_state`.
        splits: Integer, as for `inception_score`. Defaults to `10`.
        from_logits: Boolean. Defaults to `True`.
        level, seed, chunk_size: As for `Metric`.

    Example:

    >>> metric = ganzoo.metrics.InceptionScore(features=ganzoo.metrics.features.DigitsClassifier())
    >>> metric.update_state(fake=gan.generate(10_000))
    >>> print(metric.result())
    """

    kinds = ("fake",)
    needs_classifier = True

    def __init__(self, features=None, splits=10, from_logits=True, level=0.95, seed=0, chunk_size=1024):
        super().__init__(features, level, seed, chunk_size)
        self.splits = checks.integer("splits", splits, least=1)
        self.from_logits = checks.boolean("from_logits", from_logits)

    def compute(self, real, fake):
        is_classifier = isinstance(self.features, Classifier)
        return inception_score(
            self.features.logits_of(fake) if is_classifier else fake,
            self.splits,
            self.from_logits or is_classifier,
            self.level,
            self.seed,
            self.chunk_size,
        )


def check_predictions(fake, from_logits):
    """Returns the predictions as an array `(samples, classes)`, or raises an error.

    Raises:
        ValueError: If the shape is wrong, a value is not finite, probabilities are negative or do not add up to 1, or
            all logits are probabilities.
    """
    fake = checks.array("fake", fake)
    if fake.ndim != 2 or fake.shape[1] < 2:
        raise ValueError(
            f"Predictions must be `(samples, classes)`, of 2 classes or more. Received: shape {fake.shape}"
        )
    if fake.dtype.kind not in "fiu":
        raise ValueError(f"Predictions must be numbers. Received: dtype {fake.dtype}")
    finite = distributions = 0
    for chunk in chunks(fake, 1024):
        finite += np.isfinite(chunk).all(axis=1).sum()
        distributions += ((chunk >= 0).all(axis=1) & (np.abs(chunk.sum(axis=1) - 1) < 1e-3)).sum()
    if finite < len(fake):
        raise ValueError(f"{len(fake) - finite} of {len(fake)} fake samples have predictions that are NaN or infinite.")
    if not from_logits and distributions < len(fake):
        raise ValueError(
            f"{len(fake) - distributions} of {len(fake)} fake samples have predictions that are no probabilities: they "
            "are negative, or do not add up to 1. Pass logits with `from_logits=True`."
        )
    if from_logits and distributions == len(fake) > 0:
        raise ValueError("These are probabilities: they add up to 1. Pass `from_logits=False`, or the logits.")
    return fake


def score_of_part(predictions, from_logits, chunk_size):
    """The score of some samples, its bias, and the influence of each sample on it.

    The mutual information is the entropy of p(y) minus the mean entropy of p(y|x). Entropy is concave, so its estimate
    from p(y) is too low by `sum(var p(y|x) / p(y)) / 2n`. The exponential is convex, so its value is too high by a
    share of `var KL / 2n`.

    Returns:
        `(score, bias, influences)`.
    """
    count = len(predictions)
    marginal = sum(p.sum(axis=0) for p in probabilities(predictions, from_logits, chunk_size)) / count
    divergences, variance = [], 0.0
    for p in probabilities(predictions, from_logits, chunk_size):
        divergences.append(scipy.special.rel_entr(p, marginal).sum(axis=1))
        variance += np.square(p - marginal).sum(axis=0) / (count - 1)
    divergences = np.concatenate(divergences)
    score = np.exp(divergences.mean())
    possible = marginal > 0
    lack = np.sum(variance[possible] / marginal[possible]) / (2 * count)
    bias = score * (divergences.var() / (2 * count) - lack)
    return score, bias, score * divergences


def probabilities(predictions, from_logits, chunk_size):
    """The predictions in chunks, as float64 probabilities."""
    for chunk in chunks(predictions, chunk_size):
        yield scipy.special.softmax(chunk, axis=1) if from_logits else chunk / chunk.sum(axis=1, keepdims=True)
