"""InceptionV3 against torch-fidelity's network, with the same random weights: no file of the true ones is needed.

What torch-fidelity's network gives is stored in `oracles/inception.npz`; `make oracles` computes it anew.
"""

import collections
import functools
import hashlib
import pickle
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.metrics import Score
from ganzoo.metrics.features import InceptionV3, checkpoints, inception
from ganzoo.metrics.features.resize import resize_images
from ganzoo.metrics.frechet import gaussian_distance, moments
from tests.metrics.oracles import inputs
from tests.metrics.oracles.inputs import patches

ORACLES = Path(__file__).parent / "oracles"


@pytest.fixture(scope="module")
def oracle():
    with np.load(ORACLES / "inception.npz") as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def weights(oracle):
    """Weights of the network in the names and the layout of PyTorch."""
    return inputs.inception_state(oracle)


@pytest.fixture(scope="module")
def checkpoint(weights, tmp_path_factory):
    """A file as `torch.save` writes it: the one stored, with the numbers put in."""
    path = tmp_path_factory.mktemp("inception") / "checkpoint.pth"
    with zipfile.ZipFile(ORACLES / "inception_without_tensors.pth") as stored, zipfile.ZipFile(path, "w") as archive:
        for name in stored.namelist():
            archive.writestr(name, stored.read(name))
        (folder,) = {name.partition("/")[0] for name in stored.namelist()}
        for index, array in enumerate(weights.values()):
            archive.writestr(f"{folder}/data/{index}", array.tobytes())
    return path


@pytest.fixture(scope="module")
def digest(checkpoint):
    return hashlib.sha256(checkpoint.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def downloaded(checkpoint, digest, tmp_path_factory):
    """InceptionV3 as it is by default, where this checkpoint is the published one."""
    with pytest.MonkeyPatch.context() as patch:
        cached_in(patch, tmp_path_factory.mktemp("keras"))
        patch.setattr(inception, "URL", checkpoint.as_uri())
        patch.setattr(inception, "SHA256", digest)
        return InceptionV3()


@pytest.fixture(scope="module")
def other(checkpoint):
    """InceptionV3 with the weights of a file that is not the published one."""
    return InceptionV3(checkpoint)


def cached_in(patch, folder):
    patch.setattr(keras.utils, "get_file", functools.partial(keras.utils.get_file, cache_dir=folder))


@pytest.mark.parametrize("index", range(len(inputs.SHAPES)), ids=lambda index: str(inputs.SHAPES[index]))
def test_features_logits_and_fid_are_those_of_torch_fidelity(oracle, downloaded, index):
    features = [downloaded(patches(seed, inputs.SHAPES[index], 3)) for seed in (2, 3)]
    both = np.concatenate(features)
    assert both.shape == (6, 2048)
    found = [both, downloaded.logits_of(both), downloaded.logits_of(both, bias=True)]
    for name, ours in zip(inputs.OUTPUTS, found):
        for kind, values in (("every eighth", ours[:, ::8]), ("sums", inputs.sums(ours))):
            theirs = oracle[f"{name} of {index}: {kind}"]
            scale = np.sqrt(np.mean(theirs**2))
            np.testing.assert_allclose(values, theirs, rtol=0, atol=1e-4 * scale, err_msg=f"{name}: {kind}")
    assert found[1].shape == (6, 1008)

    real, fake = inputs.in_their_span(*features)
    expected = oracle["frechet_distances"][index]
    assert gaussian_distance(*moments(real), *moments(fake)) == pytest.approx(expected, rel=1e-4)


def test_logits_of_images_are_those_of_their_features(downloaded):
    image = patches(3, (28, 28, 1), 1)
    np.testing.assert_allclose(downloaded.logits(image), downloaded.logits_of(downloaded(image)), rtol=1e-5, atol=1e-4)


def test_scores_have_their_names_only_with_the_published_weights(downloaded, other, digest):
    scores = [Score(name, 1.0) for name in ("frechet_distance", "kernel_distance", "inception_score", "precision")]
    assert [downloaded.named(score).name for score in scores] == ["FID", "KID", "IS", "precision"]
    assert downloaded.named(scores[0]).features == "InceptionV3"
    assert downloaded.named(scores[0]).resize == "tf1_bilinear"
    assert other.named(scores[0]).name == "frechet_distance"
    assert other.named(scores[0]).features == f"InceptionV3 (sha256 {digest[:8]})"


def test_clean_fid_resizes_with_antialiasing(downloaded, checkpoint, digest, monkeypatch):
    monkeypatch.setattr(inception, "SHA256", digest)
    clean = InceptionV3(checkpoint, resize="bicubic")
    assert clean.named(Score("frechet_distance", 1.0)).name == "clean-FID"
    large = patches(3, (320, 400, 3), 2)
    small = resize_images(large, (299, 299))
    np.testing.assert_allclose(clean(large), clean._features(small).numpy(), rtol=1e-6)
    # What has the network's size already is the same for both rules.
    exact = patches(3, (299, 299, 3), 2)
    np.testing.assert_allclose(clean(exact), downloaded(exact), rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="one of 'tf1_bilinear', 'bicubic'. Received: resize='lanczos'"):
        InceptionV3(checkpoint, resize="lanczos")


def test_images_are_taken_one_by_one(downloaded, monkeypatch):
    """Neither the size of a batch nor the global precision changes the features; a float image is its uint8 one."""
    images = patches(4, (30, 20, 1), 3)
    whole = downloaded(images)
    monkeypatch.setattr(downloaded, "batch_size", 2)
    np.testing.assert_allclose(downloaded(images), whole, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(downloaded(images.astype("float32") / 127.5 - 1), whole, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="InceptionV3 takes images of any x any x 3. Received: 30 x 20 x 4. Only grey"):
        downloaded(np.zeros((2, 30, 20, 4), "uint8"))


@pytest.mark.parametrize("name", ["small.pth", "small_before_1_6.pth"])
def test_reads_both_formats_of_pytorch(name):
    """Files that PyTorch wrote: each type, views with strides and an offset, a parameter, an empty tensor."""
    expected = inputs.small_state()
    found = checkpoints.read(ORACLES / name)
    assert found.keys() == expected.keys()
    for key, array in found.items():
        assert array.dtype == expected[key].dtype, key
        np.testing.assert_array_equal(array, expected[key], err_msg=key)


def test_the_graph_holds_the_same_weights_as_the_checkpoint(weights, checkpoint, tmp_path):
    tensors = checkpoints.read(checkpoint)
    assert tensors.keys() == weights.keys()
    for name, array in tensors.items():
        np.testing.assert_array_equal(array, weights[name], err_msg=name)
    network = inception.network()
    inception.set_weights(network, tensors)
    graph = tf.compat.v1.GraphDef()
    for layer in network.layers:
        for key, weight in zip(inception.graph_keys(layer.name) if layer.weights else [], layer.weights):
            node = graph.node.add(name=key, op="Const")
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(weight.numpy()))
    graph.node.add(name="pool_3", op="AvgPool")
    (tmp_path / "graph.pb").write_bytes(graph.SerializeToString())
    assert len(graph.node) == 1 + 94 * 5 + 2 == len({node.name for node in graph.node})
    other = inception.network()
    inception.set_weights(other, checkpoints.read(tmp_path / "graph.pb"))
    for ours, theirs in zip(other.get_weights(), network.get_weights()):
        np.testing.assert_array_equal(ours, theirs)
    assert other.count_params() == 23_885_392


@pytest.mark.parametrize(
    "name, scope",
    [
        ("Conv2d_1a_3x3", "conv"),
        ("Conv2d_4a_3x3", "conv_4"),
        ("Mixed_5b.branch1x1", "mixed/conv"),
        ("Mixed_5b.branch5x5_2", "mixed/tower/conv_1"),
        ("Mixed_5c.branch3x3dbl_3", "mixed_1/tower_1/conv_2"),
        ("Mixed_5d.branch_pool", "mixed_2/tower_2/conv"),
        ("Mixed_6a.branch3x3", "mixed_3/conv"),
        ("Mixed_6a.branch3x3dbl_1", "mixed_3/tower/conv"),
        ("Mixed_6b.branch7x7_3", "mixed_4/tower/conv_2"),
        ("Mixed_6e.branch7x7dbl_5", "mixed_7/tower_1/conv_4"),
        ("Mixed_7a.branch3x3_2", "mixed_8/tower/conv_1"),
        ("Mixed_7a.branch7x7x3_4", "mixed_8/tower_1/conv_3"),
        ("Mixed_7b.branch3x3_1", "mixed_9/tower/conv"),
        ("Mixed_7b.branch3x3_2b", "mixed_9/tower/mixed/conv_1"),
        ("Mixed_7c.branch3x3dbl_2", "mixed_10/tower_1/conv_1"),
        ("Mixed_7c.branch3x3dbl_3a", "mixed_10/tower_1/mixed/conv"),
        ("Mixed_7c.branch_pool", "mixed_10/tower_2/conv"),
    ],
)
def test_names_in_the_graph(name, scope):
    assert inception.graph_scope(name) == scope


def test_other_weights_are_refused(weights):
    network = inception.network()
    with pytest.raises(ValueError, match="1,000 logits"):  # torchvision's.
        inception.set_weights(network, {**weights, "fc.weight": np.zeros((1000, 2048))})
    without = {name: array for name, array in weights.items() if name != "Mixed_7c.branch_pool.bn.bias"}
    with pytest.raises(ValueError, match=r"no 'Mixed_7c.branch_pool.bn.bias': these are not the weights"):
        inception.set_weights(network, without)


def test_downloads_once(tmp_path, monkeypatch):
    (tmp_path / "weights.pth").write_bytes(b"the weights")
    (tmp_path / "keras").mkdir()
    cached_in(monkeypatch, tmp_path / "keras")
    monkeypatch.setattr(inception, "URL", (tmp_path / "weights.pth").as_uri())
    with pytest.raises(OSError, match=r"could not be downloaded .*pass InceptionV3\(weights='path/to/weights.pth'\)"):
        inception.download()  # Not what the checksum promises.
    monkeypatch.setattr(inception, "SHA256", hashlib.sha256(b"the weights").hexdigest())
    path = inception.download()
    assert path == str(tmp_path / "keras/ganzoo/weights.pth")
    (tmp_path / "weights.pth").unlink()
    assert inception.download() == path
    with pytest.raises(OSError, match="could not be downloaded"):
        (tmp_path / "keras/ganzoo/weights.pth").unlink()
        inception.download()


def test_where_the_weights_come_from():
    """The digits in the name of the file are the first of its checksum."""
    assert inception.URL.endswith(f"/weights-inception-2015-12-05-{inception.SHA256[:8]}.pth")
    assert len(inception.SHA256) == 64


class Command:
    def __reduce__(self):
        return print, ("a pickle that runs code",)


def test_pickles_run_nothing(tmp_path, capsys):
    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"weight": Command()}, protocol=2))
    with pytest.raises(ValueError, match="asks for __builtin__.print to be run"):
        checkpoints.read(tmp_path / "evil.pth")
    assert capsys.readouterr().out == ""
    (tmp_path / "other.pth").write_bytes(pickle.dumps(collections.OrderedDict(), protocol=2))
    with pytest.raises(ValueError, match="a pickle, but none that torch.save wrote"):
        checkpoints.read(tmp_path / "other.pth")
    (tmp_path / "text.pb").write_text("not a graph")
    with pytest.raises(ValueError, match="neither a PyTorch state dict nor a TensorFlow graph"):
        checkpoints.read(tmp_path / "text.pb")
    np.savez(tmp_path / "arrays.npz", weight=np.zeros(3))
    with pytest.raises(ValueError, match="a zip file, but none that torch.save wrote"):
        checkpoints.read(tmp_path / "arrays.npz")


@pytest.mark.parametrize("offset, shape, strides", [(0, (3, 4), (4, 1)), (1, (2, 5), (5, 1)), (0, (2, 2), (-1, 1))])
def test_tensors_stay_inside_of_their_storage(offset, shape, strides):
    tensor = checkpoints._Tensor(checkpoints._Storage("<f4", "0"), offset, shape, strides)
    with pytest.raises(ValueError, match="outside of its storage"):
        tensor.array({"0": np.arange(10, dtype="<f4").tobytes()})


def test_tensors_are_views_of_their_storage():
    tensor = checkpoints._Tensor(checkpoints._Storage("<f4", "0"), 1, (2, 3), (1, 2))
    expected = [[1, 3, 5], [2, 4, 6]]
    np.testing.assert_array_equal(tensor.array({"0": np.arange(10, dtype="<f4").tobytes()}), expected)
