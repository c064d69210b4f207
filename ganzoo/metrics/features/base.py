"""Base classes of features, which turn samples into the vectors that a metric compares."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from ganzoo import checks
from ganzoo.data.pixels import normalize
from ganzoo.images import to_uint8
from ganzoo.metrics.features.resize import check_rule, fit, fit_tensor


class Features:
    """Turns images into vectors, in the same way for real and generated images.

    Images are quantised to 8 bits first, as if they had been saved. Floats in [-1, 1] are clipped and rounded, and
    uint8 images stay unchanged. A subclass defines `extract(images)` for uint8 images `(batch, height, width,
    channels)`.

    Attributes:
        name: String, for `Score.features`.
        resize: String, the rule for resizing images, or `None`.
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
        """Features of a float tensor in [-1, 1], as a tensor that passes gradients. Nothing is quantised.

        Args:
            images: Float32 tensor `(batch, height, width, channels)`.

        Raises:
            ValueError: If these features have no gradient.
        """
        raise ValueError(
            f"The features {self.name!r} have no gradient: {type(self).__name__} defines no differentiable."
        )

    def named(self, score):
        """The score with the name of this network."""
        return dataclasses.replace(score, features=self.name, resize=self.resize)


class Given(Features):
    """Passes samples on, flattened: features that the caller has computed, or samples to compare directly.

    uint8 images become floats in [-1, 1], to be comparable with generated images.
    """

    def __call__(self, samples):
        samples = checks.array("samples", samples)
        if not samples.ndim:
            raise checks.refusal("samples", samples, "an array of samples")
        if samples.dtype == np.uint8 and samples.ndim >= 3:  # Also images without a channel axis.
            samples = np.asarray(normalize(samples))
        return samples.reshape(len(samples), -1)


class ModelFeatures(Features):
    """Features of any `keras.Model` that maps images in [-1, 1] to vectors.

    Args:
        model: `keras.Model`, `(batch, height, width, channels)` -> `(batch, dimensions)`.
        name: String. Defaults to the name of the model.
        resize: `"bilinear"`, `"bicubic"` or `"lanczos"`, all antialiased. Resizes images to the input size of the
            model. Defaults to `None`, where other sizes raise an error.
    """

    def __init__(self, model, name=None, resize=None):
        if resize is not None:
            check_rule(resize)
        self.model = model
        self.name = name or model.name
        self.resize = resize

    def extract(self, images):
        shape = getattr(self.model, "input_shape", (None,) * 4)  # A model that was never called has no input shape yet.
        pixels = fit(images, shape[1:], self.resize, self.name).astype("float32")
        # Same as `normalize`, but also for values between two grey levels.
        images = pixels * np.float32(1 / 127.5) - np.float32(1)
        features = np.asarray(keras.ops.convert_to_numpy(self.model(images, training=False)), "float32")
        return features.reshape(len(features), -1)

    def differentiable(self, images):
        shape = getattr(self.model, "input_shape", (None,) * 4)
        features = self.model(fit_tensor(images, shape[1:], self.resize, self.name), training=False)
        return tf.reshape(features, [tf.shape(features)[0], -1])


def as_features(features):
    """Converts the user's `features` argument to `Features`: a `Features`, a `keras.Model`, or `None`."""
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
    """Images as uint8. Floats in [-1, 1] are clipped and rounded."""
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
