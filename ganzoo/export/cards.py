"""The card of an exported model: its origin, inputs and outputs, as JSON values."""

import json

import keras
import tensorflow as tf

from ganzoo import files
from ganzoo.version import __version__


def card(model):
    """The origin of a file, as a dictionary."""
    return {
        "model": type(model).__name__,
        "image_shape": model.image_shape,
        "latent_dim": model.latent_dim,
        "num_classes": model.num_classes,
        "class_names": model.class_names,
        "condition_shape": model.conditions.image_shape,
        "conditions": model.conditions.card(),
        "step": model.steps_done,
        "versions": {"ganzoo": __version__, "keras": keras.__version__, "tensorflow": tf.__version__},
    }


def signature(endpoint, function):
    """The inputs and outputs of an endpoint. `None` in a shape is the batch, of any size.

    Args:
        endpoint: `Endpoint`.
        function: The compiled endpoint.
    """
    return {
        "inputs": {spec.name: described(spec) for spec in endpoint.specs},
        "outputs": {
            name: described(tensor) for name, tensor in function.get_concrete_function().structured_outputs.items()
        },
    }


def described(tensor):
    """The type and shape of a tensor."""
    return {"dtype": tensor.dtype.name, "shape": tensor.shape.as_list()}


def write(path, content):
    """Writes the card of a file beside it: `model.onnx.json` of `model.onnx`."""
    write_json(path.with_name(f"{path.name}.json"), content)


def write_json(path, content):
    """Writes a card."""
    with files.replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")
