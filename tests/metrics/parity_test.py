"""The same features give the same scores as torch-fidelity and prdc.

Their scores are stored in `oracles/scores.json`; `make oracles` computes them anew.
"""

import json
from pathlib import Path

import pytest

from ganzoo.metrics import coverage, density, precision, recall
from ganzoo.metrics.frechet import frechet_distance
from ganzoo.metrics.inception_score import inception_score
from ganzoo.metrics.kernel import kernel_distance
from tests.metrics.oracles import inputs

SCORES = json.loads((Path(__file__).parent / "oracles/scores.json").read_text())
REAL, FAKE = inputs.features(1, 400), inputs.features(2, 300)
PRDC = {"precision": precision, "recall": recall, "density": density, "coverage": coverage}


def cases(name):
    """One test for each set of settings of a stored score."""
    return pytest.mark.parametrize("case", SCORES[name], ids=str)


def test_frechet_distance():
    assert SCORES["frechet_distance"] > 0.1
    assert frechet_distance(REAL, FAKE).value == pytest.approx(SCORES["frechet_distance"], rel=1e-6)


@cases("kernel_distance_over_subsets")
def test_kernel_distance_over_subsets(case):
    score = kernel_distance(REAL, FAKE, subset_size=case["subset_size"], subsets=case["subsets"], seed=2020)
    assert score.value == pytest.approx(case["mean"], rel=1e-6)
    assert score.details["subset_std"] == pytest.approx(case["std"], rel=1e-6)


@cases("kernel_distance")
def test_kernel_distance_of_all_samples(case):
    assert case["value"] > 0.001
    for settings in ({}, {"subsets": None}, {"subset_size": 300}):
        found = kernel_distance(REAL[:300], FAKE, **settings, **case["kernel"]).value
        assert found == pytest.approx(case["value"], rel=1e-6)


@cases("inception_score")
def test_inception_score(case):
    assert case["mean"] > 5
    score = inception_score(inputs.logits(case["count"], case["classes"]), splits=case["splits"], seed=2020)
    assert score.value == pytest.approx(case["mean"], rel=1e-6)
    assert score.details["split_std"] == pytest.approx(case["std"], rel=1e-6)


@cases("precision_recall")
def test_precision_and_recall(case):
    assert 0.01 < case["precision"] < 0.99 and 0.01 < case["recall"] < 0.99
    assert precision(REAL, FAKE, k=case["k"]).value == pytest.approx(case["precision"], rel=1e-6)
    assert recall(REAL, FAKE, k=case["k"]).value == pytest.approx(case["recall"], rel=1e-6)


@cases("prdc")
def test_density_and_coverage(case):
    assert 0.01 < case["coverage"] < 0.99
    for name, metric in PRDC.items():
        assert metric(REAL, FAKE, k=case["k"]).value == pytest.approx(case[name], rel=1e-6)


def test_samples_on_the_surface_of_balls():
    """Points of a small lattice: many lie at a distance equal to a radius, and many are copies of each other.

    The paper's balls of precision and recall are closed; those of density and coverage are open in prdc.
    """
    real, fake = inputs.lattice(0, 6), inputs.lattice(1, 8)
    closed, opened = SCORES["lattice"]["closed"], SCORES["lattice"]["open"]
    assert opened["precision"] + 0.05 < closed["precision"] < 0.95
    assert precision(real, fake).value == pytest.approx(closed["precision"], rel=1e-6)
    assert recall(real, fake).value == pytest.approx(closed["recall"], rel=1e-6)
    for name, metric in (("density", density), ("coverage", coverage)):
        with pytest.warns(UserWarning, match=r"\d+ of 200 real samples"):
            assert metric(real, fake, k=3).value == pytest.approx(opened[name], rel=1e-6)
