import keras
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
    sigmoid,
    weights_of,
)

LOGS = {"d_loss", "g_loss", "real_probability", "fake_probability", "gradient_penalty"}


def make(**overrides):
    settings = {"networks": ganzoo.networks.mlp, "hidden": (5,), "batch_normalization": True}
    return tiny(ganzoo.DRAGAN, (6, 4, 1), **{"gradient_penalty_weight": 0.1, **settings, **overrides})


@check_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


def test_one_update_by_hand():
    """D(x) = w x^2 + c, of gradient 2 w x: P = E[(2 |w x_hat| - 1)^2], dP/dw = E[2 (2 |w x_hat| - 1) 2 |x_hat|]."""
    model = compiled(ganzoo.DRAGAN(scalar_generator(), scalar_discriminator(keras.ops.square), seed=5))
    real = np.array([1.0, 0.4, -0.7])
    numbers = numbers_of(model)
    a, b, w, c = A, B, W, C
    fake = a * numbers.normal((3, 1)).numpy()[:, 0].astype("float64") + b
    noise, share = (numbers.uniform((3, 1)).numpy()[:, 0].astype("float64") for _ in range(2))
    noisy = real + 0.5 * real.std() * share * noise
    excess = 2 * np.abs(w * noisy) - 1
    real_error, fake_error = sigmoid(w * real**2 + c) - 1, sigmoid(w * fake**2 + c)
    w_gradient = np.mean(real_error * real**2) + np.mean(fake_error * fake**2)
    w_gradient += 10 * np.mean(2 * excess * 2 * np.abs(noisy))
    c_gradient = np.mean(real_error) + np.mean(fake_error)
    w, c = w - DISCRIMINATOR_RATE * w_gradient, c - DISCRIMINATOR_RATE * c_gradient
    latents = numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
    samples = a * latents + b
    slope = (sigmoid(w * samples**2 + c) - 1) * 2 * w * samples
    a, b = a - GENERATOR_RATE * np.mean(slope * latents), b - GENERATOR_RATE * np.mean(slope)

    logs = model.train_on_batch(real[:, None].astype("float32"), return_dict=True)
    np.testing.assert_allclose(weights_of(model), [a, b, w, c], rtol=1e-4)
    assert logs["gradient_penalty"] == pytest.approx(np.mean(excess**2), rel=1e-5)


def test_batch_normalization_is_refused():
    with pytest.raises(ValueError, match="batch normalization"):
        ganzoo.DRAGAN.from_paper((16, 16, 1), filters=2, normalization="batch")
