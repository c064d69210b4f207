"""The state of a training: all that it depends on, to the bit."""

import keras
import numpy as np

import ganzoo
from ganzoo.training.state import State, bytes_of, variables_of, weights_are_finite
from tests.workers import train


def test_a_state_is_all_of_it():
    """As the digest of the tests of resumed trainings."""
    model = train.build_model()
    assert {id(v) for v in train.variables_of(model)} == {id(v) for v in variables_of(model)}
    start = train.digest(model)
    state = State(model)
    model.fit(train.build_data("indexed"), steps_per_epoch=1, verbose=0)
    assert train.digest(model) != start
    state.restore(model)
    assert train.digest(model) == start


def small(**settings):
    return ganzoo.GAN.from_paper((2,), latent_dim=2, hidden=(3,), **settings)


def test_bytes_by_hand():
    sgd = {name: keras.optimizers.SGD(0.1, momentum=0.5) for name in ("generator_optimizer", "discriminator_optimizer")}
    model = small(**sgd)
    weights = (2 * 3 + 3 + 3 * 2 + 2) + (2 * 3 + 3 + 3 * 1 + 1)
    momenta = weights
    # An int64 step, two streams of two int64; each optimizer has an int counter and a float32 rate.
    counters = sum(optimizer.iterations.value.dtype.size + 4 for optimizer in sgd.values())
    assert bytes_of(model) == 4 * (weights + momenta) + 8 + 2 * 16 + counters


def test_weights_that_are_not_finite():
    model = small(ema_decay=0.9)
    assert weights_are_finite(model)
    for value in (np.nan, np.inf, -np.inf):
        weight = model.ema_generator.weights[0]
        before = weight.numpy()
        weight.assign(np.where(np.arange(before.size).reshape(before.shape) == 1, value, before))
        assert not weights_are_finite(model)
        weight.assign(before)
    assert weights_are_finite(model)
