"""Own images as latents."""

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo import latent
from ganzoo.latent.projection import ramp
from ganzoo.metrics.features import DigitsClassifier, EfficientNetLite0, ModelFeatures
from tests.latent.networks import WIDTH, identity, linear_images, model_of, styled


def test_samples_of_a_linear_generator_are_found():
    model = linear_images()
    latents = latent.draw(model, 3, seed=7)
    found = latent.project(model, model.generate(latents=latents), steps=200, starts=2, features=None)
    assert found.psnr.shape == (3,) and found.losses.shape == (3, 2)
    assert (found.psnr >= 40).all()
    np.testing.assert_allclose(found.latents, latents, atol=0.05)
    np.testing.assert_allclose(found.images, found.targets, atol=0.01)
    assert found.picture(scale=1).shape == (2 * 10 + 2, 3 * 10 + 2, 1)


def test_any_batch_size_finds_the_same():
    model = linear_images()
    targets = model.generate(4, seed=1)
    settings = {"steps": 20, "starts": 2, "features": None, "candidates": 20}
    whole = latent.project(model, targets, **settings)
    parts = latent.project(model, targets, **settings, batch_size=3)
    np.testing.assert_allclose(parts.latents, whole.latents, atol=1e-4)
    as_bytes = ganzoo.images.to_uint8(targets).numpy()
    np.testing.assert_allclose(latent.project(model, as_bytes, **settings).latents, whole.latents, atol=0.05)


def test_one_step_by_hand():
    """x = z, loss z^2 of the target 0: the first step of Adam has the length of the learning rate."""
    model = identity(1)
    found = latent.project(model, np.zeros((1, 1)), steps=1, starts=1, features=None, learning_rate=1.0, candidates=1)
    start, rate = latent.draw(model, 1)[0], ramp(0.0)
    np.testing.assert_allclose(found.latents[0], start - rate * np.sign(start), atol=1e-5)
    assert found.losses[0, 0] == pytest.approx(found.latents[0, 0] ** 2, rel=1e-4)
    assert np.isnan(found.psnr[0])  # Points have no peak.


def test_the_rate_rises_and_falls():
    assert ramp(0.5) == 1 and ramp(0.05) == 1
    assert ramp(0.025) == pytest.approx(0.5)
    assert ramp(0.875) == pytest.approx(0.5)
    assert ramp(1.0) == pytest.approx(0)


def test_the_starts_are_the_nearest_samples():
    model = identity(2)
    target = latent.draw(model, 50, seed=3)[[20]]
    found = latent.project(model, target, steps=0, starts=1, features=None, candidates=50, seed=3)
    np.testing.assert_array_equal(found.latents, target)


def test_the_prior_pulls():
    """min (z - 1)^2 + w z^2 is at 1 / (1 + w)."""
    model = identity(1)
    settings = {"steps": 150, "features": None, "learning_rate": 0.05, "candidates": 5}
    found = latent.project(model, np.ones((1, 1)), prior_weight=1.0, **settings)
    assert found.latents[0, 0] == pytest.approx(0.5, abs=0.01)


def test_a_conditional_model_uses_each_condition():
    latents, label = keras.Input((1,), name="latents"), keras.Input((), dtype="int64", name="label")
    shift = keras.layers.Embedding(2, 1)
    x = keras.layers.Add()([latents, shift(label)])
    model = model_of([latents, label], x, num_classes=2)
    shift.set_weights([np.array([[-1.0], [1.0]])])
    settings = {"steps": 150, "features": None, "learning_rate": 0.05, "candidates": 10}
    found = latent.project(model, np.zeros((2, 1)), condition=[0, 1], **settings)
    np.testing.assert_allclose(found.latents, [[1], [-1]], atol=0.02)


def test_styles_are_found_in_w():
    model = styled()
    target = model.generate(1, seed=4)
    found = latent.project(model, target, steps=10, starts=2, features=None, candidates=20)
    assert found.space == "w" and found.latents.shape == (1, WIDTH)
    before = latent.project(model, target, steps=0, starts=2, features=None, candidates=20)
    assert found.losses.min() < before.losses.min()
    sheet = latent.traverse(model, latent.draw(model, 1), np.zeros(WIDTH), [0.0])
    np.testing.assert_allclose(sheet.images[0], model.generate(1), atol=1e-6)


def test_a_vae_is_asked_its_encoder():
    vae = ganzoo.VAE.from_paper((8, 8, 1), latent_dim=2, networks=ganzoo.networks.autoencoder, hidden=(4,))
    targets = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)).astype("float32")
    found = latent.project(vae, targets)
    np.testing.assert_array_equal(found.latents, vae.encode(targets)[0])
    np.testing.assert_allclose(found.images, vae.reconstruct(targets), atol=1e-6)
    moved = latent.project(vae, targets, steps=20, features=None)
    assert (moved.losses[:, 0] < found.losses[:, 0]).all()


@pytest.mark.parametrize("network", [DigitsClassifier(), EfficientNetLite0(32)])
def test_features_have_a_gradient_and_their_own_values(network):
    random = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 1), "uint8")
    images = ganzoo.data.normalize(random)
    seen = network.differentiable(keras.ops.convert_to_tensor(images, "float32"))
    # TensorFlow resizes a little differently from Pillow.
    np.testing.assert_allclose(seen, network(random), atol=1e-4 if network.resize is None else 0.3)
    model = linear_images(latent_dim=4, side=28)
    target = model.generate(1, seed=3)
    found = latent.project(model, target, steps=5, starts=1, features=network, feature_weight=1.0, candidates=3)
    plain = latent.project(model, target, steps=5, starts=1, features=None, candidates=3)
    assert np.isfinite(found.losses).all() and not np.array_equal(found.latents, plain.latents)


def test_features_of_any_model():
    image = keras.Input((8, 8, 1))
    network = ModelFeatures(keras.Model(image, keras.layers.Flatten()(image)))
    images = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 1)).astype("float32")
    np.testing.assert_allclose(network.differentiable(keras.ops.convert_to_tensor(images)), images.reshape(2, -1))
    with pytest.raises(ValueError, match="have no gradient"):
        latent.project(linear_images(), images, features=ganzoo.metrics.features.base.Given())


def test_images_that_do_not_fit():
    model = linear_images()
    with pytest.raises(ValueError, match=r"`targets` must have the shape \(count, 8, 8, 1\).*\(3, 4, 4, 1\)"):
        latent.project(model, np.zeros((3, 4, 4, 1)))
    with pytest.raises(ValueError, match="`targets` must lie in"):
        latent.project(model, np.full((3, 8, 8, 1), 200.0))
    with pytest.raises(ValueError, match="NaN"):
        latent.project(model, np.full((3, 8, 8, 1), np.nan))


# === Neighbours ===


def test_nearest_by_hand():
    training = np.zeros((3, 2, 2, 1), "uint8") + np.array([0, 100, 200], "uint8").reshape(3, 1, 1, 1)
    generated = ganzoo.data.normalize(
        np.full((2, 2, 2, 1), 0, "uint8") + np.array([90, 190], "uint8").reshape(2, 1, 1, 1)
    )
    found = latent.nearest(generated, training, count=2)
    np.testing.assert_array_equal(found.indices, [[1, 0], [2, 1]])
    np.testing.assert_allclose(found.distances, 2 * np.array([[10, 90], [10, 90]]) / 127.5, rtol=1e-5)
    np.testing.assert_array_equal(found.found[0, 0], training[1])
    assert found.features == "pixels"
    picture = found.picture(scale=1, padding=0)
    np.testing.assert_array_equal(picture[::2, ::2, 0], [[90, 190], [100, 200], [0, 100]])


def test_nearest_in_features():
    image = keras.Input((2, 2, 1))
    dark = keras.Model(image, keras.ops.abs(keras.layers.Flatten()(image)))  # Dark is as near as bright.
    training = np.array([0, 150], "uint8").reshape(2, 1, 1, 1) * np.ones((1, 2, 2, 1), "uint8")
    generated = np.full((1, 2, 2, 1), 250, "uint8")
    assert latent.nearest(generated, training).indices[0, 0] == 1
    in_features = latent.nearest(generated, training, dark)
    assert in_features.indices[0, 0] == 0
    both = latent.nearest(generated, training).picture(in_features, scale=1, padding=0)
    np.testing.assert_array_equal(both[::2, 0, 0], [250, 150, 0])
    with pytest.raises(ValueError, match="2 images or more|3 images or more. Received: 2"):
        latent.nearest(generated, training, count=3)
    with pytest.raises(ValueError, match="one shape"):
        latent.nearest(generated, np.zeros((2, 4, 4, 1)))
