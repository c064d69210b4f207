"""How good are the samples, by a classifier that is trained on the spot: no weights to download.

The Fréchet distance between the 64 features of a small classifier, for real and generated images. It ranks samples of
one dataset against each other; it is not the FID, whose network is another, and compares with no published number.
"""

import keras
import numpy as np

import ganzoo


def train_classifier(dataset, epochs=4):
    """Trains a small convolutional classifier on an embedded dataset; returns its 64 features as a model."""
    data = ganzoo.data.load(dataset, batch_size=64)
    classes = 10
    network = keras.Sequential(
        [
            keras.Input(data.element_spec[0].shape[1:]),
            keras.layers.Conv2D(32, 5, strides=2, padding="same", activation="relu"),
            keras.layers.Conv2D(64, 5, strides=2, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu", name="features"),
            keras.layers.Dense(classes),
        ]
    )
    network.compile(
        "adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"], jit_compile=False
    )
    history = network.fit(data, epochs=epochs, verbose=0, shuffle=False)
    print(f"classifier on {dataset}: training accuracy {history.history['accuracy'][-1]:.3f}", flush=True)
    return keras.Model(network.inputs, network.get_layer("features").output)


def statistics(features, images):
    """Mean and covariance of the features of images in [-1, 1]."""
    values = np.concatenate([np.asarray(features(images[i : i + 500])) for i in range(0, len(images), 500)])
    return values.mean(0).astype("float64"), np.cov(values.astype("float64"), rowvar=False)


def frechet_distance(first, second):
    """`|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`, the 2-Wasserstein distance of two Gaussians, squared."""
    (mean_1, covariance_1), (mean_2, covariance_2) = first, second
    eigenvalues = np.linalg.eigvals(covariance_1 @ covariance_2)
    root_trace = np.sqrt(np.clip(eigenvalues.real, 0, None)).sum()
    return float(np.sum((mean_1 - mean_2) ** 2) + np.trace(covariance_1) + np.trace(covariance_2) - 2 * root_trace)


def real_images(dataset):
    """All images of an embedded dataset, float32 in [-1, 1]."""
    return np.concatenate(
        [images.numpy() for images, _ in ganzoo.data.load(dataset, batch_size=1000, shuffle=False)]
    ).astype("float32")
