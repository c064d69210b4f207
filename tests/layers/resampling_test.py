import keras
import numpy as np
import pytest

from ganzoo.layers import LINEAR, FilterBeforeStride, FilteredDownsampling2D, FilteredUpsampling2D


@pytest.mark.parametrize(
    ("taps", "doubled", "halved"),
    [
        (LINEAR, [1, 1, 1.5, 2, 3, 4], [(1 + 2 * 1 + 2) / 4, (2 + 2 * 4 + 4) / 4]),
        ((1, 3, 3, 1), [1, 1.25, 1.75, 2.5, 3.5, 4], [(1 + 3 * 1 + 3 * 2 + 4) / 8, (2 + 7 * 4) / 8]),
    ],
)
def test_a_line_by_hand(taps, doubled, halved):
    """The line 1, 2, 4, in both directions and in each channel by itself."""
    line = np.array([1.0, 2.0, 4.0], "float32")
    x = np.stack([np.outer(line, line), np.outer(line, [1, 1, 1])], axis=-1)[None]
    for layer, expected in ((FilteredUpsampling2D(taps), doubled), (FilteredDownsampling2D(taps), halved)):
        y = keras.ops.convert_to_numpy(layer(x))
        np.testing.assert_allclose(y[0, ..., 0], np.outer(expected, expected), rtol=1e-6)
        np.testing.assert_allclose(y[0, ..., 1], np.outer(expected, np.ones(len(expected))), rtol=1e-6)
        assert layer.compute_output_shape(x.shape) == y.shape
        assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_a_filter_before_a_stride_makes_room_for_the_kernel():
    for size in (7, 8):
        layer = FilterBeforeStride()
        y = keras.ops.convert_to_numpy(layer(np.ones((1, size, size, 1), "float32")))
        assert y.shape[1:3] == (2 * -(-size // 2) + 1,) * 2
        inside = y[0, 2 : size - 1, 2 : size - 1, 0]
        np.testing.assert_allclose(inside, 1.0, rtol=1e-6)
        assert y[0, 0, 0, 0] == pytest.approx((3 / 8 + 1 / 8) ** 2)  # Beyond the ends are zeros.
