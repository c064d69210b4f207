"""Inspects built networks: their layers, the origin of a tensor, the range of an output.

This file is the only place that uses the private parts of Keras for this: `_flatten_layers`, `_seed_generators`,
`_keras_history` and `_inbound_nodes`.
"""

from typing import Any, NamedTuple

import keras
import numpy as np

# The ranges of output activations. All others, such as linear, are unbounded or unknown.
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

# Operations that move values without changing them.
MOVES = ("Reshape", "Flatten", "Permute", "Transpose", "Cropping1D", "Cropping2D", "Cropping3D", "Cast", "Identity")


# === Layers ===


def flatten_layers(network):
    """All layers of a network, including layers inside layers. The network itself comes first.

    Args:
        network: `keras.Layer`, such as a `keras.Model`.
    """
    return network._flatten_layers()


def layers_of(network, kinds):
    """All layers of some classes, including layers inside layers.

    Args:
        network: `keras.Layer`.
        kinds: Class, or tuple of classes.
    """
    return [layer for layer in flatten_layers(network) if isinstance(layer, kinds)]


def trainable_layers(network):
    """The outer layers of a network that have trainable weights."""
    return [layer for layer in network.layers if layer.trainable_weights]


def batch_normalizations(network):
    """All batch normalization layers. Their output for a sample depends on the other samples of the batch."""
    return layers_of(network, keras.layers.BatchNormalization)


def seed_generators(network):
    """The sources of random numbers in a network's layers, such as `Dropout`.

    Keras does not save their states. To copy or save the whole state of a training, use each `source.state`.

    Args:
        network: `keras.Layer`.

    Returns:
        List of `keras.random.SeedGenerator`, always in the same order.
    """
    return [source for layer in flatten_layers(network) for source in own_seed_generators(layer)]


def noise_layers(network):
    """Layers that draw random numbers, such as `Dropout`. With a rate of 0 they do not count."""
    return [layer for layer in flatten_layers(network) if own_seed_generators(layer)]


def own_seed_generators(layer):
    """The layer's own sources of random numbers, without the sources of layers inside it."""
    return list(getattr(layer, "_seed_generators", ()))


def elus(network):
    """Layers that are exponential linear units or have this activation."""
    return [layer for layer in flatten_layers(network) if is_elu(layer)]


def is_elu(layer):
    """Whether a layer is an exponential linear unit or has this activation."""
    activation = getattr(layer, "activation", None)
    return isinstance(layer, keras.layers.ELU) or getattr(activation, "__name__", None) == "elu"


# === Tensors ===


class Origin(NamedTuple):
    """Where a symbolic tensor comes from.

    Args:
        operation: `keras.Operation`, such as a layer, that made the tensor.
        inputs: List of the operation's symbolic inputs.
        index: Integer, index of the tensor among the operation's outputs.
    """

    operation: Any
    inputs: list
    index: int


def made_by(tensor):
    """The `Origin` of a symbolic tensor."""
    operation, node_index, index = tensor._keras_history
    return Origin(operation, operation._inbound_nodes[node_index].input_tensors, index)


def only_output(layer):
    """The symbolic output of a layer that was called once and has a single output, otherwise `None`."""
    nodes = layer._inbound_nodes
    if len(nodes) == 1 and len(nodes[0].output_tensors) == 1:
        return nodes[0].output_tensors[0]
    return None


def has_heads(discriminator):
    """Whether a discriminator has named outputs, `"scores"` and others such as class logits."""
    return isinstance(getattr(discriminator, "output", None), dict)


def scores_of(discriminator):
    """The symbolic scores of a discriminator: the output `"scores"`, or its only output."""
    return discriminator.output["scores"] if has_heads(discriminator) else discriminator.outputs[0]


def descends(tensor, source):
    """Whether a symbolic tensor is the source or is computed from it."""
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
    """The operations behind a symbolic tensor, as a list of `(operation, inputs, output)`, last operation first.

    Args:
        tensor: Symbolic tensor.
        stop: Symbolic tensor at which the search stops. Defaults to `None`.
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
    """The symbolic output of a named layer inside a functional model, or `None` if there is no such layer."""
    found = (output for operation, _, output in edges_of(network.outputs[0]) if operation.name == name)
    return next(found, None)


def part_of(network, start, end):
    """The part of a functional model between two symbolic tensors, with the further inputs that it needs.

    Args:
        network: Functional `keras.Model`.
        start: Symbolic tensor, an input or a tensor inside.
        end: Symbolic tensor.

    Returns:
        `(part, others)`: a `keras.Function` for inference whose first input is `start`, and its further inputs as
        symbolic tensors. It is not a `keras.Model`, which would add nodes to the layers of the network.
    """
    made = {id(output) for _, _, output in edges_of(end, stop=start)}
    others = [tensor for tensor in network.inputs if id(tensor) in made and tensor is not start]
    return keras.Function([start, *others], end), others


def first_layers(network, tensor):
    """The first layers with weights that a tensor reaches, also in models inside the model.

    A layer with the attribute `ignores_values` takes only the size of the batch from its input, and is left out.

    Args:
        network: Functional `keras.Model`.
        tensor: Symbolic tensor of the model, such as an input.

    Returns:
        List of `(layer, parts)`. The parts lead from the tensor to the layer's input, from the outer model to the
        inner. Each is a result of `part_of`.
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
    """Whether the input of a layer contains a tensor unchanged, at most moved or concatenated with others.

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
        index: Integer, index of the output. Defaults to `0`.

    Returns:
        String, a key of `RANGES`, or `None` if the activation is linear or unknown.
    """
    return activation_of(network.outputs[index])


def activation_of(tensor):
    """The name of the activation that made a symbolic tensor, a key of `RANGES`, or `None`."""
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
    """The name of an operation's activation. Without an activation, the lower-case name of the operation."""
    activation = getattr(operation, "activation", None)
    if activation is None:
        return type(operation).__name__.lower()
    return getattr(activation, "__name__", type(activation).__name__)


def normalization_before(tensor):
    """The batch normalization behind a symbolic tensor, with only activations and moves in between, or `None`."""
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
    """The outer batch normalizations that act directly on the first input of a network."""
    source = network.inputs[0]
    return [
        layer
        for layer in network.layers
        if isinstance(layer, keras.layers.BatchNormalization) and is_shown(layer, source)
    ]


def average_of(network):
    """A copy of a network that is not trained, to hold the average of its weights."""
    average = keras.models.clone_model(network)
    # A clone has new initial weights.
    average.set_weights(network.get_weights())
    average.trainable = False
    return average
