"""ONNX and LiteRT files give what the model gives, in three runtimes, for any batch size."""

import json
import sys

import keras
import numpy as np
import onnxruntime
import openvino
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import ganzoo
from ganzoo.export.endpoints import without_random_numbers
from ganzoo.sampling import SeededNumbers
from tests.export.models import KINDS, inputs_of, made, make

BATCHES = (1, 3)
TOLERANCE = 1e-5

# By default OpenVINO takes bfloat16 where a CPU has it.
EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


@pytest.fixture(scope="module", params=KINDS)
def exported(request, tmp_path_factory):
    """A model that was never called, its endpoints, and the folder of its files."""
    folder = tmp_path_factory.mktemp(request.param)
    model = made(request.param)
    model.export(folder / "model.onnx", format="onnx")
    model.export(folder / "model.tflite", format="litert")
    return model, without_random_numbers(model), folder


def compare(endpoint, run):
    """Runs a runtime on several batches, and compares with Keras."""
    function = endpoint.compiled()
    for count in BATCHES:
        inputs = inputs_of(endpoint.specs, count)
        expected = function(*map(tf.constant, inputs.values()))
        outputs = run(inputs)
        assert set(outputs) == set(expected)
        for name, value in expected.items():
            assert np.std(value) > 0.01  # Grey would agree with everything.
            np.testing.assert_allclose(outputs[name], value, rtol=0, atol=TOLERANCE, err_msg=name)


def onnx_files(endpoints, folder):
    for name, endpoint in endpoints.items():
        yield endpoint, folder / ("model.onnx" if name == "serving_default" else f"model_{name}.onnx")


def test_onnx_runtime(exported):
    _, endpoints, folder = exported
    for endpoint, file in onnx_files(endpoints, folder):
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        assert [(tensor.name, tensor.shape[0]) for tensor in session.get_inputs()] == [
            (spec.name, "batch") for spec in endpoint.specs
        ]
        compare(endpoint, lambda inputs, s=session, names=names: dict(zip(names, s.run(names, inputs))))


def test_openvino_reads_the_onnx_file(exported):
    _, endpoints, folder = exported
    for endpoint, file in onnx_files(endpoints, folder):
        network = openvino.Core().compile_model(file, "CPU", EXACT)
        compare(endpoint, lambda inputs, n=network: {key.get_any_name(): value for key, value in n(inputs).items()})


def test_litert(exported):
    _, endpoints, folder = exported
    interpreter = Interpreter(model_path=str(folder / "model.tflite"))
    assert set(interpreter.get_signature_list()) == set(endpoints)
    for name, endpoint in endpoints.items():
        runner = interpreter.get_signature_runner(name)
        compare(endpoint, lambda inputs, run=runner: run(**inputs))


def test_cards(exported):
    model, endpoints, folder = exported
    onnx, litert = (json.loads((folder / file).read_text()) for file in ("model.onnx.json", "model.tflite.json"))
    assert onnx["model"] == litert["model"] == type(model).__name__
    assert onnx["versions"]["ganzoo"] == ganzoo.__version__
    assert onnx["class_names"] == model.class_names
    assert set(onnx["files"]) == {file.name for file in folder.glob("*.onnx")}
    main = onnx["files"]["model.onnx"]
    assert main == litert["signatures"]["serving_default"]
    assert main["outputs"] == {"images": {"dtype": "float32", "shape": [None, *model.image_shape]}}
    assert list(main["inputs"]) == [spec.name for spec in endpoints["serving_default"].specs]
    if model.num_classes:
        assert main["inputs"]["label"] == {"dtype": "int64", "shape": [None]}
    if hasattr(model, "encoder"):
        assert onnx["files"]["model_encode.onnx"] == litert["signatures"]["encode"]
        assert set(litert["signatures"]["encode"]["outputs"]) == {"mean", "log_variance"}
        assert litert["signatures"]["decode"] == main


def test_samples_are_those_of_generate(exported):
    """A translator has the latents of seed 0 inside, always of the first sample."""
    model, endpoints, folder = exported
    specs = endpoints["serving_default"].specs
    inputs = inputs_of(specs, 1)
    condition = next((value for name, value in inputs.items() if name != "latents"), None)
    if "latents" in inputs:
        inputs["latents"] = SeededNumbers(0).normal((1, model.latent_dim)).numpy()
    (outputs,) = onnxruntime.InferenceSession(folder / "model.onnx").run(None, inputs)
    expected = model.generate(1, seed=0, condition=condition)
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=TOLERANCE)


class Noisy(ganzoo.GAN):
    """Draws while it generates."""

    def apply_generator(self, network, latents, condition, training):
        samples = super().apply_generator(network, latents, condition, training)
        return samples + self.normal((tf.shape(samples)[0], *self.image_shape))


def test_what_cannot_be_written_is_said(tmp_path, monkeypatch):
    model = made("vae")
    with pytest.raises(ValueError, match="ends in .onnx. Received: .*model.pb.*model.onnx"):
        model.export(tmp_path / "model.pb", format="onnx")
    with pytest.raises(ValueError, match="ends in .tflite"):
        model.export(tmp_path / "model", format="litert")
    with pytest.raises(ValueError, match='Only format="html" has the argument.*directions.*onnx'):
        model.export(tmp_path / "model.onnx", format="onnx", directions=[])
    noisy = Noisy.from_paper((4, 4, 1), hidden=(4,), latent_dim=2, seed=0)
    for file, format in (("model.onnx", "onnx"), ("model.tflite", "litert")):
        with pytest.raises(ValueError, match=f'format="{format}" .*saved_model'):
            noisy.export(tmp_path / file, format=format)
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    for format in ("onnx", "html"):
        with pytest.raises(ImportError, match=rf"format='{format}' .*tf2onnx.*keras-ganzoo\[export\]"):
            model.export(tmp_path / f"model.{format}", format=format)
    assert not list(tmp_path.iterdir())


def test_half_precision_is_written_as_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    half = make("conditional")
    keras.config.set_dtype_policy("float32")
    exact = made("conditional")
    half.export(tmp_path / "model.onnx", format="onnx")
    half.export(tmp_path / "model.tflite", format="litert")
    inputs = inputs_of(exact.input_specs(), 3)
    expected = exact([tf.constant(value) for value in inputs.values()])
    assert np.abs(expected - half([tf.constant(value) for value in inputs.values()])).max() > 1e-4
    (outputs,) = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(None, inputs)
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=TOLERANCE)
    runner = Interpreter(model_path=str(tmp_path / "model.tflite")).get_signature_runner("serving_default")
    np.testing.assert_allclose(runner(**inputs)["images"], expected, rtol=0, atol=TOLERANCE)


def test_litert_from_a_saved_model(tmp_path):
    """As docs/serving.md has it."""
    model = made("unconditional")
    model.export(tmp_path / "1")
    content = tf.lite.TFLiteConverter.from_saved_model(
        str(tmp_path / "1"), signature_keys=["serving_default"]
    ).convert()
    runner = Interpreter(model_content=content).get_signature_runner("serving_default")
    inputs = inputs_of(model.input_specs(), 3)
    np.testing.assert_allclose(runner(**inputs)["images"], model(inputs["latents"]), rtol=0, atol=TOLERANCE)
