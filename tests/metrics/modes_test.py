import math

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo.metrics import intervals
from ganzoo.metrics.modes import (
    ModeCoverage,
    StackedMNISTCoverage,
    describe,
    expected_divergence,
    expected_modes,
    mode_coverage,
    stacked_mnist_coverage,
)

MIXTURES = {"ring": (ganzoo.data.ring_centers(), 0.01), "grid": (ganzoo.data.grid_centers(), 0.05)}


@pytest.fixture
def no_intervals(monkeypatch):
    """Saves the bootstrap where only values are looked at."""
    monkeypatch.setattr(intervals, "from_influence", lambda *args, **settings: (0.0, 1.0))


def mixture(seed, centers, std, count, shares=None):
    rng = np.random.default_rng(seed)
    return centers[rng.choice(len(centers), count, p=shares)] + std * rng.normal(size=(count, 2))


def triples(seed, count, shares=None):
    return np.array(np.unravel_index(np.random.default_rng(seed).choice(1000, count, p=shares), (10, 10, 10))).T


def test_by_hand():
    """Two modes with one good sample each, one with two, one missed; 3 std count, a little more does not."""
    centers = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
    fake = np.array([[0.0, 3.0], [10.0, 0.1], [10.1, 0.0], [-3.0, 10.0], [13.001, 10.0], [5.0, 0.0]])
    found = mode_coverage(fake, centers, 1.0).details
    assert found["counts"] == [1, 2, 1, 0]
    assert (found["modes"], found["of"]) == (3, 4)
    assert found["high_quality"] == pytest.approx(4 / 6, rel=1e-12)
    assert found["kl"] == pytest.approx(2 * 0.25 * math.log(0.25 * 4) + 0.5 * math.log(0.5 * 4), rel=1e-12)
    assert found["kl_of_even_modes"] == pytest.approx(math.log(4 / 3), rel=1e-12)


@pytest.mark.parametrize("name, floor", [("ring", 0.0014), ("grid", 0.0048)])
def test_perfect_sampler_of_a_mixture(name, floor, no_intervals):
    """By simulation: 98.889 % of high quality, the divergences of 2,500 samples, and all modes."""
    centers, std = MIXTURES[name]
    scores = [mode_coverage(mixture(seed, centers, std, 2500), centers, std) for seed in range(100)]
    mean = {key: np.mean([score.details[key] for score in scores]) for key in ("modes", "high_quality", "kl")}
    assert mean["high_quality"] == pytest.approx(0.98889, abs=0.0007)
    assert mean["kl"] == pytest.approx(floor, rel=0.12)
    assert mean["modes"] == len(centers)
    details = scores[0].details
    assert details["high_quality_ceiling"] == pytest.approx(1 - math.exp(-4.5), rel=1e-12)
    assert details["kl_floor"] == pytest.approx(floor, rel=0.03)
    assert details["modes_ceiling"] == pytest.approx(len(centers), abs=1e-6)


def test_perfect_sampler_of_stacked_mnist(no_intervals):
    """By simulation: 0.0192 with 26,000 samples."""
    scores = [stacked_mnist_coverage(triples(seed, 26_000), "kl") for seed in range(30)]
    assert np.mean([score.value for score in scores]) == pytest.approx(0.0192, abs=0.0006)
    assert scores[0].details["kl_floor"] == pytest.approx(0.0192, abs=0.0002)
    assert scores[0].details["modes_ceiling"] == pytest.approx(1000.0, abs=1e-6)
    assert "high_quality" not in scores[0].details


@pytest.mark.parametrize("samples, modes", [(26_000, 1000.00), (10_000, 999.95), (2500, 918.0)])
def test_expected_modes(samples, modes):
    assert expected_modes(1000, samples) == pytest.approx(modes, abs=0.005 if samples > 2500 else 0.5)


def test_expected_divergence():
    """Of one sample all but one mode is missed: log K. Of two, by the two cases. Of many, (K - 1) / 2N."""
    assert expected_divergence(8, 1) == pytest.approx(math.log(8), rel=1e-12)
    assert expected_divergence(8, 2) == pytest.approx(math.log(8) / 8 + math.log(4) * 7 / 8, rel=1e-12)
    assert expected_divergence(1, 50) == pytest.approx(0.0, abs=1e-12)
    for samples, floor in ((26_000, 0.0192), (25_600, 0.0195), (50_000, 0.010)):
        assert expected_divergence(1000, samples) == pytest.approx(floor, abs=0.0002)


@pytest.mark.parametrize("captured, divergence", [(99, 2.31), (150, 1.90), (940, 0.062)])
def test_divergence_of_few_even_modes(captured, divergence):
    """ln(1000 / M) where M of 1,000 modes are met, each equally often."""
    modes = np.repeat(np.arange(captured), 3)
    score = stacked_mnist_coverage(np.array(np.unravel_index(modes, (10, 10, 10))).T, "kl")
    assert score.value == pytest.approx(math.log(1000 / captured), rel=1e-9)
    assert score.value == pytest.approx(divergence, abs=0.005)
    assert score.value == pytest.approx(score.details["kl_of_even_modes"], rel=1e-9)
    assert score.details["modes"] == captured


def test_collapse():
    """One mode: log K, exactly. No good sample: no divergence, but no failure either."""
    centers, std = MIXTURES["ring"]
    one = mode_coverage(mixture(0, centers[:1], std, 500), centers, std, "kl")
    assert one.value == pytest.approx(math.log(8), rel=1e-12)
    assert one.details["modes"] == 1
    none = mode_coverage(np.zeros((500, 2)), centers, std, "kl")
    assert math.isnan(none.value) and none.interval is None
    assert (none.details["modes"], none.details["high_quality"], none.details["kl"]) == (0, 0.0, None)
    assert "0 of 8 modes" in describe(none) and "undefined" in describe(none)


def test_reports():
    centers, std = MIXTURES["ring"]
    fake = mixture(0, centers, std, 500)
    scores = {report: mode_coverage(fake, centers, std, report) for report in ("modes", "high_quality", "kl")}
    assert {score.name for score in scores.values()} == {"captured_modes", "high_quality_share", "mode_divergence"}
    for report, score in scores.items():
        assert score.value == score.details[report]
        assert score.details == scores["modes"].details | {"perfect": score.details["perfect"]}
    assert scores["modes"].interval is None
    assert list(scores["kl"].interval) == scores["kl"].details["kl_interval"]
    assert [score.lower_is_better for score in scores.values()] == [False, None, True]
    assert str(scores["modes"]) == "captured_modes 8 (perfect: 8); 500 fake, features given, float64, modes 8, std 0.01"


def test_describe():
    centers, std = MIXTURES["ring"]
    text = describe(mode_coverage(mixture(0, centers, std, 2500), centers, std))
    for words in ("8 of 8 modes (perfect sampler: 8.00)", "(perfect sampler: 98.889%;", "(perfect sampler: 0.0014;"):
        assert words in text
    assert text.endswith("2,500 samples")
    text = describe(stacked_mnist_coverage(triples(0, 26_000)))
    assert text.startswith("1,000 of 1,000 modes (perfect sampler: 1,000.00); KL to uniform 0.0")
    assert "perfect sampler: 0.0193; as many even modes: 0.0000" in text


def test_chunks_and_order_change_nothing():
    centers, std = MIXTURES["grid"]
    fake = mixture(0, centers, 2 * std, 999)
    whole = mode_coverage(fake, centers, std, chunk_size=10_000)
    for size in (1, 7, 999):
        assert mode_coverage(fake, centers, std, chunk_size=size) == whole
    turned = mode_coverage(fake[::-1], centers, std).details
    for key in ("modes", "high_quality", "kl"):
        assert turned[key] == pytest.approx(whole.details[key], rel=1e-9)
    digits = triples(0, 500)
    turned = stacked_mnist_coverage(digits[::-1], "kl").value
    assert turned == pytest.approx(stacked_mnist_coverage(digits, "kl").value, rel=1e-9)


def test_intervals_cover_the_values_of_the_distribution():
    """In 200 repetitions of 400 samples both 95 % intervals hold the true value 90 to 99 % of the time."""
    centers, std = MIXTURES["ring"]
    shares = np.array([0.3, 0.2, 0.15, 0.15, 0.1, 0.05, 0.05, 0.0])
    wide = 0.015
    quality = 1 - math.exp(-0.5 * (3 * std / wide) ** 2)
    divergence = np.sum(shares[:-1] * np.log(shares[:-1] * 8))
    covered = np.zeros(2)
    for repetition in range(200):
        fake = mixture(repetition, centers, wide, 400, shares)
        found = mode_coverage(fake, centers, std, seed=repetition).details
        for index, (key, truth) in enumerate((("high_quality", quality), ("kl", divergence))):
            low, high = found[f"{key}_interval"]
            covered[index] += low <= truth <= high
    assert np.all((covered >= 180) & (covered <= 198)), covered


def test_interval_of_a_perfect_sampler():
    """The divergence of 26,000 samples is all bias: the interval reaches down to 0 or nearly so."""
    scores = [stacked_mnist_coverage(triples(i, 26_000), "kl", seed=i) for i in range(5)]
    assert max(score.interval[0] for score in scores) < 0.001
    # Of counts that chance makes uneven it has the standard deviation sqrt(2 * 999) / (2 * 26,000) = 0.00086.
    assert all(0.0005 < score.interval[1] < 0.005 for score in scores)


@pytest.mark.parametrize(
    "fake, settings, words",
    [
        (np.zeros((0, 2)), {}, "one sample at least"),
        (np.zeros((5, 3)), {}, "equal dimensions"),
        (np.zeros((5, 2)), {"std": 0.0}, "`std` must be a finite number above 0"),
        (np.zeros((5, 2)), {"report": "all"}, "one of 'modes', 'high_quality', 'kl'. Received: report='all'"),
        (np.full((5, 2), np.nan), {}, "5 of 5 fake samples"),
    ],
)
def test_refusals(fake, settings, words):
    with pytest.raises(ValueError, match=words):
        mode_coverage(fake, ganzoo.data.ring_centers(), **{"std": 0.01, **settings})


@pytest.mark.parametrize(
    "digits, report, words",
    [
        (np.zeros((5, 2), int), "modes", r"\(samples, 3\)"),
        (np.zeros((0, 3), int), "modes", r"\(samples, 3\)"),
        (np.full((5, 3), 10), "modes", "from 0 to 9. Received: labels from 10 to 10"),
        (np.zeros((5, 3)), "modes", "integer labels"),
        (np.zeros((5, 3), int), "high_quality", "one of 'modes', 'kl'"),
    ],
)
def test_refusals_of_digits(digits, report, words):
    with pytest.raises(ValueError, match=words):
        stacked_mnist_coverage(digits, report)


def test_streams():
    fake = mixture(0, *MIXTURES["grid"], 300)
    metric = ModeCoverage.grid(report="kl")
    metric.update_state(fake=fake[:100])
    metric.update_state(fake=fake[100:])
    assert metric.result() == mode_coverage(fake, *MIXTURES["grid"], "kl")
    assert ModeCoverage.ring(modes=10, radius=3.0, std=0.05).centers.shape == (10, 2)
    with pytest.raises(ValueError, match="takes no real samples"):
        metric.update_state(real=fake)


def test_stacked_digits_are_read_channel_by_channel():
    """With a classifier that reads the brightness: pixels of 25 k are the digit k."""
    reader = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.GlobalAveragePooling2D()])
    steps = 2 * 25.0 * np.arange(10) / 255 - 1
    inputs = keras.Input((28, 28, 1))
    scores = -keras.ops.square(reader(inputs) - steps.astype("float32"))
    model = keras.Model(inputs, scores, name="brightness")
    digits = triples(0, 300)
    images = np.broadcast_to((25 * digits)[:, None, None, :], (300, 28, 28, 3)).astype("uint8")
    metric = StackedMNISTCoverage(model, "kl")
    metric.update_state(fake=images[:100])
    metric.update_state(fake=images[100:])
    score = metric.result()
    assert score.features == "brightness"
    assert score.value == stacked_mnist_coverage(digits, "kl").value
    assert score.details["counts"] == stacked_mnist_coverage(digits, "kl").details["counts"]
    with pytest.raises(ValueError, match="3 channels"):
        metric.update_state(fake=images[..., :1])


@pytest.mark.parametrize("samples", [2500, 26_000])
def test_interval_of_the_divergence_allows_for_its_bias(samples):
    """Also with two or three samples for a mode, where (modes - 1) / 2N is too little."""
    weights = np.random.default_rng(0).dirichlet(np.full(1000, 2.0))
    truth = float(np.sum(weights * np.log(weights * 1000)))
    covered, middles = 0, []
    for seed in range(60):
        counts = np.random.default_rng(seed).multinomial(samples, weights)
        modes = np.repeat(np.arange(1000), counts)
        low, high = stacked_mnist_coverage(np.array(np.unravel_index(modes, (10, 10, 10))).T, "kl", seed=seed).interval
        covered += low <= truth <= high
        middles.append((low + high) / 2)
    assert np.mean(middles) == pytest.approx(truth, abs=0.012)
    assert covered >= (36 if samples == 2500 else 52)


def test_a_single_mode_leaves_room_for_the_others():
    """As if 7.1 % of 50 samples were even over the seven other modes: log 8 - H(0.071) - 0.071 log 7."""
    score = mode_coverage(np.zeros((50, 2)) + [1.0, 0.0], ganzoo.data.ring_centers(8), 0.01, report="kl")
    rest = 1.959964**2 / (50 + 1.959964**2)
    entropy = -rest * np.log(rest) - (1 - rest) * np.log(1 - rest)
    assert score.value == pytest.approx(np.log(8))
    assert score.interval == pytest.approx((np.log(8) - entropy - rest * np.log(7), np.log(8)), rel=1e-6)


def test_perfect_values_are_printed():
    points = ganzoo.data.ring_centers(8)
    assert "captured_modes 8 (perfect: " in str(mode_coverage(np.repeat(points, 50, axis=0), points, 0.01))
