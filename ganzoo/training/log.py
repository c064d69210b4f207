"""The values that a model logs."""

import keras
import tensorflow as tf

from ganzoo.switch import Switch


class Log:
    """Means of named scalars over an epoch.

    Keras does not track the log as a part of the model, because the sums of an unfinished epoch should not be saved.
    The sums of all names are one variable, made in advance: TensorFlow traces a function twice if it makes variables
    while it is traced. A mean gets its place in the variable when a value of its name is first added.

    Args:
        capacity: Integer, the largest number of names.
    """

    def __init__(self, capacity=24):
        self.means = {}
        self._mute = Switch()
        self._sums = Sums(capacity)

    def add(self, values, weight=None):
        """Adds a value to each mean, from inside a training step.

        Args:
            values: Dictionary of scalars.
            weight: Scalar. 0 ignores the values. Defaults to 1.
        """
        if self._mute or not values:
            return
        for name in values:
            if name not in self.means:
                if len(self.means) == self._sums.capacity:
                    raise ValueError(f"The log is full: it holds {sorted(self.means)}, and {name!r} is too much.")
                self.means[name] = Mean(name, self._sums, len(self.means))
        self._sums.add({self.means[name].place: value for name, value in values.items()}, weight)

    def muted(self):
        """A context in which added values are ignored."""
        return self._mute.on()

    def results(self):
        """The current means by name."""
        means = tf.unstack(self._sums.result())
        return {name: means[mean.place] for name, mean in self.means.items()}


class Sums(keras.metrics.Metric):
    """The sums of weighted values, and of their weights, in the rows of a variable `(capacity, 2)`.

    Two variables for each name, as in Keras, would take a third of the time in which a small model is built.
    """

    def __init__(self, capacity):
        super().__init__(name="sums")
        self.capacity = capacity
        self.sums = self.add_variable((capacity, 2), "zeros", "float32", name="sums")

    def add(self, values, weight=None):
        """Adds scalars, a dictionary place -> value."""
        weights = tf.ones(len(values)) if weight is None else tf.repeat(tf.cast(weight, "float32"), len(values))
        added = tf.stack([tf.cast(tf.stop_gradient(value), "float32") for value in values.values()])
        rows = tf.stack([added * weights, weights], axis=1)
        self.sums.assign_add(tf.scatter_nd([[place] for place in values], rows, self.sums.shape))

    def result(self):
        """The mean in each place, `(capacity,)`. 0 where nothing was added."""
        sums, weights = tf.unstack(tf.convert_to_tensor(self.sums), axis=1)
        return tf.math.divide_no_nan(sums, weights)


class Mean(keras.metrics.Metric):
    """The mean of a name: a place in the variable of `Sums`."""

    def __init__(self, name, sums, place):
        super().__init__(name=name)
        self._sums, self.place = sums, place

    @property
    def count(self):
        """The sum of the weights so far, as in `keras.metrics.Mean`."""
        return tf.convert_to_tensor(self._sums.sums)[self.place, 1]

    def update_state(self, value, sample_weight=None):
        self._sums.add({self.place: value}, sample_weight)

    def result(self):
        return self._sums.result()[self.place]

    def reset_state(self):
        own = tf.range(self._sums.capacity)[:, None] == self.place
        self._sums.sums.assign(tf.where(own, 0.0, self._sums.sums))
