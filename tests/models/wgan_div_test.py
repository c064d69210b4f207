import keras
import numpy as np
import pytest

import ganzoo
from tests.check_model import (
    config_round_trip,
    each_optimizer_moves_its_own_network,
    logs_of_one_step,
    replicas_agree,
    resumes_with_the_same_bits,
    tiny,
)
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

LOGS = {"d_loss", "g_loss", "wasserstein", "gradient_power"}


def make(**overrides):
    settings = {"hidden": (4,), "discriminator_steps": 2, "batch_normalization": True}
    return tiny(ganzoo.WGANDiv, (2,), **{**settings, **overrides})


# The step is that of WGAN-GP. What the penalty may change:
@pytest.mark.parametrize(
    "check",
    [
        config_round_trip,
        logs_of_one_step,
        each_optimizer_moves_its_own_network,
        resumes_with_the_same_bits,
        replicas_agree,
    ],
    ids=lambda check: check.__name__,
)
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


def test_settings_of_the_paper():
    model = ganzoo.WGANDiv.from_paper((16, 16, 1), filters=2)
    assert (model.gradient_penalty_weight, model.power) == (2.0, 6.0)


def test_one_update_by_hand():
    """D(x) = w x^2 + c, of slope 2 w x: P = E[(2 |w x_hat|)^p], and dP/dw = p P / w for w > 0."""
    model = compiled(
        ganzoo.WGANDiv(
            scalar_generator(), scalar_discriminator(keras.ops.square), power=4.0, discriminator_steps=1, seed=5
        )
    )
    real = np.array([0.5, 0.4, -0.7])
    numbers = numbers_of(model)
    a, b, w, c = A, B, W, C
    fake = a * numbers.normal((3, 1)).numpy()[:, 0].astype("float64") + b
    epsilon = numbers.uniform((3, 1)).numpy()[:, 0].astype("float64")
    power = np.mean((2 * np.abs(w * (epsilon * real + (1 - epsilon) * fake))) ** 4)
    wasserstein = w * (np.mean(real**2) - np.mean(fake**2))
    loss = -wasserstein + 2 * power
    w -= DISCRIMINATOR_RATE * (-wasserstein / w + 2 * 4 * power / w)
    latents = numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
    slope = -w * 2 * (a * latents + b)  # d/dx of -D(x)
    a, b = a - GENERATOR_RATE * np.mean(slope * latents), b - GENERATOR_RATE * np.mean(slope)

    logs = model.train_on_batch(real[:, None].astype("float32"), return_dict=True)
    np.testing.assert_allclose(weights_of(model), [a, b, w, c], rtol=1e-4)
    assert logs["gradient_power"] == pytest.approx(power, rel=1e-4)
    assert logs["d_loss"] == pytest.approx(loss, rel=1e-4)


def test_a_slope_of_two_costs_128():
    generator, critic = scalar_generator(), scalar_discriminator()
    critic.set_weights([np.full((1, 1), 2.0), np.zeros(1)])
    generator.set_weights([np.zeros((1, 1)), np.ones(1)])
    model = compiled(ganzoo.WGANDiv(generator, critic))
    logs = model.test_on_batch(np.ones((4, 1), "float32"), return_dict=True)  # real = fake = 1: the estimate is 0
    assert logs["d_loss"] == pytest.approx(128.0)


@pytest.mark.parametrize("power", [1.5, "6", np.nan])
def test_a_power_below_two_is_refused(power):
    with pytest.raises(ValueError, match="power"):
        ganzoo.WGANDiv(scalar_generator(), scalar_discriminator(), power=power)


def test_batch_normalization_is_refused():
    with pytest.raises(ValueError, match="batch normalization"):
        ganzoo.WGANDiv.from_paper((16, 16, 1), filters=2, normalization="batch")
