"""What a critic shows, and where a fault begins. Looks at models are tested in callbacks/critic_diagnostics_test.py."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganzoo.health.critic import faults_of, layers_of_the_score, minibatches, one_a_sample, summary


def test_a_map_of_scores_counts_as_its_mean():
    scores = one_a_sample(tf.constant([[[1.0], [3.0]], [[5.0], [9.0]]], "float16"))
    np.testing.assert_array_equal(scores, [2.0, 7.0])
    assert scores.dtype == "float32"


def seen_like(gradients=(1.0, 1.0, 1.0), training=(1.0,) * 32, held_out=(1.0,) * 32, weights=(), clip_value=None):
    """What `look` returns, for made-up values."""
    return {
        "training_real": np.array(training),
        "held_out_real": np.array(held_out),
        **{name: np.zeros(32) for name in ("training_fake", "held_out_fake", "training_loss", "held_out_loss")},
        "norms": np.ones(32),
        "score_gradients": np.array([gradients]),
        "loss_gradients": np.array([gradients]),
        "score_layers": [f"layer_{index}" for index in range(len(gradients))],
        "loss_layers": [f"layer_{index}" for index in range(len(gradients))],
        "weights": np.array(weights),
        "clip_value": clip_value,
    }


def named(**values):
    seen = seen_like(**values)
    return [fault.name for fault in faults_of(seen, summary(seen))]


def test_where_a_fault_begins():
    assert named() == []
    assert named(gradients=(0.0011, 1.0, 1.0)) == named(gradients=(999.0, 1.0, 1.0)) == []
    assert named(gradients=(0.0009, 1.0, 1.0)) == ["vanishing_layers"]
    assert named(gradients=(0.0, 0.0, 1.0)) == ["vanishing_layers"]
    assert named(gradients=(1001.0, 1.0, 1.0)) == ["exploding_layers"]
    assert named(gradients=(np.nan, 1.0, 1.0)) == named(gradients=(1.0, np.inf, 1.0)) == ["exploding_layers"]
    assert named(gradients=(1.0,)) == named(gradients=(1e-9, 1.0)) == []  # A single hidden layer has no other.
    clipped = {"clip_value": 0.01}
    assert named(weights=[1.0, -1.0] * 9 + [0.5] * 2, **clipped) == []
    assert named(weights=[1.0, -1.0] * 9 + [0.995] + [0.5], **clipped) == ["weights_at_the_clip"]
    # Scores of 1 for training samples, 0.4 for held-out ones, 0 for generated ones.
    spread = 0.1 * np.tile([1.0, -1.0], 16)
    assert named(training=1.0 + spread, held_out=0.4 + spread) == ["overfitting_critic"]
    assert named(training=1.0 + spread, held_out=0.6 + spread) == []  # A small part of the estimate.
    assert named(training=1.0 + 9 * spread, held_out=0.4 + 9 * spread) == []  # By chance.
    assert named(training=1.0 + spread[:30], held_out=0.4 + spread[:30]) == []  # Too few.
    many = 1.3 * np.tile([1.0, -1.0], 1000)
    assert named(training=1.0 + many, held_out=0.3 + many) == ["overfitting_critic"]
    assert named(training=1.0 + many, held_out=0.4 + many) == []  # Not by chance, but less than half of the spread.
    assert named(training=spread - 1.0, held_out=spread - 0.4) == []  # The critic is wrong, not overfitting.


def test_layers_on_the_way_from_the_sample_to_the_score():
    """Not those of labels, of other outputs, without a kernel, or used twice."""
    image, label = keras.Input((4,), name="image"), keras.Input((4,), name="label")
    x = layers.Dense(4, name="first")(image)
    x = layers.LayerNormalization(name="scale")(x)
    shared = layers.Dense(4, name="twice")
    x = shared(shared(x))
    x = layers.Add()([x, layers.Dense(4, name="of_the_label")(label)])
    x = layers.Dense(4, name="last")(x)
    outputs = {"scores": layers.Dense(1, name="score")(x), "classes": layers.Dense(3, name="classes")(x)}
    network = keras.Model([image, label], outputs)
    assert [layer.name for layer in layers_of_the_score(network)] == ["first", "last", "score"]


def test_whole_minibatches_of_both_kinds():
    training = np.arange(10.0), np.arange(10)
    held_out = np.arange(100.0, 107.0), None
    batches = minibatches(training, held_out, batch_size=3, packing=1)
    assert [batch[0].numpy().tolist() for batch in batches] == [[0, 1, 2], [3, 4, 5]]
    assert [batch[1].numpy().tolist() for batch in batches] == [[0, 1, 2], [3, 4, 5]]
    assert [batch[2].numpy().tolist() for batch in batches] == [[100, 101, 102], [103, 104, 105]]
    assert [batch[3] for batch in batches] == [None, None]
    (few,) = minibatches(training, held_out, batch_size=64, packing=2)  # One smaller minibatch, of whole packs.
    assert len(few[0]) == len(few[2]) == 6
    with pytest.raises(ValueError, match="packs of 8 samples of each kind. Received: 7 held-out and 10 training"):
        minibatches(training, held_out, batch_size=64, packing=8)
