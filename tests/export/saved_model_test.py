"""The SavedModel gives what the model gives, without ganzoo and Keras, and in another runtime."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.images import to_uint8

BATCHES = (1, 3, 8)


def dcgan(image_shape=(16, 16, 1), **settings):
    return ganzoo.DCGAN.from_paper(image_shape, filters=4, latent_dim=6, seed=0, **settings)


def gan(image_shape=(4, 4, 3), **settings):
    optimizers = {"generator_optimizer": "sgd", "discriminator_optimizer": "sgd"}
    return ganzoo.GAN.from_paper(image_shape, hidden=(16,), latent_dim=6, seed=0, **optimizers, **settings)


def trained(**settings):
    model = gan(ema_decay=0.5, **settings)
    samples = np.random.default_rng(0).uniform(-1, 1, (24, 4, 4, 3)).astype("float32")
    model.fit(samples, batch_size=8, verbose=0)
    return model


def mirrored():
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        return trained()


MODELS = {
    "dcgan": dcgan,
    "dcgan_cropped_colour": lambda: dcgan((11, 14, 3)),
    "dcgan_average": lambda: dcgan(ema_decay=0.5),
    "dcgan_conditional": lambda: dcgan(num_classes=3),
    "mlp": gan,
    "mlp_conditional_average": lambda: gan((4, 4, 1), num_classes=3, ema_decay=0.5),
    "mlp_vectors": lambda: gan((2,), ema_decay=0.5),
    "mlp_trained": trained,
    "mlp_mirrored": mirrored,
}


def make_lively(model):
    """Weights as large as after a training, statistics that are not where they began, and an average of its own."""
    random = np.random.default_rng(0)
    for network in filter(None, (model.generator, model.ema_generator)):
        for weight in network.weights:
            factor = random.uniform(0.5, 2, weight.shape) * (5 if len(weight.shape) > 1 else 1)
            weight.assign(factor * weight)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Models, the folders of their exports, and what another process got from these: by name."""
    folder = tmp_path_factory.mktemp("export")
    models = {}
    for name, build in MODELS.items():
        keras.utils.set_random_seed(0)
        model = models[name] = build()
        if model.steps_done == 0:
            make_lively(model)
        model.export(folder / name / "saved_model")
        random = np.random.default_rng(1)
        latents = random.standard_normal((16, model.latent_dim)).astype("float32")
        np.savez(folder / name / "inputs.npz", latents=latents, labels=np.arange(16) % 3)
    script = Path(__file__).parents[1] / "workers" / "serve.py"
    done = subprocess.run([sys.executable, script, folder], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return {name: (models[name], folder / name, np.load(folder / name / "outputs.npz")) for name in MODELS}


def labels(model, count):
    return None if model.num_classes is None else np.arange(count) % 3


@pytest.mark.parametrize("count", BATCHES)
@pytest.mark.parametrize("name", MODELS)
class TestSignatures:
    def test_serving_default(self, served, name, count):
        model, folder, outputs = served[name]
        inputs = np.load(folder / "inputs.npz")["latents"][:count]
        condition = labels(model, count)
        expected = model.decode_batch(*([inputs] if condition is None else [inputs, condition]))
        np.testing.assert_array_equal(outputs[f"serving_default/{count}"], expected)
        called = (model if model.ema_generator is None else model.ema_generator)(
            inputs if condition is None else [inputs, condition], training=False
        )
        np.testing.assert_allclose(outputs[f"serving_default/{count}"], called, atol=1e-6)  # Eager: no fused kernels.

    def test_generate(self, served, name, count):
        model, _, outputs = served[name]
        expected = model.generate(count, seed=7, condition=labels(model, count))
        if len(model.image_shape) == 3:
            expected = to_uint8(expected).numpy()
            assert expected.dtype == np.uint8 and len(np.unique(expected)) > 1
        np.testing.assert_array_equal(outputs[f"generate/{count}"], expected)
        assert outputs[f"generate/{count}"].dtype == expected.dtype
        drawn = ganzoo.sampling.SeededNumbers(7).normal((count, model.latent_dim))
        np.testing.assert_array_equal(outputs[f"latents/{count}"], drawn)

    def test_generate_png(self, served, name, count):
        model, _, outputs = served[name]
        if len(model.image_shape) == 1:
            assert list(outputs["signatures"]) == ["generate", "serving_default"]
            return
        assert list(outputs["signatures"]) == ["generate", "generate_png", "serving_default"]
        np.testing.assert_array_equal(outputs[f"generate_png/{count}"], outputs[f"generate/{count}"])

    def test_openvino(self, served, name, count):
        _, _, outputs = served[name]
        np.testing.assert_allclose(outputs[f"openvino/{count}"], outputs[f"serving_default/{count}"], atol=1e-5)

    def test_batch_mates_have_no_influence(self, served, name, count):
        _, _, outputs = served[name]
        first = outputs[f"serving_default/{count}"][0]
        np.testing.assert_array_equal(outputs[f"first_with_other_mates/{count}"], first)
        np.testing.assert_allclose(outputs["serving_default/1"][0], first, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_no_sample_is_an_error(served, name):
    assert "num_samples must be >= 1" in str(served[name][2]["error"])


@pytest.mark.parametrize("name", MODELS)
def test_holds_the_generator_alone(served, name):
    model, folder, _ = served[name]
    stored = tf.train.list_variables(str(folder / "saved_model" / "variables" / "variables"))
    shapes = sorted(tuple(shape) for name, shape in stored if name != "_CHECKPOINTABLE_OBJECT_GRAPH")
    assert shapes == sorted(tuple(weight.shape) for weight in model.generator.weights)


@pytest.mark.parametrize("name", ["dcgan_average", "mlp_mirrored", "mlp_vectors"])
def test_the_average_is_exported(served, name):
    model, _, outputs = served[name]
    latents = outputs["latents/8"]
    raw, average = (np.asarray(network(latents, training=False)) for network in (model.generator, model.ema_generator))
    assert np.abs(raw - average).max() > 1e-3
    exported = outputs["generate/8"].astype("float32")
    expected = to_uint8(average).numpy() if average.ndim == 4 else average
    assert np.abs(exported - expected).max() <= (1 if average.ndim == 4 else 1e-6)


def test_replicas_do_not_matter(served):
    one, two = served["mlp_trained"][2], served["mlp_mirrored"][2]
    np.testing.assert_allclose(one["serving_default/8"], two["serving_default/8"], atol=1e-6)


def test_card(served):
    model, folder, _ = served["mlp_conditional_average"]
    card = json.loads((folder / "saved_model" / "assets.extra" / "ganzoo.json").read_text())
    assert card == {
        "model": "GAN",
        "image_shape": [4, 4, 1],
        "latent_dim": 6,
        "num_classes": 3,
        "class_names": None,
        "condition_shape": None,
        "conditions": {"label": {"kind": "label", "num_classes": 3, "class_names": None}},
        "step": 0,
        "versions": {"ganzoo": ganzoo.__version__, "keras": keras.__version__, "tensorflow": tf.__version__},
    }


def test_a_loaded_model_exports_the_same(served, tmp_path):
    model, _, outputs = served["dcgan_average"]
    model.save(tmp_path / "model.keras")
    keras.saving.load_model(tmp_path / "model.keras").export(tmp_path / "1")
    signature = tf.saved_model.load(tmp_path / "1").signatures["generate"]
    images = signature(seed=tf.constant(7, "int64"), num_samples=tf.constant(8, "int64"))["images"]
    np.testing.assert_array_equal(images, outputs["generate/8"])


def test_unknown_formats_are_refused(served, tmp_path):
    with pytest.raises(ValueError, match="`format` must be one of 'saved_model'.*Received: format='pickle'"):
        served["mlp"][0].export(tmp_path / "model", format="pickle")


def test_keras_name_of_the_format(served, tmp_path):
    served["mlp"][0].export(tmp_path / "1", format="tf_saved_model")
    assert (tmp_path / "1" / "saved_model.pb").is_file()
