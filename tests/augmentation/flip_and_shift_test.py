import numpy as np
import pytest
import tensorflow as tf

from ganzoo.augmentation import FlipAndShift

ROW = tf.constant([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])[None, None, :, None] * tf.ones((1, 8, 1, 1))


def changed(numbers, images=ROW, **settings):
    return FlipAndShift(**settings)(images, tf.constant([numbers])).numpy()


def test_mirrors_half():
    np.testing.assert_array_equal(changed([0.49, 0.5, 0.5])[0, 0, :, 0], [8, 7, 6, 5, 4, 3, 2, 1])
    np.testing.assert_array_equal(changed([0.5, 0.5, 0.5]), ROW)
    np.testing.assert_array_equal(changed([0.1, 0.5, 0.5], flip=False), ROW)


def test_shifts_and_reflects():
    """An eighth of 8 is one pixel: left, none, right, each with a third of the numbers."""
    np.testing.assert_array_equal(changed([0.9, 0.5, 0.99])[0, 0, :, 0], [2, 1, 2, 3, 4, 5, 6, 7])
    np.testing.assert_array_equal(changed([0.9, 0.5, 0.0])[0, 0, :, 0], [2, 3, 4, 5, 6, 7, 8, 7])
    columns = tf.transpose(ROW, [0, 2, 1, 3])
    np.testing.assert_array_equal(changed([0.9, 0.99, 0.5], columns)[0, :, 0, 0], [2, 1, 2, 3, 4, 5, 6, 7])
    np.testing.assert_array_equal(changed([0.9, 0.99, 0.99], shift=0.0), ROW)


def test_each_image_has_its_own_numbers():
    images = FlipAndShift()(tf.repeat(ROW, 2, axis=0), tf.constant([[0.9, 0.5, 0.99], [0.9, 0.5, 0.5]]))
    assert images[0, 0, 0, 0] == 2 and images[1, 0, 0, 0] == 1


def test_refusals():
    with pytest.raises(ValueError, match="at least 2x2 pixels"):
        changed([0.5, 0.5, 0.5], tf.zeros((1, 1, 8, 1)))
    with pytest.raises(ValueError, match="shift"):
        FlipAndShift(shift=0.6)


def test_round_trip():
    change = FlipAndShift.from_config(FlipAndShift(0.25, flip=False).get_config())
    assert (change.shift, change.flip) == (0.25, False)
