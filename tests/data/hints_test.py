"""Dabs of the target's colours under the lines of the input."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.data import load, paired
from ganzoo.data.hints import dabs, hinting, reach


def test_dabs_by_hand():
    """Two of three dabs, the second above the first, each with the colour in its centre, cut at the border."""
    targets = np.random.default_rng(0).uniform(size=(1, 8, 8, 3)).astype("float32")
    tops, lefts = (tf.constant([[v] for v in values], tf.float32) for values in ((0.0, 0.2, 0.9), (0.99, 0.8, 0.1)))
    painted = dabs(tf.constant(targets), tf.constant([0.7]), tops, lefts).numpy()[0]  # floor(0.7 * 4) = 2 of them.
    expected = np.ones((8, 8, 3), "float32")
    assert reach(8) == 1
    expected[0:2, 6:8] = targets[0, 0, 7]
    expected[0:3, 5:8] = targets[0, 1, 6]
    np.testing.assert_array_equal(painted, expected)


def test_lines_stay_above_the_dabs():
    inputs = np.full((2, 16, 16, 1), 255, "uint8")
    inputs[:, 5] = 0  # A black line,
    inputs[:, 6] = 128  # and a grey one.
    targets = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), "uint8")
    hinted, same = hinting(seed=1, most=60)(tf.constant(inputs), tf.constant(targets), 0, tf.range(2, dtype=tf.int64))
    hinted = hinted.numpy()
    assert hinted.dtype == np.uint8 and same.dtype == tf.uint8
    np.testing.assert_array_equal(same, targets)
    assert not hinted[:, 5].any() and (hinted[:, 6] <= 128).all()
    painted = (hinted != inputs).any(-1)
    assert painted.sum() > 20
    # Each painted pixel of the white part has a colour of its own target near it.
    for image, row, column in np.argwhere(painted):
        if row not in (5, 6):
            near = targets[image, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].reshape(-1, 3)
            assert (near == hinted[image, row, column]).all(-1).any()


def test_numbers_and_places_are_uniform():
    count, most = 4000, 3
    targets = tf.zeros([count, 9, 9, 3])
    hinted, _ = hinting(seed=2, most=most)(tf.ones([count, 9, 9, 1]), targets - 1.0, 0, tf.range(count, dtype=tf.int64))
    black = hinted.numpy()[..., 0] < 0
    none = ~black.any((1, 2))
    assert abs(none.mean() - 1 / (most + 1)) < 4 * (3 / 16 / count) ** 0.5
    # A pixel of the middle is under a dab in 9 of 81 places, for each of k dabs, k = 0 to 3.
    share = np.mean([1 - (1 - 9 / 81) ** k for k in range(most + 1)])
    assert abs(black[:, 4, 4].mean() - share) < 4 * (share * (1 - share) / count) ** 0.5


def test_a_function_of_seed_epoch_and_position():
    def batches(start=0, count=6, **settings):
        random = np.random.default_rng(0)
        inputs = random.integers(0, 256, (12, 16, 16, 1), "uint8")
        targets = random.integers(0, 256, (12, 16, 16, 3), "uint8")
        data = paired(inputs, targets, batch_size=4, color_hints=3, mirror=True, jitter=True, **settings)
        return np.stack([pair[0].numpy() for pair in itertools.islice(data.stream(start), count)])

    whole = batches()
    np.testing.assert_array_equal(whole[2:], batches(start=2, count=4))
    assert (whole[:3] != batches(seed=1)[:3]).any()
    assert whole.shape == (6, 4, 16, 16, 3)


def test_jitter_and_mirroring_stay_the_same():
    random = np.random.default_rng(0)
    inputs, targets = random.integers(0, 256, (2, 12, 16, 16, 3), "uint8")
    settings = {"batch_size": 4, "jitter": True, "mirror": True}
    plain, hinted = (paired(inputs, targets, color_hints=hints, **settings) for hints in (0, 5))
    for (_, ours), (_, theirs) in zip(plain, hinted, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_of_the_pairs_that_come_with_ganzoo():
    ((inputs, targets),) = load("openmoji_pairs", "test", batch_size=100, color_hints=20, shuffle=False)
    assert inputs.shape == targets.shape == (100, 64, 64, 3)
    assert inputs.dtype == tf.float32 and float(tf.reduce_min(inputs)) >= -1 and float(tf.reduce_max(inputs)) <= 1
    coloured = (np.ptp(inputs.numpy(), axis=-1) > 0.1).any((1, 2))
    assert 0.5 < coloured.mean() < 1


@pytest.mark.parametrize("wrong", [-1, 2.5, True, "many", 101])
def test_refuses(wrong):
    with pytest.raises(ValueError, match="color_hints"):
        load("openmoji_pairs", color_hints=wrong)


def test_refuses_images_without_colours():
    with pytest.raises(ValueError, match="paints the colours of RGB targets"):
        load("fashion_edges_10k", color_hints=3)
    with pytest.raises(ValueError, match="color_hints change pairs"):
        load("mnist_10k", color_hints=3)
