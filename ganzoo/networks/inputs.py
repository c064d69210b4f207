"""What every family of networks takes: checked sizes, and a label if there are classes."""

import keras
from keras import layers


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
    """A `keras.Model`, whose input is no list if it is the only one: Keras warns of an array in place of a list."""
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=name)


def check_positive(**arguments):
    """Raises a `ValueError` for the first argument that is not a positive integer."""
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")


def with_label(inputs, x, num_classes, size):
    """Adds the input `label` and joins its embedding to the features `x`, if there are classes."""
    if num_classes is None:
        return inputs, x
    check_positive(num_classes=num_classes)
    label = keras.Input((), dtype="int64", name="label")
    embedded = layers.Embedding(num_classes, size, name="label_embedding")(label)
    return [*inputs, label], layers.Concatenate(name="with_label")([x, embedded])
