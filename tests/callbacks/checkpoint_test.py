"""Checkpoint: what it writes, keeps, finds and refuses."""

import contextlib
import os
import re
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo import files
from ganzoo.callbacks import Checkpoint
from tests.workers.train import digest

POINTS = np.random.default_rng(0).standard_normal((40, 2)).astype("float32")


def build(hidden=4, ema_decay=0.9, optimizer=keras.optimizers.Adam, model=ganzoo.GAN, seed=0):
    keras.utils.set_random_seed(0)
    networks = ganzoo.networks.mlp
    gan = model(
        networks.generator((2,), latent_dim=2, hidden=(hidden,)),
        networks.discriminator((2,), hidden=(hidden,)),
        ema_decay=ema_decay,
        seed=seed,
    )
    gan.compile(optimizer(1e-2), optimizer(1e-2), run_eagerly=True)
    return gan


def fit(model, *callbacks, epochs=1, steps_per_epoch=5):
    data = tf.data.Dataset.from_tensor_slices(POINTS).batch(8, drop_remainder=True)
    return model.fit(data, epochs=epochs, steps_per_epoch=steps_per_epoch, verbose=0, callbacks=list(callbacks))


class AtStep(keras.callbacks.Callback):
    """Calls `action(model)` after a step."""

    def __init__(self, step, action):
        super().__init__()
        self.step, self.action = step, action

    def on_train_batch_end(self, batch, logs=None):
        if self.model.steps_done == self.step:
            self.action(self.model)


def steps_in(directory):
    return sorted(int(path.stem.removeprefix("step_")) for path in directory.glob("step_*.keras"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A directory with the checkpoints 3, 4, 5 of one model, and the digests of these states."""
    directory, digests = tmp_path_factory.mktemp("trained"), {}
    note = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: digests.update({model.steps_done: digest(model)})
    )
    model = build()
    fit(model, note, Checkpoint(directory, every_steps=1, keep=3))
    assert steps_in(directory) == [3, 4, 5]
    return directory, digests


@pytest.fixture
def copied(trained, tmp_path):
    directory = tmp_path / "copied"
    shutil.copytree(trained[0], directory)
    return directory


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path, at=0.5):
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= 0xFF
    path.write_bytes(data)


def unknown_compression(path):
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 10] = 99
    path.write_bytes(data)


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("tear", [truncate, flip, unknown_compression, empty])
def test_torn_file_falls_back_to_the_one_before(copied, trained, tear, capsys):
    tear(copied / "step_0000000005.keras")
    model = build()
    assert Checkpoint(copied).restore(model) == copied / "step_0000000004.keras"
    assert digest(model) == trained[1][4]
    assert "Cannot read the checkpoint step_0000000005.keras" in capsys.readouterr().out


def test_a_damaged_file_never_gives_a_wrong_state(copied, trained):
    model, newest = build(), copied / "step_0000000005.keras"
    whole = newest.read_bytes()
    for at in np.random.default_rng(0).random(25):
        flip(newest, at)
        path = Checkpoint(copied).restore(model)
        assert digest(model) == trained[1][5 if path == newest else 4], at
        newest.write_bytes(whole)


def test_all_torn_is_an_error_in_words(copied):
    for path in copied.glob("*.keras"):
        truncate(path)
    with pytest.raises(
        ValueError,
        match=r"(?s)No checkpoint in .* fits this model: step_0000000005.*step_0000000003.*"
        "use another directory; to start anew, pass resume=False",
    ):
        fit(build(), Checkpoint(copied))


NO_FIT = "No checkpoint in .* fits this model"
NETWORKS = "have other networks: "
OTHERS = {
    "class": (lambda: build(model=ganzoo.LSGAN), "are of a GAN, and this is a LSGAN"),
    "width": (lambda: build(hidden=5), NETWORKS + "generator, ema_generator, discriminator differ"),
    "no average": (lambda: build(ema_decay=None), NETWORKS + "ema_generator differs"),
    "seed": (lambda: build(seed=1), "were made with seed=0, and this model with seed=1"),
    "optimizer": (lambda: build(optimizer=keras.optimizers.SGD), "have Adam for `generator_optimizer`.* has SGD"),
    "schedule": (
        lambda: build(optimizer=lambda rate: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, 9))),
        "have a constant learning rate for `generator_optimizer`, and this model has a learning-rate schedule",
    ),
    "one more momentum": (lambda: build(optimizer=lambda rate: keras.optimizers.Adam(rate, amsgrad=True)), NO_FIT),
    "loss scaling": (
        lambda: build(optimizer=lambda rate: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())),
        NO_FIT,
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_checkpoint_of_another_training_is_refused(copied, name):
    build_other, words = OTHERS[name]
    with pytest.raises(ValueError, match=words):
        fit(build_other(), Checkpoint(copied))


def test_a_checkpoint_without_an_average_is_refused_by_a_model_with_one(tmp_path):
    fit(build(ema_decay=None), Checkpoint(tmp_path))
    with pytest.raises(ValueError, match=NETWORKS + "ema_generator differs"):
        fit(build(), Checkpoint(tmp_path))


def test_keeps_the_newest(tmp_path):
    fit(build(), Checkpoint(tmp_path, every_steps=2, keep=2), epochs=2)
    assert steps_in(tmp_path) == [8, 10]


def test_every_epochs_and_steps_together(tmp_path):
    fit(build(), Checkpoint(tmp_path, every_steps=2, every_epochs=1, keep=9), epochs=2)
    assert steps_in(tmp_path) == [2, 4, 5, 6, 8, 10]
    fit(build(), Checkpoint(tmp_path / "epochs", every_epochs=2), epochs=3)
    assert steps_in(tmp_path / "epochs") == [10]


def test_every_steps_with_several_steps_per_execution(tmp_path):
    model = build()
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), steps_per_execution=2, run_eagerly=True)
    fit(model, Checkpoint(tmp_path, every_steps=3, keep=9), epochs=2, steps_per_epoch=4)
    assert steps_in(tmp_path) == [4, 6]  # The first moments after the steps 3 and 6 at which a callback is called.


def test_leftovers_of_a_kill_are_removed(tmp_path):
    (tmp_path / ".writing-123.keras").write_bytes(b"half of a file")
    fit(build(), Checkpoint(tmp_path, every_steps=5))
    assert [path.name for path in tmp_path.iterdir()] == ["step_0000000005.keras"]


def spoil(variable):
    return lambda model: variable(model).assign(np.nan * np.ones(variable(model).shape))


@pytest.mark.parametrize(
    "variable",
    [
        lambda model: model.generator.trainable_variables[0],
        lambda model: model.discriminator.trainable_variables[0],
        lambda model: model.ema_generator.weights[0],
    ],
    ids=["generator", "discriminator", "average"],
)
def test_a_diverged_state_is_never_saved(tmp_path, variable):
    with contextlib.suppress(FloatingPointError):
        fit(build(), AtStep(3, spoil(variable)), Checkpoint(tmp_path, every_steps=1, every_epochs=1, keep=9), epochs=2)
    assert steps_in(tmp_path) == [1, 2]


def test_a_state_with_a_diverged_value_is_not_saved(tmp_path):
    class Diverging(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.steps_done >= 3:
                logs["d_loss"] = float("inf")

        def on_epoch_end(self, epoch, logs=None):
            self.on_train_batch_end(None, logs)

    with pytest.raises(FloatingPointError, match="d_loss is inf after step 5"):
        fit(build(), Diverging(), Checkpoint(tmp_path, every_steps=1, keep=9))
    assert steps_in(tmp_path) == [1, 2]


def test_epochs_count_in_total(tmp_path, capsys):
    fit(build(), Checkpoint(tmp_path), epochs=1)
    model = build()
    history = fit(model, Checkpoint(tmp_path), epochs=3)
    assert history.epoch == [1, 2] and model.steps_done == 15
    assert "Resuming at epoch 2 of 3, after step 0 of 5." in capsys.readouterr().out
    again = build()
    assert fit(again, Checkpoint(tmp_path), epochs=3).history == {}
    assert "Nothing left to train: the checkpoint has all 3 epochs (step 15)." in capsys.readouterr().out
    assert digest(again) == digest(model)


def test_a_broken_off_epoch_is_finished(tmp_path, capsys):
    class Interruption(Exception):
        pass

    def interrupt(model):
        raise Interruption

    straight, model = build(), build()
    fit(straight, epochs=2)
    with pytest.raises(Interruption):
        fit(build(), Checkpoint(tmp_path, every_steps=2), AtStep(9, interrupt), epochs=2)
    seen = []
    epochs = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((epoch, model.steps_done)))
    history = fit(model, Checkpoint(tmp_path, every_steps=2), epochs, epochs=3)
    assert "Resuming at epoch 2 of 3, after step 3 of 5." in capsys.readouterr().out
    assert seen == [(1, 10), (2, 15)] and history.epoch == [1, 2]
    fit(straight, epochs=3)
    assert straight.steps_done == 25  # Without a checkpoint, `epochs` counts from here on.


def test_without_resume_the_training_starts_anew(tmp_path):
    fit(build(), Checkpoint(tmp_path, every_steps=5), epochs=2)
    model = build()
    fit(model, Checkpoint(tmp_path, every_steps=1, resume=False))
    assert model.steps_done == 5
    assert steps_in(tmp_path) == [3, 4, 5]  # The files of the other run do not crowd out the new ones.
    resumed = build()
    assert Checkpoint(tmp_path).restore(resumed)
    assert digest(resumed) == digest(model)


def test_each_run_that_starts_anew_sets_the_one_before_aside(tmp_path):
    """The files of the first run are not overwritten by those of the second."""
    seen = []
    for _ in range(3):
        fit(build(), Checkpoint(tmp_path, every_steps=5, resume=False))
        seen.append((tmp_path / "step_0000000005.keras").read_bytes())
    assert steps_in(tmp_path) == [5]
    assert (tmp_path / "previous" / "step_0000000005.keras").read_bytes() == seen[0]
    assert (tmp_path / "previous_2" / "step_0000000005.keras").read_bytes() == seen[1]
    assert not (tmp_path / "previous_3").exists()


@pytest.mark.parametrize("resume", [True, False])
def test_files_of_other_people_are_left_alone(tmp_path, resume):
    """They would be the newest, were they ours."""
    names = ("step_0000000002_best_so_far.keras", "step_final.keras", "step_99999999999.keras")
    for name in names:
        (tmp_path / name).write_text(name)
    model = build()
    fit(model, Checkpoint(tmp_path, every_steps=1, keep=1, resume=resume), epochs=2)
    assert model.steps_done == 10
    assert [(tmp_path / name).read_text() for name in names] == list(names)
    assert [path.name for path in Checkpoint(tmp_path).files()] == ["step_0000000010.keras"]
    assert Checkpoint(tmp_path).restore(build()) == tmp_path / "step_0000000010.keras"


def test_a_second_process_keeps_its_temporary_file(tmp_path):
    name = f".writing-{files.machine()}-{os.getppid()}-step_0000000007.keras"
    (tmp_path / name).write_text("a living process is writing this")
    fit(build(), Checkpoint(tmp_path, every_steps=5))
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "step_0000000005.keras"]


# === A disk that does not take a file ===


def break_folder(directory):
    """Puts a file in the place of a folder."""
    shutil.rmtree(directory)
    directory.write_text("a file")


def mend_folder(directory):
    directory.unlink()


def steps_not_saved(caught):
    """The steps of the warnings of `Checkpoint`."""
    found = (re.match(r"The state of step (\d+) could not be saved in ", str(warning.message)) for warning in caught)
    return [int(match[1]) for match in found if match]


def test_a_folder_that_is_gone_for_a_while_costs_its_checkpoints_only(tmp_path):
    straight, model, directory = build(), build(), tmp_path / "checkpoints"
    fit(straight, epochs=2)
    callbacks = [
        AtStep(3, lambda model: break_folder(directory)),
        AtStep(6, lambda model: mend_folder(directory)),
        Checkpoint(directory, every_steps=1, keep=9),
    ]
    with pytest.warns(UserWarning, match="The training goes on") as caught:
        fit(model, *callbacks, epochs=2)
    assert steps_not_saved(caught) == [3, 4, 5]
    assert digest(model) == digest(straight)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]
    assert steps_in(directory) == [6, 7, 8, 9, 10]  # The folder is made anew.


def test_a_deleted_folder_is_made_anew(tmp_path):
    directory = tmp_path / "checkpoints"
    fit(build(), AtStep(3, lambda model: shutil.rmtree(directory)), Checkpoint(directory, every_steps=1, keep=9))
    assert steps_in(directory) == [3, 4, 5]


def test_a_full_disk_costs_no_checkpoint_that_was_there(tmp_path, monkeypatch):
    """Each write breaks off in the middle, from step 3 to step 4."""
    model = build()
    save = model.save

    def save_half(path):
        save(path)
        if 3 <= model.steps_done <= 4:
            truncate(path)
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(model, "save", save_half)
    with pytest.warns(UserWarning, match="No space left on device") as caught:
        fit(model, Checkpoint(tmp_path, every_steps=1, keep=2))
    assert steps_not_saved(caught) == [3, 4]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_0000000002.keras", "step_0000000005.keras"]
    assert Checkpoint(tmp_path).restore(build()) == tmp_path / "step_0000000005.keras"


def test_an_error_that_is_not_of_the_disk_ends_the_training(tmp_path, monkeypatch):
    model = build()
    monkeypatch.setattr(model, "save", lambda path: {}["a layer without a config"])
    with pytest.raises(KeyError, match="a layer without a config"):
        fit(model, Checkpoint(tmp_path, every_steps=1))


def test_no_file_is_no_error(tmp_path):
    assert Checkpoint(tmp_path / "missing").restore(build()) is None


@pytest.mark.parametrize("argument", ["every_steps", "every_epochs", "keep"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "2"])
def test_refuses_bad_numbers(argument, value, tmp_path):
    with pytest.raises(
        ValueError, match=f"`{argument}` must be an integer of at least 1(, or None)?. Received: {argument}="
    ):
        Checkpoint(tmp_path, **{argument: value})
