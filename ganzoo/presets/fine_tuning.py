"""Adapts a trained model to other samples or conditions, by new networks with the weights that still fit."""

import re

import keras
import numpy as np

from ganzoo import checks
from ganzoo.data.pixels import check_image_size
from ganzoo.layers import ConditionalBatchNormalization, EqualizedDense, ModulatedBatchNormalization, OneHot
from ganzoo.networks import graph
from ganzoo.networks.rebuilding import for_size, policy_of, rebuilder_of
from ganzoo.presets import weights
from ganzoo.training import assembly

# `num_classes=0` and `num_attributes=0` of `from_preset` remove a condition.
NONE = 0

# Words for the new part of a variable.
KEPT, NEW, OF_CONDITION = None, "", " for the condition"

NETWORKS = {"generator", "discriminator"}

# How the names of layers count stages, and which layers are a stage. A larger image adds a stage, and the others keep
# their weights: those near the pixels, except in StyleGAN2, where the filters of a map depend on its size.
STAGES = {
    None: (r"(?<=^up_)\d+|(?<=^stage_)\d+", r"up_\d+(_sum)?"),
    "stylegan2_discriminator": (r"(?<=^down_)\d+", r"down_\d+_filter"),
    "synthesis": (r"(?!)", r"(?!)"),  # No layer: maps are counted from the smallest.
}

# The names of the gains and biases of batch normalization, with and without classes.
WITH_CLASSES = {"gamma": "gain", "beta": "bias", "gain": "gamma", "bias": "beta"}


def adapted(model, image_size=None, num_classes=None, num_attributes=None, without=()):
    """A model of the same class for images of another size, or with another condition.

    Args:
        model: Compiled model with the trained weights.
        image_size: `(height, width)`. Defaults to `None`: unchanged.
        num_classes, num_attributes: Integers. `0` removes the condition. Default to `None`: unchanged.
        without: Names of parts whose weights are not trained. Empty by default.

    Returns:
        `(model, new)`: a compiled model, and a description of the new weights.

    Raises:
        ValueError: If the networks cannot be rebuilt.
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
    """The sizes that the networks of a model are built for."""
    return {
        "image_shape": model.image_shape,
        "packing": model.packing,
        "num_classes": model.num_classes,
        "num_attributes": attributes_of(model),
    }


def wished(name, value, now):
    """The number of classes or attributes of the new model, or `None` for no condition."""
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
    """Raises a `ValueError` unless a model's networks are a generator and a discriminator of samples."""
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
    # This discriminator predicts the classes by a head and has no condition as an input.
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
    arguments = for_size(build, arguments, after["image_shape"])
    changed = {**arguments, **{key: value for key, value in after.items() if key in arguments}}
    if arguments.get("heads") and "classes" in arguments["heads"]:
        changed["heads"] = {"classes": after["classes"]} if after["classes"] else None
    with policy_of(network):
        return build(**changed)


def assembled(model, networks, sizes):
    """The compiled model of new networks, with the settings of the old model."""
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
    """Copies all weights of a network that fit a new network.

    - A variable of the same layer and shape is copied. So are the layers of networks inside of the network.
    - If images get larger, a network has further stages, and the numbers of the others change (`STAGES`).
    - If the condition of a layer changes, the rows of its kernel for the other inputs are copied, and the rows for the
      condition start at 0.
    - The gains and biases of batch normalization for each class start at the mean of the old values.

    So a network that reads its condition beside its other inputs starts as if it had no condition.

    Returns:
        Descriptions of the new layers, or of the new variables of a layer.
    """
    fresh = []
    for layer in new.layers:
        if isinstance(layer, keras.Model):
            fresh += [f"{layer.name} {name}" for name in transfer(old.get_layer(layer.name), layer)]
            continue
        found = {name: copy_to(name, variable, layer, old, new) for name, variable in variables_in(layer).items()}
        if found and set(found.values()) == {NEW}:
            fresh.append(layer.name)
        else:
            fresh += [f"{layer.name}/{name}{words}" for name, words in found.items() if words != KEPT]
    return fresh


def variables_in(layer):
    """The variables of a layer by name. The names of layers inside of it are a part, but not those given by Keras."""
    found = {}
    for variable in layer.weights:
        name = variable.path.partition(f"{layer.name}/")[2]
        found[re.sub(r"^batch_normalization(_\d+)?/", "", name).removesuffix("/kernel")] = variable
    return found


def copy_to(name, variable, layer, old, new):
    """Copies an old network's values into a variable of a new layer. Returns a description of the new part."""
    source_layer = counterpart_of(layer, old, new)
    source = None if source_layer is None else same_in(source_layer, name)
    if source is None:
        return NEW
    if has_classes(layer) != has_classes(source_layer) or (has_classes(layer) and source.shape != variable.shape):
        value = np.asarray(source).mean(axis=0) if is_table(source_layer, source) else np.asarray(source)
        value = value + gain_at_0(source_layer, name) - gain_at_0(layer, name)
        if value.shape != variable.shape[-1:]:
            return NEW
        variable.assign(np.broadcast_to(value, variable.shape))
        return OF_CONDITION if has_classes(layer) and has_classes(source_layer) else KEPT
    if source.shape == variable.shape:
        variable.assign(source)
        return KEPT
    if differ_in_condition(source_layer, layer, source, variable):
        value, rows = np.zeros(variable.shape, "float32"), own_inputs(layer)
        value[..., :rows, :] = np.asarray(source)[..., :rows, :]
        if isinstance(layer, EqualizedDense):  # It divides its kernel by the square root of the inputs.
            value *= np.sqrt(variable.shape[-2] / source.shape[-2])
        variable.assign(value)
        return OF_CONDITION if takes_condition(layer) else KEPT
    return NEW


def counterpart_of(layer, old, new):
    """The layer of an old network that provides the weights of a layer, or `None`."""
    layers = {each.name: each for each in old.layers}
    number, stage = STAGES.get(new.name, STAGES[None])
    added = stages_in(new, stage) - stages_in(old, stage)
    return layers.get(re.sub(number, lambda match: str(int(match[0]) - added), layer.name))


def same_in(layer, name):
    """The variable of a layer with a name, or its counterpart with or without classes. `None` if neither exists."""
    found = variables_in(layer)
    return found.get(name, found.get(WITH_CLASSES.get(name)))


def has_classes(layer):
    """Whether a layer has gains and biases for each class."""
    if isinstance(layer, ModulatedBatchNormalization):
        return isinstance(graph.made_by(layer.input[1]).operation, OneHot)
    return isinstance(layer, ConditionalBatchNormalization)


def is_table(layer, variable):
    """Whether a variable of a layer has a row for each class."""
    return has_classes(layer) and len(variable.shape) == 2


def gain_at_0(layer, name):
    """What the gain of a normalization is where its variable is 0."""
    return float(isinstance(layer, ModulatedBatchNormalization) and name in ("gamma", "gain"))


def stages_in(network, pattern):
    """The number of stages of a network, whose layers have such names."""
    return sum(re.fullmatch(pattern, layer.name) is not None for layer in network.layers)


def differ_in_condition(old, new, source, variable):
    """Whether two kernels differ only in the rows of the condition."""
    return (
        variable.name == "kernel"
        and not isinstance(new.input, list)
        and len(variable.shape) == len(source.shape)
        and (*source.shape[:-2], source.shape[-1]) == (*variable.shape[:-2], variable.shape[-1])
        and (takes_condition(old) or takes_condition(new))
        and own_inputs(old) == own_inputs(new)
    )


def takes_condition(layer):
    """Whether a condition is joined to the input of a layer."""
    return own_inputs(layer) != layer.input.shape[-1]


def own_inputs(layer):
    """The number of a layer's inputs before a joined condition."""
    tensor = layer.input
    while True:
        origin = graph.made_by(tensor)
        # `join_label` and similar functions name their layers `with_...`.
        joins = isinstance(origin.operation, keras.layers.Concatenate) and origin.operation.name.startswith("with_")
        if not joins and not isinstance(origin.operation, keras.layers.AveragePooling2D):
            return tensor.shape[-1]
        tensor = origin.inputs[0]
