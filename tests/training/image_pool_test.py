"""The pool of generated images, against the exchange written as a loop."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.training.image_pool import ImagePool
from tests.check_model import two_replicas


def numbered(first, count, shape=(2, 3, 1)):
    """Images that can be told apart, no number of which is exact in half precision."""
    return (np.arange(first, first + count, dtype="float32") + 0.1).reshape(-1, *[1] * len(shape)) * np.ones(
        shape, "float32"
    )


def uniform(count, seed=0):
    return np.random.default_rng(seed).uniform(0, 1, (count, 2)).astype("float32")


def one_by_one(size, batches, numbers):
    """The algorithm, image by image."""
    pool, shown = [], []
    for images, draws in zip(batches, numbers, strict=True):
        for image, (exchange, slot) in zip(images, draws, strict=True):
            if len(pool) < size:
                pool.append(image)
                shown.append(image)
            elif exchange < 0.5:
                index = int(slot * size)
                shown.append(pool[index])
                pool[index] = image
            else:
                shown.append(image)
    return np.array(shown), np.array(pool)


@pytest.mark.parametrize(("size", "batch"), [(1, 1), (4, 3), (5, 8), (50, 1), (3, 20)])
def test_as_image_by_image(size, batch):
    """Also where the batch fills the pool halfway, and where two of its images take one slot."""
    pool = ImagePool(size, (2, 3, 1))
    batches = [numbered(index * batch, batch) for index in range(12)]
    numbers = [uniform(batch, seed) for seed in range(12)]
    shown = np.concatenate([pool.query(*pair) for pair in zip(batches, numbers)])
    expected, kept = one_by_one(size, batches, numbers)
    np.testing.assert_array_equal(shown, expected)
    np.testing.assert_array_equal(pool.images[: len(kept)], kept)
    assert int(pool.count) == len(kept) == min(size, 12 * batch)


def test_size_0_is_the_identity():
    pool = ImagePool(0, (2, 3, 1))
    assert not pool.weights
    for start in range(3):
        np.testing.assert_array_equal(pool.query(numbered(start, 4), uniform(4)), numbered(start, 4))


def test_a_pool_that_is_not_full_returns_the_new():
    pool = ImagePool(10, (2, 3, 1))
    for start in (0, 4):
        np.testing.assert_array_equal(pool.query(numbered(start, 4), np.zeros((4, 2))), numbered(start, 4))
    assert int(pool.count) == 8
    # Of the next four, two find room; the others meet a full pool, and take an old image.
    shown = np.array(pool.query(numbered(8, 4), np.zeros((4, 2))))
    np.testing.assert_array_equal(shown, np.concatenate([numbered(8, 2), numbered(0, 1), numbered(10, 1)]))


def test_a_full_pool_returns_an_old_image_half_of_the_time():
    size, batch, steps = 50, 20, 500
    pool = ImagePool(size, (1,))
    query = tf.function(pool.query)
    random = np.random.default_rng(0)
    old, ages = 0, []
    for step in range(steps):
        new = np.arange(step * batch, (step + 1) * batch, dtype="float32")[:, None]
        shown = query(new, random.uniform(0, 1, (batch, 2)).astype("float32")).numpy()
        if step * batch >= size:
            old += (shown != new).sum()
            ages += (new - shown)[shown != new].tolist()
    count = steps * batch - 3 * batch
    assert abs(old / count - 0.5) < 4 * np.sqrt(0.25 / count)
    # A new image replaces a given one with probability 1 / 100, so ages are geometric: mean and deviation are 100. They
    # depend on each other, hence twice the error of independent ages, and 4 of those.
    assert abs(np.mean(ages) - 2 * size) < 4 * 2 * 2 * size / np.sqrt(len(ages))


def test_no_gradient_passes():
    pool = ImagePool(4, (2, 3, 1))
    images = tf.constant(numbered(0, 2))
    with tf.GradientTape() as tape:
        tape.watch(images)
        shown = tf.reduce_sum(pool.query(images, uniform(2)))
    assert tape.gradient(shown, images) is None


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_images_come_back_bit_for_bit(policy):
    keras.config.set_dtype_policy(policy)
    pool = ImagePool(1, (2, 3, 1))
    images = np.random.default_rng(0).uniform(-1, 1, (2, 2, 3, 1)).astype("float32")
    pool.query(images[:1], np.zeros((1, 2)))
    returned = pool.query(images[1:], np.zeros((1, 2)))
    assert returned.dtype == "float32" and np.array(returned).tobytes() == images[:1].tobytes()


def test_saved_and_restored(tmp_path):
    @keras.saving.register_keras_serializable("tests")
    class Holder(keras.Model):
        def __init__(self):
            super().__init__()
            self.pool = ImagePool(5, (2, 3, 1))
            self.built = True

        def get_config(self):
            return {}

    holder = Holder()
    holder.pool.query(numbered(0, 7), uniform(7))
    holder.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert int(loaded.pool.count) == 5
    np.testing.assert_array_equal(loaded.pool.images, holder.pool.images)
    ours, theirs = (one.pool.query(numbered(7, 6), uniform(6, 1)) for one in (holder, loaded))
    np.testing.assert_array_equal(ours, theirs)
    assert not holder.trainable_weights
    assert ImagePool.from_config(holder.pool.get_config()).get_config() == holder.pool.get_config()


@pytest.mark.parametrize("in_graph", [False, True])
def test_two_replicas_are_one_device(in_graph):
    alone, strategy = ImagePool(5, (2, 3, 1)), two_replicas()
    with strategy.scope():
        together = ImagePool(5, (2, 3, 1))
    run = lambda *arguments: strategy.run(together.query, args=arguments)  # noqa: E731
    run = tf.function(run) if in_graph else run

    def halves(array):
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(array[3 * context.replica_id_in_sync_group :][:3])
        )

    for step in range(5):
        images, numbers = numbered(6 * step, 6), uniform(6, step)
        shown = strategy.experimental_local_results(run(halves(images), halves(numbers)))
        np.testing.assert_array_equal(np.concatenate(shown), alone.query(images, numbers))
    for copy in strategy.experimental_local_results(together.images.value):
        np.testing.assert_array_equal(copy, alone.images)


def test_compiles():
    pool, compiled = ImagePool(3, (2, 3, 1)), ImagePool(3, (2, 3, 1))
    query = tf.function(compiled.query, jit_compile=True)
    for step in range(4):
        pair = numbered(2 * step, 2), uniform(2, step)
        np.testing.assert_array_equal(query(*pair), pool.query(*pair))


@pytest.mark.parametrize("size", [-1, 1.5, True, None])
def test_refusals(size):
    with pytest.raises(ValueError, match="`size` must be an integer"):
        ImagePool(size, (2, 3, 1))
