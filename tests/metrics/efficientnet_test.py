"""EfficientNet-Lite0 against the original in PyTorch: `oracles/efficientnet.py` has stored what that makes."""

from pathlib import Path

import numpy as np
import pytest

import ganzoo
from ganzoo.metrics.features import EfficientNetLite0, efficientnet

ORACLES = Path(__file__).parent / "oracles"
MILITARY_UNIFORM = 652


@pytest.fixture(scope="module")
def oracle():
    with np.load(ORACLES / "efficientnet.npz") as stored:
        return dict(stored)


def relative(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def test_the_weights_are_those_of_the_recipe():
    assert efficientnet.digest() == efficientnet.SHA256
    with np.load(efficientnet.WEIGHTS, allow_pickle=False) as file:
        assert sum(file[name].size for name in file) == 4_631_000
        assert {file[name].dtype for name in file} == {np.dtype("float16")}


def test_a_photograph_as_the_original_sees_it(oracle):
    """Rounding the weights to float16 moves the features by less than a percent."""
    network = EfficientNetLite0(side=224)
    features = network(oracle["photograph"][None])
    assert features.shape == (1, 1280) and features.dtype == np.float32
    assert 0 < relative(features, oracle["features_of_photograph"]) < 0.01
    logits = network.logits_of(features)
    assert 0 < relative(logits, oracle["logits_of_photograph"]) < 0.01
    assert logits.argmax() == oracle["logits_of_photograph"].argmax() == MILITARY_UNIFORM


def test_another_side(oracle):
    noise = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), "uint8")
    network = EfficientNetLite0()
    assert relative(network(noise), oracle["features_of_noise"]) < 0.02
    assert relative(network.logits(noise), oracle["logits_of_noise"]) < 0.02


def test_grey_images_and_other_sizes():
    network = EfficientNetLite0(side=32)
    grey = np.random.default_rng(1).integers(0, 256, (3, 20, 24, 1), "uint8")
    np.testing.assert_allclose(network(grey), network(grey.repeat(3, axis=-1)), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="`side` must be an integer of at least 32"):
        EfficientNetLite0(side=16)


def test_flat_noise_is_not_perfect():
    """Grey noise around the mean of the images: near in pixels, far in features."""
    random = np.random.default_rng(2)
    edges = ganzoo.data.load("fashion_edges_10k", split="train[:600]", shuffle=False).source.targets.numpy()
    real = edges.repeat(3, axis=-1)
    noise = np.clip(real.mean(axis=0) + random.normal(0, 8, (300, *real.shape[1:])), 0, 255).astype("uint8")
    metrics = ganzoo.metrics.default_metrics(real)
    assert {metric.features.name for metric in metrics} == {"EfficientNetLite0 at 112"}
    network = EfficientNetLite0(side=64)
    features = [network(images) for images in (real[:300], real[300:], noise)]
    assert ganzoo.metrics.precision(features[0], features[2]).value < 0.05
    assert ganzoo.metrics.precision(features[0], features[1]).value > 0.5
    assert ganzoo.metrics.density(features[0], features[2]).value < 0.05
