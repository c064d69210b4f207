"""The examples: each runs for two steps, writes what it promises, and resumes."""

import base64
import http.server
import importlib
import json
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.workers import example, processes

EXAMPLES = example.EXAMPLES
TRAINING = [
    *("train_gan", "train_dcgan", "train_wgan", "train_wgan_gp"),
    *("train_lsgan", "train_dragan", "train_r3gan"),
    *("train_presgan", "train_cgan", "train_sngan"),
    *("train_autoencoder", "train_vae", "train_began"),
]
TINY = ["--batch_size=8", "--steps_per_epoch=2", "--num_samples=4"]
OWN = {
    "train_gan": ["--strategy=mirrored", "--minimax"],
    "train_dcgan": ["--filters=2", "--ema_decay=0.9"],
    "train_wgan": ["--filters=2", "--dataset=mnist_10k", "--image_size=16"],
    "train_wgan_gp": ["--filters=2", "--discriminator_steps=2"],
    "train_lsgan": ["--filters=2", "--packing=2"],
    "train_dragan": ["--filters=2", "--diff_augment"],
    "train_r3gan": ["--filters=2", "--num_classes=10"],
    "train_presgan": ["--filters=2", "--leapfrog_steps=2"],
    "train_cgan": ["--networks=dcgan", "--filters=2", "--label=one_hot", "--conditioning=projection"],
    "train_sngan": ["--filters=2", "--nohinge"],
    "train_autoencoder": ["--hidden=4,3", "--latent_split=train[:50]+train[100:150]"],
    "train_vae": ["--hidden=4", "--latent_dim=3", "--dataset=fashion_mnist_10k"],
    "train_began": ["--filters=1", "--num_classes=10"],
}
FILES = [
    "checkpoints/step_0000000002.keras",
    "learning_curve.csv",
    "learning_curve.png",
    "model.keras",
    "samples/epoch_0000.png",
    "samples/epoch_0001.png",
    "samples/training.gif",
    "serving/1/assets.extra/ganzoo.json",
    "serving/1/saved_model.pb",
]


def start(folder, name, *arguments):
    return processes.start(folder / f"{name}.txt", example.run, name, *arguments)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder where each example has run for one epoch, and WGAN-GP, as a command, for a second one."""
    folder = tmp_path_factory.mktemp("examples")
    arguments = {name: [*TINY, *OWN[name], f"--output_dir={folder / name}"] for name in TRAINING}
    children = {name: start(folder, name, *arguments[name], "--epochs=1") for name in TRAINING}
    for name, child in children.items():
        processes.join(child, folder / f"{name}.txt")
    (folder / "after_one_epoch.json").write_text(
        json.dumps(sorted(str(path.relative_to(folder)) for path in folder.rglob("*")))
    )
    done = subprocess.run(
        [sys.executable, EXAMPLES / "train_wgan_gp.py", *arguments["train_wgan_gp"], "--epochs=2"],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONWARNINGS": "error:Skipping"},
    )
    (folder / "resumed.txt").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", TRAINING)
def test_writes_what_it_promises(trained, name):
    written = json.loads((trained / "after_one_epoch.json").read_text())
    assert not {f"{name}/{file}" for file in FILES} - set(written)
    output = (trained / f"{name}.txt").read_text()
    assert "2/2" in output
    for promised in ("samples/", "learning_curve.png", "checkpoints/", "model.keras", "serving/1/"):
        assert promised in output
    assert f"python -m ganzoo generate {trained / name / 'model.keras'} --num_samples" in output


def test_the_strategy_is_used(trained):
    assert "1 replica(s)" in (trained / "train_gan.txt").read_text()
    assert "Images (16, 16, 1)" in (trained / "train_wgan.txt").read_text()


def test_resumes(trained):
    output = (trained / "resumed.txt").read_text()
    assert "Resuming at epoch 2 of 2, after step 0 of 2." in output
    assert "Epoch 2/2" in output and "Epoch 1/2" not in output
    folder = trained / "train_wgan_gp"
    assert (folder / "checkpoints" / "step_0000000004.keras").is_file()
    assert (folder / "samples" / "epoch_0002.png").is_file()
    rows = (folder / "learning_curve.csv").read_text().splitlines()
    assert len(rows) == 3  # A head and two epochs.


def test_all_import_together_and_flags_are_their_own():
    """No flag exists on import, and each example defines its own without a clash."""
    script = "from absl import app, flags; import ganzoo; before = set(flags.FLAGS)\n"
    script += "import sys; sys.path.insert(0, sys.argv[1])\n"
    script += f"import serve_client, train_pix2pix, {', '.join(TRAINING)}\n"
    script += "assert set(flags.FLAGS) == before, set(flags.FLAGS) - before\n"
    subprocess.run([sys.executable, "-c", script, EXAMPLES], check=True, timeout=300)


COMMON = (
    "dataset data_dir manual_dir image_size epochs steps_per_epoch batch_size output_dir resume seed ema_decay "
    "mixed_precision strategy jit_compile steps_per_execution checkpoint_every num_samples"
).split()
ADVERSARIAL = [*COMMON, *"discriminator_steps num_classes packing diff_augment".split()]
NETWORK = "latent_dim hidden filters learning_rate latent_split".split()
HELP = {
    "train_gan": [*ADVERSARIAL, "minimax"],
    "train_dcgan": [*ADVERSARIAL, "filters"],
    "train_wgan": [*ADVERSARIAL, "filters", "clip_value", "clip_normalization", "burn_in"],
    "train_wgan_gp": [*ADVERSARIAL, "filters", "gradient_penalty_weight", "one_sided"],
    "train_lsgan": [*ADVERSARIAL, "filters"],
    "train_dragan": [*ADVERSARIAL, "filters", "gradient_penalty_weight"],
    "train_r3gan": [*ADVERSARIAL, "filters", "r1_weight", "r2_weight"],
    "train_presgan": [
        *ADVERSARIAL,
        *"filters entropy_weight sigma_min sigma_max sigma_learning_rate".split(),
        *"leapfrog_steps burn_in posterior_samples".split(),
    ],
    "train_cgan": [*ADVERSARIAL, "networks", "filters", "label", "conditioning"],
    "train_sngan": [*ADVERSARIAL, "networks", "filters", "hinge", "learning_rate"],
    "train_autoencoder": [*COMMON, *NETWORK],
    "train_vae": [*COMMON, *NETWORK, "likelihood", "beta"],
    "train_began": [
        *ADVERSARIAL,
        *"gamma balance_rate filters embedding_dim latent_dim learning_rate patience".split(),
    ],
    "train_pix2pix": [
        *COMMON,
        *"targets test_dataset test_targets direction jitter mirror l1_weight gan_weight receptive_field".split(),
        *"normalization skips dropout_at_test learning_rate filters".split(),
    ],
    "serve_client": "host port protocol model_name num_samples seed label output".split(),
}


@pytest.mark.parametrize("name", HELP)
def test_help_lists_every_flag(tmp_path, name):
    child = start(tmp_path, name, "--help")
    child.join(60)
    text = (tmp_path / f"{name}.txt").read_text()
    listed = {
        line.strip().split(":")[0].removeprefix("--").removeprefix("[no]") for line in text.splitlines() if "--" in line
    }
    assert not set(HELP[name]) - listed


@pytest.mark.parametrize("name", ["train_wgan", "train_wgan_gp"])
def test_toys_get_dense_networks(name, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    example = importlib.import_module(name)
    options = SimpleNamespace(
        filters=64,
        clip_value=0.01,
        clip_normalization=True,
        burn_in=False,
        learning_rate=1e-4,
        beta_1=0.0,
        gradient_penalty_weight=10.0,
        one_sided=False,
    )
    model, _ = example.build(options, (2,), {"seed": 0})
    assert model.discriminator.name == "mlp_discriminator"
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.discriminator.layers)


def test_main_takes_any_object(trained, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    import train_gan

    options = SimpleNamespace(
        dataset="ring",
        data_dir=None,
        manual_dir=None,
        image_size=None,
        epochs=1,
        steps_per_epoch=2,
        batch_size=8,
        output_dir=str(tmp_path),
        resume=True,
        seed=0,
        ema_decay=None,
        discriminator_steps=None,
        mixed_precision=None,
        strategy="none",
        jit_compile="false",
        steps_per_execution=2,
        checkpoint_every=None,
        num_samples=4,
        minimax=False,
    )
    train_gan.main(options)
    assert (tmp_path / "serving" / "1" / "saved_model.pb").is_file()


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
def server(trained):
    loaded = tf.saved_model.load(trained / "train_wgan_gp" / "serving" / "1")
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


def test_rest_client(trained, server, client, capsys):
    images = client(server)
    signature = tf.saved_model.load(trained / "train_wgan_gp" / "serving" / "1").signatures["generate"]
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
