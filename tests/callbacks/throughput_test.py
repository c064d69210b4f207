import keras
import pytest

from ganzoo.callbacks import throughput
from tests.callbacks.fake_model import FakeModel, steps


class Clock(keras.callbacks.Callback):
    """Stands for `time`: a second passes before each training step, an hour in every validation."""

    now = 0.0

    def perf_counter(self):
        return self.now

    def on_train_batch_begin(self, batch, logs=None):
        self.now += 1.0

    def on_test_begin(self, logs=None):
        self.now += 3600.0


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(throughput, "time", clock)
    return clock


def fit(model, clock, values, **kwargs):
    callbacks = [clock, throughput.Throughput()]
    return model.fit(steps(*values), callbacks=callbacks, verbose=0, shuffle=False, **kwargs).history


def test_counts_real_samples_per_second_without_validation(clock):
    model = FakeModel()
    model.samples_per_step = 320
    history = fit(model, clock, [1.0] * 5, epochs=2, validation_data=steps(1.0))
    assert history["images_per_second"] == [320.0, 320.0]


def test_tracing_is_not_timed(clock):
    class SlowStart(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            clock.now += 60.0 if batch < 2 else 0.0

    model = FakeModel()
    model.samples_per_step = 64
    callbacks = [clock, SlowStart(), throughput.Throughput(warmup_steps=2)]
    history = model.fit(steps(*[1.0] * 6), callbacks=callbacks, verbose=0, shuffle=False)
    assert history.history["images_per_second"] == [64.0]


def test_all_steps_of_an_execution_count(clock):
    model = FakeModel()
    model.compile(optimizer=None, loss=None, steps_per_execution=2)
    model.samples_per_step = 10
    history = fit(model, clock, [1.0] * 8)  # two steps in each second
    assert history["images_per_second"] == [20.0]


def test_says_nothing_where_nothing_was_measured(clock):
    model = FakeModel()
    assert "images_per_second" not in fit(model, clock, [1.0] * 5)  # samples_per_step unknown
    model.samples_per_step = 8
    assert "images_per_second" not in fit(model, clock, [1.0] * 2)  # nothing but warm-up
