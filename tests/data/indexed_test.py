"""The order: a pure function of seed, epoch and position."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.data import from_arrays, normalize
from ganzoo.data.indexed import shuffled


def numbered(num_samples, batch_size=None, **kwargs):
    """Images whose pixels tell their index, which is also the label."""
    labels = np.arange(num_samples)
    images = np.broadcast_to(labels[:, None, None, None], (num_samples, 2, 2, 1)).astype("uint8")
    return from_arrays(images, labels, batch_size, **kwargs)


def labels_of(dataset, num_batches=None):
    return [labels.numpy().tolist() for _, labels in itertools.islice(dataset, num_batches)]


@pytest.mark.parametrize("num_samples", [1, 2, 3, 10, 256, 257, 1000])
def test_every_epoch_is_a_permutation(num_samples):
    positions = tf.range(num_samples, dtype=tf.int64)
    for epoch in (0, 1, 2**40):
        order = shuffled(positions, num_samples, seed=7, epoch=epoch).numpy()
        np.testing.assert_array_equal(np.sort(order), np.arange(num_samples))


def test_orders_of_different_epochs_and_seeds_are_unrelated():
    @tf.function
    def order(seed_is_zero, epoch):
        seed = 0 if seed_is_zero else 1
        return shuffled(tf.range(100, dtype=tf.int64), 100, seed, epoch)

    orders = np.array([order(seed, tf.constant(e, tf.int64)) for seed in (True, False) for e in range(500)])
    # index_shuffle itself repeats: it has 256 epochs.
    assert len({tuple(row) for row in orders}) == 1000
    # Each sample is as often at each position, within the noise: chi-square over its 99 * 99 degrees of
    # freedom is 1, with a standard deviation of sqrt(2) / 99 = 0.014.
    counts = np.array([np.bincount(column, minlength=100) for column in orders.T])
    assert abs(((counts - 10) ** 2 / 10).sum() / 99**2 - 1) < 0.07
    # So are the distances of neighbours (99 possible ones; standard deviation sqrt(2 / 98) = 0.14).
    distances = np.bincount((np.diff(orders, axis=1) % 100).ravel(), minlength=100)[1:]
    assert abs(((distances - 1000) ** 2 / 1000).sum() / 98 - 1) < 0.5
    # Neighbouring epochs are uncorrelated: 999 correlations of standard deviation 0.1.
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in itertools.pairwise(orders)]
    assert abs(np.mean(correlations)) < 0.015
    assert abs(np.std(correlations) - 0.1) < 0.015


def test_stream_goes_through_the_samples_once_an_epoch():
    dataset = numbered(23, batch_size=5)
    epochs = np.array(labels_of(dataset.stream(), 12)).reshape(3, 20)
    for epoch in epochs:
        assert len(set(epoch)) == 20  # 3 of the 23 are dropped, others in each epoch
    assert len(np.unique(epochs)) == 23
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_stream_resumes_anywhere():
    dataset = numbered(23, batch_size=5)
    straight = labels_of(dataset.stream(), 14)
    for start in range(10):
        assert labels_of(dataset.stream(start), 4) == straight[start : start + 4]
    fewer = labels_of(dataset.stream(batches_per_epoch=3), 14)
    assert fewer[:3] == straight[:3] and fewer[3:6] == straight[4:7]
    assert labels_of(dataset.stream(7, batches_per_epoch=3), 7) == fewer[7:]


def test_stream_starts_at_a_huge_index():
    dataset = numbered(23, batch_size=5)
    start = 4 * 2**59
    epoch = np.ravel(labels_of(dataset.stream(start), 4))
    assert len(set(epoch)) == 20
    assert labels_of(dataset.stream(np.int64(start + 2)), 2) == epoch[10:].reshape(2, 5).tolist()


def test_the_order_depends_on_the_seed_and_nothing_else():
    first = labels_of(numbered(50, 10, seed=3).stream(), 6)
    keras.utils.set_random_seed(99)
    assert labels_of(numbered(50, 10, seed=3).stream(), 6) == first
    assert labels_of(numbered(50, 10, seed=4).stream(), 6) != first


def test_the_order_is_the_same_as_in_earlier_versions():
    order = shuffled(tf.range(10, dtype=tf.int64), 10, seed=0, epoch=0).numpy().tolist()
    assert order == [5, 7, 9, 4, 8, 1, 2, 3, 0, 6]


def test_dataset_is_epoch_0_each_time_normalized():
    dataset = numbered(23, batch_size=5)
    assert len(dataset) == 4
    assert dataset.element_spec == (
        tf.TensorSpec((5, 2, 2, 1), tf.float32),
        tf.TensorSpec((5,), tf.int64),
    )
    assert labels_of(dataset) == labels_of(dataset)
    for (image, label), (raw, raw_label) in zip(dataset, dataset.stream()):
        assert raw.dtype == tf.uint8
        np.testing.assert_array_equal(image, normalize(raw))
        np.testing.assert_array_equal(label, raw_label)
        np.testing.assert_array_equal(raw[:, 0, 0, 0], label)


def test_dataset_without_batch_size_has_the_same_order():
    single = numbered(300)
    assert len(single) == 300
    assert single.element_spec == (
        tf.TensorSpec((2, 2, 1), tf.float32),
        tf.TensorSpec((), tf.int64),
    )
    assert np.ravel(labels_of(numbered(300, 10))).tolist() == labels_of(single)
    with pytest.raises(ValueError, match="batch_size=None"):
        single.stream()


def test_no_shuffle_keeps_the_order():
    dataset = numbered(7, 2, shuffle=False)
    assert labels_of(dataset) == [[0, 1], [2, 3], [4, 5]]
    assert labels_of(dataset.stream(2), 2) == [[4, 5], [0, 1]]


@pytest.mark.parametrize("num_samples", [1, 6])
def test_one_batch_is_the_whole_dataset(num_samples):
    dataset = numbered(num_samples, num_samples)
    assert len(dataset) == 1
    for batch in labels_of(dataset.stream(), 3):
        assert sorted(batch) == list(range(num_samples))


def test_images_only():
    dataset = from_arrays(np.zeros((4, 2, 2, 1), "uint8"), batch_size=2)
    assert dataset.element_spec == tf.TensorSpec((2, 2, 2, 1), tf.float32)
    assert dataset.stream().element_spec == tf.TensorSpec((2, 2, 2, 1), tf.uint8)


def test_the_arrays_are_copied():
    images = np.zeros((4, 2, 2, 1), "uint8")
    dataset = from_arrays(images, batch_size=4)
    images[:] = 255
    assert np.all(next(iter(dataset)) == -1)


def test_stream_is_split_between_replicas():
    dataset = numbered(23, batch_size=6)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    expected = labels_of(dataset.stream(2), 4)
    for data in (dataset.stream(2), dataset):
        iterator = iter(strategy.experimental_distribute_dataset(data))
        replicas = strategy.experimental_local_results(next(iterator)[1])
        assert [replica.shape for replica in replicas] == [(3,), (3,)]
        if data is not dataset:
            assert tf.concat(replicas, 0).numpy().tolist() == expected[0]
            replicas = strategy.experimental_local_results(next(iterator)[1])
            assert tf.concat(replicas, 0).numpy().tolist() == expected[1]


def test_fit_takes_both():
    model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    dataset = numbered(23, batch_size=5)
    model.fit(dataset, epochs=2, shuffle=False, verbose=0)
    model.fit(dataset.stream(), steps_per_epoch=3, epochs=2, shuffle=False, verbose=0)
    assert model.optimizer.iterations == 14


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"start": -1}, "`start` must be an integer of at least 0. Received: start=-1"),
        ({"start": 1.5}, "`start` must be an integer of at least 0. Received: start=1.5"),
        ({"batches_per_epoch": 0}, "`batches_per_epoch` must be an integer of at least 1. Received: .*0"),
        ({"batches_per_epoch": 5}, "must be at most 4, the full batches in 23 samples .*Received: batches_per_epoch=5"),
    ],
)
def test_stream_refuses(kwargs, words):
    with pytest.raises(ValueError, match=words):
        numbered(23, batch_size=5).stream(**kwargs)


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"batch_size": 0}, "`batch_size` must be an integer of at least 1, or None. Received: batch_size=0"),
        ({"batch_size": 1.5}, "`batch_size` must be an integer of at least 1, or None. Received: batch_size=1.5"),
        ({"batch_size": True}, "`batch_size` must be an integer"),
        ({"shuffle": "no"}, "`shuffle` must be True or False. Received: shuffle='no'"),
        ({"batch_size": 24}, "batch_size=24 is larger than the dataset, which has 23 samples"),
        ({"seed": -1}, r"`seed` must be an integer from 0 to 2\*\*63 - 1. Received: seed=-1"),
        ({"seed": 2**63}, r"`seed` must be an integer from 0 to 2\*\*63 - 1. Received: seed=9223372036854775808"),
    ],
)
def test_dataset_refuses(kwargs, words):
    with pytest.raises(ValueError, match=words):
        numbered(23, **kwargs)
