from inspect import signature

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.models.adversarial_model import penalty_at
from ganzoo.models.stylegan2 import path_lengths, settings_of_config
from tests.check_model import BATCH, check_labels, check_model, dataset_for, samples_like, tiny, train

LOGS = {"d_loss", "g_loss", "real_probability", "fake_probability", "r1", "path_length"}


def make(**overrides):
    small = {"base": 16, "max_filters": 2, "mapping_layers": 1, "group_size": 2, "r1_weight": 1.0}
    every = {"penalty_interval": 1, "path_length_interval": 1}
    return tiny(ganzoo.StyleGAN2, (8, 8, 1), **{**small, **every, "ema_decay": None, **overrides})


make.generator_logs = ("path_length",)


def make_conditional(**overrides):
    return make(num_classes=3, label_layers=1, **overrides)


@check_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


@check_labels
def test_conditional_contract(check, tmp_path):
    check(make_conditional, LOGS, tmp_path)


def test_the_length_of_a_linear_generator():
    """w -> A w with orthonormal columns: ||A^T y|| / 32 has the mean of a chi distribution with 512 degrees, / 32."""
    random = np.random.default_rng(0)
    matrix, _ = np.linalg.qr(random.normal(size=(32 * 32 * 3, 512)))
    matrix = tf.constant(matrix, "float32")
    pixels = tf.constant(random.normal(size=(512, 32, 32, 3)), "float32")
    styles = tf.constant(random.normal(size=(512, 1, 512)), "float32")

    def synthesis(styles):
        return tf.reshape(tf.matmul(styles[:, 0], matrix, transpose_b=True), (-1, 32, 32, 3))

    lengths = path_lengths(synthesis, styles, pixels).numpy()
    # The standard deviation of a length is sqrt(1/2) / 32 = 0.0221; four errors of the mean of 512.
    assert lengths.mean() == pytest.approx(0.70676, abs=4 * 0.0221 / 512**0.5)
    assert lengths.std() == pytest.approx(0.0221, rel=0.2)
    # The mean over layers: two that share the work have half of the gradient each.
    shared = tf.repeat(styles, 2, axis=1)
    halves = path_lengths(lambda styles: synthesis(tf.reduce_mean(styles, 1, keepdims=True)), shared, pixels)
    np.testing.assert_allclose(halves.numpy(), lengths / 2, rtol=1e-4)


def test_the_running_mean_of_lengths_and_the_lazy_penalties():
    """The mean moves in every fourth step, by a hundredth of the way."""
    model = make(path_length_interval=4, penalty_interval=2, path_length_decay=0.25)
    seen = []
    after = model.after_step

    def recording(values):
        before = float(model.mean_length)
        after(values)
        seen.append((float(values["length"]), before, float(model.mean_length)))

    model.after_step = recording
    model.run_eagerly = True
    train(model, steps=5)
    for step, (length, before, moved) in enumerate(seen):
        assert (length > 0) == (step in (0, 4))
        expected = before + 0.25 * (length - before) if length else before
        assert moved == pytest.approx(expected, rel=1e-5)


def test_lazy_r1_has_the_same_gradient_in_expectation():
    """The sum of the gradients of 16 steps, of which one has 16 times the penalty, is that of 16 steps with it."""
    model = make()
    images = tf.constant(samples_like(model, BATCH)[0])
    lazy, eager = (sum_over_16_steps(model, images, every) for every in (16, 1))
    assert np.abs(eager).max() > 1e-3
    np.testing.assert_allclose(lazy, eager, rtol=1e-3, atol=1e-5 * np.abs(eager).max())


def sum_over_16_steps(model, images, every):
    """The sum of the gradients of R1 in all weights of the discriminator, which stay."""
    weights = [variable.value for variable in model.discriminator.trainable_variables]
    total = 0.0
    for step in range(16):
        model.step.assign(step)
        with tf.GradientTape() as tape:
            value = model.regularize("r1", 1.0, penalty_at(model.discriminator, images), every=every)
        found = tape.gradient(value, weights, unconnected_gradients="zero")
        total = total + np.concatenate([np.ravel(part) for part in found])
    return total


def test_styles_are_mixed_from_a_random_layer_on():
    model = make(mixing_probability=0.75)
    network, latents = model.generator, model.latents(400)
    numbers = model.style_numbers(network, latents)
    styles = model.styles(network, latents, None, numbers).numpy()
    first, second = (model.mapped(network, z, None).numpy() for z in (latents, numbers["second"]))
    assert styles.shape == (400, 4, 3)
    is_first = np.isclose(styles, first[:, None]).all(axis=2)
    np.testing.assert_array_equal(is_first | np.isclose(styles, second[:, None]).all(axis=2), True)
    counts = is_first.sum(axis=1)
    np.testing.assert_array_equal(is_first, np.arange(4) < counts[:, None])
    # A quarter is not mixed; the others begin their second style at layer 1, 2 or 3, equally often.
    np.testing.assert_allclose([np.mean(counts == count) for count in (1, 2, 3, 4)], 0.25, atol=0.09)
    assert "second" not in make(mixing_probability=0.0).style_numbers(network, latents)


def test_truncation():
    model = make()
    images = model.generate(5, seed=3)
    np.testing.assert_allclose(model.generate(5, seed=3, truncation=1.0 + 1e-9), images, rtol=1e-4, atol=1e-5)
    one = model.generate(5, seed=3, truncation=0)
    np.testing.assert_allclose(one, np.broadcast_to(one[:1], one.shape), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.generate(2, seed=8, truncation=0), one[:2], rtol=1e-5, atol=1e-6)
    half = model.generate(5, seed=3, truncation=0.5, batch_size=2)
    assert half.std(axis=0).mean() < images.std(axis=0).mean()
    sheet = ganzoo.latent.truncate(model, 5, amounts=(1.0, 0.5), seed=3)
    assert sheet.space == "w"
    np.testing.assert_allclose(sheet.images[0], images, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(sheet.images[1], half, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="truncation"):
        model.generate(2, truncation=-1)


def test_labels_with_truncation():
    model = make_conditional()
    images = model.generate(3, seed=3, condition=[0, 1, 2], truncation=0)
    assert images.shape == (3, 8, 8, 1) and np.abs(images[0] - images[1]).max() < 1e-5


def test_directions_of_the_styles():
    found = ganzoo.latent.sefa(make(), count=2)
    assert found.space == "w" and found.vectors.shape == (2, 3)


def test_it_trains_with_ada_and_exports(tmp_path):
    model = make(augmentation=ganzoo.augmentation.ADA(initial=0.5), penalty_interval=16, path_length_interval=4)
    log = train(model, steps=2).history
    assert np.isfinite(list(log.values())).all() and set(log) == LOGS
    model.export(tmp_path / "1")
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    latents = np.random.default_rng(0).normal(size=(3, 3)).astype("float32")
    made = loaded.signatures["serving_default"](latents=tf.constant(latents))["images"].numpy()
    np.testing.assert_allclose(made, model.generate(latents=latents), rtol=1e-4, atol=1e-5)
    assert len(list(dataset_for(model, 1))) == 1


def test_settings_of_the_configurations():
    auto = settings_of_config("auto", 32, 64)
    assert auto["r1_weight"] == pytest.approx(2e-4 * 64**2 / 32) and auto["base"] == 16384
    assert auto["ema_decay"] == pytest.approx(0.99778439, abs=1e-8)
    paper, of_class = settings_of_config("paper", 32, 1024), signature(ganzoo.StyleGAN2.__init__).parameters
    for name in ("r1_weight", "mixing_probability", "path_length_weight"):  # The class has those of the paper.
        assert paper[name] == of_class[name].default
    cifar = settings_of_config("cifar", 64, 32)
    assert cifar["ema_decay"] == pytest.approx(0.99991128, abs=1e-8)
    assert cifar["mixing_probability"] == cifar["path_length_weight"] == 0 and cifar["r1_weight"] == 0.01
    for settings, rate in ((auto, 2.5e-3), (settings_of_config("auto", 32, 1024), 2e-3)):
        adam = settings["generator_optimizer"]()
        np.testing.assert_allclose([float(adam.learning_rate), adam.beta_1, adam.beta_2], [rate, 0, 0.99], rtol=1e-6)
    model = ganzoo.StyleGAN2.from_paper((8, 8, 1), config="cifar", base=16, max_filters=2, latent_dim=3)
    assert model.ema_decay == cifar["ema_decay"] and model.penalty_interval == 16
    assert not [layer for layer in model.discriminator.layers if isinstance(layer, keras.layers.Add)]


def test_a_generator_without_a_mapping_network_is_refused():
    with pytest.raises(ValueError, match="mapping"):
        ganzoo.StyleGAN2.from_paper((8, 8, 1), networks=ganzoo.networks.dcgan)
    with pytest.raises(ValueError, match="config"):
        ganzoo.StyleGAN2.from_paper((8, 8, 1), config="F")
