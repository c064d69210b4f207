import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import ganzoo
from ganzoo.metrics import intervals
from ganzoo.metrics.neighbours import (
    Coverage,
    Density,
    Memorization,
    Precision,
    Recall,
    coverage,
    coverage_terms,
    density,
    density_terms,
    exact_squares,
    influences_on_share,
    interval_of_groups,
    inverse_dimension,
    memorization,
    nearest,
    precision,
    precision_terms,
    recall,
    squared_distances,
)

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


def test_nearest():
    points = normal(0, 50, 4)
    queries = normal(1, 20, 4)
    distances = np.array([[distance(x, y) for y in points] for x in queries])
    for size in (1, 6, 100):
        squares, indices = nearest(queries, points, 3, size)
        np.testing.assert_array_equal(indices, np.argsort(distances, axis=1)[:, :3])
        np.testing.assert_allclose(np.sqrt(squares), np.sort(distances, axis=1)[:, :3], rtol=1e-12)
        squares, indices = nearest(points, None, 49, size)
        assert all(set(row) == set(range(50)) - {i} for i, row in enumerate(indices))


def test_nearest_of_almost_equal_points():
    """Neighbours nearer to each other than `|x|^2 + |y|^2 - 2 x.y` can tell are found, and in order."""
    base = normal(0, 1, 8)
    points = base + 1e-9 * np.arange(1, 6)[::-1, None]
    squares, indices = nearest(np.concatenate([base, base + 1e3, base - 2e3]), points, 2, 100)
    assert indices[0].tolist() == [4, 3]
    np.testing.assert_allclose(np.sqrt(squares[0]), np.sqrt(8) * 1e-9 * np.array([1, 2]), rtol=1e-5)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_bound_of_rounding(offset):
    """The bound holds, also where samples are copies, and stays small if all of them are far from 0."""
    queries = normal(0, 40, 300) + offset
    points = np.concatenate([queries[:10], normal(1, 50, 300) + offset])
    rows, places = (index.ravel() for index in np.indices((40, 60)))
    exact = exact_squares(queries, points, rows, places, 1000).reshape(40, 60)
    for columns, squares, errors in squared_distances(queries, points, 25):
        difference = np.abs(squares - exact[:, columns])
        assert (difference <= errors).all() and difference.max() > 0
        assert errors.max() < 1e-9 * exact.max()


def test_exact_squares_do_not_depend_on_their_place():
    x, y = normal(0, 1, 37), normal(1, 1, 37)
    expected = ((x - y) ** 2).sum()
    found = []
    for count in (1, 2, 5, 64):
        rows = np.zeros(count, "int64")
        found += [*exact_squares(x, y, rows, rows, 3), *exact_squares(y, x, rows, rows, 100)]
    assert len(set(found)) == 1 and found[0] == pytest.approx(expected, rel=1e-14)


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


@pytest.mark.parametrize("name, terms", [("density", density_terms), ("coverage", coverage_terms)])
def test_interval_covers_where_the_kinds_differ(name, terms):
    """Normal distributions in 8 dimensions, one deviation apart; the expected value comes from 600 other samples."""

    def draw(i):
        return normal(2 * i, 160, 8), normal(2 * i + 1, 160, 8) + np.eye(8)[0]

    expected = np.mean([terms(*draw(200 + i), 3, 1024).mean() for i in range(600)])
    intervals = [OF_BALLS[name](*draw(i), k=3, seed=i).interval for i in range(200)]
    assert 180 <= sum(low <= expected <= high for low, high in intervals) <= 198


def test_memorization_without_a_doubt_leaves_room_for_chance():
    real, held_out = normal(0, 40), normal(1, 40) + 100
    copied, held = (memorization(real, fake + 1e-3, held_out) for fake in (real, held_out))
    room = 1.959964**2 / (40 + 1.959964**2)  # Wilson's upper limit of 0 in 40.
    assert (copied.value, held.value) == (1.0, 0.0)
    assert copied.interval == pytest.approx((1 - room, 1.0), rel=1e-6)
    assert held.interval == pytest.approx((0.0, room), rel=1e-6)


def test_nearest_beside_a_direction_that_dominates():
    """Squares of 1e20 leave no digit of squares near 1, which alone tell the points of a place apart."""
    places = np.repeat([-1e10, 1e10], 40)[:, None]
    points = np.concatenate([places, normal(0, 80)], axis=1)
    squares, indices = nearest(points, None, 2, 1024)
    exact = cdist(points, points, "sqeuclidean")
    np.fill_diagonal(exact, np.inf)
    np.testing.assert_array_equal(indices, np.argsort(exact, axis=1)[:, :2])
    np.testing.assert_allclose(squares, np.sort(exact, axis=1)[:, :2], rtol=1e-12)


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
    terms = precision_terms(real, fake, 1, 100)
    assert terms.mean() == 0.95
    low, high = interval_of_groups(lambda *_: np.ones(3), terms, real, fake, 1, 0.95, 0, 100, (0.0, 1.0))
    half = 2.2281389 * np.sqrt(0.95 * 0.05 / 300)  # Student's t with 10 degrees of freedom.
    assert (low, high) == pytest.approx((0.95 - half, 0.95 + half), abs=1e-6)


@pytest.mark.parametrize(
    "name, real, fake, k, words",
    [
        ("precision", np.zeros((3, 2)), np.zeros((5, 2)), 3, "precision with k=3 needs at least 4 real samples. .* 3"),
        ("recall", np.zeros((9, 2)), np.zeros((3, 2)), 3, "recall with k=3 needs at least 4 fake samples. .* 3"),
        ("density", np.zeros((9, 2)), np.zeros((0, 2)), 5, "density with k=5 needs at least 1 fake samples. .* 0"),
        ("coverage", np.zeros((9, 2)), np.zeros((9, 2)), 0, "`k` must be a positive integer. Received: k=0"),
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


# === Memorization ===


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
