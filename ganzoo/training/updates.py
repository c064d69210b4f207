"""The pieces of an update: gradients on replicas and in half precision, networks kept unchanged, optimizers."""

import contextlib
import threading
import weakref

import keras
import tensorflow as tf

from ganzoo import checks
from ganzoo.replicas import mean_over_replicas

# For each optimizer, the model that it was built for and the identities of its variables.
# Weak references, so that the table keeps neither optimizers nor models in memory.
_KNOWN = weakref.WeakKeyDictionary()


class _Tapes(threading.local):
    """The tapes of the updates in progress. Each replica traces its step in a thread of its own."""

    def __init__(self):
        self.open = []

    @contextlib.contextmanager
    def of(self, tape):
        self.open.append(tape)
        try:
            yield
        finally:
            self.open.remove(tape)


_TAPES = _Tapes()


@contextlib.contextmanager
def constant():
    """A context in which a loss computes without a gradient. No tape records what happens inside.

    `tf.stop_gradient` around a loop gives the same numbers, but TensorFlow still builds the loop's gradient. For a
    chain of Hamiltonian Monte Carlo, that took four fifths of the time to the first step.
    """
    with contextlib.ExitStack() as stack:
        for tape in _TAPES.open:
            stack.enter_context(tape.stop_recording())
        yield


def minimize(loss_function, pairs, model_name):
    """Updates variables along the gradient of a loss. See `GenerativeModel.minimize`.

    Args:
        loss_function: Callable without arguments -> scalar.
        pairs: List of `(optimizer, variables)`.
        model_name: String, for the message about a loss that is not a scalar.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    watched = [variable.value for _, variables in pairs for variable in variables]
    # A persistent tape holds its memory until it is deleted, so it is used only for several gradients.
    with tf.GradientTape(persistent=len(pairs) > 1, watch_accessed_variables=False) as tape, _TAPES.of(tape):
        tape.watch(watched)
        loss = checks.check_loss(loss_function(), model_name)
        # Keras' optimizers sum the gradients of all replicas. Without the division, the update would grow with them.
        scaled = [optimizer.scale_loss(loss / replicas) for optimizer, _ in pairs]
    gradients = [
        tape.gradient(one, [variable.value for variable in variables])
        for one, (_, variables) in zip(scaled, pairs, strict=True)
    ]
    for (optimizer, variables), of_these in zip(pairs, gradients, strict=True):
        if replicas > 1 and isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            of_these = agree_on_overflow(of_these)
        # TensorFlow's optimizer of graphs loses the order of a write and a read, if the write needs nothing that was
        # computed from the read. The gradient of a penalty by a bias is 0, so without this line a bias may be updated
        # while the penalty still reads it.
        with tf.control_dependencies([loss]):
            optimizer.apply(of_these, variables)
    return loss


def agree_on_overflow(gradients):
    """Makes all replicas skip a step that overflowed on any replica. `LossScaleOptimizer` only looks at the first."""
    overflowed = [tf.reduce_any(~tf.math.is_finite(gradient)) for gradient in gradients if gradient is not None]
    replica = tf.distribute.get_replica_context()
    anywhere = replica.all_reduce("SUM", tf.cast(tf.reduce_any(overflowed), "float32")) > 0
    # An infinite gradient makes the `LossScaleOptimizer` of each replica skip the step.
    infinity = float("inf")
    return [g if g is None else tf.where(anywhere, tf.constant(infinity, g.dtype), g) for g in gradients]


@contextlib.contextmanager
def unchanged(network):
    """Restores the statistics of a network after a forward pass in training mode."""
    weights = network.non_trainable_weights
    before = [tf.identity(weight.value) for weight in weights]
    try:
        yield
    finally:
        for weight, value in zip(weights, before, strict=True):
            weight.assign(value)


class Notes:
    """Tensors that the hooks of a step pass to `after_step`, by name, averaged over critic steps and replicas."""

    def __init__(self):
        self._replica = threading.local()  # Each replica traces its step in a thread of its own.

    def add(self, values):
        """Adds values from inside an update. Outside an update they are dropped."""
        getattr(self._replica, "values", {}).update(values)

    def of(self, update, *arguments):
        """Runs an update and returns the values that it noted, so that a nested `tf.function` can return them."""
        self._replica.values = noted = {}
        try:
            update(*arguments)
        finally:
            self._replica.values = {}
        return {name: tf.cast(value, "float32") for name, value in noted.items()}

    @staticmethod
    def means(parts):
        """The mean of each name over the updates that noted it, and over the replicas."""
        names = dict.fromkeys(name for part in parts for name in part)
        found = {name: [part[name] for part in parts if name in part] for name in names}
        means = {name: mean_over_replicas(tf.add_n(values) / len(values)) for name, values in found.items()}
        return Named(means, "No hook of this step has noted {}: self.note({}=...). Noted:")


class Named(dict):
    """A dictionary whose error for a missing key lists the keys that it has.

    Args:
        values: Dictionary.
        words: String, the beginning of the message, with `{}` for the missing key.
    """

    def __init__(self, values, words):
        super().__init__(values)
        self.words = words

    def __missing__(self, name):
        raise KeyError(f"{self.words.replace('{}', str(name))} {', '.join(self) or 'nothing'}.")


def as_optimizer(name, optimizer):
    """Returns a `keras.optimizers.Optimizer`, made from its name, its config or a function that makes it.

    Raises:
        ValueError: If it is missing.
    """
    if optimizer is None:
        raise ValueError(f"`{name}` is missing: pass a keras.optimizers.Optimizer or a name such as 'adam'.")
    return checks.keras_object(
        name, optimizer, made_optimizer, "a keras.optimizers.Optimizer, a function that makes one"
    )


def made_optimizer(optimizer):
    """Makes an optimizer from a name or config that Keras knows, or by calling a function or class."""
    if callable(optimizer) and not isinstance(optimizer, keras.optimizers.Optimizer):
        optimizer = optimizer()
    optimizer = keras.optimizers.get(optimizer)
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise TypeError(f"no optimizer: {type(optimizer).__name__}")
    return optimizer


def check_distinct(optimizers):
    """Raises a `ValueError` if the same object is given as two optimizers."""
    names = list(optimizers)
    for index, name in enumerate(names):
        for other in names[:index]:
            if optimizers[name] is optimizers[other]:
                raise ValueError(
                    "The generator and the discriminator need an optimizer each: it keeps the moments of one "
                    f"network. Received the same object twice: {other} and {name}."
                )


def build_optimizer(name, optimizer, variables, model, half):
    """Makes an optimizer's variables right away, so that a saved state can be loaded into them.

    Args:
        name: String, the argument of `compile`.
        optimizer: `keras.optimizers.Optimizer`.
        variables: List of the variables that it updates.
        model: `GenerativeModel`, the owner of the variables.
        half: Boolean, whether gradients pass layers in float16. If so, the loss is scaled.

    Raises:
        ValueError: If the optimizer has been built for the variables of another model.
    """
    if half and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    known = _KNOWN.get(optimizer)
    if optimizer.built and (known is None or known[0]() is not model):
        raise ValueError(
            f"`{name}` has trained other variables already, and keeps their moments. Pass a new one: "
            f"{type(optimizer).__name__}.from_config(optimizer.get_config())."
        )
    if optimizer.built:
        check_known(name, optimizer, variables)
        return optimizer
    optimizer.build(variables)
    _KNOWN[optimizer] = weakref.ref(model), {id(variable) for variable in variables}
    return optimizer


def check_known(name, optimizer, variables):
    """Raises a `ValueError` if an optimizer should update variables that it was not built for."""
    if optimizer not in _KNOWN:
        return
    unknown = [variable.path for variable in variables if id(variable) not in _KNOWN[optimizer][1]]
    if unknown:
        raise ValueError(
            f"`{name}` was built while some variables were frozen (trainable=False), and cannot update them: "
            f"{', '.join(unknown[:3])}{', ...' if len(unknown) > 3 else ''}. Call compile again with a new optimizer."
        )
