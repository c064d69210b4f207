"""Makes datasets of two image collections that belong together as a whole, but not image by image."""

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
    """Makes a dataset of batches `(x, y)` from two collections, for translation between unpaired domains.

    The two collections may differ in their number of images, image size and channels. An epoch is a pass over the
    larger collection. The smaller collection is repeated, each time in another order. The two orders are drawn
    independently, so that no pairing can leak, even if the collections happen to be sorted alike.

    Iterating over the dataset gives epoch 0 each time. `dataset.stream()` gives all epochs, starting at any batch. The
    images of a batch, their jitter and their mirroring depend only on the seed and the batch's index, so that a
    training resumes exactly. Incomplete batches at the end of either collection's order are dropped. The next order has
    other images there.

    Images are kept in memory as uint8, and files are decoded once, see `from_folder`.

    Reference: [Zhu et al., 2017](https://arxiv.org/abs/1703.10593), Section 3, for the two domains. The authors' code,
    for the jitter, 286 / 256, and the mirroring.

    Args:
        x: The first collection. A folder of image files, an array as for `from_arrays`, or a dataset of `ganzoo.data`,
            whose labels are ignored.
        y: The second collection.
        batch_size: Integer, images of each collection in a batch. Defaults to `1`, as in the paper.
        seed: Integer, the seed of the orders, the jitter and the mirroring. Defaults to `0`.
        image_size: Pair of integers `(height, width)`. All images are resized to cover it and cropped at the centre.
            Defaults to the images' own size, which may differ between the collections.
        channels: Integer, 1 (grey), 3 (RGB) or 4 (RGBA), for images from folders. Defaults to `3`.
        shuffle: Boolean. `False` keeps the order of the names or arrays. Defaults to `True`.
        jitter: Float above 1. Images are enlarged by this factor (bilinear) and cut back to size at a random place.
            `True` means 286/256, as in the authors' code. Defaults to `False`. Held-out data need no jitter.
        mirror: Boolean, whether to flip half of the images, at random, from left to right. Defaults to `False`.

    Returns:
        A `tf.data.Dataset` of `(x, y)`, float32 images in `[-1, 1]`.

    Raises:
        ValueError: If a collection cannot be read, or is smaller than a batch. The message names it.

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
    """Two collections of images in host memory, read by batch index.

    Each is an `IndexedSource` with its own seed. Batch i has batch i of both.

    Args:
        x, y: Arrays `(num_images, height, width, channels)`, uint8 or float32.
        batch_size: Integer.
        seed: Integer. Defaults to `0`.
        shuffle: Boolean. Defaults to `True`.
        ratio: Float, the enlargement before a random crop. 1 (the default) means no crop.
        mirror: Boolean. Defaults to `False`.

    Attributes:
        x, y: The collections as `IndexedSource`.
        batches_per_epoch: Integer, full batches in the larger collection.
    """

    def __init__(self, x, y, batch_size, seed=0, shuffle=True, ratio=1.0, mirror=False):
        # With equal seeds, collections of equal size would have the same order, so derive two seeds.
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
        """A dictionary that identifies the data, see `IndexedSource.fingerprint`."""
        parts = {"x": self.x.fingerprint(), "y": self.y.fingerprint()}
        return {**parts, "ratio": self.ratio, "mirror": self.mirror}

    def stream(self, start=0, batches_per_epoch=None):
        """An endless `tf.data.Dataset` of raw batches `(x, y)`, starting at any batch. See `IndexedSource.stream`.

        Args:
            start: Integer, index of the first batch. Costs nothing, however large. Defaults to `0`.
            batches_per_epoch: Integer, batches before the larger collection starts its next order. Defaults to all full
                batches. The smaller collection always goes through all its full batches.

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
        """A single epoch, always epoch 0, with normalized images.

        Returns:
            A `tf.data.Dataset` of batches `(x, y)`, with the attributes `source` and `stream`.
        """
        dataset = self.stream().take(self.batches_per_epoch).map(_to_float).prefetch(tf.data.AUTOTUNE)
        dataset.source = self
        dataset.stream = self.stream
        dataset.class_names = None
        return dataset

    def _stream(self, source, start, batches_per_epoch):
        # The smaller collection starts its orders at its own pace, whatever the epoch.
        is_larger = source.num_samples // self.batch_size == self.batches_per_epoch
        return source.stream(start, batches_per_epoch if is_larger else None)

    def _augment(self, images, seed, epoch, batch):
        positions = batch * self.batch_size + tf.range(self.batch_size, dtype=tf.int64)
        rows, columns = places(positions, seed, epoch, images.shape[1:3], self.ratio, self.mirror)
        return crop(images, self.ratio, rows, columns)


def _read(name, collection, image_size, channels):
    """A collection as an array, without changes. `name` is for the messages."""
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
