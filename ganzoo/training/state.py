"""The state of a training (weights, optimizers and random numbers), and a copy of it in memory."""

import math

import numpy as np
import tensorflow as tf

from ganzoo.networks import graph
from ganzoo.training.learning_rates import optimizers_of


class State:
    """A copy of a training's whole state, in memory.

    Args:
        model: `GenerativeModel`, compiled.
    """

    def __init__(self, model):
        self.variables = variables_of(model)
        self.values = [np.array(variable) for variable in self.variables]

    def restore(self, model):
        """Puts the copied model back into the copied state."""
        for variable, value in zip(self.variables, self.values, strict=True):
            variable.assign(value)


def variables_of(model):
    """The weights, the states of optimizers and the random states of layers, a list of `keras.Variable`.

    Args:
        model: `GenerativeModel`, compiled.
    """
    of_optimizers = [variable for optimizer in optimizers_of(model).values() for variable in optimizer.variables]
    return [*model.weights, *of_optimizers, *(source.state for source in graph.seed_generators(model))]


def bytes_of(model):
    """The size of a training's whole state in bytes."""
    return sum(math.prod(variable.shape) * tf.as_dtype(variable.dtype).size for variable in variables_of(model))


def weights_are_finite(model):
    """Whether no weight of a model is NaN or infinite."""
    return all(
        np.all(np.isfinite(np.asarray(weight)))
        for weight in model.weights
        if weight.dtype.startswith(("float", "bfloat"))
    )
