"""The values that a model logs."""

import keras
import tensorflow as tf


class Log:
    """Means of named scalars over an epoch, made when a name first appears.

    It stands beside the model's tracked attributes, not among them: what an epoch has summed up so far is no state of
    the model and is not saved with it.
    """

    def __init__(self):
        self.means = {}

    def add(self, **values):
        """Adds a value to each mean, from inside of a training step."""
        for name, value in values.items():
            if name not in self.means:
                self._create(name)
            self.means[name].update_state(tf.stop_gradient(value))

    def results(self):
        """The current means by name."""
        return {name: mean.result() for name, mean in self.means.items()}

    def _create(self, name):
        def create(strategy=None):
            strategy = strategy or tf.distribute.get_strategy()
            with tf.init_scope(), strategy.scope():  # A variable, made while a step is being traced.
                self.means[name] = keras.metrics.Mean(name=name)

        if tf.distribute.has_strategy() and tf.distribute.in_cross_replica_context() is False:
            tf.distribute.get_replica_context().merge_call(create)
        else:
            create()
