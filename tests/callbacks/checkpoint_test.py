"""Checkpoint: what it writes, keeps, finds and refuses."""

import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.callbacks import Checkpoint
from tests.workers.train import digest

POINTS = np.random.default_rng(0).standard_normal((40, 2)).astype("float32")


def build(hidden=4, ema_decay=0.9, optimizer=keras.optimizers.Adam, model=ganzoo.GAN):
    keras.utils.set_random_seed(0)
    networks = ganzoo.networks.mlp
    gan = model(
        networks.generator((2,), latent_dim=2, hidden=(hidden,)),
        networks.discriminator((2,), hidden=(hidden,)),
        ema_decay=ema_decay,
        seed=0,
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


OTHERS = {
    "other width": lambda: build(hidden=5),
    "other optimizer": lambda: build(optimizer=keras.optimizers.SGD),
    "one more momentum": lambda: build(optimizer=lambda rate: keras.optimizers.Adam(rate, amsgrad=True)),
    "loss scaling": lambda: build(optimizer=lambda rate: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_checkpoint_of_another_model_is_refused(copied, name):
    with pytest.raises(ValueError, match="No checkpoint in .* fits this model"):
        fit(OTHERS[name](), Checkpoint(copied))


def test_a_checkpoint_without_an_average_is_refused_by_a_model_with_one(tmp_path):
    fit(build(ema_decay=None), Checkpoint(tmp_path))
    with pytest.raises(ValueError, match="No checkpoint in .* fits this model"):
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
    fit(build(), AtStep(3, spoil(variable)), Checkpoint(tmp_path, every_steps=1, every_epochs=1, keep=9), epochs=2)
    assert steps_in(tmp_path) == [1, 2]


def test_a_state_with_a_diverged_value_is_not_saved(tmp_path):
    class Diverging(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.steps_done >= 3:
                logs["d_loss"] = float("inf")

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


def test_no_file_is_no_error(tmp_path):
    assert Checkpoint(tmp_path / "missing").restore(build()) is None


@pytest.mark.parametrize("argument", ["every_steps", "every_epochs", "keep"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "2"])
def test_refuses_bad_numbers(argument, value, tmp_path):
    with pytest.raises(ValueError, match=f"`{argument}` must be an integer of at least 1. Received: {argument}="):
        Checkpoint(tmp_path, **{argument: value})
