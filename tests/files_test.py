"""Files that are written whole or not at all, by one process beside others."""

import os
import stat
import subprocess
import sys
import threading
import time

import pytest

from ganzoo import files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def temporary(process, name="a.txt", machine=None):
    return f".writing-{machine or files.machine()}-{process}-{name}"


@pytest.fixture
def dead():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "new" / "a.txt"
    for text in ("first", "second"):
        with files.replacing(path) as other:
            assert other.parent == path.parent and other.suffix == ".txt" and str(os.getpid()) in other.name
            other.write_text(text)
            assert not path.exists() or path.read_text() == "first"
        assert path.read_text() == text
    assert names(path.parent) == ["a.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(OSError, match="disk"), files.replacing(path) as other:
        other.write_text("half of")
        raise OSError("the disk is full")
    assert names(tmp_path) == ["a.txt"] and path.read_text() == "old"


def test_a_folder_that_is_gone_keeps_its_error(tmp_path):
    folder = tmp_path / "folder"
    with pytest.raises(FileNotFoundError), files.replacing(folder / "a.txt") as other:
        other.write_text("half of")
        other.unlink()
        folder.rmdir()
        folder.write_text("a file in its place")
        raise FileNotFoundError
    assert folder.read_text() == "a file in its place"


def test_a_living_process_keeps_its_temporary_file_and_a_dead_one_does_not(tmp_path, dead):
    living = temporary(os.getppid())
    for name in (living, temporary(dead), temporary(dead, "b.txt")):
        (tmp_path / name).write_text("half of")
    with files.replacing(tmp_path / "a.txt") as other:
        other.write_text("whole")
    # The leftovers of other files are not looked at.
    assert names(tmp_path) == sorted([living, temporary(dead, "b.txt"), "a.txt"])
    files.remove_abandoned(tmp_path)
    assert names(tmp_path) == sorted([living, "a.txt"])


def test_what_is_abandoned(tmp_path, dead):
    def is_abandoned(name, age=0.0):
        path = tmp_path / name
        path.write_text("")
        os.utime(path, (time.time() - age,) * 2)
        return files.is_abandoned(path)

    assert is_abandoned(temporary(dead))
    assert is_abandoned(f".writing-{dead}.keras")  # As earlier versions called them.
    assert is_abandoned(temporary(os.getpid()))  # This process writes none now: it has the number of a dead one.
    assert not is_abandoned(temporary(os.getppid()))
    assert is_abandoned(temporary(os.getppid()), age=2 * files.SECONDS_OF_SILENCE)
    # Of another machine's processes nothing is known but their silence.
    assert not is_abandoned(temporary(dead, machine="elsewhere"))
    assert is_abandoned(temporary(dead, machine="elsewhere"), age=2 * files.SECONDS_OF_SILENCE)
    for name in ("a.txt", ".writing-home.txt", ".writing-.keras"):
        assert not is_abandoned(name, age=2 * files.SECONDS_OF_SILENCE)
    assert not files.is_abandoned(tmp_path / temporary(os.getppid(), "gone.txt"))


def test_names_with_special_letters(tmp_path, dead):
    (tmp_path / temporary(dead, "a.txt")).write_text("")
    with files.replacing(tmp_path / "[a].txt") as other:
        other.write_text("")
    assert names(tmp_path) == sorted([temporary(dead, "a.txt"), "[a].txt"])


def test_a_durable_file_is_synced_before_it_is_moved_and_its_folder_after(tmp_path, monkeypatch):
    calls = []
    sync, replace = os.fsync, os.replace
    kind = {True: "folder", False: "file"}
    monkeypatch.setattr(os, "fsync", lambda h: (calls.append(kind[stat.S_ISDIR(os.fstat(h).st_mode)]), sync(h)))
    monkeypatch.setattr(os, "replace", lambda *paths: (calls.append("move"), replace(*paths)))
    for durable in (False, True):
        with files.replacing(tmp_path / "a.txt", durable=durable) as other:
            other.write_text("whole")
    assert calls == ["move", "file", "move", "folder"]


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path):
    files.sync_folder(tmp_path / "missing")


def test_new_folders(tmp_path):
    made = [files.new_folder(tmp_path / "previous") for _ in range(2)]
    (tmp_path / "previous_3").write_text("a file")
    made.append(files.new_folder(tmp_path / "previous"))
    assert [folder.name for folder in made] == ["previous", "previous_2", "previous_4"]
    assert all(folder.is_dir() for folder in made)


def test_one_at_a_time(tmp_path, capsys):
    """The second waits, and says for what."""
    order, inside = [], threading.Event()

    def enter(name):
        with files.in_turn(tmp_path / ".lock", "makes a cake"):
            inside.set()
            order.append(f"{name} in")
            time.sleep(0.2)
            order.append(f"{name} out")

    first = threading.Thread(target=enter, args=("first",))
    first.start()
    inside.wait(10)
    enter("second")
    first.join()
    assert order == ["first in", "first out", "second in", "second out"]
    assert capsys.readouterr().err == "Waiting for another process, which makes a cake.\n"
