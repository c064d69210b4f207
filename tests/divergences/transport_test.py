import math

import numpy as np
import pytest
import scipy.stats
from scipy.spatial.distance import cdist

import ganzoo
from ganzoo.divergences import (
    kantorovich_dual,
    optimal_transport,
    sinkhorn,
    sliced_wasserstein,
    wasserstein,
    wasserstein_1d,
)


def random_problem(seed, n=12, m=9):
    rng = np.random.default_rng(seed)
    a, b = rng.random(n), rng.random(m)
    return cdist(rng.normal(size=(n, 2)), 1 + rng.normal(size=(m, 2))), a / a.sum(), b / b.sum()


# === On the line ===


@pytest.mark.parametrize("sizes", [(50, 50), (50, 31), (1, 60)])
def test_line_against_scipy(sizes):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=sizes[0]), 2 * rng.normal(size=sizes[1]) + 0.3
    a, b = rng.random(sizes[0]), rng.random(sizes[1])
    assert wasserstein_1d(x, y) == pytest.approx(scipy.stats.wasserstein_distance(x, y), rel=1e-12)
    a, b = a / a.sum(), b / b.sum()
    weighted = scipy.stats.wasserstein_distance(x, y, a, b)
    assert wasserstein_1d(x, y, x_weights=a, y_weights=b) == pytest.approx(weighted, rel=1e-12)
    weighted = scipy.stats.wasserstein_distance(x, y, None, b)
    assert wasserstein_1d(x, y, y_weights=b) == pytest.approx(weighted, rel=1e-12)


@pytest.mark.parametrize("p", [1, 1.5, 2, 5])
def test_line_against_the_linear_program(p):
    rng = np.random.default_rng(1)
    x, y, a, b = rng.normal(size=8), rng.normal(size=11), rng.random(8), rng.random(11)
    a, b = a / a.sum(), b / b.sum()
    _, work = optimal_transport(np.abs(x[:, None] - y) ** p, a, b)
    assert wasserstein_1d(x, y, p, a, b) == pytest.approx(work ** (1 / p), rel=1e-9)
    _, work = optimal_transport(np.abs(x[:, None] - y) ** p, np.full(8, 1 / 8), np.full(11, 1 / 11))
    assert wasserstein_1d(x, y, p) == pytest.approx(work ** (1 / p), rel=1e-9)


def test_line_by_hand():
    assert wasserstein_1d([1.0, 0.0], [3.0, 5.0]) == pytest.approx(3.5, abs=1e-15)
    assert wasserstein_1d([1.0, 0.0], [3.0, 5.0], p=2) == pytest.approx(math.sqrt(12.5), abs=1e-15)
    # Three quarters of the mass go 1 far, a quarter 5; the position without mass has no say.
    weights = {"x_weights": [0.75, 0.25, 0.0], "y_weights": [0.75, 0.25]}
    assert wasserstein_1d([0.0, 1.0, 100.0], [1.0, 6.0], **weights) == pytest.approx(2.0, abs=1e-15)
    assert wasserstein_1d([2.0], [2.0]) == 0.0


# === In the plane and beyond ===


@pytest.mark.parametrize("theta", [-2.0, -0.1, 0.0, 0.5, 3.0])
def test_parallel_lines(theta):
    """Example 1 of the WGAN paper: W = |theta|, for every p."""
    z = np.linspace(0, 1, 40)
    x, y = np.stack([0 * z, z], axis=1), np.stack([0 * z + theta, z[::-1]], axis=1)
    assert wasserstein(x, y) == pytest.approx(abs(theta), abs=1e-12)
    assert wasserstein(x, y, p=2) == pytest.approx(abs(theta), abs=1e-12)


@pytest.mark.parametrize("p", [1, 2])
def test_shift(p):
    """A shift cannot be had for less than its length, whatever the distribution and the number of dimensions."""
    x = np.random.default_rng(0).normal(size=(60, 4))
    shift = np.array([1.0, -2.0, 0.0, 2.0])
    assert wasserstein(x, x[::-1] + shift, p) == pytest.approx(3.0, abs=1e-12)


def test_unequal_numbers_of_samples():
    """Every sample twice is the same distribution: the linear program agrees with the assignment."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(15, 2)), rng.normal(size=(15, 2)) + 1
    expected = wasserstein(x, y)
    assert wasserstein(x, np.concatenate([y, y])) == pytest.approx(expected, rel=1e-9)
    assert wasserstein([[0.0, 0.0]], [[3.0, 4.0], [0.0, 0.0]]) == pytest.approx(2.5, abs=1e-12)


def test_samples_on_the_line():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=30), rng.normal(size=40)
    assert wasserstein(x, y, 2) == wasserstein(x[:, None], y[:, None], 2) == wasserstein_1d(x, y, 2)


# === Primal and dual ===


@pytest.mark.parametrize("seed", range(4))
def test_primal_and_dual_agree(seed):
    cost, a, b = random_problem(seed)
    plan, work = optimal_transport(cost, a, b)
    (f, g), value = kantorovich_dual(cost, a, b)
    assert value == pytest.approx(work, rel=1e-9)
    # Both are feasible, so that neither could be better.
    assert plan.min() >= 0
    np.testing.assert_allclose(plan.sum(axis=1), a, atol=1e-9)
    np.testing.assert_allclose(plan.sum(axis=0), b, atol=1e-9)
    slack = cost - f[:, None] - g
    assert slack.min() >= -1e-12
    # Mass goes only where the prices pay for it, and along n + m - 1 ways at most.
    assert slack[plan > 1e-9].max() <= 1e-9
    assert np.count_nonzero(plan > 1e-12) <= 12 + 9 - 1
    assert work == pytest.approx(np.sum(plan * cost), rel=1e-14)


def test_potential_is_a_critic():
    """With a distance as the cost and both piles on the same points, g = -f and the slope of f is at most 1."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(20, 2))
    a, b = rng.random((2, 20))
    b[:5] = 0.0  # Also where one of them has no mass.
    a, b, cost = a / a.sum(), b / b.sum(), cdist(points, points)
    (f, g), value = kantorovich_dual(cost, a, b)
    assert f[0] == 0.0
    np.testing.assert_allclose(g, -f, atol=1e-12)
    slopes = np.abs(f[:, None] - f)[cost > 0] / cost[cost > 0]
    assert slopes.max() == pytest.approx(1, abs=1e-9)  # Not less: otherwise it could be steeper, and better.
    assert value == pytest.approx((a - b) @ f, abs=1e-12)


def test_potential_is_the_derivative():
    """The work changes with the mass as the potential says: that is what makes it a gradient for the generator."""
    cost, a, b = random_problem(5)
    (f, _), value = kantorovich_dual(cost, a, b)
    moved = a.copy()
    moved[[2, 7]] += 1e-6, -1e-6
    _, work = optimal_transport(cost, moved, b)
    assert (work - value) / 1e-6 == pytest.approx(f[2] - f[7], abs=1e-4)


# === Approximations ===


def test_sinkhorn_by_hand():
    """Two places: a share 1 / (1 + exp(1 / r)) of the mass changes place."""
    for regularization in (0.05, 0.5, 5.0):
        plan, work = sinkhorn([[0.0, 1.0], [1.0, 0.0]], [0.5, 0.5], [0.5, 0.5], regularization)
        share = 1 / (1 + math.exp(1 / regularization))
        np.testing.assert_allclose(plan, np.array([[1 - share, share], [share, 1 - share]]) / 2, atol=1e-10)
        assert work == pytest.approx(share, abs=1e-10)


def test_sinkhorn_between_its_limits():
    cost, a, b = random_problem(0)
    _, least = optimal_transport(cost, a, b)
    works = [sinkhorn(cost, a, b, regularization)[1] for regularization in (0.005, 0.05, 0.5, 5.0, 1e4)]
    assert least <= works[0] <= 1.005 * least
    assert works == sorted(works)
    assert works[-1] == pytest.approx(a @ cost @ b, rel=1e-3)
    # Least of work plus entropy: no better after a step towards any other plan.
    plan, _ = sinkhorn(cost, a, b, 0.05)
    gradient = cost + 0.05 * np.log(plan / np.outer(a, b))
    for other in (np.outer(a, b), optimal_transport(cost, a, b)[0]):
        assert np.sum(gradient * (other - plan)) == pytest.approx(0, abs=1e-7)


def test_sinkhorn_marginals_and_empty_places():
    cost, a, b = random_problem(1)
    a[3], b[0] = 0.0, 0.0
    a, b = a / a.sum(), b / b.sum()
    plan, _ = sinkhorn(cost, a, b, 0.02)
    np.testing.assert_allclose(plan.sum(axis=1), a, atol=1e-9)
    np.testing.assert_allclose(plan.sum(axis=0), b, atol=1e-9)
    assert plan[3].max() == plan[:, 0].max() == 0.0


def test_sinkhorn_says_that_it_has_not_converged():
    with pytest.raises(RuntimeError, match="did not reach the tolerance"):
        sinkhorn(*random_problem(0), 1e-3, max_iterations=30)


def test_sliced_is_that_of_the_metrics():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(30, 3))
    expected = ganzoo.metrics.sliced_wasserstein(x, y, p=2, projections=50, seed=4).value
    assert sliced_wasserstein(x, y, p=2, projections=50, seed=4) == expected
    assert sliced_wasserstein(x, y) < wasserstein(x, y)


# === Bad input ===


@pytest.mark.parametrize("function", [optimal_transport, kantorovich_dual, lambda *problem: sinkhorn(*problem, 1.0)])
@pytest.mark.parametrize(
    "cost, a, b, message",
    [
        (np.ones((2, 3)), [0.5, 0.5], [0.5, 0.5], r"Received: shapes \(2, 3\), \(2,\), \(2,\)"),
        (np.ones((2, 2)), [0.5, 0.6], [0.5, 0.5], "must sum to 1. Received: a with the sum 1.1"),
        (np.ones((2, 2)), [0.5, 0.5], [1.5, -0.5], "must not be negative or NaN. Received: b"),
        (np.full((2, 2), np.inf), [0.5, 0.5], [0.5, 0.5], "cost must be finite"),
    ],
)
def test_refuses_bad_problems(function, cost, a, b, message):
    with pytest.raises(ValueError, match=message):
        function(cost, a, b)


def test_refuses_bad_samples():
    with pytest.raises(ValueError, match="equally many dimensions. Received: 2 and 3"):
        wasserstein(np.ones((4, 2)), np.ones((4, 3)))
    with pytest.raises(ValueError, match="must be finite. Received: y with nan"):
        wasserstein([0.0, 1.0], [0.0, float("nan")])
    with pytest.raises(ValueError, match=r"`x` must be an array \(samples, dimensions\). Received: shape \(0,\)"):
        wasserstein([], [1.0])
    with pytest.raises(ValueError, match="on the line. Received: 2 dimensions"):
        wasserstein_1d(np.ones((3, 2)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="`p` must be a finite number of at least 1. Received: p=0.5"):
        wasserstein([0.0], [1.0], p=0.5)
    with pytest.raises(ValueError, match="`p` must be a finite number of at least 1"):
        wasserstein_1d([0.0], [1.0], p=math.inf)
    with pytest.raises(ValueError, match="one weight for each position"):
        wasserstein_1d([0.0, 1.0], [1.0], x_weights=[1.0])
    with pytest.raises(ValueError, match="`regularization` must be positive"):
        sinkhorn([[1.0]], [1.0], [1.0], 0.0)


@pytest.mark.parametrize("scale", [1e-9, 1e-5, 1.0, 1e6])
def test_small_and_large_costs(scale):
    """The solver's tolerances are absolute."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 2)), rng.normal(0.5, 1, size=(21, 2))
    cost = np.linalg.norm(x[:, None] - y, axis=-1)
    a, b = np.full(20, 1 / 20), np.full(21, 1 / 21)
    _, work = ganzoo.divergences.optimal_transport(cost, a, b)
    assert ganzoo.divergences.optimal_transport(scale * cost, a, b)[1] == pytest.approx(scale * work, rel=1e-9)
    assert ganzoo.divergences.kantorovich_dual(scale * cost, a, b)[1] == pytest.approx(scale * work, rel=1e-9)


@pytest.mark.parametrize("unit", [1e-10, 1.0, 1e10])
def test_powers_that_no_float_holds(unit):
    """Of two samples that travel 3 and 4, the 100th power counts the longer way only: 4 / 2^(1/100)."""
    x, y = unit * np.array([0.0, 10.0]), unit * np.array([3.0, 14.0])
    expected = pytest.approx(unit * 4 * 0.5**0.01, rel=1e-10)
    weights = np.array([0.5, 0.5])
    assert wasserstein_1d(x, y, p=100) == expected
    assert wasserstein_1d(x, y, 100, weights, weights) == expected
    assert wasserstein(np.stack([x, x], axis=1), np.stack([y, x], axis=1), p=100) == expected


def test_an_infinite_regularization_is_refused():
    with pytest.raises(ValueError, match="positive and finite"):
        sinkhorn(np.eye(2), [0.5, 0.5], [0.5, 0.5], np.inf)
