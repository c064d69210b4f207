import numpy as np
import pytest

import ganzoo
from tests.check_model import check_model, tiny
from tests.scalar_networks import (
    DISCRIMINATOR_RATE,
    GENERATOR_RATE,
    A,
    B,
    C,
    W,
    compiled,
    numbers_of,
    scalar_discriminator,
    scalar_generator,
    weights_of,
)

LOGS = {"d_loss", "g_loss", "real_score", "fake_score"}


def make(**overrides):
    settings = {"networks": ganzoo.networks.mlp, "hidden": (5,), "batch_normalization": True}
    return tiny(ganzoo.LSGAN, (6, 4, 1), **{**settings, **overrides})


@check_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


def test_one_update_by_hand():
    """With s = w x + c, the slope of (s - 1)^2 / 2 is s - 1, that of s^2 / 2 is s."""
    model = compiled(ganzoo.LSGAN(scalar_generator(), scalar_discriminator(), discriminator_steps=2, seed=5))
    minibatches = np.array([[1.0, -0.2, 0.5], [0.3, 0.8, -1.0]])
    numbers = numbers_of(model)
    a, b, w, c = A, B, W, C
    losses = []
    for real in minibatches:
        fake = a * numbers.normal((3, 1)).numpy()[:, 0].astype("float64") + b
        real_slope, fake_slope = w * real + c - 1, w * fake + c
        losses.append((np.mean(real_slope**2) + np.mean(fake_slope**2)) / 2)
        w_gradient = np.mean(real_slope * real) + np.mean(fake_slope * fake)
        c_gradient = np.mean(real_slope) + np.mean(fake_slope)
        w, c = w - DISCRIMINATOR_RATE * w_gradient, c - DISCRIMINATOR_RATE * c_gradient
    latents = numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
    slope = w * (a * latents + b) + c - 1
    loss = np.mean(slope**2) / 2
    a, b = a - GENERATOR_RATE * np.mean(slope * w * latents), b - GENERATOR_RATE * np.mean(slope * w)

    logs = model.train_on_batch(minibatches.reshape(6, 1).astype("float32"), return_dict=True)
    np.testing.assert_allclose(weights_of(model), [a, b, w, c], rtol=1e-5)
    assert logs["d_loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert logs["g_loss"] == pytest.approx(loss, rel=1e-5)
