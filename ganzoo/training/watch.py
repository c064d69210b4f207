"""Checks of all later batches of a stream, which the check of the first batch cannot cover.

Data in memory are checked before the first step. Batches of any other dataset are checked in the dataset's pipeline,
which runs on the CPU beside the training. Values must be finite, images in [-1, 1], labels valid classes of the model.
"""

import re

import tensorflow as tf

from ganzoo.training.conditions import Label

# Tells the errors of this module from TensorFlow's own.
_MARK = "ganzoo refuses a batch"
_ERROR = re.compile(_MARK + r": ([^\]]+)\] \[(\d+)\] \[(\d+)\]")

# Rounding may take images slightly out of [-1, 1].
_LIMIT = 1.001


def watched(model, stream, start):
    """A stream of batches that raises an error at the first batch that does not fit the model.

    Args:
        model: `GenerativeModel`.
        stream: `tf.data.Dataset` of the elements of the dataset of `fit`.
        start: Integer, number of the first batch.

    Returns:
        `tf.data.Dataset` of the same elements.
    """

    def check(index, *element):
        element = element[0] if len(element) == 1 else element
        parts = element if isinstance(element, (tuple, list)) else (element,)
        samples, condition = model.conditions.arrange(*parts[:2])
        # The elements pass only after the checks.
        with tf.control_dependencies(list(assertions(model, samples, condition, index))):
            return tf.nest.map_structure(tf.identity, element)

    return stream.enumerate(start).map(lambda index, element: check(index, element), tf.data.AUTOTUNE)


def assertions(model, samples, condition, index):
    """The checks of one batch, as operations."""
    yield from of_pixels(samples, "samples", len(model.image_shape) == 3, index)
    for name, value in model.conditions.parts(condition).items():
        if value.shape.rank == 4:
            yield from of_pixels(value, "input images", True, index)
        elif isinstance(model.conditions.kinds[name], Label):
            classes = model.conditions.kinds[name].num_classes
            bad = (value < 0) | (value >= tf.cast(classes, value.dtype))
            yield refused(bad, f"labels outside of 0..{classes - 1} (num_classes={classes})", index)
        else:
            yield refused(tf.reduce_any((value < 0) | (value > 1), axis=1), f"{name} outside of 0..1", index)


def of_pixels(samples, what, are_images, index):
    """The checks of floats: all must be finite, and images must lie in [-1, 1]."""
    if not samples.dtype.is_floating:
        return
    axes = list(range(1, samples.shape.rank))
    yield refused(tf.reduce_any(~tf.math.is_finite(samples), axis=axes), f"{what} with NaN or infinite values", index)
    if are_images:
        largest = tf.reduce_max(tf.abs(samples), axis=axes)
        yield refused(largest > tf.cast(_LIMIT, samples.dtype), f"{what} outside of -1 to 1", index)


def refused(bad, what, index):
    """An operation that fails if an entry of `bad` is true."""
    first = tf.argmax(tf.cast(bad, "int32"))
    return tf.debugging.Assert(~tf.reduce_any(bad), [f"{_MARK}: {what}", index, first])


def in_words(error):
    """Turns an error from the checks of `watched` into a `ValueError`. Returns `None` for any other error."""
    match = _ERROR.search(str(error))
    if match is None:
        return None
    what, batch, sample = match.groups()
    return ValueError(
        f"The data hold {what}: first in sample {sample} of batch {batch}, both counted from 0. Find and mend or drop "
        "them: training would only spread them."
    )
