"""Metric: features of real and generated samples, batch by batch, and a score at the end."""

import numpy as np

from ganzoo import checks
from ganzoo.metrics.features.base import Given, as_features
from ganzoo.metrics.intervals import check_level
from ganzoo.progress import track

# The square of a larger value overflows, or nearly so.
LARGEST = 1e150


class Metric:
    """A metric of samples that arrive batch by batch.

    A subclass has `compute(real, fake)`, which hands the collected features and its settings to the pure function of
    the same name, and returns its `Score`.

    Args:
        features: What samples are turned into before they are compared: a network of `ganzoo.metrics.features`, any
            `keras.Model` from images in [-1, 1] to vectors, or `None` (the default): `update_state` takes features, or
            samples to be compared as they are.
        level: Float, the level of the confidence interval. Defaults to `0.95`.
        seed: Integer, of the bootstrap and of anything else that is drawn. Defaults to `0`.
        chunk_size: Integer, samples that are worked on at once: bounds the memory, does not change the score. Defaults
            to `1024`.
    """

    # Kinds of samples that the metric needs.
    kinds = ("real", "fake")
    # Whether its features are scores of classes.
    needs_classifier = False

    def __init__(self, features=None, level=0.95, seed=0, chunk_size=1024):
        self.features = as_features(features)
        self.level = check_level(level)
        self.seed = checks.seed("seed", seed)
        self.chunk_size = check_chunk_size(chunk_size)
        self.reset_state()

    def compute(self, real, fake):
        """The `Score` of two arrays `(samples, dimensions)` of features."""
        raise NotImplementedError

    def update_state(self, real=None, fake=None, labels=None):
        """Takes another batch.

        Args:
            real, fake: Samples of either kind, or of both: images as `Features` takes them, or arrays of features.
            labels: Integer array, the classes that the generated samples were asked for; most metrics do not look at
                them. Defaults to `None`.
        """
        for kind, batch in (("real", real), ("fake", fake)):
            if batch is None:
                continue
            if kind not in self.kinds:
                raise ValueError(f"{type(self).__name__} takes no {kind} samples, only {' and '.join(self.kinds)}.")
            self._collected[kind].append(self.features(batch))
        if labels is not None:
            self._collected["labels"].append(np.asarray(labels))

    def result(self):
        """The `Score` of everything since the last `reset_state`."""
        missing = [kind for kind in self.kinds if not self._collected[kind]]
        if missing:
            raise ValueError(f"{type(self).__name__} has no {' and no '.join(missing)} samples: call `update_state`.")
        return self.score(*(self._joined(kind) for kind in ("real", "fake", "labels")))

    def score(self, real, fake, labels=None):
        """`compute` of features that exist already, with the name of their network in the score."""
        return self.features.named(self.compute(real, fake))

    def reset_state(self):
        """Forgets all samples."""
        self._collected = {"real": [], "fake": [], "labels": []}

    def _joined(self, kind):
        parts = self._collected[kind]
        if len(parts) > 1:
            shapes = {part.shape[1:] for part in parts}
            if len(shapes) > 1:
                raise ValueError(f"The batches of {kind} features have different shapes: {sorted(shapes)}")
            whole = np.empty((sum(map(len, parts)), *parts[0].shape[1:]), np.result_type(*parts))
            end = len(whole)
            while parts:  # Each is let go when it is copied, so that the memory is not needed twice.
                part = parts.pop()
                whole[end - len(part) : end] = part
                end -= len(part)
            parts.append(whole)
        return parts[0] if parts else None


def check_measurable(metric):
    """Raises `ValueError` for a metric of scores of classes that would be given the samples themselves."""
    if metric.needs_classifier and isinstance(metric.features, Given):
        raise ValueError(
            f"{type(metric).__name__} reads the scores of a classifier. Pass one: "
            f"{type(metric).__name__}(features=ganzoo.metrics.features.DigitsClassifier())"
        )


def check_chunk_size(chunk_size):
    """Returns a number of samples as a Python integer of at least 1, or raises `ValueError`."""
    return checks.integer("chunk_size", chunk_size, least=1)


def chunks(array, size, doing=None):
    """The array in pieces of `size` rows, float64; `doing` is what `ganzoo.progress` says of them if it takes long."""
    size = check_chunk_size(size)
    starts = range(0, len(array), size)
    for start in starts if doing is None else track(starts, len(starts), f"{doing}, blocks of samples"):
        yield np.asarray(array[start : start + size], "float64")


def check_features(real, fake, largest=LARGEST):
    """Returns both as arrays `(samples, dimensions)`.

    Args:
        real, fake: What came.
        largest: Float, the size of a value above which the metric cannot be computed. Defaults to `1e150`, whose square
            is a float64.

    Raises:
        ValueError: If they are not, if their dimensions differ, or if a value is not finite or too large.
    """
    checked = [
        check_kind(kind, checks.array(kind, features), largest) for kind, features in (("real", real), ("fake", fake))
    ]
    if checked[0].shape[1] != checked[1].shape[1]:
        raise ValueError(
            "Real and fake features must have equal dimensions. Received: "
            f"{checked[0].shape[1]} (real), {checked[1].shape[1]} (fake)"
        )
    return checked


def check_kind(kind, features, largest):
    """Returns the features of one kind of samples, or raises `ValueError`; arguments as in `check_features`."""
    if features.ndim != 2:
        raise ValueError(f"The {kind} features must be `(samples, dimensions)`. Received: shape {features.shape}")
    if features.dtype.kind not in "fiu":
        raise ValueError(f"The {kind} features must be numbers. Received: dtype {features.dtype}")
    bad, size = 0, 0.0
    for chunk in chunks(features, 1024):
        is_finite = np.isfinite(chunk).all(axis=1)
        bad += len(chunk) - int(is_finite.sum())
        size = max(size, np.abs(chunk[is_finite]).max(initial=0.0))
    if bad:
        raise ValueError(f"{bad} of {len(features)} {kind} samples have features that are NaN or infinite.")
    if size > largest:
        raise ValueError(
            f"The {kind} features hold values up to {size:.3g}, whose squares overflow. Divide the features of both "
            "kinds by the same number."
        )
    return features
