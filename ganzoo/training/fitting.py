"""How `fit` runs: Keras' own loop, begun at any step of any epoch."""

import keras
import tensorflow as tf

from ganzoo.training import watch
from ganzoo.training.checkpoint_files import SavesCheckpoints


class OneRun(keras.callbacks.CallbackList):
    """Callbacks that see one training where Keras' `fit` runs twice: to finish a broken-off epoch, and for the rest."""

    def __init__(self, callbacks, **kwargs):
        super().__init__(callbacks, **kwargs)
        self.begun = False

    def on_train_begin(self, logs=None):
        if not self.begun:
            self.begun = True
            super().on_train_begin(logs)

    def on_train_end(self, logs=None):
        self.last_logs = logs

    def finish(self):
        super().on_train_end(getattr(self, "last_logs", None))


def restore_newest(model, callbacks):
    """Restores the newest checkpoint of the callbacks that save some; returns whether there was one."""
    callbacks = callbacks.callbacks if isinstance(callbacks, keras.callbacks.CallbackList) else callbacks
    flat = callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]
    model.checkpoints = tuple(callback for callback in flat if isinstance(callback, SavesCheckpoints))
    return any([checkpoint.restore(model) for checkpoint in model.checkpoints if checkpoint.resume])


def check_scope(strategy):
    """Raises a `RuntimeError` where a checkpoint by the first of several workers waits for the others forever."""
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) and tf.distribute.has_strategy():
        raise RuntimeError(
            "Under MultiWorkerMirroredStrategy, call `fit` outside of `strategy.scope()`. Received a call inside of it,"
            " where all workers make each new variable together; Keras makes some to save a model, and only the first "
            "worker saves. Build and compile in the scope, then leave it."
        )


def fit_in_one_run(keras_fit, model, data, epochs, initial_epoch, restored, callbacks, verbose, **validation):
    """Calls Keras' `fit` with the data from the model's step on.

    Args:
        keras_fit: `keras.Model.fit`, bound.
        model: `GenerativeModel`.
        data: `ganzoo.training.feed.Feed`.
        epochs, initial_epoch, callbacks, verbose: As in `fit`.
        restored: Boolean, whether the model's step tells the epoch to begin with.
        validation: Arguments of `fit` that concern the validation.
    """
    check_scope(model.distribute_strategy)
    offset = 0
    if restored:
        initial_epoch, offset = divmod(model.steps_done, data.steps_per_epoch)
        if initial_epoch >= epochs:
            print(f"Nothing left to train: the checkpoint has all {epochs} epochs (step {model.steps_done}).")
        else:
            print(f"Resuming at epoch {initial_epoch + 1} of {epochs}, after step {offset} of {data.steps_per_epoch}.")
    verbose = (1 if model.is_chief else 0) if verbose == "auto" else verbose
    run = OneRun(
        callbacks,
        add_history=True,
        add_progbar=verbose != 0,
        verbose=verbose,
        epochs=epochs,
        steps=data.steps_per_epoch,
        model=model,
    )
    model.feed = data
    model.stop_training = False

    def fit(first, last, steps):
        stream = data.from_step(model.steps_done).take(steps * (last - first))
        try:
            keras_fit(
                stream,
                epochs=last,
                initial_epoch=first,
                steps_per_epoch=None if last - first == 1 else steps,
                callbacks=run,
                shuffle=False,
                verbose=verbose,
                **validation,
            )
        except tf.errors.InvalidArgumentError as error:
            raise (watch.in_words(error) or error) from None

    run.on_train_begin()
    try:
        if offset and initial_epoch < epochs:
            fit(initial_epoch, initial_epoch + 1, data.steps_per_epoch - offset)
            initial_epoch += 1
        # Calls of several steps that do not divide the epoch would run past its end, if more data followed.
        epochs_at_once = 1 if data.steps_per_epoch % model.steps_per_execution else max(1, epochs - initial_epoch)
        for first in range(initial_epoch, epochs, epochs_at_once):
            if not model.stop_training:
                fit(first, first + epochs_at_once, data.steps_per_epoch)
    finally:
        model.feed = None
    run.finish()
    return model.history
