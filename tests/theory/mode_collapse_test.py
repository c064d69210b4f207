"""Mode collapse on the ring: how it is measured, and who collapses."""

import mode_collapse as experiment
import numpy as np
import pytest

import ganzoo

CENTERS = ganzoo.data.ring_centers(8)


def ring(count=2000, modes=8):
    rng = np.random.default_rng(0)
    return CENTERS[rng.integers(modes, size=count)] + experiment.STD * rng.standard_normal((count, 2))


def test_shares_are_those_of_the_nearest_modes():
    np.testing.assert_allclose(experiment.shares_of(ring(modes=4), CENTERS), [0.25] * 4 + [0.0] * 4, atol=0.04)
    np.testing.assert_array_equal(
        experiment.shares_of(1.1 * CENTERS[[3, 3, 5, 6]], CENTERS)[[3, 5, 6]], [0.5, 0.25, 0.25]
    )


def test_roundness_tells_a_curve_from_an_area():
    """A straight line through two modes, and the data themselves."""
    line = np.linspace(-1.1, 1.1, 2000)[:, None] * CENTERS[0]
    assert experiment.roundness(line, CENTERS) < 1e-6
    assert 0.55 < experiment.roundness(ring(), CENTERS) < 0.75
    assert np.isnan(experiment.roundness(np.zeros((100, 2)), CENTERS))


def test_changes_counts_new_leaders():
    shares = np.eye(8)[[0, 0, 3, 3, 1, 0]]
    assert experiment.changes(shares) == 3


def test_a_short_run_draws(tmp_path, capsys):
    results = experiment.compute(looks=2, steps=50, models=("GAN",))
    seen = results["GAN"]
    np.testing.assert_array_equal(seen["steps"], [50, 100])
    assert seen["samples"].shape == (2, 2500, 2) and seen["shares"].shape == (2, 8)
    np.testing.assert_allclose(seen["shares"].sum(axis=1), 1.0)
    results = dict.fromkeys(experiment.MODELS, seen)
    experiment.report(results)
    assert "GAN" in capsys.readouterr().out
    experiment.draw(results, tmp_path / "modes.png")
    experiment.draw_motion(results, tmp_path / "modes.gif")
    assert (tmp_path / "modes.png").stat().st_size > 10_000 and (tmp_path / "modes.gif").stat().st_size > 1_000


@pytest.fixture(scope="module")
def found():
    return {name: experiment.summary(seen) for name, seen in experiment.compute().items()}


@pytest.mark.slow
def test_the_gan_runs_around_the_ring(found):
    gan, wgan_gp = found["GAN"], found["WGAN-GP"]
    assert 2 <= gan["modes"] <= 6.5 and gan["fewest"] < 6
    assert gan["largest_share"] > 1.5 * wgan_gp["largest_share"] > 1.5 / 8  # 1 / 8 if all modes had their share.
    assert 20 <= gan["changes"] <= 29
    for name in found.keys() - {"GAN"}:
        assert gan["changes"] > 1.5 * found[name]["changes"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["WGAN-GP", "PacGAN, packs of 4"])
def test_a_distance_or_packs_hold_all_modes(found, name):
    assert found[name]["modes"] >= 7.5 and found[name]["fewest"] >= 6
    assert 0.125 <= found[name]["largest_share"] < 0.22


@pytest.mark.slow
def test_one_latent_makes_a_curve(found):
    assert found["WGAN-GP, one latent"]["modes"] >= 7
    assert found["WGAN-GP, one latent"]["roundness"] < 0.5 * found["WGAN-GP"]["roundness"]
