"""Halving the learning rates when a training stalls."""

import keras
import numpy as np


class ReduceLearningRate(keras.callbacks.Callback):
    """Multiplies the learning rates of all optimizers of a model when a logged value has stopped falling.

    As Keras' `ReduceLROnPlateau`, which sees `model.optimizer` only; adversarial models have two. BEGAN's paper halves
    them when its measure of convergence, `M`, stalls.

    The rates are saved with the model. What the callback has counted is not: a resumed run waits for `patience` epochs
    from its start again.

    Args:
        monitor: String, the logged value; less is better. Defaults to `"M"`.
        factor: Float in (0, 1). Defaults to `0.5`.
        patience: Integer, epochs without a new minimum before the rates are reduced. Defaults to `5`.
        min_delta: Float, how much below the minimum a value has to be to be a new one. Defaults to `0.0`.
        min_learning_rate: Float, no rate gets below it. Defaults to `2e-5`, that of a well-known BEGAN code.

    Raises:
        ValueError: At the start, if a learning rate is a schedule; at the end of an epoch, if the value is not logged.

    Example:

        gan.fit(train, epochs=100, callbacks=[ganzoo.callbacks.ReduceLearningRate("M", patience=5)])
    """

    def __init__(self, monitor="M", factor=0.5, patience=5, min_delta=0.0, min_learning_rate=2e-5):
        super().__init__()
        if not 0 < factor < 1:
            raise ValueError(f"`factor` must lie between 0 and 1. Received: factor={factor}")
        if isinstance(patience, bool) or not isinstance(patience, int) or patience < 1:
            raise ValueError(f"`patience` must be an integer of at least 1. Received: patience={patience!r}")
        self.monitor = monitor
        self.factor = factor
        self.patience = patience
        self.min_delta = min_delta
        self.min_learning_rate = min_learning_rate

    def optimizers(self):
        """The optimizers of the model, by name."""
        found = {
            name: getattr(self.model, name, None)
            for name in ("optimizer", "generator_optimizer", "discriminator_optimizer", "sigma_optimizer")
        }
        return {name: optimizer for name, optimizer in found.items() if optimizer is not None}

    def on_train_begin(self, logs=None):
        self._best, self._waited = np.inf, 0
        for name, optimizer in self.optimizers().items():
            inner = getattr(optimizer, "inner_optimizer", optimizer)
            if not isinstance(inner._learning_rate, keras.Variable):
                raise ValueError(
                    f"ReduceLearningRate changes learning rates that are numbers. Received: {name} with the schedule "
                    f"{type(inner._learning_rate).__name__}. Use one of the two."
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
        for name, optimizer in self.optimizers().items():
            name = name.removesuffix("optimizer") + "learning_rate"
            logs[name] = float(keras.ops.convert_to_numpy(optimizer.learning_rate))

    def _reduce(self):
        for optimizer in self.optimizers().values():
            rate = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
            optimizer.learning_rate = min(rate, max(rate * self.factor, self.min_learning_rate))
