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


def test_a_score_is_formatted_as_a_number():
    assert f"{score(value=1.23456):.3f}" == "1.235"
    assert f"{score(value=1234.5):,.1f}" == "1,234.5"
    assert f"{score(value=1.0)}" == str(score(value=1.0))
    assert round(score(value=1.26), 1) == 1.3


@pytest.mark.parametrize("number", [2, 2.0, np.float32(2), np.int64(2), np.array(2.0)])
def test_a_score_compares_with_numbers(number):
    assert score(value=1.0) < number < score(value=3.0)
    assert score(value=2.0) <= number <= score(value=2.0)
    assert number > score(value=1.0) and number >= score(value=2.0)
    assert not score(value=np.nan) < number
    assert score(value=2.0) == number and score(value=3.0) != number


def test_a_score_compares_with_nothing_else():
    for other in ("2", None, [1.0, 2.0], 2j):
        with pytest.raises(TypeError, match="not supported between instances of 'Score'"):
            _ = score() < other
        assert score() != other
    with pytest.raises(TypeError, match="Only scores have a protocol. Received: 3.0"):
        score().difference(3.0)


def test_numpy_takes_the_values():
    """Of any protocols: whoever asks NumPy asks for bare values."""
    scores = [score(value=1.0), score(value=3.0, num_fake=7)]
    assert np.mean(scores) == 2.0 and np.std(scores) == 1.0 and type(np.mean(scores)) is np.float64
    assert np.asarray(scores).dtype == "float64"
    np.testing.assert_array_equal(np.array([0.0, 2.0]) < score(value=1.0), [True, False])
    np.testing.assert_array_equal(score(value=1.0) > np.array([0.0, 2.0]), [True, False])
    np.testing.assert_array_equal(np.array([1.0, 2.0]) - score(value=1.0), [0.0, 1.0])


def test_arithmetic():
    one, two = score(value=1.0), score(value=2.0)
    assert (two - one, two + one, two - 0.5, 5 - two, 3 * two, two * 3, two / 4, 4 / two) == (
        *(1.0, 3.0, 1.5, 3.0, 6.0, 6.0, 0.5, 2.0),
    )
    assert sum([one, two]) / 2 == 1.5
    with pytest.raises(ValueError, match="differ in num_fake"):
        _ = two - score(num_fake=7)


def test_scores_are_sorted():
    scores = [score(value=value) for value in (3.0, 1.0, 2.0)]
    assert [s.value for s in sorted(scores)] == [1.0, 2.0, 3.0]
    assert min(scores).value == 1.0 and max(scores).value == 3.0
    with pytest.raises(ValueError, match="differ in num_fake"):
        sorted([score(), score(num_fake=7)])


def test_equal_scores_are_equal_in_all():
    assert score() == score() and score() != score(value=2.0)
    assert score() != score(num_fake=7)  # Equality refuses nothing.
    assert score() != score(interval=None)
    with pytest.raises(TypeError, match="unhashable"):
        hash(score())


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
