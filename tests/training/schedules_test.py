import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.augmentation import ADA
from ganzoo.training.schedules import Cosine, HalfLife, ScheduledAdam, decay_of


def test_cosine_by_hand():
    schedule = Cosine(0.05, 0.005, total_steps=100)
    for step, value in ((0, 0.05), (25, 0.005 + 0.045 * (1 + 0.5**0.5) / 2), (50, 0.0275), (100, 0.005), (200, 0.005)):
        assert float(schedule(step)) == pytest.approx(value, rel=1e-5)
    assert float(schedule(tf.constant(50, "int64"))) == pytest.approx(0.0275, rel=1e-5)


def test_the_decay_of_a_half_life():
    """Of n / half-life steps, the decays multiply to one half."""
    assert decay_of(10_000, 32) == pytest.approx(0.99778439, abs=1e-8)
    assert decay_of(500_000, 64) == pytest.approx(0.99991128, abs=1e-8)
    schedule = HalfLife(Cosine(0.0, 40.0, total_steps=10))
    assert float(schedule(0)) == 0.0
    assert float(schedule(10)) ** 40 == pytest.approx(0.5, rel=1e-4)
    assert float(schedule(5)) ** 20 == pytest.approx(0.5, rel=1e-4)


@pytest.mark.parametrize("schedule", [Cosine(1.0, 2.0, 3), HalfLife(Cosine(0.0, 4.0, 5))])
def test_schedules_are_saved(schedule):
    config = keras.saving.serialize_keras_object(schedule)
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == schedule.get_config()
    assert float(again(2)) == float(schedule(2))


def test_adam_with_a_schedule_of_beta_2_by_hand():
    beta_2 = Cosine(0.5, 0.9, total_steps=2)
    optimizer = ScheduledAdam(0.1, beta_1=0.0, beta_2=beta_2, epsilon=0.0)
    variable, value, second = keras.Variable([1.0]), 1.0, 0.0
    optimizer.build([variable])
    for step, gradient in enumerate([2.0, -1.0, 0.5]):
        optimizer.apply([tf.constant([gradient])], [variable])
        beta = [0.5, 0.7, 0.9][step]
        second = beta * second + (1 - beta) * gradient**2
        value -= 0.1 * gradient / np.sqrt(second / (1 - beta ** (step + 1)))
        assert variable.numpy()[0] == pytest.approx(value, rel=1e-4)
    again = ScheduledAdam.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    assert float(ScheduledAdam(beta_2=0.9).beta_2) == 0.9


def test_ada_follows_a_schedule():
    augmentation = ADA(schedule=Cosine(0.0, 0.5, total_steps=2))
    found = [float(augmentation.p)]
    for _ in range(3):
        augmentation.after_step({}, 8)
        found.append(float(augmentation.p))
    np.testing.assert_allclose(found, [0.0, 0.25, 0.5, 0.5], atol=1e-6)
    assert ADA.from_config(augmentation.get_config()).schedule.get_config() == augmentation.schedule.get_config()
    with pytest.raises(ValueError, match="schedule"):
        ADA(schedule=0.5)


def test_a_penalty_on_a_schedule():
    """The loss of the third step holds the gamma of two steps done, and the log the penalty without it."""
    settings = {"hidden": (3,), "latent_dim": 2, "seed": 0}
    x = np.random.default_rng(0).normal(size=(4, 2)).astype("float32")
    losses = []
    for weight in (Cosine(1.0, 3.0, total_steps=4), 2.0):
        keras.utils.set_random_seed(0)
        gan = ganzoo.GAN.from_paper((2,), r1_weight=weight, **settings)
        gan.step.assign(2)
        losses.append(gan.test_on_batch(x, return_dict=True))
    assert losses[0]["r1"] > 1e-4
    np.testing.assert_allclose(*[[log["d_loss"], log["r1"]] for log in losses], rtol=1e-6)
    with pytest.raises(ValueError, match="r1_weight"):
        ganzoo.GAN.from_paper((2,), r1_weight="much", **settings)


def test_a_schedule_is_no_number():
    with pytest.raises(ValueError, match="half_life"):
        HalfLife(100.0)
