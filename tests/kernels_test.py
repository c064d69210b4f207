import numpy as np
import pytest
import tensorflow as tf

from ganzoo.kernels import gaussian, inverse_multiquadratic, squared_mmd


def test_kernels_by_hand():
    x, y = tf.constant([[0.0, 0.0], [3.0, 4.0]]), tf.constant([[0.0, 1.0]])
    np.testing.assert_allclose(gaussian(x, y, 2.0)[:, 0], np.exp([-1 / 8, -18 / 8]), rtol=1e-6)
    np.testing.assert_allclose(inverse_multiquadratic(x, y)[:, 0], [4 / 5, 4 / 22], rtol=1e-6)
    np.testing.assert_allclose(inverse_multiquadratic(x, y, 2.0)[:, 0], [16 / 17, 16 / 34], rtol=1e-6)


def test_mmd_by_hand():
    """x of 0, 1, 3 and y of 0, 2: pairs of two different rows."""
    x, y = tf.constant([[0.0], [1.0], [3.0]]), tf.constant([[0.0], [2.0]])

    def k(*distances):
        return np.mean(2 / (2 + np.square(distances)))

    expected = k(1, 3, 2) + k(2) - 2 * k(0, 2, 1, 1, 3, 1)
    assert float(squared_mmd(x, y, inverse_multiquadratic)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("shift", [1.0, 2.0])
def test_mmd_of_normal_distributions(shift):
    """MMD^2 of N(0, 1) and N(d, 1) is 2 (1 - exp(-d^2 / 6)) / sqrt 3: .177268 for d = 1, .561858 for d = 2."""
    expected = 2 * (1 - np.exp(-(shift**2) / 6)) / np.sqrt(3)
    assert expected == pytest.approx({1.0: 0.177268, 2.0: 0.561858}[shift], abs=1e-6)
    draws = np.random.default_rng(0).normal(size=(2, 40, 250, 1)).astype("float32")
    found = np.array([float(squared_mmd(x, y + shift)) for x, y in zip(*draws)])
    assert found.mean() == pytest.approx(expected, abs=4 * found.std() / np.sqrt(40))
    assert 4 * found.std() / np.sqrt(40) < expected / 5


def test_mmd_of_equal_distributions_has_no_bias():
    draws = np.random.default_rng(0).normal(size=(2, 100, 20, 2)).astype("float32")
    found = np.array([float(squared_mmd(x, y, inverse_multiquadratic)) for x, y in zip(*draws)])
    assert found.min() < 0 < found.max()
    assert found.mean() == pytest.approx(0, abs=4 * found.std() / 10)
