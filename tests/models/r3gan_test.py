import math

import keras
import numpy as np
import pytest

import ganzoo
from tests.check_model import (
    check_model,
    config_round_trip,
    replicas_agree,
    resumes_with_the_same_bits,
    tiny,
    train,
    trains_in_half_precision,
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


def make_scheduled(**overrides):
    """The networks and the schedules of the paper; two groups, so that the grouped convolution is one."""
    small = {"filters": 4, "blocks": 1, "cardinality": 2, "total_steps": 4}
    return tiny(ganzoo.R3GAN, (8, 8, 1), **{**small, **overrides})


@pytest.mark.parametrize(
    "check",
    [config_round_trip, resumes_with_the_same_bits, trains_in_half_precision],
    ids=lambda check: check.__name__,
)
def test_contract_of_networks_and_schedules(check, tmp_path):
    check(make_scheduled, LOGS, tmp_path)


def make_on_the_way(**overrides):
    """The last convolutions of the blocks are not 0 any more, so all kernels have a gradient."""
    model = make_scheduled(**overrides)
    for network in (model.generator, model.discriminator):
        for layer in network.layers:
            if layer.name.endswith("contract"):
                values = np.random.default_rng(0).normal(size=layer.kernel.shape)
                layer.kernel.assign(0.3 * values)
    return model


def test_replicas_agree(tmp_path):
    replicas_agree(make_on_the_way, LOGS, tmp_path)


def test_the_schedules_of_the_paper():
    model = make_scheduled(run_eagerly=True)
    train(model, steps=2)
    assert model.step == 2  # The middle of a training of 4 steps, and of each cosine.
    for weight in (model.r1_weight, model.r2_weight):
        assert float(weight(model.step)) == pytest.approx((0.05 + 0.005) / 2)
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert float(optimizer.learning_rate) == pytest.approx((2e-4 + 5e-5) / 2)
        assert float(optimizer.beta_2) == pytest.approx((0.9 + 0.99) / 2) and optimizer.beta_1 == 0.0
    assert float(model.augmentation.p) == pytest.approx(0.55 / 2)
    assert float(model.ema_decay(model.step)) == pytest.approx(0.5 ** (1 / 0.5))  # Half of a quarter of 4 steps.


def test_fit_says_that_the_schedules_are_too_long(capsys):
    """A training of 2 steps is at least half as long as schedules over 4, and less than half as long as over 5."""
    points = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    small = {"networks": ganzoo.networks.mlp, "hidden": (3,), "schedules": True, "run_eagerly": True}
    for total_steps in (4, 5):
        model = tiny(ganzoo.R3GAN, (2,), total_steps=total_steps, **small)
        model.fit(points, None, 4, verbose=2, check=False)
        told = "go over 5 steps, and this training ends at step 2. " in capsys.readouterr().out
        assert told == (total_steps == 5)


def test_other_networks_have_no_schedules():
    model = ganzoo.R3GAN.from_paper((16, 16, 1), networks=ganzoo.networks.dcgan, filters=2)
    assert model.r1_weight == model.r2_weight == 1.0 and model.ema_decay is None and model.augmentation is None
    assert model.generator_optimizer.beta_2 == 0.99
    with pytest.raises(ValueError, match="total_steps"):
        ganzoo.R3GAN.from_paper((8, 8, 1), filters=2, total_steps=0)


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
        ganzoo.R3GAN.from_paper((16, 16, 1), networks=ganzoo.networks.dcgan, filters=2, normalization="batch")
