"""Samples in memory that are read by index, in an order that can start at any point."""

import hashlib

import numpy as np
import tensorflow as tf

from ganzoo import checks
from ganzoo.data.pixels import normalize
from ganzoo.data.stored import StoredImages

# With fewer rounds of the cipher, orders of 10 samples fail a chi-square test.
_ROUNDS = 16

_PROBES = 64  # Samples in a fingerprint of the data.
_CHUNK = 256  # Samples per chunk without a batch size.
_PIECE = 4096  # Samples per chunk when all samples are read from a file.

# The functions below never branch on a tensor. AutoGraph would take a third of the time until the first batch.
_AS_IT_STANDS = tf.autograph.experimental.do_not_convert


def keys_of(seed, epoch, count=1):
    """`count` unrelated cipher keys for a seed and an epoch, a uint32 tensor `(count, 3)`.

    The pair is hashed. `tf.random.experimental.index_shuffle` uses the pair itself as a key, which yields at most 256
    different epochs, and neighbouring epochs are correlated.
    """
    numbers = tf.random.stateless_uniform(
        [3 * count],
        tf.stack([tf.constant(seed, tf.int64), tf.cast(epoch, tf.int64)]),
        minval=None,
        maxval=None,
        dtype=tf.uint32,
        alg="philox",
    )
    return tf.reshape(numbers, [count, 3])


def shuffled(positions, num_samples, seed, epoch):
    """Maps positions to sample indices, by a permutation of the samples for each `(seed, epoch)`.

    It is a pure function of each position, so an epoch can start anywhere without replaying or storing its order.

    Args:
        positions: int64 tensor `(n,)`, each in `[0, num_samples)`.
        num_samples: Integer.
        seed: Integer.
        epoch: Integer or int64 scalar tensor.

    Returns:
        int64 tensor of the shape of `positions`.
    """
    last = tf.constant(num_samples - 1, tf.int64)
    return tf.raw_ops.RandomIndexShuffle(index=positions, seed=keys_of(seed, epoch)[0], max_index=last, rounds=_ROUNDS)


def uniform_numbers(positions, seed, epoch, count):
    """Random numbers for positions, which depend only on seed, epoch and position.

    Args:
        positions: int64 tensor `(n,)`.
        seed: Integer.
        epoch: Integer or int64 scalar tensor.
        count: Integer, numbers per position.

    Returns:
        float32 tensor `(count, n)` of numbers in (0, 1), unrelated to the order.
    """
    last = tf.constant(2**31 - 1, tf.int64)
    numbers = [
        tf.raw_ops.RandomIndexShuffle(index=positions, seed=key, max_index=last, rounds=_ROUNDS)
        for key in tf.unstack(keys_of(seed, epoch, 1 + count))[1:]  # The first key belongs to the order.
    ]
    # The centres of 2^23 equal parts of (0, 1) are exact in float32.
    return (tf.cast(tf.stack(numbers) // 2**8, tf.float32) + 0.5) / 2**23


class IndexedSource:
    """Samples, with labels or targets if there are any, as tensors in host memory or as images in a file.

    The public functions return `dataset()`. It has the attributes `stream` (the method below), `source` (this object)
    and `class_names`. Datasets from its methods `map`, `take`, ... do not have them.

    Args:
        images: uint8 array `(num_samples, height, width, channels)`, or float32 array `(num_samples, ...)`, or
            `StoredImages`.
        labels: Optional integer array `(num_samples,)`, float attributes `(num_samples, count)`, or a dictionary of
            both kinds by name.
        batch_size: Integer. `None` (the default) gives single samples.
        seed: Integer, the seed of the order. Defaults to `0`.
        shuffle: Boolean, whether each epoch has its own random order. `False` keeps the order of `images`. Defaults to
            `True`.
        class_names: Optional list of strings.
        targets: Optional second array of images, with a target for each image, instead of labels.
        augment: Optional function `(images, targets, epoch, positions)` -> both, changed at random. The changes must
            depend only on the seed, the epoch and the positions.

    Raises:
        ValueError: If there are no samples, or `batch_size` or `seed` is out of range.
    """

    def __init__(
        self,
        images,
        labels=None,
        batch_size=None,
        seed=0,
        shuffle=True,
        class_names=None,
        targets=None,
        augment=None,
    ):
        self.num_samples = len(images)
        self.batch_size = check_batch_size(batch_size, self.num_samples)
        self.seed = check_seed(seed)
        self.shuffle = checks.boolean("shuffle", shuffle)
        self.class_names = class_names
        self.augment = augment
        with tf.device("CPU:0"):  # A tensor on the GPU would be copied back for every batch.
            self.images = images if isinstance(images, StoredImages) else tf.constant(images)
            self.labels = None if labels is None else tf.nest.map_structure(_as_condition, labels)
            self.targets = None if targets is None else tf.constant(targets)

    def stream(self, start=0, batches_per_epoch=None):
        """An endless `tf.data.Dataset` of raw batches, starting at any batch.

        Batch `i` is the batch `i % batches_per_epoch` of the epoch `i // batches_per_epoch`, whatever `start` is. So
        the stream from `start` equals the stream from 0 without its first `start` batches. uint8 images stay uint8, for
        the device to `normalize`.

        Args:
            start: Integer, index of the first batch. Costs nothing, however large. Defaults to `0`.
            batches_per_epoch: Integer, batches before the next epoch starts. Defaults to all full batches, `num_samples
                // batch_size`.

        Returns:
            A `tf.data.Dataset` of `(images, labels)`, of `(images, targets)`, or only of images.

        Raises:
            ValueError: If the dataset has no batch size, or an argument is out of range.
        """
        if self.batch_size is None:
            raise ValueError(
                "stream() gives batches, but this dataset was made with batch_size=None. "
                "Pass batch_size= where you make the dataset."
            )
        full = self.num_samples // self.batch_size
        start = checks.integer("start", start, least=0)
        if batches_per_epoch is None:
            batches_per_epoch = full
        batches_per_epoch = checks.integer("batches_per_epoch", batches_per_epoch, least=1)
        if batches_per_epoch > full:
            raise ValueError(
                f"`batches_per_epoch` must be at most {full}, the full batches in {self.num_samples} samples with "
                f"batch_size={self.batch_size}. Received: batches_per_epoch={batches_per_epoch}"
            )

        @_AS_IT_STANDS
        def batch(index):
            return self._batch(index // batches_per_epoch, index % batches_per_epoch)

        # Read several batches of a file at once, because each may wait for the disk.
        at_once = tf.data.AUTOTUNE if isinstance(self.images, StoredImages) else None
        return _finish(tf.data.Dataset.counter(tf.constant(start, tf.int64)).map(batch, at_once))

    def fingerprint(self):
        """A dictionary that identifies the data: the number of samples, their order, and a hash of up to 64 samples."""
        sha = hashlib.sha256()
        places = np.linspace(0, self.num_samples - 1, min(_PROBES, self.num_samples)).astype("int64")
        sha.update(self._images_at(tf.constant(places)).numpy().tobytes())
        for part in tf.nest.flatten((self.labels, self.targets)):
            if part is not None:
                sha.update(tf.gather(part, places).numpy().tobytes())
        return {"samples": self.num_samples, "seed": self.seed, "shuffle": self.shuffle, "sha256": sha.hexdigest()}

    def parts(self):
        """Yields all images with their labels or targets, or `None`, in the stored order.

        Images in memory come in a single part, images in a file in parts of a few thousand.
        """
        others = self.labels if self.targets is None else self.targets
        if not isinstance(self.images, StoredImages):
            yield self.images, others
            return
        for first in range(0, self.num_samples, _PIECE):
            rows = slice(first, min(first + _PIECE, self.num_samples))
            images = tf.constant(self.images.take(np.arange(rows.start, rows.stop)))
            yield images, None if others is None else tf.nest.map_structure(lambda part, rows=rows: part[rows], others)

    def dataset(self):
        """A single epoch, always epoch 0, with normalized images.

        Returns:
            A `tf.data.Dataset` of batches, or of single samples without a batch size.
        """
        if self.batch_size is None:
            # Read in chunks, because a call per sample would cost more than the sample.
            positions = tf.data.Dataset.range(self.num_samples).batch(_CHUNK)
            chunks = positions.map(_AS_IT_STANDS(lambda positions: _normalize_uint8(self._gather(0, positions))))
            epoch = chunks.unbatch().apply(tf.data.experimental.assert_cardinality(self.num_samples))
        else:
            full = tf.data.Dataset.range(self.num_samples // self.batch_size)
            epoch = full.map(_AS_IT_STANDS(lambda index: _normalize_uint8(self._batch(0, index))))
        dataset = _finish(epoch)
        dataset.source = self
        dataset.stream = self.stream
        dataset.class_names = self.class_names
        return dataset

    def _batch(self, epoch, index):
        first = index * self.batch_size
        return self._gather(epoch, first + tf.range(self.batch_size, dtype=tf.int64))

    def _gather(self, epoch, positions):
        indices = positions
        if self.shuffle:
            indices = shuffled(positions, self.num_samples, self.seed, epoch)
        images = self._images_at(indices)
        if self.targets is not None:
            pair = images, tf.gather(self.targets, indices)
            return pair if self.augment is None else self.augment(*pair, epoch, positions)
        if self.labels is None:
            return images
        return images, tf.nest.map_structure(lambda part: tf.gather(part, indices), self.labels)

    def _images_at(self, indices):
        if not isinstance(self.images, StoredImages):
            return tf.gather(self.images, indices)
        images = tf.numpy_function(self.images.take, [indices], tf.uint8, stateful=False)
        return tf.ensure_shape(images, [*indices.shape, *self.images.shape[1:]])


def check_batch_size(batch_size, num_samples):
    """Returns `batch_size`, an integer or `None`, if it suits `num_samples` samples."""
    if num_samples == 0:
        raise ValueError("There are no samples: the dataset is empty.")
    batch_size = checks.integer("batch_size", batch_size, least=1, optional=True)
    if batch_size is not None and batch_size > num_samples:
        raise ValueError(
            f"batch_size={batch_size} is larger than the dataset, which has {num_samples} samples: "
            "not one batch would be full. Pass a smaller batch_size or more samples."
        )
    return batch_size


def check_seed(seed):
    """Returns `seed` as a Python integer from 0 to 2**63 - 1."""
    return checks.seed("seed", seed)


def _as_condition(values):
    """Converts labels to int64 and attributes to float32."""
    values = tf.convert_to_tensor(values)
    return tf.cast(values, tf.float32 if values.dtype.is_floating else tf.int64)


def _normalize_uint8(parts):
    return tf.nest.map_structure(lambda part: normalize(part) if part.dtype == tf.uint8 else part, parts)


def _finish(dataset):
    options = tf.data.Options()
    options.deterministic = True
    # Without files, workers can only split the data itself. AUTO would warn about that.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(options)
