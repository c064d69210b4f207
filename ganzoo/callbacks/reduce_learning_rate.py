"""Lowers the learning rates when a training stalls."""

import keras
import numpy as np

from ganzoo import checks
from ganzoo.training.learning_rates import learning_rate_of, optimizers_of, schedules_of


class ReduceLearningRate(keras.callbacks.Callback):
    """Multiplies the learning rates of all optimizers by a factor when a logged value stops falling.

    Keras' `ReduceLROnPlateau` handles only `model.optimizer`, but adversarial models have two optimizers. BEGAN's paper
    halves the rates when its measure of convergence, `M`, stalls.

    The rates are saved with the model. The callback's counter is not saved, so a resumed run waits for `patience`
    epochs again.

    Args:
        monitor: String, the logged value, where less is better. Defaults to `"M"`.
        factor: Float in (0, 1). Defaults to `0.5`.
        patience: Integer, epochs without a new minimum before the rates are reduced. Defaults to `5`.
        min_delta: Float, how far below the minimum a value must be to count as a new minimum. Defaults to `0.0`.
        min_learning_rate: Float, lower limit of the rates. Defaults to `2e-5`, as in a well-known BEGAN code.

    Raises:
        ValueError: At the start, if a learning rate is a schedule. At the end of an epoch, if the value is not logged.

    Example:

        gan.fit(train, epochs=100, callbacks=[ganzoo.callbacks.ReduceLearningRate("M", patience=5)])
    """

    def __init__(self, monitor="M", factor=0.5, patience=5, min_delta=0.0, min_learning_rate=2e-5):
        super().__init__()
        if not isinstance(monitor, str):
            raise checks.refusal("monitor", monitor, "a string, a name in the log")
        self.monitor = monitor
        self.factor = checks.number("factor", factor, above=0, below=1)
        self.patience = checks.integer("patience", patience, least=1)
        self.min_delta = checks.number("min_delta", min_delta, least=0)
        self.min_learning_rate = checks.number("min_learning_rate", min_learning_rate, least=0)

    def on_train_begin(self, logs=None):
        self._best, self._waited = np.inf, 0
        for name, schedule in schedules_of(self.model).items():
            raise ValueError(
                f"ReduceLearningRate changes learning rates that are numbers. Received: {name} with the schedule "
                f"{schedule}. Use one of the two."
            )

    def on_epoch_end(self, epoch, logs=None):
        logs = logs if logs is not None else {}
        if self.monitor not in logs:
            raise ValueError(f"ReduceLearningRate monitors {self.monitor!r}, and the log has {sorted(logs)}.")
        value = float(logs[self.monitor])
        if value < self._best - self.min_delta:
            self._best, self._waited = value, 0
        else:
            self._waited += 1
            if self._waited >= self.patience:
                self._reduce()
                self._waited = 0
        for name, optimizer in optimizers_of(self.model).items():
            logs[name.removesuffix("optimizer") + "learning_rate"] = learning_rate_of(optimizer)

    def _reduce(self):
        for optimizer in optimizers_of(self.model).values():
            rate = learning_rate_of(optimizer)
            # A rate that is already below the limit must not rise.
            optimizer.learning_rate = min(rate, max(rate * self.factor, self.min_learning_rate))
