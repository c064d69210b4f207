"""Reads attributes off images: small networks, trained on the real images on the spot."""

import keras
import numpy as np
from scipy import stats

import ganzoo


class AttributeReader:
    """Convolutional classifiers with an output for each label, which are alike but for their seeds.

    Colours of generated images lie between the real ones, and there readers disagree. So a score is the mean over the
    readers, and its interval allows for another set of readers.

    Args:
        images: uint8 array `(count, height, width, channels)`, the training images.
        rows: Float array `(count, attributes)`, one-hot labels side by side.
        labels: Dictionary, label -> its columns.
        epochs: Integer. Defaults to `8`.
        readers: Integer, 2 or more. Defaults to `5`.
    """

    def __init__(self, images, rows, labels, epochs=8, readers=5):
        self.labels = {label: list(columns) for label, columns in labels.items()}
        scaled = np.asarray(ganzoo.data.normalize(images))
        targets = {label: rows[:, columns] for label, columns in self.labels.items()}
        self.networks = []
        for seed in range(readers):
            keras.utils.set_random_seed(seed)
            network = self.network(images.shape[1:])
            network.fit(scaled, targets, batch_size=64, epochs=epochs, verbose=0)
            self.networks.append(network)

    def network(self, image_shape):
        """A compiled classifier with new weights."""
        inputs = x = keras.Input(image_shape)
        for filters in (32, 64):
            x = keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
        x = keras.layers.Dense(128, activation="relu")(keras.layers.Flatten()(x))
        heads = {label: keras.layers.Dense(len(columns), name=label)(x) for label, columns in self.labels.items()}
        network = keras.Model(inputs, heads)
        losses = {label: keras.losses.CategoricalCrossentropy(from_logits=True) for label in self.labels}
        network.compile("adam", losses, jit_compile=False)
        return network

    def scores(self, images, rows):
        """How often the values that are read are those of the rows: a `Score` for each label, and one for all.

        Args:
            images: Array of images, uint8 or float in [-1, 1].
            rows: Float array, the attributes that they were asked for.
        """
        if images.dtype == np.uint8:
            images = np.asarray(ganzoo.data.normalize(images))
        asked = {label: rows[:, columns].argmax(axis=1) for label, columns in self.labels.items()}
        hits = {name: [] for name in ("attributes", *asked)}
        for network in self.networks:
            found = network.predict(images, batch_size=500, verbose=0)
            right = {label: found[label].argmax(axis=1) == asked[label] for label in asked}
            hits["attributes"].append(np.all(list(right.values()), axis=0))
            for label, each in right.items():
                hits[label].append(each)
        return {name: share(f"{name} as asked, %", np.array(each)) for name, each in hits.items()}


def share(name, hits):
    """A share in percent as a score; `hits` is boolean, `(readers, samples)`.

    The variance of the mean over the samples and over the readers add up. Student's t is for the few readers.
    """
    readers, count = hits.shape
    mean, each = hits.mean(), hits.mean(axis=1)
    # One image more at each end keeps the variance above 0 where all are read as asked.
    smoothed = (hits.mean() * count + 1) / (count + 2)
    error = np.hypot(1.96 * (smoothed * (1 - smoothed) / count) ** 0.5, spread_of_mean(each, readers))
    low, high = max(0.0, mean - error), min(1.0, mean + error)
    return ganzoo.metrics.Score(
        name,
        100 * mean,
        (100 * low, 100 * high),
        num_fake=count,
        features=f"{readers} attribute readers",
        lower_is_better=False,
    )


def spread_of_mean(values, count):
    """Half of the 95 % interval for another mean of as many values."""
    return stats.t.ppf(0.975, count - 1) * values.std(ddof=1) * (2 / count) ** 0.5
