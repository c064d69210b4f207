import math

import numpy as np
import pytest
from scipy import special
from scipy.spatial.distance import jensenshannon

from ganzoo import divergences
from ganzoo.divergences import f_divergence, jensen_shannon, kl, reverse_kl, total_variation

ALL = [total_variation, kl, reverse_kl, jensen_shannon]
P, Q = np.array([0.5, 0.25, 0.25]), np.array([0.25, 0.25, 0.5])


def random_pair(seed, shape=(5,)):
    rng = np.random.default_rng(seed)
    return [x / x.sum(axis=-1, keepdims=True) for x in rng.random((2, *shape))]


def test_by_hand():
    assert total_variation(P, Q) == pytest.approx(0.25, abs=1e-15)
    assert kl(P, Q) == pytest.approx(0.5 * math.log(2) - 0.25 * math.log(2), abs=1e-15)
    assert kl([0.5, 0.5], [0.9, 0.1]) == pytest.approx(0.5 * math.log(25 / 9), abs=1e-15)
    assert reverse_kl([0.5, 0.5], [0.9, 0.1]) == pytest.approx(0.9 * math.log(1.8) + 0.1 * math.log(0.2), abs=1e-15)
    expected = (0.5 * math.log(4 / 3) + 0.25 * math.log(2 / 3)) / 2 * 2
    assert jensen_shannon(P, Q) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_against_scipy(seed):
    p, q = random_pair(seed)
    assert kl(p, q) == pytest.approx(special.rel_entr(p, q).sum(), rel=1e-12)
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q) ** 2, rel=1e-10)


@pytest.mark.parametrize("distance", [1e-17, 1e-9, 1e-6, 1e-3])
def test_near_equal_distributions(distance):
    """Never negative, not even by rounding; to second order KL is 2 d^2, and JS a quarter of it."""
    p, q = [0.5, 0.5], [0.5 + distance, 0.5 - distance]
    assert kl(p, q) >= 0 and jensen_shannon(p, q) >= 0
    assert kl(p, q) == pytest.approx(2 * distance**2, rel=1e-5, abs=1e-15)
    assert jensen_shannon(p, q) == pytest.approx(distance**2 / 2, rel=1e-5, abs=1e-15)


def test_disjoint_supports():
    p, q = [0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.25, 0.75]
    assert total_variation(p, q) == 1.0
    assert jensen_shannon(p, q) == pytest.approx(math.log(2), abs=1e-15)
    assert kl(p, q) == reverse_kl(p, q) == math.inf


def test_a_missing_event_is_infinite_from_one_side_only():
    assert kl([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert kl([1.0, 0.0], [0.5, 0.5]) == pytest.approx(math.log(2), abs=1e-15)
    assert kl([1.0, 0.0, 0.0], [0.5, 0.5, 0.0]) == pytest.approx(math.log(2), abs=1e-15)  # 0 log(0 / 0) = 0


@pytest.mark.parametrize("divergence", ALL)
def test_zero_for_equal_distributions_and_a_float(divergence):
    value = divergence([0.1, 0.9, 0.0], [0.1, 0.9, 0.0])
    assert value == 0.0 and type(value) is float


@pytest.mark.parametrize("divergence", ALL)
def test_batches_broadcast(divergence):
    p, q = random_pair(0, (3, 4))
    values = divergence(p, q)
    assert values.shape == (3,)
    assert values[1] == pytest.approx(divergence(p[1], q[1]), rel=1e-14)
    assert divergence(p[0], q).tolist() == [divergence(p[0], row) for row in q]


def test_inequalities():
    """Pinsker: TV^2 <= KL / 2. Lin: TV^2 / 2 <= JS <= TV log 2."""
    for seed in range(50):
        p, q = random_pair(seed, (3,))
        tv, js = total_variation(p, q), jensen_shannon(p, q)
        assert tv**2 <= kl(p, q) / 2
        assert tv**2 / 2 <= js <= tv * math.log(2)


GENERATORS = {  # f, its slope at infinity, and the divergence that it makes
    "total variation": (lambda t: np.abs(t - 1) / 2, 0.5, total_variation),
    "KL": (lambda t: special.xlogy(t, t), math.inf, kl),
    "reverse KL": (lambda t: -np.log(t), 0.0, reverse_kl),
    "JS": (lambda t: (special.xlogy(t, t) - (t + 1) * np.log((t + 1) / 2)) / 2, math.log(2) / 2, jensen_shannon),
}


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize(
    "p, q",
    [
        random_pair(0),
        ([0.5, 0.5, 0.0], [0.2, 0.0, 0.8]),
        ([1.0, 0.0], [0.0, 1.0]),
        ([0.3, 0.7, 0.0], [0.6, 0.4, 0.0]),
        random_pair(1, (3, 4)),
    ],
)
def test_f_divergences(name, p, q):
    f, slope, divergence = GENERATORS[name]
    np.testing.assert_allclose(f_divergence(p, q, f, slope), divergence(p, q), rtol=1e-12)


def test_pearson():
    """Chi-squared: sum (p - q)^2 / q."""
    assert f_divergence(P, Q, lambda t: (t - 1) ** 2) == pytest.approx(0.0625 / 0.25 + 0.0625 / 0.5, abs=1e-15)


def test_refuses_bad_generators():
    with pytest.raises(ValueError, match="must be 0 at 1.*f\\(1\\) = 1.0"):
        f_divergence(P, Q, lambda t: t**2)
    with pytest.raises(ValueError, match="gave NaN"):
        f_divergence([0.0, 1.0], [0.5, 0.5], lambda t: t * np.log(t))
    with pytest.raises(ValueError, match="`slope_at_infinity`"):
        f_divergence([0.5, 0.5], [0.0, 1.0], lambda t: (t - 1) ** 2)


@pytest.mark.parametrize("divergence", ALL)
@pytest.mark.parametrize(
    "p, q, message",
    [
        ([0.5, 0.6], [0.5, 0.5], "must sum to 1. Received: p with the sum 1.1"),
        ([0.5, 0.5], [[0.5, 0.5], [3, 1]], "must sum to 1. Received: q with the sum 4"),
        ([1.5, -0.5], [0.5, 0.5], "must not be negative or NaN. Received: p with -0.5"),
        ([0.5, 0.5], [float("nan"), 0.5], "must not be negative or NaN. Received: q with nan"),
        ([1.0], [0.5, 0.5], "same events. Received: 1 and 2"),
        (1.0, [1.0], "`p` must be an array"),
        ([], [], "`p` must be an array"),
    ],
)
def test_refuses_what_is_no_distribution(divergence, p, q, message):
    with pytest.raises(ValueError, match=message):
        divergence(p, q)


def test_float32_probabilities_are_taken_as_they_are_meant():
    p = np.random.default_rng(0).random(10_000).astype("float32")
    p /= p.sum()
    assert kl(p, p) == 0.0
    assert divergences.total_variation(p, np.roll(p, 1)) <= 1


def test_a_ratio_that_no_float_holds():
    assert kl([1.0, 0.0], [1e-310, 1.0]) == pytest.approx(310 * math.log(10), rel=1e-12)
