import math

import numpy as np
import parallel_lines
import pytest

from ganzoo import divergences


@pytest.mark.parametrize("theta", [-2.0, -0.5, 1e-3, 0.1, 1.0])
def test_exact_distances_of_distinct_lines(theta):
    found = parallel_lines.distances(theta)
    assert found["KL"] == math.inf
    assert found["JS"] == pytest.approx(math.log(2), abs=1e-12)
    assert found["TV"] == pytest.approx(1, abs=1e-12)
    assert found["W"] == pytest.approx(abs(theta), abs=1e-12)


def test_exact_distances_of_equal_lines():
    """W arrives at 0 continuously, the others jump."""
    assert parallel_lines.distances(0.0) == {"KL": 0.0, "JS": 0.0, "TV": 0.0, "W": 0.0}


@pytest.mark.parametrize("name, end", [("KL", 0.5), ("JS", 0.5), ("TV", 0.5), ("W", 0.0)])
def test_exact_gradients(name, end):
    """The gradient of W is the sign of theta: 25 steps of 0.02 arrive exactly. Those of the others are 0 or none."""
    path = parallel_lines.descend(name, 0.5, 0.02, 25)
    assert path[-1] == pytest.approx(end, abs=1e-9)


def test_trained_networks_see_the_same():
    for theta in (0.5, 2.0):
        found = parallel_lines.estimates(theta, steps=1000, seed=0)
        assert found["w"] == pytest.approx(theta, rel=0.02)
        assert 0.69 <= found["js"] <= math.log(2) + 1e-6
        assert found["w_gradient"] == pytest.approx(1 + theta / 20, abs=0.03)  # 1 + W / (2 lambda)
        assert 0 < found["js_gradient"] < 0.01


def test_line_is_what_it_says():
    """Its latents become points with x = theta and y uniform."""
    points = np.array(parallel_lines.Line(0.7)(np.random.default_rng(0).normal(size=(5000, 1)).astype("float32")))
    np.testing.assert_allclose(points[:, 0], 0.7, atol=1e-6)
    uniform = (np.arange(5000) + 0.5) / 5000
    assert divergences.wasserstein_1d(points[:, 1], uniform) < 0.01


@pytest.fixture(scope="module")
def results():
    return parallel_lines.compute(seed=0)


@pytest.mark.slow
def test_estimates_over_theta(results):
    slope, r_squared = parallel_lines.fit_of_proportion(results)
    assert slope == pytest.approx(1, abs=0.02) and r_squared > 0.99
    for row in results["estimates"]:
        assert row["w"] == pytest.approx(row["theta"], rel=0.04)
        assert 0.69 <= row["js"] <= math.log(2) + 1e-6


@pytest.mark.slow
def test_gradients_over_theta(results):
    for row in results["estimates"]:
        assert row["w_gradient"] == pytest.approx(1 + row["theta"] / 20, abs=0.03)
        assert 0 < row["js_gradient"] < (0.005 if row["theta"] >= 0.25 else 0.05)


@pytest.mark.slow
def test_only_wasserstein_arrives(results):
    for name in ("KL", "JS", "TV"):
        assert results["paths"][name][-1] == pytest.approx(1, abs=0.01)
    path = results["paths"]["W"]
    assert path[25] == pytest.approx(0.5, abs=0.1)
    assert path[:45].min() > 0 and np.abs(path[80:]).max() < 0.03


@pytest.mark.slow
def test_draws_and_reports(results, tmp_path, capsys):
    parallel_lines.report(results)
    assert "theta 1, exact: KL inf, JS 0.6931, TV 1.0000, W 1.0000" in capsys.readouterr().out
    parallel_lines.draw(results, tmp_path / "figure.png")
    parallel_lines.animate(results, tmp_path / "film.gif", frames=3)
    assert (tmp_path / "figure.png").stat().st_size > 10_000
    assert (tmp_path / "film.gif").stat().st_size > 2_000
