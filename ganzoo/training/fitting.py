"""Runs `fit`: Keras' own loop, started at any step of any epoch."""

import contextlib
import dataclasses

import keras
import tensorflow as tf

from ganzoo import checks, files
from ganzoo.training import watch
from ganzoo.training.checkpoint_files import SavesCheckpoints
from ganzoo.training.endings import endings
from ganzoo.training.interrupts import Interrupts
from ganzoo.training.learning_rates import learning_rate_of, lengths_of_schedules, optimizers_of
from ganzoo.training.run_record import RunRecord


class OneRun(keras.callbacks.CallbackList):
    """Callbacks that see a single training although Keras' `fit` runs twice.

    The first run finishes an interrupted epoch, the second trains the rest.
    """

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


def listed(callbacks):
    """The callbacks of `fit` as a list."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return list(callbacks.callbacks)
    found = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] * (callbacks is not None)
    if not all(hasattr(callback, "set_model") for callback in found):
        raise checks.refusal("callbacks", callbacks, "a list of keras.callbacks.Callback", optional=True)
    return found


def go_on(model, run, checkpoints):
    """Restores the newest checkpoint of an interrupted run.

    Args:
        model: `GenerativeModel`.
        run: `RunRecord` of the script's current settings.
        checkpoints: Callbacks that save checkpoints.

    Returns:
        The `RunRecord` to continue with, or `None` if there was no checkpoint.

    Raises:
        ValueError: If a checkpoint belongs to another training.
    """
    found = None
    for checkpoint in checkpoints:
        if not checkpoint.resume:
            continue
        records = (RunRecord.read(path) for path in checkpoint.store.paths())
        earlier = next((record for record in records if record is not None), None)
        if earlier is not None:
            run.check_continues(earlier, checkpoint.store.directory)
        path = checkpoint.restore(model)
        if path:
            found = resumed(model, run, RunRecord.read(path))
    return found


def resumed(model, run, earlier):
    """Applies and prints what the script has changed since an earlier run. Returns the record to continue with."""
    step = model.steps_done
    if earlier is None:  # A file of version 0.1, whose run began at step 0.
        return dataclasses.replace(run, first_step=0, first_epoch=0)
    now = run.continued_from(earlier, step)
    for name, optimizer in optimizers_of(model).items():
        rates = [record.optimizers[name]["learning_rate"] for record in (earlier, run)]
        restored = None if isinstance(rates[1], dict) else learning_rate_of(optimizer)
        if rates[0] == rates[1] or restored == rates[1]:  # A callback may have lowered the rate of the checkpoint.
            now.optimizers[name]["learning_rate"] = rates[0]
        elif restored is not None:
            optimizer.learning_rate = rates[1]
    changes = now.changes(earlier)
    if changes and model.is_chief:
        print(f"Changed since the checkpoint, and used from now on: {', '.join(changes)}.", flush=True)
    return now


def tell_length(model, steps):
    """Prints the length of a model's schedules, if a training ends before half of it. Then most would have no effect.

    Args:
        model: `GenerativeModel`, compiled.
        steps: Integer, the steps of the training.
    """
    length = max(lengths_of_schedules(model), default=0)
    if steps and 2 * steps < length:
        print(
            f"The schedules of this {type(model).__name__} go over {length:,} steps, and this training ends at step "
            f"{steps:,}. If no training follows, pass total_steps={steps} to from_paper or to the schedules."
        )


def check_scope(strategy):
    """Raises a `RuntimeError` if the first of several workers would wait forever for the others while it saves."""
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) and tf.distribute.has_strategy():
        raise RuntimeError(
            "Under MultiWorkerMirroredStrategy, call `fit` outside of `strategy.scope()`. Received a call inside of it,"
            " where all workers make each new variable together; Keras makes some to save a model, and only the first "
            "worker saves. Build and compile in the scope, then leave it."
        )


def fit_in_one_run(keras_fit, model, data, epochs, initial_epoch, callbacks, verbose, **validation):
    """Calls Keras' `fit` with the data that follow the model's current step.

    Args:
        keras_fit: `keras.Model.fit`, bound.
        model: `GenerativeModel`.
        data: `ganzoo.training.feed.Feed`.
        epochs, initial_epoch, callbacks, verbose: As in `fit`.
        validation: Arguments of `fit` for the validation.
    """
    check_scope(model.distribute_strategy)
    callbacks = listed(callbacks)
    checkpoints = model.checkpoints = tuple(c for c in callbacks if isinstance(c, SavesCheckpoints))
    with contextlib.ExitStack() as stack:
        for checkpoint in checkpoints if model.is_chief else ():
            # Two trainings in the same folder would overwrite each other's checkpoints.
            stack.enter_context(files.locked(checkpoint.store.directory))
        model.run_record = RunRecord.begun(model, data, initial_epoch)
        offset = 0
        restored = go_on(model, model.run_record, checkpoints)
        if restored is not None:
            model.run_record = restored
            initial_epoch, offset = restored.place(model.steps_done)
            if initial_epoch >= epochs:
                print(f"Nothing left to train: the checkpoint has all {epochs} epochs (step {model.steps_done}).")
            else:
                of = f"{initial_epoch + 1} of {epochs}, after step {offset} of {data.steps_per_epoch}"
                print(f"Resuming at epoch {of}.")
        interrupts = Interrupts(checkpoints, is_last=lambda step: model.run_record.place(step)[1] == 0)
        own = [*endings(callbacks, checkpoints), interrupts]
        stack.enter_context(interrupts.watching())
        run_keras(keras_fit, model, data, (initial_epoch, offset, epochs), [*callbacks, *own], verbose, validation)
    return model.history


def run_keras(keras_fit, model, data, span, callbacks, verbose, validation):
    """Runs Keras' loop: first the rest of an interrupted epoch, then the other epochs.

    Args:
        span: Tuple of the epoch to begin with, the step in it, and the number of epochs.
        keras_fit, model, data, callbacks, verbose, validation: See `fit_in_one_run`.
    """
    initial_epoch, offset, epochs = span
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
        stream = data.from_step(model.steps_done + model.run_record.shift)
        whole_calls = steps % model.steps_per_execution == 0
        if not whole_calls:  # A shorter last call of several steps has to end with the data.
            stream = stream.take(steps)
        try:
            keras_fit(
                stream,
                epochs=last,
                initial_epoch=first,
                steps_per_epoch=steps if whole_calls else None,
                callbacks=run,
                shuffle=False,
                verbose=verbose,
                **validation,
            )
        except tf.errors.InvalidArgumentError as error:
            # An error of the checks in the data pipeline, without TensorFlow's trace.
            raise (watch.in_words(error) or error) from None

    run.on_train_begin()
    try:
        if offset and initial_epoch < epochs:
            fit(initial_epoch, initial_epoch + 1, data.steps_per_epoch - offset)
            initial_epoch += 1
        # If calls of several steps do not divide the epoch, the last call would run past its end into further data.
        epochs_at_once = 1 if data.steps_per_epoch % model.steps_per_execution else max(1, epochs - initial_epoch)
        for first in range(initial_epoch, epochs, epochs_at_once):
            if not model.stop_training:
                fit(first, first + epochs_at_once, data.steps_per_epoch)
    finally:
        model.feed = None
    run.finish()
