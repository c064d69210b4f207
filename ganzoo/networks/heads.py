"""Further outputs of a discriminator, such as class logits or estimates of codes."""

import numpy as np
from keras import layers

from ganzoo import checks
from ganzoo.data import normalize
from ganzoo.layers import dense_layer


def with_heads(score, features, heads=None, normalization=None, kernel_initializer="glorot_uniform"):
    """The outputs of a discriminator: the score alone, or a dictionary with further heads on the same features.

    Args:
        score: Symbolic tensor, the scores.
        features: Symbolic tensor `(batch, count)`, the discriminator's last features.
        heads: Dictionary, name -> number of outputs. Defaults to `None`.
        normalization: `"spectral"`, or anything else for plain kernels. Defaults to `None`.
        kernel_initializer: Keras initializer. Defaults to `"glorot_uniform"`.

    Returns:
        `score`, or `{"scores": score, name: float32 tensor (batch, outputs), ...}`.
    """
    if heads is None:
        return score
    if not isinstance(heads, dict) or not all(isinstance(name, str) for name in heads):
        raise checks.refusal("heads", heads, "a dictionary, name -> number of outputs", optional=True)
    if not heads:
        return score
    checks.counts(**{f"heads[{name!r}]": units for name, units in heads.items()})
    if "scores" in heads:
        raise ValueError(f'`heads` must not be named "scores", the discriminator\'s own output. Received: {heads}')
    dense = dense_layer(normalization)
    made = {
        name: dense(units, kernel_initializer=kernel_initializer, dtype="float32", name=name)(features)
        for name, units in heads.items()
    }
    return {"scores": layers.Activation("linear", dtype="float32", name="scores")(score), **made}


def read_heads(discriminator, samples, batch_size=64):
    """The outputs of a discriminator's heads for samples, in inference mode.

    Args:
        discriminator: Built `keras.Model`, samples -> dictionary of outputs.
        samples: Array `(count, ...)` of floats (images in [-1, 1]) or uint8 images.
        batch_size: Integer, number of samples read at a time. Defaults to `64`.

    Returns:
        Dictionary of float32 NumPy arrays by name, without `"scores"`.

    Raises:
        ValueError: If the samples do not have the shape of the discriminator's input.
    """
    samples, shape = np.asarray(samples), tuple(discriminator.inputs[0].shape[1:])
    if samples.shape[1:] != shape or not len(samples) or samples.dtype.kind not in "fiu":
        raise ValueError(
            f"`samples` must be numbers of the shape (count, {', '.join(map(str, shape))}), with one sample or more. "
            f"Received: {samples.dtype} of shape {samples.shape}"
        )
    samples = np.asarray(normalize(samples)) if samples.dtype == np.uint8 else samples.astype("float32")
    outputs = discriminator.predict(samples, batch_size=checks.integer("batch_size", batch_size, least=1), verbose=0)
    return {name: values for name, values in outputs.items() if name != "scores"}
