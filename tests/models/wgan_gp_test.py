import keras
import numpy as np
import pytest

import ganzoo
from tests.check_model import check_conditional_model, check_model, replicas_agree, tiny
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

LOGS = {"d_loss", "g_loss", "wasserstein", "gradient_penalty"}


def make(**overrides):
    settings = {"filters": 2, "discriminator_steps": 2, "normalization": "layer", "gradient_penalty_weight": 0.1}
    return tiny(ganzoo.WGANGP, (16, 16, 1), **{**settings, **overrides})


def make_conditional(**overrides):
    return make(num_classes=3, **overrides)


@check_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


@check_conditional_model
def test_conditional_contract(check, tmp_path):
    check(make_conditional, LOGS, tmp_path)


def test_replicas_agree_in_a_graph(tmp_path):
    def make_mlp(**overrides):
        return tiny(ganzoo.WGANGP, (2,), hidden=(4,), **overrides)

    replicas_agree(make_mlp, LOGS, tmp_path, eagerly=False)


def test_settings_of_the_paper():
    model = ganzoo.WGANGP.from_paper((16, 16, 1), filters=2)
    assert (model.gradient_penalty_weight, model.discriminator_steps, model.latent_dim) == (10.0, 5, 128)
    assert (model.target_norm, model.one_sided) == (1.0, False)
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        np.testing.assert_allclose(float(optimizer.learning_rate), 1e-4, rtol=1e-6)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.0, 0.9)


@pytest.mark.parametrize("one_sided", [False, True])
@pytest.mark.parametrize("penalty_weight", [10.0, 0.5])
def test_one_update_by_hand(penalty_weight, one_sided):
    """n_critic = 2, D(x) = w x^2 + c, target norm 2.

    The critic's gradient at x_hat is 2 w x_hat, so the penalty is P = E[(n - 2)^2] with n = 2 |w x_hat|, and
    dP/dw = E[2 (n - 2) 2 |x_hat|] for w > 0. The rest is linear in w: E[x_fake^2] - E[x^2].
    """
    model = compiled(
        ganzoo.WGANGP(
            scalar_generator(),
            scalar_discriminator(keras.ops.square),
            gradient_penalty_weight=penalty_weight,
            target_norm=2.0,
            one_sided=one_sided,
            discriminator_steps=2,
            seed=5,
        )
    )
    minibatches = np.array([[1.0, 0.4, 0.7], [0.2, -0.8, 0.5]])
    numbers = numbers_of(model)
    a, b, w, c = A, B, W, C
    penalties, losses = [], []
    for real in minibatches:
        fake = a * numbers.normal((3, 1)).numpy()[:, 0].astype("float64") + b
        epsilon = numbers.uniform((3, 1)).numpy()[:, 0].astype("float64")
        between = epsilon * real + (1 - epsilon) * fake
        excess = 2 * np.abs(w * between) - 2
        if one_sided:
            excess = np.maximum(excess, 0)
        penalties.append(np.mean(excess**2))
        losses.append(w * (np.mean(fake**2) - np.mean(real**2)) + penalty_weight * penalties[-1])
        penalty_gradient = np.mean(2 * excess * 2 * np.abs(between))
        w -= DISCRIMINATOR_RATE * (np.mean(fake**2) - np.mean(real**2) + penalty_weight * penalty_gradient)
        assert w > 0
    latents = numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
    slope = -w * 2 * (a * latents + b)  # d/dx of -D(x)
    a, b = a - GENERATOR_RATE * np.mean(slope * latents), b - GENERATOR_RATE * np.mean(slope)

    logs = model.train_on_batch(minibatches.reshape(6, 1).astype("float32"), return_dict=True)
    np.testing.assert_allclose(weights_of(model), [a, b, w, c], rtol=1e-5)
    np.testing.assert_allclose(logs["gradient_penalty"], np.mean(penalties), rtol=1e-5)
    np.testing.assert_allclose(logs["d_loss"], np.mean(losses), rtol=1e-5)


def test_the_penalty_of_a_linear_critic_pulls_its_weight_to_one():
    """D(x) = 1.5 x: P = (1.5 - 1)^2, dP/dw = 2 (1.5 - 1) = 1, wherever the samples lie."""
    generator, critic = scalar_generator(), scalar_discriminator()
    generator.set_weights([np.zeros((1, 1)), np.ones(1)])
    model = compiled(ganzoo.WGANGP(generator, critic, gradient_penalty_weight=1.0, discriminator_steps=1))
    logs = model.train_on_batch(np.ones((4, 1), "float32"), return_dict=True)  # real = fake = 1: the estimate is 0
    assert logs["gradient_penalty"] == pytest.approx(0.25)
    assert logs["wasserstein"] == pytest.approx(0.0, abs=1e-7)
    assert weights_of(model)[2] == pytest.approx(1.5 - DISCRIMINATOR_RATE * 1.0)


def test_layer_normalization_couples_no_samples():
    critic = make().discriminator
    images = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 1)).astype("float32")
    np.testing.assert_allclose(critic(images[:1], training=True), critic(images, training=True)[:1], atol=1e-6)
