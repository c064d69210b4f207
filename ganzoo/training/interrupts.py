"""Handles Ctrl-C and SIGTERM: the training is saved at the end of the step, then the process ends as usual."""

import contextlib
import signal
import threading

import keras

DEFAULTS = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


class Interrupted(BaseException):
    """Raised after a signal. It is not an `Exception`, so that only `fit` catches it."""


class Interrupts(keras.callbacks.Callback):
    """Ends a training after a signal, as soon as its state is complete.

    That is the end of the step. After the last step of an epoch, it is the end of the epoch's callbacks. A second
    signal ends the process at once, as without ganzoo. Signal handlers of other code are left alone.

    Args:
        checkpoints: Callbacks that save checkpoints. Without them, signals are left alone too.
        is_last: Function, step of the model -> whether the step ends an epoch.
    """

    def __init__(self, checkpoints, is_last):
        super().__init__()
        self.checkpoints = checkpoints
        self.is_last = is_last
        self._pending = None

    @contextlib.contextmanager
    def watching(self):
        """Handles signals inside the block. Raises the signal that ended the training again afterwards."""
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
