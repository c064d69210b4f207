"""The values that a model logs."""

import keras
import tensorflow as tf

from ganzoo.training.switch import Switch


class Log:
    """Means of named scalars over an epoch.

    It stands beside the model's tracked attributes, not among them: what an epoch has summed up so far is no state of
    the model and is not saved with it. The variables are made ahead, since a function that makes variables while it is
    traced is traced twice; a mean gets its name when that first appears.

    Args:
        capacity: Integer, the greatest number of names.
    """

    def __init__(self, capacity=24):
        self.means = {}
        self._mute = Switch()
        self._spare = [keras.metrics.Mean() for _ in range(capacity)]

    def add(self, values, weight=None):
        """Adds a value to each mean, from inside of a training step.

        Args:
            values: Dictionary of scalars.
            weight: Scalar, 0 leaves the values out. Defaults to 1.
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
        """A context that leaves out what is added inside."""
        return self._mute.on()

    def results(self):
        """The current means by name."""
        return {name: mean.result() for name, mean in self.means.items()}
