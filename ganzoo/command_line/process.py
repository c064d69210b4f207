"""What the command line asks of its process: a quiet import, a place to write, output that somebody reads."""

import contextlib
import importlib
import os
import sys
import tempfile
from pathlib import Path


def import_quietly(module):
    """Imports a module, and holds back what TensorFlow's libraries print while they load.

    They write their lines straight to file descriptor 2, before any setting of Python's `logging` or absl can stop
    them. Set TF_CPP_MIN_LOG_LEVEL in the environment to see them.
    """
    if "tensorflow" in sys.modules or "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return importlib.import_module(module)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with held_back_errors():
        return importlib.import_module(module)


@contextlib.contextmanager
def held_back_errors():
    """Redirects file descriptor 2 to a file, which is shown only if an exception leaves the block."""
    try:
        sys.stderr.flush()
        shown = os.dup(2)
    except OSError:  # A process without a standard error has nothing to hold back.
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
    """Stops unless files can be written at a path, without a trace of the attempt.

    Args:
        name: String, the flag that holds the path.
        path: String. The file or folder, and its parents, may be missing.
        is_folder: Boolean, whether the path is a folder. Defaults to `False`: it is a file.
    """
    if not path.strip():
        raise SystemExit(f"--{name}: a path was expected. Received: {path!r}.")
    folder = Path(path).absolute()
    if not is_folder:
        if folder.is_dir():
            raise SystemExit(f"--{name}={path} is a folder, not a file.")
        folder = folder.parent
    folder = next(part for part in (folder, *folder.parents) if part.exists())
    if not folder.is_dir():
        raise SystemExit(f"--{name}={path}: {folder} is a file, not a folder.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SystemExit(f"--{name}={path}: nothing can be written in {folder}: {error.strerror}.") from None


def give_up_output():
    """Points standard output to nowhere, after whoever read it has gone, so that Python's last flush raises nothing."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
