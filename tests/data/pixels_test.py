import numpy as np
import pytest
import tensorflow as tf

from ganzoo.data import binarize, normalize
from ganzoo.data.pixels import check_image_size, cover_array

PIXELS = np.arange(256, dtype="uint8")


def test_normalize_spans_minus_1_to_1():
    values = normalize(PIXELS)
    assert values.dtype == np.float32
    assert values[0] == -1 and values[255] == 1
    np.testing.assert_allclose(values, PIXELS.astype("float64") / 127.5 - 1, atol=1e-7)


def test_normalize_is_the_same_in_a_graph():
    np.testing.assert_array_equal(tf.function(normalize)(tf.constant(PIXELS)), normalize(PIXELS))


@pytest.mark.parametrize("images", [np.zeros(3, "float32"), tf.zeros(3)])
def test_normalize_refuses_what_is_normalized(images):
    with pytest.raises(TypeError, match="numpy array of uint8 `images` .*received .*float32"):
        normalize(images)


def test_binarize_has_the_expectation_of_the_grey_image():
    grey = np.repeat(PIXELS[:, None], 20_000, axis=1)
    binary = binarize(grey, seed=1)
    assert binary.dtype == np.uint8 and set(np.unique(binary)) == {0, 255}
    errors = (binary / 255).mean(axis=1) - PIXELS / 255
    assert np.abs(errors).max() < 5 * 0.5 / 20_000**0.5
    assert not binary[0].any() and binary[255].all()  # Exactly.


def test_binarize_is_a_function_of_the_seed():
    grey = np.full((3, 28, 28, 1), 127, "uint8")
    np.testing.assert_array_equal(binarize(grey, seed=3), binarize(grey, seed=3))
    assert 0.4 < np.mean(binarize(grey, seed=3) != binarize(grey, seed=4)) < 0.6
    assert 0.4 < np.mean(binarize(grey)[0] != binarize(grey)[1]) < 0.6


@pytest.mark.parametrize("images", [np.zeros(3, "float32"), tf.zeros(3, "uint8"), [0, 255]])
def test_binarize_refuses_other_than_uint8_arrays(images):
    with pytest.raises(TypeError, match="takes a numpy array of uint8 `images` .*received"):
        binarize(images)


def test_cover_keeps_the_aspect_and_the_centre():
    image = np.zeros((10, 40, 3), "uint8")
    image[:, 15:25] = 255  # the centre, 10 x 10
    np.testing.assert_array_equal(cover_array(image, (10, 10)), np.full((10, 10, 3), 255))


def test_cover_does_not_alias():
    stripes = np.zeros((64, 64, 1), "uint8")
    stripes[:, ::2] = 255
    small = cover_array(stripes, (16, 16))
    assert small.shape == (16, 16, 1)
    assert np.abs(small.astype(int) - 127).max() < 20  # every fourth column would be all 0 or all 255


@pytest.mark.parametrize("image_size", [64, (64,), (64, 0), (64, 64, 3), (6.5, 6), "ab"])
def test_image_size_refused(image_size):
    with pytest.raises(ValueError, match=r"must be \(height, width\)"):
        check_image_size(image_size)
