"""Images in a file of raw pixels: what memory gives, to the bit, or an error in words; never other pixels."""

import errno
import itertools
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo import files
from ganzoo.data import decoding, folder, from_arrays, from_folder, load, npz, stored, storing
from ganzoo.training.real_samples import read_samples

SIZE = (8, 6)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Twelve pictures of two classes, each of another shade; four of them fill a chunk."""
    monkeypatch.setattr(folder, "CHUNK_BYTES", 4 * 8 * 6 * 3)
    root = tmp_path / "photos"
    for index in range(12):
        write(root, index)
    return root


def write(root, index):
    path = root / ("cats", "dogs")[index % 2] / f"{index}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((8 + index, 9, 3), 15 * index, "uint8")
    pixels[::2] += 1
    Image.fromarray(pixels).save(path)
    return path


def on_disk(root, **given):
    return from_folder(root, SIZE, **{"batch_size": 3, "storage": "disk", **given})


def in_memory(root, **given):
    return from_folder(root, SIZE, **{"batch_size": 3, **given})


def assert_same(first, second):
    """Two datasets with the same samples in the same order, from any batch on."""
    assert first.element_spec == second.element_spec and first.class_names == second.class_names
    assert_same_samples(first, second)
    for start in (0, 5):
        for one, other in itertools.islice(zip(first.stream(start), second.stream(start)), 6):
            for part, same in zip(one, other, strict=True):
                np.testing.assert_array_equal(part, same)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one[0], other[0])


def assert_same_samples(first, second):
    """Two datasets with the same samples."""
    assert first.source.fingerprint() == second.source.fingerprint()
    np.testing.assert_array_equal(first.source.images.numpy(), second.source.images.numpy())
    if second.source.labels is not None:
        np.testing.assert_array_equal(first.source.labels, second.source.labels)


def pixel_file(root):
    (path,) = (root / ".ganzoo").glob("*.pixels")
    return path


def count_decoded(monkeypatch, stop_at=None, doing=None):
    """Counts the files that are decoded; breaks off before one of them."""
    seen = []

    def decode(file, *args):
        if len(seen) == stop_at:
            raise KeyboardInterrupt
        seen.append(Path(file).name)
        if doing is not None:
            doing()
        return decoding_image(file, *args)

    decoding_image = decoding.decode_image
    monkeypatch.setattr(decoding, "decode_image", decode)
    return seen


@pytest.fixture
def dead():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


# === The same as in memory ===


def test_same_as_in_memory(photos):
    assert_same(on_disk(photos), in_memory(photos))
    assert_same_samples(on_disk(photos, split="train[:60%]"), in_memory(photos, split="train[:60%]"))
    assert from_folder(photos, SIZE).class_names == ["cats", "dogs"]  # The file is hidden, and no third class.


def test_single_samples(photos):
    for one, other in zip(on_disk(photos, batch_size=None), in_memory(photos, batch_size=None), strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1] == other[1]


@pytest.mark.filterwarnings("ignore:2 images of 16 bits")
def test_broken_files_and_deep_greys(photos):
    """A dark picture of 12 bits stays dark beside a bright one, in another chunk; what is broken is left out."""
    Image.fromarray(np.full((9, 9), 40, "uint16")).save(photos / "cats" / "0.png")
    Image.fromarray(np.full((9, 9), 4000, "uint16")).save(photos / "dogs" / "11.png")
    Image.fromarray(np.full((9, 9), np.nan, "float32")).save(photos / "dogs" / "9.tif")
    (photos / "cats" / "5.png").write_text("no picture")
    datasets = []
    for make in (in_memory, on_disk, on_disk):
        with pytest.warns(UserWarning, match="(?s)2 of 14 image files cannot be read.*5.png.*9.tif.*left out") as told:
            datasets.append(make(photos))
        assert __file__ in {each.filename for each in told if "cannot be read" in str(each.message)}
    assert datasets[0].source.num_samples == 12
    assert datasets[0].source.images.numpy()[0].max() == 2  # 40 of 4095 in 255 parts.
    for dataset in datasets[1:]:
        assert_same_samples(dataset, datasets[0])


def test_training_and_measuring(photos):
    dataset = on_disk(photos)
    gan = ganzoo.GAN.from_paper((*SIZE, 3), networks=ganzoo.networks.mlp, hidden=(4,), latent_dim=3, run_eagerly=True)
    gan.fit(dataset, epochs=1, verbose=0)
    assert gan.steps_done == 4
    samples, _ = read_samples(gan, dataset, limit=5)
    np.testing.assert_array_equal(samples, in_memory(photos).source.images[:5])


def test_arrays_of_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "CHUNK_BYTES", 100)
    random = np.random.default_rng(0)
    arrays = {"train_images": random.integers(0, 256, (10, 5, 5, 3), "uint8"), "train_labels": np.arange(10)}
    for name, save in (("stored.npz", np.savez), ("packed.npz", np.savez_compressed)):
        save(tmp_path / name, **arrays, train_kind=np.arange(10) % 2, values_kind=np.array(["a", "b"]))
        for given in ({}, {"split": "train[70%:]+train[:5]"}, {"label": "kind"}, {"image_size": (3, 4)}):
            first, second = (load(tmp_path / name, batch_size=2, storage=each, **given) for each in storing.STORAGES)
            assert_same_samples(first, second)
    np.savez(tmp_path / "grey.npz", images=arrays["train_images"][..., 0])
    assert_same_samples(*(load(tmp_path / "grey.npz", batch_size=2, storage=each) for each in storing.STORAGES))
    np.savez(tmp_path / "floats.npz", images=arrays["train_images"] / 300)
    with pytest.raises(ValueError, match="keeps images of 8 bits.*holds float64 of the shape.*Save uint8"):
        load(tmp_path / "floats.npz", storage="disk")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorflow_datasets(tmp_path, monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets")
    monkeypatch.setattr("ganzoo.data.tensorflow_datasets.CHUNK_BYTES", 2 * 16 * 16 * 3)
    given = {"image_size": (16, 16), "batch_size": 2, "data_dir": tmp_path}
    with tfds.testing.mock_data(num_examples=7):
        assert_same_samples(load("cifar10", storage="disk", cache_dir=tmp_path, **given), load("cifar10", **given))
        unlabelled = load("celeb_a", storage="disk", cache_dir=tmp_path, **given)
    assert unlabelled.source.labels is None and len(unlabelled.source.images) == 7


# === Broken off, damaged, changed ===


def test_goes_on_after_a_kill(photos, monkeypatch, dead):
    """By another process, from the last whole chunk."""
    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        count_decoded(context, stop_at=9)  # Eight are written.
        on_disk(photos)
    (partial,) = (photos / ".ganzoo").glob(".writing-*")
    partial.rename(partial.with_name(f".writing-{files.machine()}-{dead}-{partial.name.split('-', 3)[3]}"))
    seen = count_decoded(monkeypatch)
    dataset = on_disk(photos)
    assert len(seen) == 4
    assert_same_samples(dataset, in_memory(photos))
    assert not list((photos / ".ganzoo").glob(".writing-*"))


@pytest.mark.parametrize("name", ["pixels", "labels", "journal"])
def test_a_damaged_part_is_decoded_again(photos, monkeypatch, name):
    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        count_decoded(context, stop_at=9)
        on_disk(photos)
    (partial,) = (photos / ".ganzoo").glob(".writing-*")
    content = bytearray((partial / name).read_bytes())
    content[-20] ^= 1
    (partial / name).write_bytes(content[:-3] if name == "journal" else content)
    seen = count_decoded(monkeypatch)
    assert_same_samples(on_disk(photos), in_memory(photos))
    assert len(seen) == 8  # The second chunk and the third.


def test_of_a_part_of_other_data_nothing_is_taken(photos, monkeypatch):
    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        count_decoded(context, stop_at=9)
        on_disk(photos)
    write(photos, 13)
    assert_same_samples(on_disk(photos), in_memory(photos))


def test_data_that_change_are_read_again(photos):
    on_disk(photos)
    path = write(photos, 14)
    with pytest.warns(UserWarning, match="is made again: the data have changed since"):
        assert_same_samples(on_disk(photos), in_memory(photos))
    os.utime(path, (1, 1))
    with pytest.warns(UserWarning, match="is made again"):
        on_disk(photos)
    assert len(list((photos / ".ganzoo").glob("*.pixels"))) == 1


def test_data_that_change_meanwhile_are_refused(photos, monkeypatch):
    count_decoded(monkeypatch, doing=lambda: os.utime(photos / "cats" / "0.png"))
    with pytest.raises(ValueError, match="'photos' has changed while it was read. Run this again"):
        on_disk(photos)
    assert not list((photos / ".ganzoo").glob("*.pixels"))


@pytest.mark.parametrize("harm", ["flip a bit", "cut off", "overwrite the end", "empty"])
def test_a_damaged_file_is_made_again(photos, harm):
    on_disk(photos)
    path = pixel_file(photos)
    content = bytearray(path.read_bytes())
    content[100 if harm == "flip a bit" else -60] ^= 1
    path.write_bytes({"cut off": content[:-1], "empty": b""}.get(harm, content))
    with pytest.warns(UserWarning, match="is made again: it is damaged"):
        assert_same_samples(on_disk(photos), in_memory(photos))


def test_a_copy_is_checked_once(photos, monkeypatch):
    """A file of another time is hashed, and used if it is whole; then it has its time again."""
    on_disk(photos)
    path = pixel_file(photos)
    made = path.stat().st_mtime_ns
    os.utime(path, (5, 5))
    seen = count_decoded(monkeypatch)
    on_disk(photos)
    assert path.stat().st_mtime_ns == made and not seen


def test_a_file_that_is_cut_off_while_it_is_read(photos):
    images = on_disk(photos).source.images
    os.truncate(pixel_file(photos), 100)
    with pytest.raises(OSError, match="has been cut off since it was opened"):
        images.take([11])
    with pytest.raises(IndexError, match="indices from 0 to 12 of 12 images"):
        images.take([0, 12])


def test_a_reader_keeps_the_file_that_it_opened(photos):
    before = on_disk(photos).source.images
    expected = before.numpy()
    write(photos, 16)
    with pytest.warns(UserWarning, match="is made again"):
        on_disk(photos)
    np.testing.assert_array_equal(before.numpy(), expected)


def test_two_at_a_time(photos, monkeypatch, capsys):
    """The second waits for the first, and decodes nothing."""
    began, seen = threading.Event(), count_decoded(monkeypatch, doing=lambda: began.wait(0.01) or began.set())
    datasets = []
    threads = [threading.Thread(target=lambda: datasets.append(on_disk(photos))) for _ in range(2)]
    threads[0].start()
    began.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert len(seen) == 12
    assert_same_samples(*datasets)


def test_two_at_a_time_without_locks(photos, monkeypatch):
    """Where nobody waits, each process has a file of its own, and the last one stays."""
    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        count_decoded(context, stop_at=9)
        on_disk(photos)
    (partial,) = (photos / ".ganzoo").glob(".writing-*")
    other = partial.with_name(partial.name.replace(f"-{os.getpid()}-", f"-{os.getppid()}-"))
    shutil.copytree(partial, other)  # A process that runs.
    partial.rename(partial.with_name("gone"))
    assert_same_samples(on_disk(photos), in_memory(photos))
    assert other.is_dir()


# === No room, no permission ===


def test_no_room(photos, monkeypatch):
    usage = shutil.disk_usage(photos)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(OSError, match="no room for the pixels of 'photos' in .*they take 0.0 MiB.*or pass cache_dir="):
        on_disk(photos)


def test_a_disk_that_becomes_full(photos, monkeypatch):
    """It takes a part of a chunk. What was whole before is used once there is room."""

    class Full:
        def __init__(self, path, mode, **given):
            self.file, self.is_pixels = open(path, mode, **given), Path(path).name == "pixels"

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def write(self, view):
            if self.is_pixels and self.file.tell() >= 4 * 144:
                if self.file.tell() > 5 * 144:
                    raise OSError(errno.ENOSPC, "No space left on device")
                return self.file.write(view[:150])
            return self.file.write(view)

        def __getattr__(self, name):
            return getattr(self.file, name)

    with monkeypatch.context() as context:
        context.setattr(storing, "open", Full, raising=False)
        with pytest.raises(OSError, match="There is no room.*What is written stays: make room and run this again"):
            on_disk(photos)
    seen = count_decoded(monkeypatch)
    dataset = on_disk(photos)
    assert len(seen) == 8
    assert_same_samples(dataset, in_memory(photos))


def test_a_folder_that_cannot_be_written(photos, tmp_path):
    (tmp_path / "file").touch()
    for cache_dir in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(PermissionError, match="pixels of 'photos' cannot be written to .*file.*Pass cache_dir="):
            on_disk(photos, cache_dir=cache_dir)
    on_disk(photos, cache_dir=tmp_path / "new" / "folder")
    assert len(list((tmp_path / "new" / "folder").glob("photos-8x6x3-*.pixels"))) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(photos):
    photos.chmod(0o555)
    try:
        with pytest.raises(PermissionError, match="cannot be written to .*Pass cache_dir="):
            on_disk(photos)
    finally:
        photos.chmod(0o755)


def test_arguments(photos):
    for storage in ("dusk", None, True):
        with pytest.raises(ValueError, match="`storage` must be one of 'memory', 'disk'"):
            from_folder(photos, SIZE, storage=storage)
    with pytest.raises(ValueError, match='`cache_dir` is the folder of storage="disk"'):
        from_folder(photos, SIZE, cache_dir=photos)
    with pytest.raises(ValueError, match="different sizes"):
        from_folder(photos, storage="disk")
    for name in ("mnist_10k", "faces_10k", "ring", "openmoji_pairs"):
        with pytest.raises(ValueError, match=f"storage='disk' is for large sets, and '{name}' fits into any memory"):
            load(name, storage="disk")


def test_all_of_it_does_not_fit_into_memory(photos, monkeypatch):
    images = on_disk(photos).source.images
    monkeypatch.setattr("ganzoo.data.reading.available_memory", lambda: 1000)
    with pytest.raises(ValueError, match="12 images of 8 x 6 x 3 bytes need .* slice the split"):
        images.numpy()
    with pytest.raises(ValueError, match='storage="disk"'):
        in_memory(photos)


def test_without_preadv(photos, monkeypatch):
    """As on Windows."""
    monkeypatch.delattr(stored.os, "preadv", raising=False)
    assert_same_samples(on_disk(photos), in_memory(photos))


def test_images_are_an_array_to_others(photos):
    """Whoever takes the images of a dataset as an array gets one."""
    x = on_disk(photos)
    pairs = ganzoo.data.unpaired(x, in_memory(photos), batch_size=2)
    assert next(iter(pairs))[0].shape == (2, *SIZE, 3)
    assert from_arrays(x.source.images.numpy()).element_spec.shape == (*SIZE, 3)
