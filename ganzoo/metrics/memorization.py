"""Memorization: whether generated samples are nearer to the training set than to other real samples."""

import numpy as np

from ganzoo import checks
from ganzoo.metrics import intervals
from ganzoo.metrics.distances import nearest, scaled
from ganzoo.metrics.metric import Metric, check_chunk_size, check_features
from ganzoo.metrics.score import Score


def memorization(real, fake, held_out, pairs=16, level=0.95, seed=0, chunk_size=1024):
    """Share of generated samples that are nearer to a training sample than to any held-out sample.

        share = 1 - O / 2E,    E = generated samples * held-out samples / (held-out + training samples)

    O is the number of generated samples whose nearest real sample is held out. E is its expectation for a generator
    that does not tell the kinds apart. Samples at equal distances count half. With equally many training and held-out
    samples, the value is the plain share. Whatever their numbers, the value is:

    - 0.5 for a generator that does not memorize,
    - 1 for a generator that only copies,
    - (1 + c) / 2 for a generator that copies in a share c of its samples.

    It is blind to quality and diversity.

    Training and held-out samples must have the same distribution. The generator must have been trained on all training
    samples and no held-out samples.

    Reference: This measure is our own. [Meehan et al., 2020](https://arxiv.org/abs/2004.05675) test for memorization
    with the same three sets of samples.

    Args:
        real: Array `(samples, dimensions)`, the training set.
        fake: Array `(samples, dimensions)`.
        held_out: Array `(samples, dimensions)`, real samples that were not used in training.
        pairs: Integer, number of pairs of a generated and a training sample in the details. Defaults to `16`.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, for the bootstrap. Defaults to `0`.
        chunk_size: Integer, the edge of the largest block of distances. Defaults to `1024`.

    Returns:
        A `Score`. Its details have `distance_ratio` and `pairs`.

        `distance_ratio` is the distance to the nearest training sample, divided by the distance to the nearest held-out
        sample. It is the median over generated samples, scaled by the numbers of samples and the intrinsic dimension
        so that it is 1 without memorization.

        `pairs` is a dictionary of lists with an entry for each pair, smallest ratio first. `fake` and `real` are the
        indices of the samples, `distance` is their distance, and `held_out_distance` is the distance to the nearest
        held-out sample.

    Raises:
        ValueError: With fewer than two samples of any kind.
    """
    real, fake = check_features(real, fake, largest=np.inf)  # `scaled` rescales them below.
    held_out = check_held_out(held_out, real)
    pairs = checks.integer("pairs", pairs, least=0)
    for kind, features in (("real", real), ("fake", fake), ("held-out", held_out)):
        if len(features) < 2:
            raise ValueError(f"Memorization needs at least 2 samples of each kind. Received: {len(features)} {kind}")
    intervals.check_level(level)
    chunk_size, seed = check_chunk_size(chunk_size), checks.seed("seed", seed)
    (real, fake, held_out), unit = scaled(real, fake, held_out)
    to_real, places = (found[:, 0] for found in nearest(fake, real, 1, chunk_size))
    # The second neighbour is only for the intrinsic dimension.
    to_held_out, other_places = nearest(fake, held_out, 2, chunk_size)
    intrinsic = inverse_dimension(to_held_out)
    to_held_out, other_places = to_held_out[:, 0], other_places[:, 0]
    is_nearer = np.where(to_real == to_held_out, 0.5, to_real < to_held_out)

    # Generated samples with the same neighbour depend on each other. The independent values are the shares of generated
    # samples that each training and each held-out sample attracts.
    attracted = np.bincount(places, is_nearer, len(real)) / len(fake)
    others = np.bincount(other_places, 1 - is_nearer, len(held_out)) / len(fake)
    expected = len(held_out) / (len(held_out) + len(real))
    value = 1 - others.sum() / (2 * expected)
    influences = influences_on_share(attracted, others, expected)
    least = 1 - 1 / (2 * expected)
    interval = intervals.from_influence(value, influences, 0.0, level, seed, bounds=(least, 1.0))
    if not (others.any() and attracted.any()):  # If all agree, nothing varies: use Wilson's limit.
        room = intervals.of_share(np.zeros(len(fake)), level)[1] / (2 * expected)
        interval = (least, least + room) if others.any() else (1 - room, 1.0)

    tiny = np.finfo("float64").tiny
    ratios = np.where(to_real == to_held_out, 1.0, np.sqrt(to_real) / np.sqrt(np.maximum(to_held_out, tiny)))
    # Sort by ratio, then by distance, then by index.
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
                "distance": (unit * np.sqrt(to_real[first])).tolist(),
                "held_out_distance": (unit * np.sqrt(to_held_out[first])).tolist(),
            },
        },
    )


class Memorization(Metric):
    """Streaming `memorization`. The real samples are the training set.

    Args:
        features, level, seed, chunk_size: As for `Metric`.
        held_out: Real samples that were not used in training, all at once, in the format of `update_state`.
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
        self.held_out = self.features(checks.array("held_out", held_out))
        self.pairs = checks.integer("pairs", pairs, least=0)

    def compute(self, real, fake):
        return memorization(real, fake, self.held_out, self.pairs, self.level, self.seed, self.chunk_size)


def influences_on_share(attracted, others, expected):
    """Derivative of `1 - others / (others + attracted) / (2 expected)` with respect to the weight of each sample.

    Args:
        attracted, others: Arrays, the share of generated samples that each training or held-out sample attracts.
        expected: Float, the expected share of all held-out samples.
    """
    return [
        len(attracted) * others.sum() / (2 * expected) * attracted,
        -len(others) * attracted.sum() / (2 * expected) * others,
    ]


def inverse_dimension(squares):
    """1 / dimension of the region of the samples, from the squared distances to their two nearest neighbours.

    The ratio of the volumes up to the second and the first neighbour has a logarithm of 1 on average.

    Reference: [Facco et al., 2017](https://doi.org/10.1038/s41598-017-11873-y).
    """
    squares = squares[squares[:, 0] > 0]
    return np.mean(np.log(squares[:, 1] / squares[:, 0])) / 2 if len(squares) else 0.0


def check_held_out(held_out, real):
    """Returns the held-out samples as an array, or raises a `ValueError`."""
    held_out = checks.array("held_out", held_out)
    if held_out.ndim != 2 or held_out.shape[1] != real.shape[1]:
        raise ValueError(
            f"`held_out` must be `(samples, {real.shape[1]})` like the training set. Received: shape {held_out.shape}"
        )
    return check_features(held_out, real, largest=np.inf)[0]
