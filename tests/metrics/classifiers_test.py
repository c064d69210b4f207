"""The embedded datasets are the test sets of MNIST and Fashion-MNIST: the classifiers have not seen them."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo.metrics import features
from ganzoo.metrics.features import classifiers

NAMES = {"DigitsClassifier": ("mnist_10k", 99.0), "FashionClassifier": ("fashion_mnist_10k", 92.0)}


@pytest.fixture(scope="module", params=NAMES)
def classifier(request):
    return getattr(features, request.param)()


@pytest.fixture(scope="module")
def data(classifier):
    source = ganzoo.data.load(NAMES[classifier.name][0]).source
    return source.images.numpy(), source.labels.numpy()


@pytest.fixture(scope="module")
def vectors(classifier, data):
    return classifier(data[0])


def test_accuracy_is_as_documented(classifier, data, vectors):
    accuracy = 100 * np.mean(classifier.logits_of(vectors).argmax(axis=1) == data[1])
    print(f"{classifier.name}: {accuracy:.2f} %")
    assert accuracy > NAMES[classifier.name][1]
    documented = float(re.search(r"reads (\S+) % of\s+the 10,000 test images", classifier.__doc__)[1])
    assert accuracy == pytest.approx(documented, abs=0.03)  # Three images, where rounding decides.


def test_features(classifier, data, vectors):
    assert vectors.shape == (10_000, 64) and vectors.dtype == np.float32
    assert vectors.min() == 0  # After a ReLU.
    assert vectors.std(axis=0).min() > 0.05, "a feature that never changes"
    images = data[0][:300]
    np.testing.assert_allclose(classifier(ganzoo.data.normalize(images)), vectors[:300], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(classifier.logits(images), classifier.logits_of(vectors[:300]), rtol=1e-4, atol=1e-4)


def test_logits_are_those_of_the_trained_network(classifier, data):
    """Through Keras' last layer, where `logits_of` multiplies by itself."""
    model = classifiers.network()
    path = Path(classifiers.__file__).parent / "weights" / classifier.weights
    with np.load(path, allow_pickle=False) as file:
        model.set_weights([file[str(index)].astype("float32") for index in range(len(file))])
    images = data[0][:100]
    expected = model.predict(images.astype("float32") / 255, verbose=0)
    np.testing.assert_allclose(classifier.logits(images), expected, rtol=1e-4, atol=1e-4)
    assert path.stat().st_size < 1_000_000


def test_scores_are_named_after_it(classifier, vectors):
    metric = ganzoo.metrics.FrechetDistance(features=classifier)
    score = metric.score(vectors[:500], vectors[500:1000])
    assert score.name == "frechet_distance" and score.features == classifier.name and score.resize is None


def test_global_precision_changes_nothing(classifier, data, vectors):
    keras.config.set_dtype_policy("mixed_float16")
    other = type(classifier)()
    np.testing.assert_allclose(other(data[0][:50]), vectors[:50], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(32, 32, 1), (28, 28, 3), (28, 14, 1)], ids=str)
def test_refuses_other_shapes(classifier, shape):
    received = " x ".join(map(str, shape))
    with pytest.raises(ValueError, match=f"{classifier.name} takes images of 28 x 28 x 1. Received: {received}"):
        classifier(np.zeros((2, *shape), "uint8"))
