"""Reads labels off images, so that directions can be found for them."""

import keras
import numpy as np
import tensorflow as tf
from scipy.special import log_softmax

from ganzoo import checks
from ganzoo.latent.space import samples_of

LEAST = 20  # Images; a tenth of them, held out, must be some.


class Reader:
    """A small convolutional classifier, trained on labelled images: the scores that `supervised` asks for.

    It is trained when it is built, for some epochs of Adam. A tenth of the images is held out, so that it can say how
    well it reads. Directions cannot be better than what it reads.

    Args:
        model: `ganzoo.GenerativeModel` of images, whose shape the images have.
        images: Array `(count, height, width, channels)`, uint8 or floats in [-1, 1]; a few thousand.
        labels: Integers `(count,)` from 0 on; or a dictionary, name of a label -> such integers.
        names: List of strings, a name for each value; with a dictionary of labels, a dictionary of such lists. Defaults
            to `None`: values are numbers.
        epochs: Integer. Defaults to `5`.
        seed: Integer. Defaults to `0`.

    Attributes:
        names: List of strings, a name for each score, such as "glasses none".
        accuracy: Dictionary, name of a label -> the share of held-out images that are read right.

    Raises:
        ValueError: If images and labels do not fit each other or the model, or a label has one value only.

    Example:

    >>> faces = ganzoo.data.load("faces_10k", label="glasses").source
    >>> reader = ganzoo.latent.Reader(model, faces.images.numpy(), faces.labels.numpy())
    >>> found = ganzoo.latent.supervised(model, reader, names=reader.names)
    """

    def __init__(self, model, images, labels, names=None, epochs=5, seed=0):
        images = samples_of(model, "images", images, least=2)
        if images.ndim != 4:
            raise ValueError(f"`model` must make images, (height, width, channels). Received: {model.image_shape}")
        epochs = checks.integer("epochs", epochs, least=1, most=10_000)
        random = np.random.default_rng(checks.check_seed(seed))
        if len(images) < LEAST:
            raise ValueError(f"`images` must be {LEAST} or more, to learn to read. Received: {len(images)}")
        if not isinstance(labels, dict):
            labels, names = {"label": labels}, None if names is None else {"label": names}
        if names is not None and not isinstance(names, dict):
            raise checks.refusal(
                "names", names, "a dictionary, as `labels` are: name of a label -> names of its values"
            )
        self._labels = {str(name): checked(name, each, len(images)) for name, each in labels.items()}
        if not self._labels:
            raise checks.refusal("labels", labels, "integers, or a dictionary with a name for such integers")
        given = {name: names_of(name, each, (names or {}).get(name)) for name, each in self._labels.items()}
        is_one = list(given) == ["label"]
        self.names = [value if is_one else f"{name} {value}" for name, values in given.items() for value in values]
        self._network = network_of(images.shape[1:], {name: len(values) for name, values in given.items()}, random)
        self._read = tf.function(lambda batch: self._network(batch, training=False), reduce_retracing=True)
        order = random.permutation(len(images))
        held_out, training = np.split(order, [len(images) // 10])
        for _ in range(epochs):
            shuffled = random.permutation(training)
            for start in range(0, max(1, len(shuffled) - 63), 64):  # Full batches: another size would be traced anew.
                batch = shuffled[start : start + 64]
                self._network.train_on_batch(images[batch], {name: each[batch] for name, each in self._labels.items()})
        found = self._logits(images[held_out])
        self.accuracy = {
            name: float(np.mean(found[name].argmax(axis=1) == each[held_out])) for name, each in self._labels.items()
        }

    def __call__(self, images):
        """The logarithms of the probabilities of all values, `(count, len(names))`, of images in [-1, 1]."""
        logits = self._logits(images)
        return np.concatenate([log_softmax(logits[name].astype("float64"), axis=1) for name in self._labels], axis=1)

    def _logits(self, images):
        images = np.asarray(images, "float32")
        parts = [self._read(tf.constant(images[start : start + 500])) for start in range(0, len(images), 500)]
        return {name: np.concatenate([part[name].numpy() for part in parts]) for name in self._labels}


def checked(name, labels, count):
    """The values of a label as integers from 0 on."""
    labels = checks.array("labels", labels)
    if labels.shape != (count,) or labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= 10_000:
        raise ValueError(
            f"`labels` must be {count} integers from 0 on, one for each image. Received: {name} of shape "
            f"{labels.shape} and type {labels.dtype}"
        )
    if labels.min() == labels.max():
        raise ValueError(f"`labels`: {name} is {labels[0]} in all images, so there is nothing to read.")
    return labels.astype("int64")


def names_of(name, labels, names):
    """A name for each value of a label."""
    count = int(labels.max()) + 1
    if names is None:
        return [str(value) for value in range(count)]
    names = checks.plain_items(names) or ()
    if len(names) < count:
        raise ValueError(f"`names` must name all {count} values of {name}. Received: {len(names)} names")
    return [str(each) for each in names]


def network_of(shape, sizes, random):
    """A compiled classifier with a head for each label, whose weights come from a generator of random numbers."""

    def seeded():
        return keras.initializers.GlorotUniform(int(random.integers(2**31)))

    image = x = keras.Input(shape)
    for filters in (32, 64):
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer=seeded())(x)
        # Few updates are made, so the mean of the batches must follow fast.
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.MaxPooling2D(padding="same")(x)
    x = keras.layers.Dense(128, activation="relu", kernel_initializer=seeded())(keras.layers.Flatten()(x))
    heads = {
        name: keras.layers.Dense(size, kernel_initializer=seeded(), name=f"head_{index}")(x)
        for index, (name, size) in enumerate(sizes.items())
    }
    network = keras.Model(image, heads)
    loss = {name: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for name in sizes}
    network.compile("adam", loss=loss, jit_compile=False)
    return network
