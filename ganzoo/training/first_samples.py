"""Reads the first samples of a dataset as arrays, for code that looks at data without training on them."""

import time
from typing import Any, NamedTuple

import numpy as np

from ganzoo.training import feed


class FirstSamples(NamedTuple):
    """The first samples of a dataset, with their conditions.

    Args:
        samples: Array `(count, ...)`.
        condition: Array of `count` labels or images, a dictionary of such arrays by name, or `None`.
        batch_size: Integer, the size of the first batch.
    """

    samples: np.ndarray
    condition: Any
    batch_size: int

    def first(self, count):
        """The first `count` samples and their conditions, as a pair."""
        return self.samples[:count], mapped(lambda part: part[:count], self.condition)


def batches_of(model, elements):
    """Yields `(samples, condition)` for each element of a dataset, as NumPy arrays. `condition` may be `None`.

    Args:
        model: `GenerativeModel`, which tells samples from conditions.
        elements: Iterable of elements of a dataset, such as a `tf.data.Dataset` of batches.
    """
    for element in elements:
        yield feed.arrange(model, element)


def first_samples(batches, count=None, seconds=None):
    """Reads whole batches until there are `count` samples.

    Args:
        batches: Iterable of pairs `(samples, condition)` of arrays, as `batches_of` yields them.
        count: Integer, at least 1. Defaults to `None`: all batches are read.
        seconds: Float. Reading also ends after the batch that takes longer. Defaults to `None`: no limit.

    Returns:
        `FirstSamples` with all batches that were read, or `None` if there were no samples.
    """
    read, total, start = [], 0, time.monotonic()
    for batch in batches:
        read.append(batch)
        total += len(batch[0])
        if (count is not None and total >= count) or (seconds is not None and time.monotonic() - start > seconds):
            break
    if not total:
        return None
    samples, conditions = zip(*read)
    return FirstSamples(feed.concatenate(samples), feed.concatenate(conditions), len(samples[0]))


def mapped(function, condition):
    """Applies a function to a batch of conditions: an array, or each array of a dictionary. `None` stays `None`."""
    if condition is None:
        return None
    if isinstance(condition, dict):
        return {name: function(part) for name, part in condition.items()}
    return function(condition)
