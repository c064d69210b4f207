import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import ganzoo
from tests.check_model import (
    BATCH,
    check_model,
    dataset_for,
    reload,
    samples_like,
    sgd,
    tiny,
    train,
    two_replicas,
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

LOGS = {"d_loss", "g_loss", "wasserstein"}


def make(**overrides):
    return tiny(ganzoo.WGAN, (16, 16, 1), **{"filters": 2, "discriminator_steps": 2, **overrides})


def make_wide(**overrides):
    """Bounds that let gradients through which a test can see: with c = 0.01 they fall by a hundredth in each layer."""
    return make(clip_value=0.3, **overrides)


@check_model
def test_contract(check, tmp_path):
    check(make_wide, LOGS, tmp_path)


def test_settings_of_the_paper():
    model = ganzoo.WGAN.from_paper((16, 16, 1), filters=2)
    assert (model.clip_value, model.discriminator_steps) == (0.01, 5)
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.RMSprop)
        np.testing.assert_allclose(float(optimizer.learning_rate), 5e-5, rtol=1e-6)


@pytest.mark.parametrize("clip_value", [10.0, 1.52])
def test_one_update_by_hand(clip_value):
    """n_critic = 2. With f(x) = w x + c, the gradient of E[f(x)] - E[f(g(z))] in w is E[x] - E[g(z)], and 0 in c."""
    model = compiled(
        ganzoo.WGAN(scalar_generator(), scalar_discriminator(), clip_value=clip_value, discriminator_steps=2, seed=5)
    )
    minibatches = np.array([[1.0, 2.0, 4.5], [3.0, 2.5, -1.0]])
    numbers = numbers_of(model)
    a, b, w, c = A, B, W, C
    estimates = []
    for real in minibatches:
        fake = a * numbers.normal((3, 1)).numpy()[:, 0].astype("float64") + b
        estimates.append(w * (real.mean() - fake.mean()))
        w = np.clip(w + DISCRIMINATOR_RATE * (real.mean() - fake.mean()), -clip_value, clip_value)
    latents = numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
    generator_loss = -np.mean(w * (a * latents + b) + c)
    a, b = a + GENERATOR_RATE * w * latents.mean(), b + GENERATOR_RATE * w
    assert (w == clip_value) == (clip_value == 1.52)

    logs = model.train_on_batch(minibatches.reshape(6, 1).astype("float32"), return_dict=True)
    np.testing.assert_allclose(weights_of(model), [a, b, w, c], rtol=1e-5)
    np.testing.assert_allclose(logs["wasserstein"], np.mean(estimates), rtol=1e-5)
    np.testing.assert_allclose(logs["d_loss"], -np.mean(estimates), rtol=1e-5)
    np.testing.assert_allclose(logs["g_loss"], generator_loss, rtol=1e-5)


def assert_clipped(model, clip_value=0.01):
    """To the last bit: the bound as a float32."""
    for variable in model.discriminator.trainable_variables:
        values = variable.numpy()
        assert np.abs(values).max() <= np.float32(clip_value), variable.path


def normalization_weights(model):
    return [v for v in model.discriminator.trainable_variables if v.path.endswith(("gamma", "beta"))]


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("replicas", [1, 2])
def test_every_critic_weight_stays_within_the_bound(policy, replicas, tmp_path):
    keras.config.set_dtype_policy(policy)
    with two_replicas().scope() if replicas == 2 else keras.name_scope("one_device"):
        model = make(run_eagerly=True, **sgd(0.1, 10.0))
    assert len(normalization_weights(model)) == 2

    class Watch(keras.callbacks.Callback):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            assert_clipped(model)
            self.steps += 1

    watch = Watch()
    train(model, 2, epochs=2, callbacks=[watch])
    assert watch.steps == 4
    keras.config.set_dtype_policy("float32")
    if replicas == 1:
        loaded = reload(model, tmp_path)
        train(loaded, 1)
        assert_clipped(loaded)


def test_the_bound_holds_in_a_graph_between_critic_steps():
    model = make()
    seen = []
    update = model.update_discriminator

    def watching(real, condition=None):
        update(real, condition)
        seen.append([variable.numpy() for variable in model.discriminator.trainable_variables])

    model.update_discriminator = watching
    model.run_eagerly = True
    train(model, 1)
    assert len(seen) == 2
    assert all(np.abs(values).max() <= np.float32(0.01) for weights in seen for values in weights)


def test_gamma_and_beta_can_be_left_free(tmp_path):
    model = make(run_eagerly=True, clip_normalization=False)
    train(model, 2)
    for loaded in (model, reload(model, tmp_path)):
        gamma, beta = normalization_weights(loaded)
        assert gamma.constraint is None and beta.constraint is None
        assert np.abs(gamma.numpy() - 1).max() < 0.1
        others = [v for v in loaded.discriminator.trainable_variables if not v.path.endswith(("gamma", "beta"))]
        assert all(np.abs(v.numpy()).max() <= np.float32(0.01) for v in others)


def test_gamma_falls_to_the_bound_at_the_first_update():
    model = make(run_eagerly=True)
    gamma, _ = normalization_weights(model)
    assert np.abs(gamma.numpy() - 1).max() < 0.1
    model.update_discriminator(tf.constant(samples_like(model, BATCH)[0]))
    np.testing.assert_array_equal(gamma.numpy(), np.float32(0.01))


def test_62_percent_of_the_initial_weights_start_at_the_bound():
    """2 Phi(-c / sigma) = 2 Phi(-0.5) = 0.617."""
    assert 2 * stats.norm.cdf(-0.01 / 0.02) == pytest.approx(0.617, abs=5e-4)
    model = ganzoo.WGAN.from_paper((16, 16, 1), filters=32, run_eagerly=True)
    outside = np.abs(model.discriminator.get_layer("down_1").kernel.numpy()) > 0.01
    assert outside.mean() == pytest.approx(0.617, abs=0.01)
    model.update_discriminator(tf.zeros((2, 16, 16, 1)))
    at_the_bound = np.abs(model.discriminator.get_layer("down_1").kernel.numpy()) == np.float32(0.01)
    assert at_the_bound.mean() == pytest.approx(0.617, abs=0.02)


def test_another_constraint_is_refused():
    critic = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_constraint="non_neg")])
    with pytest.raises(ValueError, match="has the constraint .*NonNeg.* already"):
        ganzoo.WGAN(scalar_generator(), critic)


def test_burn_in_trains_the_critic_alone():
    model = make()
    before = model.generator.get_weights()
    burn_in = ganzoo.callbacks.CriticBurnIn(steps=3, first=1, every=100)
    model.fit(dataset_for(model, 2), epochs=1, verbose=0, callbacks=[burn_in])
    # 1 extra before the first generator update, none before the second; 2 of its own for each.
    assert int(model.discriminator_optimizer.iterations) == 1 + 2 * 2
    assert int(model.generator_optimizer.iterations) == 2
    assert any((a != b).any() for a, b in zip(before, model.generator.get_weights()))
