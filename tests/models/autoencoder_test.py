import subprocess
import sys

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo.images import to_uint8
from ganzoo.models.autoencoding_model import AutoencodingModel
from ganzoo.networks import autoencoder as family
from tests.check_model import check_generative_model, tiny, two_replicas


def make(**overrides):
    return tiny(ganzoo.Autoencoder, (6, 4, 1), **{"hidden": (5,), **overrides})


make.optimizers = ("optimizer",)


@check_generative_model
def test_contract(check, tmp_path):
    check(make, {"loss"}, tmp_path)


def test_settings_of_the_paper():
    model = ganzoo.Autoencoder.from_paper((28, 28, 1))
    dense = [
        layer.units
        for network in (model.encoder, model.generator)
        for layer in network.layers
        if isinstance(layer, keras.layers.Dense)
    ]
    assert dense == [1000, 500, 250, 30, 250, 500, 1000, 784]
    assert model.generator.layers[-1].activation is keras.activations.tanh
    assert ganzoo.Autoencoder.from_paper((3,), hidden=(4,)).generator.layers[-1].activation is keras.activations.linear


def test_one_update_by_hand():
    """f(x) = a x + b, g(z) = w z + v: the gradient of mean((x - g(f(x)))^2)."""
    encoder, decoder = family.encoder((1,), latent_dim=1, hidden=()), family.decoder((1,), latent_dim=1, hidden=())
    a, b, w, v = 0.8, 0.1, 1.3, 0.2
    encoder.set_weights([np.array([[a]]), np.array([b])])
    decoder.set_weights([np.array([[w]]), np.array([v])])
    model = ganzoo.Autoencoder(encoder, decoder)
    model.compile(keras.optimizers.SGD(0.05))
    x = np.array([0.9, -0.4, 0.3])
    z = a * x + b
    to_output = -2 * (x - w * z - v)
    gradients = [np.mean(g) for g in (to_output * w * x, to_output * w, to_output * z, to_output)]
    logs = model.train_on_batch(x[:, None].astype("float32"), return_dict=True)
    assert logs == pytest.approx({"loss": np.mean((to_output / 2) ** 2)}, rel=1e-5)
    after = [float(np.squeeze(weight)) for weight in (*encoder.get_weights(), *decoder.get_weights())]
    np.testing.assert_allclose(after, np.array([a, b, w, v]) - 0.05 * np.array(gradients), rtol=1e-5)


def test_a_linear_autoencoder_comes_to_the_error_of_principal_components():
    random = np.random.default_rng(0)
    samples = (random.normal(size=(400, 3)) * [2.0, 1.0, 0.3] @ random.normal(size=(3, 3))).astype("float32")
    samples -= samples.mean(axis=0)
    variances = np.sort(np.linalg.eigvalsh(np.cov(samples.T, bias=True)))
    keras.utils.set_random_seed(0)
    rate = keras.optimizers.schedules.CosineDecay(0.05, decay_steps=600)
    model = ganzoo.Autoencoder.from_paper((3,), latent_dim=2, hidden=(), optimizer=keras.optimizers.Adam(rate))
    model.fit(samples, batch_size=100, steps_per_epoch=600, verbose=0)
    error = model.evaluate(samples, batch_size=400, verbose=0, return_dict=True)["loss"]
    assert error == pytest.approx(variances[0] / 3, rel=0.02)  # The mean over three coordinates.


def images(count):
    return np.random.default_rng(0).uniform(-1, 1, (count, 6, 4, 1)).astype("float32")


def test_encode_decode_reconstruct():
    model = make()
    latents = model.encode(images(7))
    assert latents.shape == (7, 3) and latents.dtype == np.float32
    np.testing.assert_allclose(latents, model.encoder(images(7)), atol=1e-6)
    decoded = model.decode(latents)
    np.testing.assert_allclose(decoded, model.generator(latents), atol=1e-6)
    assert decoded.shape == (7, 6, 4, 1) and np.abs(decoded).max() <= 1
    np.testing.assert_array_equal(model.reconstruct(images(7)), decoded)
    np.testing.assert_allclose(model.reconstruct(images(7), batch_size=2), decoded, atol=1e-6)


def test_generate_decodes_normal_latents():
    model = make()
    latents = ganzoo.sampling.SeededNumbers(4).normal((5, 3))
    np.testing.assert_allclose(model.generate(5, seed=4), model.decode(latents), atol=1e-6)


def test_networks_refused():
    encoder, decoder = (make_network((4,), latent_dim=2) for make_network in (family.encoder, family.decoder))
    with pytest.raises(ValueError, match=r"`encoder` must have one output, the latents, of shape \(3,\).*\[\(2,\)\]"):
        ganzoo.Autoencoder(encoder, family.decoder((4,), latent_dim=3))
    with pytest.raises(TypeError, match="`encoder` must be a built keras.Model"):
        ganzoo.Autoencoder("encoder", decoder)
    with pytest.raises(TypeError, match="`decoder` must be a built keras.Model"):
        ganzoo.Autoencoder(encoder, "decoder")
    with pytest.raises(TypeError, match=r"unknown settings \['beta'\]"):
        make(beta=2.0)
    with pytest.raises(ValueError, match="`jit_compile=True` does not work with tf.distribute"):
        with two_replicas().scope():
            make(jit_compile=True)


def test_the_hooks_of_a_new_model_are_asked_for():
    class Unfinished(AutoencodingModel):
        pass

    encoder, decoder = family.encoder((4,)), family.decoder((4,))
    model = Unfinished(encoder, decoder)
    model.compile("sgd")
    samples = np.zeros((2, 4), "float32")
    with pytest.raises(NotImplementedError, match=r"Unfinished must define objective\(self, samples, training\)"):
        model.objective(samples, training=True)
    with pytest.raises(NotImplementedError, match=r"Unfinished must define encode_samples\(self, samples\)"):
        model.encode_samples(samples)


# === Export ===

SERVE = """
import sys
sys.modules["keras"] = sys.modules["tf_keras"] = sys.modules["ganzoo"] = None  # An import of them is an error.
from pathlib import Path
import numpy as np
import tensorflow as tf

for folder in map(Path, sys.argv[1:]):
    signatures = tf.saved_model.load(folder / "1").signatures
    images = tf.constant(np.load(folder / "images.npy"))
    outputs = {"signatures": sorted(signatures), **signatures["encode"](images=images)}
    latents = outputs.get("mean", outputs.get("latents"))
    outputs["decoded"] = signatures["decode"](latents=latents)["images"]
    outputs["default"] = signatures["serving_default"](latents=latents)["images"]
    drawn = signatures["generate"](seed=tf.constant(7, "int64"), num_samples=tf.constant(3, "int64"))
    outputs["generated"] = drawn["images"]
    np.savez(folder / "outputs.npz", **outputs)
"""


def trained(model):
    random = np.random.default_rng(0)
    samples = random.uniform(-1, 1, (8, *model.image_shape)).astype("float32")
    model.fit(samples, batch_size=4, verbose=0)
    return model


def test_export(tmp_path):
    models = {
        "autoencoder": trained(make(ema_decay=0.5)),
        "vae": trained(tiny(ganzoo.VAE, (6, 4, 1), hidden=(5,), ema_decay=0.5)),
        "vectors": trained(tiny(ganzoo.VAE, (3,), hidden=(5,))),
    }
    for name, model in models.items():
        model.export(tmp_path / name / "1")
        samples = np.random.default_rng(1).uniform(-1, 1, (5, *model.image_shape)).astype("float32")
        np.save(tmp_path / name / "images.npy", samples)
    done = subprocess.run(
        [sys.executable, "-c", SERVE, *(tmp_path / name for name in models)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    for name, model in models.items():
        outputs = np.load(tmp_path / name / "outputs.npz")
        samples = np.load(tmp_path / name / "images.npy")
        own = ["decode", "encode", "generate"] + ["generate_png"] * (name != "vectors") + ["serving_default"]
        assert list(outputs["signatures"]) == own
        encoded = model.encode(samples)
        names = ["latents"] if name == "autoencoder" else ["mean", "log_variance"]
        for key, expected in zip(names, [encoded] if name == "autoencoder" else encoded, strict=True):
            np.testing.assert_allclose(outputs[key], expected, atol=1e-6)
        decoded = model.reconstruct(samples)
        np.testing.assert_allclose(outputs["decoded"], decoded, atol=1e-6)
        np.testing.assert_allclose(outputs["default"], decoded, atol=1e-6)
        expected = model.generate(3, seed=7)
        if name != "vectors":
            expected = to_uint8(expected).numpy()
            assert len(np.unique(expected)) > 1
        np.testing.assert_allclose(outputs["generated"].astype("float32"), expected, atol=1e-6)
