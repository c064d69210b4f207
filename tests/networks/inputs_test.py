"""Labels and packed samples, in every family of networks."""

import keras
import numpy as np
import pytest

from ganzoo import networks
from ganzoo.layers import OneHot, SpectralConv2D, SpectralDense
from ganzoo.networks import (
    autoencoder,
    dcgan,
    inputs,
    maxout,
    mlp,
    r3gan,
    resnet,
    stylegan2,
    translator,
    unet,
    vqvae,
)

FAMILIES = {
    networks.mlp: {"hidden": (6,)},
    networks.dcgan: {"filters": 2},
    networks.resnet: {"filters": 2},
    networks.maxout: {"units": ((4, 2), (3, 2), (4, 3))},
}
JOINING = {family: FAMILIES[family] for family in (networks.mlp, networks.dcgan, networks.resnet)}
SHAPE = (8, 9, 2)


def name_of(value):
    return value.__name__.rsplit(".", 1)[-1] if hasattr(value, "__name__") else str(value)


def images(count, channels=2, seed=0):
    return np.random.default_rng(seed).normal(size=(count, *SHAPE[:2], channels)).astype("float32")


def scores_of_all_labels(discriminator, classes=3):
    """The score of one image with each label."""
    return np.array(discriminator([np.repeat(images(1), classes, axis=0), np.arange(classes)])).ravel()


@pytest.mark.parametrize("label", ["embedding", "one_hot"])
@pytest.mark.parametrize("conditioning", ["concatenate", "projection"])
@pytest.mark.parametrize("family", JOINING, ids=name_of)
def test_another_label_changes_the_score(family, label, conditioning):
    discriminator = family.discriminator(
        SHAPE, num_classes=3, label=label, conditioning=conditioning, **FAMILIES[family]
    )
    assert [tensor.name for tensor in discriminator.inputs] == ["image", "label"]
    assert len(set(scores_of_all_labels(discriminator))) == 3
    kinds = {type(layer) for layer in discriminator.layers}
    embeds = label == "embedding" and conditioning == "concatenate"
    assert (keras.layers.Embedding in kinds) == embeds
    assert (OneHot in kinds) != embeds
    again = keras.Model.from_config(discriminator.get_config())
    assert [w.shape for w in again.weights] == [w.shape for w in discriminator.weights]


@pytest.mark.parametrize("label", ["embedding", "one_hot"])
@pytest.mark.parametrize("family", [networks.mlp, networks.dcgan], ids=name_of)
def test_another_label_changes_the_sample(family, label):
    generator = family.generator(SHAPE, 5, num_classes=3, label=label)
    samples = np.array(generator([np.ones((3, 5), "float32"), np.arange(3)]))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(samples[one] - samples[other]).max() > 1e-4


@pytest.mark.parametrize("family", JOINING, ids=name_of)
@pytest.mark.parametrize("normalization", [None, "spectral"])
def test_projection_is_an_inner_product_with_the_features(family, normalization):
    discriminator = family.discriminator(
        SHAPE, num_classes=3, conditioning="projection", normalization=normalization, **FAMILIES[family]
    )
    plain = keras.Model(
        discriminator.inputs[0],
        [discriminator.get_layer("score").output, discriminator.get_layer("score").input],
    )
    samples, labels = images(4), np.array([2, 0, 1, 1])
    unconditional, features = (np.array(value) for value in plain(samples))
    layer = discriminator.get_layer("projection")
    assert isinstance(layer, SpectralDense) == (normalization == "spectral")
    rows = layer.kernel.numpy() / (1.0 if normalization is None else float(layer.spectral_norm()))
    wanted = unconditional[:, 0] + np.sum(rows[labels] * features.reshape(4, -1), axis=1)
    np.testing.assert_allclose(np.array(discriminator([samples, labels]))[:, 0], wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("family", [networks.mlp, networks.dcgan, networks.resnet], ids=name_of)
def test_spectral_normalization_is_on_every_kernel(family):
    discriminator = family.discriminator(SHAPE, normalization="spectral", **FAMILIES[family])
    linear = [layer for layer in discriminator.layers if hasattr(layer, "kernel")]
    assert len(linear) >= 2
    assert all(isinstance(layer, (SpectralDense, SpectralConv2D)) for layer in linear)
    assert all(layer.bias is not None for layer in linear)
    before = discriminator.get_weights()
    discriminator(images(2), training=True)
    for weight, old in zip(discriminator.weights, before, strict=True):
        assert np.array_equal(weight.numpy(), old) == weight.trainable, weight.path


@pytest.mark.parametrize("family", FAMILIES, ids=name_of)
def test_packs(family):
    """Three samples in the channels; their labels side by side."""
    alone = family.discriminator(SHAPE, packing=3, **FAMILIES[family])
    assert alone.input_shape == (None, 8, 9, 6)
    assert alone(images(2, 6)).shape == (2, 1)
    for conditioning in ("concatenate", "projection") if family is not networks.maxout else (None,):
        for label in ("embedding", "one_hot") if conditioning else (None,):
            chosen = {"conditioning": conditioning, "label": label} if conditioning else {}
            settings = {**FAMILIES[family], **chosen}
            discriminator = family.discriminator(SHAPE, num_classes=3, packing=3, **settings)
            assert [tuple(tensor.shape) for tensor in discriminator.inputs] == [(None, 8, 9, 6), (None, 3)]
            labels = np.array([[0, 1, 2], [0, 1, 1], [0, 2, 2], [1, 1, 2]])
            scores = np.array(discriminator([np.repeat(images(1, 6), 4, axis=0), labels])).ravel()
            assert len(set(scores)) == 4, (conditioning, label)  # Each of the labels counts.


def test_packs_of_points():
    assert networks.mlp.discriminator((2,), (4,), packing=2).input_shape == (None, 4)
    assert networks.maxout.discriminator((2,), packing=2).input_shape == (None, 4)


def test_label_planes_hold_the_label():
    """One-hot: the plane of the label is one everywhere. Embedding: the plane is the label's row."""
    image, label = keras.Input((2, 3, 1)), keras.Input((), dtype="int64")
    joined = keras.Model([image, label], inputs.join_label_planes(image, label, 3, "one_hot"))
    planes = np.array(joined([np.zeros((2, 2, 3, 1)), np.array([0, 2])]))
    assert planes.shape == (2, 2, 3, 4)
    for sample, which in enumerate((0, 2)):
        np.testing.assert_array_equal(planes[sample, ..., 1:], np.broadcast_to(np.eye(3)[which], (2, 3, 3)))
    joined = keras.Model([image, label], inputs.join_label_planes(image, label, 3, "embedding"))
    table = joined.get_layer("label_embedding").embeddings.numpy()
    planes = np.array(joined([np.zeros((2, 2, 3, 1)), np.array([0, 2])]))
    np.testing.assert_array_equal(planes[..., 1], table[[0, 2]].reshape(2, 2, 3))


def test_packed_label_planes_are_in_the_order_of_the_pack():
    image, labels = keras.Input((2, 3, 2)), keras.Input((2,), dtype="int64")
    joined = keras.Model([image, labels], inputs.join_label_planes(image, labels, 3, "embedding"))
    table = joined.get_layer("label_embedding").embeddings.numpy()
    planes = np.array(joined([np.zeros((1, 2, 3, 2)), np.array([[2, 0]])]))
    np.testing.assert_array_equal(planes[0, ..., 2], table[2].reshape(2, 3))
    np.testing.assert_array_equal(planes[0, ..., 3], table[0].reshape(2, 3))


@pytest.mark.parametrize("family", [networks.mlp, networks.dcgan], ids=name_of)
def test_embeddings_start_at_the_scale_of_what_they_join(family):
    for network in (
        family.generator((28, 28, 1), 100, num_classes=50, label="embedding"),
        family.discriminator((28, 28, 1), num_classes=50, label="embedding"),
    ):
        table = network.get_layer("label_embedding").embeddings.numpy()
        np.testing.assert_allclose([table.mean(), table.std()], [0, 1], atol=0.06)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`label` must be one of 'one_hot', 'embedding'. Received: label='onehot'"):
        networks.mlp.generator((2,), num_classes=3, label="onehot")
    with pytest.raises(ValueError, match="`conditioning` must be one of 'concatenate', 'projection'"):
        networks.dcgan.discriminator(SHAPE, num_classes=3, conditioning="projected")
    for packing in (0, 1.5, True):
        with pytest.raises(ValueError, match="`packing` must be an integer of at least 1"):
            networks.mlp.discriminator((2,), packing=packing)
    with pytest.raises(ValueError, match="`num_classes` must be an integer of at least 1"):
        networks.maxout.discriminator((2,), num_classes=0)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: mlp.generator((2,), hidden=(0,)), "`hidden` must be a sequence of integers of at least 1"),
        (lambda: mlp.discriminator((2,), hidden=(8, 1.5)), "`hidden` must be a sequence of integers of at least 1"),
        (lambda: mlp.generator((2,), hidden=8), "`hidden` must be a sequence of integers of at least 1"),
        (lambda: autoencoder.encoder((2,), hidden=(0,)), "`hidden` must be a sequence of integers of at least 1"),
        (lambda: autoencoder.decoder((2,), hidden="88"), "`hidden` must be a sequence of integers of at least 1"),
        (lambda: maxout.generator((2,), hidden=(4, 4)), "`hidden` must be 3 integers of at least 1"),
        (lambda: maxout.discriminator((2,), units=((4, 0), (4, 2), (4, 2))), "`units` must be three pairs of integers"),
        (lambda: maxout.discriminator((2,), units=4), "`units` must be three pairs of integers"),
        (lambda: mlp.generator((True, True, True)), "`image_shape` must be .* of positive integers"),
        (lambda: dcgan.generator((True, True, True)), "`image_shape` must be .* of positive integers"),
        (lambda: dcgan.generator((28.0, 28, 1)), "`image_shape` must be .* of positive integers"),
        (lambda: dcgan.generator((28, 28, 1), batch_normalization="no"), "`batch_normalization` must be True or False"),
        (lambda: dcgan.discriminator((28, 28, 1), normalization="group"), "`normalization` must be one of 'batch'"),
        (lambda: resnet.discriminator((28, 28, 1), same_blocks=-1), "`same_blocks` must be an integer from 0 to 1,000"),
        (lambda: unet.generator((16, 16, 1), dropout=float("nan")), "`dropout` must be a finite number of at least 0"),
        (lambda: unet.generator((16, 16, 1), skips="no"), "`skips` must be True or False"),
    ],
)
def test_values_that_no_network_has(build, words):
    with pytest.raises(ValueError, match=words):
        build()


def test_numpy_integers_build_the_same_network():
    sizes = {"latent_dim": np.int64(4), "filters": np.int32(2)}
    network = dcgan.generator(np.array([16, 16, 1]), **sizes)
    assert network.get_config() is not None and network.output_shape == (None, 16, 16, 1)
    assert type(network.get_layer("up_0").filters) is int


@pytest.mark.parametrize("three", [np.int64(3), np.array(3)])
def test_numbers_of_numpy_are_numbers(three):
    """Keras' embedding takes Python's integers only."""
    network = autoencoder.generator((8, 8, 1), filters=4, num_classes=three)
    assert network([np.zeros((2, 64), "float32"), np.array([0, 2])]).shape == (2, 8, 8, 1)


@pytest.mark.parametrize("heads", [np.zeros(0), np.zeros((2, 2)), ["a"], {1: 2}])
def test_heads_of_another_kind_are_refused(heads):
    with pytest.raises(ValueError, match="`heads` must be a dictionary, name -> number of outputs"):
        dcgan.discriminator((8, 8, 1), filters=4, heads=heads)


@pytest.mark.parametrize(
    "build, argument",
    [
        (stylegan2.generator, "mapping_layers"),
        (stylegan2.discriminator, "label_layers"),
        (resnet.discriminator, "same_blocks"),
        (r3gan.generator, "blocks"),
        (vqvae.encoder, "blocks"),
        (vqvae.prior, "halvings"),
        (translator.generator, "blocks"),
    ],
    ids=name_of,
)
def test_a_network_has_at_most_a_thousand_layers_of_a_kind(build, argument):
    """Keras would build for hours. The error comes first."""
    more = {"num_classes": 3} if argument == "label_layers" else {}
    with pytest.raises(
        ValueError, match=f"`{argument}` must be an integer from [01] to 1,000(, or None)?. Received: {argument}=1001"
    ):
        build((8, 8, 1), **{argument: 1001}, **more)
