"""Reads attributes off images: a small network, trained on the real images on the spot."""

import dataclasses

import keras
import numpy as np

import ganzoo


class AttributeReader:
    """A convolutional classifier with an output for each label.

    Args:
        images: uint8 array `(count, height, width, channels)`, the training images.
        rows: Float array `(count, attributes)`, one-hot labels side by side.
        labels: Dictionary, label -> its columns.
        epochs: Integer. Defaults to `8`.
        seed: Integer. Defaults to `0`.
    """

    def __init__(self, images, rows, labels, epochs=8, seed=0):
        keras.utils.set_random_seed(seed)
        self.labels = {label: list(columns) for label, columns in labels.items()}
        inputs = x = keras.Input(images.shape[1:])
        for filters in (32, 64):
            x = keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
        x = keras.layers.Dense(128, activation="relu")(keras.layers.Flatten()(x))
        heads = {label: keras.layers.Dense(len(columns), name=label)(x) for label, columns in self.labels.items()}
        self.network = keras.Model(inputs, heads)
        losses = {label: keras.losses.CategoricalCrossentropy(from_logits=True) for label in self.labels}
        self.network.compile("adam", losses, jit_compile=False)
        targets = {label: rows[:, columns] for label, columns in self.labels.items()}
        scaled = np.asarray(ganzoo.data.normalize(images))
        self.network.fit(scaled, targets, batch_size=64, epochs=epochs, verbose=0)

    def scores(self, images, rows):
        """How often the values that are read are those of the rows: a `Score` for each label, and one for all.

        Args:
            images: Array of images, uint8 or float in [-1, 1].
            rows: Float array, the attributes that they were asked for.
        """
        if images.dtype == np.uint8:
            images = np.asarray(ganzoo.data.normalize(images))
        found = self.network.predict(images, batch_size=500, verbose=0)
        asked = {label: rows[:, columns].argmax(axis=1) for label, columns in self.labels.items()}
        hits = {label: found[label].argmax(axis=1) == asked[label] for label in self.labels}
        hits = {"attributes": np.all(list(hits.values()), axis=0), **hits}
        # 1 is "as asked": the accuracy of reading it, with its interval.
        scores = {
            name: ganzoo.metrics.classifier_accuracy(hit.astype(int), np.ones(len(hit), int), 2)
            for name, hit in hits.items()
        }
        return {name: in_percent(score, f"{name} as asked, %") for name, score in scores.items()}


def in_percent(score, name):
    """A share as a score in percent, of another name, without the details that mean something else."""
    interval = tuple(100 * bound for bound in score.interval)
    changes = {"name": name, "value": 100 * score.value, "interval": interval, "features": "attribute reader"}
    return dataclasses.replace(score, **changes, details={})
