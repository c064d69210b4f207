import gzip
import os
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import ganzoo.data
from ganzoo.data import load

ROOT = Path(ganzoo.data.__file__).parents[2]
ARCHIVES = Path(os.environ.get("GANZOO_DATA", ROOT / "../shared/data"))


@pytest.mark.parametrize("name", ["mnist_10k", "fashion_mnist_10k"])
def test_embedded(name):
    dataset = load(name, batch_size=64)
    assert dataset.element_spec == (
        tf.TensorSpec((64, 28, 28, 1), tf.float32),
        tf.TensorSpec((64,), tf.int64),
    )
    assert len(dataset) == 10_000 // 64
    assert len(dataset.class_names) == 10
    images, labels = next(iter(dataset))
    assert tf.reduce_min(images) == -1 and tf.reduce_max(images) == 1
    assert len(np.unique(labels)) == 10


def test_embedded_images_and_labels_belong_together():
    labels = load("mnist_10k").source.labels.numpy()
    assert labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    source = load("fashion_mnist_10k").source
    assert source.labels[:5].numpy().tolist() == [9, 2, 1, 1, 6]
    # The heels of ankle boots are low and to the right; nothing of trousers is there.
    corner = source.images.numpy()[:, 20:25, 22:26].mean((1, 2, 3))
    assert corner[source.labels == 1].mean() < 10 and corner[source.labels == 9].mean() > 100


def test_embedded_faces():
    """On their own grid, in few colours, all different; each attribute can be the label."""
    source = load("faces_10k").source
    assert source.images.shape == (10_000, 16, 16, 3) and source.labels is None
    images = source.images.numpy()
    assert len({image.tobytes() for image in images}) == 10_000
    assert len(np.unique(images.reshape(-1, 3) @ [1, 256, 65536])) == 464
    large = load("faces_10k", image_size=(32, 48)).source.images.numpy()
    np.testing.assert_array_equal(large[:, ::2, ::3], images)
    np.testing.assert_array_equal(large[:, 1::2, 2::3], images)
    assert load("faces_10k", image_size=(24, 24)).source.images.shape[1:] == (24, 24, 3)


def test_labels_of_faces():
    """A face has the colour that the label of its skin names: all but one in twenty, which are shaded."""
    dataset = load("faces_10k", label="skinColor")
    images, labels = dataset.source.images.numpy(), dataset.source.labels.numpy()
    assert len(dataset.class_names) == 8 and set(labels) == set(range(8))
    for number, name in enumerate(dataset.class_names):
        color = [int(name[i : i + 2], 16) for i in (1, 3, 5)]
        assert (images[labels == number] == color).all(-1).any((1, 2)).mean() > 0.94
        assert (images[labels != number] == color).all(-1).any((1, 2)).mean() < 0.1
    several = load("faces_10k", label=["skinColor", "glasses"], batch_size=4)
    assert several.element_spec[1] == tf.TensorSpec((4, 8 + 15), tf.float32)
    assert several.attribute_names[:8] == [f"skinColor {name}" for name in dataset.class_names]
    attributes = several.source.labels.numpy()
    np.testing.assert_array_equal(attributes[:, :8].argmax(1), labels)
    np.testing.assert_array_equal(attributes.sum(1), 2)


def test_labels_of_a_file(tmp_path):
    path = tmp_path / "images.npz"
    arrays = {"train_images": np.zeros((4, 2, 2, 1), "uint8"), "train_size": np.array([0, 1, 1, 0])}
    np.savez(path, **arrays, values_size=np.array(['"small"', "large"]), train_kind=np.array([2, 0, 1, 1]))
    dataset = load(path, label="size")
    assert dataset.source.labels.numpy().tolist() == [0, 1, 1, 0] and dataset.class_names == ["small", "large"]
    both = load(path, label=("size", "kind"))
    assert both.source.labels.numpy().tolist() == [[1, 0, 0, 0, 1], [0, 1, 1, 0, 0], [0, 1, 0, 1, 0], [1, 0, 0, 1, 0]]
    assert both.attribute_names == ["size small", "size large", "kind 0", "kind 1", "kind 2"]
    with pytest.raises(ValueError, match="no array 'train_sizes' for label='sizes'. Labels with names: size"):
        load(path, label="sizes")
    for label in ("", [], ["size", "size"], 3, ["size", 2]):
        with pytest.raises(ValueError, match="`label` must be the name of a label, or a list"):
            load(path, label=label)
    for name in ("mnist_10k", "ring", "openmoji_pairs", tmp_path):
        with pytest.raises(ValueError, match="`label` chooses among the labels of faces_10k or of an .npz file"):
            load(name, label="size")


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_embedded_files_are_the_published_ones(name):
    if not (ARCHIVES / name).is_dir():
        pytest.skip(f"the published archives are not at {ARCHIVES}; set GANZOO_DATA")
    for kind in ("images-idx3", "labels-idx1"):
        embedded = ROOT / f"ganzoo/data/embedded/{name}_t10k-{kind}-ubyte.gz"
        assert embedded.read_bytes() == (ARCHIVES / name / f"t10k-{kind}-ubyte.gz").read_bytes()
        gzip.decompress(embedded.read_bytes())


def test_embedded_slices_do_not_overlap():
    whole = load("mnist_10k").source.images
    train = load("mnist_10k", split="train[:9000]", shuffle=False).source.images
    held_out = load("mnist_10k", split="train[90%:]", shuffle=False).source.images
    np.testing.assert_array_equal(tf.concat([train, held_out], 0), whole)


def test_embedded_has_no_test_split():
    with pytest.raises(ValueError, match=r"one split, 'train'.*split='train\[:9000\]'"):
        load("mnist_10k", split="test")


def test_image_size_resizes():
    dataset = load("mnist_10k", split="train[:20]", image_size=(32, 40), batch_size=20)
    ((images, _),) = dataset
    assert images.shape == (20, 32, 40, 1)
    assert -1 <= tf.reduce_min(images) and tf.reduce_max(images) <= 1


def test_arguments_reach_the_order():
    def labels(**kwargs):
        return next(iter(load("mnist_10k", batch_size=50, **kwargs)))[1].numpy().tolist()

    assert labels(seed=1) == labels(seed=1) != labels(seed=2)
    assert labels(shuffle=False)[:5] == [7, 2, 1, 0, 4]


def test_toys():
    points, mode = next(iter(load("ring", batch_size=100, seed=3)))
    expected, expected_mode = next(iter(ganzoo.data.ring(batch_size=100, seed=3)))
    np.testing.assert_array_equal(points, expected)
    np.testing.assert_array_equal(mode, expected_mode)
    with pytest.raises(ValueError, match=r"'grid' is a toy.*ganzoo.data.grid\(num_samples="):
        load("grid", split="train[:100]")


def test_npz(tmp_path):
    images = np.arange(10 * 4 * 4 * 3, dtype="uint8").reshape(10, 4, 4, 3)
    path = tmp_path / "own.npz"
    np.savez(path, train_images=images, train_labels=np.arange(10), test_images=images[:2])
    dataset = load(path, split="train[80%:]", batch_size=2, shuffle=False)
    ((batch, labels),) = dataset
    np.testing.assert_allclose(batch, images[8:] / 127.5 - 1, atol=1e-6)
    assert labels.numpy().tolist() == [8, 9]
    assert load(str(path), split="test").element_spec == tf.TensorSpec((4, 4, 3), tf.float32)
    with pytest.raises(ValueError, match=r"no array 'val_images' .*'test_images', 'train_images'"):
        load(path, split="val")


def test_npz_without_splits(tmp_path):
    np.savez(tmp_path / "own.npz", images=np.zeros((3, 4, 4)), labels=[0, 1, 2])
    with pytest.warns(UserWarning, match=r"\[0, 1\]"):
        assert len(load(tmp_path / "own.npz")) == 3
    with pytest.raises(ValueError, match="no array 'test_images'"):
        load(tmp_path / "own.npz", split="test")
    with pytest.raises(ValueError, match="There is no file"):
        load(tmp_path / "other.npz")
    np.savez(tmp_path / "floats.npz", images=np.full((3, 4, 4), -0.5))
    with pytest.raises(ValueError, match="image_size needs uint8 images; received float32"):
        load(tmp_path / "floats.npz", image_size=(8, 8))


def test_folder(tmp_path):
    for name, color in (("train/a.png", "red"), ("train/b.png", "red"), ("test/c.png", "blue")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), color).save(tmp_path / name)
    assert len(load(tmp_path)) == 2
    ((image),) = load(str(tmp_path), split="test", image_size=(4, 4))
    np.testing.assert_array_equal(image, np.broadcast_to([-1, -1, 1], (4, 4, 3)))
    assert load(tmp_path / "test").element_spec.shape == (8, 8, 3)
    with pytest.raises(ValueError, match=r"no sub-folder 'val'"):
        load(tmp_path, split="val")


def test_paths_that_are_no_dataset_are_told_apart_from_names(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    Path("faces").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "faces" / "a.png")
    assert len(load("~/faces")) == 1
    for name in ("~/nowhere", "./nowhere", "/no/where", "x.zip", r"C:\images"):
        with pytest.raises(ValueError, match="There is no file or folder"):
            load(name)
    np.save("x.npy", np.zeros((2, 4, 4, 1), "uint8"))
    with pytest.raises(ValueError, match="'x.npy' is neither a folder of images nor an .npz file"):
        load("./x.npy")
    Path("empty").mkdir()
    with pytest.raises(ImportError, match=r"There is a folder of this name: pass './empty' to load it"):
        load("empty")
    for name in ("", None, 5):
        with pytest.raises(ValueError, match="`name` must be a path, a string that is not empty"):
            load(name)


def test_a_folder_by_its_bare_name(tmp_path, monkeypatch):
    """It wins over a dataset of that name, unless the folders of a dataset are given."""
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "mnist_10k", "ring", "openmoji_pairs", "peeps_64"):
        Path(name).mkdir()
        Image.new("RGB", (8, 6)).save(f"{name}/a.png")
    assert load("photos").element_spec.shape == load(Path("mnist_10k")).element_spec.shape == (6, 8, 3)
    for name in ("mnist_10k", "ring", "openmoji_pairs", "peeps_64"):
        with pytest.warns(UserWarning, match=f"The folder '{name}' of images .* is read, and not the dataset") as told:
            assert load(name).element_spec.shape == (6, 8, 3)
        assert told[0].filename == __file__
    assert load("mnist_10k", data_dir=tmp_path).source.num_samples == 10_000
    assert load("ring", manual_dir=tmp_path).element_spec[0].shape == (2,)
    Path("faces_10k").mkdir()  # Nothing that Pillow reads is in it.
    assert load("faces_10k").source.num_samples == 10_000


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"\x93NUMPY"])
def test_a_damaged_npz_is_refused(tmp_path, content):
    (tmp_path / "own.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"own.npz' cannot be read: .* It is damaged, or no .npz file"):
        load(tmp_path / "own.npz")


def test_a_torn_npz_is_refused(tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, images=np.random.default_rng(0).integers(0, 256, (20, 8, 8), "uint8"))
    content = bytearray(path.read_bytes())
    content[300:400] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read: .*CRC"):
        load(path)


def test_pickled_objects_in_an_npz_are_refused(tmp_path):
    np.savez(tmp_path / "own.npz", images=np.array([{}, []], dtype=object))
    with pytest.raises(ValueError, match="array 'images' of .*own.npz' cannot be read: Object arrays"):
        load(tmp_path / "own.npz")


def test_an_npz_that_is_larger_than_the_memory_is_refused(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "own.npz", images=np.zeros((1000, 32, 32), "uint8"))
    assert (tmp_path / "own.npz").stat().st_size < 10_000
    monkeypatch.setattr("ganzoo.data.reading.available_memory", lambda: 2**20)
    with pytest.raises(ValueError, match="images of .*own.npz' need .* GiB of memory"):
        load(tmp_path / "own.npz")


# === Files that a user has ===


@pytest.fixture
def archive(tmp_path):
    """`cifar10_jpeg.tar.gz`, and what it was packed from."""
    random = np.random.default_rng(0)
    root = tmp_path / "cifar10_jpeg"
    for index in range(24):
        path = root / ("train" if index % 4 else "test") / ("cat", "dog 2", "dog 10")[index % 3] / f"{index}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (32, 32, 3), "uint8")).save(path)
    (root / "train" / "cat" / "3.jpg").write_bytes(b"no picture")
    with tarfile.open(tmp_path / "cifar10_jpeg.tar.gz", "w:gz") as packed:
        packed.add(root, "./")
    root.rename(tmp_path / "unpacked")
    return tmp_path


@pytest.mark.filterwarnings("ignore:1 of .* image files cannot be read")
def test_cifar10_jpeg(archive):
    """Packed as unpacked, in memory as on the disk."""
    for given in ({"split": "train"}, {"split": "test"}, {"split": "train[:70%]", "image_size": (16, 24)}):
        expected = load(archive / "unpacked", **given)
        for storage in ({}, {"storage": "disk", "cache_dir": archive / "cache"}):
            dataset = load("cifar10_jpeg", manual_dir=archive, **given, **storage)
            assert dataset.class_names == expected.class_names == ["cat", "dog 2", "dog 10"]
            np.testing.assert_array_equal(dataset.source.images.numpy(), expected.source.images.numpy())
            np.testing.assert_array_equal(dataset.source.labels, expected.source.labels)
    with pytest.raises(ValueError, match="cifar10_jpeg.tar.gz' has no split 'val'. It holds: test, train"):
        load("cifar10_jpeg", "val", manual_dir=archive)
    with pytest.raises(ValueError, match="`label` chooses among"):
        load("cifar10_jpeg", label="kind", manual_dir=archive)
    content = (archive / "cifar10_jpeg.tar.gz").read_bytes()
    for harmed in (content[: len(content) // 2], b"no archive"):
        (archive / "cifar10_jpeg.tar.gz").write_bytes(harmed)
        with pytest.raises(ValueError, match="cannot be read: .*It is damaged, or no tar archive"):
            load("cifar10_jpeg", manual_dir=archive)
    (archive / "cifar10_jpeg.tar.gz").unlink()
    (archive / "unpacked").rename(archive / "cifar10_jpeg")
    assert load("cifar10_jpeg", "test", manual_dir=archive).source.num_samples == 6


def test_faces_of_a_file(tmp_path):
    images = np.arange(4 * 2 * 2 * 3, dtype="uint8").reshape(4, 2, 2, 3)
    arrays = {"train_images": images, "test_images": images[:1], "train_hat": np.array([0, 1, 1, 2])}
    for name in ("peeps_64", "pixel_faces_32"):
        np.savez(tmp_path / f"{name}.npz", **arrays, values_hat=np.array(['"cap"', '"top hat"', "null"]))
        dataset = load(name, manual_dir=tmp_path, label="hat")
        assert dataset.class_names == ["cap", "top hat", "none"]
        assert load(name, manual_dir=tmp_path).element_spec == tf.TensorSpec((2, 2, 3), tf.float32)
        assert load(name, "test", manual_dir=tmp_path).source.num_samples == 1
        attributes = load(name, manual_dir=tmp_path, label=["hat"])
        assert attributes.attribute_names == ["hat cap", "hat top hat", "hat none"]
    large = load("pixel_faces_32", manual_dir=tmp_path, image_size=(4, 4)).source.images.numpy()
    np.testing.assert_array_equal(large[:, 1::2, ::2], images)  # Pixel art: pixels are repeated.


@pytest.mark.parametrize("name", ["cifar10_jpeg", "peeps_64", "pixel_faces_32"])
def test_files_that_are_missing(name, tmp_path):
    with pytest.raises(ValueError, match=f"'{name}' is read from the file {name}.* Pass manual_dir=, the folder that"):
        load(name)
    with pytest.raises(ValueError, match=f"There is no {name}.* in manual_dir='{tmp_path}'"):
        load(name, manual_dir=tmp_path)


def test_the_files_themselves():
    if not (ARCHIVES / "cifar10").is_dir():
        pytest.skip(f"the archives are not at {ARCHIVES}; set GANZOO_DATA")
    faces = load("pixel_faces_32", manual_dir=ARCHIVES / "faces", label="hairColor")
    small = load("faces_10k", label="hairColor")
    assert faces.class_names == small.class_names
    np.testing.assert_array_equal(faces.source.images[:100, ::2, ::2], small.source.images[:100])
    test = load("cifar10_jpeg", "test[:200]", manual_dir=ARCHIVES / "cifar10")
    assert test.source.images.shape == (200, 32, 32, 3) and test.class_names[::9] == ["airplane", "truck"]


# === tensorflow-datasets ===


@pytest.fixture
def tfds():
    return pytest.importorskip("tensorflow_datasets")


def test_unknown_name(tfds, tmp_path, monkeypatch):
    words = "Unknown dataset 'mnist_10'.*Close to it: mnist_10k.*Embedded: mnist_10k, fashion_mnist_10k"
    with pytest.raises(ValueError, match=words):
        load("mnist_10")
    monkeypatch.chdir(tmp_path)
    Path("faces").mkdir()
    with pytest.raises(ValueError, match="folder of this name: pass './faces'"):
        load("faces")


def test_missing_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match=r"'cifar10' is not embedded.*pip install 'keras-ganzoo\[tfds\]'"):
        load("cifar10")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tfds_dataset(tfds, tmp_path):
    with tfds.testing.mock_data(num_examples=7):
        dataset = load("cifar10", batch_size=3, data_dir=tmp_path)
        resized = load("cifar10", image_size=(16, 20), data_dir=tmp_path)
        unlabelled = load("celeb_a", image_size=(8, 8), batch_size=7, data_dir=tmp_path)
        with pytest.raises(ValueError, match="'imagenette' differ in size. Pass image_size="):
            load("imagenette", data_dir=tmp_path)
        with pytest.raises(ValueError, match="'imdb_reviews' is not a dataset of 8-bit images"):
            load("imdb_reviews", data_dir=tmp_path)
    assert dataset.element_spec == (
        tf.TensorSpec((3, 32, 32, 3), tf.float32),
        tf.TensorSpec((3,), tf.int64),
    )
    assert len(dataset) == 2
    assert len(dataset.class_names) == 10
    assert dataset.source.images.dtype == tf.uint8 and dataset.source.num_samples == 7
    assert resized.element_spec[0].shape == (16, 20, 3)
    assert unlabelled.element_spec == tf.TensorSpec((7, 8, 8, 3), tf.float32)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tfds_from_local_archives(tfds, tmp_path):
    if not (ARCHIVES / "mnist").is_dir():
        pytest.skip(f"the published archives are not at {ARCHIVES}; set GANZOO_DATA")
    options = {"data_dir": tmp_path, "manual_dir": ARCHIVES / "mnist"}
    dataset = load("mnist", split="train[:10%]", batch_size=100, **options)
    assert len(dataset) == 60
    assert dataset.class_names == [str(digit) for digit in range(10)]
    test = load("mnist", split="test", **options).source

    def pairs(source):  # sorted: tensorflow-datasets stores them in an order of its own
        return sorted(zip(map(bytes, source.images.numpy()), source.labels.numpy().tolist()))

    assert pairs(test) == pairs(load("mnist_10k").source)
    with pytest.raises(ValueError, match="Unknown split 'validation'"):
        load("mnist", split="validation", **options)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tfds_archives_of_equal_names(tfds, tmp_path, monkeypatch):
    """MNIST's archives have the names of Fashion-MNIST's: each has its own folder to be extracted in."""
    seen = []

    def prepare(builder, download_config):
        seen.append(download_config.extract_dir)
        raise InterruptedError

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", prepare)
    for name in ("mnist", "fashion_mnist"):
        with pytest.raises(InterruptedError):
            load(name, data_dir=tmp_path, manual_dir=tmp_path)
    assert len(set(seen)) == 2 and all(path.startswith(str(tmp_path)) for path in seen)


def test_a_download_without_a_network_fails_at_once(tfds, tmp_path, monkeypatch):
    """By itself it would try for minutes."""
    monkeypatch.setattr("ganzoo.data.tensorflow_datasets.reachable", lambda hosts: False)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    start = time.monotonic()
    with pytest.raises(OSError, match=r"would be downloaded from ufldl.stanford.edu, .*manual_dir=.*data_dir="):
        load("svhn_cropped", data_dir=tmp_path)
    assert time.monotonic() - start < 20


def test_reachable():
    from ganzoo.data.tensorflow_datasets import reachable

    start = time.monotonic()
    assert not reachable({"nowhere.invalid"}, seconds=2.0)
    assert time.monotonic() - start < 5
