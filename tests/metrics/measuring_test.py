"""Several metrics of the same samples."""

import numpy as np
import pytest

import ganzoo
from ganzoo.metrics.features import Features
from ganzoo.metrics.measuring import Measuring

REAL = np.random.default_rng(0).integers(0, 256, (40, 2, 2, 1), "uint8")
FAKE = np.random.default_rng(1).integers(0, 256, (30, 2, 2, 1), "uint8")


class Counted(Features):
    """Pixels, and how many images have come."""

    def __init__(self):
        self.seen = []

    def extract(self, images):
        self.seen.append(len(images))
        return images.reshape(len(images), -1).astype("float32")


def test_each_network_runs_once():
    features = Counted()
    metrics = {"distance": ganzoo.metrics.FrechetDistance(features), "recall": ganzoo.metrics.Recall(features)}
    measuring = Measuring(metrics, REAL)
    features.seen.clear()
    for _ in range(2):  # The real samples are not read again.
        scores = measuring.of(FAKE).scores()
    assert features.seen == [30, 30]
    pixels = [part.reshape(len(part), -1).astype("float32") for part in (REAL, FAKE)]
    assert scores["distance"].value == ganzoo.metrics.frechet_distance(*pixels).value
    assert scores["recall"].value == ganzoo.metrics.recall(*pixels).value


def test_a_metric_that_refuses_says_so():
    measured = Measuring({0: ganzoo.metrics.FrechetDistance(Counted())}, REAL).of(FAKE[:1])
    with pytest.raises(ValueError, match="samples"):
        measured.score(0)
