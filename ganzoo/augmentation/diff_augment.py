"""DiffAugment: random colours, shifts and cutouts of fixed strength."""

import keras
import tensorflow as tf
from keras import ops

from ganzoo import checks


@keras.saving.register_keras_serializable("ganzoo")
class DiffAugment:
    """Differentiable augmentation of Zhao et al., for training on few images.

    A discriminator memorises a small training set. DiffAugment shows it random changes of the images instead. Real and
    generated images are changed alike, in both updates, so that the generator learns the images and not the changes.
    The gradient passes through the changes to the generator.

        L_D = f_D(-D(T(x))) + f_D(D(T(G(z)))),   L_G = f_G(-D(T(G(z))))      (Equations 4 and 5)

    - Colour: brightness, saturation and contrast.
    - Translation: a shift by whole pixels, filled with zeros (grey).
    - Cutout: a square of zeros (grey).

    Pass it to a model as `augmentation`. The model binds it to the `critic` of each update, with a new draw of numbers
    for each sample. Within an update, real sample i and generated sample i are changed alike. So is every point between
    them at which a penalty is computed.

    Reference: [Zhao et al., 2020](https://arxiv.org/abs/2006.10738), Section 3.2.

    Departures from the paper: real and generated samples share their numbers, while the authors' code draws separate
    numbers. This makes the critic of an update a single function, as penalties assume. The distributions of T(x) and of
    T(G(z)) do not change.

    Args:
        color: Float, strength of the colour changes. 1 is as in the paper: brightness +-0.5, saturation times 0 to 2,
            contrast times 0.5 to 1.5. Defaults to `1.0`. 0 changes nothing.
        translation: Float, the largest shift as a fraction of height and width. Defaults to `0.125`.
        cutout: Float, side of the square as a fraction of height and width. Defaults to `0.5`.

    Raises:
        ValueError: If a strength is negative, or `translation` or `cutout` is above 1.

    Example:

    >>> augmentation = ganzoo.augmentation.DiffAugment(cutout=0.25)
    >>> gan = ganzoo.WGANGP.from_paper(image_shape=(28, 28, 1), augmentation=augmentation)
    """

    # Random numbers per sample.
    numbers = 7

    def __init__(self, color=1.0, translation=0.125, cutout=0.5):
        self.color = checks.number("color", color, least=0)
        self.translation = checks.number("translation", translation, least=0, most=1)
        self.cutout = checks.number("cutout", cutout, least=0, most=1)

    def __call__(self, images, numbers):
        """Augments each image with its own numbers.

        Args:
            images: Float32 tensor `(batch, height, width, channels)` in [-1, 1].
            numbers: Float32 tensor `(batch, 7)` in [0, 1), from `model.uniform((batch, 7))`.

        Returns:
            Tensor of the shape of `images`. The colours may leave [-1, 1].
        """
        brightness, saturation, contrast, *places = [number[:, 0] for number in tf.split(numbers, self.numbers, axis=1)]
        if self.color:
            images = self._change_color(images, brightness, saturation, contrast)
        if self.translation:
            images = self._translate(images, *places[:2])
        if self.cutout:
            images = self._cut_out(images, *places[2:])
        return images

    def _change_color(self, images, brightness, saturation, contrast):
        brightness, saturation, contrast = (x[:, None, None, None] for x in (brightness, saturation, contrast))
        images = images + self.color * (brightness - 0.5)
        grey = ops.mean(images, axis=3, keepdims=True)
        images = grey + (images - grey) * (1.0 + self.color * (2.0 * saturation - 1.0))
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        return mean + (images - mean) * (1.0 + self.color * (contrast - 0.5))

    def _translate(self, images, down, right):
        for axis, numbers in ((1, down), (2, right)):
            images = shift(images, axis, shifts(images.shape[axis], self.translation, numbers))
        return images

    def _cut_out(self, images, top, left):
        height, width = images.shape[1:3]
        rows, columns = hidden(height, self.cutout, top), hidden(width, self.cutout, left)
        return images * (1.0 - rows[:, :, None, None] * columns[:, None, :, None])

    def get_config(self):
        return {"color": self.color, "translation": self.translation, "cutout": self.cutout}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def shifts(size, ratio, numbers):
    """Shifts from -most to most pixels, all equally likely, where `most` is `ratio` of the size."""
    most = int(size * ratio + 0.5)
    return tf.cast(tf.floor(numbers * (2 * most + 1)), "int32") - most


def shift(images, axis, pixels):
    """Moves each image along an axis by its own number of pixels, and fills with zeros."""
    size = images.shape[axis]
    source = tf.range(size)[None] - pixels[:, None]
    inside = tf.cast((source >= 0) & (source < size), images.dtype)
    moved = tf.gather(images, tf.clip_by_value(source, 0, size - 1), axis=axis, batch_dims=1)
    return moved * tf.reshape(inside, [-1, *(size if i == axis else 1 for i in (1, 2, 3))])


def hidden(size, ratio, numbers):
    """Rows `(batch, size)` that are 1 inside a window of `ratio` of the size. Its centre lies anywhere."""
    window = int(size * ratio + 0.5)
    # The number of possible centres depends on whether the window is odd.
    centre = tf.cast(tf.floor(numbers * (size + 1 - window % 2)), "int32")[:, None]
    first = centre - window // 2
    place = tf.range(size)[None]
    return tf.cast((place >= first) & (place < first + window), "float32")
