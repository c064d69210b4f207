import numpy as np
import pytest

from ganzoo.data import grid, grid_centers, reading, ring, ring_centers, swiss_roll


def arrays(dataset):
    return [part.numpy() for part in next(iter(dataset))]


@pytest.mark.parametrize(("make", "centers", "std"), [(ring, ring_centers(), 0.01), (grid, grid_centers(), 0.05)])
def test_points_lie_around_their_centers(make, centers, std):
    points, modes = arrays(make(20_000, batch_size=20_000))
    offsets = points - centers[modes]
    assert abs(offsets.std() / std - 1) < 0.02  # standard error 0.005
    assert np.abs(offsets.mean(0)).max() < 4 * std / 20_000**0.5
    assert abs(np.corrcoef(offsets.T)[0, 1]) < 0.03
    expected = 20_000 / len(centers)
    assert np.abs(np.bincount(modes, minlength=len(centers)) - expected).max() < 5 * expected**0.5


def test_ring_centers_are_distinct_and_on_the_circle():
    centers = ring_centers(8, radius=2.0)
    np.testing.assert_allclose(np.linalg.norm(centers, axis=1), 2, rtol=1e-6)
    np.testing.assert_allclose(centers[0], [2, 0])
    neighbours = np.linalg.norm(centers - np.roll(centers, 1, axis=0), axis=1)
    np.testing.assert_allclose(neighbours, 4 * np.sin(np.pi / 8), rtol=1e-6)


def test_grid_centers_are_those_of_the_papers():
    expected = {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    assert set(map(tuple, grid_centers().tolist())) == expected
    np.testing.assert_array_equal(grid_centers(2, 1.0), [[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]])


def test_swiss_roll_without_noise_is_the_spiral():
    points = next(iter(swiss_roll(2000, noise=0.0, batch_size=2000))).numpy() * 7.5
    angle = np.linalg.norm(points, axis=1)  # the radius is the angle
    assert 1.5 * np.pi <= angle.min() < 1.51 * np.pi and 4.49 * np.pi < angle.max() <= 4.5 * np.pi
    np.testing.assert_allclose(points[:, 0], angle * np.cos(angle), atol=1e-4)
    np.testing.assert_allclose(points[:, 1], angle * np.sin(angle), atol=1e-4)


def test_swiss_roll_noise_is_scaled_with_it():
    clean, noisy = (next(iter(swiss_roll(20_000, noise=n, batch_size=20_000))).numpy() for n in (0.0, 0.25))
    assert abs((noisy - clean).std() * 7.5 / 0.25 - 1) < 0.02


@pytest.mark.parametrize("make", [ring, grid, swiss_roll])
def test_the_seed_gives_the_points(make):
    first, again, other = (list(make(50, seed=seed).batch(50)) for seed in (1, 1, 2))
    first, again, other = (np.asarray(b[0][0] if make is not swiss_roll else b[0]) for b in (first, again, other))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


COUNT = "`num_samples` must be an integer from 1 to 2,147,483,647. Received: num_samples="


@pytest.mark.parametrize("make", [ring, grid, swiss_roll])
@pytest.mark.parametrize("count", [0, -1, 1.5, "10", 10**13, True, None])
def test_counts_that_are_none_are_refused(make, count):
    with pytest.raises(ValueError, match=f"{COUNT}{count!r}"):
        make(count)


@pytest.mark.parametrize("make", [ring, grid, swiss_roll])
def test_more_points_than_the_memory_holds_are_refused(make, monkeypatch):
    monkeypatch.setattr(reading, "available_memory", lambda: 2**20)
    with pytest.raises(ValueError, match="1,000,000 points need 0.1 GiB of memory .* Pass a smaller num_samples"):
        make(1_000_000)


@pytest.mark.parametrize("make", [ring, grid, swiss_roll])
@pytest.mark.parametrize("seed", [-1, 2**63, 1.5])
def test_seeds_that_are_none_are_refused(make, seed):
    with pytest.raises(ValueError, match=r"`seed` must be an integer from 0 to 2\*\*63 - 1. Received: seed="):
        make(10, seed=seed)


def test_the_largest_seed():
    assert len(ring(10, seed=2**63 - 1)) == 10


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ring(10, std=-1), "`std` must be a finite number of at least 0. Received: std=-1"),
        (lambda: ring(10, radius=float("nan")), "`radius` must be a finite number above 0. Received: radius=nan"),
        (lambda: ring(10, modes=0), "`modes` must be an integer from 1 to 1,000,000. Received: modes=0"),
        (lambda: grid(10, side=2.5), "`side` must be an integer from 1 to 1,000. Received: side=2.5"),
        (lambda: grid(10, spacing=0), "`spacing` must be a finite number above 0. Received: spacing=0"),
        (lambda: grid(10, std=float("inf")), "`std` must be a finite number of at least 0. Received: std=inf"),
        (lambda: swiss_roll(10, noise=-0.5), "`noise` must be a finite number of at least 0. Received: noise=-0.5"),
        (lambda: ring(10, batch_size=1.5), "`batch_size` must be an integer of at least 1, or None. Received: .*1.5"),
    ],
)
def test_values_that_no_toy_has(make, words):
    with pytest.raises(ValueError, match=words):
        make()
