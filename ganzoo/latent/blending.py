"""Samples between two conditions, for a generator that reads conditions as vectors."""

import keras
import numpy as np
import tensorflow as tf

from ganzoo.layers import OneHot
from ganzoo.networks.graph import edges_of
from ganzoo.sampling import in_full_batches
from ganzoo.training.condition_kinds import Attributes, Label

# Layers that turn a label into a vector. Vectors can be mixed, integers cannot.
VECTORS = (OneHot, keras.layers.Embedding)


class Blending:
    """The part of a generator behind the vectors of its conditions. It takes any mixture of the vectors.

    The generator first turns a label into a vector: one-hot, or a learned embedding. Attributes are vectors already.
    The network was trained on these vectors, not on mixtures.

    Args:
        space: `Latents` or `Styles` of a conditional model.

    Attributes:
        obstacle: String, the reason why the conditions cannot be blended, or `None`.
    """

    def __init__(self, space):
        self.space = space
        network, kinds = space.network, space.model.conditions.kinds
        inputs = dict(zip(kinds, network.inputs[1:], strict=True))
        output = network.outputs[0]
        edges = edges_of(output, stop=space.symbolic)
        needed = {id(tensor) for _, _, tensor in edges}
        self.obstacle, self._readers, symbols = None, {}, []
        for name, kind in kinds.items():
            tensor = inputs[name]
            readers = [(layer, made) for layer, given, made in edges if any(each is tensor for each in given)]
            if not isinstance(kind, (Label, Attributes)):
                self.obstacle = f"The condition {name!r} is no label and no attributes"
            elif isinstance(kind, Label):
                others = [layer.name for layer, _ in readers if not isinstance(layer, VECTORS)]
                if others:
                    self.obstacle = f"The layer {others[0]!r} reads the label, and is no one-hot layer and no embedding"
                self._readers[name] = [layer for layer, _ in readers]
                symbols += [made for _, made in readers]
            elif id(tensor) in needed:
                self._readers[name] = None  # Attributes go in as they are.
                symbols.append(tensor)
        if self.obstacle is None:
            part = keras.Function([space.symbolic, *symbols], output)
            self._part = tf.function(lambda *given: tf.cast(part(list(given)), "float32"), reduce_retracing=True)

    def decode(self, points, condition, following, shares, batch_size=64):
        """Returns samples of points, each between two conditions.

        Args:
            points: Float array `(count, ...)` of the space.
            condition, following: Batches of conditions, tensors of `count` rows.
            shares: Float array `(count,)`: 0 is `condition`, 1 is `following`.
            batch_size: Integer. Defaults to `64`.

        Returns:
            Float32 array `(count, ...)`.
        """
        shares = np.asarray(shares, "float32")[:, None]
        pairs = zip(self._vectors(condition), self._vectors(following), strict=True)
        mixed = [(1 - shares) * first + shares * second for first, second in pairs]
        inputs = [tf.constant(np.asarray(points, "float32")), *map(tf.constant, mixed)]
        count = len(points)
        return in_full_batches(lambda *parts: self._part(*parts).numpy(), inputs, count, min(batch_size, count))

    def _vectors(self, condition):
        """The vectors of a batch of conditions, an array for each layer that reads a condition."""
        parts, found = self.space.model.conditions.parts(condition), []
        for name, layers in self._readers.items():
            values = [parts[name]] if layers is None else [layer(parts[name]) for layer in layers]
            found += [keras.ops.convert_to_numpy(keras.ops.cast(value, "float32")) for value in values]
        return found
