"""What a sample may depend on besides its latents: nothing, a label, or an image.

A model has one of these as `model.condition_kind`, and whoever handles data, samples or SavedModels asks it, so that no
other file tells one kind from the other.
"""

import numpy as np
import tensorflow as tf

from ganzoo import checks
from ganzoo.data import from_arrays, normalize


def condition_of(num_classes, generator):
    """The kind of condition that a generator takes: a label if there are classes, an image if its second input is one.

    Args:
        num_classes: Integer or `None`.
        generator: Built `keras.Model`.
    """
    if num_classes is not None:
        return Label(num_classes)
    inputs = getattr(generator, "inputs", None) or ()
    if len(inputs) == 2 and len(inputs[1].shape) == 4:
        return Image(tuple(inputs[1].shape[1:]))
    return NoCondition()


class NoCondition:
    """Samples depend on their latents alone."""

    inputs = 1
    wanted_inputs = "one input, for num_classes=None, or a second one of rank 4 for an image"

    def arrange(self, first, second=None):
        """Tells samples from condition in an element `(first, second)` of a dataset."""
        return first, None

    def keep(self, parts):
        """What of an element of a dataset the model reads."""
        return parts[0]

    def dataset(self, x, y, batch_size):
        """A dataset of arrays."""
        return from_arrays(x, y, batch_size=batch_size)

    def check_spec(self, condition):
        """Checks shape and dtype of a batch of conditions."""

    def check_values(self, condition):
        """Checks the numbers of a batch of conditions, a NumPy array."""

    def cast(self, condition):
        """The condition as the networks take it, on the device."""
        return None

    def augmented(self, condition, augment):
        """The condition as the discriminator sees it beside augmented samples."""
        return condition

    def for_samples(self, condition, num_samples):
        """Checks what a user gave to `generate`; returns `(num_samples, condition as a tensor or None)`."""
        if condition is not None:
            raise ValueError(
                f"The model is unconditional, and `generate` got condition={condition!r}. Leave it out, or build the "
                "model with num_classes."
            )
        return check_num_samples(num_samples), None

    def specs(self):
        """The signature of the condition: a list of at most one `tf.TensorSpec`."""
        return []


class Label(NoCondition):
    """One of `num_classes` classes, an integer for each sample; the second part of a dataset's elements."""

    inputs = 2
    wanted_inputs = "two inputs, the second one the label"

    def __init__(self, num_classes):
        if isinstance(num_classes, bool) or not isinstance(num_classes, (int, np.integer)) or num_classes < 1:
            raise ValueError(f"`num_classes` must be an integer of at least 1, or None. Received: {num_classes!r}")
        self.num_classes = int(num_classes)

    def arrange(self, first, second=None):
        return first, second

    def keep(self, parts):
        return parts

    def check_spec(self, condition):
        if condition is None:
            raise ValueError(
                f"The model is conditional (num_classes={self.num_classes}), and the data have no labels. "
                "Pass (samples, label)."
            )
        if not tf.as_dtype(condition.dtype).is_integer or len(condition.shape) != 1:
            raise ValueError(
                f"Labels must be integers of shape (batch,). Received: {tf.as_dtype(condition.dtype).name} of shape "
                f"{tuple(condition.shape)}. Turn one-hot labels into integers with argmax."
            )

    def check_values(self, condition):
        if condition.size and (condition.min() < 0 or condition.max() >= self.num_classes):
            raise ValueError(
                f"Labels must lie in 0..{self.num_classes - 1} (num_classes={self.num_classes}). Received labels from "
                f"{condition.min()} to {condition.max()}."
            )

    def cast(self, condition):
        return tf.cast(condition, "int64")

    def for_samples(self, condition, num_samples):
        if condition is None:
            raise ValueError(
                f"The model is conditional (num_classes={self.num_classes}): pass condition=, one label for all or "
                f"{num_samples or 'an array of'} labels."
            )
        labels = np.asarray(list(condition) if isinstance(condition, range) else condition)
        if labels.dtype.kind not in "iu":
            raise ValueError(f"`condition` must hold integers. Received: {labels.dtype} {condition!r}")
        if num_samples is None and labels.ndim == 1:
            num_samples = len(labels)
        num_samples = check_num_samples(num_samples)
        if labels.ndim == 0:
            labels = np.full(num_samples, labels)
        if labels.shape != (num_samples,):
            raise ValueError(
                f"`condition` must be one label or num_samples={num_samples} labels. Received the shape {labels.shape}"
            )
        self.check_values(labels)
        return num_samples, tf.constant(labels, "int64")

    def specs(self):
        return [tf.TensorSpec((None,), "int64", name="label")]


class Image(NoCondition):
    """An image of its own, as in image-to-image translation; the first part of a dataset's elements `(input, target)`.

    Args:
        shape: `(height, width, channels)`.
    """

    inputs = 2
    wanted_inputs = "two inputs, the second one the condition, an image"

    def __init__(self, shape):
        self.shape = shape

    def arrange(self, first, second=None):
        return second, first

    def keep(self, parts):
        return parts

    def dataset(self, x, y, batch_size):
        if y is None:
            raise ValueError(
                "The model translates images, and the data have no targets. Pass fit(inputs, targets), or a dataset of "
                "(input, target); see ganzoo.data.paired."
            )
        from ganzoo.data import paired

        return paired(x, y, batch_size=batch_size)

    def check_spec(self, condition):
        shape = tuple(condition.shape)
        if len(shape) != 4 or any(came not in (None, size) for came, size in zip(shape[1:], self.shape)):
            raise ValueError(
                f"The input images do not fit the model. Received: {shape}. Expected: (batch, "
                f"{', '.join(map(str, self.shape))}), the first part of (input, target)."
            )
        dtype = tf.as_dtype(condition.dtype)
        if not dtype.is_floating and dtype != tf.uint8:
            raise ValueError(
                f"The input images must be floats in [-1, 1]. Received: {dtype.name}. {checks.HOW_TO_SCALE}"
            )

    def check_values(self, condition):
        checks.check_pixels(condition, "The input images")

    def cast(self, condition):
        return normalize(condition) if condition.dtype == tf.uint8 else tf.cast(condition, "float32")

    def augmented(self, condition, augment):
        return augment(condition)  # Alike: a shifted image belongs to a shifted input.

    def for_samples(self, condition, num_samples):
        if condition is None:
            raise ValueError(
                "The model translates images: pass condition=, an array of images (n, "
                f"{', '.join(map(str, self.shape))})."
            )
        images = np.asarray(condition)
        if images.shape == self.shape:  # One image for all.
            images = np.repeat(images[None], check_num_samples(num_samples or 1), axis=0)
        self.check_spec(images)
        num_samples = check_num_samples(len(images) if num_samples is None else num_samples)
        if len(images) != num_samples:
            raise ValueError(
                f"`condition` must be one image or num_samples={num_samples} images. Received: {len(images)} images."
            )
        images = self.cast(tf.constant(images))
        self.check_values(images.numpy())
        return num_samples, images

    def specs(self):
        return [tf.TensorSpec((None, *self.shape), "float32", name="image")]


def check_num_samples(num_samples):
    """Returns the number of samples if it is one."""
    if isinstance(num_samples, bool) or not isinstance(num_samples, (int, np.integer)) or num_samples < 1:
        raise ValueError(f"`num_samples` must be an integer of at least 1. Received: num_samples={num_samples!r}")
    return int(num_samples)
