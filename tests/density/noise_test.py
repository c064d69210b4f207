"""Learned noise: its standard deviations, their bounds, and what is refused."""

import keras
import numpy as np
import pytest

from ganzoo.density.noise import LearnedNoise, inverse_softplus


def test_it_starts_at_the_initial_sigma_within_the_bounds():
    assert LearnedNoise((4, 4, 3)).sigma.shape == (4, 4, 1)
    # 0.313 lies above the bound of 0.3. Float32 rounds to 6e-8 of the value, and softplus is smooth.
    np.testing.assert_allclose(LearnedNoise((2,)).sigma, 0.3, rtol=1e-6)
    np.testing.assert_allclose(LearnedNoise((2,), initial_sigma=0.1).sigma, 0.1, rtol=1e-6)


@pytest.mark.parametrize("value", [1e-3, 0.3, 2.0])
def test_the_inverse_of_softplus(value):
    assert np.log1p(np.exp(inverse_softplus(value))) == pytest.approx(value, rel=1e-12)


def test_the_bounds_hold_after_an_update():
    noise = LearnedNoise((3,), sigma_min=0.05, sigma_max=0.2, initial_sigma=0.1)
    optimizer = keras.optimizers.SGD(100.0)
    optimizer.apply([np.array([-1.0, 0.0, 1.0], "float32")], [noise.raw_sigma])
    np.testing.assert_allclose(noise.sigma, [0.2, 0.1, 0.05], rtol=1e-6)


def test_round_trip():
    noise = LearnedNoise((2,), initial_sigma=0.2)
    assert LearnedNoise.from_config(noise.get_config()).get_config() == noise.get_config()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sigma_min": 0}, "`sigma_min` must be a finite number above 0. Received: sigma_min=0"),
        ({"sigma_max": float("inf")}, "`sigma_max` must be a finite number above 0. Received: sigma_max=inf"),
        ({"sigma_min": 0.5}, "`sigma_min` must be at most `sigma_max`. Received: sigma_min=0.5, sigma_max=0.3"),
        ({"initial_sigma": float("nan")}, "`initial_sigma` must be a finite number above 0. Received: .*nan"),
        ({"image_shape": (4, 4)}, "needs the number of channels"),
    ],
)
def test_refusals(arguments, words):
    with pytest.raises(ValueError, match=words):
        LearnedNoise(**{"image_shape": (2,), **arguments})
