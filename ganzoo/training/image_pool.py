"""A pool of earlier generated images, which the discriminator sees beside new images."""

import keras
import tensorflow as tf

from ganzoo import checks
from ganzoo.replicas import gather_over_replicas, rows_of_replica


@keras.saving.register_keras_serializable("ganzoo")
class ImagePool(keras.layers.Layer):
    """A pool of earlier generated images for the update of a discriminator.

    If a discriminator only sees the newest images, it forgets how to reject older images, and the generator's old
    faults come back. So the discriminator gets an old image from the pool in place of each new image with probability
    1/2.

    Until the pool is full, each new image is stored and returned. Once the pool is full, each new image is either

    - returned, with probability 1/2, or
    - stored in the place of a random older image, which is returned.

    The images of a batch are processed in order, so an image may be exchanged for an earlier image of the same batch.

    The pool is part of the model's saved state: `size` images in float32, 39 MB for 50 images of 256x256x3. Replicas
    share it. Each replica sees the images of all replicas, makes the same changes to the pool, and returns its own
    share. So two replicas do the same as a single device.

    Reference: [Shrivastava et al., 2016](https://arxiv.org/abs/1612.07828), Section 2.3;
    [Zhu et al., 2017](https://arxiv.org/abs/1703.10593), Section 4.

    Departures from the paper: the exchange follows Zhu et al. Shrivastava et al. take half of each batch from the pool
    and then replace the same number of stored images.

    Args:
        size: Integer, the number of stored images. With `0`, images are returned unchanged.
        image_shape: Shape of one image, such as `(256, 256, 3)`.

    Example:

    >>> pool = ImagePool(50, (32, 32, 3))
    >>> seen = pool.query(fake, model.uniform((batch_size, 2)))
    """

    def __init__(self, size, image_shape, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.size = checks.integer("size", size, least=0)
        self.image_shape = tuple(image_shape)
        self.images = self.count = None
        if self.size:
            # All replicas make the same changes, so the first replica's copy is right for all.
            settings = {"initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
            self.images = self.add_weight(
                shape=(self.size, *self.image_shape), dtype="float32", name="images", **settings
            )
            self.count = self.add_weight(shape=(), dtype="int32", name="count", **settings)
        self.built = True

    def query(self, images, numbers):
        """Exchanges new images for old images, and updates the pool.

        Args:
            images: Float32 tensor `(batch, ...)`, this replica's new images.
            numbers: Float32 tensor `(batch, 2)` of uniform numbers in [0, 1): the first decides whether to exchange,
                the second decides for which image.

        Returns:
            Float32 tensor with the shape of `images`, without a gradient.
        """
        images = tf.stop_gradient(tf.cast(images, "float32"))
        if not self.size:
            return images
        new, numbers = gather_over_replicas(images), gather_over_replicas(numbers)
        stored, count = tf.convert_to_tensor(self.images), tf.convert_to_tensor(self.count)
        slots, exchanges, stores = self._decide(numbers, count)
        shown = tf.where(as_column(exchanges, new), latest(slots, slots, stores, new, stored), new)
        self.images.assign(latest(tf.range(self.size), slots, stores, new, stored, whole_batch=True))
        self.count.assign(tf.minimum(count + tf.shape(new)[0], self.size))
        return rows_of_replica(shown, images)

    def _decide(self, numbers, count):
        """For each new image: its slot, whether it is exchanged, and whether it is stored."""
        place = count + tf.range(tf.shape(numbers)[0])
        is_full = place >= self.size
        # The largest number below 1, times the size, may round up to the size.
        drawn = tf.minimum(tf.cast(numbers[:, 1] * float(self.size), "int32"), self.size - 1)
        exchanges = is_full & (numbers[:, 0] < 0.5)
        return tf.where(is_full, drawn, place), exchanges, exchanges | ~is_full

    def get_config(self):
        return {**super().get_config(), "size": self.size, "image_shape": self.image_shape}


def latest(wanted, slots, stores, new, stored, whole_batch=False):
    """The images in the wanted slots, computed without a loop over the batch.

    Args:
        wanted: Integer tensor `(n,)` of slots. Without `whole_batch`, entry i is read just before image i is stored.
        slots: Integer tensor `(batch,)`, the slot of each new image.
        stores: Boolean tensor `(batch,)`, whether each new image is stored in its slot.
        new: Tensor `(batch, ...)`, the new images.
        stored: Tensor `(size, ...)`, the content of the slots before the batch.
        whole_batch: Boolean, whether to read after the whole batch has been stored.
    """
    order = tf.range(tf.shape(new)[0])
    # writes[i, j]: new image j is written into wanted slot i. The last writer wins.
    writes = stores[None] & (slots[None] == wanted[:, None])
    if not whole_batch:
        writes &= order[None] < order[:, None]
    last = tf.reduce_max(tf.where(writes, order[None], -1), axis=1)
    return tf.where(as_column(last >= 0, new), tf.gather(new, tf.maximum(last, 0)), tf.gather(stored, wanted))


def as_column(flags, images):
    """Reshapes flags `(n,)` to the rank of images, so that they broadcast."""
    return tf.reshape(flags, [-1] + [1] * (images.shape.rank - 1))
