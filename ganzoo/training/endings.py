"""Callbacks that `fit` adds after the user's callbacks."""

import math

import keras

from ganzoo.training.learning_rates import optimizers_of
from ganzoo.training.state import State, weights_are_finite

LOOK_EVERY = 50  # Steps between two looks at the losses, as each look waits for the device.


class StopAtNaN(keras.callbacks.Callback):
    """Ends a training with an error when a loss is NaN or infinite. Restores the latest checkpoint if there is any.

    The log shows means over the epoch. A NaN or infinite value never leaves such a mean, so a look now and then is
    enough.

    Args:
        checkpoints: Callbacks that save checkpoints.

    Raises:
        FloatingPointError: If a logged value is NaN or infinite.
    """

    def __init__(self, checkpoints):
        super().__init__()
        self.checkpoints = checkpoints
        self._seen = None

    def on_train_begin(self, logs=None):
        self._seen = self.model.steps_done

    def on_train_batch_end(self, batch, logs=None):
        if self.model.steps_done - self._seen >= LOOK_EVERY:
            self._look(logs)

    def on_epoch_end(self, epoch, logs=None):
        self._look(logs)

    def _look(self, logs):
        self._seen = self.model.steps_done
        own = [metric.name for metric in self.model.metrics]
        bad = [f"{name} is {float(value)}" for name, value in (logs or {}).items() if name in own and is_bad(value)]
        if not bad or self._was_skipped():
            return
        kept = next(filter(None, (checkpoint.restore(self.model) for checkpoint in self.checkpoints)), None)
        now = (
            f"The model is that of step {self.model.steps_done:,} again ({kept})."
            if kept
            else "No checkpoint was kept: ganzoo.callbacks.Checkpoint keeps some."
        )
        raise FloatingPointError(
            f"{', '.join(bad)} after step {self._seen:,}: the training has diverged, and would only go on with weights "
            f"that are no numbers. {now} A lower learning rate or gradient clipping (clipnorm= of the optimizer) often "
            "helps; ganzoo.callbacks.CollapseGuard goes back and lowers the rate by itself."
        )

    def _was_skipped(self):
        """Whether the step overflowed in half precision, so that `LossScaleOptimizer` skipped it."""
        scaled = any(isinstance(o, keras.optimizers.LossScaleOptimizer) for o in optimizers_of(self.model).values())
        return scaled and weights_are_finite(self.model)


def is_bad(value):
    """Whether a logged value is NaN or infinite."""
    return not math.isfinite(float(value))


class WholeBest(keras.callbacks.Callback):
    """Makes `EarlyStopping(restore_best_weights=True)` restore optimizers and random numbers as well.

    Keras restores only the weights, which include the step. A training continued from there would have the optimizer
    moments of another step. Checkpoints of later steps are set aside, so that a restart also continues from the best
    step.

    Args:
        stopping: `keras.callbacks.EarlyStopping`.
        checkpoints: Callbacks that save checkpoints.
    """

    def __init__(self, stopping, checkpoints):
        super().__init__()
        self.stopping = stopping
        self.checkpoints = checkpoints
        self._seen = self._state = None

    def on_epoch_end(self, epoch, logs=None):
        # Keras makes a new list of weights for each epoch that is better.
        if self.stopping.best_weights is not self._seen:
            self._seen = self.stopping.best_weights
            self._state = State(self.model)

    def on_train_end(self, logs=None):
        if self._state is None:
            return
        self._state.restore(self.model)
        for checkpoint in self.checkpoints:
            if self.model.is_chief:
                checkpoint.store.set_aside(self.model.steps_done)
            checkpoint.save()


def endings(callbacks, checkpoints):
    """The callbacks of this module that a training needs.

    Args:
        callbacks: List of the user's callbacks.
        checkpoints: The callbacks that save checkpoints.
    """
    found = [
        WholeBest(callback, checkpoints)
        for callback in callbacks
        if isinstance(callback, keras.callbacks.EarlyStopping) and callback.restore_best_weights
    ]
    guarded = any(getattr(callback, "stops_at_nan", False) for callback in callbacks)
    return found if guarded else [*found, StopAtNaN(checkpoints)]
