"""StopOnDivergence: any value, at once, and back to the last good state."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import ganzoo
from ganzoo.callbacks import Checkpoint, StopOnDivergence
from tests.workers.train import digest

DATA = tf.data.Dataset.from_tensors(np.zeros((4, 2), "float32")).repeat(8)


class Diverging(ganzoo.GAN):
    """Tracks `another`, which is `value` after the update number `at`; the weights follow."""

    def __init__(self, *args, at=6, value=np.nan, **kwargs):
        super().__init__(*args, **kwargs)
        self.at, self.value = at, value

    def generator_loss(self, critic, real, fake):
        another = ops.where(ops.equal(self.step, self.at - 1), self.value, 1.0)
        self.track(another=another)
        return super().generator_loss(critic, real, fake) * another


def build(**kwargs):
    networks = ganzoo.networks.mlp
    model = Diverging(
        networks.generator((2,), latent_dim=2, hidden=()), networks.discriminator((2,), hidden=()), seed=0, **kwargs
    )
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), run_eagerly=True)
    return model


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("stop_first", [True, False])
def test_stops_and_goes_back(tmp_path, capsys, value, stop_first):
    digests = {}
    model, stop = build(value=value), StopOnDivergence()
    note = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: digests.update({model.steps_done: digest(model)})
    )
    pair = [stop, Checkpoint(tmp_path, every_steps=2, every_epochs=1)]
    model.fit(DATA, epochs=3, verbose=0, callbacks=[note, *(pair if stop_first else pair[::-1])])
    assert (stop.diverged_value, stop.diverged_step) in (("another", 6), ("g_loss", 6))
    output = capsys.readouterr().out
    assert f"Stopped at step 6: {stop.diverged_value} is {float(value)}." in output
    assert f"Went back to {tmp_path / 'step_0000000004.keras'} (step 4)." in output
    assert model.steps_done == 4 and digest(model) == digests[4]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_0000000002.keras", "step_0000000004.keras"]
    assert max(digests) == 6  # Not one step more.


def test_stops_before_the_next_epoch_of_a_resumed_run(tmp_path):
    build().fit(DATA, epochs=1, steps_per_epoch=3, verbose=0, callbacks=[Checkpoint(tmp_path)])
    model, stop = build(), StopOnDivergence()
    model.fit(DATA, epochs=4, verbose=0, callbacks=[stop, Checkpoint(tmp_path)])
    assert stop.diverged_step == 6 and model.steps_done == 3


def test_without_a_checkpoint(capsys):
    model, stop = build(), StopOnDivergence()
    model.fit(DATA, verbose=0, callbacks=[stop])
    assert stop.diverged_step == model.steps_done == 6
    assert "There is no checkpoint to go back to." in capsys.readouterr().out


def test_a_value_of_the_validation(tmp_path):
    model, stop = build(at=-1), StopOnDivergence()
    infinite = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(val_d_loss=np.inf))
    model.fit(DATA, epochs=3, verbose=0, callbacks=[infinite, stop])
    assert (stop.diverged_value, stop.diverged_step) == ("val_d_loss", 8)
    assert model.steps_done == 8


def test_does_nothing_else():
    model, stop = build(at=-1), StopOnDivergence()
    model.fit(DATA, epochs=2, verbose=0, callbacks=[stop])
    assert model.steps_done == 16 and stop.diverged_value is None
