"""Features: samples to the vectors that a metric compares."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from ganzoo import checks
from ganzoo.data.pixels import normalize
from ganzoo.images import to_uint8
from ganzoo.metrics.features.resize import check_rule, fit, fit_tensor


class Features:
    """Turns images into vectors, the same way for real and generated ones.

    Images are quantised to 8 bits first, as if they had been saved: floats in [-1, 1] are clipped and rounded, uint8
    images pass. A subclass has `extract(images)`, of uint8 images `(batch, height, width, channels)`.

    Attributes:
        name: String, for `Score.features`.
        resize: String, the rule by which images are resized, or `None`.
    """

    name = "given"
    resize = None
    batch_size = 250

    def __call__(self, samples):
        """Float32 features `(batch, dimensions)` of a batch of images, uint8 or floats in [-1, 1]."""
        images = quantized(samples)
        starts = range(0, len(images), self.batch_size)
        return np.concatenate([self.extract(images[start : start + self.batch_size]) for start in starts])

    def extract(self, images):
        raise NotImplementedError

    def differentiable(self, images):
        """Features as a tensor that gradients pass through, of a float tensor in [-1, 1]; nothing is quantised.

        Args:
            images: Float32 tensor `(batch, height, width, channels)`.

        Raises:
            ValueError: If these features have none.
        """
        raise ValueError(
            f"The features {self.name!r} have no gradient: {type(self).__name__} defines no differentiable."
        )

    def named(self, score):
        """The score with this network's name."""
        return dataclasses.replace(score, features=self.name, resize=self.resize)


class Given(Features):
    """Features that the caller has computed, or samples that are compared as they are: passed on, flattened.

    uint8 images become floats in [-1, 1], so that they can be compared with generated ones.
    """

    def __call__(self, samples):
        samples = checks.array("samples", samples)
        if not samples.ndim:
            raise checks.refusal("samples", samples, "an array of samples")
        if samples.dtype == np.uint8 and samples.ndim >= 3:  # Without a channel axis, too.
            samples = np.asarray(normalize(samples))
        return samples.reshape(len(samples), -1)


class ModelFeatures(Features):
    """Any `keras.Model` from images in [-1, 1] to vectors.

    Args:
        model: `keras.Model`, `(batch, height, width, channels)` -> `(batch, dimensions)`.
        name: String. Defaults to the model's.
        resize: `"bilinear"`, `"bicubic"` or `"lanczos"`, all antialiased: images of another size are brought to the
            model's. Defaults to `None`: they are refused.
    """

    def __init__(self, model, name=None, resize=None):
        if resize is not None:
            check_rule(resize)
        self.model = model
        self.name = name or model.name
        self.resize = resize

    def extract(self, images):
        shape = getattr(self.model, "input_shape", (None,) * 4)  # A model that was never called has none yet.
        pixels = fit(images, shape[1:], self.resize, self.name).astype("float32")
        images = pixels * np.float32(1 / 127.5) - np.float32(1)  # As `normalize`, also between two grey levels.
        features = np.asarray(keras.ops.convert_to_numpy(self.model(images, training=False)), "float32")
        return features.reshape(len(features), -1)

    def differentiable(self, images):
        shape = getattr(self.model, "input_shape", (None,) * 4)
        features = self.model(fit_tensor(images, shape[1:], self.resize, self.name), training=False)
        return tf.reshape(features, [tf.shape(features)[0], -1])


def as_features(features):
    """A `Features` of what a user may give: one, a `keras.Model`, or `None`."""
    if features is None:
        return Given()
    if isinstance(features, Features):
        return features
    if isinstance(features, keras.Model):
        return ModelFeatures(features)
    raise TypeError(
        "`features` must be a network of ganzoo.metrics.features, a keras.Model, or None. Received: "
        f"{features!r} (of type {type(features).__name__})"
    )


def quantized(images):
    """uint8 images of uint8 ones, or of floats in [-1, 1], clipped and rounded."""
    images = checks.array("images", images)
    if images.ndim != 4:
        raise ValueError(f"Images must be `(batch, height, width, channels)`. Received: shape {images.shape}")
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise TypeError(f"Images must be uint8, or floats in [-1, 1]. Received: dtype {images.dtype}")
    if not np.isfinite(images).all():
        raise ValueError("Images hold values that are NaN or infinite.")
    if images.size and images.min() >= 0 and images.max() > 2:
        raise ValueError(
            "Floating-point images must lie in [-1, 1]. Received: values from "
            f"{images.min():.4g} to {images.max():.4g}, as of 8-bit images. Pass them as uint8, or images / 127.5 - 1."
        )
    return to_uint8(images).numpy()
