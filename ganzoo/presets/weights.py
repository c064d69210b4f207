"""The weights of a preset, an HDF5 file with a group for each part of the model and no Python objects."""

import h5py
import keras
import numpy as np

from ganzoo.sampling import RandomStream
from ganzoo.training.image_pool import ImagePool

# The name of the part with the model's own variables, such as BEGAN's k.
OWN = "model"

# Layers that belong to a training. Their variables start anew with the next training.
_OF_TRAINING = (RandomStream, ImagePool)


def parts_of(model):
    """The variables of a preset, `{part: [variable, ...]}`, without duplicates.

    A part is a layer or network of the model, by the name of its attribute. Averages such as `ema_generator` are not
    parts. They are stored in place of the network that they average.
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
    """Whether a part is a discriminator, which only training needs."""
    return part.endswith("discriminator")


def averages(model):
    """Pairs of networks, `(average, averaged network)`."""
    found = {name: value for name, value in vars(model).items() if isinstance(value, keras.layers.Layer)}
    names = [name for name in found if name.startswith("ema_")]
    return [(found[name], found[name.removeprefix("ema_")]) for name in names]


def write(model, path, parts, dtype=None):
    """Writes some parts of a model. Averages replace the networks that they average.

    Args:
        model: `GenerativeModel`.
        path: Path of the file.
        parts: Names of parts.
        dtype: String, such as `"float16"`, to which floats are rounded. Defaults to `None`: no rounding.
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
                # HDF5 cannot compress scalars.
                chunks = {"compression": "gzip", "shuffle": True} if value.ndim else {}
                group.create_dataset(f"{index:04d}", data=value, **chunks).attrs["path"] = variable.path


def read(model, path, skip=()):
    """Loads the weights of a file into a model and its averages.

    Args:
        model: `GenerativeModel` with the same networks.
        path: Path of the file.
        skip: Names of parts to leave unchanged.

    Returns:
        The names of the parts that are not in the file.

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
    """Copies the weights of networks to their averages."""
    for average, network in averages(model):
        for ours, theirs in zip(average.weights, network.weights, strict=True):
            ours.assign(theirs)


def first_difference(shapes, wanted):
    """A description of the first difference between two lists."""
    for index, (came, expected) in enumerate(zip(shapes, wanted)):
        if came != expected:
            return f"number {index}, {came} for {expected}"
    return "their number"
