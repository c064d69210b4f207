"""The learning rates of all kinds of models."""

import keras
import pytest

import ganzoo
from ganzoo.training.learning_rates import learning_rate_of, optimizers_of, schedules_of
from tests.check_model import two_replicas

DECAY = keras.optimizers.schedules.ExponentialDecay


def gan(generator=0.25, discriminator=0.5):
    return ganzoo.GAN.from_paper(
        (2,),
        hidden=(2,),
        generator_optimizer=keras.optimizers.SGD(generator),
        discriminator_optimizer=keras.optimizers.SGD(discriminator),
    )


def test_optimizers_by_name():
    model = gan()
    assert optimizers_of(model) == {
        "generator_optimizer": model.generator_optimizer,
        "discriminator_optimizer": model.discriminator_optimizer,
    }
    assert [learning_rate_of(optimizer) for optimizer in optimizers_of(model).values()] == [0.25, 0.5]
    presgan = ganzoo.PresGAN.from_paper((2,), hidden=(2,))
    assert list(optimizers_of(presgan)) == ["generator_optimizer", "discriminator_optimizer", "sigma_optimizer"]
    vae = ganzoo.VAE.from_paper((2,), latent_dim=1, hidden=(2,))
    assert optimizers_of(vae) == {"optimizer": vae.optimizer}


def test_on_two_replicas():
    with two_replicas().scope():
        model = gan()
    assert [learning_rate_of(optimizer) for optimizer in optimizers_of(model).values()] == [0.25, 0.5]


def test_schedules():
    assert schedules_of(gan()) == {}
    model = gan(discriminator=DECAY(0.5, decay_steps=1, decay_rate=0.5))
    assert schedules_of(model) == {"discriminator_optimizer": "ExponentialDecay"}
    assert learning_rate_of(model.discriminator_optimizer) == 0.5
    model.discriminator_optimizer.iterations.assign(2)
    assert learning_rate_of(model.discriminator_optimizer) == pytest.approx(0.125, rel=1e-6)


def test_a_schedule_under_loss_scaling():
    keras.config.set_dtype_policy("mixed_float16")
    model = gan(generator=DECAY(0.25, 1, 0.5))
    assert schedules_of(model) == {"generator_optimizer": "ExponentialDecay"}
