import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.augmentation import ADA
from tests.check_model import (
    dataset_for,
    reload,
    replicas_agree,
    resumes_with_the_same_bits,
    sgd,
    tiny,
    train,
    two_replicas,
)

LOGS = {"d_loss", "g_loss", "real_probability", "fake_probability"}

# A power of two, so that p moves by numbers that float32 has: 4 images a step move it by 1/16.
FAST = {"interval": 1, "adjustment_images": 64, "initial": 0.25}


def images(batch=6, height=8, width=8, channels=3):
    return tf.random.stateless_uniform((batch, height, width, channels), (1, 2), -1.0, 1.0)


def numbers(batch=6, seed=3):
    return tf.random.stateless_uniform((batch, ADA.numbers), (seed, 4))


def make(**overrides):
    settings = {"networks": ganzoo.networks.mlp, "hidden": (4,)}
    if "augmentation" not in overrides:  # Each model needs its own.
        overrides["augmentation"] = ADA(**FAST)
    return tiny(ganzoo.GAN, (8, 8, 3), **{**settings, **overrides})


def sure_of_itself(score, **overrides):
    """A model whose discriminator gives every image one score, and learns nothing."""
    model = make(**{**sgd(0.0, 0.0), **overrides})
    weights = model.discriminator.get_weights()
    model.discriminator.set_weights([0 * weight for weight in weights[:-1]] + [0 * weights[-1] + score])
    return model


def move(augmentation, signs, images_seen=64):
    for sign in signs:
        augmentation.after_step({"real_sign": tf.constant(sign, "float32")}, images_seen)
    return float(augmentation.p)


# === How p moves ===


def test_p_moves_by_images_over_adjustment_images():
    """4 steps of 64 images: 256 / 500,000 = 5.12e-4, rounded to float32 once."""
    ada = ADA()
    assert move(ada, [1.0, 1.0, 1.0]) == 0.0
    assert move(ada, [1.0]) == np.float32(5.12e-4)
    assert move(ada, [1.0] * 4) == np.float32(2 * 5.12e-4)
    assert move(ada, [0.0] * 4) == np.float32(5.12e-4)


@pytest.mark.parametrize(("signs", "direction"), [((1, 1, 0.5, -0.15), -1), ((1, 1, 0.5, -0.05), 1)])
def test_the_mean_sign_of_four_steps_is_compared_with_the_target(signs, direction):
    """Means 0.5875 and 0.6125 about 0.6."""
    assert move(ADA(initial=0.5), signs) == pytest.approx(0.5 + direction * 5.12e-4, abs=1e-7)


def test_the_mean_is_over_images():
    """(60 * 1 + 4 * (-1)) / 64 = 0.875, where the mean of the steps is 0."""
    ada = ADA(interval=2, adjustment_images=128)
    move(ada, [1.0], images_seen=60)
    assert move(ada, [-1.0], images_seen=tf.constant(4)) == 0.5


def test_p_stays_where_the_mean_is_the_target():
    assert move(ADA(target=0.5, initial=0.25), [0.5] * 8) == 0.25


@pytest.mark.parametrize(("initial", "sign", "end"), [(0.9, 1.0, 1.0), (0.1, 0.0, 0.0)])
def test_p_stays_in_0_to_1(initial, sign, end):
    assert move(ADA(interval=1, adjustment_images=100, initial=initial), [sign] * 3) == end


def test_a_fixed_p():
    assert move(ADA(adjustment_images=None, initial=0.5), [1.0] * 8) == 0.5


def test_p_moves_in_a_graph_as_eagerly():
    signs = np.random.default_rng(0).uniform(0.2, 1.0, 21).astype("float32")
    eager, graph = ADA(adjustment_images=3000), ADA(adjustment_images=3000)
    step = tf.function(lambda sign: graph.after_step({"real_sign": sign}, 64))
    for sign in signs:
        move(eager, [sign])
        step(tf.constant(sign))
    assert float(graph.p) == float(eager.p) > 0
    assert [weight.numpy() for weight in graph.weights] == [weight.numpy() for weight in eager.weights]


def test_p_moves_once_on_two_replicas():
    strategy = two_replicas()
    with strategy.scope():
        ada = ADA(interval=2, adjustment_images=256)

    @tf.function
    def step():
        strategy.run(lambda: ada.after_step({"real_sign": tf.constant(1.0)}, 64))

    for _ in range(4):
        step()
    copies = [float(value) for value in strategy.experimental_local_results(ada.p.value)]
    assert copies == [1.0, 1.0]


def test_p_follows_the_scores_of_real_images_and_rests_in_evaluate():
    """All scores 3: r_t = 1. Three steps of 4 images of 64: 0.25 + 3 / 16. All scores -3: down again."""
    model = sure_of_itself(3.0)
    train(model, steps=3)
    assert float(model.augmentation.p) == 0.4375
    model.evaluate(dataset_for(model, 2), verbose=0)
    model.augmentation(images(), numbers())
    model.generate(2)
    assert float(model.augmentation.p) == 0.4375
    weights = model.discriminator.get_weights()
    model.discriminator.set_weights([*weights[:-1], -weights[-1]])
    train(model, steps=2)
    assert float(model.augmentation.p) == 0.3125


def test_all_minibatches_of_a_step_count():
    """Two of 4 images: a step moves p by 8 / 64."""
    model = sure_of_itself(3.0, discriminator_steps=2, run_eagerly=True)
    train(model, steps=2)
    assert float(model.augmentation.p) == 0.5


# === The state is part of the model ===


def test_saved_and_restored_bit_for_bit(tmp_path):
    model = make(augmentation=ADA(interval=3, adjustment_images=70), run_eagerly=True)
    train(model, steps=5)
    loaded = reload(model, tmp_path)
    ours, theirs = ([w.numpy().tobytes() for w in m.augmentation.weights] for m in (model, loaded))
    assert ours == theirs
    assert loaded.augmentation.get_config() == model.augmentation.get_config()
    assert float(model.augmentation.steps) == 2.0


@pytest.mark.parametrize("check", [resumes_with_the_same_bits, replicas_agree])
def test_contracts(check, tmp_path):
    check(make, LOGS, tmp_path)


def test_config():
    settings = {
        "target": 0.5,
        "interval": 2,
        "adjustment_images": 1000.0,
        "initial": 0.25,
        "blit": False,
        "geometry": True,
        "color": False,
    }
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(ADA(**settings)))
    assert settings.items() <= copy.get_config().items()
    assert float(copy.p) == 0.25


# === What it does to images ===


@pytest.mark.parametrize("u", [numbers(), tf.zeros((6, ADA.numbers))], ids=["random", "zeros"])
@pytest.mark.parametrize("channels", [1, 3])
def test_p_0_is_the_identity(u, channels):
    x = np.concatenate([images(5, channels=channels), np.full((1, 8, 8, channels), -0.0, "float32")])
    assert ADA()(tf.constant(x), u).numpy().tobytes() == x.tobytes()


def test_an_image_that_nothing_reaches_passes_bit_for_bit():
    x, u = images(), numbers().numpy()
    u[:3] = 0.5 + u[:3] / 2  # Every number of the first three is at least p.
    changed = ADA(initial=0.5)(x, u).numpy()
    assert changed[:3].tobytes() == x[:3].numpy().tobytes()
    assert (np.abs(changed[3:] - x[3:]).max(axis=(1, 2, 3)) > 1e-3).all()


def test_each_group_can_be_switched_off():
    """The three in turn are the pipeline: geometry is one resampling, so blit and geometry go together."""
    x, u = images(), numbers()
    fixed = {"adjustment_images": None, "initial": 0.8}
    moved = ADA(**fixed, color=False)(x, u)
    assert not np.allclose(moved, x)
    np.testing.assert_allclose(ADA(**fixed, blit=False, geometry=False)(moved, u), ADA(**fixed)(x, u), atol=1e-5)
    assert not np.allclose(ADA(**fixed, blit=False, color=False)(x, u), moved)
    assert not np.allclose(ADA(**fixed, geometry=False, color=False)(x, u), moved)


@pytest.mark.parametrize(
    ("groups", "share"),
    [
        # p / 2 flips, 3/4 p turns, and whole shifts of up to 1 of 8 pixels: 0 right and 0 down for a quarter of them.
        ({"geometry": False, "color": False}, 1 - (1 - 0.25) * (1 - 0.375) * (1 - 0.375)),
        # Scaling, a rotation on either side, stretching, shift: p each.
        ({"blit": False, "color": False}, 1 - 0.5**4),
        # Brightness, contrast, hue, saturation: p each; p / 2 luma flips.
        ({"blit": False, "geometry": False}, 1 - 0.5**4 * 0.75),
    ],
    ids=["blit", "geometry", "color"],
)
def test_the_share_of_changed_images(groups, share):
    """Four standard deviations of a share of 4,000 images at p = 0.5."""
    x, count = images(1), 4000
    changed = ADA(initial=0.5, **groups)(tf.repeat(x, count, axis=0), numbers(count))
    found = np.mean(np.abs(changed - x).max(axis=(1, 2, 3)) > 1e-6)
    assert found == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / count))


@pytest.mark.parametrize("channels", [1, 3])
def test_gradient_against_differences(channels):
    x, u, ada = images(6, channels=channels), numbers(), ADA(initial=0.7)
    weights = tf.random.stateless_normal(x.shape, (5, 6))

    def score(x):
        return tf.reduce_sum(weights * ada(x, u))

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = score(x)
    gradient = tape.gradient(y, x)
    direction = tf.random.stateless_normal(x.shape, (7, 8))
    slope = (score(x + 0.1 * direction) - score(x - 0.1 * direction)) / 0.2  # T is linear but for its offset.
    np.testing.assert_allclose(slope, tf.reduce_sum(gradient * direction), rtol=1e-3)
    assert float(tf.norm(gradient)) > 0.1


def test_half_precision_keeps_the_images():
    keras.config.set_dtype_policy("mixed_bfloat16")
    x = images()
    assert ADA()(x, numbers()).numpy().tobytes() == x.numpy().tobytes()


def test_xla_makes_the_same_images():
    ada, x, u = ADA(initial=0.6), images(), numbers()
    compiled = tf.function(lambda x, u: ada(x, u), jit_compile=True)
    np.testing.assert_allclose(compiled(x, u), ada(x, u), atol=1e-4)  # Its sines and exponentials are its own.


def test_batches_of_unknown_size():
    ada, x, u = ADA(initial=0.6), images(), numbers()
    free = tf.function(lambda x, u: ada(x, u), input_signature=[tf.TensorSpec([None, *t.shape[1:]]) for t in (x, u)])
    np.testing.assert_allclose(free(x, u), ada(x, u), atol=1e-5)  # A fused operation rounds once less.


# === In a model ===


def test_real_and_fake_are_changed_alike_and_an_update_is_one_function():
    model = make(run_eagerly=True, augmentation=ADA(initial=0.8))
    seen = []
    model.discriminator.call = lambda x, **kwargs: seen.append(x) or tf.zeros((6, 1))
    critic, x = model.critic(None), images()
    critic(x), critic(tf.identity(x))
    np.testing.assert_array_equal(seen[0], seen[1])
    assert not np.allclose(seen[0], x)
    model.critic(None)(x)
    assert not np.allclose(seen[0], seen[2])  # The next update has other numbers.
    model.critic(None, training=False)(x)
    np.testing.assert_array_equal(seen[3], x)  # `evaluate` sees the samples themselves.


def test_the_gradient_reaches_the_generator():
    model = make(augmentation=ADA(initial=1.0), run_eagerly=True, **sgd(1.0, 0.0))
    before = model.generator.get_weights()
    train(model, steps=1)
    assert any(np.abs(a - b).max() > 1e-6 for a, b in zip(before, model.generator.get_weights()))


def test_a_state_outside_of_the_strategy_is_refused():
    ada = ADA()
    with two_replicas().scope(), pytest.raises(ValueError, match="inside of the strategy's scope"):
        move(ada, [1.0])


@pytest.mark.parametrize(
    ("make_it", "words"),
    [
        (lambda: ADA(target=1.5), "`target` must be a finite number"),
        (lambda: ADA(interval=0), "`interval` must be an integer"),
        (lambda: ADA(adjustment_images=0), "`adjustment_images` must be a finite number above 0"),
        (lambda: ADA(initial=-0.1), "`initial` must be a finite number"),
        (lambda: ADA(color="no"), "`color` must be True or False"),
        (lambda: ADA(blit=False, geometry=False, color=False), "nothing to do"),
        (lambda: ADA()(images(2, 8, 1), numbers(2)), "at least 2x2 pixels"),
        (lambda: ADA().after_step({"other": 1.0}, 64), "real_sign"),
    ],
)
def test_what_is_refused(make_it, words):
    with pytest.raises(ValueError, match=words):
        make_it()
