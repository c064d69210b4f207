import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from ganzoo.divergences import (
    gaussian_energy_distance,
    gaussian_jensen_shannon,
    gaussian_kl,
    gaussian_total_variation,
    gaussian_wasserstein,
    wasserstein_1d,
)

PAIRS = [(-1.0, 1.0, 1.0, 1.0), (0.0, 1.0, 0.5, 4.0), (2.0, 0.25, -1.0, 9.0), (0.0, 1.0, 0.0, 0.09)]


def random_gaussian(seed, dimensions=3):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(dimensions, dimensions))
    return rng.normal(size=dimensions), factor @ factor.T


def integral(function, pair):
    mean_1, variance_1, mean_2, variance_2 = pair
    p, q = stats.norm(mean_1, math.sqrt(variance_1)), stats.norm(mean_2, math.sqrt(variance_2))
    return integrate.quad(lambda x: function(p.logpdf(x), q.logpdf(x)), -30, 30, points=[-1, 0, 1], limit=500)[0]


@pytest.mark.parametrize("pair", PAIRS)
def test_univariate_against_integrals(pair):
    kl = integral(lambda p, q: math.exp(p) * (p - q), pair)
    assert gaussian_kl(*pair) == pytest.approx(kl, abs=1e-8)
    variation = integral(lambda p, q: abs(math.exp(p) - math.exp(q)) / 2, pair)
    assert gaussian_total_variation(*pair) == pytest.approx(variation, abs=1e-7)
    mixture = integral(
        lambda p, q: (math.exp(p) * (p - np.logaddexp(p, q)) + math.exp(q) * (q - np.logaddexp(p, q))) / 2, pair
    )
    assert gaussian_jensen_shannon(*pair) == pytest.approx(mixture + math.log(2), abs=1e-8)


@pytest.mark.parametrize("distance, expected", [(1, 0.1114), (2, 0.3368), (4, 0.6327), (6, 0.6893), (8, 0.6930)])
def test_jensen_shannon_of_shifted_gaussians(distance, expected):
    """0.6930536 is 0.6931 when rounded: the last value has its digits cut off."""
    value = gaussian_jensen_shannon(-distance / 2, 1, distance / 2, 1)
    assert value == pytest.approx(expected, abs=1e-4)
    assert gaussian_total_variation(0, 1, distance, 1) == pytest.approx(math.erf(distance / math.sqrt(8)), abs=1e-15)


def test_total_variation_is_smooth_at_equal_variances():
    equal = gaussian_total_variation(0.0, 1.0, 1.0, 1.0)
    for difference in (1e-15, 1e-12, 1e-9):
        assert gaussian_total_variation(0.0, 1.0 + difference, 1.0, 1.0) == pytest.approx(equal, abs=1e-8)
        assert gaussian_total_variation(1.0, 1.0, 0.0, 1.0 + difference) == pytest.approx(equal, abs=1e-8)


def test_widely_different_scales():
    """A narrow Gaussian takes nothing from a wide one: nearly disjoint. And TV^2 / 2 <= JS <= TV log 2 everywhere."""
    assert gaussian_jensen_shannon(0.3, 1e-16, 0.0, 1.0) == pytest.approx(math.log(2), abs=1e-6)
    assert gaussian_total_variation(0.3, 1e-16, 0.0, 1.0) == pytest.approx(1, abs=1e-6)
    rng = np.random.default_rng(0)
    for _ in range(30):
        mean_1, mean_2 = rng.normal(size=2) * 10 ** rng.uniform(-3, 3)
        pair = (mean_1, 10 ** rng.uniform(-8, 8), mean_2, 10 ** rng.uniform(-8, 8))
        tv, js = gaussian_total_variation(*pair), gaussian_jensen_shannon(*pair)
        assert tv**2 / 2 - 1e-12 <= js <= tv * math.log(2) + 1e-12


def test_kl_by_hand():
    assert gaussian_kl(0.0, 1.0, 3.0, 1.0) == pytest.approx(4.5, abs=1e-15)
    assert gaussian_kl(0.0, 4.0, 0.0, 1.0) == pytest.approx(1.5 - math.log(2), abs=1e-15)
    assert gaussian_kl(0.0, 1.0, 0.0, 4.0) == pytest.approx(math.log(2) - 3 / 8, abs=1e-15)
    # The term of the VAE: 1/2 sum(m^2 + s^2 - 1 - log s^2).
    mean, variances = np.array([1.0, -2.0]), np.array([0.5, 3.0])
    expected = (mean**2 + variances - 1 - np.log(variances)).sum() / 2
    assert gaussian_kl(mean, np.diag(variances), np.zeros(2), np.eye(2)) == pytest.approx(expected, abs=1e-14)


def test_kl_of_matrices():
    """Against the textbook formula with inverse and determinants."""
    (mean_1, cov_1), (mean_2, cov_2) = random_gaussian(0), random_gaussian(1)
    inverse, shift = np.linalg.inv(cov_2), mean_2 - mean_1
    determinants = np.linalg.slogdet(cov_2)[1] - np.linalg.slogdet(cov_1)[1]
    expected = (np.trace(inverse @ cov_1) - 3 + determinants + shift @ inverse @ shift) / 2
    assert gaussian_kl(mean_1, cov_1, mean_2, cov_2) == pytest.approx(expected, rel=1e-10)


def test_kl_of_singular_gaussians():
    line, plane = np.diag([1.0, 0.0]), np.eye(2)
    rotation = np.array([[0.6, -0.8], [0.8, 0.6]])
    turned = rotation @ line @ rotation.T
    zero, along = np.zeros(2), np.array([1.0, 0.0])
    assert gaussian_kl(zero, line, zero, plane) == math.inf
    assert gaussian_kl(zero, plane, zero, line) == math.inf
    assert gaussian_kl(zero, line, zero, turned) == math.inf
    assert gaussian_kl(along[::-1], line, zero, line) == math.inf
    # On the same line it is the divergence of that line.
    assert gaussian_kl(along, 4 * line, zero, line) == pytest.approx(gaussian_kl(1.0, 4.0, 0.0, 1.0), abs=1e-14)
    turned_by = gaussian_kl(rotation @ along, 4 * turned, zero, turned)
    assert turned_by == pytest.approx(gaussian_kl(1.0, 4.0, 0.0, 1.0), rel=1e-12)


def test_points():
    """Without width a Gaussian is a point: two are equal or disjoint."""
    assert gaussian_kl(1.0, 0.0, 1.0, 0.0) == 0.0
    assert gaussian_kl(1.0, 0.0, 2.0, 0.0) == gaussian_kl(1.0, 0.0, 1.0, 1.0) == math.inf
    assert gaussian_total_variation(1, 0, 1, 0) == gaussian_jensen_shannon(1, 0, 1, 0) == 0.0
    assert gaussian_total_variation(1, 0, 1, 1) == gaussian_total_variation(1, 0, 2, 0) == 1.0
    assert gaussian_jensen_shannon(1, 0, 1, 1) == gaussian_jensen_shannon(1, 0, 2, 0) == math.log(2)
    assert gaussian_wasserstein(1, 0, 3.5, 0) == 2.5


def test_wasserstein():
    assert gaussian_wasserstein(0.0, 1.0, 3.0, 25.0) == pytest.approx(5.0, abs=1e-15)
    quantiles = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    of_quantiles = wasserstein_1d(1 + 2 * quantiles, 0.5 * quantiles, p=2)
    assert gaussian_wasserstein(1.0, 4.0, 0.0, 0.25) == pytest.approx(of_quantiles, abs=1e-4)
    # Commuting covariances: the distance of the standard deviations.
    mean, cov = np.array([1.0, 2.0]), np.diag([4.0, 9.0])
    expected = math.sqrt(5 + (2 - 1) ** 2 + (3 - 0.5) ** 2)
    assert gaussian_wasserstein(mean, cov, np.zeros(2), np.diag([1.0, 0.25])) == pytest.approx(expected, abs=1e-12)


def test_wasserstein_of_a_linear_map():
    """A symmetric positive A is the optimal map from N(0, C) to N(0, A C A): E|x - A x|^2 = tr((I - A)^2 C)."""
    _, cov = random_gaussian(0)
    _, a = random_gaussian(1)
    expected = math.sqrt(np.trace((np.eye(3) - a) @ cov @ (np.eye(3) - a)))
    assert gaussian_wasserstein(np.zeros(3), cov, np.zeros(3), a @ cov @ a) == pytest.approx(expected, rel=1e-10)


def test_all_are_zero_for_equal_gaussians():
    """Up to rounding, which depends on the linear algebra. The Wasserstein distance is the root of a rounded square."""
    for function in (gaussian_kl, gaussian_total_variation, gaussian_jensen_shannon):
        assert function(0.3, 0.7, 0.3, 0.7) == pytest.approx(0, abs=1e-15)
    assert gaussian_wasserstein(0.3, 0.7, 0.3, 0.7) == pytest.approx(0, abs=1e-7)
    mean, cov = random_gaussian(0)
    assert gaussian_kl(mean, cov, mean, cov) == pytest.approx(0, abs=1e-12)
    assert gaussian_wasserstein(mean, cov, mean, cov) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((0.0, -1.0, 0.0, 1.0), "negative eigenvalues. Received: cov_1"),
        ((0.0, 1.0, float("nan"), 1.0), "must be finite"),
        ((0.0, np.eye(1), 0.0, 1.0), r"mean_1 of shape \(\), cov_1 of shape \(1, 1\)"),
        ((np.zeros(2), np.eye(3), np.zeros(2), np.eye(2)), r"mean_1 of shape \(2,\), cov_1 of shape \(3, 3\)"),
        ((np.zeros(2), np.eye(2), np.zeros(3), np.eye(3)), "equally many dimensions. Received: 2 and 3"),
        ((np.zeros(2), np.eye(2), np.zeros(2), np.array([[1, 0.5], [0, 1]])), "symmetric. Received: cov_2"),
        ((np.zeros(2), np.eye(2), np.zeros(2), np.array([[1, 2], [2, 1]])), "negative eigenvalues. .* with -1"),
    ],
)
def test_refuses_what_is_no_gaussian(arguments, message):
    for function in (gaussian_kl, gaussian_wasserstein, gaussian_jensen_shannon, gaussian_total_variation):
        with pytest.raises(ValueError, match=message):
            function(*arguments)


@pytest.mark.parametrize("function", [gaussian_jensen_shannon, gaussian_total_variation])
def test_univariate_only(function):
    with pytest.raises(ValueError, match="on the line, of numbers. Received: 2 dimensions"):
        function(np.zeros(2), np.eye(2), np.zeros(2), np.eye(2))


def test_covariances_whose_ratio_spans_more_than_float64():
    """1/2 [1e8 + 1e-12 - 2 - log(1e8 * 1e-12)]."""
    found = gaussian_kl([0, 0], np.diag([1e4, 1e-8]), [0, 0], np.diag([1e-4, 1e4]))
    assert found == pytest.approx((1e8 - 2 - np.log(1e-4)) / 2, rel=1e-9)


def test_wasserstein_distance_of_a_point():
    assert gaussian_wasserstein([0, 0], np.zeros((2, 2)), [3, 4], np.eye(2)) == pytest.approx(np.sqrt(27))
    assert gaussian_wasserstein([3, 4], np.eye(2), [0, 0], np.zeros((2, 2))) == pytest.approx(np.sqrt(27))


@pytest.mark.parametrize(
    "gaussians", [(0.0, 1.0, 1e200, 1.0), (0.0, 1.0, 0.0, 1e-320), (-1e308, 1e-300, 1e308, 2.0), (0.0, 1e300, 9.0, 1.0)]
)
def test_gaussians_with_nothing_in_common(gaussians):
    assert gaussian_total_variation(*gaussians) == 1.0
    assert gaussian_jensen_shannon(*gaussians) == pytest.approx(math.log(2), rel=1e-15)


@pytest.mark.parametrize("place, scale", [(1e6, 1e-6), (-1e3, 1e-9), (0.0, 1e120)])
def test_place_and_scale_change_nothing(place, scale):
    """2 and 3 are what two Gaussians that far apart, one of them thrice as wide, have in units of the narrower one."""
    first, second = place, place + 2 * scale
    shift = (second - first) / scale  # What rounding leaves of 2.
    moved = (first, scale**2, second, 9 * scale**2)
    for function in (gaussian_total_variation, gaussian_jensen_shannon):
        assert function(*moved) == pytest.approx(function(0.0, 1.0, shift, 9.0), rel=1e-9)


def test_means_far_apart():
    assert gaussian_wasserstein([0.0, 0.0], np.eye(2), [3e200, 4e200], np.eye(2)) == pytest.approx(5e200, rel=1e-15)
    assert gaussian_kl(0.0, 1.0, 1e200, 1.0) == math.inf


@pytest.mark.parametrize("d", [0.5, 2.0, 8.0])
@pytest.mark.parametrize("p", [1, 1.5, 2, 4])
def test_gaussians_that_differ_in_their_means_have_that_distance(d, p):
    """W_p of N(d/2, 1) and N(-d/2, 1) is d, for any p, and in any number of dimensions."""
    assert gaussian_wasserstein(d / 2, 1.0, -d / 2, 1.0, p) == d
    cov = np.array([[2.0, 0.5], [0.5, 1.0]])
    assert gaussian_wasserstein([d, 0.0], cov, [0.0, 0.0], cov, p) == d


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 6])
@pytest.mark.parametrize("mean", [0.0, 0.3, 2.0, 19.9, 20.1, 1e3])
def test_powers_of_univariate_gaussians_against_quadrature(mean, p):
    """Quantile against quantile: the integral of |mean + (3 - 2) z|^p over N(0, 1), on both sides of its kink."""
    ends = [-12.0, np.clip(-mean, -12, 12), 12.0]

    def density(z):
        return abs(mean + z) ** p * stats.norm.pdf(z)

    parts = [integrate.quad(density, *pair, epsabs=0, epsrel=1e-12, limit=200)[0] for pair in zip(ends, ends[1:])]
    rtol = 1e-6 if mean == 20.1 else 1e-9  # The remainder of the series.
    np.testing.assert_allclose(gaussian_wasserstein(mean, 9.0, 0.0, 4.0, p), sum(parts) ** (1 / p), rtol=rtol)


def test_powers_without_a_closed_form_are_refused():
    with pytest.raises(ValueError, match="closed form for p=2, or equal covariances. Received: p=1"):
        gaussian_wasserstein([0, 0], np.eye(2), [1, 0], 2 * np.eye(2), p=1)
    with pytest.raises(ValueError, match="at least 1. Received: p=0.5"):
        gaussian_wasserstein(0, 1, 1, 1, p=0.5)


def test_energy_distance():
    assert gaussian_energy_distance(0, 1, 1, 1) == pytest.approx(0.541807, abs=1e-6)
    assert gaussian_energy_distance(0, 1, 2, 1) == pytest.approx(1.944260, abs=1e-6)
    assert gaussian_energy_distance(1, 4, 1, 4) == pytest.approx(0, abs=1e-15)
    assert gaussian_energy_distance(0, 0, -3, 0) == 6  # Two points: twice their distance.


def test_the_cramer_distance_is_half_of_the_energy_distance():
    x = np.linspace(-12, 12, 24_001)
    difference = special.ndtr(x) - special.ndtr((x - 1) / 2)
    cramer = np.sum(difference**2) * (x[1] - x[0])
    assert gaussian_energy_distance(0, 1, 1, 4) == pytest.approx(2 * cramer, abs=1e-8)
