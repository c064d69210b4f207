"""How a dataset is batched: the size of its batches, and how many of them are full."""

import collections

import tensorflow as tf

from ganzoo.progress import track

# Transformations of tf.data that keep the number of batches.
_PASS_ON = ("Shuffle", "Cache", "Prefetch", "Map", "Options", "ModelDataset")

# If a dataset may be endless and has no `batch` to tell the batch size, this number of batches is read to see it.
_FIRST_BATCHES = 8


class Batching:
    """The size and number of a dataset's batches, as far as known before the training.

    Attributes:
        size: Integer, samples in a full batch.
        full: Integer, full batches in one pass. `None` if unknown, as for an endless dataset.
        left_out: Integer, samples in batches of other sizes in one pass. 0 if unknown.
    """

    def __init__(self, size, full=None, left_out=0):
        self.size = size
        self.full = full
        self.left_out = left_out


def batching_of(dataset, size_of, static_size=None, endless=False):
    """Finds out how a dataset is batched.

    The first batch alone cannot tell, because a shuffle may have put the smallest batch first.

    Args:
        dataset: `tf.data.Dataset` of batches.
        size_of: Function, element -> number of samples as a tensor.
        static_size: Integer, the batch size if the shapes of the elements contain it. Defaults to `None`.
        endless: Boolean, whether the dataset must not be read to its end. Defaults to `False`.

    Returns:
        `Batching`.
    """
    batches = int(dataset.cardinality())
    if static_size is not None and (batches >= 0 or endless):
        return Batching(static_size, batches if batches >= 0 else None)
    declared, samples, passes_on = declared_batches(dataset)
    if declared is not None and batches >= 0 and samples is not None and passes_on:
        return Batching(declared, samples // declared, samples % declared)
    if endless:
        size = declared or most_common(sizes_of(dataset.take(_FIRST_BATCHES), size_of))
        return Batching(size)
    sizes = sizes_of(dataset, size_of, batches)
    size = static_size or declared or most_common(sizes)
    full = sizes.count(size)
    return Batching(size, full, sum(sizes) - size * full)


def sizes_of(dataset, size_of, batches=-1):
    """The sizes of all batches, from one pass over the data. Shows progress on stderr if that takes long."""
    sizes = dataset.map(lambda *batch: size_of(batch))
    count = batches if batches >= 0 else None
    return [int(size) for size in track(sizes, count, "Counting the batches of a dataset of unknown length")]


def most_common(sizes):
    """The most frequent batch size, 0 without batches. Ties go to the largest: only a last batch is smaller."""
    counts = collections.Counter(sizes)
    return max(counts, key=lambda size: (counts[size], size), default=0)


def declared_batches(dataset):
    """The arguments of the `batch` call in a dataset's pipeline, from TensorFlow's private attributes.

    Returns:
        `(size or None, samples or None, boolean)`: the batch size, the number of samples before batching, and whether
        all batches reach the end of the pipeline.
    """
    passes_on = True
    while True:
        # `_ParallelMapDataset` and `_MapDataset` do the same.
        kind = type(dataset).__name__.removeprefix("_").removeprefix("Parallel")
        inputs = dataset._inputs()
        if kind == "BatchDataset":
            size = tf.get_static_value(dataset._batch_size)
            samples = int(inputs[0].cardinality())
            return (None if size is None else int(size)), (samples if samples >= 0 else None), passes_on
        if len(inputs) != 1:
            return None, None, False
        passes_on &= kind.startswith(_PASS_ON)
        dataset = inputs[0]
