"""Memorization: against loops over pairs, its expectation and its interval."""

import json

import numpy as np
import pytest

import ganzoo
from ganzoo.metrics import Memorization, intervals, memorization
from ganzoo.metrics.distances import nearest
from ganzoo.metrics.memorization import influences_on_share, inverse_dimension


def normal(seed, count, dimensions=3, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).normal(size=(count, dimensions)) * scale + shift


def distance(x, y):
    return np.sqrt(sum((a - b) ** 2 for a, b in zip(x, y)))


def naive_memorization(real, fake, held_out):
    from_held_out = 0
    for y in fake:
        a, b = min(distance(x, y) for x in real), min(distance(x, y) for x in held_out)
        from_held_out += (a > b) + 0.5 * (a == b)
    return 1 - from_held_out / (2 * len(fake) * len(held_out) / (len(held_out) + len(real)))


def test_memorization_by_loops_over_pairs():
    real, fake, held_out = normal(0, 40), normal(1, 50), normal(2, 20)
    expected = naive_memorization(real, fake, held_out)
    for size in (4096, 9, 1):
        score = memorization(real, fake[::-1], held_out[::-1], chunk_size=size)
        assert score.value == pytest.approx(expected, rel=1e-12)
    assert (score.num_real, score.num_fake, score.settings) == (40, 50, {"held_out": 20})


def test_memorization_on_a_line():
    """By hand: 0.1 is nearer to 0 and 5.2 to 5; 9 is nearer to 10 of the held-out; 2.5 is as far from 5 as from 0."""
    real, held_out = np.array([[0.0], [5.0]]), np.array([[-4.0], [10.0]])
    score = memorization(real, np.array([[0.1], [5.2], [9.0], [7.5]]), held_out, pairs=3)
    assert score.value == (1 + 1 + 0 + 0.5) / 4
    pairs = score.details["pairs"]
    assert pairs["fake"] == [0, 1, 3] and pairs["real"] == [0, 1, 1]
    assert pairs["distance"] == pytest.approx([0.1, 0.2, 2.5])
    assert pairs["held_out_distance"] == pytest.approx([4.1, 4.8, 2.5])
    assert json.loads(score.to_json())["details"]["pairs"]["fake"] == [0, 1, 3]


@pytest.mark.parametrize("num_real, num_held_out", [(60, 60), (120, 30), (30, 120)])
@pytest.mark.parametrize("copied", [0.0, 0.3])
def test_expected_memorization_for_any_numbers_of_samples(num_real, num_held_out, copied, monkeypatch):
    """(1 + c) / 2 for a generator that copies a share c of its samples."""
    monkeypatch.setattr(intervals, "from_influence", lambda *args, **settings: None)  # Takes most of the time.
    values = []
    for i in range(300):
        rng = np.random.default_rng(i)
        real, held_out, fake = (
            rng.normal(size=(num_real, 4)),
            rng.normal(size=(num_held_out, 4)),
            rng.normal(size=(40, 4)),
        )
        count = round(40 * copied)
        fake[:count] = real[rng.integers(num_real, size=count)]
        values.append(memorization(real, fake, held_out).value)
    assert np.mean(values) == pytest.approx((1 + copied) / 2, abs=4 * np.std(values) / np.sqrt(300))
    assert np.std(values) / np.sqrt(300) < 0.01


@pytest.mark.parametrize("num_real, num_held_out, copied", [(150, 150, 0.0), (240, 80, 0.3)])
def test_interval_covers_memorization(num_real, num_held_out, copied):
    """In 200 repetitions the 95 % interval holds (1 + c) / 2 in 90 to 99 %."""
    covered = 0
    for i in range(200):
        rng = np.random.default_rng(i)
        real, held_out, fake = (rng.normal(size=(count, 5)) for count in (num_real, num_held_out, 120))
        count = round(120 * copied)
        fake[:count] = real[rng.integers(num_real, size=count)] + 1e-3
        low, high = memorization(real, fake, held_out, seed=i).interval
        covered += low <= (1 + copied) / 2 <= high
    assert 180 <= covered <= 198


def test_influence_on_memorization_is_the_derivative():
    """Against the change of the share when one sample's weight grows a little, by finite differences."""
    rng = np.random.default_rng(0)
    shares = rng.uniform(size=30) / 15
    attracted, others = shares[:20], shares[20:] * (1 - shares[:20].sum()) / shares[20:].sum()

    def share(real_weights, held_out_weights):
        to_real, to_held_out = 20 * real_weights @ attracted, 10 * held_out_weights @ others
        return 1 - to_held_out / (to_held_out + to_real) / (2 * 0.4)

    found = influences_on_share(attracted, others, 0.4)
    for kind, index in ((0, 3), (0, 15), (1, 0), (1, 7)):
        changed = []
        for step in (1e-6, -1e-6):
            weights = [np.full(20, 1 / 20), np.full(10, 1 / 10)]
            weights[kind] *= 1 - step
            weights[kind][index] += step
            changed.append(share(*weights))
        derivative = (changed[0] - changed[1]) / 2e-6
        assert found[kind][index] - found[kind].mean() == pytest.approx(derivative, rel=1e-5)


def test_distance_ratio_is_fair_to_sets_of_different_sizes():
    """Uniform on the square: the nearest of 2,000 is sqrt(5) times nearer than that of 400."""
    real, fake, held_out = (np.random.default_rng(i).uniform(size=(n, 2)) for i, n in enumerate((2000, 1000, 400)))
    ratio = memorization(real, fake, held_out).details["distance_ratio"]
    assert ratio == pytest.approx(1.0, abs=0.1)
    assert ratio == pytest.approx(1 / memorization(held_out, fake, real).details["distance_ratio"], abs=0.15)
    plain = np.median(np.sqrt(nearest(fake, real, 1, 999)[0]) / np.sqrt(nearest(fake, held_out, 1, 999)[0]))
    assert plain == pytest.approx(5**-0.5, rel=0.1)


@pytest.mark.parametrize("dimensions", [1, 2, 5])
def test_intrinsic_dimension(dimensions):
    """Of a uniform distribution on a cube, put in ten dimensions."""
    points = np.random.default_rng(0).uniform(size=(4000, dimensions)) @ np.eye(dimensions, 10)
    queries = np.random.default_rng(1).uniform(0.2, 0.8, size=(2000, dimensions)) @ np.eye(dimensions, 10)
    assert inverse_dimension(nearest(queries, points, 2, 999)[0]) == pytest.approx(1 / dimensions, rel=0.08)


def test_a_copied_training_set():
    real, held_out = normal(0, 300, 10), normal(1, 100, 10)
    order = np.random.default_rng(2).permutation(300)[:200]
    score = memorization(real, real[order], held_out, pairs=200)
    assert (score.value, score.details["distance_ratio"]) == (1.0, 0.0)
    room = 1.959964**2 / (200 + 1.959964**2) / (2 * 0.25)  # Wilson's limit of 0 in 200; a fourth is held out.
    assert score.interval == pytest.approx((1 - room, 1.0), rel=1e-6)
    pairs = score.details["pairs"]
    assert pairs["real"] == order[pairs["fake"]].tolist() and set(pairs["distance"]) == {0.0}


def test_copied_digits_are_found_among_others():
    """Training digits with noise, in 100 of 400 generated ones."""
    images = ganzoo.data.load("mnist_10k", shuffle=False).source.images.numpy()
    images = images[np.random.default_rng(0).permutation(len(images))[:2400]]
    real, held_out, fake = images[:1500], images[1500:2000], images[2000:].copy()
    noise = np.random.default_rng(1).integers(-20, 21, size=(100, 28, 28, 1))
    fake[:100] = np.clip(real[:100].astype("int64") + noise, 0, 255)
    metric = Memorization(held_out=held_out, pairs=100)
    metric.update_state(real=real, fake=images[2000:])
    clean = metric.result()
    assert clean.interval[0] < 0.5 < clean.interval[1]
    metric.reset_state()
    metric.update_state(real=real, fake=fake)
    score = metric.result()
    assert score.interval[0] > 0.5 and score.value == pytest.approx(0.625, abs=0.06)
    pairs = score.details["pairs"]
    assert pairs["real"] == pairs["fake"] and sorted(pairs["fake"]) == list(range(100))


def test_held_out_images_come_in_the_scale_of_the_others():
    """Evaluate hands on images in [-1, 1]; the held-out ones may be uint8."""
    images = np.random.default_rng(0).integers(0, 256, size=(90, 4, 4, 1), dtype="uint8")
    scaled = ganzoo.data.normalize(images).reshape(90, -1)
    real, fake, held_out = slice(0, 40), slice(40, 60), slice(60, 90)
    expected = memorization(scaled[real], scaled[fake], scaled[held_out])
    assert Memorization(held_out=images[held_out]).score(scaled[real], scaled[fake]) == expected
    assert Memorization(held_out=scaled[held_out]).score(scaled[real], scaled[fake]) == expected
    metric = Memorization(held_out=images[held_out])
    metric.update_state(images[real], images[fake])
    assert metric.result().value == pytest.approx(expected.value)


@pytest.mark.parametrize(
    "shapes, settings, words",
    [
        (((9, 2), (9, 2), (9, 3)), {}, r"`held_out` must be `\(samples, 2\)` .* \(9, 3\)"),
        (((9, 2), (9, 2), (9,)), {}, r"`held_out` must be .* \(9,\)"),
        (((9, 2), (9, 2), (1, 2)), {}, "at least 2 samples of each kind. Received: 1 held-out"),
        (((1, 2), (9, 2), (9, 2)), {}, "Received: 1 real"),
        (((9, 2), (9, 2), (9, 2)), {"pairs": -1}, "`pairs` must be"),
    ],
)
def test_refusals_of_memorization(shapes, settings, words):
    with pytest.raises(ValueError, match=words):
        memorization(*map(np.zeros, shapes), **settings)


def test_memorization_without_a_doubt_leaves_room_for_chance():
    real, held_out = normal(0, 40), normal(1, 40) + 100
    copied, held = (memorization(real, fake + 1e-3, held_out) for fake in (real, held_out))
    room = 1.959964**2 / (40 + 1.959964**2)  # Wilson's upper limit of 0 in 40.
    assert (copied.value, held.value) == (1.0, 0.0)
    assert copied.interval == pytest.approx((1 - room, 1.0), rel=1e-6)
    assert held.interval == pytest.approx((0.0, room), rel=1e-6)


def test_samples_that_cannot_be_squared():
    """1e200 times the samples: the same share, and distances that are 1e200 times as large."""
    real, fake, held_out = normal(0, 40), normal(1, 30), normal(2, 20)
    expected, score = memorization(real, fake, held_out), memorization(*(1e200 * x for x in (real, fake, held_out)))
    assert (score.value, score.interval) == (expected.value, expected.interval)
    distances = np.array(score.details["pairs"]["distance"])
    np.testing.assert_allclose(distances / 1e200, expected.details["pairs"]["distance"], rtol=1e-12)
