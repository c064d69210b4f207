"""All that a training depends on: weights, optimizers and random numbers, and a copy of them in memory."""

import math

import numpy as np
import tensorflow as tf

from ganzoo.networks import graph
from ganzoo.training.learning_rates import optimizers_of


class State:
    """A copy of all that a training depends on, in memory.

    Args:
        model: `GenerativeModel`, compiled.
    """

    def __init__(self, model):
        self.variables = variables_of(model)
        self.values = [np.array(variable) for variable in self.variables]

    def restore(self, model):
        """Makes a model, the same that was copied, what it was."""
        for variable, value in zip(self.variables, self.values, strict=True):
            variable.assign(value)


def variables_of(model):
    """Weights, states of optimizers and random states of layers, as a list of `keras.Variable`.

    Args:
        model: `GenerativeModel`, compiled.
    """
    of_optimizers = [variable for optimizer in optimizers_of(model).values() for variable in optimizer.variables]
    return [*model.weights, *of_optimizers, *(source.state for source in graph.seed_generators(model))]


def bytes_of(model):
    """How many bytes all that a training depends on takes."""
    return sum(math.prod(variable.shape) * tf.as_dtype(variable.dtype).size for variable in variables_of(model))


def weights_are_finite(model):
    """Whether no weight of a model is NaN or infinite."""
    return all(
        np.all(np.isfinite(np.asarray(weight)))
        for weight in model.weights
        if weight.dtype.startswith(("float", "bfloat"))
    )
