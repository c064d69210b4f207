import json
import math

import keras
import numpy as np
import pytest

from ganzoo.metrics import Score, intervals
from ganzoo.metrics.classes import (
    ClassHistogram,
    ClassifierAccuracy,
    as_classifier,
    class_histogram,
    classifier_accuracy,
)
from ganzoo.metrics.features import Features


def brightness(images):
    """A classifier in [-1, 1]: dark, grey or bright."""
    mean = np.asarray(images).mean(axis=(1, 2, 3))
    return -np.square(mean[:, None] - [-1.0, 0.0, 1.0])


def shaded(labels):
    """Images that `brightness` reads as these labels."""
    return np.broadcast_to(np.array([10, 128, 250], "uint8")[labels][:, None, None, None], (len(labels), 6, 6, 1))


def draw(seed, count, shares):
    return np.random.default_rng(seed).choice(len(shares), count, p=shares)


def test_equal_shares_leave_room_for_chance():
    labels = np.arange(100) % 2
    low, high = class_histogram(None, labels).interval
    # Two shares of 0.5 with a standard error of 0.05: |N(0, 0.05^2)| each, and their sum is twice one of them.
    assert low == 0 and 0.07 < high < 0.10
    assert class_histogram(labels, labels).interval[1] > high


def test_histogram_by_hand():
    real = np.array([0, 0, 1, 1, 1, 1, 2, 3])
    fake = np.array([0, 1, 1, 3])
    score = class_histogram(real, fake)
    assert score.value == pytest.approx(0.5 * (0 + 0 + 0.125 + 0.125), rel=1e-12)
    assert score.details["fake_shares"] == [0.25, 0.5, 0.0, 0.25]
    assert score.details["real_shares"] == [0.25, 0.5, 0.125, 0.125]
    assert score.details["missing"] == [2]
    assert score.details["kl"] == pytest.approx(0.25 * math.log(2), rel=1e-12)
    assert score.settings == {"classes": 4, "against": "real"}
    assert (score.num_real, score.num_fake) == (8, 4)


def test_uniform():
    score = class_histogram(None, np.array([0, 0, 0, 1]), num_classes=4)
    assert score.value == pytest.approx(0.5, rel=1e-12)
    assert score.details["missing"] == [2, 3]
    assert score.details["kl"] == pytest.approx(0.75 * math.log(3), rel=1e-12)
    assert score.settings == {"classes": 4, "against": "uniform"}
    assert score.num_real is None


def test_class_that_no_real_sample_has():
    score = class_histogram(np.array([0, 0]), np.array([0, 1]))
    assert score.details["kl"] == math.inf
    assert Score.from_json(score.to_json()) == score
    assert json.loads(score.to_json())["details"]["missing"] == []


def test_scores_and_labels_are_alike():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(50, 5))
    labels = scores.argmax(axis=1)
    real = draw(1, 40, [0.2] * 5)
    assert class_histogram(real, scores) == class_histogram(real, labels, num_classes=5)
    assert classifier_accuracy(scores, real.repeat(2)[:50]) == classifier_accuracy(labels, real.repeat(2)[:50], 5)


def test_floor_is_what_equal_distributions_have(monkeypatch):
    """By simulation: the mean total variation between 500 and 300 samples of one distribution."""
    monkeypatch.setattr(intervals, "from_influence", lambda *args, **settings: (0.0, 1.0))  # Saves the bootstrap.
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    scores = [class_histogram(draw(2 * i, 500, shares), draw(2 * i + 1, 300, shares)) for i in range(100)]
    mean = np.mean([score.value for score in scores])
    assert mean == pytest.approx(scores[0].details["perfect"], rel=0.1)


def test_order_changes_nothing():
    real, fake = draw(0, 300, [0.5, 0.3, 0.2]), draw(1, 200, [0.2, 0.3, 0.5])
    assert class_histogram(real[::-1], fake[::-1]).value == pytest.approx(class_histogram(real, fake).value, rel=1e-9)
    turned = classifier_accuracy(fake[::-1], real[:200][::-1]).value
    assert turned == pytest.approx(classifier_accuracy(fake, real[:200]).value, rel=1e-9)


@pytest.mark.parametrize("against", ["real", "uniform"])
def test_interval_covers_the_total_variation_of_the_distributions(against):
    """In 200 repetitions the 95 % interval holds the true value 90 to 99 % of the time, with some equal shares."""
    p, q = np.array([0.35, 0.2, 0.2, 0.2, 0.05]), np.full(5, 0.2)
    covered = 0
    for repetition in range(200):
        real = draw(2 * repetition, 250, q) if against == "real" else None
        low, high = class_histogram(real, draw(2 * repetition + 1, 150, p), seed=repetition).interval
        covered += low <= 0.15 <= high
    assert 180 <= covered <= 198


def test_interval_of_equal_distributions_begins_at_zero():
    shares = np.full(10, 0.1)
    scores = [class_histogram(draw(2 * i, 300, shares), draw(2 * i + 1, 300, shares), seed=i) for i in range(10)]
    assert sum(score.interval[0] == 0.0 for score in scores) >= 9
    assert min(score.value for score in scores) > 0.02


def test_accuracy_by_hand():
    scores = np.array([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1]])
    score = classifier_accuracy(scores, [0, 1, 1, 1])
    assert score.value == 0.75
    assert score.details["by_class"] == [1.0, pytest.approx(2 / 3, rel=1e-12), None]
    assert score.settings == {"classes": 3}


def test_interval_covers_the_accuracy():
    """In 200 repetitions of 150 samples the 95 % interval holds the true share 90 to 99 % of the time."""
    covered = 0
    for repetition in range(200):
        asked = draw(2 * repetition, 150, [0.5, 0.5])
        read = np.where(draw(2 * repetition + 1, 150, [0.2, 0.8]), asked, 1 - asked)
        low, high = classifier_accuracy(read, asked).interval
        covered += low <= 0.8 <= high
    assert 180 <= covered <= 198


@pytest.mark.parametrize(
    "real, fake, settings, words",
    [
        ([0, 1], [0, 3], {"num_classes": 3}, "fake labels must count from 0 to 2. Received: labels from 0 to 3"),
        ([0, 1], [-1, 1], {}, "labels from -1 to 1"),
        ([0, 1], [0.0, 1.0], {}, "fake classes must be integer labels"),
        ([0, 1], [], {}, "one sample at least"),
        ([0, 1], np.zeros((2, 1)), {}, r"shape \(2, 1\)"),
        (np.zeros((2, 4)), np.zeros((2, 3)), {}, r"numbers of classes differ. Received: \[3, 4\]"),
        ([0, 1], np.full((2, 3), np.nan), {}, "NaN"),
    ],
)
def test_refusals(real, fake, settings, words):
    with pytest.raises(ValueError, match=words):
        class_histogram(real, fake, **settings)


def test_refusals_of_accuracy():
    with pytest.raises(ValueError, match="Each sample needs its label. Received: 2 samples in `fake`, 3 in `labels`"):
        classifier_accuracy([0, 1], [0, 1, 1])
    with pytest.raises(ValueError, match="asked labels must count from 0 to 1"):
        classifier_accuracy(np.zeros((2, 2)), [0, 2])


class WithLogits:
    """An object as the classifiers of ganzoo.metrics.features are: of uint8 images."""

    name = "WithLogits"

    def logits(self, images):
        assert images.dtype == np.uint8
        return brightness(images / 127.5 - 1)


class WithFeatures(Features):
    """A network whose features a linear layer turns into logits."""

    name = "WithFeatures"

    def extract(self, images):
        return images.mean(axis=(1, 2, 3), dtype="float64")[:, None] / 127.5 - 1

    def logits_of(self, features):
        return brightness(features[:, None, None, :])


def model():
    inputs = keras.Input((6, 6, 1))
    mean = keras.layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, -keras.ops.square(mean - np.array([-1.0, 0.0, 1.0], "float32")), name="a_model")


@pytest.mark.parametrize(
    "classifier, name",
    [
        (brightness, "brightness"),
        (WithLogits(), "WithLogits"),
        (WithFeatures(), "WithFeatures"),
        (model, "a_model"),
    ],
)
def test_streams(classifier, name):
    classifier = classifier() if classifier is model else classifier
    real, fake, asked = draw(0, 90, [0.5, 0.3, 0.2]), draw(1, 60, [0.2, 0.3, 0.5]), draw(2, 60, [0.3, 0.3, 0.4])
    histogram = ClassHistogram(classifier)
    histogram.update_state(real=shaded(real), fake=shaded(fake)[:30])
    histogram.update_state(fake=shaded(fake)[30:].astype("float32") / 127.5 - 1)
    score = histogram.result()
    assert score.features == name
    assert score.details == class_histogram(real, fake).details
    uniform = ClassHistogram(classifier, against="uniform")
    uniform.update_state(fake=shaded(fake))
    assert uniform.result().details == class_histogram(None, fake).details
    accuracy = ClassifierAccuracy(classifier)
    accuracy.update_state(fake=shaded(fake)[:20], labels=asked[:20])
    accuracy.update_state(fake=shaded(fake)[20:], labels=asked[20:])
    assert accuracy.result().details == classifier_accuracy(fake, asked).details
    assert accuracy.result().value == np.mean(fake == asked)
    accuracy.reset_state()
    accuracy.update_state(fake=shaded(fake), labels=fake)
    assert accuracy.result().value == 1.0


def test_refusals_of_streams():
    with pytest.raises(TypeError, match="A classifier has the method `logits`"):
        as_classifier("digits")
    with pytest.raises(TypeError, match="A classifier has the method `logits`"):
        as_classifier(WithLogits)
    with pytest.raises(ValueError, match="`against` must be one of 'real', 'uniform'"):
        ClassHistogram(brightness, against="shares")
    with pytest.raises(ValueError, match="takes no real samples"):
        ClassHistogram(brightness, against="uniform").update_state(real=shaded([1]))
    with pytest.raises(ValueError, match="generated images and their labels"):
        ClassifierAccuracy(brightness).update_state(fake=shaded([1]))
    with pytest.raises(ValueError, match=r"scores `\(batch, classes\)`. Received: shape \(1,\)"):
        ClassHistogram(lambda images: images.mean(axis=(1, 2, 3))).update_state(fake=shaded([1]))


def test_samples_of_one_class_leave_room_for_the_others():
    """Of 50 samples of one class, by Wilson's interval up to 1.96^2 / (50 + 1.96^2) = 7.1 % may be others."""
    score = class_histogram(None, np.zeros(50, int), num_classes=10)
    assert score.value == pytest.approx(0.9)
    assert score.interval == pytest.approx((0.9 - 0.0713, 0.9), abs=1e-4)
