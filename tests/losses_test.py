import math

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import losses

REAL = tf.constant([[0.0], [math.log(3)]])  # D = 1/2, 3/4
FAKE = tf.constant([[0.0], [-math.log(3)]])  # D = 1/2, 1/4


def test_cross_entropy_of_the_discriminator():
    # -(log 1/2 + log 3/4) / 2 - (log(1 - 1/2) + log(1 - 1/4)) / 2 = -(log 3/8) / 2 - (log 3/8) / 2 = log 8/3
    loss = losses.discriminator_cross_entropy(REAL, FAKE)
    assert loss.dtype == tf.float32 and loss.shape == ()
    np.testing.assert_allclose(loss, math.log(8 / 3), rtol=1e-6)


def test_a_discriminator_that_knows_nothing():
    zeros = tf.zeros((5, 1))
    np.testing.assert_allclose(losses.discriminator_cross_entropy(zeros, zeros), 2 * math.log(2), rtol=1e-6)


def test_non_saturating_loss_of_the_generator():
    # -(log 1/2 + log 1/4) / 2 = (log 8) / 2
    np.testing.assert_allclose(losses.non_saturating_generator_loss(FAKE), math.log(8) / 2, rtol=1e-6)


def test_minimax_loss_of_the_generator():
    # (log(1 - 1/2) + log(1 - 1/4)) / 2 = (log 3/8) / 2
    np.testing.assert_allclose(losses.minimax_generator_loss(FAKE), math.log(3 / 8) / 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "score", "value", "slope"),
    [
        # -log sigmoid(s) is -s for a score far below zero and 0 far above; -log(1 - sigmoid(s)) = s far above.
        (losses.non_saturating_generator_loss, -1e4, 1e4, -1.0),
        (losses.non_saturating_generator_loss, 1e4, 0.0, 0.0),
        (losses.minimax_generator_loss, -1e4, 0.0, 0.0),
        (losses.minimax_generator_loss, 1e4, -1e4, -1.0),
        (lambda s: losses.discriminator_cross_entropy(s, -s), -1e4, 2e4, -2.0),
        (lambda s: losses.discriminator_cross_entropy(s, -s), 1e4, 0.0, 0.0),
    ],
)
def test_sure_scores_stay_exact(loss, score, value, slope):
    scores = tf.constant([[score]])
    with tf.GradientTape() as tape:
        tape.watch(scores)
        result = loss(scores)
    np.testing.assert_allclose(result, value, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(result, scores), [[slope]], atol=1e-6)


def test_the_mean_is_over_all_scores_of_any_shape():
    scores = tf.random.stateless_normal((4, 3, 3, 1), (1, 2))
    for loss in (losses.non_saturating_generator_loss, losses.minimax_generator_loss):
        np.testing.assert_allclose(loss(scores), loss(tf.reshape(scores, (-1, 1))), rtol=1e-6)


def test_least_squares():
    real, fake = tf.constant([[0.5], [2.0]]), tf.constant([[1.0], [-3.0]])
    # ((0.5 - 1)^2 + (2 - 1)^2) / 2 = 0.625;  (1 + 9) / 2 = 5;  ((1 - 1)^2 + (-3 - 1)^2) / 2 = 8
    np.testing.assert_allclose(losses.least_squares_discriminator_loss(real, fake), (0.625 + 5) / 2, rtol=1e-6)
    np.testing.assert_allclose(losses.least_squares_generator_loss(fake), 8 / 2, rtol=1e-6)


def test_hinge():
    real, fake = tf.constant([[0.5], [2.0]]), tf.constant([[0.5], [-3.0]])
    # (0.5 + 0) / 2 + (1.5 + 0) / 2
    np.testing.assert_allclose(losses.hinge_discriminator_loss(real, fake), 1.0, rtol=1e-6)
    np.testing.assert_allclose(losses.hinge_generator_loss(fake), 1.25, rtol=1e-6)


def test_relativistic_pairs():
    # log(1 + e^-(a - b)) for a - b = 0 and log 3: log 2 and log 4/3
    better, worse = tf.constant([[1.0], [math.log(3) - 2]]), tf.constant([[1.0], [-2.0]])
    np.testing.assert_allclose(losses.relativistic_loss(better, worse), math.log(8 / 3) / 2, rtol=1e-6)
    # The other way round the second pair is 0 - log 3: log 2 and log 4.
    np.testing.assert_allclose(losses.relativistic_loss(worse, better), math.log(8) / 2, rtol=1e-6)
    np.testing.assert_allclose(losses.relativistic_loss(better + 1e4, worse - 1e4), 0.0, atol=1e-6)
    np.testing.assert_allclose(losses.relativistic_loss(worse - 1e4, better + 1e4), 2e4, rtol=1e-3)
