"""The examples: each runs to its end and leaves what its first lines promise."""

import ast
import base64
import http.server
import json
import re
import threading
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import ganzoo
from tests.workers import example, processes

EXAMPLES = example.EXAMPLES

# What each example leaves in its folder, and a pattern of what it prints.
PROMISES = {
    "train_acgan": (["epoch_0001.png"], r"The head reads [\d.]+% of 1,000 digits"),
    "train_autoencoder": (
        ["latents_0001.png", "reconstructions.png", "walk.png", "samples.png"],
        r"standard deviations of the latents: \[",
    ),
    "train_began": (["epoch_0001.png"], r"epoch 1: k = 0\.\d{4}, M = [\d.]+, learning rate 0\.0004"),
    "train_biggan": (
        ["whole.png", "truncated.png"],
        r"New statistics in \d+ layers; the spread of pixels is 0\.\d+ and",
    ),
    "train_cgan": (["model.keras", "Sneaker.png", "Bag.png", "samples/epoch_0001.png"], r"10 classes: T-shirt/top, "),
    "train_cramer_gan": (["samples.png"], r"epoch 1: energy distance \d\.\d{4}"),
    "train_cyclegan": (["model.keras", "there_and_back.png"], r"differ by [\d.]+ of 2"),
    "train_dcgan": (
        ["model.keras", "samples/training.gif", "learning_curve.csv"],
        r"2 updates of the generator, over all starts",
    ),
    "train_dragan": (
        ["model.keras", "pictures/drawings/0000.png", "samples/epoch_0001.png"],
        r"classes: \['drawings'\]",
    ),
    "train_gan": (["minimax.png", "non_saturating.png"], r"(?s)minimax .*non_saturating "),
    "train_iwae": (["model.keras"], r"log p\(x\) of held-out digits: VAE -[\d.]+, IWAE -[\d.]+ nats"),
    "train_infogan": (["number_0.png", "number_1.png"], r"category 9: mostly \d"),
    "train_lsgan": (["runs.jsonl", "table.md", "curves.png"], r"least squares"),
    "train_pix2pix": (["model.keras", "samples/epoch_0001.png"], r"(?s)pix2pix l1_distance.*outline l1_distance"),
    "train_presgan": (["model.keras", "sigma.png", "learning_curve.png"], r"held-out images of fashion_mnist_10k: -?"),
    "train_r3gan": (["checkpoints/step_0000000002.keras", "epoch_0001.png"], r"2 replicas, 64 images each"),
    "train_sagan": (["epoch_0001.png"], r"epoch 1: gain [+-]0\.\d{4} in the generator"),
    "train_sngan": (["model.keras"], r"bfloat16, largest singular value [\d.]+"),
    "train_stylegan2": (
        ["model.keras", "truncation_0.7.png", "samples/epoch_0001.png"],
        r"ADA's probability after 2 steps: 0\.0000",
    ),
    "train_vae": (["model.keras", "latents_0001.png"], r"ELBO -[\d.]+ nats; log p\(x\) -[\d.]+ nats"),
    "train_vqvae": (["model.keras", "reconstructions.png", "samples.png"], r"perplexity [\d.]+ of 64"),
    "train_wae": (["model.keras", "samples.png"], r"standard deviations of the latents: [\d.]+ to [\d.]+"),
    "train_wgan": (["estimate.png", "samples/epoch_0001.png"], r"frechet_distance"),
    "train_wgan_div": (
        ["WGAN-GP.png", "WGAN-div.png"],
        r"(?s)WGAN-GP: mean slope [\d.]+ .*WGAN-div: mean slope [\d.]+ after the first",
    ),
    "train_wgan_gp": (
        ["model.keras", "new.png", "serving/1/saved_model.pb", "checkpoints/step_0000000002.keras"],
        r"The server makes 64 images of uint8",
    ),
}
ARGUMENTS = {"train_lsgan": ["--budget=2"], "train_presgan": ["--epochs=1", "--importance_samples=2"]}


def test_every_model_has_an_example():
    assert set(PROMISES) == {file.stem for file in EXAMPLES.glob("train_*.py")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder where each example has run for two steps."""
    folder = tmp_path_factory.mktemp("examples")
    arguments = {name: [*ARGUMENTS.get(name, ["--epochs=1"]), f"--output_dir={folder / name}"] for name in PROMISES}
    processes.run_all(folder, {name: (example.run, name, *given) for name, given in arguments.items()})
    return folder


@pytest.mark.parametrize("name", PROMISES)
def test_keeps_its_promises(folder, name):
    files, printed = PROMISES[name]
    assert not [file for file in files if not (folder / name / file).is_file()]
    assert re.search(printed, (folder / f"{name}.txt").read_text())


def test_the_server_has_the_samples_of_the_model(folder):
    """The example prints so; here it is checked, up to the rounding to one of two neighbouring values."""
    model = keras.saving.load_model(folder / "train_wgan_gp" / "model.keras")
    served = tf.saved_model.load(folder / "train_wgan_gp" / "serving" / "1").signatures["generate"]
    images = served(seed=tf.constant(1, "int64"), num_samples=tf.constant(64, "int64"))["images"].numpy()
    ours = ganzoo.images.to_uint8(model.generate(64, seed=1)).numpy()
    assert np.abs(images.astype(int) - ours).max() <= 1


@pytest.mark.parametrize("name", PROMISES)
def test_is_plain_code(name):
    """At most 65 lines and five flags, and nothing is imported from another example."""
    text = (EXAMPLES / f"{name}.py").read_text()
    assert len(text.splitlines()) <= 65 and text.count("flags.DEFINE_") <= 5
    modules = {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
    modules |= {
        alias.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import) for alias in node.names
    }
    assert modules <= {"absl", "ganzoo", "keras", "matplotlib.figure", "numpy", "pathlib", "tensorflow"}


# === serve_client.py ===


class Serving(http.server.BaseHTTPRequestHandler):
    """The predict call of TensorFlow Serving's REST API, on a SavedModel."""

    signatures: dict

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            self.answer(200, {"outputs": self.predict(request)})
        except (KeyError, TypeError, tf.errors.InvalidArgumentError) as error:
            self.answer(404 if isinstance(error, KeyError) else 400, {"error": str(error)})

    def predict(self, request):
        if self.path != "/v1/models/wgan_gp:predict":
            raise KeyError(f"Servable not found for request: Latest({self.path})")
        signature = self.signatures[request["signature_name"]]
        specs = signature.structured_input_signature[1]
        if set(specs) != set(request["inputs"]):
            raise TypeError(f"inputs {sorted(request['inputs'])}, expected {sorted(specs)}")
        inputs = {name: tf.constant(value, specs[name].dtype) for name, value in request["inputs"].items()}
        outputs = {}
        for name, value in signature(**inputs).items():
            if name.endswith("_bytes"):
                outputs[name] = [{"b64": base64.b64encode(each).decode()} for each in value.numpy()]
            else:
                outputs[name] = value.numpy().tolist()
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))  # A single output goes without its name.

    def answer(self, code, content):
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, format, *args):
        pass


@pytest.fixture(scope="module")
def server(folder):
    loaded = tf.saved_model.load(folder / "train_wgan_gp" / "serving" / "1")
    handler = type("Handler", (Serving,), {"signatures": loaded.signatures})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def client(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(EXAMPLES)
    import serve_client

    def run(port, **options):
        settings = {
            "host": "127.0.0.1",
            "port": port,
            "protocol": "rest",
            "model_name": "wgan_gp",
            "num_samples": 3,
            "seed": 5,
            "label": None,
            "output": str(tmp_path / "served"),
        }
        serve_client.main(SimpleNamespace(**{**settings, **options}))
        return np.stack([np.asarray(Image.open(file)) for file in sorted((tmp_path / "served").iterdir())])

    return run


def test_rest_client(folder, server, client, capsys):
    images = client(server)
    signature = tf.saved_model.load(folder / "train_wgan_gp" / "serving" / "1").signatures["generate"]
    expected = signature(seed=tf.constant(5, "int64"), num_samples=tf.constant(3, "int64"))["images"]
    np.testing.assert_array_equal(images, expected.numpy()[..., 0])
    assert "Wrote 3 images" in capsys.readouterr().out


def test_client_says_what_is_wrong(server, client):
    with pytest.raises(SystemExit, match="(?s)refused the request: 404: .*Is --model_name right?"):
        client(server, model_name="other")
    with pytest.raises(SystemExit, match="(?s)refused the request: 400: .*an unconditional one takes none"):
        client(server, label=3)
    with pytest.raises(SystemExit, match="(?s)No TensorFlow Serving answers at 127.0.0.1:9 .*docker run"):
        client(9)


def test_grpc_client_without_its_package(client):
    with pytest.raises(SystemExit, match="needs `pip install tensorflow-serving-api`"):
        client(9, protocol="grpc")
