"""Settings that no metric has are refused in words, by the functions and by their classes."""

import numpy as np
import pytest

from ganzoo import metrics
from ganzoo.metrics.seeds import legacy_numbers_of, numbers_of

POINTS = np.random.default_rng(0).normal(size=(2, 30, 3))
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 30, 16, 16, 1), "uint8")
FUNCTIONS = {
    "frechet_distance": lambda **settings: metrics.frechet_distance(*POINTS[:, :, :2], **settings),
    "kernel_distance": lambda **settings: metrics.kernel_distance(*POINTS, **settings),
    "sliced_wasserstein": lambda **settings: metrics.sliced_wasserstein(*POINTS, **settings),
    "pyramid": lambda **settings: metrics.pyramid_sliced_wasserstein(*IMAGES, **{"descriptors": 4, **settings}),
    "precision": lambda **settings: metrics.precision(*POINTS, **settings),
    "memorization": lambda **settings: metrics.memorization(*POINTS, POINTS[0] + 1, **settings),
    "parzen": lambda **settings: metrics.parzen_log_likelihood(*POINTS, **{"sigma": 1.0, **settings}),
    "inception_score": lambda **settings: metrics.inception_score(POINTS[0], **{"splits": 1, **settings}),
    "psnr": lambda **settings: metrics.psnr(*IMAGES, **settings),
    "ms_ssim": lambda **settings: metrics.ms_ssim_diversity(IMAGES[0], **settings),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"seed": -1}, r"`seed` must be an integer from 0 to 2\*\*63 - 1. Received: seed=-1"),
        ({"seed": 2**63}, r"`seed` must be an integer from 0 to 2\*\*63 - 1. Received: seed=9223372036854775808"),
        ({"seed": 1.5}, "`seed` must be an integer from 0"),
        ({"level": float("nan")}, "`level` must be a finite number above 0 and below 1. Received: level=nan"),
        ({"level": True}, "`level` must be a finite number above 0 and below 1. Received: level=True"),
        ({"chunk_size": 1.5}, "`chunk_size` must be an integer of at least 1. Received: chunk_size=1.5"),
        ({"chunk_size": "10"}, "`chunk_size` must be an integer of at least 1. Received: chunk_size='10'"),
    ],
)
def test_settings_of_all_functions(name, settings, words):
    if name == "precision" and "seed" in settings:
        settings = {**settings, "k": 1}
    with pytest.raises(ValueError, match=words):
        FUNCTIONS[name](**settings)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_large_seeds_are_seeds(name):
    assert FUNCTIONS[name](seed=2**63 - 1) == FUNCTIONS[name](seed=np.uint64(2**63 - 1))


@pytest.mark.parametrize("setting", [{"seed": -1}, {"level": 2}, {"chunk_size": 0}])
def test_settings_of_a_class_are_checked_when_it_is_made(setting):
    for metric in (metrics.FrechetDistance, metrics.Precision, metrics.SlicedWasserstein, metrics.KernelDistance):
        with pytest.raises(ValueError, match=f"`{next(iter(setting))}` must be"):
            metric(**setting)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: metrics.Precision(k=True), "`k` must be an integer of at least 1. Received: k=True"),
        (lambda: metrics.KernelDistance(degree=1.5), "`degree` must be an integer of at least 1"),
        (lambda: metrics.KernelDistance(gamma=-1), "`gamma` must be a finite number above 0, or None"),
        (lambda: metrics.KernelDistance(coef0=float("nan")), "`coef0` must be a finite number"),
        (lambda: metrics.InceptionScore(from_logits="no"), "`from_logits` must be True or False"),
        (lambda: metrics.ModeCoverage.ring(std=-1), "`std` must be a finite number above 0. Received: std=-1"),
        (lambda: metrics.ModeCoverage.grid(side=2.5), "`side` must be an integer from 1 to 1,000"),
        (lambda: metrics.ParzenLogLikelihood(sigma=0), "`sigma` must be a finite number above 0, or None"),
        (lambda: metrics.Memorization(held_out=POINTS[0], pairs=-1), "`pairs` must be an integer of at least 0"),
    ],
)
def test_settings_of_one_metric(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_numpy_integers_are_integers():
    expected = metrics.precision(*POINTS, k=2, chunk_size=7)
    assert metrics.precision(*POINTS, k=np.int64(2), chunk_size=np.int32(7)) == expected


def test_seeds_of_both_generators():
    assert numbers_of(5).integers(10**9) == np.random.default_rng(5).integers(10**9)
    assert legacy_numbers_of(5).randint(10**9) == np.random.RandomState(5).randint(10**9)
    assert legacy_numbers_of(2**40).randint(10**9) != legacy_numbers_of(2**40 + 2**32).randint(10**9)


@pytest.mark.parametrize("metric", [metrics.frechet_distance, metrics.kernel_distance, metrics.sliced_wasserstein])
def test_features_that_cannot_be_squared_are_refused(metric):
    with pytest.raises(ValueError, match=r"The real features hold values up to \d.*e\+200, whose squares overflow"):
        metric(POINTS[0] * 1e200, POINTS[1])
    with pytest.raises(ValueError, match="The fake features hold values up to"):
        metric(POINTS[0], POINTS[1] * 1e200)
