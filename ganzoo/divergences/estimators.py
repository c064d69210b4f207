"""Estimates divergences between distributions from samples, by training a network.

A discriminator between samples x ~ p and y ~ q learns the density ratio, which gives the Jensen-Shannon divergence. A
critic with a bounded Lipschitz constant learns the Wasserstein distance. A generator in a GAN descends these
quantities. Here there is no generator.
"""

import math
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo import checks, losses
from ganzoo.constraints import clip_weights
from ganzoo.networks import mlp
from ganzoo.penalties import gradient_norms, gradient_penalty
from ganzoo.sampling import RandomStream

# Number of points that a network scores at a time.
CHUNK = 8192


class Estimate(NamedTuple):
    """A divergence estimated by training.

    Args:
        value: Float, the estimate on samples that were not used in training.
        network: `keras.Model`, points `(batch, dimensions)` -> scores `(batch, 1)`. Either the discriminator, whose
            score is a logit, or the critic.
    """

    value: float
    network: keras.Model


class DensityRatio:
    """The ratio p(x) / q(x) = D(x) / (1 - D(x)) of a discriminator D. Made by `estimate_density_ratio`.

    The discriminator outputs the logit of D, which is the logarithm of the ratio. So there is no division, and a ratio
    too large for a float still has a logarithm.

    Args:
        discriminator: `keras.Model`, points `(batch, dimensions)` -> logits `(batch, 1)`.
    """

    def __init__(self, discriminator):
        self.discriminator = discriminator

    def __call__(self, points):
        """Returns p / q at points `(number, dimensions)`, a float64 array `(number,)`, with `inf` above 1.8e308."""
        with np.errstate(over="ignore"):
            return np.exp(self.log(points))

    def log(self, points):
        """Returns log p - log q at points `(number, dimensions)`, a float64 array `(number,)`."""
        return scores_of(self.discriminator, check_points("points", points, self.discriminator)).astype("float64")


def estimate_density_ratio(x, y, network=None, hidden=(64, 64), steps=2000, batch_size=256, learning_rate=3e-3, seed=0):
    """Estimates p(x) / q(x) with a discriminator between samples of p and of q.

    For fixed p and q, the discriminator that minimises the cross entropy is D* = p / (p + q), so

        p(x) / q(x) = D*(x) / (1 - D*(x)) = exp(logit of D*(x))

    The ratio is good where both have samples. Elsewhere the network extrapolates. If the supports are disjoint, the
    true logarithm is infinite, and the estimate grows with the length of the training.

    Reference: [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), Proposition 1.
    [Sugiyama et al., 2012](https://doi.org/10.1017/CBO9781139035613), Chapter 4, for the method.

    Args:
        x, y: Float arrays `(samples, dimensions)` or `(samples,)`. Samples of p and of q, of about unit scale. Their
            numbers may differ.
        network: Built `keras.Model`, points -> scores, which is trained in place. Defaults to a `ganzoo.networks.mlp`
            discriminator with the layers `hidden`.
        hidden: Sizes of the hidden layers. Defaults to `(64, 64)`.
        steps: Integer, updates of the network. Defaults to `2000`, which takes a few seconds.
        batch_size: Integer, samples of each kind per update. Defaults to `256`.
        learning_rate: Float, initial learning rate of Adam. It decays to 0 by a cosine. Defaults to `3e-3`.
        seed: Integer, for the initial weights and the batches. Defaults to `0`.

    Returns:
        A `DensityRatio`, which you can call with points.

    Raises:
        ValueError: If samples are not finite, have different dimensions or are fewer than two, or if settings are not
            positive.

    Example:

    >>> rng = np.random.default_rng(0)
    >>> ratio = ganzoo.divergences.estimate_density_ratio(rng.normal(1, 1, 10_000), rng.normal(-1, 1, 10_000))
    >>> ratio.log([0.0, 1.0])  # The true values are 2 x: 0 and 2.
    """
    seed = checks.seed("seed", seed)
    x, y = check_samples(x, y, network)
    network = default_network(x, hidden, seed) if network is None else network
    train(network, cross_entropy, x, y, steps, batch_size, learning_rate, seed)
    return DensityRatio(network)


def estimate_jensen_shannon(
    x, y, network=None, hidden=(64, 64), steps=2000, batch_size=256, learning_rate=3e-3, held_out=0.25, seed=0
):
    """Estimates the Jensen-Shannon divergence, in nats, with a discriminator between samples of p and of q.

        JS(p, q) = log 2 + max_D (E_p[log D(x)] + E_q[log(1 - D(y))]) / 2

    The expectations are over samples that were not used in training. Up to the noise of these samples, the estimate is
    a lower bound, at most log 2 = 0.693. If the supports of p and q are disjoint, it approaches log 2 at any distance.
    A negative estimate means that the discriminator overfits.

    Reference: [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), Theorem 1,
    and [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), Section 4.2, where it is L/2 + log 2.

    Args:
        x, y, network, hidden, steps, batch_size, learning_rate: See `estimate_density_ratio`.
        held_out: Float between 0 and 1, the share of samples for the estimate, which are not used in training. Defaults
            to `0.25`.
        seed: Integer, for the split, the initial weights and the batches. Defaults to `0`.

    Returns:
        An `Estimate` with `value`, and the discriminator as `network`.

    Raises:
        ValueError: As `estimate_density_ratio`. Also if the training or held-out part would have fewer than two
            samples.

    Example:

    >>> rng = np.random.default_rng(0)
    >>> js, _ = ganzoo.divergences.estimate_jensen_shannon(rng.normal(1, 1, 10_000), rng.normal(-1, 1, 10_000))
    >>> js  # The true value is 0.337.
    """
    seed = checks.seed("seed", seed)
    (x, y), (held_out_x, held_out_y) = split(*check_samples(x, y, network), held_out, seed)
    network = default_network(x, hidden, seed) if network is None else network
    train(network, cross_entropy, x, y, steps, batch_size, learning_rate, seed)
    loss = losses.discriminator_cross_entropy(scores_of(network, held_out_x), scores_of(network, held_out_y))
    return Estimate(math.log(2.0) - float(loss) / 2.0, network)


def estimate_wasserstein(
    x,
    y,
    constraint="penalty",
    slope="mean",
    network=None,
    hidden=(64, 64),
    steps=2000,
    batch_size=256,
    learning_rate=3e-3,
    penalty_weight=10.0,
    clip_value=0.01,
    held_out=0.25,
    seed=0,
):
    """Estimates the Wasserstein-1 distance with a critic between samples of p and of q.

        W(p, q) = max over f of (E_p[f(x)] - E_q[f(y)]) / |f|_L

    |f|_L is the Lipschitz constant, the largest slope. In training, the penalty of WGAN-GP or weight clipping limits
    it, but does not make it 1. With the penalty it becomes 1 + W / (2 lambda), if all of the mass moves along the lines
    on which the penalty acts. With clipping it depends on the architecture. So the difference of the means is divided
    by a slope of the trained critic, the norm of its gradient on held-out samples:

    - `"mean"`: its mean on lines between samples of x and of y, where the penalty acts. It is the most exact choice for
      distributions that lie apart. A few kinks hardly disturb it, but it is not a bound.
    - `"max"`: the largest slope found, at the samples or between them. Up to the noise of the samples, the estimate is
      a lower bound. It is usually some per cent too small, and with clipping much too small.
    - `None`: no division. This is what the papers plot, a Wasserstein distance up to a constant.

    The expectations are over samples that were not used in training.

    Reference: [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), Equations 2 and 3 and Algorithm 1,
    and [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), Equation 3.

    Departures from the papers: Both constraints use Adam with a learning rate that decays to 0. There is no generator
    to follow, so the critic may converge.

    Args:
        x, y, network, hidden, steps, batch_size, learning_rate: See `estimate_density_ratio`.
        constraint: `"penalty"` (the default) or `"clip"`.
        slope: The slope to divide by: `"mean"` (the default), `"max"` or `None`.
        penalty_weight: Float, lambda. Defaults to `10.0`.
        clip_value: Float, c. Defaults to `0.01`.
        held_out, seed: See `estimate_jensen_shannon`.

    Returns:
        An `Estimate` with `value`, and the critic as `network`. The critic itself is not rescaled.

    Raises:
        ValueError: As `estimate_jensen_shannon`, or for another `constraint` or `slope`.

    Example:

    >>> rng = np.random.default_rng(0)
    >>> w, critic = ganzoo.divergences.estimate_wasserstein(rng.normal(1, 1, 10_000), rng.normal(-1, 1, 10_000))
    >>> w  # The true value is 2.
    """
    constraint = checks.choice("constraint", constraint, ("penalty", "clip"))
    slope = checks.choice("slope", slope, ("mean", "max", None))
    penalty_weight = checks.number("penalty_weight", penalty_weight, above=0)
    clip_value = checks.number("clip_value", clip_value, above=0)
    seed = checks.seed("seed", seed)
    (x, y), (held_out_x, held_out_y) = split(*check_samples(x, y, network), held_out, seed)
    network = default_network(x, hidden, seed) if network is None else network
    numbers = RandomStream(seed)

    def negated_estimate(critic, x, y):
        return ops.mean(critic(y)) - ops.mean(critic(x))

    def penalised(critic, x, y):
        return negated_estimate(critic, x, y) + penalty_weight * gradient_penalty(critic, x, y, numbers.uniform)

    if constraint == "clip":
        clip_weights(network, clip_value)
    objective = penalised if constraint == "penalty" else negated_estimate
    train(network, objective, x, y, steps, batch_size, learning_rate, seed)
    value = float(np.mean(scores_of(network, held_out_x)) - np.mean(scores_of(network, held_out_y)))
    if slope:
        between, at_samples = slopes(network, held_out_x, held_out_y, seed)
        value /= float(np.mean(between) if slope == "mean" else np.max(np.concatenate([between, at_samples])))
    return Estimate(value, network)


def cross_entropy(discriminator, x, y):
    """The discriminator's loss, which is 2 log 2 - 2 JS at its minimum."""
    return losses.discriminator_cross_entropy(discriminator(x), discriminator(y))


# === Training ===


class Opposition(keras.Model):
    """A model that minimises `objective(network, x, y)` over batches of x and y with Keras' `fit`."""

    def __init__(self, network, objective):
        super().__init__()
        self.network = network
        self.objective = objective
        self.built = True

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = self.objective(lambda points: ops.cast(self.network(points, training=True), "float32"), *data)
        weights = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return {"loss": loss}


def train(network, objective, x, y, steps, batch_size, learning_rate, seed):
    """Minimises `objective(critic, x, y)` over the network's weights, on batches drawn with replacement."""
    steps, batch_size = checks.counts(steps=steps, batch_size=batch_size)
    learning_rate = checks.number("learning_rate", learning_rate, above=0)
    model = Opposition(network, objective)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    # Run many steps per Python call. The number must divide the number of steps.
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, beta_1=0.5, beta_2=0.99), steps_per_execution=math.gcd(steps, 100)
    )
    # The seed has three streams: 0 for the split, 1 for the batches, 2 for the slopes.
    rng = np.random.default_rng([seed, 1])
    indices = [rng.integers(len(samples), size=(steps, batch_size)) for samples in (x, y)]
    x, y = tf.constant(x), tf.constant(y)
    data = tf.data.Dataset.from_tensor_slices(tuple(indices)).map(lambda i, j: (tf.gather(x, i), tf.gather(y, j)))
    model.fit(data, epochs=1, shuffle=False, verbose=0)


def default_network(x, hidden, seed):
    """An MLP whose initial weights depend only on the seed, whatever was drawn before."""
    network = mlp.discriminator(x.shape[1:], hidden=hidden)
    layers = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    # With the same seed, layers of equal shape would get equal weights.
    for layer, state in zip(layers, np.random.SeedSequence(seed).generate_state(len(layers))):
        initializer = layer.kernel_initializer
        initializer = initializer.from_config({**initializer.get_config(), "seed": int(state >> 1)})
        layer.kernel.assign(initializer(layer.kernel.shape))
    return network


def scores_of(network, points):
    """The scores of the network, a float32 array `(number,)`."""
    chunks = [points[start : start + CHUNK] for start in range(0, len(points), CHUNK)]
    return np.concatenate([np.ravel(ops.convert_to_numpy(network(chunk, training=False))) for chunk in chunks])


def slopes(network, x, y, seed=0):
    """Norms of the network's gradient, at a random point between each x and some y, and at all samples."""
    rng = np.random.default_rng([seed, 2])
    partners = y[rng.integers(len(y), size=len(x))]
    share = rng.uniform(size=(len(x), 1)).astype("float32")

    def norms(points):
        chunks = [tf.constant(points[start : start + CHUNK]) for start in range(0, len(points), CHUNK)]
        return np.concatenate([gradient_norms(lambda x: network(x, training=False), chunk) for chunk in chunks])

    return norms(share * x + (1 - share) * partners), norms(np.concatenate([x, y]))


# === Checks ===


def check_samples(x, y, network=None):
    """Returns both as float32 arrays `(samples, dimensions)` that fit the network."""
    x, y = check_points("x", x, network), check_points("y", y, network)
    if x.shape[1:] != y.shape[1:]:
        raise ValueError(
            f"`x` and `y` must be samples of the same dimensions. Received: x of shape {x.shape}, y of shape {y.shape}"
        )
    for name, samples in (("x", x), ("y", y)):
        if len(samples) < 2:
            raise ValueError(f"An estimate needs at least 2 samples of each kind. Received: {len(samples)} in `{name}`")
    return x, y


def check_points(name, points, network=None):
    """Returns a float32 array `(number, dimensions)`. `(number,)` becomes `(number, 1)`."""
    if network is not None:
        checks.check_built("network", network)
    points = checks.array(name, points, "float32")
    points = points[:, None] if points.ndim == 1 else points
    wanted = points.shape[1:] if network is None else network.inputs[0].shape[1:]
    if points.ndim != 2 or points.shape[1:] != wanted:
        dimensions = "dimensions" if network is None else wanted[0]
        raise ValueError(
            f"`{name}` must be an array (samples, {dimensions}), or (samples,) in one dimension. Received shape: "
            f"{points.shape}"
        )
    if not np.isfinite(points).all():
        raise ValueError(f"`{name}` must be finite. Received: {np.sum(~np.isfinite(points))} values that are not.")
    return points


def split(x, y, held_out, seed):
    """The training `(x, y)` and the held-out `(x, y)`, which is a random share of each."""
    held_out = checks.number("held_out", held_out, above=0, below=1)
    rng = np.random.default_rng([seed, 0])
    parts = []
    for name, samples in (("x", x), ("y", y)):
        count = round(held_out * len(samples))
        if not 2 <= count <= len(samples) - 2:
            raise ValueError(
                f"Training and estimate need 2 samples at least. Received: {len(samples)} in `{name}`, with "
                f"held_out={held_out}, leaves {len(samples) - count} and {count}."
            )
        shuffled = samples[rng.permutation(len(samples))]
        parts.append((shuffled[count:], shuffled[:count]))
    return tuple(zip(*parts))
