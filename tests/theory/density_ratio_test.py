"""D / (1 - D) against the true ratio, and the game's value against the Jensen-Shannon divergence."""

import density_ratio
import numpy as np
import pytest
from scipy import integrate, stats

EXACT_JS = {1.0: 0.1114, 2.0: 0.3368, 4.0: 0.6327}


@pytest.fixture(scope="module")
def results():
    return density_ratio.compute(thetas=(-1.0, 2.0), steps=1200, line_steps=400, descent_steps=12, count=20_000)


def test_the_ratio_is_that_of_the_densities(results):
    true, found = results["true_at_samples"], results["at_samples"]
    common = true > -3  # Below, hardly a sample is of p.
    assert 0.85 < common.mean() < 0.95
    assert 0.97 < np.corrcoef(true[common], found[common])[0, 1] <= 1.0
    assert np.median(np.abs(true - found)) < 0.2
    slope = np.polyfit(true[common], found[common], 1)[0]
    assert slope == pytest.approx(1.0, abs=0.12)
    assert results["mass"] == pytest.approx(1.0, abs=0.12)
    assert 0 < results["excess"] < 0.01


def test_the_true_ratio_is_that_of_the_samples():
    """E_q[p / q] = 1 and E_p[q / p] = 1 by sums; both densities integrate to 1."""
    rng = np.random.default_rng(0)
    q = density_ratio.draw_samples(density_ratio.GENERATED, 200_000, rng)
    assert np.exp(density_ratio.log_ratio(q)).mean() == pytest.approx(1.0, abs=0.02)
    side = np.linspace(-9, 9, 361)
    grid = np.stack(np.meshgrid(side, side), axis=-1)
    for mixture in (density_ratio.REAL, density_ratio.GENERATED):
        assert np.exp(density_ratio.log_density(mixture, grid)).sum() * 0.05**2 == pytest.approx(1.0, abs=1e-6)
    first = density_ratio.draw_samples(density_ratio.REAL, 200_000, rng)
    weights, means, deviations = density_ratio.REAL
    np.testing.assert_allclose(first.mean(axis=0), np.average(means, axis=0, weights=weights), atol=0.02)


def test_the_excess_is_a_kullback_leibler_divergence():
    """Of D* = 3/4 and D = 1/2: 3/4 log(3/2) + 1/4 log(1/2)."""
    expected = 0.75 * np.log(1.5) + 0.25 * np.log(0.5)
    assert density_ratio.excess(np.log([3.0]), np.zeros(1)) == pytest.approx(expected, rel=1e-9)
    assert density_ratio.excess(np.array([2.0, -5.0]), np.array([2.0, -5.0])) == pytest.approx(0.0, abs=1e-12)


def check_row(row):
    assert row["exact_value"] == pytest.approx(2 * EXACT_JS[abs(row["theta"])] - np.log(4), abs=2e-4)
    assert row["value"] == pytest.approx(row["exact_value"], abs=0.05)
    assert row["gradient"] == pytest.approx(row["exact_gradient"], abs=0.05)
    assert abs(row["exact_gradient"]) > 0.1


def test_the_value_of_the_game_is_2_js_minus_log_4(results):
    for row in results["game"]:
        check_row(row)
    assert results["game"][0]["gradient"] < 0 < results["game"][1]["gradient"]


def test_exact_gradient_by_quadrature():
    """Of 2 JS in theta, with D* fixed: E_q[-d D*(y)], d = theta, as D* falls from 1 to 0 where theta > 0."""
    theta = 2.0
    ratio = integrate.quad(
        lambda y: theta * stats.norm.pdf(y, theta) / (1 + np.exp(theta * (y - theta / 2))), -10, 12, limit=200
    )[0]
    assert density_ratio.exact_gradient(theta) == pytest.approx(ratio, rel=1e-4)
    assert density_ratio.exact_gradient(0.0) == pytest.approx(0.0, abs=1e-7)


def test_minimising_the_game_is_minimising_js(results):
    """The GAN follows gradient descent on 2 JS, step by step."""
    gan, exact = results["descent"].T
    assert gan[0] == exact[0] == 2.5
    assert abs(exact[-1]) < 0.02
    np.testing.assert_allclose(gan, exact, atol=0.2)
    assert abs(gan[-1]) < 0.1


def test_the_figure(results, tmp_path):
    density_ratio.draw(results, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


@pytest.mark.slow
def test_the_whole_curve():
    results = density_ratio.compute()
    values = {row["theta"]: row["value"] for row in results["game"]}
    assert min(values, key=values.get) == 0.0
    assert values[0.0] == pytest.approx(-np.log(4), abs=0.005)
    for row in results["game"]:
        assert row["value"] == pytest.approx(row["exact_value"], abs=0.03)
        assert row["gradient"] == pytest.approx(row["exact_gradient"], abs=0.02)
    common = results["true_at_samples"] > -3
    assert np.corrcoef(results["true_at_samples"][common], results["at_samples"][common])[0, 1] > 0.99
