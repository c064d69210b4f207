import keras
import numpy as np
import pytest

import ganzoo
from ganzoo.latent import draw, perceptual_path_length

LATENTS, PIXELS = 3, 8


def linear_model(mapping=None):
    """G(z) = A z (or A B z), as images of 2 x 4 pixels; A has orthonormal columns."""
    x = latents = keras.Input((LATENTS,), name="latents")
    if mapping is not None:
        dense = keras.layers.Dense(LATENTS, use_bias=False, name="mapping")
        x = dense(x)
        dense.set_weights([mapping])
    columns = np.linalg.qr(np.random.default_rng(0).normal(size=(PIXELS, LATENTS)))[0]
    dense = keras.layers.Dense(PIXELS, use_bias=False)
    x = keras.layers.Reshape((2, 4, 1))(dense(x))
    dense.set_weights([columns.T])
    return ganzoo.GAN(keras.Model(latents, x), ganzoo.networks.mlp.discriminator((2, 4, 1), hidden=(2,)), seed=0)


def pairs(model, count, seed=0):
    return np.split(draw(model, 2 * count, seed).astype("float64"), 2)


def test_on_great_circles():
    """The path of a linear map has the speed of the path itself: here by a fine difference in float64."""
    model, count = linear_model(), 200
    score = perceptual_path_length(model, num_samples=count, epsilon=1e-3)
    first, second = pairs(model, count)
    norms = [np.linalg.norm(x, axis=1, keepdims=True) for x in (first, second)]
    angle = np.arccos(np.sum(first * second, axis=1, keepdims=True) / norms[0] / norms[1])

    def path(t):
        circle = (np.sin((1 - t) * angle) * first / norms[0] + np.sin(t * angle) * second / norms[1]) / np.sin(angle)
        return circle * ((1 - t) * norms[0] + t * norms[1])

    t = np.random.default_rng(0).uniform(0, 1, (count, 1))
    expected = np.sum((path(t + 1e-3) - path(t)) ** 2, axis=1) / 1e-6
    assert score.value == pytest.approx(expected.mean(), rel=1e-3)
    assert score.details["median"] == pytest.approx(np.median(expected), rel=1e-3)
    error = expected.std() / np.sqrt(count)
    assert np.diff(score.interval)[0] == pytest.approx(2 * 1.96 * error, rel=0.15)
    # Its speed is angle^2 times the squared radius, and the square of the change of the radius. At t = 0:
    at_end = perceptual_path_length(model, num_samples=count, places="end")
    expected = np.mean(angle**2 * norms[0] ** 2 + (norms[1] - norms[0]) ** 2)
    assert at_end.value == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("places", ["full", "end"])
def test_on_straight_lines_behind_a_mapping(places):
    """|A B (z2 - z1)|^2 = |B (z2 - z1)|^2 for each pair, whose expectation is twice the sum of B's squares."""
    mapping = np.random.default_rng(1).normal(size=(LATENTS, LATENTS))
    model, count = linear_model(mapping), 2000
    score = perceptual_path_length(model, num_samples=count, places=places, epsilon=1e-2, batch_size=500)
    first, second = pairs(model, count)
    lengths = np.sum(((second - first) @ mapping) ** 2, axis=1)
    assert score.value == pytest.approx(lengths.mean(), rel=1e-3)
    assert score.value == pytest.approx(2 * np.sum(mapping**2), abs=4 * lengths.std() / np.sqrt(count))
    assert score.settings == {"space": "w", "places": places, "epsilon": 1e-2}
    assert (score.num_fake, score.lower_is_better, score.features) == (count, True, "given")


def test_in_features():
    """Features of twice the pixels: four times the squared length; and no rounding to 8 bits on the way."""
    model = linear_model()
    image = keras.Input((2, 4, 1))
    twice = keras.Model(image, keras.layers.Flatten()(keras.layers.Rescaling(2.0)(image)), name="twice")
    settings = {"num_samples": 50, "space": "z"}
    score, plain = (perceptual_path_length(model, features, **settings) for features in (twice, None))
    assert score.value == pytest.approx(4 * plain.value, rel=1e-3)
    assert score.features == "twice"
    with pytest.raises(ValueError, match="different protocols"):
        score.difference(plain)


def test_the_batch_size_and_the_seed():
    model = linear_model()
    one, other = (perceptual_path_length(model, num_samples=20, batch_size=size).value for size in (7, 20))
    assert one == pytest.approx(other, rel=1e-3)
    assert abs(perceptual_path_length(model, num_samples=20, seed=1).value / one - 1) > 1e-2


def test_of_a_class():
    """G(z, y) ignores y; with labels the length is the same."""
    latents, label = keras.Input((LATENTS,), name="latents"), keras.Input((), dtype="int64", name="label")
    shift = keras.layers.Embedding(2, PIXELS)(label)
    columns = keras.layers.Dense(PIXELS, use_bias=False)
    generator = keras.Model([latents, label], keras.layers.Reshape((2, 4, 1))(columns(latents) + shift))
    columns.set_weights([np.linalg.qr(np.random.default_rng(0).normal(size=(PIXELS, LATENTS)))[0].T])
    discriminator = ganzoo.networks.mlp.discriminator((2, 4, 1), hidden=(2,), num_classes=2)
    model = ganzoo.GAN(generator, discriminator, num_classes=2, seed=0)
    expected = perceptual_path_length(linear_model(), num_samples=30, epsilon=1e-2).value
    for condition in (1, np.arange(30) % 2):
        found = perceptual_path_length(model, num_samples=30, epsilon=1e-2, condition=condition, batch_size=20)
        assert found.value == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"space": "w"}, "needs a generator with a mapping network"),
        ({"places": "middle"}, "`places` must be one of 'full', 'end'"),
        ({"epsilon": 0.0}, "`epsilon` must be"),
        ({"num_samples": 1}, "`num_samples` must be an integer of at least 2"),
        ({"features": ganzoo.metrics.features.Features()}, "have no gradient"),
    ],
)
def test_settings_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        perceptual_path_length(linear_model(), **{"num_samples": 4, **settings})
