"""Measures the speed of training."""

import time

import keras

from ganzoo import checks


class Throughput(keras.callbacks.Callback):
    """Adds `images_per_second` to the logs of each epoch.

    It counts the real samples that the discriminator sees, `batch * discriminator_steps` per step, from the first to
    the last step of the epoch. Validation, sample grids and checkpoints at the end of an epoch do not count. The first
    steps of `fit` are left out, because they trace the graph. An epoch without other steps gets no value.

    Keras passes the same `logs` from callback to callback. So put this callback **before** `LearningCurve`, `CSVLogger`
    and others that read them. The progress bar and `History` come last and always show the value.

    Args:
        warmup_steps: Integer, steps at the start of `fit` that are not timed (with `steps_per_execution`, executions).
            Defaults to `2`.

    Example:

        callbacks = [ganzoo.callbacks.Throughput(), ganzoo.callbacks.LearningCurve("curve.png")]
        gan.fit(train, epochs=20, callbacks=callbacks)
    """

    def __init__(self, warmup_steps=2):
        super().__init__()
        self.warmup_steps = checks.integer("warmup_steps", warmup_steps, least=0)

    def on_train_begin(self, logs=None):
        self._warmup_left = self.warmup_steps

    def on_epoch_begin(self, epoch, logs=None):
        self._start_clock()

    def on_train_batch_end(self, batch, logs=None):
        self._last_time = time.perf_counter()
        if self._warmup_left:
            self._warmup_left -= 1
            self._start_clock()

    def on_epoch_end(self, epoch, logs=None):
        samples_per_step = getattr(self.model, "samples_per_step", None)
        steps = self.model.steps_done - self._first_step
        if logs is not None and samples_per_step and steps and not self._warmup_left:
            logs["images_per_second"] = steps * samples_per_step / (self._last_time - self._first_time)

    def _start_clock(self):
        self._first_step = self.model.steps_done
        self._first_time = time.perf_counter()
