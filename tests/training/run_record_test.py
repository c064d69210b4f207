"""A checkpoint knows its run: epochs from its beginning, what the script has changed since, whose folder it is."""

import os
import shutil
import signal
import time

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo import files
from ganzoo.callbacks import Checkpoint
from tests.workers import processes, train
from tests.workers.train import digest

SAMPLES = 64


def build(rate=1e-2, seed=0, discriminator_steps=1, **settings):
    keras.utils.set_random_seed(0)
    networks = ganzoo.networks.mlp
    pair = networks.generator((2,), latent_dim=2, hidden=(4,)), networks.discriminator((2,), hidden=(4,))
    gan = ganzoo.GAN(*pair, discriminator_steps=discriminator_steps, seed=seed, **settings)
    gan.compile(keras.optimizers.Adam(rate), keras.optimizers.Adam(rate), run_eagerly=True)  # Faster, so small.
    return gan


def data(batch_size=8, **settings):
    return ganzoo.data.ring(num_samples=SAMPLES, batch_size=batch_size, **settings)


class StopAt(keras.callbacks.Callback):
    """Breaks a training off, as a kill would, after a step."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.model.steps_done == self.step:
            raise InterruptedError


def fit(model, folder, epochs=3, stop=None, dataset=None, callbacks=(), every_steps=None, **settings):
    """Trains; of 8 samples in a batch and 2 critic steps an epoch has 4 steps. Saves each epoch, and before a stop."""
    callbacks = [*callbacks, Checkpoint(folder, every_steps=every_steps or stop, keep=99)]
    callbacks += [] if stop is None else [StopAt(stop)]
    try:
        return model.fit(dataset or data(), epochs=epochs, verbose=0, callbacks=callbacks, check=False, **settings)
    except InterruptedError:
        return None


def warmed_up():
    model = build(discriminator_steps=2)
    model.fit(data(), epochs=1, verbose=0, check=False)
    assert model.steps_done == 4
    return model


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """The end of a training of a model that has made steps before."""
    model = warmed_up()
    fit(model, tmp_path_factory.mktemp("whole"))
    assert model.steps_done == 4 + 12
    return digest(model)


@pytest.mark.parametrize("stop", [5, 8, 9, 15])
def test_epochs_count_from_the_beginning_of_the_run(stop, warm, tmp_path):
    """Broken off and started again, it ends as if nothing had happened."""
    fit(warmed_up(), tmp_path, stop=stop)
    again = warmed_up()
    fit(again, tmp_path)
    assert digest(again) == warm


def test_a_file_without_a_record(tmp_path):
    """Those of version 0.1 began at step 0."""
    model = build(discriminator_steps=2)
    model.fit(data(), epochs=1, verbose=0, check=False)
    model.save(tmp_path / "step_0000000004.keras")
    again = build(discriminator_steps=2)
    fit(again, tmp_path, epochs=2)
    assert again.steps_done == 8


def test_another_batch_size(tmp_path, capsys):
    """Epochs count on, and the broken-off one goes on after the same share of it."""
    fit(build(discriminator_steps=2), tmp_path, stop=6)  # Half of the second epoch.
    model = build(discriminator_steps=2)
    fit(model, tmp_path, dataset=data(4))  # 8 steps in an epoch.
    assert model.steps_done == 6 + 4 + 8
    printed = capsys.readouterr().out
    assert "Resuming at epoch 2 of 3, after step 4 of 8." in printed
    assert "samples in a step 16 -> 8" in printed
    again = build(discriminator_steps=2)
    fit(again, tmp_path, dataset=data(4), epochs=4)
    assert again.steps_done == 18 + 8


@pytest.fixture(scope="module")
def smaller_batches(tmp_path_factory):
    """The folder of a training that was broken off, and its end with batches of another size."""
    folder = tmp_path_factory.mktemp("smaller_batches")
    fit(build(discriminator_steps=2), folder / "begun", stop=6)
    shutil.copytree(folder / "begun", folder / "whole")
    whole = build(discriminator_steps=2)
    fit(whole, folder / "whole", dataset=data(4))
    return folder / "begun", digest(whole)


@pytest.mark.parametrize("stop", [7, 13])
def test_another_batch_size_broken_off_again(stop, smaller_batches, tmp_path):
    begun, end = smaller_batches
    folder = shutil.copytree(begun, tmp_path / "broken")
    fit(build(discriminator_steps=2), folder, stop=stop, dataset=data(4))
    again = build(discriminator_steps=2)
    fit(again, folder, dataset=data(4))
    assert digest(again) == end


CHANGES = {
    "learning rate": (
        lambda: build(rate=5e-3),
        {},
        "learning_rate of generator_optimizer 0.009999999776482582 -> 0.004999999888241291",
    ),
    "setting": (lambda: build(r1_weight=1.0), {}, "r1_weight 0.0 -> 1.0"),
    "data": (build, {"seed": 1}, "the data"),
    "nothing": (build, {}, None),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_the_script_has_changed_is_taken_and_said(name, tmp_path, capsys):
    model, other, words = CHANGES[name]
    fit(build(), tmp_path, epochs=1)
    capsys.readouterr()
    changed = model()
    fit(changed, tmp_path, epochs=2, dataset=data(**other))
    printed = capsys.readouterr().out
    assert (words in printed) if words else ("Changed" not in printed)
    if name == "learning rate":
        assert float(changed.generator_optimizer.learning_rate) == pytest.approx(5e-3)
    again = model()
    fit(again, tmp_path, epochs=3, dataset=data(**other))
    assert "Changed" not in capsys.readouterr().out


def test_a_rate_that_a_callback_has_lowered_stays(tmp_path, capsys):
    class Halve(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            optimizer = self.model.generator_optimizer
            optimizer.learning_rate = float(optimizer.learning_rate) / 2

    fit(build(), tmp_path, epochs=2, callbacks=[Halve()])
    again = build()
    fit(again, tmp_path, epochs=3)
    assert float(again.generator_optimizer.learning_rate) == pytest.approx(2.5e-3)
    assert "Changed" not in capsys.readouterr().out


# === Losses that are not finite ===


class Poison(keras.callbacks.Callback):
    """Makes the weights of the discriminator NaN after a step."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.model.steps_done == self.step:
            weight = self.model.discriminator.trainable_weights[0]
            weight.assign(np.full(weight.shape, np.nan))


def test_a_loss_that_is_not_finite_ends_the_training(tmp_path):
    model = build()
    with pytest.raises(FloatingPointError, match=r"d_loss is nan.*after step 8.*that of step 5 again \(.*0000000005"):
        fit(model, tmp_path, callbacks=[Poison(6)], every_steps=1)
    assert model.steps_done == 5 and np.isfinite(model.generate(4)).all()
    model = build()
    with pytest.raises(FloatingPointError, match="after step 8.*No checkpoint was kept"):
        model.fit(data(), epochs=3, verbose=0, callbacks=[Poison(6)])


def test_it_is_seen_before_a_long_epoch_ends():
    model = build()
    with pytest.raises(FloatingPointError, match="after step 50:"):
        model.fit(data(), epochs=1, steps_per_epoch=1000, verbose=0, callbacks=[Poison(6)])


# === The best weights ===


def test_early_stopping_puts_everything_back(tmp_path):
    """The state of the best epoch, and a restart has it too."""
    states = {}

    class Score(keras.callbacks.Callback):
        """Best after the second epoch."""

        def on_epoch_end(self, epoch, logs=None):
            logs["score"] = [0.5, 0.1, 0.9, 0.9, 0.9][epoch]
            states[epoch] = digest(self.model)

    def stopping():
        return keras.callbacks.EarlyStopping("score", mode="min", patience=2, restore_best_weights=True)

    model = build()
    fit(model, tmp_path, epochs=5, callbacks=[Score(), stopping()])
    assert model.steps_done == 16 and digest(model) == states[1]
    again = build()
    assert Checkpoint(tmp_path).restore(again) == tmp_path / "step_0000000016.keras"
    assert digest(again) == states[1]
    assert (tmp_path / "previous" / "step_0000000032.keras").exists()


# === One process at a time ===


def hold(folder):
    with files.locked(folder):
        (folder / "held").touch()
        time.sleep(60)


def test_a_second_process_is_told(tmp_path):
    process = processes.start(tmp_path / "log.txt", hold, tmp_path)
    while not (tmp_path / "held").exists():
        assert process.is_alive()
        time.sleep(0.01)
    with pytest.raises(RuntimeError, match=f"belongs to a training that runs: process {process.pid} on"):
        fit(build(), tmp_path, epochs=1)
    process.kill()
    process.join()
    fit(build(), tmp_path, epochs=1)  # The lock is gone with the process.
    with files.locked(tmp_path), files.locked(tmp_path):
        pass


# === Signals ===


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 1)])
def test_a_signal_saves_and_leaves(number, code, tmp_path):
    """After a step in the middle of an epoch, with no checkpoint due; the run ends as one that was not broken off."""
    train.train("indexed", tmp_path / "whole.txt")
    steps, folder = processes.shared_integer(), tmp_path / "checkpoints"
    # The eleventh step waits for the signal, however busy the machine is.
    arguments = (train.train, "indexed", str(tmp_path / "result.txt"), str(folder), 1000, steps, 11)
    process = processes.start(tmp_path / "log.txt", *arguments)
    while steps.value < 11:
        assert process.is_alive(), (tmp_path / "log.txt").read_text()
        time.sleep(0.001)
    os.kill(process.pid, number)
    steps.value = train.GO_ON
    process.join(60)
    assert process.exitcode == code, (tmp_path / "log.txt").read_text()
    assert "Saved after step" in (tmp_path / "log.txt").read_text()
    (kept,) = folder.glob("step_*.keras")
    assert 11 <= int(kept.stem.removeprefix("step_")) < train.STEPS
    processes.join(processes.start(tmp_path / "log.txt", *arguments), tmp_path / "log.txt")
    assert (tmp_path / "result.txt").read_text() == (tmp_path / "whole.txt").read_text()
