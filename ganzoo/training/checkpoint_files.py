"""Checkpoint files. They are written whole or not at all, named by their step, and read newest first."""

import contextlib
import errno
import os
import re
import shutil
import warnings
import zipfile

import keras

from ganzoo import checks, files
from ganzoo.training.state import bytes_of

OWN_NAME = re.compile(r"step_[0-9]{10}\.keras")


class SavesCheckpoints(keras.callbacks.Callback):
    """Base class of callbacks that save checkpoints.

    `fit` restores the newest checkpoint. `CollapseGuard` goes back to a checkpoint from before the collapse.

    Attributes:
        store: `CheckpointFiles`, where the checkpoints are.
        resume: Boolean, whether `fit` begins with the newest checkpoint.
    """

    store = None
    resume = True

    def restore(self, model):
        """Loads the newest readable checkpoint into a model. See `CheckpointFiles.restore`."""
        return self.store.restore(model)

    def save(self, logs=None):
        """Writes a checkpoint of the model's current step."""
        self.store.write(self.model)


class CheckpointFiles:
    """The checkpoints of a training in a directory: `step_0000000400.keras`.

    Only files with exactly such a name count: `step_` and ten digits. Other files, such as `step_final.keras`, belong
    to somebody else. They are never read, moved or deleted.

    Args:
        directory: String or `Path`.
    """

    def __init__(self, directory):
        self.directory = checks.path("directory", directory)

    def path(self, step):
        """The path of the checkpoint of a step."""
        return self.directory / f"step_{step:010d}.keras"

    def paths(self, last=None):
        """The existing checkpoints, newest first.

        Args:
            last: Integer, the latest step that counts. Defaults to `None`: all count.
        """
        found = [
            path for path in self.directory.glob("step_*.keras") if OWN_NAME.fullmatch(path.name) and path.is_file()
        ]
        return sorted((path for path in found if last is None or path <= self.path(last)), reverse=True)

    def write(self, model):
        """Saves a model as the checkpoint of its step.

        Raises:
            OSError: If the file cannot be written. An earlier file stays as it was, and no partial file is left.
        """
        write_model(model, self.path(model.steps_done))

    def prune(self, keep):
        """Deletes all checkpoints except the `keep` newest. A file that cannot be deleted stays."""
        for old in self.paths()[keep:]:
            with contextlib.suppress(OSError):
                old.unlink()

    def set_aside(self, step):
        """Moves the checkpoints of later steps, which an earlier run left behind, into a folder of their own.

        The folder is `previous`. If that exists, it is `previous_2`, and so on.
        """
        strangers = [path for path in self.paths() if path > self.path(step)]
        if strangers:
            folder = files.new_folder(self.directory / "previous")
            for path in strangers:
                os.replace(path, folder / path.name)

    def remove_leftovers(self):
        """Deletes partial files of killed processes. Files that a running process is writing stay."""
        files.remove_abandoned(self.directory)

    def restore(self, model, last=None):
        """Loads the newest readable checkpoint into a model.

        Args:
            model: `GenerativeModel`.
            last: Integer, the latest step that counts. Defaults to `None`: all count.

        Returns:
            The path of the file, or `None` if there are no checkpoints.

        Raises:
            ValueError: If there are checkpoints but all are unreadable.
        """
        errors = []
        for path in self.paths(last):
            try:
                read_model(model, path)
                return path
            except Exception as error:  # `zipfile` alone raises six kinds for a damaged file.
                reason = str(error) or type(error).__name__
                errors.append(f"{path.name}: {reason.splitlines()[0]}")
                print(f"Cannot read the checkpoint {errors[-1]}. Trying the one before.")
        if errors:
            raise ValueError(
                f"No checkpoint in {self.directory} fits this model: {'; '.join(errors)}. If they belong to another "
                "model, use another directory; to start anew, pass resume=False or delete them."
            )
        return None


class OneFile(CheckpointFiles):
    """A single checkpoint file, which each save replaces.

    Args:
        path: `Path` that ends in `.keras`.
    """

    def __init__(self, path):
        super().__init__(path.parent)
        self.file = path

    def path(self, step):
        return self.file

    def paths(self, last=None):
        return [self.file] if self.file.is_file() else []


# === One file ===


def write_model(model, path):
    """Saves a model under a temporary name and moves the file into place, so that a reader never sees a partial file.

    When this returns, the file and its name are on the disk, and survive a power cut.

    Args:
        model: `GenerativeModel`, compiled.
        path: `Path` that ends in `.keras`. Its folder is made if it is missing.

    Raises:
        OSError: If the file cannot be written, for example because the disk is full or the folder cannot be made.
    """
    try:
        with files.replacing(path, durable=True) as temporary:
            check_space(path.parent, bytes_of(model))
            model.save(temporary)
            if model.run_record is not None:
                model.run_record.write(temporary)
    except Exception as error:
        cause = cause_on_disk(error)
        if cause is None or cause is error:
            raise
        raise OSError(cause.errno, cause.strerror or str(cause)) from error


def read_model(model, path):
    """Loads the whole state of a file into a model.

    Raises:
        Exception: If the file is damaged or belongs to another model. The model may then hold parts of the file.
    """
    with zipfile.ZipFile(path) as archive:
        # Checks the whole file before the first weight is loaded. Otherwise a damaged file could be loaded in part.
        broken = archive.testzip()
    if broken:
        raise OSError(f"{broken} does not match its checksum")
    with warnings.catch_warnings():
        # Keras only warns when a file lacks a variable, and would go on with random weights.
        warnings.filterwarnings("error", message="Skipping variable loading")
        model.load_weights(path)


def check_space(folder, size):
    """Raises an `OSError` if a disk has less than `size` bytes left.

    HDF5, which Keras writes with, can crash when the disk is full.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}: {size:,} bytes are needed and {free:,} are free")


def cause_on_disk(error):
    """The `OSError` behind an error, or `None`. Keras and `zipfile` raise other errors on top while they clean up."""
    seen = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, OSError):
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None
