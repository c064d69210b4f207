import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganzoo.data import normalize
from ganzoo.metrics.features import ModelFeatures
from ganzoo.metrics.features.resize import fit, resize_images

# Height and width before and after: enlarged, reduced, one of each, odd, and the same.
SIZES = [((28, 28), (299, 299)), ((300, 200), (37, 64)), ((40, 56), (20, 90)), ((7, 9), (5, 9)), ((16, 16), (16, 16))]


def noise(height, width, channels=3, count=2):
    return np.random.default_rng(0).integers(0, 256, (count, height, width, channels), "uint8")


def kernel(rule, x):
    """The three filters, each by its formula."""
    x = abs(x)
    if rule == "bilinear":
        return max(0.0, 1 - x)
    if rule == "bicubic":  # Keys, 1981, Equation 15: a = -1/2.
        if x < 1:
            return 3 / 2 * x**3 - 5 / 2 * x**2 + 1
        return -1 / 2 * x**3 + 5 / 2 * x**2 - 4 * x + 2 if x < 2 else 0.0
    return np.sinc(x) * np.sinc(x / 3) if x < 3 else 0.0


def matrix(old, new, rule):
    """Row i: the normalized weights of the old pixels in the new pixel i. The filter grows when the image shrinks."""
    scale = old / new
    rows = [[kernel(rule, (j + 0.5 - (i + 0.5) * scale) / max(scale, 1)) for j in range(old)] for i in range(new)]
    return np.array(rows) / np.sum(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("rule", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("old, new", SIZES, ids=str)
def test_is_the_weighted_mean_of_its_definition(old, new, rule):
    images = noise(*old)
    down, across = (matrix(before, after, rule) for before, after in zip(old, new))
    expected = np.clip(np.einsum("ih,nhwc,jw->nijc", down, images.astype("float64"), across, optimize=True), 0, 255)
    found = resize_images(images, new, rule)
    assert found.dtype == np.float32 and found.shape == (2, *new, 3)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("rule", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("old, new", SIZES, ids=str)
def test_is_pillow_without_its_rounding(old, new, rule):
    """After each of its two passes it rounds 8-bit images, and clips what overshoots; not so planes of floats."""
    method = Image.Resampling[rule.upper()]
    soft = 96 + noise(*old) // 4  # Nothing to be clipped.
    expected = np.stack([np.asarray(Image.fromarray(image).resize(new[::-1], method)) for image in soft])
    assert np.abs(resize_images(soft, new, rule) - expected).max() <= 1.25
    images = noise(*old)
    for channel in range(3):
        plane = Image.fromarray(images[0, ..., channel].astype("float32"))
        expected = np.clip(np.asarray(plane.resize(new[::-1], method)), 0, 255)
        np.testing.assert_array_equal(resize_images(images, new, rule)[0, ..., channel], expected)


@pytest.mark.parametrize("rule, method", [("bilinear", "bilinear"), ("bicubic", "bicubic"), ("lanczos", "lanczos3")])
@pytest.mark.parametrize("old, new", SIZES, ids=str)
def test_is_tensorflow_with_antialiasing(old, new, rule, method):
    images = noise(*old)
    expected = np.clip(tf.image.resize(images, new, method, antialias=True), 0, 255)
    np.testing.assert_allclose(resize_images(images, new, rule), expected, atol=2e-3)


def test_stripes_finer_than_the_new_pixels_become_grey():
    """Stripes of 3 pixels, made 4 times smaller; without antialiasing they come back as stripes that are not there."""
    stripes = np.tile(np.where(np.arange(96) % 3 == 0, 255, 0).astype("uint8")[None, None, :, None], (1, 96, 1, 1))
    for rule in ("bicubic", "lanczos"):
        inner = resize_images(stripes, (24, 24), rule)[:, 4:-4, 4:-4]
        assert inner.mean() == pytest.approx(85, abs=1) and inner.std() < 3
    aliased = tf.image.resize(stripes, (24, 24), "bilinear", antialias=False).numpy()[:, 4:-4, 4:-4]
    assert aliased.std() > 50


def test_fits_grey_images_to_colour_networks():
    grey = noise(8, 8, 1)
    fitted = fit(grey, (8, 8, 3))
    assert fitted.dtype == np.uint8
    np.testing.assert_array_equal(fitted, np.concatenate([grey] * 3, axis=-1))
    np.testing.assert_array_equal(fit(grey, (None, None, 1)), grey)
    larger = fit(grey, (12, 16, 3), "lanczos")
    assert larger.dtype == np.float32
    np.testing.assert_array_equal(larger, np.repeat(resize_images(grey, (12, 16), "lanczos"), 3, axis=-1))


@pytest.mark.parametrize(
    "shape, rule, words",
    [
        (
            (32, 32, 3),
            None,
            r"This network takes images of 32 x 32 x 3. Received: 8 x 8 x 3. Bring them to this size first",
        ),
        ((8, 8, 1), "bicubic", r"takes images of 8 x 8 x 1. Received: 8 x 8 x 3. Only grey images"),
        ((None, None, 4), "bicubic", r"takes images of any x any x 4. Received: 8 x 8 x 3. Only grey images"),
        ((9, 9, 3), "nearest", r"one of 'bilinear', 'bicubic', 'lanczos'. Received: resize='nearest'"),
    ],
)
def test_refuses_in_words(shape, rule, words):
    with pytest.raises(ValueError, match=words):
        fit(noise(8, 8), shape, rule, "This network")


def means(shape):
    image = keras.Input(shape)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(image), name="means")


def test_model_features_resize():
    """Grey images of 8 x 8 for a network of 12 x 16 in colour: the model sees what `fit` makes, in [-1, 1]."""
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), "uint8")
    features = ModelFeatures(means((12, 16, 3)), resize="bicubic")
    expected = (fit(images, (12, 16, 3), "bicubic") / 127.5 - 1).mean(axis=(1, 2))
    np.testing.assert_allclose(features(images), expected, atol=1e-5)
    assert features.resize == "bicubic" and features.name == "means"
    np.testing.assert_array_equal(features(normalize(images)), features(images))


def test_model_features_refuse_other_sizes():
    images = np.zeros((3, 8, 8, 1), "uint8")
    with pytest.raises(ValueError, match="means takes images of 12 x 16 x 3. Received: 8 x 8 x 1. .*resize='bicubic'"):
        ModelFeatures(means((12, 16, 3)))(images)
    with pytest.raises(ValueError, match="one of 'bilinear', 'bicubic', 'lanczos'. Received: resize='nearest'"):
        ModelFeatures(means((12, 16, 3)), resize="nearest")
    assert ModelFeatures(means((None, None, 1)))(images).shape == (3, 1)
