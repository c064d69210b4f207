"""The batch size is the dataset's, whatever batch comes first."""

import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.training.feed import Feed

Dataset = tf.data.Dataset
SAMPLES = np.linspace(-1, 1, 200 * 2, dtype="float32").reshape(200, 2)


def batched():
    return Dataset.from_tensor_slices(SAMPLES).batch(64)


def of_sizes(*sizes):
    signature = tf.TensorSpec((None, 2), "float32")
    return Dataset.from_generator(lambda: (SAMPLES[:size] for size in sizes), output_signature=signature)


def model():
    return ganzoo.GAN.from_paper((2,), hidden=(2,), latent_dim=2)


@pytest.mark.parametrize("seed", range(20))
def test_a_shuffle_of_batches_may_put_the_smallest_first(seed):
    feed = Feed(model(), batched().cache().shuffle(1000, seed=seed))
    assert (feed.batch_size, feed.batches_per_epoch, feed.left_out) == (64, 3, 8)
    assert [len(batch) for batch in feed.from_step(0).take(6)] == [64] * 6


@pytest.mark.parametrize(
    ("dataset", "steps_per_epoch", "expected"),
    [
        (batched, None, (64, 3, 8)),
        (lambda: batched().map(lambda x: -x).prefetch(2), None, (64, 3, 8)),
        (lambda: batched().repeat(2), None, (64, 6, 16)),
        (lambda: batched().shuffle(9, seed=3).repeat(), 5, (64, None, 0)),
        (lambda: Dataset.from_tensor_slices(SAMPLES).filter(lambda x: x[0] < 0).batch(32), None, (32, 3, 4)),
        (lambda: of_sizes(5, 64, 64, 64), None, (64, 3, 5)),
        (lambda: of_sizes(5, 64, 64, 64), 4, (64, None, 0)),
        (lambda: Dataset.from_tensor_slices(SAMPLES).batch(50, drop_remainder=True), None, (50, 4, 0)),
    ],
)
def test_size_and_what_is_left_out(dataset, steps_per_epoch, expected):
    feed = Feed(model(), dataset(), steps_per_epoch=steps_per_epoch)
    assert (feed.batch_size, feed.batches_per_epoch, feed.left_out) == expected


def test_what_is_left_out_is_said_once(capsys):
    gan = model()
    gan.compile("sgd", "sgd", run_eagerly=True)
    gan.fit(batched(), epochs=2, verbose=2)
    assert capsys.readouterr().out.count("Each epoch leaves out 8 samples, which fill no step of 64.") == 1


def test_validation_uses_full_batches(capsys):
    gan = model()
    gan.compile("sgd", "sgd", run_eagerly=True)
    whole = gan.evaluate(Dataset.from_tensor_slices(SAMPLES[:192]).batch(64), verbose=0, return_dict=True)
    # 8 samples first, as a shuffle may have it, and the same full batches after them.
    first = (
        Dataset.from_tensor_slices(SAMPLES[192:])
        .batch(64)
        .concatenate(Dataset.from_tensor_slices(SAMPLES[:192]).batch(64))
    )
    assert gan.evaluate(first, verbose=0, return_dict=True) == whole
