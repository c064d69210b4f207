import math

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

LOGS = {"d_loss", "g_loss", "score_gap", "r1", "r2"}


def make(**overrides):
    # Batch normalization, so that the contract that watches its statistics has some; the paper's model has none.
    settings = {"networks": ganzoo.networks.mlp, "hidden": (5,), "batch_normalization": True}
    return tiny(ganzoo.R3GAN, (6, 4, 1), **{"r1_weight": 0.1, "r2_weight": 0.1, **settings, **overrides})


@check_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


def test_one_update_by_hand():
    """D(x) = w x^2 + c: pairs differ by w (x^2 - y^2), and R1 is 4 w^2 E[x^2]. c has no gradient."""
    model = compiled(
        ganzoo.R3GAN(scalar_generator(), scalar_discriminator(keras.ops.square), r1_weight=0.3, r2_weight=0.7, seed=5)
    )
    real = np.array([1.0, 0.4, -0.7])
    numbers = numbers_of(model)
    a, b, w, c = A, B, W, C
    fake = a * numbers.normal((3, 1)).numpy()[:, 0].astype("float64") + b
    gap = real**2 - fake**2
    loss = np.mean(np.log1p(np.exp(-w * gap)))
    r1, r2 = 4 * w**2 * np.mean(real**2), 4 * w**2 * np.mean(fake**2)
    loss += 0.15 * r1 + 0.35 * r2
    w_gradient = np.mean((sigmoid(w * gap) - 1) * gap)
    w_gradient += 0.15 * 8 * w * np.mean(real**2) + 0.35 * 8 * w * np.mean(fake**2)
    score_gap = w * np.mean(gap)
    w -= DISCRIMINATOR_RATE * w_gradient
    latents = numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
    samples = a * latents + b
    # The generator wants its sample above the real one of the pair.
    slope = (sigmoid(w * (samples**2 - real**2)) - 1) * 2 * w * samples
    a, b = a - GENERATOR_RATE * np.mean(slope * latents), b - GENERATOR_RATE * np.mean(slope)

    logs = model.train_on_batch(real[:, None].astype("float32"), return_dict=True)
    np.testing.assert_allclose(weights_of(model), [a, b, w, c], rtol=1e-4)
    for name, value in (("d_loss", loss), ("r1", r1), ("r2", r2), ("score_gap", score_gap)):
        assert logs[name] == pytest.approx(value, rel=1e-4), name


def test_a_discriminator_that_knows_nothing_has_the_loss_log_2():
    model = compiled(ganzoo.R3GAN(scalar_generator(), scalar_discriminator()))
    model.discriminator.set_weights([np.zeros((1, 1)), np.zeros(1)])
    logs = model.test_on_batch(np.ones((4, 1), "float32"), return_dict=True)
    assert logs["d_loss"] == pytest.approx(math.log(2))
    assert logs["g_loss"] == pytest.approx(math.log(2))


def test_batch_normalization_is_refused():
    with pytest.raises(ValueError, match="batch normalization"):
        ganzoo.R3GAN.from_paper((16, 16, 1), filters=2, normalization="batch")
