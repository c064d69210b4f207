"""What every model checks of its arguments, its losses and its samples, in words."""

import keras
import numpy as np
import tensorflow as tf

HOW_TO_SCALE = "Scale 0..255 with ganzoo.data.normalize (x / 127.5 - 1), or load with ganzoo.data.from_arrays."


def check_backend():
    """Raises an `ImportError` unless Keras runs on TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        raise ImportError(
            f"ganzoo's training steps are written for the TensorFlow backend, and Keras runs on "
            f"{keras.backend.backend()!r}. Set KERAS_BACKEND=tensorflow before Python starts."
        )


def check_network(role, network, condition):
    """Raises unless `network` is a built `keras.Model` with the inputs that go with a kind of condition."""
    if not isinstance(network, keras.Model):
        raise TypeError(
            f"`{role}` must be a keras.Model. Received: {network!r} of type {type(network).__name__}. "
            "Build one with keras.Model(inputs, outputs), or take one of ganzoo.networks."
        )
    if not network.built or not getattr(network, "inputs", None):
        raise ValueError(
            f"`{role}` must be a model with known input shapes (functional, or Sequential with an Input). "
            f"Received: {network.name}, which has none yet."
        )
    if len(network.inputs) != condition.inputs:
        raise ValueError(
            f"`{role}` must have {condition.wanted_inputs}. Received: {network.name} with the inputs "
            f"{[tensor.name for tensor in network.inputs]}"
        )
    if len(network.outputs) != 1:
        raise ValueError(
            f"`{role}` must have one output. Received: {network.name} with {len(network.outputs)} outputs."
        )


def check_loss(loss, model):
    """Raises a `ValueError` unless a hook returned a scalar; returns it as float32."""
    if loss is None or not hasattr(loss, "shape") or loss.shape.rank != 0:
        came = "None" if loss is None else f"shape {getattr(loss, 'shape', type(loss).__name__)}"
        raise ValueError(
            f"A loss of {model} must be a scalar tensor, the mean over the batch. Received: {came}. "
            "Reduce it with keras.ops.mean."
        )
    return tf.cast(loss, "float32")


def check_pixels(images, what="Images"):
    """Raises a `ValueError` unless a NumPy array of images lies in [-1, 1]."""
    if images.size and (images.min() < -1.001 or images.max() > 1.001):
        raise ValueError(
            f"{what} must lie in [-1, 1], the range of the generator's tanh. Received values from "
            f"{float(images.min()):g} to {float(images.max()):g}. {HOW_TO_SCALE}"
        )


def check_count(name, value):
    """Raises a `ValueError` if an argument is neither a positive integer nor `None`."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1):
        raise ValueError(f"`{name}` must be an integer of at least 1, or None. Received: {name}={value!r}")


def check_weight(name, value):
    """Returns the weight of a term if it is not negative."""
    if not value >= 0:
        raise ValueError(f"`{name}` must not be negative. Received: {name}={value}")
    return value


def check_no_batch_normalization(discriminator):
    """Raises a `ValueError` if a critic has batch normalization (Section 4 of the paper)."""
    for layer in discriminator._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            raise ValueError(
                f"The critic has batch normalization (layer {layer.name!r}), and the gradient penalty needs scores "
                "that depend on one sample each. Use layer normalization or none: "
                'ganzoo.networks.dcgan.discriminator(image_shape, normalization="layer").'
            )


def check_execution(strategy, steps_per_execution, jit_compile):
    """Raises a `ValueError` for settings of `compile` that do not work under a strategy of tf.distribute."""
    if jit_compile is True and strategy.num_replicas_in_sync > 1:
        raise ValueError(
            "`jit_compile=True` does not work with tf.distribute, whose variables live on several devices. "
            f"Received: {type(strategy).__name__} with {strategy.num_replicas_in_sync} replicas. "
            'Leave jit_compile="auto".'
        )
    if steps_per_execution != 1 and isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        raise ValueError(
            "Several workers make one step in a call. Received: "
            f"steps_per_execution={steps_per_execution} under MultiWorkerMirroredStrategy. Leave it at 1."
        )
