"""Small classifiers of 28x28 grey images as features. Their weights come with ganzoo, so no download is needed."""

from pathlib import Path

import keras
import numpy as np
from keras import layers

from ganzoo.metrics.features.base import Features
from ganzoo.metrics.features.resize import fit, fit_tensor

IMAGE_SHAPE = (28, 28, 1)


class Classifier(Features):
    """Base of features that a linear layer turns into logits of classes.

    Attributes:
        kernel, bias: Float32 arrays `(dimensions, classes)` and `(classes,)`.
    """

    def logits(self, images):
        """Float32 logits `(batch, classes)` of images, uint8 or floats in [-1, 1]."""
        return self.logits_of(self(images))

    def logits_of(self, features):
        """Float32 logits `(batch, classes)` of features that are already computed."""
        return np.asarray(features, "float32") @ self.kernel + self.bias


class PackagedClassifier(Classifier):
    """The network below, with weights from a file in the package that benchmarks/train_classifiers.py wrote."""

    weights = None

    def __init__(self):
        self.name = type(self).__name__
        model = network()
        with np.load(Path(__file__).parent / "weights" / self.weights, allow_pickle=False) as file:
            model.set_weights([file[str(index)].astype("float32") for index in range(len(file))])
        self.kernel, self.bias = model.get_layer("logits").get_weights()
        self._model = keras.Model(model.input, model.get_layer("features").output)

    def extract(self, images):
        images = fit(images, IMAGE_SHAPE, name=self.name).astype("float32") / np.float32(255)
        return keras.ops.convert_to_numpy(self._model(images, training=False))

    def differentiable(self, images):
        return self._model((fit_tensor(images, IMAGE_SHAPE, name=self.name) + 1.0) / 2.0, training=False)


class DigitsClassifier(PackagedClassifier):
    """A classifier of handwritten digits, for 28x28x1 images, white on black. It gives 64 features and logits of 0 to
    9.

    It was trained on the 60,000 training images of MNIST. It reads 99.57 % of the 10,000 test images correctly. The
    test images are ganzoo's dataset `mnist_10k`, which it has not seen.

    Use it only for images that look like MNIST. Scores carry its name: a Fréchet distance in its features is not an
    FID.

    Example:

    >>> digits = ganzoo.metrics.features.DigitsClassifier()
    >>> labels = digits.logits(gan.generate(1000)).argmax(axis=1)
    """

    weights = "digits_classifier.npz"


class FashionClassifier(PackagedClassifier):
    """A classifier of garments, for 28x28x1 images, light on black. It gives 64 features and logits of the ten kinds.

    It was trained on the 60,000 training images of Fashion-MNIST. It reads 93.29 % of the 10,000 test images correctly.
    The test images are ganzoo's dataset `fashion_mnist_10k`, which it has not seen.

    Use it only for images that look like Fashion-MNIST. Scores carry its name: a Fréchet distance in its features is
    not an FID.

    Example:

    >>> garments = ganzoo.metrics.features.FashionClassifier()
    >>> labels = garments.logits(gan.generate(1000)).argmax(axis=1)
    """

    weights = "fashion_classifier.npz"


def network(dropout=0.0):
    """A classifier with four convolutions, 64 features with batch normalization, and logits of ten classes.

    Args:
        dropout: Float, share of the last feature maps to drop in training. Defaults to `0.0`.

    Returns:
        Functional `keras.Model` from float32 images `(batch, 28, 28, 1)` in [0, 1] to logits `(batch, 10)`. Its layer
        `features` has the values before the logits, which are 0 or more.
    """
    # Float32 throughout, so that a global mixed precision does not change the scores.
    x = image = keras.Input(IMAGE_SHAPE, name="image", dtype="float32")
    for index, filters in enumerate((32, 32, 64, 64)):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, dtype="float32", name=f"conv_{index}")(x)
        x = layers.BatchNormalization(dtype="float32", name=f"normalization_{index}")(x)
        x = layers.ReLU(dtype="float32", name=f"relu_{index}")(x)
        if index % 2:
            x = layers.MaxPooling2D(dtype="float32", name=f"pool_{index}")(x)
    x = layers.Flatten(dtype="float32", name="flat")(x)
    x = layers.Dropout(dropout, dtype="float32", name="dropout")(x)
    # Without normalization, most of the features would be 0 for every image.
    x = layers.Dense(64, use_bias=False, dtype="float32", name="dense")(x)
    x = layers.BatchNormalization(dtype="float32", name="normalization")(x)
    x = layers.ReLU(dtype="float32", name="features")(x)
    x = layers.Dense(10, dtype="float32", name="logits")(x)
    return keras.Model(image, x, name="classifier")
