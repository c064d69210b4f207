"""WGAN's Figure 2: a discriminator and critics between two Gaussians."""

import critic_and_discriminator
import numpy as np
import pytest

# JS by quadrature, and the limit is log 2 = 0.6931.
EXACT_JS = {1.0: 0.1114, 2.0: 0.3368, 4.0: 0.6327, 6.0: 0.6893, 8.0: 0.6930}


@pytest.fixture(scope="module")
def results():
    return critic_and_discriminator.compute(distances=(2.0,), steps=600)


def test_the_critics_gradient_reaches_everywhere_and_the_discriminators_does_not(results):
    flatness = {
        name: critic_and_discriminator.flatness(gradient)
        for name, gradient in critic_and_discriminator.gradients(results).items()
    }
    assert 0.1 <= flatness["penalty"] <= 1.0
    assert 0.1 <= flatness["clip"] <= 1.0
    assert 0.0 < flatness["discriminator"] < 1e-3


def test_the_discriminator_is_the_optimal_one(results):
    """D*(x) = 1 / (1 + exp(-6 x)). Where the two densities are below 1e-3, no sample says what D is."""
    probabilities = critic_and_discriminator.sigmoid(results["logits"])
    exact = critic_and_discriminator.sigmoid(6.0 * results["points"])
    np.testing.assert_allclose(probabilities, exact, atol=0.1)
    assert 0.9 < np.abs(probabilities - 0.5).max() / 0.5 <= 1.0


def test_the_critic_is_a_straight_line_of_slope_one(results):
    """1 + W / (2 lambda) = 1.03 between the means; both critics rise everywhere."""
    inside = np.abs(results["points"]) < 3
    assert results["critic_slopes"]["penalty"][inside].mean() == pytest.approx(1.03, abs=0.02)
    # A network of rectifiers has kinks, which are narrow.
    assert np.mean(np.abs(results["critic_slopes"]["penalty"][inside] - 1.03) < 0.15) > 0.9
    assert all(slope.min() > 0 for slope in results["critic_slopes"].values())


def test_gradients_on_the_generated_samples(results):
    """At x = -3: D* = 1.5e-8. The minimax loss has the gradient -6 D*, the non-saturating one -6 (1 - D*) = -6."""
    at = np.argmin(np.abs(results["points"] + 3))
    gradients = {name: each[at] for name, each in critic_and_discriminator.gradients(results).items()}
    assert 1e-11 < gradients["minimax"] < 1e-4
    assert 3.0 < gradients["non-saturating"] < 12.0
    assert gradients["penalty"] == pytest.approx(1.03, abs=0.15)


def test_slopes_are_derivatives(results):
    points = results["points"]
    for slope, value in (
        (results["logit_slopes"], results["logits"]),
        (results["critic_slopes"]["penalty"], results["critics"]["penalty"]),
    ):
        np.testing.assert_allclose(slope[1:-1].mean(), (np.diff(value) / np.diff(points)).mean(), rtol=0.01)
    probabilities = critic_and_discriminator.sigmoid(results["logits"])
    rise = np.trapezoid(critic_and_discriminator.gradients(results)["discriminator"], points)
    assert rise == pytest.approx(probabilities[-1] - probabilities[0], rel=0.01)


def check_row(row):
    d = row["distance"]
    assert row["exact_js"] == pytest.approx(EXACT_JS[d], abs=6e-5)
    assert row["js"] == pytest.approx(row["exact_js"], abs=0.02)
    # Five standard deviations of the difference of means on 5,000 held-out samples, and 1 %.
    assert row["w"] == pytest.approx(d, abs=0.1 + 0.01 * d)
    assert row["critic_gradient"] == pytest.approx(1.0, abs=0.1)


def test_values_at_distance_2(results):
    (row,) = results["over_distance"]
    check_row(row)
    assert row["minimax_gradient"] == pytest.approx(row["exact_minimax_gradient"], rel=0.1)


def test_exact_gradient_against_a_sum():
    y = np.random.default_rng(0).normal(-1.0, 1.0, 400_000)
    exact = critic_and_discriminator.exact_minimax_gradient(2.0)
    assert exact == pytest.approx(np.mean(2 / (1 + np.exp(-2 * y))), rel=0.01)


def test_the_figure(results, tmp_path):
    critic_and_discriminator.draw(results, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


@pytest.mark.slow
def test_values_over_the_distance():
    """JS stops at log 2 and its gradient vanishes; W and the critic's gradient go on."""
    rows = critic_and_discriminator.compute()["over_distance"]
    for row in rows:
        check_row(row)
    minimax = [row["minimax_gradient"] for row in rows]
    assert minimax[-1] < 1e-2 * minimax[0]
    for row in rows[:-1]:
        assert row["minimax_gradient"] == pytest.approx(row["exact_minimax_gradient"], rel=0.5)
    assert rows[-1]["js"] >= 0.69
