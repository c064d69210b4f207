"""Datasets from numpy arrays."""

import warnings

import numpy as np

from ganzoo import checks
from ganzoo.data.indexed import IndexedSource


def from_arrays(images, labels=None, batch_size=None, seed=0, shuffle=True):
    """Makes a dataset from arrays in memory.

    Iterating over the dataset gives the order of epoch 0 each time. `dataset.stream()` gives all epochs, each in its
    own order, starting at any batch. Incomplete batches are dropped.

    Args:
        images: uint8 array `(num_samples, height, width, channels)`, or `(num_samples, height, width)` if grey. Also
            the same as floats in `[-1, 1]`, or floats `(num_samples, dimensions)` of any range, which are points of a
            toy distribution.
        labels: Optional integer array `(num_samples,)`, 0 or more. Also float attributes `(num_samples, count)` in
            [0, 1], or a dictionary of both kinds by name, for a model with several conditions.
        batch_size: Integer. `None` (the default) gives single samples.
        seed: Integer, the seed of the order. Defaults to `0`.
        shuffle: Boolean. `False` keeps the order of the arrays. Defaults to `True`.

    Returns:
        A `tf.data.Dataset` of `(image, label)`, or only of images without `labels`, with float32 images in `[-1, 1]`
        and int64 labels.

    Raises:
        ValueError: If the arrays cannot be used. The message says why and what to do.

    Example:

    ```python
    images = np.random.default_rng(0).integers(0, 256, (100, 28, 28, 1), "uint8")
    dataset = ganzoo.data.from_arrays(images, batch_size=10)
    ```
    """
    images = check_images(images)
    labels = None if labels is None else check_conditions(labels, len(images))
    return IndexedSource(images, labels, batch_size, seed, shuffle).dataset()


def check_images(images, name="images"):
    """Returns images `(num_samples, height, width, channels)` as uint8 or float32, or points.

    Args:
        images: Array, or anything that NumPy converts to an array.
        name: String, the name of the argument for error messages. Defaults to `"images"`.
    """
    images = checks.array(name, images)
    _check_shape(images.shape, name)
    is_points = images.ndim == 2
    if images.ndim == 3:
        images = images[..., None]
    if images.dtype == np.uint8 and not is_points:
        return images
    if images.dtype.kind != "f":
        raise ValueError(
            f"{name} must be uint8 (0..255) or floats in [-1, 1], and points floats; received "
            f'{images.dtype}. If the values are pixels 0..255, pass {name}.astype("uint8").'
        )
    _check_values(images, is_points, name)
    return images.astype(np.float32)


def _check_shape(shape, name):
    if len(shape) not in (2, 3, 4):
        raise ValueError(
            f"{name} must have the shape (num_samples, height, width, channels), "
            "(num_samples, height, width), or (num_samples, dimensions) for points; "
            f"received shape {shape}."
        )
    if 0 in shape:
        raise ValueError(f"{name} are empty: received shape {shape}.")
    if len(shape) == 3 and shape[-1] in (1, 3, 4) and shape[0] > 4:
        raise ValueError(
            f"{name} of shape {shape} look like one image, (height, width, channels); expected "
            f"(num_samples, height, width). For a dataset of one image pass {name}[None]."
        )
    if len(shape) == 4 and shape[1] in (1, 3, 4) and shape[-1] > 4:
        raise ValueError(
            f"{name} of shape {shape} look channels first; expected (num_samples, height, width, "
            f"channels). Pass np.moveaxis({name}, 1, -1)."
        )


def _check_values(images, is_points, name):
    low, high = images.min(), images.max()  # NaN if any value is NaN.
    if not np.isfinite([low, high]).all():
        count = images.size - np.isfinite(images).sum()
        raise ValueError(f"{name} hold {count} values that are NaN or infinite, of {images.size}.")
    if is_points:
        return
    found = f"the values lie in [{low:.4g}, {high:.4g}]"
    if max(-low, high) > 1.0001:  # Rounding in the user's own normalization may exceed 1.
        fix = "Scale them to [-1, 1]"
        if low >= 0 and high <= 255:
            fix = f'They look like pixels 0..255: pass {name}.astype("uint8"), or {name} / 127.5 - 1'
        raise ValueError(f"{name} that are floats must lie in [-1, 1], but {found}. {fix}.")
    if low >= 0:
        warnings.warn(
            f"{name} that are floats should fill [-1, 1], but {found}. If they are scaled to [0, 1], pass "
            f"{name} * 2 - 1.",
            UserWarning,
            stacklevel=4,
        )


def check_conditions(conditions, num_samples):
    """Returns labels as int64, attributes as float32, and dictionaries with such values."""
    if isinstance(conditions, dict):
        return {name: check_conditions(value, num_samples) for name, value in conditions.items()}
    values = np.asarray(conditions)
    if values.ndim != 2 or values.dtype.kind != "f":
        return check_labels(values, num_samples)
    if len(values) != num_samples or not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(
            f"attributes must have the shape ({num_samples}, count) and lie in [0, 1]; received shape {values.shape} "
            f"with values from {values.min():g} to {values.max():g}."
        )
    return values.astype(np.float32)


def check_labels(labels, num_samples):
    """Returns labels `(num_samples,)` as int64."""
    labels = np.asarray(labels)
    if labels.shape != (num_samples,):
        fix = ""
        if labels.shape == (num_samples, 1):
            fix = " Pass labels[:, 0]."
        elif labels.ndim == 2 and len(labels) == num_samples:
            fix = " If they are one-hot, pass labels.argmax(-1)."
        raise ValueError(
            f"labels must have the shape ({num_samples},), one for each image; received shape {labels.shape}.{fix}"
        )
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f'labels must be integers; received {labels.dtype}. If they are whole numbers, pass labels.astype("int64").'
        )
    if labels.min() < 0:
        raise ValueError(f"labels must be 0 or more; the least is {labels.min()}.")
    if labels.max() > np.iinfo("int64").max:  # It would be negative as int64.
        raise ValueError(f"labels must be less than 2**63; the largest is {labels.max()}.")
    return labels.astype(np.int64)
