"""Checks of all later batches of a stream, which the check of the first batch cannot cover.

Data in memory are checked before the first step. Batches of any other dataset are checked in the dataset's pipeline,
which runs on the CPU beside the training. Values must be finite, images in [-1, 1], labels valid classes of the model.
"""

import re

import tensorflow as tf

from ganzoo.training.condition_kinds import Label

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
        rules = list(rules_of(model, samples, condition))
        is_fine = tf.reduce_all([True, *(tf.reduce_all(fine) for fine, _ in rules)])
        # The elements pass only after the checks. A good batch pays for no more than `is_fine`.
        with tf.control_dependencies([tf.cond(is_fine, tf.no_op, lambda: report(rules, index))]):
            return tf.nest.map_structure(tf.identity, element)

    return stream.enumerate(start).map(lambda index, element: check(index, element), tf.data.AUTOTUNE)


def rules_of(model, samples, condition):
    """The rules for one batch.

    Yields:
        Pair: a boolean tensor with a row for each sample, true where the batch is good, and a dictionary from the words
        for a fault to a function that returns such a tensor for this fault.
    """
    yield from rules_of_pixels(samples, "samples", len(model.image_shape) == 3)
    for name, value in model.conditions.parts(condition).items():
        if value.shape.rank == 4:
            yield from rules_of_pixels(value, "input images", True)
        elif isinstance(model.conditions.kinds[name], Label):
            classes = model.conditions.kinds[name].num_classes
            fine = (value >= 0) & (value < tf.cast(classes, value.dtype))
            yield fine, {f"labels outside of 0..{classes - 1} (num_classes={classes})": lambda fine=fine: fine}
        else:
            fine = (value >= 0) & (value <= 1)
            yield fine, {f"{name} outside of 0..1": lambda fine=fine: fine}


def rules_of_pixels(samples, what, are_images):
    """The rules for floats: all must be finite, and images must lie in [-1, 1]."""
    if samples.dtype.is_floating:
        limit = tf.constant(_LIMIT if are_images else samples.dtype.max, samples.dtype)
        fine = tf.abs(samples) <= limit  # Also false for NaN: one comparison finds every fault.
        yield (
            fine,
            {
                f"{what} with NaN or infinite values": lambda: tf.math.is_finite(samples),
                f"{what} outside of -1 to 1": lambda: fine,
            },
        )


def report(rules, index):
    """An operation that fails, and names the first fault of a batch, the batch, and the first sample with the fault."""
    for _, faults in rules:
        for what, good in faults.items():
            bad = tf.reduce_any(tf.reshape(~good(), (tf.shape(good())[0], -1)), axis=1)
            first = tf.argmax(tf.cast(bad, "int32"))
            tf.debugging.Assert(~tf.reduce_any(bad), [f"{_MARK}: {what}", index, first])
    return tf.no_op()


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
