"""Datasets of two collections of images that belong together as a whole, and not image by image."""

import os

import numpy as np
import tensorflow as tf

from ganzoo import checks
from ganzoo.data.arrays import check_images
from ganzoo.data.folder import from_folder
from ganzoo.data.indexed import IndexedSource, check_batch_size, check_seed
from ganzoo.data.paired import check_jitter, crop, enlargement, places, resize
from ganzoo.data.pixels import check_image_size, normalize


def unpaired(x, y, batch_size=1, seed=0, image_size=None, channels=3, shuffle=True, jitter=False, mirror=False):
    """A dataset of batches `(x, y)` of two collections, for translation between unpaired domains.

    The two collections may hold different numbers of images, of different sizes and channels. An epoch is one pass over
    the larger collection. The smaller one is repeated, each time in another order. The orders of the two are drawn
    apart, so that nothing of a pairing can leak, even if the collections happen to be sorted alike.

    Iterating over the dataset gives epoch 0 each time. `dataset.stream()` gives all epochs from any batch on: which
    images a batch holds, and how they are jittered and mirrored, is a function of the seed and the batch's index, so
    that a training resumes exactly. Incomplete batches are dropped, at the end of an order of either collection. The
    next order has other images there.

    Images are held in memory as uint8, and files are decoded once, see `from_folder`.

    Reference: [Zhu et al., 2017](https://arxiv.org/abs/1703.10593), Section 3 (the two domains); the authors' code for
    the jitter, 286 / 256, and the mirroring.

    Args:
        x: The first collection: a folder of image files, an array as `from_arrays` takes it, or a dataset of
            `ganzoo.data`, whose labels are left out.
        y: The second collection.
        batch_size: Integer, images of each collection in a batch. Defaults to `1`, as in the paper.
        seed: Integer, the seed of the orders, the jitter and the mirroring. Defaults to `0`.
        image_size: Pair of integers `(height, width)`: all images are resized to cover it and cropped at the centre.
            Defaults to the images' own size, one for each collection.
        channels: Integer, 1 (grey), 3 (RGB) or 4 (RGBA), of what is read from folders. Defaults to `3`.
        shuffle: Boolean, `False` keeps the order of the names or arrays. Defaults to `True`.
        jitter: Float above 1: images are enlarged by this factor (bilinear) and cut back to size at a random place.
            `True` is the 286/256 of the authors' code. Defaults to `False`; held-out data need none.
        mirror: Boolean, flip every other image, at random, from left to right. Defaults to `False`.

    Returns:
        A `tf.data.Dataset` of `(x, y)`: float32 images in `[-1, 1]`.

    Raises:
        ValueError: If a collection cannot be read, or is smaller than a batch; the message names it.

    Example:

    ```python
    horses, zebras = (np.random.default_rng(i).integers(0, 256, (20 + i, 32, 32, 3), "uint8") for i in range(2))
    dataset = ganzoo.data.unpaired(horses, zebras, batch_size=4, mirror=True)
    ```
    """
    image_size = check_image_size(image_size)
    check_jitter(jitter)
    channels = checks.choice("channels", channels, (1, 3, 4))
    seed, shuffle = checks.seed("seed", seed), checks.boolean("shuffle", shuffle)
    mirror = checks.boolean("mirror", mirror)
    x, y = _read("x", x, image_size, channels), _read("y", y, image_size, channels)
    x, y = check_images(x, "x"), check_images(y, "y")
    batch_size = _check_batch_size(batch_size, x, y)
    x, y = _resized("x", x, image_size), _resized("y", y, image_size)
    return UnpairedSource(x, y, batch_size, seed, shuffle, enlargement(jitter), mirror).dataset()


class UnpairedSource:
    """Two collections of images in host memory, read by the index of a batch.

    Each is an `IndexedSource` with a seed of its own, and batch i of the whole is batch i of both.

    Args:
        x, y: Arrays `(num_images, height, width, channels)`, uint8 or float32.
        batch_size: Integer.
        seed: Integer. Defaults to `0`.
        shuffle: Boolean. Defaults to `True`.
        ratio: Float, the enlargement before a random crop; 1 (the default) crops nothing.
        mirror: Boolean. Defaults to `False`.

    Attributes:
        x, y: The two as `IndexedSource`.
        batches_per_epoch: Integer, the full batches in the larger one.
    """

    def __init__(self, x, y, batch_size, seed=0, shuffle=True, ratio=1.0, mirror=False):
        # Two seeds of one: with the same seed, collections of the same size would have the same order.
        self._seeds = [int(word) >> 1 for word in np.random.SeedSequence(check_seed(seed)).generate_state(2, np.uint64)]
        self.x, self.y = (
            IndexedSource(images, None, batch_size, own_seed, shuffle)
            for images, own_seed in zip((x, y), self._seeds, strict=True)
        )
        self.batch_size = batch_size
        self.ratio = ratio
        self.mirror = mirror
        self.batches_per_epoch = max(self.x.num_samples, self.y.num_samples) // batch_size

    def fingerprint(self):
        """A dictionary that tells data apart, as that of `IndexedSource`."""
        parts = {"x": self.x.fingerprint(), "y": self.y.fingerprint()}
        return {**parts, "ratio": self.ratio, "mirror": self.mirror}

    def stream(self, start=0, batches_per_epoch=None):
        """An endless `tf.data.Dataset` of raw batches `(x, y)`, entered at any batch; see `IndexedSource.stream`.

        Args:
            start: Integer, index of the first batch. Costs nothing, however large. Defaults to `0`.
            batches_per_epoch: Integer, batches before the larger collection's next order begins. Defaults to all that
                are full. The smaller collection goes through all its full batches in any case.

        Raises:
            ValueError: If an argument is out of range.
        """
        parts = [self._stream(source, start, batches_per_epoch) for source in (self.x, self.y)]
        batches = tf.data.Dataset.zip(tuple(parts))
        if self.ratio == 1 and not self.mirror:
            return batches
        indices = tf.data.Dataset.counter(tf.constant(int(start), tf.int64))
        in_epoch = self.batches_per_epoch if batches_per_epoch is None else int(batches_per_epoch)

        def augment(batch, index):
            return tuple(
                self._augment(images, seed, index // in_epoch, index % in_epoch)
                for images, seed in zip(batch, self._seeds, strict=True)
            )

        return tf.data.Dataset.zip((batches, indices)).map(augment).prefetch(tf.data.AUTOTUNE)

    def dataset(self):
        """One epoch, always epoch 0, with normalized images.

        Returns:
            A `tf.data.Dataset` of batches `(x, y)`, with the attributes `source` and `stream`.
        """
        dataset = self.stream().take(self.batches_per_epoch).map(_to_float).prefetch(tf.data.AUTOTUNE)
        dataset.source = self
        dataset.stream = self.stream
        dataset.class_names = None
        return dataset

    def _stream(self, source, start, batches_per_epoch):
        # The smaller collection ends its orders at its own pace, whatever an epoch is.
        is_larger = source.num_samples // self.batch_size == self.batches_per_epoch
        return source.stream(start, batches_per_epoch if is_larger else None)

    def _augment(self, images, seed, epoch, batch):
        positions = batch * self.batch_size + tf.range(self.batch_size, dtype=tf.int64)
        rows, columns = places(positions, seed, epoch, images.shape[1:3], self.ratio, self.mirror)
        return crop(images, self.ratio, rows, columns)


def _read(name, collection, image_size, channels):
    """A collection as an array, as it came; `name` is for the messages."""
    if isinstance(collection, (str, os.PathLike)):
        return from_folder(collection, image_size, channels, shuffle=False).source.images.numpy()
    if not isinstance(collection, tf.data.Dataset):
        return collection
    source = getattr(collection, "source", None)
    if not isinstance(source, IndexedSource) or source.targets is not None:
        came = "a dataset of pairs" if isinstance(source, IndexedSource) else "another tf.data.Dataset"
        raise ValueError(
            f"The collection {name} must be a folder, an array of images, or a dataset of single images that "
            f"ganzoo.data made. Received: {came}. Pass its images as an array."
        )
    return source.images.numpy()


def _check_batch_size(batch_size, x, y):
    batch_size = check_batch_size(checks.integer("batch_size", batch_size, least=1), max(len(x), len(y)))
    for name, images in (("x", x), ("y", y)):
        if batch_size > len(images):
            raise ValueError(
                f"batch_size={batch_size} is larger than the collection {name}, which has {len(images)} images: not "
                "one batch would be full. Pass a smaller batch_size or more images."
            )
    return batch_size


def _resized(name, images, image_size):
    if images.ndim != 4:
        raise ValueError(
            f"The collection {name} must hold images (height, width, channels). Received: an array of the shape "
            f"{images.shape}."
        )
    return images if image_size in (None, images.shape[1:3]) else resize(images, image_size)


def _to_float(*parts):
    return tuple(normalize(part) if part.dtype == tf.uint8 else part for part in parts)
