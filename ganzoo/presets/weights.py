"""The weights of a preset: an HDF5 file with a group for each part of the model, and no objects."""

import h5py
import keras
import numpy as np

from ganzoo.sampling import RandomStream
from ganzoo.training.image_pool import ImagePool

# The variables that belong to the model itself, such as BEGAN's k.
OWN = "model"

# Layers that belong to a training. What they hold begins anew with the next one.
_OF_TRAINING = (RandomStream, ImagePool)


def parts_of(model):
    """The variables that a preset holds, `{part: [variable, ...]}`, each of them once.

    A part is a layer or network of the model, by the name of its attribute. The averages (`ema_generator`) are no parts
    of their own: they stand for the network that they are averages of.
    """
    layers = {name: layer for name, layer in vars(model).items() if isinstance(layer, keras.layers.Layer)}
    passing = [name for name, layer in layers.items() if isinstance(layer, _OF_TRAINING) or name.startswith("ema_")]
    seen = {id(model.step), *(id(variable) for name in passing for variable in layers.pop(name).weights)}
    parts = {}
    for name, variables in {**{name: layer.weights for name, layer in layers.items()}, OWN: model.weights}.items():
        fresh = [variable for variable in variables if id(variable) not in seen]
        seen.update(map(id, fresh))
        if fresh:
            parts[name] = fresh
    return parts


def is_judge(part):
    """Whether a part is needed for training alone: a discriminator."""
    return part.endswith("discriminator")


def averages(model):
    """Pairs of networks, `(average, network that it averages)`."""
    found = {name: value for name, value in vars(model).items() if isinstance(value, keras.layers.Layer)}
    names = [name for name in found if name.startswith("ema_")]
    return [(found[name], found[name.removeprefix("ema_")]) for name in names]


def write(model, path, parts, dtype=None):
    """Writes some parts of a model, averages in the place of what they average.

    Args:
        model: `GenerativeModel`.
        path: Path of the file.
        parts: Names of parts.
        dtype: String, such as `"float16"`, to round floats to. Defaults to `None`: as they are.
    """
    averaged = {}
    for average, network in averages(model):
        averaged |= {id(ours): value for ours, value in zip(network.weights, average.weights, strict=True)}
    with h5py.File(path, "w") as file:
        for part in parts:
            group = file.create_group(part)
            for index, variable in enumerate(parts_of(model)[part]):
                value = np.asarray(averaged.get(id(variable), variable))
                if dtype is not None and np.issubdtype(value.dtype, np.floating):
                    value = value.astype(dtype)
                chunks = {"compression": "gzip", "shuffle": True} if value.ndim else {}
                group.create_dataset(f"{index:04d}", data=value, **chunks).attrs["path"] = variable.path


def read(model, path, skip=()):
    """Gives a model the weights of a file, and its averages the same.

    Args:
        model: `GenerativeModel` of the same networks.
        path: Path of the file.
        skip: Names of parts to leave as they are.

    Returns:
        The names of the parts that the file does not hold.

    Raises:
        ValueError: If the file does not fit the model.
    """
    missing = []
    with h5py.File(path, "r") as file:
        for part, variables in parts_of(model).items():
            if part in skip:
                continue
            if part not in file:
                missing.append(part)
                continue
            values = [file[part][key][()] for key in sorted(file[part])]
            shapes, wanted = [value.shape for value in values], [tuple(variable.shape) for variable in variables]
            if shapes != wanted:
                raise ValueError(
                    f"The weights of {part!r} in {str(path)!r} do not fit its config: {len(shapes)} arrays, expected "
                    f"{len(wanted)}; the first that differs: {first_difference(shapes, wanted)}."
                )
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value.astype(keras.backend.standardize_dtype(variable.dtype)))
    copy_to_averages(model)
    return missing


def copy_to_averages(model):
    """Gives the averages of a model the weights of what they average."""
    for average, network in averages(model):
        for ours, theirs in zip(average.weights, network.weights, strict=True):
            ours.assign(theirs)


def first_difference(shapes, wanted):
    """Where two lists differ first, in words."""
    for index, (came, expected) in enumerate(zip(shapes, wanted)):
        if came != expected:
            return f"number {index}, {came} for {expected}"
    return "their number"
