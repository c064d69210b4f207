"""Stopping a training that has diverged."""

import keras
import numpy as np


class StopOnDivergence(keras.callbacks.Callback):
    """Stops as soon as a logged value is NaN or infinite, says which and when, and goes back to the last checkpoint.

    Keras' `TerminateOnNaN` looks at `loss` only, which adversarial models do not log. The last checkpoint is that of a
    `ganzoo.callbacks.Checkpoint` of the same `fit`, if there is one; it never holds a diverged state.

    Attributes:
        diverged_value: String, the name of the value, or `None`.
        diverged_step: Integer, the step (generator updates) after which it was seen, or `None`.
    """

    def __init__(self):
        super().__init__()
        self.diverged_value = None
        self.diverged_step = None

    def on_train_begin(self, logs=None):
        self.diverged_value = self.diverged_step = None

    def on_train_batch_end(self, batch, logs=None):
        self._look_at(logs)

    def on_epoch_end(self, epoch, logs=None):
        self._look_at(logs)  # The values of the validation are new.

    def _look_at(self, logs):
        if self.diverged_value is None:
            for name, value in (logs or {}).items():
                if not np.all(np.isfinite(value)):
                    return self._stop(name, value)

    def _stop(self, name, value):
        self.diverged_value, self.diverged_step = name, self.model.steps_done
        self.model.stop_training = True
        print(f"\nStopped at step {self.diverged_step}: {name} is {float(value)}.", end=" ")
        for checkpoint in self.model.checkpoints:
            path = checkpoint.restore(self.model)
            if path:
                print(f"Went back to {path} (step {self.model.steps_done}).")
                return
        print("There is no checkpoint to go back to.")
