"""Files that are written whole or not at all, by one process beside others."""

import contextlib
import glob
import os
import re
import socket
import sys
import time
from pathlib import Path

# Nobody writes a file for that long without a byte: who began it is gone.
SECONDS_OF_SILENCE = 3600.0


@contextlib.contextmanager
def replacing(path, durable=False):
    """Yields a temporary path beside `path`, which replaces `path` when all went well: no reader sees half of a file.

    The temporary name holds the machine and the process, so that two processes do not write one file. What killed
    processes have left of the same file is deleted.

    Args:
        path: String or `Path`. Its folder is made if it is missing.
        durable: Boolean, whether the file and its name are on the disk afterwards and survive a power cut. Defaults to
            `False`: the operating system writes them when it likes.

    Raises:
        OSError: If the file system does not take the file. What stood at `path` stays.
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
        with contextlib.suppress(OSError):  # The folder is gone.
            temporary.unlink(missing_ok=True)
    if durable:
        sync_folder(path.parent)


def temporary_of(path):
    """The name under which this process writes a file, or a folder, before it gets the name `path`."""
    return path.with_name(f".writing-{machine()}-{os.getpid()}-{path.name}")


def is_temporary(path):
    """Whether `replacing` has yielded this path."""
    return Path(path).name.startswith(".writing-")


def sync_folder(folder):
    """Makes the names in a folder survive a power cut, where the operating system can."""
    with contextlib.suppress(OSError):  # Windows opens no folders, and some network file systems sync none.
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def new_folder(path):
    """Makes a folder of that name, or the first free one of `name_2`, `name_3`, ...; returns its path."""
    number = 1
    while True:
        folder = path if number == 1 else path.with_name(f"{path.name}_{number}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1


# === One process at a time ===

_LOCKED = {}  # Path of a locked file -> its open file and how often this process has locked it.


@contextlib.contextmanager
def locked(folder):
    """Keeps other processes out of a folder: who asks for it meanwhile gets an error.

    The operating system takes the lock away when the process ends, however it ends. A process may lock a folder several
    times. Where files cannot be locked, as on Windows and some network file systems, nobody is kept out.

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
    """Opens a file and locks it; raises a `RuntimeError` if another process has."""
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
        file.close()  # Its owner has deleted it since it was opened.
    file.truncate(0)
    file.write(f"process {os.getpid()} on {machine()}\n")
    file.flush()
    return file


@contextlib.contextmanager
def in_turn(path, doing):
    """Lets one process at a time through, and the others wait. Where files cannot be locked, nobody waits.

    Args:
        path: `Path` of an empty file that is made for this. It stays.
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
    """Deletes temporary files of processes that are gone; files that a living process is writing stay.

    Args:
        folder: `Path`.
        name: String, the name of the file that was to be written. Defaults to `None`: any.
    """
    for path in Path(folder).glob(f".writing-*{'' if name is None else '-' + glob.escape(name)}"):
        if is_abandoned(path):
            with contextlib.suppress(OSError):
                path.unlink()


def is_abandoned(path):
    """Whether a file has the name of a temporary file, and nobody is writing it any more."""
    found = re.fullmatch(r"\.writing-(?:([\w.]+)-)?(\d+)[-.].+", path.name)
    if found is None:
        return False
    where, process = found[1] or machine(), int(found[2])
    if where == machine() and not is_running(process):
        return True
    try:  # Another machine's process, or one that has got the number of a process that is gone.
        return time.time() - path.stat().st_mtime > SECONDS_OF_SILENCE
    except OSError:  # It has just been moved into place.
        return False


def is_running(process):
    """Whether another process of that number runs on this machine; `True` where it cannot be known."""
    if process == os.getpid():
        return False
    if os.name == "nt":  # There `os.kill` would end it.
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # It runs, and belongs to another user.
        return True
    return True


def machine():
    """The name of this machine, as part of a file name."""
    return re.sub(r"[^\w.]", "_", socket.gethostname()) or "unknown"
