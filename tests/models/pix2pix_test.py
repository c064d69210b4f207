import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.images import to_uint8
from ganzoo.networks import dcgan, patchgan, unet
from ganzoo.networks.unet import NoiseDropout
from ganzoo.sampling import SeededNumbers
from tests.check_model import check_model, generate, reload, replicas_agree, samples_like, state, train
from tests.scalar_networks import DISCRIMINATOR_RATE, GENERATOR_RATE, compiled, numbers_of, sigmoid

LOGS = {"d_loss", "g_loss", "l1"}


def make(**overrides):
    keras.utils.set_random_seed(0)
    settings = {"condition_shape": (16, 16, 2), "filters": 2, "receptive_field": 16, "seed": 1}
    return ganzoo.Pix2Pix.from_paper((16, 16, 1), **{**settings, **overrides})


make.generator_logs = {"l1"}  # One value for each update of the generator.


@check_model
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


def test_replicas_agree_with_batch_statistics(tmp_path):
    def make_batch(**overrides):
        return make(normalization="batch", batch_statistics_at_test=True, **overrides)

    replicas_agree(make_batch, LOGS, tmp_path)


def test_settings_of_the_paper():
    model = ganzoo.Pix2Pix.from_paper((64, 64, 3), filters=1)
    assert (model.l1_weight, model.gan_weight, model.discriminator_steps) == (100.0, 1.0, 1)
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        np.testing.assert_allclose(float(optimizer.learning_rate), 2e-4, rtol=1e-6)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.999)
    assert [layer.rate for layer in model.generator.layers if isinstance(layer, NoiseDropout)] == [0.5] * 3
    assert model.discriminator.output_shape == (None, 6, 6, 1)  # 70 x 70 patches
    assert model.conditions.image_shape == (64, 64, 3)


def test_overrides_reach_the_networks():
    model = make(normalization="batch", receptive_field=1, skips=False, dropout=0.0, l1_weight=3.0)
    assert model.generator.name == "encoder_decoder_generator" and model.latent_dim == 1
    assert model.discriminator.output_shape == (None, 16, 16, 1)
    assert model.l1_weight == 3.0
    for network in (model.generator, model.discriminator):
        assert any(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers)


# === One update by hand ===

A, E, B = 0.7, 0.4, -0.3  # g(z, x) = a z + e x + b
W, V, C = 1.5, -0.6, 0.2  # d(y, x) = w y + v x + c


def pixel_model(**kwargs):
    """Networks for images of one pixel."""
    latents, condition = keras.Input((1,), name="latents"), keras.Input((1, 1, 1), name="condition")
    pair = keras.layers.Concatenate()([keras.layers.Reshape((1, 1, 1))(latents), condition])
    generator = keras.Model([latents, condition], keras.layers.Dense(1)(pair))
    generator.set_weights([np.array([[A], [E]]), np.array([B])])
    image, condition = keras.Input((1, 1, 1), name="image"), keras.Input((1, 1, 1), name="condition")
    pair = keras.layers.Concatenate()([image, condition])
    discriminator = keras.Model([image, condition], keras.layers.Dense(1)(pair))
    discriminator.set_weights([np.array([[W], [V]]), np.array([C])])
    return compiled(ganzoo.Pix2Pix(generator, discriminator, seed=5, **kwargs))


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize(("l1_weight", "gan_weight"), [(100.0, 1.0), (0.5, 2.0), (0.0, 1.0), (0.3, 0.0)])
def test_one_update_by_hand(l1_weight, gan_weight, steps):
    """With s = d(y, x): dL_D/ds is -sigmoid(-s) / 2 for real and sigmoid(s) / 2 for generated images; the generator's
    is -w sigmoid(-s) from the discriminator and sign(g - y) from L1. Without the adversarial loss the discriminator
    rests, and draws no latents.
    """
    model = pixel_model(l1_weight=l1_weight, gan_weight=gan_weight, discriminator_steps=steps)
    inputs = np.array([[0.3, -0.9, 0.5], [-0.2, 0.6, 0.8]])[:steps]
    targets = np.array([[1.0, 0.4, -0.7], [0.2, -0.8, 0.5]])[:steps]
    numbers = numbers_of(model)
    a, e, b, w, v, c = A, E, B, W, V, C
    losses = []
    for x, y in zip(inputs, targets):
        if gan_weight == 0:
            continue
        z = numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
        fake = a * z + e * x + b
        real_score, fake_score = w * y + v * x + c, w * fake + v * x + c
        losses.append((np.mean(np.log1p(np.exp(-real_score))) + np.mean(np.log1p(np.exp(fake_score)))) / 2)
        real_slope, fake_slope = -sigmoid(-real_score) / 2, sigmoid(fake_score) / 2
        w -= DISCRIMINATOR_RATE * np.mean(real_slope * y + fake_slope * fake)
        v -= DISCRIMINATOR_RATE * np.mean(real_slope * x + fake_slope * x)
        c -= DISCRIMINATOR_RATE * np.mean(real_slope + fake_slope)
    z = numbers.normal((3, 1)).numpy()[:, 0].astype("float64")
    fake = a * z + e * x + b
    score = w * fake + v * x + c
    l1 = np.mean(np.abs(y - fake))
    g_loss = gan_weight * np.mean(np.log1p(np.exp(-score))) + l1_weight * l1
    slope = -gan_weight * w * sigmoid(-score) + l1_weight * np.sign(fake - y)
    a, e, b = (weight - GENERATOR_RATE * np.mean(slope * part) for weight, part in ((a, z), (e, x), (b, 1.0)))

    logs = model.train_on_batch(
        *(part.reshape(-1, 1, 1, 1).astype("float32") for part in (inputs, targets)), return_dict=True
    )
    assert set(logs) == (LOGS if gan_weight else LOGS - {"d_loss"})
    ours = [float(value) for weight in model.generator.get_weights() for value in weight.ravel()]
    theirs = [float(value) for weight in model.discriminator.get_weights() for value in weight.ravel()]
    np.testing.assert_allclose(ours, [a, e, b], rtol=1e-5)
    np.testing.assert_allclose(theirs, [w, v, c], rtol=1e-5)
    np.testing.assert_allclose([logs["l1"], logs["g_loss"]], [l1, g_loss], rtol=1e-5)
    if gan_weight:
        np.testing.assert_allclose(logs["d_loss"], np.mean(losses), rtol=1e-5)


def test_l1_alone_leaves_the_discriminator():
    model = make(gan_weight=0.0)
    before = [value.copy() for value in model.discriminator.get_weights()]
    history = train(model, steps=2)
    assert set(history.history) == {"g_loss", "l1"}
    assert history.history["g_loss"] == pytest.approx([100 * history.history["l1"][0]], rel=1e-5)
    for ours, theirs in zip(model.discriminator.get_weights(), before):
        np.testing.assert_array_equal(ours, theirs)
    evaluated = model.evaluate(*samples_like(model, 4), verbose=0, return_dict=True)
    assert set(evaluated) == LOGS


def test_learns_a_translation():
    """A negative of four pictures, in forty steps: far nearer than where it began."""
    model = make(condition_shape=(16, 16, 1), filters=8)
    inputs = np.random.default_rng(0).choice([-1.0, 1.0], (4, 4, 4, 1)).repeat(4, 1).repeat(4, 2).astype("float32")
    model.compile(keras.optimizers.Adam(5e-3, beta_1=0.5), keras.optimizers.Adam(2e-4, beta_1=0.5))
    data = ganzoo.data.paired(inputs, -inputs, batch_size=4)
    first, *_, last = model.fit(data, epochs=40, verbose=0).history["l1"]
    assert first > 0.8 and last < 0.35


# === What the input is for ===


def test_the_input_reaches_both_networks():
    model = make()
    inputs, targets = samples_like(model, 2)
    outputs = model.generate(seed=0, condition=inputs)
    assert np.abs(model.generate(seed=0, condition=inputs[::-1]) - outputs).max() > 1e-3
    scores, mismatched = (
        model.critic(tf.constant(part), training=False)(tf.constant(targets)) for part in (inputs, inputs[::-1].copy())
    )
    assert np.abs(scores - mismatched).max() > 1e-3


def test_generate_is_noise_and_input():
    model = make()
    inputs, _ = samples_like(model, 3)
    several = model.generate(5, seed=2, condition=inputs[0])
    assert several.shape == (5, 16, 16, 1)
    assert np.abs(several[0] - several[1]).max() > 1e-4
    latents = SeededNumbers(2).normal((3, model.latent_dim))
    expected = model.generator([latents, tf.constant(inputs)], training=False)
    np.testing.assert_allclose(model.generate(seed=2, condition=inputs), expected, atol=1e-6)
    pixels = np.random.default_rng(0).integers(0, 256, inputs.shape, "uint8")
    np.testing.assert_array_equal(
        model.generate(seed=2, condition=pixels), model.generate(seed=2, condition=ganzoo.data.normalize(pixels))
    )


def test_predict():
    """The averaged generator; each image by itself, whatever comes with it; uint8 as well."""
    model = make(ema_decay=0.9)
    train(model, steps=2)
    inputs, _ = samples_like(model, 7)
    outputs = model.predict(inputs, verbose=0)
    assert outputs.shape == (7, 16, 16, 1) and outputs.dtype == np.float32
    latents = np.repeat(SeededNumbers(0).normal((1, model.latent_dim)), 7, axis=0)
    np.testing.assert_allclose(outputs, model.ema_generator([latents, inputs], training=False), atol=1e-5)
    assert np.abs(outputs - model.generator([latents, inputs], training=False)).max() > 1e-3
    for batch_size in (1, 3):
        np.testing.assert_allclose(model.predict(inputs, batch_size=batch_size, verbose=0), outputs, atol=1e-5)
    np.testing.assert_allclose(model.predict(inputs[4:5], verbose=0), outputs[4:5], atol=1e-5)
    pixels = np.random.default_rng(0).integers(0, 256, inputs.shape, "uint8")
    np.testing.assert_allclose(
        model.predict(pixels, verbose=0), model.predict(ganzoo.data.normalize(pixels), verbose=0), atol=1e-5
    )


def test_fit_takes_arrays():
    model = make(run_eagerly=True)
    inputs, targets = samples_like(model, 8)
    assert set(model.fit(inputs, targets, batch_size=4, verbose=0).history) == LOGS
    with pytest.raises(ValueError, match="translates images, and the data have no targets"):
        model.fit(inputs, batch_size=4)


def test_packing():
    model = make(packing=2, run_eagerly=True)
    assert model.discriminator.inputs[1].shape == (None, 16, 16, 4)
    assert np.isfinite(list(train(model, steps=1).history.values())).all()


# === Export ===

SERVE = """
import sys
sys.modules["keras"] = sys.modules["tf_keras"] = sys.modules["ganzoo"] = None
import numpy as np
import tensorflow as tf
from pathlib import Path
folder = Path(sys.argv[1])
signatures = tf.saved_model.load(folder / "1").signatures
images = tf.constant(np.load(folder / "inputs.npy"))
outputs = {
    "names": sorted(signatures),
    "served": signatures["serving_default"](image=images)["images"],
    "last": signatures["serving_default"](image=images[-1:])["images"],
}
drawn = signatures["generate"](seed=tf.constant(7, "int64"), image=images)
files = signatures["generate_png"](seed=tf.constant(7, "int64"), image=images)["image_bytes"]
outputs["generated"] = drawn["images"]
outputs["png"] = np.stack([tf.io.decode_png(file) for file in files])
np.savez(folder / "outputs.npz", **{name: np.asarray(value) for name, value in outputs.items()})
"""


def test_export(tmp_path):
    """Image -> image, in a process that has neither ganzoo nor Keras."""
    model = make(ema_decay=0.5)
    train(model, steps=2)
    inputs, _ = samples_like(model, 5)
    model.export(tmp_path / "1")
    np.save(tmp_path / "inputs.npy", inputs)
    done = subprocess.run([sys.executable, "-c", SERVE, tmp_path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    outputs = np.load(tmp_path / "outputs.npz")
    assert list(outputs["names"]) == ["generate", "generate_png", "serving_default"]
    np.testing.assert_allclose(outputs["served"], model.predict(inputs, verbose=0), atol=1e-5)
    np.testing.assert_allclose(outputs["last"], outputs["served"][-1:], atol=1e-5)  # Batch mates have no influence.
    expected = to_uint8(model.generate(seed=7, condition=inputs)).numpy().astype(int)
    assert np.abs(outputs["generated"] - expected).max() <= 1
    np.testing.assert_array_equal(outputs["png"], outputs["generated"])


# === Refusals ===


def test_refusals(tmp_path):
    generator = unet.generator((16, 16, 1), filters=1)
    discriminator = patchgan.discriminator((16, 16, 1), receptive_field=16, filters=1)
    with pytest.raises(ValueError, match="`l1_weight` must be a finite number of at least 0. Received: l1_weight=-1"):
        ganzoo.Pix2Pix(generator, discriminator, l1_weight=-1)
    with pytest.raises(ValueError, match="`gan_weight` must be a finite number .* Received: gan_weight=nan"):
        ganzoo.Pix2Pix(generator, discriminator, gan_weight=float("nan"))
    with pytest.raises(ValueError, match="Pix2Pix translates images: .*ganzoo.networks.unet"):
        ganzoo.Pix2Pix(dcgan.generator((16, 16, 1), filters=1), dcgan.discriminator((16, 16, 1), filters=1))
    other = patchgan.discriminator((16, 16, 1), (16, 16, 3), receptive_field=16, filters=1)
    with pytest.raises(ValueError, match=r"of shape \(16, 16, 1\), and the discriminator of shape \(16, 16, 3\)"):
        ganzoo.Pix2Pix(generator, other)
    with pytest.raises(ValueError, match=r"must be \(height, width, channels\) .*Received: image_shape=\(2,\)"):
        ganzoo.Pix2Pix.from_paper((2,))
    with pytest.raises(TypeError, match=r"unknown settings \['lambda_l1'\].*l1_weight"):
        ganzoo.Pix2Pix.from_paper((16, 16, 1), lambda_l1=10)


def test_gan_weight_is_saved(tmp_path):
    model = reload(make(l1_weight=3.0, gan_weight=0.5), tmp_path)
    assert (model.l1_weight, model.gan_weight) == (3.0, 0.5)
    assert len(state(model)) > 0 and generate(model).shape == (6, 16, 16, 1)
