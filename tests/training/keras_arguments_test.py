"""Arguments of Keras that have no meaning for generative models are refused with a way out."""

import numpy as np
import pytest

import ganzoo

X = np.zeros((64, 2), "float32")


@pytest.fixture(scope="module")
def gan():
    return ganzoo.GAN.from_paper((2,), hidden=(4,))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda gan: gan.fit(X, class_weight={0: 1.0}), "takes no `class_weight`: .*Repeat what should count more"),
        (lambda gan: gan.fit(X, sample_weight=X), "takes no `sample_weight`"),
        (lambda gan: gan.fit(X, validation_split=0.1), "takes no `validation_split`: hold data out yourself"),
        (lambda gan: gan.fit(X, shuffle=False), "takes no `shuffle`: the order is the dataset's"),
        (lambda gan: gan.fit(X, epoch=1), "takes no `epoch`: Did you mean `epochs`?"),
        (lambda gan: gan.fit(X, workers=2), "takes no `workers`: Keras 3"),
        (lambda gan: gan.evaluate(X, sample_weight=X), "takes no `sample_weight`"),
        (lambda gan: gan.compile("adam", "adam", loss="mse"), "takes no `loss`: the losses are the paper's"),
        (lambda gan: gan.compile("adam", "adam", metrics=["mse"]), "takes no `metrics`: .*Evaluate"),
        (lambda gan: gan.compile(optimizer="adam"), "takes no `optimizer`: each network has its own"),
    ],
)
def test_refused(gan, call, words):
    with pytest.raises(TypeError, match=words):
        call(gan)


def test_optimizers_that_are_missing(gan):
    with pytest.raises(ValueError, match="`discriminator_optimizer` is missing"):
        gan.compile("adam")
    with pytest.raises(ValueError, match="`optimizer` is missing"):
        ganzoo.Autoencoder.from_paper((2,), hidden=(4,)).compile()


def test_shuffling_happens_anyway(gan):
    gan.fit(X, shuffle=True, epochs=1, verbose=0, check=False)


@pytest.mark.parametrize("x", [None, np.zeros((0, 100), "float32")])
def test_nothing_to_predict_from(gan, x):
    with pytest.raises(ValueError, match="`predict` needs latents, one row or more"):
        gan.predict(x)
