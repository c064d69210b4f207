"""A pool of earlier generated images, which a discriminator sees beside the newest."""

import keras
import tensorflow as tf

from ganzoo import checks
from ganzoo.replicas import gather_over_replicas, rows_of_replica


@keras.saving.register_keras_serializable("ganzoo")
class ImagePool(keras.layers.Layer):
    """A history of generated images, for the update of a discriminator.

    A discriminator that sees the newest images only forgets how to reject older ones, and the generator brings their
    faults back. Here it gets, for each new image, with probability 1/2 an old one out of the pool.

    While the pool is not full, each new image is stored and returned. When it is full, each new image

    - is returned itself, with probability 1/2, or
    - takes the place of a random stored image, which is returned in its stead.

    The images of a batch come one after the other, so that one of them may return another that was stored just before.

    The pool is part of the model's saved state: `size` images in float32, 39 MB for 50 images of 256x256x3. Replicas
    share it. Each of them sees the images of all, makes the same changes, and returns its own share, so that two
    replicas do what one device would.

    Reference: [Shrivastava et al., 2016](https://arxiv.org/abs/1612.07828), Section 2.3;
    [Zhu et al., 2017](https://arxiv.org/abs/1703.10593), Section 4.

    Departures from the paper: the exchange of Zhu et al. Shrivastava et al. take one half of each batch out of the pool
    and replace as many of its images afterwards.

    Args:
        size: Integer, the number of stored images. With `0` each image is returned as it came.
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
            # The same on all replicas, so that the first one's is everyone's.
            settings = {"initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
            self.images = self.add_weight(
                shape=(self.size, *self.image_shape), dtype="float32", name="images", **settings
            )
            self.count = self.add_weight(shape=(), dtype="int32", name="count", **settings)
        self.built = True

    def query(self, images, numbers):
        """Exchanges new images for old ones, and stores what is to be stored.

        Args:
            images: Float32 tensor `(batch, ...)`, this replica's new images.
            numbers: Float32 tensor `(batch, 2)` of uniform numbers in [0, 1): the first decides whether to exchange,
                the second with which image.

        Returns:
            Float32 tensor of the shape of `images`, without a gradient.
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
        drawn = tf.minimum(tf.cast(numbers[:, 1] * float(self.size), "int32"), self.size - 1)
        exchanges = is_full & (numbers[:, 0] < 0.5)
        return tf.where(is_full, drawn, place), exchanges, exchanges | ~is_full

    def get_config(self):
        return {**super().get_config(), "size": self.size, "image_shape": self.image_shape}


def latest(wanted, slots, stores, new, stored, whole_batch=False):
    """What lies in the wanted slots, without a loop over the batch.

    Args:
        wanted: Integer tensor `(n,)`. Without `whole_batch` its entry i is asked for when image i comes, before that is
            stored.
        slots: Integer tensor `(batch,)`, the slot of each new image.
        stores: Boolean tensor `(batch,)`, whether it is stored there.
        new: Tensor `(batch, ...)`, the new images.
        stored: Tensor `(size, ...)`, what lay in the slots before the batch.
        whole_batch: Boolean, whether it is asked for after the whole batch.
    """
    order = tf.range(tf.shape(new)[0])
    writes = stores[None] & (slots[None] == wanted[:, None])
    if not whole_batch:
        writes &= order[None] < order[:, None]
    last = tf.reduce_max(tf.where(writes, order[None], -1), axis=1)
    return tf.where(as_column(last >= 0, new), tf.gather(new, tf.maximum(last, 0)), tf.gather(stored, wanted))


def as_column(flags, images):
    """Flags `(n,)` in the rank of images, to broadcast."""
    return tf.reshape(flags, [-1] + [1] * (images.shape.rank - 1))
