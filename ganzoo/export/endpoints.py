"""The functions of an exported model, for all formats."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from ganzoo.sampling import SeededNumbers

MAIN = "serving_default"


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A function of an exported model.

    Args:
        function: Function of tensors that returns a dictionary of tensors.
        specs: List of `tf.TensorSpec`, its inputs.
    """

    function: Callable
    specs: list

    @property
    def draws(self):
        """Whether it draws random numbers, which only TensorFlow can."""
        return any(spec.name == "seed" for spec in self.specs)

    def compiled(self):
        """The function as a `tf.function`."""
        return tf.function(self.function, input_signature=self.specs, autograph=False)


class Endpoints(dict):
    """Endpoints by name. Models call its `add_endpoint` like the method of a `keras.export.ExportArchive`."""

    def add_endpoint(self, name, function, input_signature):
        self[name] = Endpoint(function, list(input_signature))


def decoding(model):
    """The endpoint from latents and conditions to samples, with all inputs of the generator."""

    def decode(*inputs):
        latents, condition = model.split_inputs(inputs)
        return {"images": model.apply_generator(model.sampling_generator, latents, condition, training=False)}

    return Endpoint(decode, model.input_specs())


def serving_default(model):
    """The endpoint that every format has: as `decoding`, but a model that translates images uses fixed latents."""
    full = decoding(model)
    if not (model.conditions.translates and model.has_latents):
        return full
    latents = model.prior(SeededNumbers(0), 1).numpy()  # A tensor would become an input of the graph.

    def translate(*inputs):
        return full.function(tf.repeat(tf.constant(latents), tf.shape(inputs[0])[0], axis=0), *inputs)

    return Endpoint(translate, model.conditions.specs())


def without_random_numbers(model):
    """The endpoints of a model that need no TensorFlow: a dictionary, name -> `Endpoint`, `serving_default` first."""
    found = Endpoints({MAIN: serving_default(model)})
    model.add_endpoints(found)
    return {name: endpoint for name, endpoint in found.items() if not endpoint.draws}
