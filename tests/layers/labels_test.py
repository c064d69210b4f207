"""Labels as vectors."""

import keras
import numpy as np
import pytest

from ganzoo.layers import OneHot


def test_one_hot():
    vectors = OneHot(3)(np.array([[0, 2], [1, 1]]))
    np.testing.assert_array_equal(vectors, [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 1, 0]]])
    label = keras.Input((), dtype="int64")
    assert OneHot(3, dtype="mixed_bfloat16")(label).dtype == "bfloat16"
    assert OneHot(3)(label).shape == (None, 3)


@pytest.mark.parametrize("num_classes", [0, 1.5, True, "3", None])
def test_the_number_of_classes_is_checked(num_classes):
    with pytest.raises(ValueError, match="`num_classes` must be an integer of at least 1. Received: num_classes="):
        OneHot(num_classes)
