"""What every family of networks takes: checked sizes, packed samples, and a label if there are classes."""

import keras
from keras import layers

from ganzoo.layers import OneHot, dense_layer

# One-hot by default. A label's vector is the same in each step, and Adam moves the kernel behind each of its entries by
# about the learning rate: the larger its sum, the faster the generator learns the label in the place of the latents.
# With embeddings it soon draws one sample for each class (docs/models/cgan.md).
LABELS = ("one_hot", "embedding")
CONDITIONINGS = ("concatenate", "projection")

# The scale of the latents and of the pixels that the embedding stands beside.
EMBEDDINGS = {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 1.0}}


def check_sample_shape(image_shape, vectors=False):
    """Returns `image_shape` as a tuple of Python integers.

    Args:
        image_shape: `(height, width, channels)`, or `(dimensions,)` where `vectors` are allowed.
        vectors: Boolean, whether samples may be vectors.

    Raises:
        ValueError: If it is something else.
    """
    ranks = (1, 3) if vectors else (3,)
    try:
        shape = tuple(int(size) for size in image_shape)
        exact = shape == tuple(image_shape)
    except (TypeError, ValueError):
        shape, exact = (), False
    if len(shape) == 2 and exact:
        raise ValueError(
            f"`image_shape` needs the number of channels, too. Received: {tuple(image_shape)}; "
            f"for grey images pass {(*shape, 1)}"
        )
    if not exact or len(shape) not in ranks or min(shape) < 1:
        wanted = "(height, width, channels)" + (" or (dimensions,)" if vectors else "")
        raise ValueError(f"`image_shape` must be {wanted} of positive integers. Received: {image_shape!r}")
    return shape


def functional(inputs, outputs, name):
    """A `keras.Model` of the inputs that are not `None`.

    A single input is no list: Keras warns of an array in place of a list.
    """
    inputs = [tensor for tensor in inputs if tensor is not None]
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=name)


def check_positive(**arguments):
    """Raises a `ValueError` for the first argument that is not a positive integer."""
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")


def check_choice(choices, **arguments):
    """Raises a `ValueError` for the first argument that is none of the choices."""
    for name, value in arguments.items():
        if value not in choices:
            wanted = ", ".join(repr(choice) for choice in choices)
            raise ValueError(f"`{name}` must be one of {wanted}. Received: {name}={value!r}")


def image_input(image_shape, packing=1):
    """The input `image` of a discriminator that scores `packing` samples at once, side by side in the channels."""
    check_positive(packing=packing)
    *sizes, channels = image_shape
    return keras.Input((*sizes, packing * channels), name="image")


def label_input(num_classes, packing=1):
    """The input `label`, shape `()`, or `(packing,)` for packed samples; `None` without classes."""
    if num_classes is None:
        return None
    check_positive(num_classes=num_classes)
    return keras.Input(() if packing == 1 else (packing,), dtype="int64", name="label")


def split_label(label, conditioning):
    """Returns the label for `join_label` and the label for `add_projection`; one of them is `None`."""
    check_choice(CONDITIONINGS, conditioning=conditioning)
    return (label, None) if conditioning == "concatenate" else (None, label)


def one_hot(label, num_classes):
    """One-hot vectors `(batch, num_classes)`; those of packed labels one after another."""
    vectors = OneHot(num_classes, name="label_one_hot")(label)
    return vectors if len(vectors.shape) == 2 else layers.Flatten(name="label_vectors")(vectors)


def join_label(x, label, num_classes, kind, size):
    """Joins a label to features `(batch, features)`: an embedding of that `size`, or one-hot."""
    check_choice(LABELS, label=kind)
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
    check_choice(LABELS, label=kind)
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


def add_projection(score, features, label, num_classes, normalization=None, kernel_initializer="glorot_uniform"):
    """Adds the inner product of the label's row of V with the features to the score: `f(x) + <V y, phi(x)>`.

    V is the kernel of a dense layer on one-hot labels and not an embedding, so that weight clipping and spectral
    normalization, which keep the score Lipschitz in x, bound it as well.

    Reference: [Miyato and Koyama, 2018](https://arxiv.org/abs/1802.05637), Equation 3 and Figure 1d.
    """
    if label is None:
        return score
    rows = dense_layer(normalization)(
        features.shape[-1], use_bias=False, kernel_initializer=kernel_initializer, dtype="float32", name="projection"
    )(one_hot(label, num_classes))
    product = layers.Dot(axes=-1, dtype="float32", name="inner_product")([rows, features])
    return layers.Add(dtype="float32", name="projected_score")([score, product])
