"""The same features give the same scores as torch-fidelity and prdc."""

import types

import numpy as np
import pytest

from ganzoo.metrics.frechet import frechet_distance
from ganzoo.metrics.inception_score import inception_score
from ganzoo.metrics.kernel import kernel_distance
from ganzoo.metrics.neighbours import coverage, density, precision, recall


@pytest.fixture(scope="module")
def fidelity(torch_for_fidelity):
    """The functions of torch-fidelity that turn features into scores."""
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.metric_prc import prc_features_to_metric

    torch = torch_for_fidelity

    def fid(real, fake):
        statistics = [fid_features_to_statistics(torch.from_numpy(features)) for features in (fake, real)]
        return fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]

    def kid(real, fake, **settings):
        # By its convention the generated samples come first.
        return kid_features_to_metric(torch.from_numpy(fake), torch.from_numpy(real), verbose=False, **settings)

    def isc(logits, **settings):
        return isc_features_to_metric(torch.from_numpy(logits), **settings)

    def prc(real, fake, k, save_cpu_ram):
        settings = {"prc_neighborhood": k, "prc_batch_size": 100, "save_cpu_ram": save_cpu_ram, "verbose": False}
        return prc_features_to_metric(torch.from_numpy(fake), torch.from_numpy(real), **settings)

    return types.SimpleNamespace(fid=fid, kid=kid, isc=isc, prc=prc)


@pytest.fixture(scope="module")
def prdc():
    import prdc

    return prdc


def features(seed, count, dimensions=32):
    """Positive, skewed and correlated, as those of a network's last pooling; the kinds overlap in part."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(8, dimensions)) / 3
    return np.maximum(rng.normal(size=(count, 8)) @ mixing + rng.normal(size=(count, dimensions)) / 3 + 0.1 * seed, 0)


REAL, FAKE = features(1, 400), features(2, 300)
PRDC = {"precision": precision, "recall": recall, "density": density, "coverage": coverage}


def test_frechet_distance(fidelity):
    expected = fidelity.fid(REAL, FAKE)
    assert expected > 0.1
    assert frechet_distance(REAL, FAKE).value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("subset_size, subsets", [(100, 10), (300, 2)])
def test_kernel_distance_over_subsets(fidelity, subset_size, subsets):
    expected = fidelity.kid(REAL, FAKE, kid_subset_size=subset_size, kid_subsets=subsets, rng_seed=2020)
    score = kernel_distance(REAL, FAKE, subset_size=subset_size, subsets=subsets, seed=2020)
    assert score.value == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-6)
    assert score.details["subset_std"] == pytest.approx(expected["kernel_inception_distance_std"], rel=1e-6)


def test_kernel_distance_of_all_samples(fidelity):
    expected = fidelity.kid(REAL[:300], FAKE, kid_subset_size=300, kid_subsets=1)["kernel_inception_distance_mean"]
    assert expected > 0.001
    for settings in ({}, {"subsets": None}, {"subset_size": 300}):
        assert kernel_distance(REAL[:300], FAKE, **settings).value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kernel", [{"degree": 2, "gamma": 0.5, "coef0": 0.25}, {"degree": 5}])
def test_other_kernels(fidelity, kernel):
    theirs = {f"kid_kernel_poly_{name}": value for name, value in kernel.items()}
    expected = fidelity.kid(REAL[:300], FAKE, kid_subset_size=300, kid_subsets=1, **theirs)
    found = kernel_distance(REAL[:300], FAKE, **kernel).value
    assert found == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-6)


@pytest.mark.parametrize("count, classes, splits", [(2003, 20, 10), (1500, 100, 1)])
def test_inception_score(fidelity, count, classes, splits):
    logits = np.random.default_rng(0).normal(size=(count, classes)) * 3
    expected = fidelity.isc(logits, splits=splits, rng_seed=2020)
    assert expected["inception_score_mean"] > 5
    score = inception_score(logits, splits=splits, seed=2020)
    assert score.value == pytest.approx(expected["inception_score_mean"], rel=1e-6)
    assert score.details["split_std"] == pytest.approx(expected["inception_score_std"], rel=1e-6)


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("save_cpu_ram", [False, True])
def test_precision_and_recall(fidelity, k, save_cpu_ram):
    expected = fidelity.prc(REAL, FAKE, k, save_cpu_ram)
    assert 0.01 < expected["precision"] < 0.99 and 0.01 < expected["recall"] < 0.99
    assert precision(REAL, FAKE, k=k).value == pytest.approx(expected["precision"], rel=1e-6)
    assert recall(REAL, FAKE, k=k).value == pytest.approx(expected["recall"], rel=1e-6)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_density_and_coverage(prdc, k):
    expected = prdc.compute_prdc(REAL, FAKE, nearest_k=k)
    assert 0.01 < expected["coverage"] < 0.99
    for name, metric in PRDC.items():
        assert metric(REAL, FAKE, k=k).value == pytest.approx(expected[name], rel=1e-6)


def test_samples_on_the_surface_of_balls(fidelity, prdc):
    """Points of a small lattice: many lie at a distance equal to a radius, and many are copies of each other.

    The paper's balls of precision and recall are closed; those of density and coverage are open in prdc.
    """
    real, fake = (np.random.default_rng(seed).integers(0, 6, size=(200, 3)).astype("float64") for seed in (0, 1))
    closed, opened = fidelity.prc(real, fake, 3, False), prdc.compute_prdc(real, fake, nearest_k=3)
    assert closed["precision"] > opened["precision"] + 0.05
    assert precision(real, fake).value == pytest.approx(closed["precision"], rel=1e-6)
    assert recall(real, fake).value == pytest.approx(closed["recall"], rel=1e-6)
    for name, metric in (("density", density), ("coverage", coverage)):
        with pytest.warns(UserWarning, match="29 of 200 real samples"):
            assert metric(real, fake, k=3).value == pytest.approx(opened[name], rel=1e-6)
