import math

import numpy as np
import pytest

import ganzoo
from tests.check_model import check_conditional_model, check_model, tiny
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

LOGS = {"d_loss", "g_loss", "real_probability", "fake_probability"}


def make(**overrides):
    return tiny(ganzoo.GAN, (6, 4, 1), **{"hidden": (5,), "batch_normalization": True, **overrides})


def make_conditional(**overrides):
    return make(num_classes=3, **overrides)


@check_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


@check_conditional_model
def test_conditional_contract(check, tmp_path):
    check(make_conditional, LOGS, tmp_path)


MINIBATCHES = np.array([[1.0, -2.0, 0.5], [0.3, 2.5, -1.0]])


@pytest.mark.parametrize("minimax", [False, True])
@pytest.mark.parametrize("cls", [ganzoo.GAN, ganzoo.DCGAN])
def test_one_update_by_hand(cls, minimax):
    """k = 2 discriminator steps on a minibatch each, and one of the generator.

    With s = d(x) = w x + c and p = sigmoid(s):
        d/ds -log p = p - 1,   d/ds -log(1 - p) = p.
    """
    model = compiled(cls(scalar_generator(), scalar_discriminator(), minimax=minimax, discriminator_steps=2, seed=5))
    numbers = numbers_of(model)
    a, b, w, c = A, B, W, C
    for real in MINIBATCHES:
        fake = a * numbers.normal((3, 1)).numpy()[:, 0].astype("float64") + b
        real_error, fake_error = sigmoid(w * real + c) - 1, sigmoid(w * fake + c)
        w_gradient = np.mean(real_error * real) + np.mean(fake_error * fake)
        c_gradient = np.mean(real_error) + np.mean(fake_error)
        w, c = w - DISCRIMINATOR_RATE * w_gradient, c - DISCRIMINATOR_RATE * c_gradient
    latents = numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
    scores = w * (a * latents + b) + c
    # minimax: E[log(1 - p)], non-saturating: -E[log p].
    error = -sigmoid(scores) if minimax else sigmoid(scores) - 1
    a, b = a - GENERATOR_RATE * np.mean(error * w * latents), b - GENERATOR_RATE * np.mean(error * w)

    model.train_on_batch(MINIBATCHES.reshape(6, 1).astype("float32"))
    np.testing.assert_allclose(weights_of(model), [a, b, w, c], rtol=1e-5)


def test_a_discriminator_that_knows_nothing_has_the_loss_2_log_2():
    model = compiled(ganzoo.GAN(scalar_generator(), scalar_discriminator()))
    model.discriminator.set_weights([np.zeros((1, 1)), np.zeros(1)])
    logs = model.test_on_batch(np.ones((4, 1), "float32"), return_dict=True)
    assert logs["d_loss"] == pytest.approx(2 * math.log(2))
    assert logs["g_loss"] == pytest.approx(math.log(2))
    assert logs["real_probability"] == logs["fake_probability"] == pytest.approx(0.5)


def test_zero_centered_penalties():
    """D(x) = 1.5 x: both penalties are 1.5^2, and add gamma / 2 of it and its slope gamma * 1.5."""
    plain = compiled(ganzoo.GAN(scalar_generator(), scalar_discriminator(), seed=5))
    penalised = compiled(ganzoo.GAN(scalar_generator(), scalar_discriminator(), r1_weight=0.4, r2_weight=0.2, seed=5))
    ours, theirs = (model.train_on_batch(np.ones((4, 1), "float32"), return_dict=True) for model in (penalised, plain))
    assert ours["r1"] == ours["r2"] == pytest.approx(W**2)
    assert "r1" not in theirs
    assert ours["d_loss"] == pytest.approx(theirs["d_loss"] + 0.3 * W**2, rel=1e-5)
    assert weights_of(penalised)[2] == pytest.approx(weights_of(plain)[2] - DISCRIMINATOR_RATE * 0.6 * W, rel=1e-5)
    assert penalised.get_config()["r1_weight"] == 0.4
    with pytest.raises(ValueError, match="r2_weight"):
        ganzoo.GAN(scalar_generator(), scalar_discriminator(), r2_weight=-1.0)
