"""Base of streaming metrics, which collect features batch by batch and compute a score at the end."""

import numpy as np

from ganzoo import checks
from ganzoo.metrics.features.base import Given, as_features
from ganzoo.metrics.intervals import check_level
from ganzoo.progress import track

# Squares of larger values may overflow.
LARGEST = 1e150


class Metric:
    """A metric of samples that arrive batch by batch.

    A subclass has `compute(real, fake)`. It passes the collected features and its settings to the pure function of the
    same name, and returns the `Score`.

    Args:
        features: Turns samples into vectors to compare. A network of `ganzoo.metrics.features`, any `keras.Model` from
            images in [-1, 1] to vectors, or `None` (the default). With `None`, pass features to `update_state`, or
            samples to compare directly.
        level: Float, the level of the confidence interval. Defaults to `0.95`.
        seed: Integer, for the bootstrap and all other random draws. Defaults to `0`.
        chunk_size: Integer, number of samples to process at a time. Limits memory and does not change the score.
            Defaults to `1024`.
    """

    # Kinds of samples that the metric needs.
    kinds = ("real", "fake")
    # Whether the features are scores of classes.
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
        """Adds a batch.

        Args:
            real, fake: Samples of either kind, or of both. Pass images for `Features`, or arrays of features.
            labels: Integer array, the requested classes of the generated samples. Most metrics ignore them. Defaults to
                `None`.
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
        """`compute` on features that are already computed. Adds the name of their network to the score."""
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
            while parts:  # Free each part after copying it, or the peak memory doubles.
                part = parts.pop()
                whole[end - len(part) : end] = part
                end -= len(part)
            parts.append(whole)
        return parts[0] if parts else None


def check_measurable(metric):
    """Raises a `ValueError` if a metric needs scores of classes but would get the samples themselves."""
    if metric.needs_classifier and isinstance(metric.features, Given):
        raise ValueError(
            f"{type(metric).__name__} reads the scores of a classifier. Pass one: "
            f"{type(metric).__name__}(features=ganzoo.metrics.features.DigitsClassifier())"
        )


def check_chunk_size(chunk_size):
    """Returns a number of samples as a Python integer of at least 1, or raises a `ValueError`."""
    return checks.integer("chunk_size", chunk_size, least=1)


def chunks(array, size, doing=None):
    """The array in float64 chunks of `size` rows. `doing` is the text of the progress line."""
    size = check_chunk_size(size)
    starts = range(0, len(array), size)
    for start in starts if doing is None else track(starts, len(starts), f"{doing}, blocks of samples"):
        yield np.asarray(array[start : start + size], "float64")


def check_features(real, fake, largest=LARGEST):
    """Returns both as arrays `(samples, dimensions)`, or raises an error.

    Args:
        real, fake: The arguments of the metric.
        largest: Float, the largest value that the metric can handle. Defaults to `1e150`, whose square is a float64.

    Raises:
        ValueError: If the shapes are wrong, the dimensions differ, or a value is not finite or too large.
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
    """Returns the features of a kind of samples, or raises a `ValueError`. For the arguments see `check_features`."""
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
