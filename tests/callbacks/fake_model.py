"""A model with what the callbacks read, and nothing to learn."""

import keras
import numpy as np
import tensorflow as tf

from ganzoo.training.condition_kinds import Label
from ganzoo.training.conditions import Conditions


class FakeModel(keras.Model):
    """Logs the mean of its inputs as `wasserstein`; the brightness of its samples is `step / 10`."""

    def __init__(self, sample_shape=(8, 8, 1), num_classes=None):
        super().__init__()
        self.sample_shape = sample_shape
        self.num_classes = num_classes
        self.conditions = Conditions({} if num_classes is None else {"label": Label(num_classes)})
        self.discriminator_steps = 1
        self.samples_per_step = None
        self.step = self.add_weight(shape=(), dtype="int64", trainable=False, name="step")
        self.mean = keras.metrics.Mean(name="wasserstein")
        self.built = True
        self.compile(optimizer=None, loss=None)

    @property
    def steps_done(self):
        return int(self.step)

    def train_step(self, data):
        self.step.assign_add(1)
        self.mean.update_state(tf.reduce_mean(data))
        return {"wasserstein": self.mean.result(), "d_loss": 2 * self.mean.result()}

    def test_step(self, data):
        return {"wasserstein": tf.reduce_mean(data)}

    def generate(self, num_samples, seed, condition=None):
        self.seed_seen, self.condition_seen = seed, condition
        return np.full((num_samples, *self.sample_shape), int(self.step) / 10, "float32")


def steps(*values):
    """A dataset with one batch per value."""
    return tf.data.Dataset.from_tensor_slices(np.array(values, "float32")).batch(1)
