"""Distances and neighbours, against loops over pairs and where rounding matters."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from ganzoo.metrics.distances import exact_squares, nearest, scaled, squared_distances


def normal(seed, count, dimensions=3, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).normal(size=(count, dimensions)) * scale + shift


def distance(x, y):
    return np.sqrt(sum((a - b) ** 2 for a, b in zip(x, y)))


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


def test_nearest_beside_a_direction_that_dominates():
    """Squares of 1e20 leave no digit of squares near 1, which alone tell the points of a place apart."""
    places = np.repeat([-1e10, 1e10], 40)[:, None]
    points = np.concatenate([places, normal(0, 80)], axis=1)
    squares, indices = nearest(points, None, 2, 1024)
    exact = cdist(points, points, "sqeuclidean")
    np.fill_diagonal(exact, np.inf)
    np.testing.assert_array_equal(indices, np.argsort(exact, axis=1)[:, :2])
    np.testing.assert_allclose(squares, np.sort(exact, axis=1)[:, :2], rtol=1e-12)


@pytest.mark.parametrize("size", [1e200, 1e307, 1e-200])
def test_samples_that_cannot_be_squared_are_scaled(size):
    """By a power of two, so that the same neighbours are found, and the distances are right in the unit."""
    points = normal(0, 30, 4)
    (one, other), unit = scaled(points[:20] * size, points[20:] * size)
    squares, indices = nearest(other, one, 2, 1024)
    expected, expected_indices = nearest(points[20:], points[:20], 2, 1024)
    np.testing.assert_array_equal(indices, expected_indices)
    # The samples times the size are rounded once: 1.1e-16 of a sample, and more of a distance, which is smaller.
    np.testing.assert_allclose(unit * np.sqrt(squares) / size, np.sqrt(expected), rtol=1e-13)


def test_others_stay_as_they_are():
    arrays = normal(0, 20), normal(1, 30).astype("float32") + 1e3
    (one, other), unit = scaled(*arrays)
    assert one is arrays[0] and other is arrays[1] and unit == 1.0


def test_equal_samples_of_any_size():
    (one, other), unit = scaled(np.full((3, 2), 1e200), np.full((4, 2), 1e200))
    np.testing.assert_array_equal(np.concatenate([one, other]), 0.0)
    assert np.isfinite(unit)


def test_far_from_zero_the_differences_count():
    """1e200 in one direction, the same for all: their differences are what they are without it."""
    points = np.concatenate([np.full((20, 1), 1e200), normal(0, 20, 3)], axis=1)
    (found,), unit = scaled(points)
    expected = nearest(points[:, 1:], None, 2, 7)[0]
    np.testing.assert_allclose(unit * np.sqrt(nearest(found, None, 2, 7)[0]), np.sqrt(expected), rtol=1e-12)
    np.testing.assert_array_equal(nearest(found, None, 2, 7)[1], nearest(points[:, 1:], None, 2, 7)[1])
