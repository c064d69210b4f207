"""Finds the function and the arguments that a built network was made with.

A saved network is a graph of layers. It does not store its number of filters, and its number of classes cannot be
changed. So the arguments are read from the layers by name. As a check, the function must then make a network with the
same config.
"""

import contextlib
import inspect
import json

import keras

from ganzoo.networks import biggan, dcgan, graph, maxout, mlp, r3gan, resnet, stylegan2

FAMILIES = {
    "biggan": biggan,
    "dcgan": dcgan,
    "maxout": maxout,
    "mlp": mlp,
    "r3gan": r3gan,
    "resnet": resnet,
    "stylegan2": stylegan2,
}

# Layers at the start of a network. Their kernels have the network's initializer.
_FIRST = ("up_0_conv_0", "down_0_conv_0", "project", "down_0", "dense_0", "from_latents", "from_image")
# Layers at the start of networks without an initializer as an argument.
_BEFORE_OTHERS = (*_FIRST, "coefficients", "styles")


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
            readers = {**_READERS, **_READERS_OF.get(family, {})}
            arguments |= {name: readers[name](network, role) for name in names - set(known)}
            with policy_of(network):
                again = build(**arguments)
            if layers_in(again) == layers_in(network):
                return build, arguments
    raise ValueError(
        f"The network {network.name!r} is of no family that can be built again for other samples or conditions: these "
        f"are {', '.join(FAMILIES)}, as their functions make them. Build networks of your own with the new sizes, and "
        "copy the weights that fit with `layer.set_weights`."
    )


def for_size(build, arguments, image_shape):
    """The arguments of a network, changed so that they suit images of another size.

    R3GAN's numbers for each size of map go from the largest map to the smallest: the last is left out or repeated.
    BigGAN's generator counts the block before its attention from the smallest map: the map keeps its size.

    Args:
        build: Function of a family of networks.
        arguments: Dictionary of its arguments, with the old `image_shape`.
        image_shape: `(height, width, channels)`.
    """
    found = {**arguments, "image_shape": image_shape}
    if build in (r3gan.generator, r3gan.discriminator):
        count = r3gan.maps_of(image_shape)
        for name in ("filters", "blocks", "cardinality"):
            if isinstance(found[name], tuple):
                found[name] = (*found[name], *[found[name][-1]] * count)[:count]
    if build is biggan.generator and found["attention"] is not None:
        added = biggan.depth_of(image_shape) - biggan.depth_of(arguments["image_shape"])
        found["attention"] = found["attention"] + added if found["attention"] + added > 0 else None
    return found


@contextlib.contextmanager
def policy_of(network):
    """A context in which new layers get the precision of a network."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(layer_of(network, *_BEFORE_OTHERS).dtype_policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def layers_in(network):
    """The layers of a network as text, with the names of their classes, names, settings and inputs but without seeds.

    Networks from older files have Keras' LeakyReLU and ReLU. Networks of today have ganzoo's, with the same names.
    """
    left_out = ("seed", "build_config", "module", "registered_name")

    def bare(value):
        if isinstance(value, dict):
            return {key: bare(part) for key, part in value.items() if key not in left_out}
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


# === R3GAN: a number for each size of map ===


def _maps(network):
    """The layers `contract` of each size of map, from the largest map to the smallest."""
    count = r3gan.maps_of((network.output if "to_image" in names_in(network) else network.inputs[0]).shape[1:])
    return [numbered(network, f"map_{index}_block_{{}}_contract") for index in range(count)]


def _same_or_each(values):
    """A number, if all are equal, or else a tuple."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def _r3gan_filters(network, role):
    return _same_or_each([contractions[0].filters for contractions in _maps(network)])


def _blocks(network, role):
    return _same_or_each([len(contractions) for contractions in _maps(network)])


def _cardinality(network, role):
    layers = [network.get_layer(f"map_{index}_block_0_grouped") for index in range(len(_maps(network)))]
    groups = [layer.groups for layer in layers]
    is_default = groups == [r3gan.default_cardinality(layer.filters) for layer in layers]
    return None if is_default else _same_or_each(groups)


def _expansion(network, role):
    return network.get_layer("map_0_block_0_expand").filters // network.get_layer("map_0_block_0_contract").filters


def _embedding_dim(network, role):
    return network.get_layer("embedding").units if "embedding" in names_in(network) else 64


# === StyleGAN2: filters by the side of a map ===


def _depths(network, role):
    """The filters of each map and its side, a list of pairs."""
    if role == "generator":
        convolutions = numbered(network.get_layer("synthesis"), "convolution_{}")
        depths = [layer.filters for layer in reversed(convolutions)]
    else:
        depths = [layer_of(network, "from_image").filters]
        depths += [layer.filters for layer in numbered(network, "down_{}_conv_1")]
    shape = (network.output if role == "generator" else network.inputs[0]).shape[1:]
    return list(zip(depths, stylegan2.sides_of(shape), strict=True))


def _base(network, role):
    """The smallest base that makes these maps. A larger base would make larger images' maps deeper."""
    return max(depth * side for depth, side in _depths(network, role))


def _label_layers(network, role):
    return len(numbered(network, "mapping_{}")) if "condition" in names_in(network) else 8


# === BigGAN ===


def _biggan_filters(network, role):
    blocks = numbered(network, "up_{}_conv_0" if role == "generator" else "down_{}_conv_0")
    if role == "generator":
        return blocks[-1].filters // biggan.GENERATOR_WIDTHS.get(len(blocks), (4,))[-1]
    count = biggan.depth_of(network.inputs[0].shape[1:])
    return blocks[0].filters // biggan.DISCRIMINATOR_WIDTHS.get(count, (4,))[0]


def _attention(network, role):
    """The number of the block before the self-attention, from 1."""
    if "attention" not in names_in(network):
        return None
    before = graph.made_by(network.get_layer("attention").input).operation.name
    return 1 + int(before.split("_")[1])


_READERS_OF = {
    "r3gan": {
        "filters": _r3gan_filters,
        "blocks": _blocks,
        "cardinality": _cardinality,
        "expansion": _expansion,
        "embedding_dim": _embedding_dim,
    },
    "stylegan2": {
        "style_dim": lambda network, role: network.get_layer("styles").input.shape[-1],
        "mapping_layers": lambda network, role: len(numbered(network.get_layer("mapping"), "mapping_{}")),
        "base": _base,
        "max_filters": lambda network, role: max(depth for depth, _ in _depths(network, role)),
        "group_size": lambda network, role: network.get_layer("group_deviation").group_size,
        "residual": lambda network, role: "down_0_shortcut" in names_in(network) or len(_depths(network, role)) == 1,
        "label_layers": _label_layers,
    },
    "biggan": {
        "filters": _biggan_filters,
        "shared_dim": lambda network, role: getattr(layer_of(network, "shared_embedding"), "units", None),
        "split_latents": lambda network, role: "parts" in names_in(network),
        "attention": _attention,
        # The generator always has batch normalization.
        "normalization": lambda network, role: "spectral" if _normalization(network, role) == "spectral" else None,
    },
}
