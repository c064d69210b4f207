import math

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from ganzoo.augmentation import color
from ganzoo.augmentation.matrices import combined

N_OF_ONE = scipy.stats.norm.cdf(1.0)  # The number of which N(0, 1) makes a 1.


def images(channels=3):
    return tf.random.stateless_uniform((2, 4, 5, channels), (1, 2), -1.0, 1.0)


def recolored(images, steps):
    return color.recolored(images, combined(steps, images.shape[-1] + 1)[0]).numpy()


def one(matrices):
    """A step that applies to both images."""
    return [(tf.constant([True, True]), matrices)]


def values(number):
    return tf.fill([2], tf.cast(number, "float32"))


def grey_of(x):
    return np.mean(x, axis=-1, keepdims=True)


def test_brightness():
    x = images()
    np.testing.assert_allclose(recolored(x, one(color.brightness(values(0.25), 3))), x + 0.25, atol=1e-6)


def test_contrast():
    x = images()
    np.testing.assert_allclose(recolored(x, one(color.scaled_contrast(values(1.5), 3))), 1.5 * x, atol=1e-6)


def test_luma_flip():
    """I - 2 v v^T turns the sign of the mean and keeps the differences between channels."""
    x = images()
    np.testing.assert_allclose(recolored(x, one(color.luma_flip(values(1), 3))), x - 2 * grey_of(x), atol=1e-6)
    np.testing.assert_allclose(recolored(x, one(color.luma_flip(values(0), 3))), x, atol=1e-6)


def test_hue_by_half_a_turn():
    """2 v v^T - I: the part along the axis stays, the part across it turns its sign."""
    x = images()
    np.testing.assert_allclose(recolored(x, one(color.hue_rotation(values(math.pi)))), 2 * grey_of(x) - x, atol=1e-6)


def test_hue_by_a_third_of_a_turn_makes_green_of_red():
    red = tf.tile(tf.constant([1.0, -1.0, -1.0]), [40])
    found = recolored(tf.reshape(red, (2, 4, 5, 3)), one(color.hue_rotation(values(2 * math.pi / 3))))
    np.testing.assert_allclose(found, np.broadcast_to([-1.0, 1.0, -1.0], found.shape), atol=1e-6)


def test_saturation():
    x = images()
    np.testing.assert_allclose(
        recolored(x, one(color.saturation(values(0.0), 3))), np.broadcast_to(grey_of(x), x.shape), atol=1e-6
    )
    doubled = grey_of(x) + 2 * (x - grey_of(x))
    np.testing.assert_allclose(recolored(x, one(color.saturation(values(2.0), 3))), doubled, atol=1e-6)


def test_the_pipeline_by_hand():
    """Brightness + 0.2, contrast times 2^0.5, luma flip, hue by half a turn, saturation times 2."""
    numbers = [values(u) for u in (0.2, N_OF_ONE, 0.2, N_OF_ONE, 0.2, 0.5, 0.2, 0.0, 0.2, N_OF_ONE)]
    x = images().numpy().astype("float64")
    expected = (x + 0.2) * 2**0.5
    expected = expected - 2 * grey_of(expected)
    expected = 2 * grey_of(expected) - expected
    expected = grey_of(expected) + 2 * (expected - grey_of(expected))
    found = recolored(images(), color.color_transformations(numbers, 0.5, 3))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_each_part_by_its_own_numbers():
    """One gate at a time: the others do nothing."""
    x = images().numpy()
    expected = {
        0: x + 0.2,
        2: x * 2**0.5,
        4: x - 2 * grey_of(x),
        6: 2 * grey_of(x) - x,
        8: grey_of(x) + 2 * (x - grey_of(x)),
    }
    for gate, changed in expected.items():
        numbers = [values(u) for u in (0.6, N_OF_ONE, 0.6, N_OF_ONE, 0.6, 0.5, 0.6, 0.0, 0.6, N_OF_ONE)]
        numbers[gate] = values(0.4)
        found = recolored(images(), color.color_transformations(numbers, 0.5, 3))
        np.testing.assert_allclose(found, changed, atol=1e-5)


def test_a_grey_image_is_changed_as_one_of_three_equal_channels():
    numbers = tf.unstack(tf.random.stateless_uniform((10, 2), (5, 6)))
    grey = images(channels=1)
    as_color = recolored(tf.repeat(grey, 3, axis=3), color.color_transformations(numbers, 1.0, 3))
    np.testing.assert_allclose(as_color, np.repeat(as_color[..., :1], 3, axis=3), atol=1e-5)
    found = recolored(grey, color.color_transformations(numbers, 1.0, 1))
    np.testing.assert_allclose(found, as_color[..., :1], atol=1e-5)
    assert np.abs(found - grey).max() > 0.1


@pytest.mark.parametrize("channels", [2, 4])
def test_other_numbers_of_channels_have_no_hue(channels):
    numbers = [values(u) for u in (0.9, 0.5, 0.9, 0.5, 0.9, 0.5, 0.1, 0.2, 0.9, 0.5)]
    x = images(channels)
    np.testing.assert_array_equal(recolored(x, color.color_transformations(numbers, 0.5, channels)), x)
    numbers[8], numbers[9] = values(0.1), values(N_OF_ONE)
    doubled = grey_of(x) + 2 * (x - grey_of(x))
    np.testing.assert_allclose(recolored(x, color.color_transformations(numbers, 0.5, channels)), doubled, atol=1e-5)
