"""Questions about a built network: its layers, where a tensor comes from, what its output can be.

Whoever looks into a network asks here. All private parts of Keras that such a look needs stand in this file:
`_flatten_layers`, `_seed_generators`, `_keras_history` and `_inbound_nodes`.
"""

from typing import Any, NamedTuple

import keras
import numpy as np

# What an output activation can make. Others, such as a linear one, make any value, or are not known.
RANGES = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": (0.0, np.inf),
    "relu6": (0.0, 6.0),
}

# Operations that move values about and change none.
MOVES = ("Reshape", "Flatten", "Permute", "Transpose", "Cropping1D", "Cropping2D", "Cropping3D", "Cast", "Identity")


# === Layers ===


def flatten_layers(network):
    """All layers of a network, layers inside of layers included; the network itself comes first.

    Args:
        network: `keras.Layer`, such as a `keras.Model`.
    """
    return network._flatten_layers()


def layers_of(network, kinds):
    """All layers of some classes, layers inside of layers included.

    Args:
        network: `keras.Layer`.
        kinds: Class, or tuple of classes.
    """
    return [layer for layer in flatten_layers(network) if isinstance(layer, kinds)]


def trainable_layers(network):
    """The outer layers of a network that have trainable weights."""
    return [layer for layer in network.layers if layer.trainable_weights]


def batch_normalizations(network):
    """All layers with batch normalization, whose output for one sample depends on the others."""
    return layers_of(network, keras.layers.BatchNormalization)


def seed_generators(network):
    """The sources of random numbers in a network's layers, such as `Dropout`.

    Keras does not save their states: whoever copies or saves the whole state of a training needs `source.state` of
    each.

    Args:
        network: `keras.Layer`.

    Returns:
        List of `keras.random.SeedGenerator`, always in the same order.
    """
    return [source for layer in flatten_layers(network) for source in own_seed_generators(layer)]


def noise_layers(network):
    """Layers that draw random numbers, such as `Dropout`; with a rate of 0 they draw none."""
    return [layer for layer in flatten_layers(network) if own_seed_generators(layer)]


def own_seed_generators(layer):
    """The sources of random numbers of a layer, without those of the layers inside of it."""
    return list(getattr(layer, "_seed_generators", ()))


def elus(network):
    """Layers that are exponential linear units, or end in one."""
    return [layer for layer in flatten_layers(network) if is_elu(layer)]


def is_elu(layer):
    """Whether a layer is an exponential linear unit, or ends in one."""
    activation = getattr(layer, "activation", None)
    return isinstance(layer, keras.layers.ELU) or getattr(activation, "__name__", None) == "elu"


# === Tensors ===


class Origin(NamedTuple):
    """Where a symbolic tensor comes from.

    Args:
        operation: `keras.Operation` (a layer is one) that made the tensor.
        inputs: List of the symbolic tensors that went in.
        index: Integer, which of the operation's outputs the tensor is.
    """

    operation: Any
    inputs: list
    index: int


def made_by(tensor):
    """The `Origin` of a symbolic tensor."""
    operation, node_index, index = tensor._keras_history
    return Origin(operation, operation._inbound_nodes[node_index].input_tensors, index)


def only_output(layer):
    """The symbolic output of a layer that was called once and makes one tensor, or else `None`."""
    nodes = layer._inbound_nodes
    if len(nodes) == 1 and len(nodes[0].output_tensors) == 1:
        return nodes[0].output_tensors[0]
    return None


def has_heads(discriminator):
    """Whether a discriminator has outputs by name: `"scores"` and others, such as the logits of classes."""
    return isinstance(getattr(discriminator, "output", None), dict)


def scores_of(discriminator):
    """The symbolic scores of a discriminator: the output `"scores"` if it has several, or its only one."""
    return discriminator.output["scores"] if has_heads(discriminator) else discriminator.outputs[0]


def descends(tensor, source):
    """Whether a symbolic tensor is computed from another one, or is the same."""
    pending, seen = [tensor], set()
    while pending:
        tensor = pending.pop()
        if tensor is source:
            return True
        if id(tensor) not in seen:
            seen.add(id(tensor))
            pending += made_by(tensor).inputs
    return False


def edges_of(tensor, stop=None):
    """The operations behind a symbolic tensor, as a list of `(operation, inputs, output)`, the last one first.

    Args:
        tensor: Symbolic tensor.
        stop: Symbolic tensor, which is not looked behind. Defaults to `None`.
    """
    pending, seen, found = [tensor], set(), []
    while pending:
        tensor = pending.pop(0)
        if tensor is stop or id(tensor) in seen:
            continue
        seen.add(id(tensor))
        operation, inputs, _ = made_by(tensor)
        found.append((operation, inputs, tensor))
        pending += inputs
    return found


def output_of(network, name):
    """The symbolic output of the layer of that name inside of a functional model, or `None` if there is none."""
    found = (output for operation, _, output in edges_of(network.outputs[0]) if operation.name == name)
    return next(found, None)


def part_of(network, start, end):
    """The part of a functional model from one symbolic tensor to another, with the inputs that it needs besides.

    Args:
        network: Functional `keras.Model`.
        start: Symbolic tensor, an input or a tensor inside.
        end: Symbolic tensor.

    Returns:
        `(part, others)`: a `keras.Function` whose first input is `start`, for inference; and its further inputs, as
        symbolic tensors. A `keras.Model` would leave nodes in the layers of the network.
    """
    made = {id(output) for _, _, output in edges_of(end, stop=start)}
    others = [tensor for tensor in network.inputs if id(tensor) in made and tensor is not start]
    return keras.Function([start, *others], end), others


def first_layers(network, tensor):
    """The layers with weights that a tensor reaches first. Models inside of the model are looked into.

    A layer with the attribute `ignores_values` takes only the size of the batch from its input, and is left out.

    Args:
        network: Functional `keras.Model`.
        tensor: Symbolic tensor of it, such as an input.

    Returns:
        List of `(layer, parts)`: the parts of the models that lead from the tensor to the layer's input, from outside
        to inside, each as `part_of` returns it.
    """
    edges = edges_of(network.outputs[0], stop=tensor)
    pending, seen, found = [tensor], set(), []
    while pending:
        source = pending.pop(0)
        for operation, inputs, output in edges:
            if getattr(operation, "ignores_values", False):
                continue
            for index in (index for index, given in enumerate(inputs) if given is source):
                if not getattr(operation, "weights", None):
                    pending += [] if id(output) in seen else [output]
                    seen.add(id(output))
                    continue
                way = [] if source is tensor else [part_of(network, tensor, source)]
                if isinstance(operation, keras.Model):
                    inner = first_layers(operation, operation.inputs[index])
                    found += [(layer, way + parts) for layer, parts in inner]
                else:
                    found.append((operation, way))
    return found


def is_shown(layer, source):
    """Whether the input of a layer is a tensor as it is, at most moved about or beside others.

    Args:
        layer: `keras.Layer` of a functional model.
        source: Symbolic tensor, such as an input of the model.
    """
    pending = list(layer._inbound_nodes[0].input_tensors)
    while pending:
        tensor = pending.pop()
        if tensor is source:
            return True
        origin = made_by(tensor)
        if type(origin.operation).__name__ in (*MOVES, "Concatenate"):
            pending += origin.inputs
    return False


# === The end of a network ===


def output_activation(network, index=0):
    """The name of the activation at the end of a network.

    Args:
        network: Built functional `keras.Model`.
        index: Integer, which of its outputs. Defaults to `0`.

    Returns:
        String, a key of `RANGES`; or `None`: it is linear, or not known.
    """
    return activation_of(network.outputs[index])


def activation_of(tensor):
    """The name of the activation that made a symbolic tensor, a key of `RANGES`; or `None`."""
    while True:
        operation, inputs, index = made_by(tensor)
        if isinstance(operation, keras.Model):
            return output_activation(operation, index)
        name = activation_name(operation)
        if name in RANGES:
            return name
        kind = type(operation).__name__
        if not inputs or not (kind in MOVES or (kind == "Activation" and name == "linear")):
            return None
        tensor = inputs[0]


def activation_name(operation):
    """The name of an operation's activation, or of the operation itself if it has none, in small letters."""
    activation = getattr(operation, "activation", None)
    if activation is None:
        return type(operation).__name__.lower()
    return getattr(activation, "__name__", type(activation).__name__)


def normalization_before(tensor):
    """The batch normalization that a symbolic tensor comes from through activations and moves only, or `None`."""
    while True:
        operation, inputs, _ = made_by(tensor)
        if isinstance(operation, keras.layers.BatchNormalization):
            return operation
        kind = type(operation).__name__
        passes = kind in (*MOVES, "Activation") or kind.lower() in RANGES
        if not inputs or not passes:
            return None
        tensor = inputs[0]


def normalizations_of_the_input(network):
    """The outer batch normalizations that act on the first input of a network as it is."""
    source = network.inputs[0]
    return [
        layer
        for layer in network.layers
        if isinstance(layer, keras.layers.BatchNormalization) and is_shown(layer, source)
    ]


def average_of(network):
    """A copy of a network that is not trained: its average over the steps."""
    average = keras.models.clone_model(network)
    average.set_weights(network.get_weights())
    average.trainable = False
    return average
