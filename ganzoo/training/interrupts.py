"""Ctrl-C and SIGTERM during a training: it is saved at the end of the step, and then the process ends as usual."""

import contextlib
import signal
import threading

import keras

DEFAULTS = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


class Interrupted(BaseException):
    """A signal came. It is no `Exception`: nobody but `fit` catches it."""


class Interrupts(keras.callbacks.Callback):
    """Ends a training after a signal, at the next moment at which its state is whole.

    That is the end of a step, or, after the last step of an epoch, the end of what callbacks do there. A second signal
    does what it would do without ganzoo: it ends the process at once. Handlers of others are left alone.

    Args:
        checkpoints: Callbacks that save checkpoints. Without any, signals are left alone too.
        is_last: Function of the model's step: whether it ends an epoch.
    """

    def __init__(self, checkpoints, is_last):
        super().__init__()
        self.checkpoints = checkpoints
        self.is_last = is_last
        self._pending = None

    @contextlib.contextmanager
    def watching(self):
        """Handles signals inside, and hands the one that ended the training on."""
        watched = []
        if self.checkpoints and threading.current_thread() is threading.main_thread():
            watched = [number for number, default in DEFAULTS.items() if signal.getsignal(number) == default]
        for number in watched:
            signal.signal(number, self._handle)
        try:
            yield
        except Interrupted:
            for checkpoint in self.checkpoints:
                checkpoint.save()
            print(f"Saved after step {self.model.steps_done:,}. The same script goes on from there.", flush=True)
        finally:
            for number in watched:
                signal.signal(number, DEFAULTS[number])
            if self._pending is not None:
                signal.raise_signal(self._pending)

    def _handle(self, number, frame):
        if self._pending is not None:
            signal.signal(number, DEFAULTS[number])
            signal.raise_signal(number)
        self._pending = number
        print(f"\n{signal.Signals(number).name}: the training ends, and is saved, after this step.", flush=True)

    def on_train_batch_end(self, batch, logs=None):
        if self._pending is not None and not self.is_last(self.model.steps_done):
            raise Interrupted

    def on_epoch_end(self, epoch, logs=None):
        if self._pending is not None:
            raise Interrupted
