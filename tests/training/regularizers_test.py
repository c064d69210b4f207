"""LeCam, consistency and top-k: the papers' numbers, and the contracts of a model that has them all."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.losses import lecam_loss
from ganzoo.training import regularizers
from tests.check_model import (
    config_round_trip,
    dataset_for,
    jit_compiles,
    logs_of_one_step,
    reload,
    replicas_agree,
    resumes_with_the_same_bits,
    samples_like,
    tiny,
    train,
)
from tests.scalar_networks import (
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

CONSISTENCY = ("consistency", "fake_consistency", "latent_consistency")
LOGS = {"d_loss", "g_loss", "real_probability", "fake_probability", "lecam", *CONSISTENCY, "latent_diversity"}
ALL = {
    "lecam_weight": 0.3,
    "lecam_start": 1,
    "consistency_weight": 1.0,
    "fake_consistency_weight": 1.0,
    "latent_consistency_weight": 2.0,
    "latent_diversity_weight": 0.5,
    "top_k": 0.5,
    "top_k_interval": 1,
}


def make(**overrides):
    settings = {"networks": ganzoo.networks.mlp, "hidden": (5,), "batch_normalization": True}
    return tiny(ganzoo.GAN, (6, 4, 1), **{**settings, **ALL, **overrides})


@pytest.mark.parametrize(
    "check",
    [config_round_trip, logs_of_one_step, resumes_with_the_same_bits, replicas_agree, jit_compiles],
    ids=lambda check: check.__name__,
)
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


# === LeCam ===


@pytest.mark.parametrize(
    ("scores", "anchors", "expected"),
    [
        ((1.0, -1.0), (0.0, 0.0), 2.0),
        ((-1.0, 1.0), (0.0, 0.0), 0.0),  # The form of the authors' code; the printed one has 2.
        ((1.0, -1.0), (0.5, -0.5), 1.5**2 + 1.5**2),
        ((3.0, 0.0), (1.0, 2.0), 1.0 + 1.0),
    ],
)
def test_lecam(scores, anchors, expected):
    np.testing.assert_allclose(lecam_loss([scores[0]], [scores[1]], *anchors), expected, rtol=1e-6)


def scalar_model(**settings):
    return compiled(ganzoo.GAN(scalar_generator(), scalar_discriminator(), seed=5, **settings))


REAL = np.array([1.0, 0.4, -0.7])


def step(model, real=REAL):
    return model.train_on_batch(real[:, None].astype("float32"), return_dict=True)


def means_of_scores(numbers, a, b, w, c):
    fake = a * numbers.normal((3, 1)).numpy()[:, 0].astype("float64") + b
    return np.array([np.mean(w * REAL + c), np.mean(w * fake + c)]), fake


def test_the_anchors_follow_the_scores():
    """The newest means until `lecam_start`, then running ones; the term counts from there on."""
    model, plain = scalar_model(lecam_weight=0.3, lecam_start=1), scalar_model()
    np.testing.assert_array_equal(model.anchors, [0, 0])
    numbers = numbers_of(model)
    first, fake = means_of_scores(numbers, A, B, W, C)
    logs, others = step(model), step(plain)
    np.testing.assert_allclose(model.anchors, first, rtol=1e-5)
    scores = W * REAL + C, W * fake + C
    assert logs["lecam"] == pytest.approx(float(lecam_loss(*scores, 0.0, 0.0)), rel=1e-5)
    np.testing.assert_array_equal(weights_of(model), weights_of(plain))  # Before the start.
    assert logs["d_loss"] == others["d_loss"]
    numbers.normal((3, 1))  # The generator's update.

    a, b, w, c = weights_of(model)
    second, fake = means_of_scores(numbers, a, b, w, c)
    step(plain)
    step(model)
    np.testing.assert_allclose(model.anchors, 0.99 * first + 0.01 * second, rtol=1e-5)
    runaway_real = np.maximum(w * REAL + c - first[1], 0)
    runaway_fake = np.maximum(first[0] - w * fake - c, 0)
    gradient = 0.3 * (np.mean(2 * runaway_real * REAL) - np.mean(2 * runaway_fake * fake))
    assert abs(gradient) > 0.1
    assert weights_of(model)[2] == pytest.approx(weights_of(plain)[2] - 0.05 * gradient, rel=1e-4)


def test_the_anchors_are_saved_and_need_a_weight_from_the_start(tmp_path):
    model = make(lecam_start=0, run_eagerly=True)
    train(model, steps=1)
    anchors = model.anchors.numpy()
    assert np.all(anchors != 0)
    np.testing.assert_array_equal(reload(model, tmp_path).anchors, anchors)
    model.lecam_weight = 0.1  # Another weight is used.
    with pytest.raises(AttributeError, match="Make a new model"):
        model.lecam_weight = 0.0
    with pytest.raises(AttributeError, match="Make a new model"):
        scalar_model().lecam_weight = 0.3


def test_evaluate_moves_no_anchor():
    model = make(run_eagerly=True)
    before = model.anchors.numpy()
    model.evaluate(dataset_for(model, 1), verbose=0)
    np.testing.assert_array_equal(model.anchors, before)


def test_a_step_that_hands_over_no_scores_is_refused():
    class Forgetful(ganzoo.GAN):
        def train_step(self, data):
            self.update_discriminator(*self.unpack(data))
            return self.finish_step()

    model = compiled(Forgetful(scalar_generator(), scalar_discriminator(), lecam_weight=0.3))
    model.run_eagerly = True
    with pytest.raises(ValueError, match="hands none over"):
        step(model)


# === Consistency ===


def image_model(discriminator_layer, **settings):
    keras.utils.set_random_seed(0)
    latents, image = keras.Input((2,), name="latents"), keras.Input((4, 4, 1), name="image")
    samples = keras.layers.Reshape((4, 4, 1))(keras.layers.Dense(16, activation="tanh")(latents))
    scores = keras.layers.Dense(1)(keras.layers.Flatten()(discriminator_layer(image)))
    return compiled(ganzoo.GAN(keras.Model(latents, samples), keras.Model(image, scores), seed=5, **settings))


IMAGES = np.random.default_rng(0).uniform(-1, 1, (16, 4, 4, 1)).astype("float32")


def test_a_critic_that_does_not_change_costs_nothing():
    """A mirror image has the same mean: no loss. Without the mean the critic notices."""
    change = ganzoo.augmentation.FlipAndShift(shift=0.0)
    weights = {"consistency_weight": 10.0, "fake_consistency_weight": 10.0, "consistency_augmentation": change}
    blind = image_model(keras.layers.AveragePooling2D(4), **weights)
    logs = blind.test_on_batch(IMAGES, return_dict=True)
    assert logs["consistency"] == pytest.approx(0, abs=1e-10)
    assert logs["fake_consistency"] == pytest.approx(0, abs=1e-10)
    seeing = image_model(keras.layers.Identity(), **weights).test_on_batch(IMAGES, return_dict=True)
    assert seeing["consistency"] > 1e-3 and seeing["fake_consistency"] > 1e-3


def negative(images, numbers):
    return -images


negative.numbers = 1


def test_consistency_by_hand():
    """T(x) = -x and D(x) = w x + c: (2 w x)^2."""
    settings = {"consistency_weight": 10.0, "fake_consistency_weight": 5.0, "consistency_augmentation": negative}
    model, plain = (image_model(keras.layers.Identity(), **weights) for weights in (settings, {}))
    kernel, _ = model.discriminator.get_weights()
    logs, others = (each.test_on_batch(IMAGES, return_dict=True) for each in (model, plain))
    expected = np.mean((2 * IMAGES.reshape(16, 16) @ kernel) ** 2)
    assert logs["consistency"] == pytest.approx(expected, rel=1e-4)
    gap = 10 * logs["consistency"] + 5 * logs["fake_consistency"]
    assert logs["d_loss"] == pytest.approx(others["d_loss"] + gap, rel=1e-4)


def test_latent_consistency_and_diversity_by_hand():
    """G(z) = a z + b: G(z + e) - G(z) = a e, and D of them differ by w a e, with e = 0.05 n."""
    model = scalar_model(latent_consistency_weight=20.0, latent_diversity_weight=0.5)
    plain = scalar_model()
    numbers = numbers_of(model)
    numbers.normal((3, 1))
    e = 0.05 * numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
    logs, others = step(model), step(plain)
    assert logs["latent_consistency"] == pytest.approx(np.mean((W * A * e) ** 2), rel=1e-4)
    w = weights_of(plain)[2] - 0.05 * 20 * np.mean(2 * W * (A * e) ** 2)
    assert weights_of(model)[2] == pytest.approx(w, rel=1e-4)
    numbers.normal((3, 1))
    e = 0.05 * numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
    assert logs["latent_diversity"] == pytest.approx(np.mean((A * e) ** 2), rel=1e-4)
    assert logs["g_loss"] != others["g_loss"]


# === Top-k ===


def test_weights_of_the_top():
    scores = tf.constant([[0.1], [3.0], [-1.0], [2.0]])
    np.testing.assert_allclose(regularizers.top_weights(scores, 0.5), [0, 2, 0, 2])
    np.testing.assert_allclose(regularizers.top_weights(scores, 1.0), [1, 1, 1, 1])
    np.testing.assert_allclose(regularizers.top_weights(scores, 0.01), [0, 4, 0, 0])  # At least one.
    maps = tf.reshape(tf.constant([0.0, 5.0, 1.0, 1.0]), (2, 1, 2, 1))  # Maps of scores: by their means.
    np.testing.assert_allclose(regularizers.top_weights(maps, 0.5), [2, 0])


def test_the_schedule_of_k():
    model = scalar_model(top_k=0.5, top_k_interval=10)
    for steps, share in ((0, 1.0), (9, 1.0), (10, 0.99), (25, 0.99**2), (680, 0.99**68), (690, 0.5), (10_000, 0.5)):
        model.step.assign(steps)
        assert float(regularizers.top_share(model)) == pytest.approx(share, rel=1e-5)


def test_one_update_by_hand():
    """The generator learns from the better two of three samples; the log shows the loss of all three."""
    model = scalar_model(top_k=0.66, top_k_interval=1)
    model.step.assign(1000)
    numbers = numbers_of(model)
    numbers.normal((3, 1))
    latents = numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
    logs = step(model)
    _, _, w, c = weights_of(model)  # The generator's update saw these.
    scores = w * (A * latents + B) + c
    top = np.argsort(-scores)[:2]
    slope = (sigmoid(scores) - 1) * w
    a = A - GENERATOR_RATE * np.mean((slope * latents)[top])
    b = B - GENERATOR_RATE * np.mean(slope[top])
    np.testing.assert_allclose(weights_of(model)[:2], [a, b], rtol=1e-5)
    assert logs["g_loss"] == pytest.approx(np.mean(np.log1p(np.exp(-scores))), rel=1e-5)


# === Refusals ===


@pytest.mark.parametrize("setting", ["lecam_weight", "consistency_weight", "fake_consistency_weight"])
def test_models_without_scores_are_refused(setting):
    with pytest.raises(ValueError, match=f"`{setting}` needs one discriminator with one score"):
        ganzoo.BEGAN.from_paper((8, 8, 1), filters=2, **{setting: 1.0})


def test_other_refusals():
    with pytest.raises(ValueError, match="`top_k` needs one discriminator"):
        ganzoo.CramerGAN.from_paper((2,), hidden=(4,), top_k=0.5)
    with pytest.raises(ValueError, match="`consistency_weight` changes images"):
        scalar_model(consistency_weight=1.0)
    model = scalar_model()
    model.consistency_weight = 1.0
    model.run_eagerly = True
    with pytest.raises(ValueError, match="`consistency_weight` changes images"):
        step(model)
    with pytest.raises(ValueError, match="top_k"):
        scalar_model(top_k=0.0)


def test_anchors_are_numbers():
    with pytest.raises(ValueError, match="`fake_anchor` must be a number"):
        lecam_loss([[1.0]], [[0.0]], 0.0, [])


def test_top_k_with_heads_is_refused():
    model = tiny(ganzoo.ACGAN, (8, 8, 1), num_classes=3, filters=1, top_k=0.5)
    with pytest.raises(ValueError, match="`top_k` chooses samples by their scores.*classes"):
        model.train_on_batch(*samples_like(model, 4))


def test_neighbours_of_styles_are_refused():
    settings = {"base": 16, "max_filters": 2, "mapping_layers": 1, "group_size": 2, "latent_diversity_weight": 1.0}
    with pytest.raises(ValueError, match="`latent_diversity_weight` compares samples whose latents alone differ"):
        tiny(ganzoo.StyleGAN2, (8, 8, 1), **settings)
