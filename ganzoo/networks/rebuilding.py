"""Finds the function and the arguments that a built network was made with.

A saved network is a graph of layers. It does not store its number of filters, and its number of classes cannot be
changed. So the arguments are read from the layers by name. As a check, the function must then make a network with the
same config.
"""

import contextlib
import inspect
import json

import keras

from ganzoo.networks import dcgan, maxout, mlp, resnet

FAMILIES = {"dcgan": dcgan, "maxout": maxout, "mlp": mlp, "resnet": resnet}

# Layers at the start of a network. Their kernels have the network's initializer.
_FIRST = ("up_0_conv_0", "down_0_conv_0", "project", "down_0", "dense_0", "from_latents", "from_image")


def rebuilder_of(network, **known):
    """Finds the function that made a network, and its arguments.

    Args:
        network: Built `keras.Model`.
        **known: Arguments that the model knows for certain: `image_shape`, `packing`, `num_classes`, `num_attributes`.

    Returns:
        `(function, arguments)`: `function(**arguments)` makes a network with the same layers and new weights.

    Raises:
        ValueError: If the network does not belong to a known family.
    """
    family, _, role = network.name.rpartition("_")
    build = getattr(FAMILIES.get(family), role, None)
    if build is not None:
        names = set(inspect.signature(build).parameters)
        arguments = {name: value for name, value in known.items() if name in names}
        # An unknown network may lack a layer that a reader asks for.
        with contextlib.suppress(ValueError, KeyError, IndexError, TypeError, AttributeError, ZeroDivisionError):
            arguments |= {name: _READERS[name](network, role) for name in names - set(known)}
            with policy_of(network):
                again = build(**arguments)
            if layers_in(again) == layers_in(network):
                return build, arguments
    raise ValueError(
        f"The network {network.name!r} is of no family that can be built again for other samples or conditions: these "
        f"are {', '.join(FAMILIES)}, as their functions make them. Build networks of your own with the new sizes, and "
        "copy the weights that fit with `layer.set_weights`."
    )


@contextlib.contextmanager
def policy_of(network):
    """A context in which new layers get the precision of a network."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(layer_of(network, *_FIRST).dtype_policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def layers_in(network):
    """The layers of a network as text, with their classes, names, settings and inputs but without seeds."""

    def bare(value):
        if isinstance(value, dict):
            return {key: bare(part) for key, part in value.items() if key not in ("seed", "build_config")}
        return [bare(part) for part in value] if isinstance(value, (list, tuple)) else value

    return json.dumps(bare(network.get_config()), sort_keys=True, default=str)


# === Arguments ===


def names_in(network):
    """The names of the layers of a network."""
    return [layer.name for layer in network.layers]


def layer_of(network, *names):
    """The first layer with a name among `names`, or `None`."""
    return next((network.get_layer(name) for name in names if name in names_in(network)), None)


def numbered(network, form):
    """The layers named `form.format(0)`, `form.format(1)`, ..., up to the first missing number."""
    layers = []
    while form.format(len(layers)) in names_in(network):
        layers.append(network.get_layer(form.format(len(layers))))
    return layers


def _filters(network, role):
    if role == "discriminator":
        return layer_of(network, "down_0", "down_0_conv_0").filters
    blocks = numbered(network, "up_{}_conv_0")
    if blocks:
        return blocks[-1].filters
    return network.get_layer("reshape").target_shape[-1] // 2 ** (len(numbered(network, "relu_{}")) - 1)


def _growth(network, role):
    blocks = numbered(network, "up_{}_conv_0" if role == "generator" else "down_{}_conv_1")
    if len(blocks) < 2:
        return 1
    first, second = blocks[0].filters, blocks[1].filters
    return max(first, second) // min(first, second)


def _normalization(network, role):
    classes = {type(layer).__name__ for layer in network.layers}
    if {"SpectralDense", "SpectralConv2D"} & classes:
        return "spectral"
    kinds = ("batch", "layer", "instance")
    return next((kind for kind in kinds if any(name.endswith(f"_{kind}_norm") for name in names_in(network))), None)


def _initializer(network, role):
    return keras.saving.serialize_keras_object(layer_of(network, *_FIRST).kernel_initializer)


def _hidden(network, role):
    if "from_latents" not in names_in(network):
        return [layer.units for layer in numbered(network, "dense_{}")]
    of_label = network.get_layer("from_label").units if "from_label" in names_in(network) else 1000
    return network.get_layer("from_latents").units, of_label, network.get_layer("joint").units


def _units(network, role):
    layers = [layer_of(network, name) for name in ("from_image", "from_label", "joint") if name in names_in(network)]
    pairs = [(layer.units // layer.pieces, layer.pieces) for layer in layers]
    return pairs if len(pairs) == 3 else [pairs[0], (50, 5), pairs[1]]


def _activation(network, role):
    default = "relu" if role == "generator" else "leaky_relu"
    return next((kind for kind in mlp.ACTIVATIONS if f"{kind}_0" in names_in(network)), default)


def _pixel_size(network, role):
    if "pixels" not in names_in(network):
        return 1
    layer = network.get_layer("pixels")
    return (layer.size if role == "generator" else layer.pool_size)[0]


def _heads(network, role):
    outputs = network.output if isinstance(network.output, dict) else {}
    return {name: tensor.shape[-1] for name, tensor in outputs.items() if name != "scores"} or None


def _down_blocks(network, role):
    found = len(numbered(network, "down_{}_sum"))
    return None if found == resnet.halvings(network.inputs[0].shape[1:]) else found


def _batch_normalization(network, role):
    return _normalization(network, role) == "batch"


_READERS = {
    "latent_dim": lambda network, role: network.inputs[0].shape[-1],
    "filters": _filters,
    "growth": _growth,
    "normalization": _normalization,
    "batch_normalization": _batch_normalization,
    "kernel_initializer": _initializer,
    "hidden_initializer": _initializer,
    "hidden": _hidden,
    "units": _units,
    "activation": _activation,
    "label": lambda network, role: "embedding" if "label_embedding" in names_in(network) else "one_hot",
    "conditioning": lambda network, role: "projection" if "projection" in names_in(network) else "concatenate",
    "pixel_size": _pixel_size,
    "heads": _heads,
    "score_dim": lambda network, role: network.get_layer("score").units,
    "down_blocks": _down_blocks,
    "same_blocks": lambda network, role: len(numbered(network, "same_{}_sum")),
    "pooling": lambda network, role: "sum" if "sum" in names_in(network) else "mean",
}
