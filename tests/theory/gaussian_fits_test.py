import math

import gaussian_fits
import numpy as np
import pytest

from ganzoo import divergences


@pytest.fixture(scope="module")
def results():
    return gaussian_fits.compute()


def test_shifted_gaussians(results):
    """KL is half of the squared shift in both directions, JS has the numbers of the integral and stays below log 2."""
    table = results["shifts"]
    shifts = table["values"]
    np.testing.assert_allclose(table["KL(p || q)"], shifts**2 / 2, atol=1e-12)
    np.testing.assert_allclose(table["KL(q || p)"], shifts**2 / 2, atol=1e-12)
    for shift, expected in ((1, 0.1114), (2, 0.3368), (4, 0.6327), (6, 0.6893)):
        assert table["JS(p, q)"][np.argmin(np.abs(shifts - shift))] == pytest.approx(expected, abs=1e-4)
    assert (np.diff(table["JS(p, q)"]) > 0).all() and table["JS(p, q)"].max() < math.log(2)


def test_kl_is_not_symmetric(results):
    """KL(N(0, 1) || N(0, s^2)) = log s + 1 / (2 s^2) - 1/2. It is dear to be too narrow, cheap to be too wide."""
    table = results["widths"]
    widths = table["values"]
    np.testing.assert_allclose(table["KL(p || q)"], np.log(widths) + 0.5 / widths**2 - 0.5, atol=1e-12)
    np.testing.assert_allclose(table["KL(q || p)"], -np.log(widths) + widths**2 / 2 - 0.5, atol=1e-12)
    np.testing.assert_allclose(table["JS(p, q)"], table["JS(p, q)"][::-1], atol=1e-12)
    narrow, wide = table["KL(p || q)"][[0, -1]]
    assert narrow / wide == pytest.approx(6.1137 / 0.9175, rel=1e-3)


def test_cells_agree_with_the_closed_forms():
    p, q = gaussian_fits.gaussian(0.5, 1.2), gaussian_fits.gaussian(-1.0, 0.8)
    closed = (0.5, 1.44, -1.0, 0.64)
    assert divergences.kl(p, q) == pytest.approx(divergences.gaussian_kl(*closed), abs=1e-9)
    assert divergences.jensen_shannon(p, q) == pytest.approx(divergences.gaussian_jensen_shannon(*closed), abs=1e-9)
    assert divergences.total_variation(p, q) == pytest.approx(divergences.gaussian_total_variation(*closed), abs=1e-4)


def test_kl_covers_both_modes(results):
    """The only minimum has the mean and the variance of p: 0 and 3^2 + 0.7^2. Much of q lies where p has nothing."""
    (fit,) = results["fits"]["KL(p || q)"]
    assert fit["mean"] == pytest.approx(0, abs=1e-3)
    assert fit["std"] == pytest.approx(math.sqrt(9.49), abs=1e-3)
    in_the_gap = gaussian_fits.in_the_gap(gaussian_fits.gaussian(fit["mean"], fit["std"]))
    assert gaussian_fits.in_the_gap(results["p"]) == pytest.approx(0.016, abs=1e-3)
    assert in_the_gap == pytest.approx(math.erf(1.5 / math.sqrt(2 * 9.49)), abs=5e-3)


def test_reverse_kl_seeks_one_mode(results):
    """Either of the two, at the price of log 2 for the other one; between them there is a bad local minimum."""
    right, left, middle = results["fits"]["KL(q || p)"]
    for fit, mode in ((right, 3), (left, -3)):
        assert fit["mean"] == pytest.approx(mode, abs=1e-3)
        assert fit["std"] == pytest.approx(0.7, abs=1e-3)
        assert fit["value"] == pytest.approx(math.log(2), abs=1e-3)
    assert middle["mean"] == pytest.approx(0, abs=1e-3) and middle["value"] > 2


def test_jensen_shannon_stands_between(results):
    """It seeks a mode, but hardly gains by it: JS of p from one of its halves is (3 log(4/3)) / 4 = 0.2158."""
    right, left, middle = results["fits"]["JS(p, q)"]
    assert abs(right["mean"]) == pytest.approx(3, abs=1e-3) and left["mean"] == pytest.approx(-right["mean"], abs=1e-3)
    assert right["std"] == pytest.approx(0.7, abs=1e-3)
    assert right["value"] == pytest.approx(0.75 * math.log(4 / 3), abs=1e-3)
    assert middle["mean"] == pytest.approx(0, abs=1e-3) and middle["std"] == pytest.approx(3.05, abs=0.02)
    assert right["value"] < middle["value"] < 1.02 * right["value"]


def test_jensen_shannon_covers_modes_that_are_closer(results):
    best = results["fits of closer modes"]["JS(p, q)"][0]
    assert best["mean"] == pytest.approx(0, abs=1e-3) and best["std"] == pytest.approx(2.09, abs=0.01)
    p = np.mean([gaussian_fits.gaussian(mean, 0.7) for mean in (-2, 2)], axis=0)
    of_one_mode = divergences.jensen_shannon(p, gaussian_fits.gaussian(2, 0.7))
    assert 1.7 * best["value"] < of_one_mode < 2 * best["value"]


def test_profiles_pass_through_the_fits(results):
    for name, fits in results["fits"].items():
        at_fits = np.interp([fit["mean"] for fit in fits], results["means"], results["profiles"][name])
        np.testing.assert_allclose(at_fits, [fit["value"] for fit in fits], atol=0.01)
        assert results["profiles"][name].min() >= fits[0]["value"] - 1e-9


def test_draws_and_reports(results, tmp_path, capsys):
    gaussian_fits.report(results)
    assert "least KL(p || q): mean" in capsys.readouterr().out
    gaussian_fits.draw(results, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000
