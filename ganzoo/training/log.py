"""The values that a model logs."""

import keras
import tensorflow as tf

from ganzoo.training.switch import Switch


class Log:
    """Means of named scalars over an epoch.

    Keras does not track the log as a part of the model, because the sums of an unfinished epoch should not be saved.
    The variables are made in advance: TensorFlow traces a function twice if it makes variables while it is traced. A
    mean gets its name when a value of that name is first added.

    Args:
        capacity: Integer, the largest number of names.
    """

    def __init__(self, capacity=24):
        self.means = {}
        self._mute = Switch()
        self._spare = [keras.metrics.Mean() for _ in range(capacity)]

    def add(self, values, weight=None):
        """Adds a value to each mean, from inside a training step.

        Args:
            values: Dictionary of scalars.
            weight: Scalar. 0 ignores the values. Defaults to 1.
        """
        if self._mute:
            return
        for name, value in values.items():
            if name not in self.means:
                if not self._spare:
                    raise ValueError(f"The log is full: it holds {sorted(self.means)}, and {name!r} is too much.")
                self.means[name] = self._spare.pop(0)
                self.means[name].name = name
            self.means[name].update_state(tf.stop_gradient(value), weight)

    def muted(self):
        """A context in which added values are ignored."""
        return self._mute.on()

    def results(self):
        """The current means by name."""
        return {name: mean.result() for name, mean in self.means.items()}
