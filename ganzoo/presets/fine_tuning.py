"""A trained model for other samples or other conditions: new networks with the weights that fit."""

import re

import keras
import numpy as np

from ganzoo import checks
from ganzoo.data.pixels import check_image_size
from ganzoo.layers import ConditionalBatchNormalization
from ganzoo.networks import graph
from ganzoo.networks.rebuilding import policy_of, rebuilder_of
from ganzoo.presets import weights
from ganzoo.training import assembly

# What `from_preset` takes as "none of it any more".
NONE = 0

# What of a variable is new, in words.
KEPT, NEW, OF_CONDITION = None, "", " for the condition"

NETWORKS = {"generator", "discriminator"}

# The names of the gains and biases of batch normalization, with and without classes.
WITH_CLASSES = {"gamma": "gain", "beta": "bias", "gain": "gamma", "bias": "beta"}


def adapted(model, image_size=None, num_classes=None, num_attributes=None, without=()):
    """A model of the same kind for images of another size, or another condition.

    Args:
        model: Compiled model with the trained weights.
        image_size: `(height, width)`. Defaults to `None`: as it is.
        num_classes, num_attributes: Integers, `0` for none. Default to `None`: as it is.
        without: Names of parts whose weights are not trained. Defaults to none.

    Returns:
        `(model, new)`: a compiled model, and names of the weights that are new, in words.

    Raises:
        ValueError: If the networks cannot be built again.
    """
    check_adaptable(model)
    before = sizes_of(model)
    after = {**before, "num_classes": wished("num_classes", num_classes, before["num_classes"])}
    after["num_attributes"] = wished("num_attributes", num_attributes, before["num_attributes"])
    if image_size is not None:
        after["image_shape"] = (*image_size_for(model, image_size), model.image_shape[-1])
    networks = {name: rebuilt(model, name, before, after) for name in sorted(NETWORKS, reverse=True)}
    found = assembled(model, networks, after)
    new = []
    for part, variables in weights.parts_of(found).items():
        if part in NETWORKS and part not in without:
            new += [f"{part} {name}" for name in transfer(getattr(model, part), networks[part])]
        elif part not in NETWORKS:
            for ours, theirs in zip(variables, weights.parts_of(model).get(part, ())):
                if ours.shape == theirs.shape:
                    ours.assign(theirs)
    weights.copy_to_averages(found)
    return found, new


def sizes_of(model):
    """The sizes that both networks of a model are built for."""
    return {
        "image_shape": model.image_shape,
        "packing": model.packing,
        "num_classes": model.num_classes,
        "num_attributes": attributes_of(model),
    }


def wished(name, value, now):
    """The number of classes or attributes that the new model has, `None` for none."""
    value = checks.integer(name, value, least=0, optional=True)
    return now if value is None else None if value == NONE else value


def image_size_for(model, image_size):
    """Returns a checked `(height, width)`."""
    if len(model.image_shape) != 3:
        raise ValueError(
            f"`image_size` is for images, and the model's samples have the shape {model.image_shape}. Received: "
            f"image_size={checks.shown(image_size)}"
        )
    return check_image_size(image_size)


def check_adaptable(model):
    """Raises a `ValueError` for a model whose networks are not a generator and a discriminator of samples."""
    name = type(model).__name__
    if model.conditions.translates:
        raise ValueError(
            f"{name} translates images, and its networks belong to the images on both sides. Take the preset as it is, "
            "with data of its size, or train a new model."
        )
    found = {each for each in model.networks if not each.startswith("ema_")}
    if found != NETWORKS:
        raise ValueError(
            f"{name} has the networks {', '.join(sorted(found))}, and only a generator with a discriminator can be "
            "built for other sizes or conditions. Take the preset as it is, or train a new model with from_paper."
        )


# === The new model ===


def rebuilt(model, name, before, after):
    """A network of the same family and settings for other sizes."""
    network = getattr(model, name)
    if name == "discriminator" and not model.judges_conditions:
        none = {"num_classes": None, "num_attributes": None}
        before, after = {**before, **none}, {**after, **none, "classes": after["num_classes"]}
    build, arguments = rebuilder_of(network, **before)
    unknown = [key for key in before if after[key] != before[key] and key not in arguments]
    if unknown:
        raise ValueError(
            f"The {name} of the preset is of a family, {build.__module__}.{build.__name__}, that has no argument "
            f"{unknown[0]!r}. Received: {unknown[0]}={after[unknown[0]]}. Train a new model of another family."
        )
    changed = {**arguments, **{key: value for key, value in after.items() if key in arguments}}
    if arguments.get("heads") and "classes" in arguments["heads"]:
        changed["heads"] = {"classes": after["classes"]} if after["classes"] else None
    with policy_of(network):
        return build(**changed)


def assembled(model, networks, sizes):
    """The compiled model of these networks, with the settings of the old one."""
    conditional = sizes["num_classes"] is not None or sizes["num_attributes"] is not None
    # A conditional GAN without a condition is a GAN.
    classes = [cls for cls in type(model).__mro__ if conditional or not getattr(cls, "needs_condition", False)]
    names = {
        "class_names": model.class_names if sizes["num_classes"] == model.num_classes else None,
        "attribute_names": model.attribute_names if sizes["num_attributes"] == attributes_of(model) else None,
    }
    config = {**model.get_config(), **networks, **names, "num_classes": sizes["num_classes"]}
    known = assembly.argument_names(classes[0]) | {"name"}
    found = classes[0].from_config({key: value for key, value in config.items() if key in known})
    found.compile_from_config(model.get_compile_config())
    return found


def attributes_of(model):
    """The number of attributes of a model, or `None`."""
    return None if model.conditions.attributes is None else model.conditions.attributes.size


# === Weights ===


def transfer(old, new):
    """Copies the weights of a network that fit another one.

    A variable of the same layer and shape is copied. A generator of larger images begins with a stage more, so its
    stages have the numbers of the old ones plus one. Where a layer has other condition inputs than before, the rows of
    its kernel for the rest are copied, and those for the condition are 0; each class begins with the same gains and
    biases of batch normalization, the mean of the old ones: it begins as if there were no condition.

    Returns:
        Names of the layers, or variables of a layer, that are new, in words.
    """
    fresh = []
    for layer in new.layers:
        found = {variable.name: copy_to(variable, layer, old, new) for variable in layer.weights}
        if found and set(found.values()) == {NEW}:
            fresh.append(layer.name)
        else:
            fresh += [f"{layer.name}/{name}{words}" for name, words in found.items() if words != KEPT]
    return fresh


def copy_to(variable, layer, old, new):
    """Copies what an old network has for a variable of a layer of a new one; returns what of it is new, in words."""
    source_layer = counterpart_of(layer, old, new)
    source = None if source_layer is None else same_in(source_layer, variable.name)
    if source is None:
        return NEW
    if source.shape == variable.shape:
        variable.assign(source)
        return KEPT
    if has_classes(layer) or has_classes(source_layer):
        value = np.asarray(source).mean(axis=0) if has_classes(source_layer) else np.asarray(source)
        if value.shape != variable.shape[-1:]:
            return NEW
        variable.assign(np.broadcast_to(value, variable.shape))
        return OF_CONDITION if has_classes(layer) and has_classes(source_layer) else KEPT
    if differ_in_condition(source_layer, layer, source, variable):
        value, rows = np.zeros(variable.shape, "float32"), own_inputs(layer)
        value[..., :rows, :] = np.asarray(source)[..., :rows, :]
        variable.assign(value)
        return OF_CONDITION if takes_condition(layer) else KEPT
    return NEW


def counterpart_of(layer, old, new):
    """The layer of an old network that a layer gets its weights from, or `None`."""
    layers = {each.name: each for each in old.layers}
    added = sum(is_stage(each.name) for each in new.layers) - sum(map(is_stage, layers))
    shifted = re.sub(r"(?<=^up_)\d+|(?<=^stage_)\d+", lambda match: str(int(match[0]) - added), layer.name)
    return layers.get(shifted)


def same_in(layer, name):
    """The variable of a layer with a name, or what it is called with or without classes; `None` if there is none."""
    return next((each for each in layer.weights if each.name in (name, WITH_CLASSES.get(name))), None)


def has_classes(layer):
    """Whether a layer has gains and biases for each class."""
    return isinstance(layer, ConditionalBatchNormalization)


def is_stage(name):
    """Whether a layer is the one of a generator's stage that doubles the size."""
    return re.fullmatch(r"up_\d+(_sum)?", name) is not None


def differ_in_condition(old, new, source, variable):
    """Whether two kernels differ in the rows of the condition alone."""
    return (
        variable.name == "kernel"
        and len(variable.shape) == len(source.shape)
        and (*source.shape[:-2], source.shape[-1]) == (*variable.shape[:-2], variable.shape[-1])
        and (takes_condition(old) or takes_condition(new))
        and own_inputs(old) == own_inputs(new)
    )


def takes_condition(layer):
    """Whether a condition is joined to the input of a layer."""
    return own_inputs(layer) != layer.input.shape[-1]


def own_inputs(layer):
    """How many inputs of a layer come before a joined condition."""
    tensor = layer.input
    while True:
        origin = graph.made_by(tensor)
        joins = isinstance(origin.operation, keras.layers.Concatenate) and origin.operation.name.startswith("with_")
        if not joins and not isinstance(origin.operation, keras.layers.AveragePooling2D):
            return tensor.shape[-1]
        tensor = origin.inputs[0]
