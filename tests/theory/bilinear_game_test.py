"""Gradient steps on L(a, b) = a b: the closed forms of their rates, and the paths."""

import bilinear_game
import numpy as np
import pytest

H, GAMMA = 0.2, 1.0
# Moduli of the eigenvalues, by hand. Simultaneous: 1 +- ih. Alternating: determinant 1, complex for h < 2. Optimistic,
# with z = a + ib: l^2 - (1 + 2ih) l + ih = 0. Penalised: determinant 1 - h gamma + h^2, complex for gamma < 2.
CLOSED_FORMS = {
    "simultaneous": np.sqrt(1 + H**2),
    "alternating": 1.0,
    "optimistic": np.sqrt((1 + np.sqrt(1 - 4 * H**2)) / 2),
    "penalised": np.sqrt(1 - H * GAMMA + H**2),
}


@pytest.fixture(scope="module")
def results():
    return bilinear_game.compute(rate=H, gamma=GAMMA)


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_eigenvalues_are_those_of_the_hand_calculation(results, name):
    np.testing.assert_allclose(results["predicted"][name], CLOSED_FORMS[name], rtol=1e-12)


@pytest.mark.parametrize("name", ["simultaneous", "optimistic", "penalised"])
def test_observed_growth_rate_is_that_of_the_eigenvalue_to_one_percent(results, name):
    """The rate is the logarithm: of factors near 1, one per cent would say nothing."""
    np.testing.assert_allclose(np.log(results["observed"][name]), np.log(CLOSED_FORMS[name]), rtol=0.01)


def test_observed_rates_over_learning_rates(results):
    for name in ("simultaneous", "optimistic", "penalised"):
        # Where two eigenvalues meet, powers of the step join the exponential: h = 1/2 for the optimistic steps.
        apart = np.abs(results["rates"] - 0.5) > 0.01
        predicted = [bilinear_game.predicted_factor(name, h, GAMMA) for h in results["rates"][apart]]
        observed = np.array(results["observed_over_rates"][name])[apart]
        np.testing.assert_allclose(np.log(observed), np.log(predicted), rtol=0.01, err_msg=name)


def test_who_spirals_out_who_orbits_who_arrives(results):
    first, last = {}, {}
    for name, path in results["paths"].items():
        first[name], last[name] = np.linalg.norm(path[0]), np.linalg.norm(path[-1])
    assert set(first.values()) == {1.0}
    np.testing.assert_allclose(last["simultaneous"], CLOSED_FORMS["simultaneous"] ** 60, rtol=1e-12)
    assert last["penalised"] < last["averaged"] < last["optimistic"] < 0.5


def test_each_path_obeys_its_matrix(results):
    """`play` knows no matrix, and `update_matrix` no gradient."""
    for name in ("simultaneous", "alternating", "penalised"):
        path = results["paths"][name]
        np.testing.assert_allclose(path[1:], path[:-1] @ bilinear_game.update_matrix(name, H, GAMMA).T, atol=1e-12)
    path = results["paths"]["optimistic"]
    states = np.concatenate([path[1:-1], path[:-2]], axis=1)
    matrix = bilinear_game.update_matrix("optimistic", H, GAMMA)
    np.testing.assert_allclose(path[2:], (states @ matrix.T)[:, :2], atol=1e-12)


def test_the_orbit_is_an_ellipse_that_never_drifts():
    """a^2 + b^2 - h a b is the same after each alternating step."""
    a, b = bilinear_game.play("alternating", H, GAMMA, 10_000).T
    np.testing.assert_allclose(a**2 + b**2 - H * a * b, 1.0, rtol=1e-10)


def test_the_average_is_its_geometric_series(results):
    """mean of x_0 .. x_t = (I - M)^-1 (I - M^(t + 1)) x_0 / (t + 1): it falls as 1 / t."""
    matrix = bilinear_game.update_matrix("alternating", H, GAMMA)
    identity = np.eye(2)
    t = 60
    series = np.linalg.solve(identity - matrix, (identity - np.linalg.matrix_power(matrix, t + 1)) @ [1.0, 0.0])
    np.testing.assert_allclose(results["paths"]["averaged"][t], series / (t + 1), rtol=1e-9)
    np.testing.assert_allclose(results["power"], -1.0, atol=0.01)


def test_optimism_converges_up_to_one_over_root_three(results):
    np.testing.assert_allclose(results["largest_optimistic_rate"], 1 / np.sqrt(3), rtol=1e-6)
    assert np.linalg.norm(bilinear_game.play("optimistic", 0.56, GAMMA, 3000)[-1]) < 1e-3
    assert np.linalg.norm(bilinear_game.play("optimistic", 0.60, GAMMA, 3000)[-1]) > 1e3


def test_a_wgan_plays_the_alternating_game(results):
    assert len(results["wgan"]) == 61
    np.testing.assert_allclose(results["wgan"], results["paths"]["alternating"], atol=1e-5)
    assert np.ptp(results["wgan"], axis=0).min() > 1.9


def test_the_figures(results, tmp_path):
    bilinear_game.draw(results, tmp_path / "game.png")
    bilinear_game.draw_motion(results, tmp_path / "game.gif", every=30)
    assert (tmp_path / "game.png").stat().st_size > 10_000 and (tmp_path / "game.gif").stat().st_size > 1_000
