"""The estimate of a dimension: the formula, known dimensions, and what it must not depend on."""

import numpy as np
import pytest

from ganzoo.health.dimension import intrinsic_dimension


def naive_dimension(points, first, last):
    estimates = []
    for k in range(first, last + 1):
        inverses = []
        for point in points:
            distances = np.sort(np.linalg.norm(points - point, axis=1))[1:]
            inverses.append(np.mean([np.log(distances[k - 1] / distances[j]) for j in range(k - 1)]))
        estimates.append(1 / np.mean(inverses))
    return np.mean(estimates)


def test_dimension_is_the_formula():
    points = np.random.default_rng(1).normal(size=(500, 3))
    assert intrinsic_dimension(points, 3, 5) == pytest.approx(naive_dimension(points, 3, 5), rel=1e-9)


@pytest.mark.parametrize("dimension", [1, 2, 4, 8])
def test_dimension_of_a_cube_in_many_coordinates(dimension):
    random = np.random.default_rng(dimension)
    turn = np.linalg.qr(random.normal(size=(40, 40)))[0][:dimension]
    points = random.uniform(-1, 1, (1000, dimension)) @ turn + random.normal(size=40)
    estimate = intrinsic_dimension(points)
    assert 0.8 * dimension < estimate < 1.1 * dimension
    assert intrinsic_dimension(points * 1000) == pytest.approx(estimate, rel=1e-6)


def test_dimension_does_not_count_copies():
    points = np.random.default_rng(0).normal(size=(600, 3))
    assert intrinsic_dimension(np.repeat(points, 30, axis=0)) == pytest.approx(intrinsic_dimension(points))
    assert intrinsic_dimension(np.repeat(points[:400], 2, axis=0)) is None


def test_dimension_of_large_images_is_that_of_thinned_ones():
    random = np.random.default_rng(0)
    images = np.tensordot(random.normal(size=(500, 4)), random.normal(size=(4, 40, 66, 2)), 1)
    assert images.shape == (500, 40, 66, 2)
    small = intrinsic_dimension(images[:, ::2, ::3])
    assert intrinsic_dimension(images) == small
    assert 3.2 < small < 4.4
