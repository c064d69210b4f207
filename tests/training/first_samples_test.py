"""Reading first samples: how many, of what, and no batch more than needed."""

import numpy as np
import tensorflow as tf

import ganzoo
from ganzoo.training.first_samples import batches_of, first_samples, mapped


def batches(sizes, condition=lambda start, stop: None, read=None):
    """Batches of the numbers 0, 1, 2, ...; `read` collects how many were asked for."""
    start = 0
    for size in sizes:
        if read is not None:
            read.append(size)
        yield np.arange(start, start + size), condition(start, start + size)
        start += size


def test_reads_whole_batches_until_there_are_enough():
    for count, total in ((1, 4), (4, 4), (5, 7), (7, 7), (8, 9), (100, 9), (None, 9)):
        read = []
        found = first_samples(batches((4, 3, 2), read=read), count)
        np.testing.assert_array_equal(found.samples, np.arange(total))
        assert sum(read) == total and found.condition is None and found.batch_size == 4
    samples, condition = first_samples(batches((4, 3, 2)), 5).first(5)
    np.testing.assert_array_equal(samples, np.arange(5))
    assert condition is None


def test_conditions_come_along():
    labels = first_samples(batches((4, 3), lambda start, stop: -np.arange(start, stop)), 6).first(6)[1]
    np.testing.assert_array_equal(labels, -np.arange(6))

    def named(start, stop):
        return {"label": np.arange(start, stop), "image": np.full((stop - start, 2), start)}

    condition = first_samples(batches((4, 3), named), 6).first(5)[1]
    np.testing.assert_array_equal(condition["label"], np.arange(5))
    np.testing.assert_array_equal(condition["image"], [[0, 0]] * 4 + [[4, 4]])


def test_no_samples():
    assert first_samples([]) is None
    assert first_samples(batches((0,))) is None


def test_time_ends_the_reading_after_a_batch():
    assert len(first_samples(batches((4, 3)), seconds=-1.0).samples) == 4
    assert len(first_samples(batches((4, 3)), seconds=1000.0).samples) == 7


def test_a_model_tells_samples_from_conditions():
    points = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices((points, np.arange(6) % 3)).batch(4)
    model = ganzoo.GAN.from_paper((2,), latent_dim=2, hidden=(2,), num_classes=3)
    samples, labels = first_samples(batches_of(model, dataset)).first(6)
    np.testing.assert_array_equal(samples, points)
    np.testing.assert_array_equal(labels, [0, 1, 2, 0, 1, 2])
    plain = ganzoo.GAN.from_paper((2,), latent_dim=2, hidden=(2,))
    assert first_samples(batches_of(plain, dataset)).condition is None


def test_mapped():
    assert mapped(len, None) is None
    assert mapped(len, [1, 2]) == 2
    assert mapped(len, {"a": [1], "b": [1, 2]}) == {"a": 1, "b": 2}
