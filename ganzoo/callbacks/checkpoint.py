"""Checkpoints that survive a kill at any moment."""

import os
import warnings
import zipfile
from pathlib import Path

import keras
import numpy as np


class Checkpoint(keras.callbacks.Callback):
    """Saves the whole state during the training, and resumes from it, in the middle of an epoch if need be.

    A checkpoint is a `.keras` file with networks, both optimizers, the averaged generator, step and random state. It is
    written to a temporary name, then moved into place, so that a reader never sees half of one. `fit` restores the
    newest readable file before its first step and goes on with the data that would have come next: a run that was
    killed and resumed ends with the same bits, on one machine, as one that was not.

    With several workers, the first one writes and all read; the directory must be on a file system that they share.

    Args:
        directory: Path; files are called `step_0000000400.keras`.
        every_steps: Integer, save after every so many steps (generator updates). Defaults to `None`.
        every_epochs: Integer, save after every so many epochs. Defaults to `1` if `every_steps` is not given.
        keep: Integer, how many of the newest files stay. Defaults to `3`.
        resume: Boolean, whether `fit` begins with the newest file, and counts `epochs` from the start of the training.
            `False` trains the model as it is, and moves files of later steps to `previous/`. Defaults to
            `True`.
    """

    def __init__(self, directory, every_steps=None, every_epochs=None, keep=3, resume=True):
        super().__init__()
        if every_steps is None and every_epochs is None:
            every_epochs = 1
        for name, value in (("every_steps", every_steps), ("every_epochs", every_epochs), ("keep", keep)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"`{name}` must be an integer of at least 1. Received: {name}={value!r}")
        self.directory = Path(directory)
        self.every_steps = every_steps
        self.every_epochs = every_epochs
        self.keep = keep
        self.resume = resume
        self._saved_step = None

    def files(self):
        """The checkpoints, newest first."""
        return sorted(self.directory.glob("step_*.keras"), reverse=True)

    def on_train_begin(self, logs=None):
        if self.model.is_chief:
            self.directory.mkdir(parents=True, exist_ok=True)
            for leftover in self.directory.glob(".writing-*.keras"):
                leftover.unlink()
            if not self.resume:
                self._set_aside()
        self._saved_step = self._last_seen = self.model.steps_done

    def on_train_batch_end(self, batch, logs=None):
        step = self.model.steps_done
        if self.every_steps and step // self.every_steps > self._last_seen // self.every_steps:
            self.save(logs)
        self._last_seen = step

    def on_epoch_end(self, epoch, logs=None):
        if self.every_epochs and (epoch + 1) % self.every_epochs == 0:
            self.save(logs)

    def save(self, logs=None):
        """Writes a checkpoint of the model's current step, unless it has diverged."""
        step = self.model.steps_done
        if not self.model.is_chief or step == self._saved_step:
            return
        if not all(np.all(np.isfinite(value)) for value in (logs or {}).values()) or not self._weights_are_finite():
            return  # A checkpoint is a state worth going back to.
        temporary = self.directory / f".writing-{os.getpid()}.keras"
        self.model.save(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, self._path(step))
        self._saved_step = step
        for old in self.files()[self.keep :]:
            old.unlink()

    def _set_aside(self):
        """Moves the files of later steps, which another run has left, out of the way of this one."""
        strangers = [path for path in self.files() if path > self._path(self.model.steps_done)]
        if strangers:
            (self.directory / "previous").mkdir(exist_ok=True)
        for path in strangers:
            os.replace(path, self.directory / "previous" / path.name)

    def _path(self, step):
        return self.directory / f"step_{step:010d}.keras"

    def _weights_are_finite(self):
        return all(
            np.all(np.isfinite(np.asarray(weight)))
            for weight in self.model.weights
            if weight.dtype.startswith(("float", "bfloat"))
        )

    def restore(self, model):
        """Loads the newest readable checkpoint into a model, and returns its path, or `None` if there is no file.

        Raises:
            ValueError: If there are files and none can be read.
        """
        errors = []
        for path in self.files():
            try:
                with zipfile.ZipFile(path) as archive:
                    broken = archive.testzip()
                if broken:
                    raise OSError(f"{broken} does not match its checksum")
                with warnings.catch_warnings():
                    warnings.filterwarnings("error", message="Skipping variable loading")
                    model.load_weights(path)
                return path
            except Exception as error:  # `zipfile` alone has six kinds of them for a damaged file.
                reason = str(error) or type(error).__name__
                errors.append(f"{path.name}: {reason.splitlines()[0]}")
                print(f"Cannot read the checkpoint {errors[-1]}. Trying the one before.")
        if errors:
            raise ValueError(
                f"No checkpoint in {self.directory} fits this model: {'; '.join(errors)}. If they belong to another "
                "model, use another directory; to start anew, pass resume=False or delete them."
            )
        return None
