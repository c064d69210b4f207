"""Directions: what was planted is found."""

import keras
import numpy as np
import pytest

from ganzoo import latent
from tests.latent.networks import dense, linear_images, model_of, styled

DIMENSIONS = 10
RANDOM = np.random.default_rng(0)
PLANTED = latent.directions.units(RANDOM.normal(size=(1, DIMENSIONS)))[0]


def planted_matrix(outputs=64, strength=4.0):
    """A matrix whose outputs change most along the planted direction."""
    noise = np.random.default_rng(1).normal(size=(DIMENSIONS, outputs))
    return 0.03 * (noise + strength * np.outer(PLANTED, np.random.default_rng(2).normal(size=outputs)))


def cosine(first, second):
    return abs(first @ second) / np.linalg.norm(first) / np.linalg.norm(second)


def planted(matrix, between=()):
    latents = x = keras.Input((DIMENSIONS,), name="latents")
    for layer in (dense(matrix, name="first"), *between, keras.layers.Reshape((8, 8, 1))):
        x = layer(x)
    return model_of(latents, x)


def planted_convolution(matrix):
    """The same matrix as a transposed convolution of a 1 x 1 image."""
    latents = keras.Input((DIMENSIONS,), name="latents")
    layer = keras.layers.Conv2DTranspose(4, 4, use_bias=True, activation="relu")
    x = layer(keras.layers.Reshape((1, 1, DIMENSIONS))(latents))
    model = model_of(latents, x)
    layer.set_weights([matrix.T.reshape(4, 4, 4, DIMENSIONS), np.ones(4)])
    return model


def test_sefa_is_the_eigenvectors_of_the_weight():
    matrix = planted_matrix()
    found = latent.sefa(planted(matrix), count=DIMENSIONS, normalize=False)
    values = np.linalg.svd(matrix, compute_uv=False)
    np.testing.assert_allclose(found.strengths, values**2, rtol=1e-5)
    np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(DIMENSIONS), atol=1e-9)
    gains = np.linalg.norm(found.vectors @ matrix, axis=1)
    np.testing.assert_allclose(gains, values, rtol=1e-4)
    assert (found.vectors[np.arange(DIMENSIONS), np.abs(found.vectors).argmax(axis=1)] > 0).all()


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("make", [planted, planted_convolution])
def test_sefa_finds_a_planted_direction(make, normalize):
    # So that the planted direction is the strongest with a cosine above .99, the noise is small.
    found = latent.sefa(make(planted_matrix(strength=20.0)), normalize=normalize)
    assert cosine(found.vectors[0], PLANTED) > 0.99


def test_normalized_rows_count_alike():
    """By hand: rows (3, 0) and (0, 1), (0, 1): the second axis is the stronger one only if they are normalized."""
    latents = keras.Input((2,), name="latents")
    x = dense(np.array([[3.0, 0, 0], [0, 1.0, 1.0]]))(latents)
    model = model_of(latents, x)
    assert latent.sefa(model, 1, normalize=True).vectors[0] @ [0, 1] == pytest.approx(1)
    assert latent.sefa(model, 1, normalize=False).vectors[0] @ [1, 0] == pytest.approx(1)
    assert latent.sefa(model, normalize=True).strengths.tolist() == pytest.approx([2, 1])


def test_sefa_of_a_conditional_generator_leaves_the_label_out():
    latents, label = keras.Input((2,), name="latents"), keras.Input((), dtype="int64", name="label")
    coded = keras.layers.Flatten()(keras.layers.Embedding(3, 3)(label))
    layer = dense(np.array([[1.0, 0], [0, 2.0], [9, 9], [9, 9], [9, 9]]))
    model = model_of([latents, label], layer(keras.layers.Concatenate()([latents, coded])), num_classes=3)
    found = latent.sefa(model, normalize=False)
    np.testing.assert_allclose(found.strengths, [4, 1], rtol=1e-5)
    np.testing.assert_allclose(found.vectors, [[0, 1], [1, 0]], atol=1e-6)


def test_sefa_in_w_reads_all_styles():
    model = styled()
    generator = model.generator
    found = latent.sefa(model, count=8, normalize=False)
    assert found.space == "w" and found.vectors.shape == (8, 8)
    layers = [layer for layer in generator.get_layer("synthesis").layers if isinstance(layer, keras.layers.Dense)]
    first, *styles = [layer.get_weights()[0].astype("float64") for layer in layers]
    rows = [first.reshape(3, 8, -1).sum(axis=0).T, *(kernel.T for kernel in styles)]
    matrix = np.concatenate(rows)
    np.testing.assert_allclose(found.strengths, np.linalg.eigvalsh(matrix.T @ matrix)[::-1], rtol=1e-4)
    sheet = latent.traverse(model, latent.draw(model, 1), found.vectors[0])
    assert all(layer.output is not None for layer in generator.layers)  # Keras refuses layers with further nodes.
    assert sheet.space == "w" and sheet.images.shape == (1, 7, 8, 8, 1)


def test_what_is_not_linear_is_refused():
    latents = keras.Input((4,), name="latents")
    x = keras.layers.Dense(4)(keras.layers.ReLU()(latents))
    with pytest.raises(ValueError, match="'dense.*is not linear"):
        latent.sefa(model_of(latents, x))
    grid = keras.Input((2, 2, 3), name="latents")
    with pytest.raises(ValueError, match=r"vectors. Received: latents of shape \(2, 2, 3\)"):
        latent.sefa(model_of(grid, keras.layers.Conv2D(1, 1)(grid)))


@pytest.mark.parametrize("layer", [None, "first"])
def test_pca_finds_a_planted_direction(layer):
    model = planted(planted_matrix(strength=20.0))
    found = latent.pca(model, count=3, layer=layer, num_samples=1000)
    assert cosine(found.vectors[0], PLANTED) > 0.99
    assert 0.9 < found.strengths[0] < 1 and found.strengths.sum() <= 1 + 1e-9
    few = latent.pca(model, count=3, layer=layer, num_samples=60)  # Fewer samples than activations.
    assert cosine(few.vectors[0], PLANTED) > 0.95


def test_pca_refuses_what_it_cannot():
    model = linear_images()
    with pytest.raises(ValueError, match="`layer` must be one of.*'latents', 'dense.*Received: layer='up'"):
        latent.pca(model, layer="up", num_samples=10)
    with pytest.raises(ValueError, match="8 or more, for 6 latents. Received: num_samples=7"):
        latent.pca(model, num_samples=7)


def test_supervised_finds_what_an_attribute_is():
    model = planted(planted_matrix())
    inverse = np.linalg.pinv(planted_matrix())

    def attribute(images):
        latents = images.reshape(len(images), -1) @ inverse
        along = latents @ PLANTED
        return np.stack([3 * along + 1, -along, np.random.default_rng(3).normal(size=len(images))], axis=1)

    found = latent.supervised(model, attribute, num_samples=2000, names=["more", "less", "noise"])
    assert found.vectors[0] @ PLANTED > 0.9999 and found.vectors[1] @ PLANTED < -0.9999
    np.testing.assert_allclose(found.strengths[:2], 1, atol=1e-6)
    assert abs(found.strengths[2]) < 0.02 and found.names[2] == "noise"
    with pytest.raises(ValueError, match="finite scores"):
        latent.supervised(model, lambda images: np.full(len(images), np.nan), num_samples=100)
    with pytest.raises(ValueError, match="`attribute` must be a function"):
        latent.supervised(model, 3)


def test_without_by_hand():
    np.testing.assert_allclose(latent.without([3.0, 4.0, 5.0], [[0, 0, 1.0]]), [0.6, 0.8, 0], atol=1e-12)
    np.testing.assert_allclose(latent.without([1.0, 1.0], [0.0, 2.0]), [1, 0], atol=1e-12)
    with pytest.raises(ValueError, match="nothing is left"):
        latent.without([1.0, 1.0], np.eye(2))


# === Mutual information ===


def test_information_by_hand():
    positions = np.arange(1000.0)
    halves = latent.mutual_information(positions, np.repeat([0, 1], 500))
    assert halves.entropy == pytest.approx(np.log(2))
    assert halves.value + halves.chance == pytest.approx(np.log(2))
    assert halves.is_found
    # Ten bins of the two labels in turn: each bin holds both alike, and nothing is known.
    nothing = latent.mutual_information(positions, np.arange(1000) % 2)
    assert nothing.value + nothing.chance == pytest.approx(0, abs=1e-12) and not nothing.is_found
    # The sign is wrong in a fifth of the samples: log 2 - H(.2).
    noisy = np.repeat([0, 1], 500)
    noisy[::5] = 1 - noisy[::5]
    entropy = -(0.2 * np.log(0.2) + 0.8 * np.log(0.8))
    found = latent.mutual_information(positions, noisy)
    assert found.value + found.chance == pytest.approx(np.log(2) - entropy)
    assert found.chance == pytest.approx(9 / 2000, abs=0.002)  # (bins - 1) (labels - 1) / 2n
    assert latent.mutual_information(-positions, noisy).value == pytest.approx(found.value)


def test_information_refuses_what_it_cannot():
    with pytest.raises(ValueError, match=r"one label each.*\(3,\) and labels of shape \(2,\)"):
        latent.mutual_information(np.ones(3), np.ones(2, "int64"))
    with pytest.raises(ValueError, match="`labels` must be integers"):
        latent.mutual_information(np.ones(3), np.ones(3))


def test_equal_positions_tell_nothing():
    """However the labels are sorted."""
    found = latent.mutual_information(np.zeros(1000), np.repeat([0, 1], 500))
    assert not found.is_found and abs(found.value) < 0.02
    assert found.entropy == pytest.approx(np.log(2), abs=1e-12)


# === Reading labels ===


def squares(count=300, side=8):
    """Images with a bright half: left or right (label 0), above or below (label 1); noise for the rest."""
    random = np.random.default_rng(0)
    across, down = random.integers(0, 2, (2, count))
    images = random.uniform(-1, -0.6, (count, side, side, 1)).astype("float32")
    for image, x, y in zip(images, across, down):
        image[y * side // 2 : (y + 1) * side // 2, x * side // 2 : (x + 1) * side // 2] += 1.4
    return images, across, down


def test_a_reader_reads():
    images, across, down = squares()
    model = linear_images()
    names = {"across": ["left", "right"]}
    reader = latent.Reader(model, images, {"across": across, "down": down}, names, epochs=3)
    assert reader.names == ["across left", "across right", "down 0", "down 1"]
    assert reader.accuracy["across"] > 0.9 and reader.accuracy["down"] > 0.9
    scores = reader(images[:50])
    np.testing.assert_allclose(np.exp(scores[:, :2]).sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(np.exp(scores[:, 2:]).sum(axis=1), 1.0, atol=1e-6)
    assert np.mean(scores[:, :2].argmax(axis=1) == across[:50]) > 0.9
    single = latent.Reader(model, (images * 127.5 + 127.5).astype("uint8"), down, ["up", "low"], epochs=1)
    assert single.names == ["up", "low"] and set(single.accuracy) == {"label"}
    assert len(latent.supervised(model, single, 50, names=single.names)) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((19, 8, 8, 1), "uint8")}, "`images` must be 20 or more"),
        ({"images": np.zeros((40, 4, 4, 1), "uint8")}, r"shape \(count, 8, 8, 1\)"),
        ({"labels": np.zeros(40, "int64")}, "label is 0 in all images"),
        ({"labels": np.arange(39)}, "`labels` must be 40 integers from 0 on"),
        ({"labels": np.linspace(0, 1, 40)}, "`labels` must be 40 integers from 0 on"),
        ({"labels": {}}, "`labels` must be integers, or a dictionary"),
        (
            {"labels": {"a": np.arange(40) % 2}, "names": ["one", "two"]},
            "`names` must be a dictionary, as `labels` are",
        ),
        ({"names": ["one"]}, "`names` must name all 2 values of label. Received: 1 names"),
    ],
)
def test_what_a_reader_refuses(change, message):
    settings = {"images": np.zeros((40, 8, 8, 1), "uint8"), "labels": np.arange(40) % 2}
    with pytest.raises(ValueError, match=message):
        latent.Reader(linear_images(), **{**settings, **change})
