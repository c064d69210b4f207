"""What every family of networks takes: checked sizes, packed samples, and a label or attributes as a condition."""

import functools
import inspect
import random

import keras
import tensorflow as tf
from keras import layers

from ganzoo import checks
from ganzoo.layers import NORMALIZATIONS, OneHot, dense_layer

# One-hot by default. A label's vector is the same in each step, and Adam moves the kernel behind each of its entries by
# about the learning rate: the larger its sum, the faster the generator learns the label in the place of the latents.
# With embeddings it soon draws one sample for each class (docs/models/cgan.md).
LABELS = ("one_hot", "embedding")
CONDITIONINGS = ("concatenate", "projection")

# The scale of the latents and of the pixels that the embedding stands beside.
EMBEDDINGS = {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 1.0}}


def check_argument(name, value, default):
    """Raises a `ValueError` for an argument of a network that is not of the kind that its name and its default say."""
    if isinstance(default, bool):
        checks.boolean(name, value)
    elif name == "normalization":
        checks.choice(name, value, NORMALIZATIONS)
    elif name.endswith("_initializer"):
        checks.keras_object(name, value, keras.initializers.get, "a keras.initializers.Initializer")
    elif name.endswith("activation") and value is not None and not callable(value):
        checks.keras_object(name, value, keras.activations.get, "a function of a tensor")


def network(build):
    """Makes a function that builds a network check its arguments, as a decorator.

    Initializers are made before the first layer is, and a network that no memory holds is refused in words.
    """
    signature = inspect.signature(build)

    @functools.wraps(build)
    def checked(*args, **kwargs):
        drawn = random.getstate()  # An initializer that is made draws its seed, and a check must not.
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            check_argument(name, value, signature.parameters[name].default)
        random.setstate(drawn)
        try:
            return build(*args, **kwargs)
        except (MemoryError, OverflowError, tf.errors.ResourceExhaustedError) as error:
            sizes = dict(signature.bind(*args, **kwargs).arguments)
            raise ValueError(
                f"The memory does not hold this network. Received: {checks.shown(sizes)}. Take fewer units, filters or "
                "classes."
            ) from error

    return checked


def check_sample_shape(image_shape, vectors=False):
    """Returns `image_shape` as a tuple of Python integers; see `ganzoo.checks.sample_shape`."""
    return checks.sample_shape("image_shape", image_shape, vectors)


def functional(inputs, outputs, name):
    """A `keras.Model` of the inputs that are not `None`.

    A single input is no list: Keras warns of an array in place of a list.
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
    """The input `label`, shape `()`, or `(packing,)` for packed samples; `None` without classes."""
    if num_classes is None:
        return None
    checks.counts(num_classes=num_classes)
    return keras.Input(() if packing == 1 else (packing,), dtype="int64", name="label")


def attributes_input(num_attributes, packing=1):
    """The input `attributes`, shape `(packing * num_attributes,)`; `None` without attributes."""
    if num_attributes is None:
        return None
    checks.counts(num_attributes=num_attributes)
    return keras.Input((packing * num_attributes,), name="attributes")


def split_condition(label, attributes, conditioning):
    """Returns label and attributes to be joined to the sample, and those for `add_projection`: one pair is `None`s."""
    conditioning = checks.choice("conditioning", conditioning, CONDITIONINGS)
    given, none = (label, attributes), (None, None)
    return (given, none) if conditioning == "concatenate" else (none, given)


def one_hot(label, num_classes):
    """One-hot vectors `(batch, num_classes)`; those of packed labels one after another."""
    vectors = OneHot(num_classes, name="label_one_hot")(label)
    return vectors if len(vectors.shape) == 2 else layers.Flatten(name="label_vectors")(vectors)


def condition_vectors(label, num_classes, attributes):
    """A one-hot label, attributes, or both side by side, `(batch, count)`; `None` without a condition."""
    vectors = [] if label is None else [one_hot(label, num_classes)]
    vectors += [] if attributes is None else [attributes]
    if len(vectors) > 1:
        return layers.Concatenate(name="label_and_attributes")(vectors)
    return vectors[0] if vectors else None


def join_label(x, label, num_classes, kind, size):
    """Joins a label to features `(batch, features)`: an embedding of that `size`, or one-hot."""
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
    """Joins a label to images as channels: one embedded plane for each label, or `num_classes` constant ones."""
    kind = checks.choice("label", kind, LABELS)
    if label is None:
        return x
    height, width = x.shape[1:3]
    if kind == "one_hot":
        vectors = one_hot(label, num_classes)
        planes = layers.Reshape((1, 1, vectors.shape[-1]), name="label_pixel")(vectors)
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
    """Joins attributes to images as channels, a constant one for each."""
    if attributes is None:
        return x
    planes = layers.Reshape((1, 1, attributes.shape[-1]), name="attribute_pixel")(attributes)
    planes = layers.UpSampling2D(x.shape[1:3], name="attribute_planes")(planes)
    return layers.Concatenate(name="with_attributes")([x, planes])


def add_projection(score, features, vectors, normalization=None, kernel_initializer="glorot_uniform"):
    """Adds the inner product of the condition's rows of V with the features to the score: `f(x) + <V y, phi(x)>`.

    `vectors` are those of `condition_vectors`; without them the score stays as it is. V is the kernel of a dense layer
    on one-hot labels and not an embedding, so that weight clipping and spectral normalization, which keep the score
    Lipschitz in x, bound it as well.

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
