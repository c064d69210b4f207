import json

import numpy as np
import pytest
import scipy.stats

import ganzoo
from ganzoo.metrics import Score, SlicedWasserstein, intervals


def score(**changes):
    facts = {"name": "frechet_distance", "value": 12.3456, "interval": (11.0, 13.5), "num_real": 10_000}
    return Score(**{**facts, "num_fake": 5000, "features": "DigitsClassifier", "settings": {"k": 3}, **changes})


def test_prints_in_one_line():
    assert str(score()) == (
        "frechet_distance 12.35 [11, 13.5] (95%); 10,000 real vs 5,000 fake, features DigitsClassifier, float64, k 3"
    )
    assert "resized by bicubic" in str(score(resize="bicubic"))


def test_json_round_trip():
    original = score(details={"modes": [1, 2]})
    assert Score.from_json(original.to_json()) == original
    assert json.loads(original.to_json())["num_real"] == 10_000


def test_compares():
    assert score(value=1.0) < score(value=2.0) <= score(value=2.0, interval=None)
    assert score(value=3.0).difference(score(value=2.0)) == 1.0
    assert float(score(value=3.0)) == 3.0


@pytest.mark.parametrize(
    "change",
    [
        {"num_fake": 4999},
        {"features": "InceptionV3"},
        {"resize": "bicubic"},
        {"settings": {"k": 5}},
        {"name": "kernel_distance"},
        {"dtype": "float32"},
    ],
)
def test_other_protocols_are_refused(change):
    with pytest.raises(ValueError, match=f"differ in {next(iter(change))}"):
        _ = score() < score(**change)


def test_numbers_are_refused():
    with pytest.raises(TypeError, match="float"):
        _ = score() < 3.0


def test_bootstrap_of_a_mean():
    """The interval of a mean of N(0, 1) has a half-width of 1.96 / sqrt(n)."""
    samples = np.random.default_rng(0).normal(size=2500)
    low, high = intervals.from_influence(samples.mean(), [samples], resamples=4000)
    assert (high - low) / 2 == pytest.approx(1.96 * samples.std() / 50, rel=0.05)
    assert (high + low) / 2 == pytest.approx(samples.mean(), abs=0.003)


def test_bias_moves_the_interval_to_the_other_side():
    samples = np.random.default_rng(0).normal(size=2500)
    plain = intervals.from_influence(1.0, [samples])
    moved = intervals.from_influence(1.0, [samples], bias=0.5)
    np.testing.assert_allclose(np.subtract(plain, moved), [0.5, 0.5], rtol=1e-12)
    assert intervals.from_influence(1.0, [samples], bias=5.0, bounds=(0.0, 1.0)) == (0.0, 0.0)


def test_uint8_images_are_compared_with_floats_on_one_scale():
    images = np.random.default_rng(0).integers(0, 256, (50, 4, 4, 1), "uint8")
    metric = SlicedWasserstein()
    metric.update_state(real=images, fake=ganzoo.data.normalize(images))
    assert metric.result().value == 0


def test_uint8_images_without_a_channel_axis():
    images = np.random.default_rng(0).integers(0, 256, (50, 4, 4), "uint8")
    metric = SlicedWasserstein()
    metric.update_state(real=images, fake=ganzoo.data.normalize(images[..., None]))
    assert metric.result().value == 0


@pytest.mark.parametrize(("share", "count"), [(0.999, 200), (0.99, 100), (0.95, 30), (0.02, 100), (0.9957, 1000)])
def test_interval_of_a_share_covers_it(share, count):
    """On average over the repetitions, exactly: each number of hits with its probability."""
    hits = np.arange(count + 1)
    intervals_of = [intervals.of_share(np.arange(count) < k) for k in hits]
    covered = np.array([low <= share <= high for low, high in intervals_of])
    assert 0.90 <= scipy.stats.binom.pmf(hits, count, share) @ covered <= 0.99


def test_a_share_of_all_is_not_certain():
    assert intervals.of_share(np.ones(20)) == pytest.approx((20 / (20 + 1.959964**2), 1.0), rel=1e-6)


@pytest.mark.parametrize("metric", [ganzoo.metrics.frechet_distance, ganzoo.metrics.precision, ganzoo.metrics.coverage])
@pytest.mark.parametrize("setting", [{"level": 95}, {"level": 0}, {"chunk_size": 0}, {"chunk_size": -1}])
def test_functions_refuse_what_their_classes_refuse(metric, setting):
    points = np.random.default_rng(0).normal(size=(2, 100, 3))
    (name,) = setting
    with pytest.raises(ValueError, match=f"`{name}` must"):
        metric(*points, **setting)


@pytest.mark.parametrize("count", [3, 5, 10, 1000])
def test_interval_of_a_mean_of_few_samples(count):
    """Without Student's quantile it would hold the mean of 3 samples in 72 % of the cases."""
    samples = np.random.default_rng(count).normal(size=(400, count))
    found = [intervals.from_influence(x.mean(), [x], seed=i) for i, x in enumerate(samples)]
    assert 0.90 <= np.mean([low <= 0 <= high for low, high in found]) <= 0.99


def test_what_a_perfect_sampler_has_is_printed():
    assert "modes 7 (perfect: 8); " in str(Score("modes", 7, details={"perfect": 8.0}))


def test_values_that_are_not_finite_are_valid_json():
    score = Score("psnr", np.inf, details={"kl": np.nan})
    text = score.to_json()
    assert json.loads(text, parse_constant=pytest.fail)["value"] == "Infinity"
    assert Score.from_json(text).value == np.inf and np.isnan(Score.from_json(text).details["kl"])
