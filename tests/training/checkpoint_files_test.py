"""The files of checkpoints: which are ours, what happens to them, and when the disk does not take them."""

import errno
import os
import shutil
import zipfile

import pytest

import ganzoo
from ganzoo.training import checkpoint_files
from ganzoo.training.checkpoint_files import CheckpointFiles, OneFile, cause_on_disk, write_model
from ganzoo.training.state import bytes_of

# Names that are almost those of checkpoints.
OTHERS = (
    "step_final.keras",
    "step_0000000002_best_so_far.keras",
    "step_12.keras",
    "step_00000000012.keras",
    "step_0000000009.keras.bak",
    "my_step_0000000009.keras",
    "step_٠٠٠٠٠٠٠٠٠٩.keras",
)


def build():
    return ganzoo.GAN.from_paper((2,), latent_dim=2, hidden=(3,), seed=0)


@pytest.fixture
def store(tmp_path):
    """A directory with three checkpoints (empty files) and files of somebody else."""
    for step in (4, 12, 8):
        (tmp_path / f"step_{step:010d}.keras").write_text(str(step))
    for name in OTHERS:
        (tmp_path / name).write_text(name)
    (tmp_path / "step_0000000020.keras").mkdir()
    yield CheckpointFiles(tmp_path)
    for name in OTHERS:
        assert (tmp_path / name).read_text() == name
    assert (tmp_path / "step_0000000020.keras").is_dir()


def steps(store, **kwargs):
    return [int(path.read_text()) for path in store.paths(**kwargs)]


def test_only_exact_names_count_and_the_newest_comes_first(store):
    assert steps(store) == [12, 8, 4]
    assert steps(store, last=11) == [8, 4] and steps(store, last=8) == [8, 4] and steps(store, last=3) == []
    assert CheckpointFiles(store.directory / "missing").paths() == []


def test_only_the_newest_stay(store):
    store.prune(2)
    assert steps(store) == [12, 8]


def test_a_file_that_cannot_be_deleted_stays(store, monkeypatch):
    def refuse(path, missing_ok=False):
        raise PermissionError

    monkeypatch.setattr(type(store.directory), "unlink", refuse)
    store.prune(1)
    assert steps(store) == [12, 8, 4]


def test_later_steps_are_set_aside_each_time_in_a_folder_of_their_own(store):
    contents = []
    for number in range(3):
        store.set_aside(4)
        folder = store.directory / ("previous" if number == 0 else f"previous_{number + 1}")
        contents.append({path.name: path.read_text() for path in folder.iterdir()})
        assert steps(store) == [4]
        store.path(12).write_text("12")
    assert contents[0] == {"step_0000000008.keras": "8", "step_0000000012.keras": "12"}
    assert contents[1] == contents[2] == {"step_0000000012.keras": "12"}
    store.path(12).unlink()
    store.set_aside(4)  # Nothing to set aside.
    assert not (store.directory / "previous_4").exists()


def test_restores_up_to_a_step(tmp_path):
    model, store = build(), CheckpointFiles(tmp_path)
    for step in (3, 6):
        model.step.assign(step)
        store.write(model)
    assert store.restore(model) == store.path(6) and model.steps_done == 6
    assert store.restore(model, last=5) == store.path(3) and model.steps_done == 3
    assert store.restore(model, last=2) is None


def test_one_file(tmp_path):
    model, store = build(), OneFile(tmp_path / "best.keras")
    assert store.paths() == [] and store.restore(model) is None
    for step in (3, 6):
        model.step.assign(step)
        store.write(model)
    store.prune(1)
    model.step.assign(9)
    assert store.restore(model) == tmp_path / "best.keras" and model.steps_done == 6
    assert [path.name for path in tmp_path.iterdir()] == ["best.keras"]


# === A disk that does not take it ===


def test_no_space_is_noticed_before_a_byte_is_written(tmp_path, monkeypatch):
    model = build()
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=bytes_of(model) - 1))
    monkeypatch.setattr(model, "save", lambda path: pytest.fail("It must not be tried."))
    with pytest.raises(OSError, match=f"No space left on device: {bytes_of(model):,} bytes are needed") as caught:
        write_model(model, tmp_path / "a.keras")
    assert caught.value.errno == errno.ENOSPC and list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=bytes_of(model)))
    write_model(model, tmp_path / "a.keras")


def test_an_error_that_comes_from_the_disk_is_one_of_the_disk(tmp_path, monkeypatch):
    """`zipfile` raises a `ValueError` while it cleans up after a write that failed."""
    model = build()

    def save(path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.open("config.json", "w").write(b"half of")
            raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(model, "save", save)
    with pytest.raises(OSError, match="Disk quota exceeded") as caught:
        write_model(model, tmp_path / "a.keras")
    assert caught.value.errno == errno.EDQUOT and list(tmp_path.iterdir()) == []


def test_other_errors_stay_what_they_are(tmp_path, monkeypatch):
    model = build()

    def save(path):
        raise ValueError("a layer without a config")

    monkeypatch.setattr(model, "save", save)
    with pytest.raises(ValueError, match="a layer without a config"):
        write_model(model, tmp_path / "a.keras")
    assert list(tmp_path.iterdir()) == []


def test_the_cause_on_the_disk():
    disk, other = OSError("full"), ValueError("other")
    assert cause_on_disk(disk) is disk and cause_on_disk(other) is None
    other.__context__ = disk
    assert cause_on_disk(other) is disk
    looped = ValueError("looped")
    looped.__context__ = looped
    assert cause_on_disk(looped) is None


def test_a_written_file_is_durable(tmp_path, monkeypatch):
    calls, sync = [], os.fsync
    monkeypatch.setattr(checkpoint_files.files.os, "fsync", lambda handle: (calls.append(1), sync(handle)))
    write_model(build(), tmp_path / "a.keras")
    assert len(calls) == 2  # The file, and then its folder; see files_test.py.
