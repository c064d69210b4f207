"""Mutual information: how much a position on a direction tells about a known attribute."""

import dataclasses

import numpy as np

from ganzoo import checks


@dataclasses.dataclass(frozen=True)
class Information:
    """Mutual information of a position with an attribute, in nats.

    Args:
        value: Float, the estimate minus `chance`. It may fall below 0.
        chance: Float, the mean estimate for positions in random orders. Their true value is 0.
        floor: Float, the largest estimate for a random order. A smaller estimate may be chance.
        entropy: Float, the entropy of the attribute, the upper limit.
    """

    value: float
    chance: float
    floor: float
    entropy: float

    @property
    def is_found(self):
        """Whether the estimate is above the estimates of all random orders."""
        return self.value + self.chance > self.floor


def mutual_information(positions, labels, bins=10, permutations=100, seed=0):
    """Computes the mutual information of positions on a direction with a known attribute of the same samples.

        I = sum p(b, y) log(p(b, y) / (p(b) p(y)))

    b is the bin of the position. The bins hold equally many samples. With few samples the estimate from frequencies is
    too large. Positions in random orders show the excess, and it is subtracted.

    Args:
        positions: Float array `(samples,)`, such as `latents @ direction`.
        labels: Integer array `(samples,)`, such as the class that a classifier reads in the generated images.
        bins: Integer. Defaults to `10`.
        permutations: Integer, random orders. Defaults to `100`.
        seed: Integer, for the random orders and the order of equal positions. Defaults to `0`.

    Returns:
        `Information`.

    Raises:
        ValueError: If the shapes are not both `(samples,)`, or the labels are not integers of at least 0.

    Example:

    >>> ganzoo.latent.mutual_information(np.linspace(-1, 1, 1000), np.repeat([0, 1], 500)).entropy  # log 2
    """
    positions, labels = checks.array("positions", positions, "float64"), checks.array("labels", labels)
    bins, permutations = checks.counts(bins=bins, permutations=permutations)
    if positions.ndim != 1 or labels.shape != positions.shape or not len(labels) or not np.isfinite(positions).all():
        raise ValueError(
            "`positions` must be finite numbers (samples,) with one label each. Received: positions of shape "
            f"{positions.shape} and labels of shape {labels.shape}"
        )
    if labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ValueError(f"`labels` must be integers of at least 0. Received: {labels.dtype} from {labels.min()} on")
    random = np.random.default_rng(checks.seed("seed", seed))
    order = np.lexsort((random.random(len(positions)), positions))  # Ties in a random order.
    places = np.empty(len(order), "int64")
    places[order] = np.arange(len(order)) * bins // len(order)
    labels = np.unique(labels, return_inverse=True)[1]
    shuffled = [plug_in(random.permutation(places), labels) for _ in range(permutations)]
    chance = float(np.mean(shuffled))
    return Information(plug_in(places, labels) - chance, chance, max(shuffled), entropy(labels))


def entropy(labels):
    """The entropy of a column of small integers from their frequencies, in nats."""
    shares = np.bincount(labels) / len(labels)
    return float(-np.sum(shares[shares > 0] * np.log(shares[shares > 0])))


def plug_in(first, second):
    """Mutual information of two columns of small integers from their frequencies, in nats."""
    counts = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(counts, (first, second), 1)
    joint = counts / counts.sum()
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    seen = joint > 0
    return float(np.sum(joint[seen] * np.log(joint[seen] / independent[seen])))
