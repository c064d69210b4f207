"""Checks of arguments, with a function for each kind of value, and checks of models.

A check of a value takes the name of the argument and the received value. It returns the value as a plain Python type,
or raises a `ValueError` that says what the argument must be and what was received. NumPy numbers and scalar tensors
count as numbers. Booleans do not: `steps=True` is a mistake.
"""

import inspect
import math
import numbers
import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

# Arrays of samples, or weights of a layer, that are too large for any memory.
MAX_SAMPLES = MAX_SIZE = 2**31 - 1

# TensorFlow takes seeds as int64.
MAX_SEED = 2**63 - 1

# A network with more layers of a kind is a mistake, and Keras would build it for hours.
MAX_LAYERS = 1000

HOW_TO_SCALE = "Scale 0..255 with ganzoo.data.normalize (x / 127.5 - 1), or load with ganzoo.data.from_arrays."


# === Values ===


def integer(name, value, least=None, most=None, optional=False):
    """Returns an argument as a Python integer.

    Args:
        name: String, the name of the argument.
        value: The received value.
        least, most: Integers, the bounds. Default to `None`: no bound.
        optional: Boolean, whether `None` is allowed and returned. Defaults to `False`.

    Raises:
        ValueError: If it is not an integer within the bounds.

    Example:

    >>> ganzoo.checks.integer("steps", np.int64(5), least=1)
    5
    """
    if value is None and optional:
        return None
    found = plain(value)
    if not is_integer(found) or is_outside(found, least=least, most=most):
        raise refusal(name, value, f"an integer{bounds(least=least, most=most)}", optional)
    if abs(found) > MAX_SEED:
        raise refusal(name, value, "an integer below 2**63", optional)
    return found


def depth(name, value, least=0, optional=False):
    """Returns a number of layers or blocks as a Python integer. See `integer`."""
    return integer(name, value, least=least, most=MAX_LAYERS, optional=optional)


def number(name, value, least=None, above=None, below=None, most=None, finite=True, optional=False):
    """Returns an argument as a Python float.

    Args:
        name: String, the name of the argument.
        value: The received value.
        least, most: Floats, the bounds. Default to `None`: no bound.
        above, below: Floats, exclusive bounds. Default to `None`.
        finite: Boolean, whether infinity raises an error. Defaults to `True`. NaN always does.
        optional: Boolean, whether `None` is allowed and returned. Defaults to `False`.

    Raises:
        ValueError: If it is not a number within the bounds.

    Example:

    >>> ganzoo.checks.number("gradient_penalty_weight", 10, least=0)
    10.0
    """
    if value is None and optional:
        return None
    found = as_float(plain(value))
    limits = {"least": least, "above": above, "below": below, "most": most}
    if math.isnan(found) or (finite and math.isinf(found)) or is_outside(found, **limits):
        raise refusal(name, value, f"a {'finite ' if finite else ''}number{bounds(**limits)}", optional)
    return found


def seed(name, value, optional=False):
    """Returns a seed as a Python integer from 0 to 2**63 - 1.

    Raises:
        ValueError: If it is not such an integer.
    """
    if value is None and optional:
        return None
    found = plain(value)
    if not is_integer(found) or is_outside(found, least=0, most=MAX_SEED):
        raise refusal(name, value, "an integer from 0 to 2**63 - 1", optional)
    return found


def boolean(name, value):
    """Returns an argument as a Python boolean.

    Raises:
        ValueError: If it is neither `True` nor `False`. For example, Python would take `"no"` for true.
    """
    found = plain(value)
    if not isinstance(found, bool):
        raise refusal(name, value, "True or False")
    return found


def choice(name, value, choices):
    """Returns the member of `choices` that an argument is equal to.

    Args:
        name: String, the name of the argument.
        value: The received value.
        choices: Iterable of strings, numbers or `None`.

    Raises:
        ValueError: If it is not among the choices.
    """
    found, choices = plain(value), list(choices)
    for known in choices:
        if found is known or (are_alike(found, known) and found == known):
            return known
    raise refusal(name, value, f"one of {', '.join(map(repr, choices))}")


def integers(name, value, least=1, count=None):
    """Returns a sequence of integers as a tuple.

    Args:
        name: String, the name of the argument.
        value: The received value.
        least: Integer, the lower bound of each. Defaults to `1`.
        count: Integer, the required length. Defaults to `None`: any length, including 0.

    Raises:
        ValueError: If it is not such a sequence.
    """
    found = plain_items(value)
    if (
        found is None
        or not all(is_integer(item) and item >= least for item in found)
        or len(found) != (len(found) if count is None else count)
    ):
        many = "a sequence of integers" if count is None else f"{count} integers"
        raise refusal(name, value, f"{many} of at least {least}")
    return found


def counts(**arguments):
    """Returns several arguments as Python integers of at least 1, in their order.

    Raises:
        ValueError: For the first argument that is not such an integer, or larger than any array.

    Example:

    >>> latent_dim, filters = ganzoo.checks.counts(latent_dim=latent_dim, filters=filters)
    """
    found = {name: integer(name, value, least=1) for name, value in arguments.items()}
    for name, value in found.items():
        if value > MAX_SIZE:
            raise refusal(name, value, f"an integer of at most {MAX_SIZE:,}")
    return list(found.values())


def sample_shape(name, value, vectors=False):
    """Returns the shape of a sample as a tuple of Python integers.

    Args:
        name: String, the name of the argument.
        value: `(height, width, channels)`, or with `vectors` also `(dimensions,)`.
        vectors: Boolean, whether samples may be vectors. Defaults to `False`.

    Raises:
        ValueError: If it is not such a shape.
    """
    found = plain_items(value)
    are_sizes = found is not None and all(is_integer(size) and size >= 1 for size in found)
    if are_sizes and len(found) in ((1, 3) if vectors else (3,)):
        return found
    if are_sizes and len(found) == 2:
        raise ValueError(
            f"`{name}` needs the number of channels, too. Received: {name}={found}. For grey images pass {(*found, 1)}."
        )
    kinds = "(height, width, channels)" + (" or (dimensions,)" if vectors else "")
    raise refusal(name, value, f"{kinds} of positive integers")


def array(name, value, dtype=None):
    """Returns an argument as a NumPy array of numbers, of any shape.

    Args:
        name: String, the name of the argument.
        value: The received value.
        dtype: String, the type of the array. Defaults to `None`: NumPy's choice.

    Raises:
        ValueError: If NumPy cannot make such an array.
    """
    try:
        found = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise refusal(name, value, "an array of numbers") from error
    is_truth = found.dtype.kind == "b" and not found.ndim
    if is_truth or (found.dtype.kind not in "biuf" and "float" not in found.dtype.name):
        raise refusal(name, value, "an array of numbers")
    return found if dtype is None else found.astype(dtype, copy=False)


def path(name, value, optional=False):
    """Returns an argument as a `pathlib.Path`, with `~` replaced by the home directory.

    Raises:
        ValueError: If it is not a path. An empty string, which would mean the current directory, also raises it.
    """
    if value is None and optional:
        return None
    text = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise refusal(name, value, "a path, a string that is not empty or a pathlib.Path", optional)
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError(
            f"`{name}` begins with the home directory of a user whom this machine does not know. Received: "
            f"{name}={shown(value)}"
        ) from None


def keras_object(name, value, get, wanted):
    """Returns the Keras object for an object, a name or a config, such as an optimizer or an initializer.

    Args:
        name: String, the name of the argument.
        value: The received value.
        get: Function such as `keras.initializers.get`.
        wanted: String, what it must be, for the message.

    Raises:
        ValueError: If Keras does not know it.
    """
    is_known = isinstance(value, (str, dict)) or (callable(value) and not inspect.isbuiltin(value))
    try:
        if not is_known and not hasattr(value, "get_config"):
            raise TypeError(f"nothing that Keras knows: {type(value).__name__}")
        return get(value)
    except Exception as error:  # noqa: BLE001  Keras has many kinds of error for what it does not know.
        raise refusal(name, value, f"{wanted}, its name or its config") from error


def refusal(name, value, wanted, optional=False):
    """The error for an argument with the wrong kind of value."""
    return ValueError(f"`{name}` must be {wanted}{', or None' if optional else ''}. Received: {name}={shown(value)}")


def shown(value):
    """A value as a line of an error message, shortened if it is a large array."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 200 else f"{text[:200]}... (of type {type(value).__name__})"


def plain(value):
    """Turns a NumPy number, or an array or tensor without axes, into a plain Python number. Keeps all else."""
    try:
        return value if tuple(value.shape) else np.asarray(value).item()
    except (AttributeError, TypeError, ValueError, NotImplementedError, RuntimeError):
        return value  # It has no shape, or it is a tensor of a graph, which has no value yet.


def plain_items(value):
    """A sequence as a tuple of plain Python numbers. `None` if the value is not a sequence."""
    if isinstance(value, (str, bytes, dict)):
        return None
    try:
        return tuple(plain(item) for item in value)
    except TypeError:
        return None


def is_integer(value):
    """Whether this is a Python integer and not a boolean."""
    return isinstance(value, int) and not isinstance(value, bool)


def as_float(value):
    """A number as a float. Infinite if it is too large for a float, NaN if it is not a number."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def are_alike(value, known):
    """Whether it makes sense to compare two values: both are booleans, strings, or integers."""
    return isinstance(value, type(known)) and isinstance(value, bool) == isinstance(known, bool)


def is_outside(value, least=None, above=None, below=None, most=None):
    """Whether a number violates a bound."""
    return (
        (least is not None and value < least)
        or (above is not None and value <= above)
        or (below is not None and value >= below)
        or (most is not None and value > most)
    )


def bounds(least=None, above=None, below=None, most=None):
    """The bounds of a number in words, to follow the noun."""
    if least is not None and most is not None:
        return f" from {least:,} to {most:,}"
    limits = ((" of at least", least), (" above", above), (" below", below), (" of at most", most))
    return " and".join(f"{words} {limit:,}" for words, limit in limits if limit is not None)


# === Models, their losses and their samples ===


def check_backend():
    """Raises an `ImportError` unless Keras runs on TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        raise ImportError(
            f"ganzoo's training steps are written for the TensorFlow backend, and Keras runs on "
            f"{keras.backend.backend()!r}. Set KERAS_BACKEND=tensorflow before Python starts."
        )


def check_built(role, network):
    """Raises an error unless `network` is a built `keras.Model` with known input shapes."""
    if not isinstance(network, keras.Model):
        raise TypeError(
            f"`{role}` must be a keras.Model. Received: {network!r} of type {type(network).__name__}. "
            "Build one with keras.Model(inputs, outputs), or take one of ganzoo.networks."
        )
    if not network.built or not getattr(network, "inputs", None):
        raise ValueError(
            f"`{role}` must be a model with known input shapes (functional, or Sequential with an Input). "
            f"Received: {network.name}, which has none yet."
        )


def check_network(role, network, inputs, conditions):
    """Raises a `ValueError` unless a network has the right inputs, and a single output or named outputs.

    Args:
        role: String, such as `"discriminator"`.
        network: Built `keras.Model`.
        inputs: Integer, the wanted number of inputs.
        conditions: `ganzoo.training.conditions.Conditions`, for the message.
    """
    if len(network.inputs) != inputs:
        wanted = conditions.wanted_inputs if inputs == 1 + len(conditions) else f"{inputs} input(s)"
        raise ValueError(
            f"`{role}` must have {wanted}. Received: {network.name} with the inputs "
            f"{[tensor.name for tensor in network.inputs]}"
        )
    may_have_heads = role == "discriminator" and not isinstance(network, keras.Sequential)
    check_outputs(role, network, network.output if may_have_heads else None)


def check_outputs(role, network, heads):
    """Raises a `ValueError` unless a network has a single output, or with `heads` named outputs with "scores"."""
    if isinstance(heads, dict) and "scores" in heads:
        return
    if len(network.outputs) != 1 or isinstance(heads, dict):
        raise ValueError(
            f"`{role}` must have one output"
            + (', or a dictionary of outputs with "scores"' if role == "discriminator" else "")
            + f". Received: {network.name} with {len(network.outputs)} outputs."
        )


def check_loss(loss, model):
    """Returns the loss of a hook as float32. Raises a `ValueError` unless it is a scalar."""
    if loss is None or not hasattr(loss, "shape") or loss.shape.rank != 0:
        came = "None" if loss is None else f"shape {getattr(loss, 'shape', type(loss).__name__)}"
        raise ValueError(
            f"A loss of {model} must be a scalar tensor, the mean over the batch. Received: {came}. "
            "Reduce it with keras.ops.mean."
        )
    return tf.cast(loss, "float32")


def check_scalars(values):
    """Raises a `ValueError` unless all values of a dictionary are scalars."""
    for name, value in values.items():
        shape = tuple(getattr(value, "shape", ()))
        if shape:
            raise ValueError(
                f"`{name}` must be a scalar, the mean over the batch. Received: shape {shape}. Reduce it with "
                "keras.ops.mean."
            )


def check_pixels(images, what="Images"):
    """Raises a `ValueError` unless a NumPy array of images lies in [-1, 1]."""
    if images.size and (images.min() < -1.001 or images.max() > 1.001):
        raise ValueError(
            f"{what} must lie in [-1, 1], the range of the generator's tanh. Received values from "
            f"{float(images.min()):g} to {float(images.max()):g}. {HOW_TO_SCALE}"
        )


def check_count(name, value):
    """Returns a count as a Python integer of at least 1, or `None`."""
    return integer(name, value, least=1, optional=True)


def check_weight(name, value):
    """Returns the weight of a term as a finite float that is not negative."""
    return number(name, value, least=0)


def check_at_least_one(name, value):
    """Returns a count as a Python integer of at least 1."""
    return integer(name, value, least=1)


def check_decay(name, value):
    """Returns the decay of an average, a number between 0 and 1, or `None`."""
    if value is not None and not 0 < as_float(plain(value)) < 1:
        raise ValueError(f"`{name}` must lie between 0 and 1, as 0.999, or be None. Received: {name}={shown(value)}")
    return None if value is None else as_float(plain(value))


def check_seed(value, name="seed"):
    """Returns a seed as an integer in [0, 2**63)."""
    return seed(name, value)


def check_path(name, value):
    """Returns a path as a `pathlib.Path`, with `~` as the home directory."""
    return path(name, value)


def check_boolean(name, value):
    """Returns a boolean."""
    return boolean(name, value)


def check_positive(name, value):
    """Returns a finite number above 0."""
    return number(name, value, above=0)


def check_share(name, value):
    """Returns a number above 0 and of at most 1."""
    return number(name, value, above=0, most=1)


def check_execution(strategy, steps_per_execution, jit_compile):
    """Raises a `ValueError` for settings of `compile` that do not work under a strategy of tf.distribute."""
    if jit_compile is True and strategy.num_replicas_in_sync > 1:
        raise ValueError(
            "`jit_compile=True` does not work with tf.distribute, whose variables live on several devices. "
            f"Received: {type(strategy).__name__} with {strategy.num_replicas_in_sync} replicas. "
            'Leave jit_compile="auto".'
        )
    if steps_per_execution != 1 and isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        raise ValueError(
            "Several workers make one step in a call. Received: "
            f"steps_per_execution={steps_per_execution} under MultiWorkerMirroredStrategy. Leave it at 1."
        )


def check_num_samples(num_samples):
    """Returns the number of samples as an integer that is small enough to index memory."""
    num_samples = integer("num_samples", num_samples, least=1)
    if num_samples > MAX_SAMPLES:
        raise ValueError(
            f"`num_samples` must be at most {MAX_SAMPLES:,}. Received: num_samples={num_samples}. Generate in several "
            "calls with other seeds."
        )
    return num_samples
