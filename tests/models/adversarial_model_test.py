"""What each critic step of a training sees, and the pieces that no single paper shows."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.training.schedules import Cosine
from tests.check_model import (
    arrays,
    assert_equal_arrays,
    assert_same_state,
    dataset_for,
    sgd,
    tiny,
    train,
    two_replicas,
)

STEPS = 3


class Probe(AdversarialModel):
    """Records the real samples of each update, whether it runs eagerly or in a graph, as a tuple of their numbers."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.critic_saw, self.generator_saw, self.labels_seen = [], [], []

    def critic(self, condition, training=True):
        if condition is not None:
            self.record(self.labels_seen, condition)
        return super().critic(condition, training)

    def discriminator_loss(self, critic, real, fake):
        self.record(self.critic_saw, real)
        return keras.ops.mean(critic(real)) - keras.ops.mean(critic(fake))

    def generator_loss(self, critic, real, fake):
        self.record(self.generator_saw, real)
        return keras.ops.mean(critic(fake))

    @staticmethod
    def record(seen, samples):
        tf.numpy_function(lambda x: seen.append(tuple(int(i) for i in x.ravel())), [samples], [], stateful=True)


def probe(discriminator_steps=STEPS, num_classes=None, **compile_arguments):
    mlp = ganzoo.networks.mlp
    model = Probe(
        mlp.generator((1,), 2, (2,), num_classes=num_classes),
        mlp.discriminator((1,), (2,), num_classes=num_classes),
        discriminator_steps=discriminator_steps,
        num_classes=num_classes,
    )
    model.compile(**sgd(0.0, 0.0), **compile_arguments)
    return model


def numbered(count):
    """Samples that tell their number."""
    return np.arange(count, dtype="float32")[:, None]


MINIBATCHES = [(0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11), (12, 13, 14, 15), (16, 17, 18, 19), (20, 21, 22, 23)]


@pytest.mark.parametrize("eagerly", [False, True])
@pytest.mark.parametrize("source", ["tf.data", "ganzoo.data"])
def test_critic_step_i_sees_the_ith_batch(source, eagerly):
    model = probe(run_eagerly=eagerly)
    if source == "tf.data":
        data = tf.data.Dataset.from_tensor_slices(numbered(24)).batch(4, drop_remainder=True)
    else:
        data = ganzoo.data.from_arrays(numbered(24), batch_size=4, shuffle=False)
    model.fit(data, epochs=2, verbose=0)
    assert model.critic_saw == MINIBATCHES * 2
    assert model.generator_saw == [MINIBATCHES[2], MINIBATCHES[5]] * 2


def test_each_critic_step_of_an_epoch_sees_data_that_no_other_saw():
    model = probe(run_eagerly=True)
    # 26 samples make 6 batches of 4, and 2 steps of 3 batches.
    model.fit(ganzoo.data.from_arrays(numbered(26), batch_size=4), epochs=3, verbose=0)
    assert len(model.critic_saw) == 3 * 6
    epochs = [sum(model.critic_saw[start : start + 6], ()) for start in (0, 6, 12)]
    for epoch in epochs:
        assert len(set(epoch)) == 24
    assert len({tuple(epoch) for epoch in epochs}) == 3  # an order of its own each


def test_a_remainder_of_batches_is_left_out():
    model = probe(run_eagerly=True)
    model.fit(tf.data.Dataset.from_tensor_slices(numbered(19)).batch(4), epochs=2, verbose=0)
    assert model.critic_saw == MINIBATCHES[:3] * 2


@pytest.mark.parametrize("source", ["tf.data", "ganzoo.data"])
def test_a_second_fit_goes_on_in_the_data(source):
    def data():
        if source == "tf.data":
            return tf.data.Dataset.from_tensor_slices(numbered(24)).batch(4, drop_remainder=True)
        return ganzoo.data.from_arrays(numbered(24), batch_size=4)

    straight, twice = probe(1, run_eagerly=True), probe(1, run_eagerly=True)
    straight.fit(data(), epochs=4, steps_per_epoch=4, verbose=0)
    for _ in range(2):
        twice.fit(data(), epochs=2, steps_per_epoch=4, verbose=0)
    assert len(straight.critic_saw) == 16
    assert straight.critic_saw == twice.critic_saw


def test_endless_data_go_on():
    data = tf.data.Dataset.from_tensor_slices(numbered(24)).repeat().batch(4)
    model = probe(1, run_eagerly=True)
    for _ in range(2):
        model.fit(data, epochs=1, steps_per_epoch=3, verbose=0)
    assert model.critic_saw == MINIBATCHES


def test_train_on_batch_takes_one_minibatch_after_the_other():
    model = probe(run_eagerly=True)
    model.train_on_batch(numbered(12))
    assert model.critic_saw == MINIBATCHES[:3]


def test_labels_go_with_their_samples():
    model = probe(num_classes=24, run_eagerly=True)
    model.fit(ganzoo.data.from_arrays(numbered(24), np.arange(24), batch_size=4), verbose=0)
    updates = [model.critic_saw[:3], model.generator_saw[:1], model.critic_saw[3:], model.generator_saw[1:]]
    assert model.labels_seen == sum(updates, [])
    model.critic_saw.clear(), model.labels_seen.clear()
    model.train_on_batch(numbered(12), np.arange(12))
    assert model.labels_seen[:3] == model.critic_saw == MINIBATCHES[:3]


def test_labels_of_an_unconditional_model_are_ignored():
    model = probe(run_eagerly=True)
    model.fit(ganzoo.data.from_arrays(numbered(24), np.arange(24), batch_size=4, shuffle=False), verbose=0)
    assert model.critic_saw == MINIBATCHES


def test_two_replicas_share_each_minibatch():
    with two_replicas().scope():
        model = probe(run_eagerly=True)
    model.fit(ganzoo.data.from_arrays(numbered(12), batch_size=4, shuffle=False), verbose=0)
    halves = model.critic_saw
    assert len(halves) == 6
    assert sorted(halves) == [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 11)]
    # Both replicas are in the same critic step, in any order.
    pairs = [sum(sorted(halves[start : start + 2]), ()) for start in (0, 2, 4)]
    assert pairs == MINIBATCHES[:3]


@pytest.mark.parametrize("steps_per_execution", [3, 4])
def test_several_steps_in_one_call_give_the_same_bits(steps_per_execution):
    """4 divides the 8 steps of the epoch, 3 does not."""

    def make(**overrides):
        return tiny(ganzoo.WGANGP, (2,), hidden=(3,), discriminator_steps=2, ema_decay=0.9, **overrides)

    single, several = make(), make(steps_per_execution=steps_per_execution)
    for model in (single, several):
        train(model, 8)
    assert several.steps_done == 8
    assert_same_state(single, several)


def test_an_overflow_on_one_replica_makes_both_skip_the_step():
    keras.config.set_dtype_policy("mixed_float16")
    with two_replicas().scope():
        # No penalty: times the loss scale of the start, it overflows on both replicas whatever the samples are.
        model = tiny(ganzoo.GAN, (2,), hidden=(3,), run_eagerly=True, **sgd())
    random = np.random.default_rng(0)
    for place in (0, 3):  # the first sample of replica 0, the last one of replica 1
        before = arrays(model.discriminator.weights)
        scale = model.discriminator_optimizer.dynamic_scale.numpy()
        points = random.uniform(-1, 1, (4, 2)).astype("float32")
        points[place] = 1e6  # infinite as float16
        model.fit(ganzoo.data.from_arrays(points, batch_size=4, shuffle=False), verbose=0)
        assert_equal_arrays(before, arrays(model.discriminator.weights))
        assert model.discriminator_optimizer.dynamic_scale.numpy() == scale / 2
    assert model.discriminator_optimizer.iterations.numpy() == 0
    for variable in model.weights:
        copies = [value.numpy() for value in two_replicas().experimental_local_results(variable.value)]
        assert np.isfinite(copies).all()
        np.testing.assert_array_equal(copies[0], copies[1], err_msg=variable.path)
    # And the next step counts.
    points = random.uniform(-1, 1, (4, 2)).astype("float32")
    model.fit(ganzoo.data.from_arrays(points, batch_size=4), verbose=0)
    assert model.discriminator_optimizer.iterations.numpy() == 1


def test_dropout_draws_on_after_loading(tmp_path):
    def make():
        keras.utils.set_random_seed(0)
        critic = keras.Sequential(
            [keras.Input((2,)), keras.layers.Dense(8, "relu"), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
        )
        model = ganzoo.GAN(ganzoo.networks.mlp.generator((2,), 3, (3,)), critic, seed=1)
        model.compile("adam", keras.optimizers.Adam(), run_eagerly=True)
        return model

    straight, broken_off = make(), make()
    train(straight, 4)
    data = dataset_for(straight, 4)
    broken_off.fit(data, steps_per_epoch=2, verbose=0)
    broken_off.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.fit(data, steps_per_epoch=2, verbose=0)
    assert len(straight._seed_generator_states()) == 1
    assert_same_state(straight, loaded)


def test_a_model_learns_without_a_word_about_its_base():
    """The example of a new model: two hooks."""

    class LeastSquares(AdversarialModel):
        def discriminator_loss(self, critic, real, fake):
            return keras.ops.mean((critic(real) - 1) ** 2) + keras.ops.mean(critic(fake) ** 2)

        def generator_loss(self, critic, real, fake):
            return keras.ops.mean((critic(fake) - 1) ** 2)

    mlp = ganzoo.networks.mlp
    model = LeastSquares(mlp.generator((2,), 3, (4,)), mlp.discriminator((2,), (4,)))
    model.compile("adam", "adam")
    history = model.fit(np.ones((64, 2), "float32"), batch_size=8, epochs=2, verbose=0).history
    assert set(history) == {"d_loss", "g_loss"}
    assert model.steps_done == 16


def test_the_generators_gradient_passes_a_half_precision_discriminator():
    """Its optimizer scales the loss, though all of its own layers are float32."""
    mlp = ganzoo.networks.mlp
    generator = mlp.generator((2,), 3, (4,))
    keras.config.set_dtype_policy("mixed_float16")
    model = ganzoo.GAN(generator, mlp.discriminator((2,), (4,)))
    model.compile(**sgd())
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def test_a_schedule_of_the_average_is_taken_as_it_is():
    """Without the warm-up of a constant decay."""
    model = tiny(ganzoo.GAN, (4, 4, 1), hidden=(3,), ema_decay=Cosine(0.75, 0.75, total_steps=10))
    before = model.ema_generator.weights[0].numpy()
    model.generator.weights[0].assign_add(np.ones_like(before))
    model.update_ema()
    np.testing.assert_allclose(model.ema_generator.weights[0], before + 0.25, rtol=1e-6)
