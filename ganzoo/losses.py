"""Losses as pure functions of scores.

A score is a logit: the discriminator has no sigmoid at its end, and D(x) = sigmoid(score). Every function takes float
scores of any shape, and returns the mean as a float32 scalar.
"""

from keras import ops


def discriminator_cross_entropy(real_scores, fake_scores):
    """Negated value function of the discriminator: `-E[log D(x)] - E[log(1 - D(G(z)))]`.

    It is 2 log 2 = 1.386 for a discriminator that knows nothing.

    Reference: [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), Equation 1.
    """
    return ops.mean(ops.softplus(-real_scores)) + ops.mean(ops.softplus(fake_scores))


def non_saturating_generator_loss(fake_scores):
    """`-E[log D(G(z))]`: strong gradients while the discriminator rejects the samples.

    Reference: [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), end of Section 3.
    """
    return ops.mean(ops.softplus(-fake_scores))


def minimax_generator_loss(fake_scores):
    """`E[log(1 - D(G(z)))]`, the generator's part of the two-player game itself.

    Reference: [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), Equation 1 and Algorithm 1.
    """
    return -ops.mean(ops.softplus(fake_scores))
