import numpy as np
import pytest

from ganzoo.data.split import split_indices, split_name


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("train", np.arange(200)),
        ("train[:]", np.arange(200)),
        ("train[:9]", np.arange(9)),
        ("train[90%:]", np.arange(180, 200)),
        ("train[-10:]", np.arange(190, 200)),
        ("train[:-90%]", np.arange(20)),
        ("train[5:33.4%]", np.arange(5, 67)),
        ("train[:2] + train[99%:]", [0, 1, 198, 199]),
    ],
)
def test_slices(split, expected):
    np.testing.assert_array_equal(split_indices(split, 200), expected)
    assert split_name(split) == "train"


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ("train[3]", "not understood"),
        ("train[:9", "not understood"),
        ("train+test", "not understood"),
        ("", "not understood"),
        ("train[:1.5]", "not understood"),
        ("train[:201]", "reaches beyond the 200 samples"),
        ("train[-300:]", "reaches beyond"),
        ("train[9:9]", "selects none"),
    ],
)
def test_refused(split, words):
    with pytest.raises(ValueError, match=words):
        split_indices(split, 200)
