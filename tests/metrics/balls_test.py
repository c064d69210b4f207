"""Precision, recall, density and coverage: alone and together, against loops over pairs, and their intervals."""

import numpy as np
import pytest

from ganzoo.metrics import Coverage, Density, Precision, Recall, balls, coverage, density, precision, recall
from ganzoo.metrics.balls import Balls, Neighbourhoods, Question, count_in_balls, interval_of_groups

OF_BALLS = {"precision": precision, "recall": recall, "density": density, "coverage": coverage}


def normal(seed, count, dimensions=3, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).normal(size=(count, dimensions)) * scale + shift


def on_circle(seed, count):
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, count)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def distance(x, y):
    return np.sqrt(sum((a - b) ** 2 for a, b in zip(x, y)))


def naive(real, fake, k):
    """All four metrics by loops over pairs."""

    def radii(centres):
        return [sorted(distance(x, y) for j, y in enumerate(centres) if j != i)[k - 1] for i, x in enumerate(centres)]

    real_radii, fake_radii = radii(real), radii(fake)
    return {
        "precision": np.mean([any(distance(x, y) <= r for x, r in zip(real, real_radii)) for y in fake]),
        "recall": np.mean([any(distance(x, y) <= r for y, r in zip(fake, fake_radii)) for x in real]),
        "density": np.mean([sum(distance(x, y) < r for x, r in zip(real, real_radii)) for y in fake]) / k,
        "coverage": np.mean([any(distance(x, y) < r for y in fake) for x, r in zip(real, real_radii)]),
    }


@pytest.mark.parametrize("name", OF_BALLS)
@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("dimensions", [1, 2, 20])
def test_loops_over_pairs(name, k, dimensions):
    real, fake = normal(0, 30, dimensions), normal(1, 20, dimensions, 0.9, 0.3)
    expected = naive(real, fake, k)[name]
    assert 0 < expected < 3
    for size in (4096, 7):
        assert OF_BALLS[name](real, fake, k, chunk_size=size).value == pytest.approx(expected, rel=1e-12)


def test_points_on_a_line():
    """By hand: the radii of 0, 1, 3, 7 are 1, 1, 2, 4; those of -1, 2, 11, 11.5 are 3, 3, 0.5, 0.5.

    -1 lies on the surface of the ball of 0 and 11 on that of 7: inside for precision, outside for density and coverage.
    """
    real, fake = np.array([[0.0], [1], [3], [7]]), np.array([[-1.0], [2], [11], [11.5]])
    assert precision(real, fake, k=1).value == 3 / 4
    assert recall(real, fake, k=1).value == 3 / 4
    assert density(real, fake, k=1).value == 1 / 4
    assert coverage(real, fake, k=1).value == 1 / 4


def test_sets_far_from_each_other():
    real, fake = normal(0, 50), normal(1, 40, shift=100.0)
    assert [metric(real, fake).value for metric in OF_BALLS.values()] == [0, 0, 0, 0]


def test_one_good_sample_has_precision_but_no_recall():
    real = normal(0, 100)
    fake = np.repeat(real[:1], 50, axis=0)
    assert precision(real, fake).value == 1.0
    assert recall(real, fake).value == 1 / 100  # The balls have no extent: only the copied sample lies in them.
    assert coverage(real, fake).value < 0.2


@pytest.mark.parametrize("offset", [0.0, 1e5])
@pytest.mark.parametrize("chunk_size", [4096, 64, 7])
def test_copies_of_the_real_samples(offset, chunk_size):
    """Each ball holds its centre and k - 1 others, and ends at a sample: rounding must not decide, nor far from 0."""
    real = (normal(0, 200, 30) + offset).astype("float32")
    fake = np.random.default_rng(1).permutation(real)
    found = {name: metric(real, fake, chunk_size=chunk_size).value for name, metric in OF_BALLS.items()}
    assert found == {"precision": 1.0, "recall": 1.0, "density": 1.0, "coverage": 1.0}


def test_equal_samples_everywhere():
    """All-zero images of both kinds: balls of radius 0, which are empty if they are open."""
    zeros = np.zeros((20, 5))
    assert precision(zeros, zeros[:10]).value == recall(zeros, zeros[:10]).value == 1.0
    for metric in (density, coverage):
        with pytest.warns(UserWarning, match="20 of 20 real samples"):
            assert metric(zeros, zeros[:10]).value == 0.0


@pytest.mark.parametrize("name", OF_BALLS)
def test_chunks_and_order_change_nothing(name):
    real, fake = normal(0, 90, 5), normal(1, 60, 5, 0.8)
    whole = OF_BALLS[name](real, fake).value
    for size in (1, 7, 60):
        assert OF_BALLS[name](real[::-1], fake[::-1], chunk_size=size).value == pytest.approx(whole, rel=1e-9)


def test_expected_density_of_the_real_distribution():
    """A generated sample is as likely in a ball as one of the N - 1 others: the expectation is 1 for any k and N."""
    for k in (1, 3, 5):
        values = [density(normal(2 * i, 25, 4), normal(2 * i + 1, 25, 4), k).value for i in range(400)]
        assert np.mean(values) == pytest.approx(1.0, abs=4 * np.std(values) / 20)
        assert np.std(values) / 20 < 0.02


def chance_of_cover(k, num_real, num_fake):
    """1 less the chance that the k nearest of the others, in random order, are all real."""
    order = np.arange(k)
    return 1 - np.prod((num_real - 1 - order) / (num_real - 1 + num_fake - order))


def test_expected_coverage_of_the_real_distribution():
    for k in (1, 3, 5):
        values = [coverage(normal(2 * i, 30, 4), normal(2 * i + 1, 20, 4), k).value for i in range(400)]
        assert np.mean(values) == pytest.approx(chance_of_cover(k, 30, 20), abs=4 * np.std(values) / 20)
    assert chance_of_cover(5, 10**6, 10**6) == pytest.approx(1 - 2**-5, abs=1e-5)


LARGE_SAMPLE = {"precision": 0.75, "recall": 0.75, "density": 1.0, "coverage": 0.5}


@pytest.mark.parametrize("name", OF_BALLS)
def test_interval_covers_the_large_sample_value(name):
    """Points of a circle, k = 1, where a sample lies in no ball with the chance 1/4: if the neighbour on its right is
    nearer to that one's next, and that on its left likewise. In 200 repetitions the 95 % interval holds the value of
    infinitely many samples 90 to 99 % of the time.
    """
    covered = 0
    for i in range(200):
        low, high = OF_BALLS[name](on_circle(2 * i, 300), on_circle(2 * i + 1, 300), k=1, seed=i).interval
        covered += low <= LARGE_SAMPLE[name] <= high
    assert 180 <= covered <= 198


@pytest.mark.parametrize("name", ["density", "coverage"])
def test_interval_covers_where_the_kinds_differ(name):
    """Normal distributions in 8 dimensions, one deviation apart; the expected value comes from 600 other samples."""

    def draw(i):
        return normal(2 * i, 160, 8), normal(2 * i + 1, 160, 8) + np.eye(8)[0]

    question = Question(name, 3)
    expected = np.mean([Neighbourhoods(*draw(200 + i), []).terms(question, 1024).mean() for i in range(600)])
    intervals = [OF_BALLS[name](*draw(i), k=3, seed=i).interval for i in range(200)]
    assert 180 <= sum(low <= expected <= high for low, high in intervals) <= 198


@pytest.mark.parametrize("name", ["density", "coverage"])
def test_copies_whose_balls_are_empty_are_told(name):
    real = np.concatenate([normal(0, 40), np.zeros((4, 3))])
    with pytest.warns(UserWarning, match=r"4 of 44 real samples stand there more than 3 times \(k\)"):
        assert OF_BALLS[name](real, np.zeros((1, 3)), k=3).value < 1
    OF_BALLS[name](real, np.zeros((1, 3)), k=4)


def test_no_interval_without_enough_samples():
    real, fake = normal(0, 79), normal(1, 80)
    assert precision(real, fake, k=3).interval is None
    low, high = precision(normal(0, 80), fake, k=3).interval
    assert 0 <= low < high <= 1


def test_interval_is_no_narrower_than_that_of_given_balls():
    """All groups agree, but a few of the samples lie outside."""
    real = np.linspace(0, 1, 300)[:, None]
    fake = np.concatenate([real[:285], np.full((15, 1), 9.0) + np.arange(15)[:, None]])
    terms = Neighbourhoods(real, fake, []).terms(Question("precision", 1), 100)
    assert terms.mean() == 0.95
    low, high = interval_of_groups(terms, np.ones((4, 4)), 0.95, (0.0, 1.0))
    half = 2.2281389 * np.sqrt(0.95 * 0.05 / 300)  # Student's t with 10 degrees of freedom.
    assert (low, high) == pytest.approx((0.95 - half, 0.95 + half), abs=1e-6)


@pytest.mark.parametrize(
    "name, real, fake, k, words",
    [
        ("precision", np.zeros((3, 2)), np.zeros((5, 2)), 3, "precision with k=3 needs at least 4 real samples. .* 3"),
        ("recall", np.zeros((9, 2)), np.zeros((3, 2)), 3, "recall with k=3 needs at least 4 fake samples. .* 3"),
        ("density", np.zeros((9, 2)), np.zeros((0, 2)), 5, "density with k=5 needs at least 1 fake samples. .* 0"),
        ("coverage", np.zeros((9, 2)), np.zeros((9, 2)), 0, "`k` must be an integer of at least 1. Received: k=0"),
        ("coverage", np.zeros((9, 2)), np.zeros((9, 3)), 5, r"equal dimensions. Received: 2 \(real\), 3 \(fake\)"),
    ],
)
def test_refusals(name, real, fake, k, words):
    with pytest.raises(ValueError, match=words):
        OF_BALLS[name](real, fake, k)


@pytest.mark.parametrize(
    "name, metric, k",
    [("precision", Precision, 3), ("recall", Recall, 3), ("density", Density, 5), ("coverage", Coverage, 5)],
)
def test_streams(name, metric, k):
    real, fake = normal(0, 100), normal(1, 110)
    streaming = metric()
    streaming.update_state(real=real[:30], fake=fake)
    streaming.update_state(real=real[30:])
    score = streaming.result()
    assert score == OF_BALLS[name](real, fake)
    assert (score.name, score.settings) == (name, {"k": k})
    streaming = metric(k=2, seed=1, level=0.5)
    streaming.update_state(real, fake)
    assert streaming.result() == OF_BALLS[name](real, fake, k=2, seed=1, level=0.5)
    with pytest.raises(ValueError, match="`k` must be"):
        metric(k=0)


# === Together ===


def together(real, fake, questions, **settings):
    """The scores of some metrics that share one `Neighbourhoods`."""
    metrics = {"precision": Precision, "recall": Recall, "density": Density, "coverage": Coverage}
    made = [metrics[name](k=k, **settings) for name, k in questions]
    shared = Neighbourhoods(real, fake, [metric.question for metric in made])
    return [metric.score(real, fake, neighbourhoods=shared) for metric in made]


QUESTIONS = [("precision", 3), ("recall", 3), ("density", 5), ("coverage", 5), ("precision", 1), ("coverage", 2)]


@pytest.mark.filterwarnings("ignore:.* stand there more than")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("chunk_size", [1024, 37])
def test_together_the_scores_are_the_same_bits(dtype, chunk_size):
    """Also for samples on a lattice, where many distances are equal, and far from 0, where rounding decides nothing."""
    lattice = np.random.default_rng(0).integers(0, 4, (2, 150, 3)) + 1e4
    for real, fake in ((normal(0, 130, 20), normal(1, 140, 20, 0.9)), lattice):
        real, fake = real.astype(dtype), fake.astype(dtype)
        found = together(real, fake, QUESTIONS, chunk_size=chunk_size, seed=3)
        alone = [OF_BALLS[name](real, fake, k, chunk_size=chunk_size, seed=3) for name, k in QUESTIONS]
        assert found == alone  # Value and interval, bit for bit.
        assert any(score.interval for score in found)


def test_together_the_distances_are_computed_once(monkeypatch):
    real, fake, seen = normal(0, 200), normal(1, 210), []
    compute = balls.squared_distances

    def count(queries, points, chunk_size):
        seen.append(len(queries) * len(points))
        return compute(queries, points, chunk_size)

    monkeypatch.setattr(balls, "squared_distances", count)
    together(real, fake, QUESTIONS[:1])
    of_one = sum(seen)
    assert of_one == 200 * 210 + 4 * 4 * 50 * 52.5  # All of them, and those of the groups.
    seen.clear()
    together(real, fake, QUESTIONS)
    assert sum(seen) == of_one


def test_a_question_without_an_answer_does_not_disturb_the_others():
    """Four real samples are too few for k = 5, and enough for k = 3."""
    real, fake = normal(0, 4), normal(1, 30)
    questions = [Question("precision", 3), Question("density", 5), Question("recall", 3)]
    shared = Neighbourhoods(real, fake, questions)
    for metric in (Precision(), Recall()):
        assert metric.score(real, fake, neighbourhoods=shared) == OF_BALLS[metric.name](real, fake)
    with pytest.raises(ValueError, match="density with k=5 needs at least 6 real samples. Received: 4"):
        Density().score(real, fake, neighbourhoods=shared)


@pytest.mark.parametrize("name", OF_BALLS)
def test_other_seeds_have_other_groups(name):
    """Of metrics that share the distances, one has another seed: its interval is its own."""
    real, fake = normal(0, 130), normal(1, 130, shift=0.5)
    metrics = {"precision": Precision, "recall": Recall, "density": Density, "coverage": Coverage}
    made = [metrics[name](k=2, seed=seed) for seed in (0, 1)]
    shared = Neighbourhoods(real, fake, [metric.question for metric in made])
    first, second = (metric.score(real, fake, neighbourhoods=shared) for metric in made)
    assert first.value == second.value and first.interval != second.interval
    assert second == OF_BALLS[name](real, fake, k=2, seed=1)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("centres", ["real", "fake"])
def test_counts_against_loops(centres, closed):
    real, fake = np.random.default_rng(0).integers(0, 5, (2, 25, 2)).astype("float64")
    fake = fake[:20]
    kinds = {"real": real, "fake": fake}
    own, others = kinds[centres], kinds["fake" if centres == "real" else "real"]
    radii = [sorted(distance(x, y) for j, y in enumerate(own) if j != i)[1] for i, x in enumerate(own)]
    distances = np.array([[distance(x, y) for y in others] for x in own])
    inside = distances <= np.array(radii)[:, None] if closed else distances < np.array(radii)[:, None]
    asked = Balls(centres, 2, closed)
    counts = count_in_balls(real, fake, [asked], 7)[asked]
    np.testing.assert_array_equal(counts[centres], inside.sum(axis=1))
    np.testing.assert_array_equal(counts["fake" if centres == "real" else "real"], inside.sum(axis=0))


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_samples_that_cannot_be_squared(size):
    """Identical sets: each sample lies in the ball of its copy. Others: the scores do not depend on the unit."""
    real, fake = normal(0, 60, 5), normal(1, 50, 5, 0.9)
    for name, metric in OF_BALLS.items():
        assert metric(real * size, real[::-1] * size).value == 1.0
        assert metric(real * size, fake * size) == metric(real, fake), name
