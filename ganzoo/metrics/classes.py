"""Class histogram and class accuracy of generated samples, as a classifier reads them."""

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
    """Total variation between the classes of generated samples and those of real ones.

        TV(p, q) = 1/2 sum over classes of |p_k - q_k|

    p are the shares of the classes among the generated samples, as a classifier reads them, q those among the real
    ones, or 1/K. It says at a glance whether a class is missing or crowded out, which quality alone does not tell. It
    is blind to all that happens within a class, and the classifier finds a class in anything. The real samples should
    be read by the same classifier: its errors then cancel. It is biased upwards, the more so the fewer the samples.

    The details hold both shares, the missing classes (with a real, but no generated sample), the KL divergence of p
    from q (infinite where q lacks a class of p), and `perfect`, the total variation to be expected of equal shares.

    Args:
        real: Labels or scores of real samples, as `fake`, or `None`: all classes are equally likely.
        fake: Integer array `(samples,)`, the classes; or float array `(samples, classes)`, scores or probabilities, of
            which the largest counts.
        num_classes: Integer. Defaults to the classes of the scores, or one more than the largest label.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, of the bootstrap. Defaults to `0`.

    Returns:
        A `Score`.

    Raises:
        ValueError: If these are neither labels nor scores, if their numbers of classes differ, or with no sample.

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
            "perfect": float(
                0.5 * np.sqrt(2 / np.pi) * np.sqrt(q * (1 - q) * sum(1 / len(x) for x in labels.values())).sum()
            ),
        },
    )


def histogram_interval(value, labels, shares, differences, level, seed):
    """Interval of `class_histogram`; `labels` and `shares` are dictionaries by kind, and one of them may be missing."""
    signs = 0.5 * np.sign(differences)  # The sign of each difference is its derivative.
    influences = [sign * signs[labels[kind]] for kind, sign in (("real", -1), ("fake", 1)) if kind in labels]
    errors = np.sqrt(sum(share * (1 - share) / len(labels[kind]) for kind, share in shares.items()))
    low, high = variation_interval(value, differences, errors, influences, level, seed)
    if shares["fake"].max() == 1:  # All in one class: the others can have a little of them.
        low = max(0.0, low - intervals.unmet_share(len(labels["fake"]), level))
    return low, high


def divergence(p, q):
    """KL divergence of shares p from shares q; infinite where q lacks a class of p."""
    found = p > 0
    with np.errstate(divide="ignore"):
        return float(np.sum(p[found] * np.log(p[found] / q[found])))


class ClassHistogram(Metric):
    """Streaming `class_histogram`. Takes images, and reads real and generated ones by the same classifier.

    Args:
        classifier: A classifier of images, as `as_classifier` takes it.
        against: String, `"real"` (the default): real images are needed; or `"uniform"`.
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
    """Share of the samples of a conditional model that a classifier reads as the class that was asked for.

    It says whether a condition is heeded. It is blind to diversity within a class, and its ceiling is not 1 but the
    accuracy of the classifier on real images; above that, the model makes easy images.

    Reference: [Odena et al., 2017](https://arxiv.org/abs/1610.09585), Section 4.1.

    Args:
        fake: Float array `(samples, classes)`, scores or probabilities, of which the largest counts; or integer array
            `(samples,)`, the classes that were read.
        labels: Integer array `(samples,)`, the classes that were asked for.
        num_classes: Integer. Defaults to the classes of the scores, or one more than the largest label.
        level: Float, the level of the interval. Defaults to `0.95`.

    Returns:
        A `Score`. Its details have the accuracy of each class, `None` for those that were not asked for.

    Raises:
        ValueError: If there are not as many labels as samples, or if they are no classes of the classifier.

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
    """Streaming `classifier_accuracy`. Takes images and the labels that were asked for.

    Args:
        classifier: A classifier of images, as `as_classifier` takes it.
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
        """Takes another batch of generated images, and the labels that were asked for."""
        if labels is None or fake is None:
            raise ValueError("Classifier accuracy needs generated images and their labels: `fake=` and `labels=`.")
        super().update_state(real, fake, labels)

    def score(self, real, fake, labels=None):
        """The `Score` of features of generated images, and of the labels that were asked for."""
        if labels is None:
            raise ValueError("Classifier accuracy is one of a conditional model: it needs the labels that were asked.")
        scores = scores_of(self.features, fake)
        return self.features.named(classifier_accuracy(scores, labels, level=self.level))


class ClassScores(Features):
    """The scores of a classifier as features.

    Args:
        classifier: An object with the method `logits(images)`, of uint8 images; or a function from float32 images in
            [-1, 1]. Both give `(batch, classes)`.
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
    """A `Features` of which `scores_of` makes the scores of classes.

    Args:
        classifier: A network of `ganzoo.metrics.features` with logits, such as `DigitsClassifier()`; any other object
            with the method `logits(images)`; a `keras.Model` or a function from images in [-1, 1] to scores.
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
    """Scores `(batch, classes)` of the features of an `as_classifier`."""
    return classifier.logits_of(features) if hasattr(classifier, "logits_of") else features


def as_labels(arrays, num_classes):
    """Classes of labels or scores.

    Args:
        arrays: Dictionary of arrays, by kind.
        num_classes: Integer or `None`.

    Returns:
        Pair: the dictionary with an integer array `(samples,)` for each kind; the number of classes.
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
    """Whether this is an array `(samples, classes)`."""
    return array.ndim == 2 and array.dtype.kind in "fiu" and array.shape[1] > 1


def check_labels(labels, num_classes, kind):
    """Raises `ValueError` for what are no classes from 0 to `num_classes - 1`."""
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
    """Interval of a total variation, a sum of absolute values, each of which is too large by chance.

    For a difference d with standard error s the excess is E|N(d, s^2)| - |d|. Estimated with the d that was found, it
    comes out too small by a factor of sqrt(2) - 1 where the true d is 0, and fairly where it is not: the lower limit
    supposes the former, the upper limit the latter. A difference that was found to be 0 has no direction, and thus no
    influence: it is as large as its error, which has a half-normal distribution.

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
    equal = np.where(ratios == 0, errors, 0.0)
    spread = 0.5 * np.sqrt((1 - 2 / np.pi) * np.sum(equal**2))
    high += 2 * scipy.stats.norm.pdf(0) * equal.sum() + scipy.stats.norm.ppf((1 + level) / 2) * spread
    limits = low - excess / (np.sqrt(2) - 1), high - excess
    return tuple(float(np.clip(limit, 0.0, 1.0)) for limit in limits)
