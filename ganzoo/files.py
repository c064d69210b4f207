"""Writes files whole or not at all, also with several processes at work."""

import contextlib
import glob
import os
import re
import socket
import sys
import time
from pathlib import Path

# A temporary file that has not grown for so long was left by a killed process.
SECONDS_OF_SILENCE = 3600.0


@contextlib.contextmanager
def replacing(path, durable=False):
    """Yields a temporary path beside `path`, which replaces `path` at the end, so that no reader sees a partial file.

    The temporary name contains the machine and the process, so two processes never write the same file. Leftovers of
    killed processes for the same file are deleted.

    Args:
        path: String or `Path`. Its folder is made if it is missing.
        durable: Boolean, whether the file and its name are on the disk afterwards and survive a power cut. Defaults to
            `False`: the operating system decides when to write them.

    Raises:
        OSError: If the file cannot be written. An earlier file at `path` stays.
    """
    path = Path(path).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path.parent, path.name)
    temporary = temporary_of(path)
    try:
        yield temporary
        if durable:
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):  # The folder may be gone.
            temporary.unlink(missing_ok=True)
    if durable:
        sync_folder(path.parent)


def temporary_of(path):
    """The temporary name under which this process writes the file or folder `path`."""
    return path.with_name(f".writing-{machine()}-{os.getpid()}-{path.name}")


def is_temporary(path):
    """Whether `replacing` has yielded this path."""
    return Path(path).name.startswith(".writing-")


def sync_folder(folder):
    """Makes the names in a folder survive a power cut, if the operating system can."""
    with contextlib.suppress(OSError):  # Windows cannot open folders, and some network file systems cannot sync them.
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def new_folder(path):
    """Makes a folder with the name, or the first free name of `name_2`, `name_3`, ... Returns its path."""
    number = 1
    while True:
        folder = path if number == 1 else path.with_name(f"{path.name}_{number}")
        try:
            # `mkdir` is atomic, so two processes never get the same folder.
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1


# === One process at a time ===

_LOCKED = {}  # Path of a locked file -> its open file, and how often this process has locked it.


@contextlib.contextmanager
def locked(folder):
    """Keeps other processes out of a folder. A process that asks for the folder meanwhile gets an error.

    The operating system removes the lock when the process ends, however it ends. A process may lock a folder several
    times. On Windows and some network file systems, files cannot be locked, and other processes are not kept out.

    Args:
        folder: `Path`. It is made if it is missing.

    Raises:
        RuntimeError: If another process has locked it.
    """
    path = (Path(folder) / ".lock").absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    file, count = _LOCKED.get(path, (None, 0))
    _LOCKED[path] = (file or open_locked(path), count + 1)
    try:
        yield
    finally:
        file, count = _LOCKED.pop(path)
        if count > 1:
            _LOCKED[path] = (file, count - 1)
        else:
            path.unlink(missing_ok=True)
            file.close()


def open_locked(path):
    """Opens and locks a file. Raises a `RuntimeError` if another process has locked it."""
    while True:
        file = path.open("a+")
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            who = file.read().strip() or "another process"
            file.close()
            raise RuntimeError(
                f"{path.parent} belongs to a training that runs: {who}. Stop that one, or use another directory."
            ) from None
        except (ImportError, OSError):
            return file
        if os.fstat(file.fileno()).st_nlink:
            break
        file.close()  # Its owner has deleted it since it was opened, so this lock would protect nothing.
    file.truncate(0)
    file.write(f"process {os.getpid()} on {machine()}\n")
    file.flush()
    return file


@contextlib.contextmanager
def in_turn(path, doing):
    """Lets one process at a time through, while the others wait. If files cannot be locked, nobody waits.

    Args:
        path: `Path` of an empty file that serves as the lock. It stays.
        doing: String, what the others wait for: `"makes photos.pixels"`.
    """
    with open(path, "a") as file:
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"Waiting for another process, which {doing}.", file=sys.stderr, flush=True)
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


# === What killed processes leave ===


def remove_abandoned(folder, name=None):
    """Deletes temporary files of processes that are gone. Files that a running process is writing stay.

    Args:
        folder: `Path`.
        name: String, the final name of the file. Defaults to `None`: any name.
    """
    for path in Path(folder).glob(f".writing-*{'' if name is None else '-' + glob.escape(name)}"):
        if is_abandoned(path):
            with contextlib.suppress(OSError):
                path.unlink()


def is_abandoned(path):
    """Whether a file is a temporary file that no process is writing any more."""
    found = re.fullmatch(r"\.writing-(?:([\w.]+)-)?(\d+)[-.].+", path.name)
    if found is None:
        return False
    where, process = found[1] or machine(), int(found[2])
    if where == machine() and not is_running(process):
        return True
    try:  # A process of another machine, or a new process with the number of a process that is gone.
        return time.time() - path.stat().st_mtime > SECONDS_OF_SILENCE
    except OSError:  # It has just been moved to its final name.
        return False


def is_running(process):
    """Whether another process with this number runs on this machine. `True` if unknown."""
    if process == os.getpid():
        return False
    if os.name == "nt":  # On Windows, `os.kill` would end the process.
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # It runs but belongs to another user.
        return True
    return True


def machine():
    """The name of this machine, as part of a file name."""
    return re.sub(r"[^\w.]", "_", socket.gethostname()) or "unknown"
