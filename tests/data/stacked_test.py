import numpy as np
import pytest

import ganzoo
from ganzoo.data import reading


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


DIGITS = np.zeros((10, 4, 4, 1), "uint8"), np.arange(10)


@pytest.mark.parametrize("count", [0, -1, 1.5, "10", 10**13, True, None])
def test_counts_that_are_none_are_refused(count):
    words = f"`num_samples` must be an integer from 1 to 2,147,483,647. Received: num_samples={count!r}"
    with pytest.raises(ValueError, match=words):
        ganzoo.data.stacked_mnist(*DIGITS, num_samples=count)


def test_more_stacks_than_the_memory_holds_are_refused(monkeypatch):
    monkeypatch.setattr(reading, "available_memory", lambda: 2**20)
    with pytest.raises(ValueError, match="100,000 images of 4 x 4 x 3 bytes need .* Pass a smaller num_samples"):
        ganzoo.data.stacked_mnist(*DIGITS, num_samples=100_000)


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_seeds_that_are_none_are_refused(seed):
    with pytest.raises(ValueError, match="`seed` must be an integer from 0"):
        ganzoo.data.stacked_mnist(*DIGITS, num_samples=10, seed=seed)
