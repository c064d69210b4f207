"""The real samples of an evaluation, and the conditions of the generated samples that it compares them with."""

import numpy as np
import tensorflow as tf

from ganzoo.metrics.features.base import quantized
from ganzoo.training import feed
from ganzoo.training.first_samples import first_samples, mapped


def read_samples(model, data, limit=None):
    """Reads all samples of a dataset or an array, as arrays.

    Args:
        model: `GenerativeModel`, which the data must fit.
        data: A `tf.data.Dataset` of batches, an array, or a pair `(images, labels)`. Datasets of `ganzoo.data` yield
            all samples, also a last batch that is not full.
        limit: Integer, or `None` for all.

    Returns:
        Pair of the samples (uint8 for images, otherwise float32) and their conditions (or `None`).
    """
    source = getattr(data, "source", None)
    trusted = source is not None or not isinstance(data, tf.data.Dataset)
    if source is not None:  # Iterating would leave out a last batch that is not full.
        elements = source.parts()
    elif isinstance(data, tf.data.Dataset):
        if limit is None and data.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError("The dataset is endless. Pass `num_real`, how many of its samples to use.")
        feed.check_dataset(model, data)
        elements = map(feed.split_element, data)
    else:
        pair = data if isinstance(data, (tuple, list)) and len(data) == 2 else (data, None)
        elements = [tuple(None if part is None else np.asarray(part) for part in pair)]
    batches = (model.conditions.arrange(*element) for element in elements)
    found = first_samples(_checked(model, batches, trusted), limit)
    total = 0 if found is None else len(found.samples)
    if total < 2:
        raise ValueError(f"Evaluate needs real samples. Received: {total}.")
    return found.first(limit)


def _checked(model, batches, trusted):
    """Yields batches as arrays, images as uint8. Raises a `ValueError` if the values do not fit the model."""
    for samples, condition in batches:
        _check_samples(model, samples, condition, trusted)
        samples = np.asarray(samples)
        yield quantized(samples) if samples.ndim == 4 else samples.astype("float32"), mapped(np.asarray, condition)


def _check_samples(model, samples, condition, trusted):
    """Raises a `ValueError` if a batch does not fit a model. Labels may be missing."""
    kind = model.conditions
    if condition is None and kind.label is not None:
        condition = np.zeros(len(samples), "int64")
    feed.check_element(model, samples, condition, trusted)
    samples = np.asarray(samples)
    if samples.dtype != np.uint8:
        feed.check_values(model, samples, None)
    if condition is not None and condition.dtype != np.uint8:
        kind.check_values(np.asarray(condition))


def conditions_to_generate(model, given, count, seed=0):
    """The conditions for `count` generated samples, or `None` for a model without conditions.

    - Labels have the class frequencies of the data, to the nearest sample, in a random order.
    - Attributes are copied from real samples.
    - If the data have no conditions, each class or value appears equally often.
    - A model that translates images gets the first inputs of the data, up to `count`.

    Args:
        model: `GenerativeModel`.
        given: The conditions of the real samples, as `read_samples` returns them.
        count: Integer.
        seed: Integer, the seed of the random order. Defaults to `0`.
    """
    kind = model.conditions
    if kind.translates:
        return given[:count]
    if given is None:
        return kind.in_turn(count)
    # The middles of `count` equal parts of [0, 1]. Read at these places, sorted labels keep their frequencies.
    random, shares = np.random.default_rng(seed), (np.arange(count) + 0.5) / count
    if kind.label is not None and len(kind) == 1:
        return random.permutation(np.sort(given)[(shares * len(given)).astype("int64")])
    order = random.permutation(count)
    return mapped(lambda part: part[(shares * len(part)).astype("int64")][order], given)
