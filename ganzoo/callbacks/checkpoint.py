"""Checkpoints that survive a kill at any moment."""

import warnings

import numpy as np

from ganzoo import checks
from ganzoo.training.checkpoint_files import CheckpointFiles, SavesCheckpoints
from ganzoo.training.state import weights_are_finite


class Checkpoint(SavesCheckpoints):
    """Saves the whole training state regularly, and resumes from it, even in the middle of an epoch.

    A checkpoint is a `.keras` file with networks, all optimizers, the averaged generator, step and random state. It is
    written to a temporary name, then moved into place, so that a reader never sees half a file. `fit` restores the
    newest readable file before its first step, and continues with the data that would have come next. On the same
    machine, a run that was killed and resumed ends with the same bits as an uninterrupted run.

    If a file cannot be written, for example because the disk is full or the folder is gone, a warning says so. The
    training continues, older checkpoints stay, and the next checkpoint is tried again.

    A checkpoint knows its run. Epochs count from the step where the run began, whatever the model had learned before.
    Changes in a restarted script, such as another learning rate, other data or another batch size, apply from then on,
    and a message lists them. Changes that are impossible, such as another class, other networks or another seed, raise
    an error. Ctrl-C and SIGTERM save a checkpoint at the end of the step and end the process as usual.

    Put it after callbacks whose work at the end of an epoch belongs to the state, such as `Evaluate` and
    `ReduceLearningRate`. The checkpoint of the last step of an epoch is written then.

    Files with other names in the directory are left alone. A second process that trains into the directory gets an
    error. With several workers, the first worker writes and all workers read. They must share the file system of the
    directory.

    Args:
        directory: Path. Files are called `step_0000000400.keras`.
        every_steps: Integer, steps (generator updates) between checkpoints. Defaults to `None`.
        every_epochs: Integer, epochs between checkpoints. Defaults to `1` if `every_steps` is not given.
        keep: Integer, number of newest files to keep. Defaults to `3`.
        resume: Boolean, whether `fit` starts from the newest file, and counts `epochs` from the start of the training.
            `False` trains the model from its present state, and moves files of later steps to `previous/`, or to
            `previous_2/` and so on if that exists. Defaults to `True`.

    Attributes:
        store: `ganzoo.training.checkpoint_files.CheckpointFiles`.
    """

    def __init__(self, directory, every_steps=None, every_epochs=None, keep=3, resume=True):
        super().__init__()
        self.every_steps = checks.integer("every_steps", every_steps, least=1, optional=True)
        self.every_epochs = checks.integer("every_epochs", every_epochs, least=1, optional=True)
        if self.every_steps is None and self.every_epochs is None:
            self.every_epochs = 1
        self.keep = checks.integer("keep", keep, least=1)
        self.resume = checks.boolean("resume", resume)
        self.directory = checks.path("directory", directory)
        self.store = CheckpointFiles(self.directory)
        self._saved_step = None

    def files(self):
        """The checkpoints, newest first."""
        return self.store.paths()

    def on_train_begin(self, logs=None):
        if self.model.is_chief:
            self.directory.mkdir(parents=True, exist_ok=True)
            self.store.remove_leftovers()
            if not self.resume:
                self.store.set_aside(self.model.steps_done)
        self._saved_step = self._last_seen = self.model.steps_done
        self._postponed = False

    def on_train_batch_end(self, batch, logs=None):
        step = self.model.steps_done
        due = self.every_steps and step // self.every_steps > self._last_seen // self.every_steps
        # Other callbacks still change the state at the end of the epoch, so save its last step after them.
        self._postponed = due and self.model.run_record.place(step)[1] == 0
        if due and not self._postponed:
            self.save(logs)
        self._last_seen = step

    def on_epoch_end(self, epoch, logs=None):
        if self._postponed or (self.every_epochs and (epoch + 1) % self.every_epochs == 0):
            self.save(logs)
        self._postponed = False

    def save(self, logs=None):
        """Writes a checkpoint of the model's current step, unless the training has diverged.

        Warns:
            UserWarning: If the file could not be written.
        """
        step = self.model.steps_done
        if not self.model.is_chief or step == self._saved_step:
            return
        if not all(np.all(np.isfinite(value)) for value in (logs or {}).values()) or not weights_are_finite(self.model):
            return  # A checkpoint must be worth going back to.
        try:
            self.store.write(self.model)
        except OSError as error:
            warnings.warn(
                f"The state of step {step} could not be saved in {self.directory}: {error}. The training goes on, and "
                "the next checkpoint is tried again.",
                UserWarning,
                stacklevel=2,
            )
            return
        self._saved_step = step
        self.store.prune(self.keep)
