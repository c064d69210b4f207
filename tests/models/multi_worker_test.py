"""Two processes on the loopback, as two machines: MultiWorkerMirroredStrategy under `fit`."""

import json
import socket
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.workers import multi_worker, processes

KINDS = ["wgan_gp", "dcgan"]


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Workers:
    """`count` processes that train together; 0 for one that trains alone."""

    def __init__(self, count, folder, kinds):
        folder.mkdir(exist_ok=True)
        ports = free_ports(count)
        self.logs = [folder / f"log_{index}.txt" for index in range(max(count, 1))]
        self.steps = [processes.shared_integer() for _ in self.logs]
        self.processes = [
            processes.start(log, multi_worker.work, index, ports, str(folder), kinds, steps)
            for index, (log, steps) in enumerate(zip(self.logs, self.steps))
        ]

    def join(self):
        for process, log in zip(self.processes, self.logs):
            processes.join(process, log)

    def output(self):
        return "".join(log.read_text() for log in self.logs)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folders of the same trainings in one process and in two."""
    folder = tmp_path_factory.mktemp("multi_worker")
    alone = Workers(0, folder / "alone", KINDS)
    together = Workers(2, folder / "together", KINDS)
    alone.join()
    together.join()
    return folder


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("worker", [0, 1])
def test_two_processes_agree_with_one(trained, kind, worker):
    alone = np.load(trained / "alone" / kind / "worker_0" / "weights.npz")
    together = np.load(trained / "together" / kind / f"worker_{worker}" / "weights.npz")
    assert sorted(alone) == sorted(together)
    for name in alone:
        np.testing.assert_allclose(together[name], alone[name], atol=1e-6, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_workers_hold_the_same_bits(trained, kind):
    one, two = ((trained / "together" / kind / f"worker_{i}" / "digest.txt").read_text() for i in (0, 1))
    assert one == two


def logged(path):
    return json.loads((path / "logged.json").read_text())


@pytest.mark.parametrize("worker", [0, 1])
@pytest.mark.parametrize("kind", KINDS)
def test_log_agrees(trained, kind, worker):
    alone = logged(trained / "alone" / kind / "worker_0")["fit"]
    together = logged(trained / "together" / kind / f"worker_{worker}")["fit"]
    assert together.keys() == alone.keys() >= {"d_loss", "g_loss"}
    assert ("val_d_loss" in alone) == ("images_per_second" in alone) == (kind == "wgan_gp")
    for name, values in alone.items():
        if name != "images_per_second":
            assert together[name] == pytest.approx(values, abs=1e-5), name


@pytest.mark.parametrize("worker", [0, 1])
def test_evaluation_agrees(trained, worker):
    alone = logged(trained / "alone" / "wgan_gp" / "worker_0")["evaluate"]
    together = logged(trained / "together" / "wgan_gp" / f"worker_{worker}")["evaluate"]
    assert alone.keys() >= {"d_loss", "g_loss", "wasserstein", "gradient_penalty"}
    assert together == pytest.approx(alone, abs=1e-5)


def test_the_chief_writes(trained):
    for kind in KINDS:
        names = sorted(path.name for path in (trained / "together" / kind / "checkpoints").iterdir())
        assert names == [f"step_{step:010d}.keras" for step in (4, 6, 8)]
    folder = trained / "together" / "wgan_gp"
    pictures = [f"epoch_{epoch:04d}.png" for epoch in range(3)]
    assert sorted(path.name for path in (folder / "samples").iterdir()) == [*pictures, "training.gif"]
    assert (folder / "learning_curve.png").is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_exported_by_the_chief(trained, kind):
    folder = trained / "together" / kind
    model = keras.saving.load_model(folder / "model.keras")
    samples = [np.load(folder / f"worker_{worker}" / "samples.npy") for worker in (0, 1)]
    np.testing.assert_array_equal(samples[0], samples[1])
    np.testing.assert_allclose(model.generate(3, seed=1), samples[0], atol=1e-6)
    served = tf.saved_model.load(folder / "serving" / "1").signatures["generate"]
    latents = served(seed=tf.constant(1, "int64"), num_samples=tf.constant(3, "int64"))["latents"]
    np.testing.assert_allclose(model.sampling_generator(latents), samples[0], atol=1e-6)


def test_killed_worker_and_restart_is_the_same(trained, tmp_path):
    workers = Workers(2, tmp_path, ["wgan_gp"])
    while workers.steps[1].value < 5:
        assert all(process.is_alive() for process in workers.processes), workers.output()
        time.sleep(0.001)
    workers.processes[1].kill()
    time.sleep(0.5)
    assert workers.steps[0].value < multi_worker.EPOCHS * multi_worker.STEPS_PER_EPOCH
    workers.processes[0].kill()  # It waits for the other, or has raised: both are started anew.
    for process in workers.processes:
        process.join()
    again = Workers(2, tmp_path, ["wgan_gp"])
    again.join()
    assert "Resuming at epoch 2 of 2, after step" in again.logs[0].read_text()
    assert "Skipping variable loading" not in again.output()
    undisturbed = (trained / "together" / "wgan_gp" / "worker_0" / "digest.txt").read_text()
    for worker in (0, 1):
        assert (tmp_path / "wgan_gp" / f"worker_{worker}" / "digest.txt").read_text() == undisturbed
