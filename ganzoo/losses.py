"""Losses as pure functions of scores.

A score is a logit: the discriminator has no sigmoid at its end, and D(x) = sigmoid(score). Every function takes float
scores of any shape, and returns the mean as a float32 scalar.
"""

import functools
import inspect

import keras
import tensorflow as tf
from keras import ops

from ganzoo import checks


def of_scores(loss):
    """Makes a loss turn its arguments into tensors first, as a decorator: what is no array of floats is refused."""
    names = list(inspect.signature(loss).parameters)

    @functools.wraps(loss)
    def checked(*args, **kwargs):
        given = dict(zip(names, args, strict=False)) | kwargs
        return loss(**{name: as_scores(name, value) for name, value in given.items()})

    return checked


def as_scores(name, value):
    """Returns scores as a float tensor. What is no tensor yet becomes float32."""
    if not tf.is_tensor(value) and not keras.backend.is_keras_tensor(value):
        return tf.convert_to_tensor(checks.array(name, value, "float32"))
    return value if tf.as_dtype(value.dtype).is_floating else ops.cast(value, "float32")


@of_scores
def discriminator_cross_entropy(real_scores, fake_scores):
    """Negated value function of the discriminator: `-E[log D(x)] - E[log(1 - D(G(z)))]`.

    It is 2 log 2 = 1.386 for a discriminator that knows nothing.

    Reference: [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), Equation 1.
    """
    return ops.mean(ops.softplus(-real_scores)) + ops.mean(ops.softplus(fake_scores))


@of_scores
def non_saturating_generator_loss(fake_scores):
    """`-E[log D(G(z))]`: strong gradients while the discriminator rejects the samples.

    Reference: [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), end of Section 3.
    """
    return ops.mean(ops.softplus(-fake_scores))


@of_scores
def minimax_generator_loss(fake_scores):
    """`E[log(1 - D(G(z)))]`, the generator's part of the two-player game itself.

    Reference: [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), Equation 1 and Algorithm 1.
    """
    return -ops.mean(ops.softplus(fake_scores))


@of_scores
def least_squares_discriminator_loss(real_scores, fake_scores):
    """`(E[(D(x) - 1)^2] + E[D(G(z))^2]) / 2`, where D is the score itself, without a sigmoid.

    Reference: [Mao et al., 2016](https://arxiv.org/abs/1611.04076), Equation 9 (a = 0, b = 1).
    """
    return (ops.mean(ops.square(real_scores - 1.0)) + ops.mean(ops.square(fake_scores))) / 2.0


@of_scores
def least_squares_generator_loss(fake_scores):
    """`E[(D(G(z)) - 1)^2] / 2`.

    Reference: [Mao et al., 2016](https://arxiv.org/abs/1611.04076), Equation 9 (c = 1).
    """
    return ops.mean(ops.square(fake_scores - 1.0)) / 2.0


@of_scores
def hinge_discriminator_loss(real_scores, fake_scores):
    """`E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]`: scores beyond the margin have no gradient.

    Reference: [Lim and Ye, 2017](https://arxiv.org/abs/1705.02894); [Miyato et al.,
    2018](https://arxiv.org/abs/1802.05957), Equation 16.
    """
    return ops.mean(ops.relu(1.0 - real_scores)) + ops.mean(ops.relu(1.0 + fake_scores))


@of_scores
def hinge_generator_loss(fake_scores):
    """`-E[D(G(z))]`.

    Reference: [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), Equation 17.
    """
    return -ops.mean(fake_scores)


@of_scores
def relativistic_loss(better_scores, worse_scores):
    """`E[-log sigmoid(a - b)]` of pairs: how surely the first of each pair has the higher score.

    The discriminator's loss has real samples first, the generator's generated ones. log 2 = 0.693 where all are equal.

    Reference: [Jolicoeur-Martineau, 2018](https://arxiv.org/abs/1807.00734), Section 3.2; [Huang et al.,
    2025](https://arxiv.org/abs/2501.05441), Equation 2.
    """
    if not better_scores.shape.is_compatible_with(worse_scores.shape):
        raise ValueError(
            "`better_scores` and `worse_scores` must be pairs. Received: shapes "
            f"{tuple(better_scores.shape)} and {tuple(worse_scores.shape)}"
        )
    return ops.mean(ops.softplus(worse_scores - better_scores))


@of_scores
def lecam_loss(real_scores, fake_scores, real_anchor, fake_anchor):
    """`E[max(0, D(x) - a_F)^2] + E[max(0, a_R - D(G(z)))^2]`: scores that run away from the other side's mean cost.

    The anchors a_R and a_F are running means of the scores of real and of generated samples. The form with the maximum
    is the authors' code's. The paper prints it without: then a discriminator is also pulled where it is on the wrong
    side, so that scores (-1, 1) with both anchors at 0 would cost 2 and not 0.

    Reference: [Tseng et al., 2021](https://arxiv.org/abs/2104.03310), Equation 4.
    """
    for name, anchor in (("real_anchor", real_anchor), ("fake_anchor", fake_anchor)):
        if len(anchor.shape):
            raise ValueError(
                f"`{name}` must be a number, the mean of scores. Received: an array of shape {anchor.shape}"
            )
    runaway_real, runaway_fake = ops.relu(real_scores - fake_anchor), ops.relu(real_anchor - fake_scores)
    return ops.mean(ops.square(runaway_real)) + ops.mean(ops.square(runaway_fake))
