import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from ganzoo.augmentation import geometry
from ganzoo.augmentation.matrices import combined, normal

N_OF_ONE = scipy.stats.norm.cdf(1.0)  # The number of which N(0, 1) makes a 1.


def images(batch=2, height=16, width=16, channels=3):
    return tf.random.stateless_uniform((batch, height, width, channels), (1, 2), -1.0, 1.0)


def columns(*numbers, batch=2):
    return [tf.fill([batch], tf.cast(number, "float32")) for number in numbers]


def moved(images, matrix):
    return geometry.resample(images, tf.repeat(tf.constant(matrix, "float32")[None], len(images), axis=0)).numpy()


def shift(x, y):
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]])


def turn(angle):
    return np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]])


def plane(height=15, width=15):
    """f(x, y) = 0.05 x - 0.03 y: interpolation is exact, away from the reflection at the border."""
    y, x = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    return (0.05 * x - 0.03 * y).astype("float32"), x, y


@pytest.mark.parametrize("size", [(16, 16), (9, 12), (2, 3)])
def test_the_identity_is_exact(size):
    x = images(2, *size)
    np.testing.assert_array_equal(moved(x, np.eye(3)), x)


def test_whole_shifts_copy_pixels_and_reflect_at_the_border():
    x = images(height=12, width=8)
    padded = np.pad(x, [(0, 0), (3, 3), (2, 2), (0, 0)], mode="reflect")
    np.testing.assert_array_equal(moved(x, shift(2, 0)), padded[:, 3:15, 0:8])  # To the right.
    np.testing.assert_array_equal(moved(x, shift(-1, 3)), padded[:, 0:12, 3:11])  # To the left and down.


def test_reflection_repeats():
    """A shift by two periods, 2 * (8 - 1) pixels each, is none."""
    x = images(height=8, width=8)
    np.testing.assert_array_equal(moved(x, shift(28, -14)), x)


def test_flip_and_quarter_turns_copy_pixels():
    x = images(batch=4)
    flipped = geometry.resample(x, geometry.scaling(tf.fill([4], -1.0), tf.ones(4)))
    np.testing.assert_array_equal(flipped, x[:, :, ::-1])
    turned = geometry.resample(x, geometry.quarter_turns(tf.constant([0.0, 1.0, 2.0, 3.0])))
    for count in range(4):
        np.testing.assert_array_equal(turned[count], np.rot90(x[count], count))


def test_half_a_turn_of_a_rectangle():
    x = images(height=9, width=12)
    np.testing.assert_array_equal(moved(x, np.diag([-1, -1, 1])), x[:, ::-1, ::-1])


@pytest.mark.parametrize(
    "matrix",
    [shift(0.5, -0.25), turn(0.4), np.diag([1.3, 1.3, 1]), np.diag([0.9, 1.2, 1]) @ turn(2.0), shift(1.3, 0) @ turn(1)],
    ids=["shift", "turn", "scale", "turn and stretch", "turn and shift"],
)
def test_a_plane_is_moved_as_its_formula(matrix):
    """The picture of f is f(M^-1 (x, y))."""
    f, x, y = plane()
    there = np.linalg.inv(matrix) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    expected = (0.05 * there[0] - 0.03 * there[1]).reshape(x.shape)
    inside = (np.abs(there[:2]) <= 4).all(axis=0).reshape(x.shape)  # Three pixels off the border: the kernel's reach.
    assert inside.sum() > 40
    found = moved(f[None, :, :, None], matrix)[0, :, :, 0]
    np.testing.assert_allclose(found[inside], expected[inside], atol=1e-5)  # Float32 of coordinates up to 7.


def test_halfway_between_two_pixels_is_lanczos_interpolation():
    """sinc(x) sinc(x / 3) at 1/2, 3/2, 5/2 is 6, -4/3, 6/25 over pi^2; the weights are divided by their sum."""
    impulse = np.zeros((1, 16, 16, 1), "float32")
    impulse[0, :, 8] = 1.0
    weights = np.array([6, -4 / 3, 6 / 25]) / (2 * (6 - 4 / 3 + 6 / 25))
    row = moved(impulse, shift(0.5, 0))[0, 5, :, 0]
    np.testing.assert_allclose(row[[8, 9, 7, 10, 6, 11]], np.repeat(weights, 2), atol=1e-6)
    assert np.count_nonzero(np.abs(row) > 1e-6) == 6


def test_the_inverse():
    matrix = shift(3, -2) @ turn(0.7) @ np.diag([1.5, 0.6, 1])
    inverse = geometry.inverse(tf.constant(matrix[None], "float32"))
    np.testing.assert_allclose(inverse[0], np.linalg.inv(matrix), atol=1e-6)


def test_blitting_by_hand():
    """Flip, a quarter turn of four, then 2 of 16 pixels to the right and 1 up: the first matrix stands on the right."""
    numbers = columns(0.4, 0.5, 0.4, 0.25, 0.4, 1.0, 0.25 + 1e-3)
    matrices, touched = combined(geometry.pixel_blitting(numbers, 0.5, 16, 16), 3)
    expected = shift(2, -1) @ turn(np.pi / 2) @ np.diag([-1, 1, 1])
    np.testing.assert_allclose(matrices[0], expected, atol=1e-6)
    assert touched.numpy().all()
    x = images()
    padded = np.pad(np.rot90(x[:, :, ::-1], axes=(1, 2)), [(0, 0), (2, 2), (2, 2), (0, 0)], mode="reflect")
    np.testing.assert_array_equal(geometry.resample(x, matrices), padded[:, 3:19, 0:16])


def test_general_transformations_by_hand():
    """Scaling by 2^0.2, a turn by pi / 2, 2^-0.2 across and 2^0.2 down, by pi / 4, shift by 1/8 of the width."""
    numbers = columns(0.2, N_OF_ONE, 0.2, 0.75, 0.2, 1 - N_OF_ONE, 0.2, 0.625, 0.2, N_OF_ONE, 0.5)
    matrices, _ = combined(geometry.general_transformations(numbers, 0.5, 16, 24), 3)
    stretch = np.diag([2**-0.2, 2**0.2, 1])
    expected = shift(3, 0) @ turn(np.pi / 4) @ stretch @ turn(np.pi / 2) @ np.diag([2**0.2, 2**0.2, 1])
    np.testing.assert_allclose(matrices[1], expected, atol=1e-5)  # erfinv is good to 1e-6.


def test_what_does_not_apply_is_left_out():
    numbers = columns(0.6, N_OF_ONE, 0.2, 0.75, 0.6, N_OF_ONE, 0.6, 0.3, 0.6, 0.9, 0.9)
    matrices, touched = combined(geometry.general_transformations(numbers, 0.5, 16, 16), 3)
    np.testing.assert_allclose(matrices[0], turn(np.pi / 2), atol=1e-6)
    matrices, touched = combined(geometry.general_transformations(columns(*[0.6] * 11), 0.5, 16, 16), 3)
    np.testing.assert_array_equal(matrices[0], np.eye(3))
    assert not touched.numpy().any()


def test_either_rotation_has_the_probability_p():
    """1 - (1 - p_rot)^2 = p. Four standard deviations of a share of 40,000."""
    numbers = tf.unstack(tf.random.stateless_uniform((11, 40_000), (3, 4)))
    steps = geometry.general_transformations(numbers, 0.3, 8, 8)
    shares = [float(tf.reduce_mean(tf.cast(applies, "float32"))) for applies, _ in steps]
    either = float(tf.reduce_mean(tf.cast(steps[1][0] | steps[3][0], "float32")))
    wanted = [0.3, 1 - 0.7**0.5, 0.3, 1 - 0.7**0.5, 0.3, 0.3]
    np.testing.assert_allclose([*shares, either], wanted, atol=4 * np.sqrt(0.3 * 0.7 / 40_000))


def test_normal_is_the_inverse_distribution_function():
    numbers = np.array([2.0**-23, 0.001, 0.2, 0.5, 0.9, 0.9999, 1 - 2.0**-24], "float32")
    # float32 spaces the numbers near 1 by 6e-8, a part in two of the last distance to 1.
    np.testing.assert_allclose(normal(tf.constant(numbers))[:-1], scipy.stats.norm.ppf(numbers[:-1]), rtol=1e-3)
    assert np.isfinite(normal(tf.constant([0.0, 1 - 2.0**-24]))).all()
