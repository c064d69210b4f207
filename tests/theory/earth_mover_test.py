import earth_mover
import numpy as np
import pytest
from scipy.spatial.distance import cdist


@pytest.fixture(scope="module")
def results():
    return earth_mover.compute(seed=0)


def test_primal_and_dual_have_the_same_value(results):
    for part in results.values():
        assert part["dual"] == pytest.approx(part["work"], rel=1e-9)


def test_four_ways_to_the_same_number(results):
    """By the plan, the potential, the quantiles, and the area between the distribution functions: 59 / 20 by hand."""
    line = results["line"]
    for name in ("work", "dual", "work of quantiles", "area between distribution functions"):
        assert line[name] == pytest.approx(2.95, abs=1e-9)


def test_plan_moves_p_to_q(results):
    line = results["line"]
    np.testing.assert_allclose(line["plan"].sum(axis=1), line["p"], atol=1e-12)
    np.testing.assert_allclose(line["plan"].sum(axis=0), line["q"], atol=1e-12)
    assert np.sum(line["plan"] * line["cost"]) == pytest.approx(line["work"], abs=1e-12)


def test_other_plans_cost_more(results):
    line = results["line"]
    assert line["work"] * 1.001 < line["work of the blurred plan"] < line["work without a plan"] * 0.9


def test_slope_is_at_most_1_and_1_where_mass_moves(results):
    line = results["line"]
    f = line["potential"]
    assert np.abs(np.diff(f)).max() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(line["other_potential"], -f, atol=1e-12)
    moved = line["plan"] > 1e-9
    np.testing.assert_allclose((f[:, None] - f)[moved], line["cost"][moved], atol=1e-9)


def test_critic_in_the_plane(results):
    """Not only at the samples: slope 1 along each way and no more anywhere; the means differ by the work."""
    plane = results["plane"]
    assert plane["difference of means"] == pytest.approx(plane["work"], rel=1e-9)
    points = np.random.default_rng(1).uniform(-3, 3, size=(300, 2))
    values, ways = plane["critic"](points), cdist(points, points)
    slopes = np.abs(values[:, None] - values)[ways > 0] / ways[ways > 0]
    assert 0.9 < slopes.max() <= 1 + 1e-9
    i, j = np.nonzero(plane["plan"] > 1e-9)
    start, end = plane["x"][i], plane["y"][j]
    middle = start + 0.3 * (end - start)
    way = np.linalg.norm(middle - start, axis=1)
    np.testing.assert_allclose(plane["critic"](start) - plane["critic"](middle), way, atol=1e-9)


def test_draws_and_reports(results, tmp_path, capsys):
    earth_mover.report(results)
    assert "dual                                  2.950000" in capsys.readouterr().out
    earth_mover.draw(results, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000
