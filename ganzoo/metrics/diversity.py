"""MS-SSIM diversity: how similar generated images are to each other."""

import numpy as np

from ganzoo import checks
from ganzoo.metrics import intervals
from ganzoo.metrics.features.base import quantized
from ganzoo.metrics.metric import Metric
from ganzoo.metrics.pairs import WINDOW, similarity
from ganzoo.metrics.pixels import Pixels, shuffled
from ganzoo.metrics.score import Score
from ganzoo.metrics.seeds import numbers_of
from ganzoo.progress import track

# From Wang et al., finest scale first.
WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])


def ms_ssim_diversity(fake, labels=None, real=None, real_labels=None, pairs=1000, level=0.95, seed=0, chunk_size=64):
    """Mean multi-scale structural similarity of random pairs of generated images. Higher means less diverse.

        MS-SSIM(x, y) = product over scales j of cs_j(x, y)^w_j, at the last scale of SSIM_j(x, y)^w_j

    cs is the contrast and structure of `ssim`. Each scale has half the size of the scale before. Collapsed generators
    score near 1. With labels, both images of a pair have the same class, and the value is the mean over the classes.

    Compare the value with the value of real images, which is in the details if you pass `real`. Noise is more diverse
    than any data, so a low value alone means nothing. The metric is blind to quality. It is blind to missing modes as
    long as the others differ.

    Five scales need sides of 161 pixels. Smaller images use as many scales as fit, with the first weights normalised to
    sum 1. So the number of scales is part of the protocol. Images are quantised to 8 bits first.

    Reference: [Odena et al., 2017](https://arxiv.org/abs/1610.09585), Section 4.2, 100 pairs of each class.
    Wang et al., "Multiscale structural similarity for image quality assessment", 2003,
    [doi:10.1109/ACSSC.2003.1292216](https://doi.org/10.1109/ACSSC.2003.1292216), Equation 7.

    Args:
        fake: Images `(samples, height, width, channels)`, uint8 or floats in [-1, 1].
        labels: Integer array `(samples,)`, the classes of `fake`, or `None` (the default).
        real: Images to measure in the same way for comparison, or `None` (the default).
        real_labels: Integer array, the classes of `real`. Required if you pass both `real` and `labels`.
        pairs: Integer, number of pairs in all classes together. An image is in at most one pair, so few images give
            fewer pairs. Defaults to `1000`.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, for the pairs and the bootstrap. Defaults to `0`.
        chunk_size: Integer, number of pairs in float64 at a time. Defaults to `64`.

    Returns:
        A `Score`. Its details have the value of each class, in the order of `details["labels"]`, and the value of the
        real images, `details["real"]`, with its interval. There is no interval if a class has only a single pair.

    Raises:
        ValueError: If a class has fewer than two images, a side has fewer than 11 pixels, or labels do not fit.

    Example:

    >>> images, labels = next(iter(dataset.batch(2000)))
    >>> score = ganzoo.metrics.ms_ssim_diversity(cgan.generate(labels=labels), labels, images, labels)
    >>> print(score, score.details["real"])
    """
    pairs, chunk_size = checks.counts(pairs=pairs, chunk_size=chunk_size)
    if real is not None and (labels is None) != (real_labels is None):
        raise ValueError("Real and fake images are compared in the same way: give labels of both, or of none.")
    value, interval, facts = similarity_within(fake, labels, "fake", pairs, level, seed, chunk_size)
    settings = {"scales": facts.pop("scales"), "pairs": facts.pop("pairs")}
    if labels is not None:
        settings["classes"] = len(facts["labels"])
    if real is not None:
        real_value, real_interval, _ = similarity_within(real, real_labels, "real", pairs, level, seed, chunk_size)
        facts |= {"real": real_value, "real_interval": real_interval and list(real_interval)}
    return Score(
        "ms_ssim_diversity",
        value,
        interval,
        None,
        len(fake),
        features="pixels",
        level=level,
        settings=settings,
        details=facts,
    )


class MSSSIMDiversity(Metric):
    """Streaming `ms_ssim_diversity`. Takes images, and labels to pair images within their class.

    Real images are optional. They add a value to compare with.

    Args:
        pairs, level, seed, chunk_size: As in `ms_ssim_diversity`.

    Example:

    >>> metric = ganzoo.metrics.MSSSIMDiversity()
    >>> metric.update_state(fake=cgan.generate(labels=labels), labels=labels)
    >>> metric.update_state(real=images, labels=labels)
    >>> print(metric.result())
    """

    kinds = ("fake",)

    def __init__(self, pairs=1000, level=0.95, seed=0, chunk_size=64):
        super().__init__(Pixels(), level, seed, chunk_size)
        self.pairs = checks.integer("pairs", pairs, least=1)

    def update_state(self, real=None, fake=None, labels=None):
        """Adds a batch of images and, optionally, their labels."""
        if labels is not None and real is not None and fake is not None:
            raise ValueError("`labels` are of one kind of images: call `update_state` once for real, once for fake.")
        for kind, batch in (("real", real), ("fake", fake)):
            if batch is not None:
                self._collected[kind].append(self.features(batch))
                self._labels[kind].extend([] if labels is None else np.asarray(labels).tolist())

    def result(self):
        real, fake = self._joined("real"), self._joined("fake")
        if fake is None:
            raise ValueError("MSSSIMDiversity has no fake samples: call `update_state`.")
        return self.score(real, fake, self._labels["fake"] or None, self._labels["real"] or None)

    def score(self, real, fake, labels=None, real_labels=None):
        """The `Score` of pixels that are already computed, and of their labels to pair images within their class."""
        return ms_ssim_diversity(fake, labels, real, real_labels, self.pairs, self.level, self.seed, self.chunk_size)

    def reset_state(self):
        super().reset_state()
        self._labels = {"real": [], "fake": []}


def similarity_within(images, labels, kind, pairs, level, seed, chunk_size):
    """Mean similarity of pairs within classes, its interval, and a dictionary of further facts."""
    images = quantized(images)
    weights = scale_weights(images.shape[1:3])
    classes = groups(len(images), labels, kind)
    rng = numbers_of(seed)
    order = shuffled(images, rng)
    most = max(1, pairs // len(classes))
    values = []
    for members in classes.values():
        mixed = order[members[order]]
        # Each image is in at most a single pair.
        first, second = (mixed[start::2][: min(most, len(mixed) // 2)] for start in (0, 1))
        values.append(similarity_of_pairs(images, first, second, weights, chunk_size))
    by_class = [float(x.mean()) for x in values]
    value = float(np.mean(by_class))
    # Divide by the number of classes, so that the value is the sum of the means.
    shares = [x / len(values) for x in values]
    interval = None
    if min(map(len, shares)) > 1:  # A single pair has no spread.
        interval = intervals.from_influence(value, shares, level=level, seed=seed, bounds=(0.0, 1.0))
    facts = {"scales": len(weights), "pairs": sum(map(len, values))}
    return value, interval, facts if labels is None else facts | {"labels": list(classes), "by_class": by_class}


def groups(count, labels, kind):
    """Dictionary from each class to the mask of its members. Without labels, all images are in a single class."""
    if labels is None:
        classes = {None: np.ones(count, bool)}
    else:
        labels = np.asarray(labels)
        if labels.shape != (count,) or labels.dtype.kind not in "iu":
            raise ValueError(
                f"Labels of {count} {kind} images must be {count} integers. Received: shape {labels.shape}, dtype "
                f"{labels.dtype}"
            )
        classes = {int(label): labels == label for label in np.unique(labels)}
    for label, members in classes.items():
        if members.sum() < 2:
            where = "" if label is None else f" of class {label}"
            raise ValueError(f"A pair needs 2 images. Received: {members.sum()} {kind}{where}")
    if not classes:
        raise ValueError(f"A pair needs 2 images. Received: 0 {kind}")
    return classes


def similarity_of_pairs(images, first, second, weights, chunk_size):
    """`ms_ssim` of `images[first]` and `images[second]`, chunk by chunk."""
    parts = []
    starts = range(0, len(first), chunk_size)
    for start in track(starts, len(starts), "Similarity, blocks of pairs"):
        part = slice(start, start + chunk_size)
        parts.append(ms_ssim(*(images[index[part]].astype("float64") for index in (first, second)), weights))
    return np.concatenate(parts)


def scale_weights(size):
    """Weights of the scales that fit into images of this height and width."""
    count, side = 0, min(size)
    while side >= len(WINDOW) and count < len(WEIGHTS):
        # Odd sides round up, as in `halved`.
        count, side = count + 1, -(-side // 2)
    if count == 0:
        raise ValueError(f"Images must have {len(WINDOW)} x {len(WINDOW)} pixels or more. Received: {size}")
    return WEIGHTS[:count] / WEIGHTS[:count].sum()


def ms_ssim(x, y, weights):
    """Multi-scale similarity of each pair, `(pairs,)`. Similarities below 0 count as 0.

    Args:
        x, y: Float64 images `(pairs, height, width, channels)` in [0, 255].
        weights: Array `(scales,)`.
    """
    product = 1.0
    for scale, weight in enumerate(weights):
        if scale > 0:
            x, y = halved(x), halved(y)
        ssim, structure = similarity(x, y)
        last = scale == len(weights) - 1
        product = product * np.maximum(ssim if last else structure, 0.0) ** weight
    return product.mean(axis=1)


def halved(images):
    """Means of 2 x 2 pixels. An odd last row or column counts twice."""
    height, width = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return (padded[:, ::2, ::2] + padded[:, 1::2, ::2] + padded[:, ::2, 1::2] + padded[:, 1::2, 1::2]) / 4
