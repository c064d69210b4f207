"""Metrics from the classes that a classifier sees in generated samples: class histogram and class accuracy."""

import keras
import numpy as np
import scipy.stats

from ganzoo import checks
from ganzoo.data.pixels import normalize
from ganzoo.metrics import intervals
from ganzoo.metrics.features.base import Features, as_features
from ganzoo.metrics.metric import Metric
from ganzoo.metrics.score import Score


def class_histogram(real, fake, num_classes=None, level=0.95, seed=0):
    """Total variation distance between the class shares of generated and real samples.

        TV(p, q) = 1/2 sum over classes of |p_k - q_k|

    p are the class shares of the generated samples, as a classifier sees them. q are the shares of the real samples, or
    1/K. The metric shows at a glance whether a class is missing or crowded out. Quality alone does not show that. The
    metric is blind to everything within a class, and a classifier finds a class in any image. Let the same classifier
    read the real samples, because its errors then cancel. The metric is biased upwards, more so with fewer samples.

    The details hold:

    - both shares,
    - the missing classes, which have real but no generated samples,
    - the KL divergence of p from q, which is infinite where q lacks a class of p,
    - `perfect`, the expected total variation if both shares are equal.

    Args:
        real: Labels or scores of real samples, in the format of `fake`. With `None`, all classes are equally likely.
        fake: Integer array `(samples,)` of classes, or float array `(samples, classes)` of scores or probabilities. The
            largest score decides.
        num_classes: Integer. Defaults to the number of scores, or the largest label plus 1.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, of the bootstrap. Defaults to `0`.

    Returns:
        A `Score`.

    Raises:
        ValueError: If these are neither labels nor scores, if the numbers of classes differ, or without samples.

    Example:

    >>> score = ganzoo.metrics.class_histogram(labels, classifier.logits(gan.generate(10_000)))
    >>> print(score, score.details["missing"])
    """
    labels, num_classes = as_labels({"fake": fake} if real is None else {"real": real, "fake": fake}, num_classes)
    shares = {kind: np.bincount(array, minlength=num_classes) / len(array) for kind, array in labels.items()}
    p, q = shares["fake"], shares.get("real", np.full(num_classes, 1 / num_classes))
    value = 0.5 * np.abs(p - q).sum()
    return Score(
        "class_histogram",
        value,
        histogram_interval(value, labels, shares, p - q, level, seed),
        len(labels["real"]) if "real" in labels else None,
        len(labels["fake"]),
        level=level,
        lower_is_better=True,
        settings={"classes": num_classes, "against": "uniform" if real is None else "real"},
        details={
            "fake_shares": p.tolist(),
            "real_shares": q.tolist(),
            "missing": [int(k) for k in np.flatnonzero((p == 0) & (q > 0))],
            "kl": divergence(p, q),
            # E|N(0, s^2)| = s sqrt(2 / pi) for each class.
            "perfect": float(
                0.5 * np.sqrt(2 / np.pi) * np.sqrt(q * (1 - q) * sum(1 / len(x) for x in labels.values())).sum()
            ),
        },
    )


def histogram_interval(value, labels, shares, differences, level, seed):
    """Interval of `class_histogram`. `labels` and `shares` are dictionaries by kind, where a kind may be missing."""
    signs = 0.5 * np.sign(differences)  # The derivative of |d| is the sign of d.
    influences = [sign * signs[labels[kind]] for kind, sign in (("real", -1), ("fake", 1)) if kind in labels]
    # Standard error of each difference between two shares.
    errors = np.sqrt(sum(share * (1 - share) / len(labels[kind]) for kind, share in shares.items()))
    low, high = variation_interval(value, differences, errors, influences, level, seed)
    if shares["fake"].max() == 1:  # All are in one class, but others may have a small share.
        low = max(0.0, low - intervals.unmet_share(len(labels["fake"]), level))
    return low, high


def divergence(p, q):
    """KL divergence of shares p from shares q, infinite where q lacks a class of p."""
    found = p > 0
    with np.errstate(divide="ignore"):
        return float(np.sum(p[found] * np.log(p[found] / q[found])))


class ClassHistogram(Metric):
    """Streaming `class_histogram` of images. The same classifier reads real and generated images.

    Args:
        classifier: A classifier of images, see `as_classifier`.
        against: String, `"real"` (the default, which needs real images) or `"uniform"`.
        level, seed: As in `Metric`.

    Example:

    >>> metric = ganzoo.metrics.ClassHistogram(ganzoo.metrics.features.DigitsClassifier())
    >>> metric.update_state(real=images, fake=gan.generate(10_000))
    >>> print(metric.result())
    """

    def __init__(self, classifier, against="real", level=0.95, seed=0):
        against = checks.choice("against", against, ("real", "uniform"))
        self.kinds = ("real", "fake") if against == "real" else ("fake",)
        super().__init__(as_classifier(classifier), level, seed)

    def compute(self, real, fake):
        real, fake = (None if x is None else scores_of(self.features, x) for x in (real, fake))
        return class_histogram(real, fake, level=self.level, seed=self.seed)


def classifier_accuracy(fake, labels, num_classes=None, level=0.95):
    """Share of samples of a conditional model that a classifier assigns to the requested class.

    It shows whether the model follows its condition. It is blind to diversity within a class. Its ceiling is the
    accuracy of the classifier on real images, which is below 1. A model above that ceiling makes images that are too
    easy.

    Reference: [Odena et al., 2017](https://arxiv.org/abs/1610.09585), Section 4.1.

    Args:
        fake: Float array `(samples, classes)` of scores or probabilities, where the largest decides, or integer array
            `(samples,)` of recognized classes.
        labels: Integer array `(samples,)`, the requested classes.
        num_classes: Integer. Defaults to the number of scores, or the largest label plus 1.
        level: Float, the level of the interval. Defaults to `0.95`.

    Returns:
        A `Score`. Its details have the accuracy of each class, or `None` for a class that was not requested.

    Raises:
        ValueError: If the numbers of labels and samples differ, or if labels are outside the classifier's classes.

    Example:

    >>> images = cgan.generate(labels=labels)
    >>> print(ganzoo.metrics.classifier_accuracy(classifier.logits(images), labels))
    """
    found, num_classes = as_labels({"fake": fake, "asked": labels}, num_classes)
    read, asked = found["fake"], found["asked"]
    if len(read) != len(asked):
        raise ValueError(
            f"Each sample needs its label. Received: {len(read)} samples in `fake`, {len(asked)} in `labels`"
        )
    hits = (read == asked).astype("float64")
    by_class = [float(hits[asked == k].mean()) if np.any(asked == k) else None for k in range(num_classes)]
    return Score(
        "classifier_accuracy",
        hits.mean(),
        intervals.of_share(hits, level),
        None,
        len(read),
        level=level,
        lower_is_better=False,
        settings={"classes": num_classes},
        details={"by_class": by_class},
    )


class ClassifierAccuracy(Metric):
    """Streaming `classifier_accuracy` of images and the requested labels.

    Args:
        classifier: A classifier of images, see `as_classifier`.
        level: As in `Metric`.

    Example:

    >>> metric = ganzoo.metrics.ClassifierAccuracy(ganzoo.metrics.features.DigitsClassifier())
    >>> metric.update_state(fake=cgan.generate(labels=labels), labels=labels)
    >>> print(metric.result())
    """

    kinds = ("fake",)

    def __init__(self, classifier, level=0.95):
        super().__init__(as_classifier(classifier), level)

    def update_state(self, real=None, fake=None, labels=None):
        """Adds a batch of generated images and the requested labels."""
        if labels is None or fake is None:
            raise ValueError("Classifier accuracy needs generated images and their labels: `fake=` and `labels=`.")
        super().update_state(real, fake, labels)

    def score(self, real, fake, labels=None):
        """The `Score` of features of generated images and the requested labels."""
        if labels is None:
            raise ValueError("Classifier accuracy is one of a conditional model: it needs the labels that were asked.")
        scores = scores_of(self.features, fake)
        return self.features.named(classifier_accuracy(scores, labels, level=self.level))


class ClassScores(Features):
    """Features that are the scores of a classifier.

    Args:
        classifier: An object with a method `logits(images)` for uint8 images, or a function of float32 images in
            [-1, 1]. Both return `(batch, classes)`.
    """

    def __init__(self, classifier):
        self.classifier = classifier
        names = (getattr(classifier, key, None) for key in ("name", "__name__"))
        self.name = next(filter(None, names), type(classifier).__name__)
        self.resize = getattr(classifier, "resize", None)

    def extract(self, images):
        has_logits = hasattr(self.classifier, "logits")
        scores = self.classifier.logits(images) if has_logits else self.classifier(normalize(images))
        scores = np.asarray(keras.ops.convert_to_numpy(scores), "float32")
        if scores.ndim != 2 or len(scores) != len(images):
            raise ValueError(
                f"A classifier gives scores `(batch, classes)`. Received: shape {scores.shape} for {len(images)} images"
            )
        return scores


def as_classifier(classifier):
    """Wraps a classifier as `Features` that `scores_of` turns into scores of classes.

    Args:
        classifier: A network of `ganzoo.metrics.features` with logits, such as `DigitsClassifier()`. Also any other
            object with a method `logits(images)`, a `keras.Model`, or a function from images in [-1, 1] to scores.
    """
    if isinstance(classifier, keras.Model) or isinstance(classifier, Features) and hasattr(classifier, "logits_of"):
        return as_features(classifier)
    is_function = callable(classifier) and not isinstance(classifier, Features)
    if not isinstance(classifier, type) and (hasattr(classifier, "logits") or is_function):
        return ClassScores(classifier)
    raise TypeError(
        "A classifier has the method `logits`, or is a keras.Model or a function from images in [-1, 1] to scores. "
        f"Received: {classifier!r} (of type {type(classifier).__name__})"
    )


def scores_of(classifier, features):
    """Scores `(batch, classes)` from the features of a classifier of `as_classifier`."""
    return classifier.logits_of(features) if hasattr(classifier, "logits_of") else features


def as_labels(arrays, num_classes):
    """Turns labels or scores into labels.

    Args:
        arrays: Dictionary of arrays, by kind.
        num_classes: Integer or `None`.

    Returns:
        The dictionary with an integer array `(samples,)` for each kind, and the number of classes.
    """
    arrays = {kind: checks.array(kind, array) for kind, array in arrays.items()}
    widths = {array.shape[1] for array in arrays.values() if is_scores(array)}
    if num_classes is not None:
        widths.add(checks.integer("num_classes", num_classes, least=1))
    if len(widths) > 1:
        raise ValueError(f"The numbers of classes differ. Received: {sorted(widths)}")
    labels = {}
    for kind, array in arrays.items():
        if is_scores(array):
            if not np.isfinite(array).all():
                raise ValueError(f"The scores of {kind} samples hold values that are NaN or infinite.")
            array = array.argmax(axis=1)
        check_labels(array, min(widths, default=None), kind)
        labels[kind] = array.astype("int64")
    return labels, min(widths, default=1 + max(int(array.max()) for array in labels.values()))


def is_scores(array):
    """Whether the array has the shape `(samples, classes)`."""
    return array.ndim == 2 and array.dtype.kind in "fiu" and array.shape[1] > 1


def check_labels(labels, num_classes, kind):
    """Raises a `ValueError` if the labels are not classes from 0 to `num_classes - 1`."""
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or len(labels) == 0:
        raise ValueError(
            f"The {kind} classes must be integer labels `(samples,)` or scores `(samples, classes)`, of one sample at "
            f"least. Received: shape {labels.shape}, dtype {labels.dtype}"
        )
    if labels.min() < 0 or (num_classes is not None and labels.max() >= num_classes):
        last = "" if num_classes is None else f" to {num_classes - 1}"
        raise ValueError(
            f"The {kind} labels must count from 0{last}. Received: labels from {labels.min()} to {labels.max()}"
        )


def variation_interval(value, differences, errors, influences, level, seed):
    """Interval of a total variation, which is a sum of absolute values that chance makes too large.

    For a difference d with standard error s, the excess is E|N(d, s^2)| - |d|. The measured d gives an estimate of it.
    The estimate is too small by a factor of sqrt(2) - 1 if the true d is 0, and about right otherwise. The lower limit
    assumes the first case, the upper limit the second. A measured difference of 0 has no sign, so it has no influence.
    It counts as large as its error, with a half-normal distribution.

    Args:
        value: Float, half of the sum of the absolute differences.
        differences, errors: Float arrays `(classes,)`.
        influences: As in `intervals.from_influence`.
        level: Float.
        seed: Integer.
    """
    ratios = np.divide(np.abs(differences), errors, out=np.zeros_like(errors), where=errors > 0)
    excess = np.sum(errors * (scipy.stats.norm.pdf(ratios) - ratios * scipy.stats.norm.sf(ratios)))
    low, high = intervals.from_influence(value, influences, level=level, seed=seed)
    # A difference of exactly 0 counts as half-normal, with variance (1 - 2 / pi) s^2.
    equal = np.where(ratios == 0, errors, 0.0)
    spread = 0.5 * np.sqrt((1 - 2 / np.pi) * np.sum(equal**2))
    high += 2 * scipy.stats.norm.pdf(0) * equal.sum() + scipy.stats.norm.ppf((1 + level) / 2) * spread
    limits = low - excess / (np.sqrt(2) - 1), high - excess
    return tuple(float(np.clip(limit, 0.0, 1.0)) for limit in limits)
