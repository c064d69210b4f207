"""CriticBurnIn: exactly as many critic updates as the authors' code makes."""

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo.callbacks import Checkpoint, CriticBurnIn
from ganzoo.training.feed import Feed
from tests.workers.train import digest


def build(discriminator_steps=3, **kwargs):
    keras.utils.set_random_seed(0)
    networks = ganzoo.networks.mlp
    model = ganzoo.WGAN(
        networks.generator((2,), latent_dim=1, hidden=()),
        networks.discriminator((2,), hidden=()),
        discriminator_steps=discriminator_steps,
        seed=0,
    )
    model.compile(keras.optimizers.RMSprop(1e-3), keras.optimizers.RMSprop(1e-3), **kwargs)
    return model


def data():
    return ganzoo.data.ring(num_samples=200, batch_size=4)


class CountUpdates(keras.callbacks.Callback):
    """The critic's updates before each generator update."""

    def on_train_begin(self, logs=None):
        self.counts, self.before = [], int(self.model.discriminator_optimizer.iterations)

    def on_train_batch_end(self, batch, logs=None):
        now = int(self.model.discriminator_optimizer.iterations)
        self.counts.append(now - self.before)
        self.before = now


def test_counts():
    model, count = build(), CountUpdates()
    callbacks = [CriticBurnIn(steps=7, first=2, every=5), count]
    model.fit(data(), steps_per_epoch=6, epochs=2, verbose=0, callbacks=callbacks)
    assert count.counts == [7, 7, 3, 3, 3, 7, 3, 3, 3, 3, 7, 3]
    assert int(model.generator_optimizer.iterations) == model.steps_done == 12


def test_counts_of_the_authors():
    model, count = build(discriminator_steps=5), CountUpdates()
    model.fit(data(), steps_per_epoch=502, verbose=0, callbacks=[CriticBurnIn(), count])
    assert count.counts == [100] * 25 + [5] * 475 + [100] + [5]


def test_fewer_than_the_critic_steps_adds_none():
    model, count = build(), CountUpdates()
    model.fit(data(), steps_per_epoch=3, verbose=0, callbacks=[CriticBurnIn(steps=2), count])
    assert count.counts == [3, 3, 3]


def test_resumed_is_the_same(tmp_path):
    class Interruption(Exception):
        pass

    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.steps_done == 5:
                raise Interruption

    def fit(model, *callbacks):
        burn_in = CriticBurnIn(steps=7, first=2, every=3)
        model.fit(data(), steps_per_epoch=4, epochs=2, verbose=0, callbacks=[burn_in, *callbacks])

    straight, resumed = build(), build()
    fit(straight)
    with pytest.raises(Interruption):
        fit(build(), Checkpoint(tmp_path, every_steps=3), Interrupt())
    fit(resumed, Checkpoint(tmp_path, every_steps=3))
    assert resumed.steps_done == 8
    assert digest(resumed) == digest(straight)


def test_sees_other_data_than_the_step():
    model = build()
    feed = Feed(model, data(), steps_per_epoch=6)
    step = next(feed.from_step(0).as_numpy_iterator()).reshape(-1, 2)
    burn_in = np.concatenate(list(feed.batches(0, apart=True).take(4).as_numpy_iterator()))
    again = np.concatenate(list(feed.batches(1, apart=True).take(3).as_numpy_iterator()))
    assert len(step) == 12 and len(burn_in) == 16
    assert len(np.intersect1d(step[:, 0], burn_in[:, 0])) < 6  # By chance 1 of 12 * 16 / 200.
    np.testing.assert_array_equal(again, burn_in[4:])


def test_the_log_leaves_the_extra_updates_out():
    model = build()
    model.fit(data(), steps_per_epoch=2, epochs=1, verbose=0, callbacks=[CriticBurnIn(steps=20, first=2)])
    assert int(model.discriminator_optimizer.iterations) == 40
    counts = {mean.name: float(mean.count) for mean in model.metrics}
    assert counts == {"wasserstein": 6, "d_loss": 6, "g_loss": 2}


def test_refuses_several_steps_per_execution():
    with pytest.raises(ValueError, match="steps_per_execution=2 leaves no place for it"):
        build(steps_per_execution=2).fit(data(), steps_per_epoch=4, verbose=0, callbacks=[CriticBurnIn()])


@pytest.mark.parametrize("arguments", [{"steps": 0}, {"first": -1}, {"every": 0}, {"steps": 2.0}])
def test_refuses_bad_numbers(arguments):
    with pytest.raises(ValueError, match="must be an integer of at least"):
        CriticBurnIn(**arguments)
