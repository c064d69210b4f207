"""Helpers for the process of the command line: quiet imports, writable paths and closed pipes."""

import contextlib
import importlib
import os
import sys
import tempfile
from pathlib import Path


def import_quietly(module):
    """Imports a module without the messages that TensorFlow's libraries print while they load.

    The libraries write to file descriptor 2 directly, before any setting of Python's `logging` or absl can stop them.
    Set TF_CPP_MIN_LOG_LEVEL in the environment to see them.
    """
    if "tensorflow" in sys.modules or "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return importlib.import_module(module)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with held_back_errors():
        return importlib.import_module(module)


@contextlib.contextmanager
def held_back_errors():
    """Redirects file descriptor 2 to a file, which is printed only if the block raises an exception."""
    try:
        sys.stderr.flush()
        # A copy of the descriptor, to restore the output afterwards.
        shown = os.dup(2)
    except OSError:  # A process without standard error has nothing to redirect.
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(shown, held.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)


def check_writable(name, path, is_folder=False):
    """Stops unless files can be written at a path. Leaves no trace of the test.

    Args:
        name: String, the name of the flag.
        path: String. The file or folder, and its parents, may be missing.
        is_folder: Boolean, whether the path is a folder. Defaults to `False`: a file.
    """
    if not path.strip():
        raise SystemExit(f"--{name}: a path was expected. Received: {path!r}.")
    folder = Path(path).absolute()
    if not is_folder:
        if folder.is_dir():
            raise SystemExit(f"--{name}={path} is a folder, not a file.")
        folder = folder.parent
    # The nearest folder that exists. The others will be made in it.
    folder = next(part for part in (folder, *folder.parents) if part.exists())
    if not folder.is_dir():
        raise SystemExit(f"--{name}={path}: {folder} is a file, not a folder.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SystemExit(f"--{name}={path}: nothing can be written in {folder}: {error.strerror}.") from None


def give_up_output():
    """Redirects standard output to nowhere after its reader has closed it, so that Python's last flush cannot fail."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
