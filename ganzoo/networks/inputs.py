"""The inputs that all families of networks share: checked sizes, packed samples, labels and attributes."""

import functools
import inspect
import random

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from ganzoo import checks
from ganzoo.layers import NORMALIZATIONS, OneHot, dense_layer

# One-hot is the default. A label's vector is the same in each step, and Adam moves the kernel behind each of its
# entries by about the learning rate. So the larger the sum of the vector, the faster the generator learns the label
# instead of the latents. With embeddings it soon draws a single sample for each class (docs/models/cgan.md).
LABELS = ("one_hot", "embedding")
CONDITIONINGS = ("concatenate", "projection")

# The same scale as the latents and pixels that the embedding is joined to.
EMBEDDINGS = {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 1.0}}


def check_argument(name, value, default):
    """Raises an error if the value of a network's argument does not fit its name and its default."""
    if isinstance(default, bool):
        checks.boolean(name, value)
    elif name == "normalization":
        checks.choice(name, value, NORMALIZATIONS)
    elif name.endswith("_initializer"):
        checks.keras_object(name, value, keras.initializers.get, "a keras.initializers.Initializer")
    elif name.endswith("activation") and value is not None and not callable(value):
        checks.keras_object(name, value, keras.activations.get, "a function of a tensor")


def network(build):
    """Decorator of functions that build a network, which checks their arguments first.

    Initializers are checked before the first layer is made. NumPy's numbers become Python's, which Keras wants. A
    network that does not fit into memory raises a helpful error.
    """
    signature = inspect.signature(build)

    @functools.wraps(build)
    def checked(*args, **kwargs):
        drawn = random.getstate()  # The check makes initializers, which draw seeds.
        bound = signature.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            if isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0:
                bound.arguments[name] = value = value.item()
            check_argument(name, value, signature.parameters[name].default)
        random.setstate(drawn)
        try:
            return build(*bound.args, **bound.kwargs)
        except (MemoryError, OverflowError, tf.errors.ResourceExhaustedError) as error:
            sizes = dict(bound.arguments)
            raise ValueError(
                f"The memory does not hold this network. Received: {checks.shown(sizes)}. Take fewer units, filters or "
                "classes."
            ) from error

    return checked


def check_sample_shape(image_shape, vectors=False):
    """Returns `image_shape` as a tuple of Python integers. See `ganzoo.checks.sample_shape`."""
    return checks.sample_shape("image_shape", image_shape, vectors)


def functional(inputs, outputs, name):
    """A functional `keras.Model` with the inputs that are not `None`.

    A single input is passed without a list. With a list, Keras would warn about a plain array.
    """
    inputs = [tensor for tensor in inputs if tensor is not None]
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=name)


def check_positive(**arguments):
    """Raises a `ValueError` for the first argument that is not an integer of at least 1."""
    checks.counts(**arguments)


def image_input(image_shape, packing=1):
    """The input `image` of a discriminator that scores `packing` samples at once, side by side in the channels."""
    *sizes, channels = image_shape
    (packing,) = checks.counts(packing=packing)
    return keras.Input((*sizes, packing * channels), name="image")


def label_input(num_classes, packing=1):
    """The input `label`, shape `()`, or `(packing,)` for packed samples. `None` without classes."""
    if num_classes is None:
        return None
    checks.counts(num_classes=num_classes)
    return keras.Input(() if packing == 1 else (packing,), dtype="int64", name="label")


def attributes_input(num_attributes, packing=1):
    """The input `attributes`, shape `(packing * num_attributes,)`. `None` without attributes."""
    if num_attributes is None:
        return None
    checks.counts(num_attributes=num_attributes)
    return keras.Input((packing * num_attributes,), name="attributes")


def split_condition(label, attributes, conditioning):
    """Returns `(label, attributes)` to join to the sample, and a pair for `add_projection`. The unused is empty."""
    conditioning = checks.choice("conditioning", conditioning, CONDITIONINGS)
    given, none = (label, attributes), (None, None)
    return (given, none) if conditioning == "concatenate" else (none, given)


def one_hot(label, num_classes):
    """One-hot vectors `(batch, num_classes)`. The vectors of packed labels are concatenated."""
    vectors = OneHot(num_classes, name="label_one_hot")(label)
    return vectors if len(vectors.shape) == 2 else layers.Flatten(name="label_vectors")(vectors)


def condition_vectors(label, num_classes, attributes):
    """A one-hot label, attributes, or both side by side, `(batch, count)`. `None` without a condition."""
    vectors = [] if label is None else [one_hot(label, num_classes)]
    vectors += [] if attributes is None else [attributes]
    if len(vectors) > 1:
        return layers.Concatenate(name="label_and_attributes")(vectors)
    return vectors[0] if vectors else None


def join_label(x, label, num_classes, kind, size):
    """Joins a label to features `(batch, features)`, as an embedding of width `size` or one-hot."""
    kind = checks.choice("label", kind, LABELS)
    if label is None:
        return x
    if kind == "one_hot":
        return layers.Concatenate(name="with_label")([x, one_hot(label, num_classes)])
    vectors = layers.Embedding(num_classes, size, embeddings_initializer=EMBEDDINGS, name="label_embedding")(label)
    if len(vectors.shape) == 3:
        vectors = layers.Flatten(name="label_vectors")(vectors)
    return layers.Concatenate(name="with_label")([x, vectors])


def join_label_planes(x, label, num_classes, kind):
    """Joins a label to images as channels: an embedded plane for each label, or `num_classes` constant planes."""
    kind = checks.choice("label", kind, LABELS)
    if label is None:
        return x
    height, width = x.shape[1:3]
    if kind == "one_hot":
        vectors = one_hot(label, num_classes)
        planes = layers.Reshape((1, 1, vectors.shape[-1]), name="label_pixel")(vectors)
        # Upsampling an image of 1x1 pixels broadcasts the label.
        planes = layers.UpSampling2D((height, width), name="label_planes")(planes)
        return layers.Concatenate(name="with_label")([x, planes])
    packing = 1 if len(label.shape) == 1 else label.shape[1]
    planes = layers.Embedding(num_classes, height * width, embeddings_initializer=EMBEDDINGS, name="label_embedding")(
        label
    )
    planes = layers.Reshape((packing, height, width), name="label_planes")(planes)
    planes = layers.Permute((2, 3, 1), name="label_channels")(planes)
    return layers.Concatenate(name="with_label")([x, planes])


def join_attributes(x, attributes):
    """Joins attributes to features `(batch, features)`."""
    return x if attributes is None else layers.Concatenate(name="with_attributes")([x, attributes])


def join_attribute_planes(x, attributes):
    """Joins attributes to images as channels, a constant plane for each attribute."""
    if attributes is None:
        return x
    planes = layers.Reshape((1, 1, attributes.shape[-1]), name="attribute_pixel")(attributes)
    # Upsampling an image of 1x1 pixels broadcasts the attributes.
    planes = layers.UpSampling2D(x.shape[1:3], name="attribute_planes")(planes)
    return layers.Concatenate(name="with_attributes")([x, planes])


def add_projection(score, features, vectors, normalization=None, kernel_initializer="glorot_uniform"):
    """Adds the inner product of the features with the condition's rows of V to the score: `f(x) + <V y, phi(x)>`.

    `vectors` come from `condition_vectors`. If they are `None`, the score is unchanged. V is the kernel of a dense
    layer on one-hot labels and not an embedding. So weight clipping and spectral normalization, which keep the score
    Lipschitz in x, also bound V.

    Reference: [Miyato and Koyama, 2018](https://arxiv.org/abs/1802.05637), Equation 3 and Figure 1d.
    """
    if vectors is None:
        return score
    if score.shape[-1] != 1:
        raise ValueError(
            'conditioning="projection" adds one number to one score. Received: score_dim='
            f'{score.shape[-1]}. Take conditioning="concatenate".'
        )
    rows = dense_layer(normalization)(
        features.shape[-1], use_bias=False, kernel_initializer=kernel_initializer, dtype="float32", name="projection"
    )(vectors)
    product = layers.Dot(axes=-1, dtype="float32", name="inner_product")([rows, features])
    return layers.Add(dtype="float32", name="projected_score")([score, product])
