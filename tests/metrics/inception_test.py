"""InceptionV3 against torch-fidelity's network, with the same random weights: no file of the true ones is needed."""

import collections
import functools
import hashlib
import pickle
import types
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.metrics import Score
from ganzoo.metrics.features import InceptionV3, checkpoints, inception
from ganzoo.metrics.features.resize import resize_images
from ganzoo.metrics.frechet import gaussian_distance, moments

SHAPES = [(28, 28, 1), (64, 64, 3), (299, 299, 3), (40, 56, 3)]
OUTPUTS = ["2048", "logits_unbiased", "logits"]


@pytest.fixture(scope="module")
def peer(torch_for_fidelity):
    """torch, and torch-fidelity's Inception and FID."""
    from torch_fidelity import feature_extractor_inceptionv3 as network
    from torch_fidelity import metric_fid

    return types.SimpleNamespace(torch=torch_for_fidelity, network=network, metric_fid=metric_fid)


@pytest.fixture(scope="module")
def reference(peer):
    """torch-fidelity's network with random weights, and statistics at which activations neither die nor explode."""
    torch = peer.torch
    extractor = peer.network.FeatureExtractorInceptionV3
    with mock.patch.object(peer.network, "load_state_dict_from_url"), mock.patch.object(extractor, "load_state_dict"):
        network = extractor("random", OUTPUTS)
    random = torch.Generator().manual_seed(0)
    normalizations = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, generator=random)
            # What all of a filter's inputs have in common would only be cancelled, to the last digits, by its mean.
            module.weight.data -= module.weight.data.mean(dim=(1, 2, 3), keepdim=True)
    for module in normalizations:
        module.weight.data.uniform_(0.5, 1.5, generator=random)
        module.bias.data.uniform_(0.5, 1.5, generator=random)
        module.train().momentum = 1.0  # The next pass sets the moving statistics to those of its batch.
    network(channels_first(peer, patches(1, (299, 299, 3), 6)))
    for module in normalizations:
        noise = torch.empty(2, len(module.running_var)).uniform_(-0.2, 0.2, generator=random)
        module.running_mean += noise[0] * module.running_var.sqrt()
        module.running_var *= noise[1].exp()
        module.eval()
    network.fc.weight.data.normal_(0, 0.05, generator=random)
    network.fc.bias.data.normal_(0, 1, generator=random)
    return network


@pytest.fixture(scope="module")
def checkpoint(peer, reference, tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "checkpoint.pth"
    peer.torch.save(reference.state_dict(), path)
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


def cached_in(patch, folder):
    patch.setattr(keras.utils, "get_file", functools.partial(keras.utils.get_file, cache_dir=folder))


def patches(seed, shape, count):
    """Images of noise in squares of 1 to 32 pixels: what differs between them is left in the features."""
    height, width, channels = shape
    rng = np.random.default_rng(seed)
    images = []
    for index in range(count):
        side = 2 ** (index % 6)
        small = rng.integers(0, 256, (-(-height // side), -(-width // side), channels), "uint8")
        images.append(small.repeat(side, axis=0).repeat(side, axis=1)[:height, :width])
    return np.stack(images)


def channels_first(peer, images):
    rgb = np.repeat(images, 3 // images.shape[-1], axis=-1)
    return peer.torch.from_numpy(np.ascontiguousarray(np.moveaxis(rgb, -1, 1)))


def outputs_of(peer, reference, images):
    with peer.torch.no_grad():
        return [output.numpy() for output in reference(channels_first(peer, images))]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_features_logits_and_fid_are_those_of_torch_fidelity(peer, reference, downloaded, shape):
    sets = [patches(seed, shape, 4) for seed in (2, 3)]
    references = [outputs_of(peer, reference, images) for images in sets]
    features = [downloaded(images) for images in sets]
    for ours, theirs in zip(features, references):
        found = [ours, downloaded.logits_of(ours), downloaded.logits_of(ours, bias=True)]
        for name, our_output, their_output in zip(OUTPUTS, found, theirs):
            # Neither dead nor exploded, and images differ: or else the comparison could not fail.
            assert 0.1 < their_output.std() < 30 and np.mean(their_output == 0) < 0.2
            assert their_output.std(axis=0).mean() > 0.05
            scale = np.sqrt(np.mean(their_output**2))
            np.testing.assert_allclose(our_output, their_output, rtol=0, atol=1e-4 * scale, err_msg=name)
        assert found[0].shape == (4, 2048) and found[1].shape == (4, 1008)
    np.testing.assert_array_equal(downloaded.logits(sets[1]), found[1])

    real, fake = in_their_span(*features)
    statistics = map(
        peer.metric_fid.fid_features_to_statistics,
        in_their_span(*(theirs[0] for theirs in references), peer.torch.from_numpy),
    )
    expected = peer.metric_fid.fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert expected > 10
    assert gaussian_distance(*moments(real), *moments(fake)) == pytest.approx(expected, rel=1e-4)


def in_their_span(real, fake, convert=np.asarray):
    """Two sets of features in an orthonormal basis of what they span: as far from each other, in few dimensions."""
    basis, _ = np.linalg.qr(np.concatenate([real, fake]).T.astype("float64"))
    return [convert(features @ basis) for features in (real, fake)]


def test_scores_have_their_names_only_with_the_published_weights(downloaded, checkpoint, digest):
    scores = [Score(name, 1.0) for name in ("frechet_distance", "kernel_distance", "inception_score", "precision")]
    assert [downloaded.named(score).name for score in scores] == ["FID", "KID", "IS", "precision"]
    assert downloaded.named(scores[0]).features == "InceptionV3"
    assert downloaded.named(scores[0]).resize == "tf1_bilinear"
    other = InceptionV3(checkpoint)
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
    with pytest.raises(ValueError, match="one of tf1_bilinear, bicubic. Received: 'lanczos'"):
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


def test_reads_all_formats(peer, reference, checkpoint, tmp_path):
    """The zip format of PyTorch, the one before 1.6, and the TensorFlow graph: the same weights."""
    expected = {name: tensor.numpy() for name, tensor in reference.state_dict().items()}
    peer.torch.save(reference.state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    network = inception.network()
    inception.set_weights(network, expected)
    graph = tf.compat.v1.GraphDef()
    for layer in network.layers:
        for key, weight in zip(inception.graph_keys(layer.name) if layer.weights else [], layer.weights):
            node = graph.node.add(name=key, op="Const")
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(weight.numpy()))
    graph.node.add(name="pool_3", op="AvgPool")
    (tmp_path / "graph.pb").write_bytes(graph.SerializeToString())
    assert len(graph.node) == 1 + 94 * 5 + 2 == len({node.name for node in graph.node})

    for path in (checkpoint, tmp_path / "old.pth"):
        found = checkpoints.read(path)
        assert found.keys() == expected.keys()
        for name, array in found.items():
            np.testing.assert_array_equal(array, expected[name], err_msg=name)
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


def test_other_weights_are_refused():
    network = inception.network()
    tensors = {}
    for layer in network.layers:
        for key, weight in zip(inception.checkpoint_keys(layer.name), layer.weights):
            weight = weight.numpy()
            tensors[key] = np.moveaxis(weight, (-1, -2), (0, 1)) if weight.ndim > 1 else weight
    inception.set_weights(network, tensors)
    with pytest.raises(ValueError, match="1,000 logits"):  # torchvision's.
        inception.set_weights(network, {**tensors, "fc.weight": np.zeros((1000, 2048))})
    del tensors["Mixed_7c.branch_pool.bn.bias"]
    with pytest.raises(ValueError, match=r"no 'Mixed_7c.branch_pool.bn.bias': these are not the weights"):
        inception.set_weights(network, tensors)


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
