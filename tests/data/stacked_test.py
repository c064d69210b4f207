import numpy as np
import pytest

import ganzoo


def test_stacks_are_their_digits():
    images = np.arange(10, dtype="uint8")[:, None, None, None] * np.ones((1, 4, 4, 1), "uint8") * 20
    data = ganzoo.data.stacked_mnist(images, np.arange(10), num_samples=300, batch_size=300)
    stacks, modes = next(iter(data))
    digits = np.round((stacks.numpy() + 1) * 127.5 / 20)[:, 0, 0]
    np.testing.assert_array_equal(digits @ [100, 10, 1], modes)


def test_all_modes_are_equally_likely():
    images, labels = np.zeros((10, 1, 1, 1), "uint8"), np.arange(10)
    data = ganzoo.data.stacked_mnist(images, labels, num_samples=100_000, batch_size=100_000)
    counts = np.bincount(next(iter(data))[1].numpy(), minlength=1000)
    assert abs(np.sum((counts - 100) ** 2 / 100) - 999) < 4 * np.sqrt(2 * 999)


def test_default_is_the_embedded_digits():
    stack, mode = next(iter(ganzoo.data.stacked_mnist(num_samples=20)))
    assert stack.shape == (28, 28, 3) and 0 <= mode < 1000
    again, _ = next(iter(ganzoo.data.stacked_mnist(num_samples=20)))
    np.testing.assert_array_equal(stack, again)


@pytest.mark.parametrize(
    "images, labels, words",
    [
        (np.zeros((5, 4, 4, 1), "uint8"), None, "come together"),
        (np.zeros((5, 4, 4, 3), "uint8"), np.zeros(5, int), r"grey images .* shape \(5, 4, 4, 3\)"),
        (np.zeros((5, 4, 4, 1), "uint8"), np.full(5, 10), "Labels of digits are 0 to 9.*from 10 to 10"),
    ],
)
def test_refusals(images, labels, words):
    with pytest.raises(ValueError, match=words):
        ganzoo.data.stacked_mnist(images, labels, num_samples=10)
