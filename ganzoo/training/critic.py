"""The critic of an update, which is the discriminator in the form that losses use."""

import dataclasses
from typing import Any

import tensorflow as tf
from keras import ops

from ganzoo.training.updates import Named


class Critic:
    """A function from samples to scores, with the condition and augmentation of the current update built in.

    The augmentation gets its random numbers once per update. Real and generated samples share them position by
    position, so that a penalty can evaluate the critic at points between the two.

    Args:
        model: `AdversarialModel`.
        condition: Batch of conditions, or `None`.
        training: Boolean, whether layers are in training mode and the augmentation is applied. Defaults to `True`.
        discriminator: The network, for a model that has several. Defaults to `model.discriminator`.

    Example:

    ```python
    def generator_loss(self, critic, real, fake):
        scores, classes = critic(fake), critic.heads(fake)["classes"]  # one forward pass
    ```
    """

    def __init__(self, model, condition=None, training=True, discriminator=None):
        self.model = model
        self.discriminator = model.discriminator if discriminator is None else discriminator
        self.condition = condition
        self.training = training
        self._numbers = {}
        self._passes = []

    def __call__(self, samples):
        """Samples (packs of them) -> float32 scores `(batch, ...)`."""
        return self._pass(samples)["scores"]

    def heads(self, samples):
        """The other outputs of the discriminator by name, float32, from the same forward pass as `critic(samples)`.

        Args:
            samples: The tensor that was given to `critic`. Another tensor takes another forward pass.
        """
        outputs = self._seen(samples) or self._pass(samples)
        others = {name: value for name, value in outputs.items() if name != "scores"}
        return Named(others, 'The discriminator has no output "{}". Give it one, such as heads={"{}": 10}. It has:')

    def scores_seen(self, samples):
        """The scores of an earlier call with the same tensor object, or `None`. Makes no forward pass."""
        outputs = self._seen(samples)
        return None if outputs is None else outputs["scores"]

    def _seen(self, samples):
        passes = (outputs for given, outputs in reversed(self._passes) if given is samples)
        return next(filter(is_within_reach, passes), None)

    def _pass(self, samples):
        model, inputs = self.model, self._augment(samples)
        if model.judges_conditions and len(model.conditions):
            condition = model.conditions.map(lambda kind, value: model.pack(value), self.condition)
            inputs = [inputs, *model.conditions.as_inputs(model.conditions.augmented(condition, self._augment))]
        outputs = self.discriminator(inputs, training=self.training)
        outputs = outputs if isinstance(outputs, dict) else {"scores": outputs}
        outputs = {name: ops.cast(value, "float32") for name, value in outputs.items()}
        # A loss and a penalty often score the same tensor. Kept passes save a second forward pass.
        # The latest pass of a tensor counts: an earlier one may lie outside of a penalty's tape.
        self._passes.append((samples, outputs))
        return outputs

    def _augment(self, samples):
        model = self.model
        if model.augmentation is None or not self.training:
            return samples
        # Each sample of a pack is augmented on its own.
        samples = unpack(samples, model.packing)
        batch = batch_size_of(samples)
        # In a graph the batch size may be unknown. All calls of the update then share the numbers.
        key = batch if isinstance(batch, int) else None
        if key not in self._numbers:
            self._numbers[key] = model.uniform((batch, model.augmentation.numbers))
        return model.pack(model.augmentation(samples, self._numbers[key]))


def is_within_reach(outputs):
    """Whether tensors of a forward pass can be used here, which is false if it ran in a graph branch that has ended."""
    graph, home = tf.compat.v1.get_default_graph(), getattr(outputs["scores"], "graph", None)
    while graph is not home and graph is not None:
        graph = getattr(graph, "outer_graph", None)
    return graph is home


@dataclasses.dataclass(frozen=True)
class Update:
    """The inputs of one update of the generator or the discriminator.

    Args:
        critic: `Critic`.
        real: Float32 tensor, real samples as the discriminator sees them: packs, with noise if the model adds some.
        fake: Float32 tensor of the same shape, generated samples.
        samples: Float32 tensor `(batch, ...)`, the generator's output: single samples without noise.
        latents: Tensor `(batch, ...)`, the generator's input.
        condition: Batch of conditions, or `None`.
        training: Boolean, `False` in `evaluate`.
    """

    critic: Any
    real: Any
    fake: Any
    samples: Any
    latents: Any
    condition: Any
    training: bool = True


def split_into(tensor, steps):
    """Splits `(steps * m, ...)` into `steps` tensors `(m, ...)`. Tensor i takes entries i, i + steps, and so on."""
    if steps == 1:
        return [tensor]
    shape = tensor.shape[1:]
    grouped = tf.reshape(tensor, [-1, steps, *shape])
    return [grouped[:, index] for index in range(steps)]


def pack(samples, size):
    """Joins neighbouring samples into packs: `(batch, ..., channels)` -> `(batch / size, ..., size * channels)`.

    Labels `(batch,)` become `(batch / size, size)`.
    """
    if size == 1:
        return samples
    if len(samples.shape) == 1:
        return tf.reshape(samples, [-1, size])
    *shape, channels = samples.shape[1:]
    grouped = tf.reshape(samples, [-1, size, *shape, channels])
    last = len(grouped.shape) - 1
    grouped = tf.transpose(grouped, [0, *range(2, last), 1, last])
    return tf.reshape(grouped, [-1, *shape, size * channels])


def unpack(packs, size):
    """Undoes `pack` for samples."""
    if size == 1:
        return packs
    *shape, channels = packs.shape[1:]
    grouped = tf.reshape(packs, [-1, *shape, size, channels // size])
    last = len(grouped.shape) - 1
    grouped = tf.transpose(grouped, [0, last - 1, *range(1, last - 1), last])
    return tf.reshape(grouped, [-1, *shape, channels // size])


def batch_size_of(samples):
    """The number of samples, as a Python integer where the graph knows it."""
    return samples.shape[0] or tf.shape(samples)[0]
