"""Vital signs of a training: a few numbers about a model, from a fixed batch of samples."""

import numpy as np
import tensorflow as tf

from ganzoo.health.model_checks import gives_scores
from ganzoo.health.no_trace import no_trace
from ganzoo.health.stand_in import StandIn
from ganzoo.networks import graph
from ganzoo.sampling import SeededNumbers
from ganzoo.training import feed
from ganzoo.training.first_samples import batches_of, first_samples, mapped

_SIDE = 32  # Larger images are averaged down to this side before comparing them.
_REFERENCE = 1024  # Number of real samples whose labels are compared.
_WIDTH = 0.15  # Kernel width for counting samples, in units of the median distance between real samples.


class VitalSigns:
    """Measures a model and leaves no trace in it.

    Samples from a fixed set of latents are compared with a fixed batch of real samples. They come from the generator
    itself, not from its average. Images are compared as pixels, averaged down to 32 a side. For adversarial models, the
    discriminator's scores of both are computed, and the gradients of score and loss with respect to the generated
    samples.

    Args:
        model: `GenerativeModel`, in `fit`. The real samples are the first samples of its data.
        num_samples: Integer, at least 2.
        seed: Integer, for the latents.

    Attributes:
        data: Dictionary of facts about the real samples. `spread` is the mean pairwise distance, divided by the
            distance between opposite corners of [-1, 1], or by the mean length for points. `distinct` is the share of
            different samples. With labels, `label_agreement` is how often a sample's nearest neighbour has its label,
            and `label_chance` how often two random samples share a label, among `label_count` samples.
    """

    def __init__(self, model, num_samples=128, seed=0):
        self.model = model
        self.packs = num_samples // model.packing
        count = self.packs * model.packing
        kind = model.conditions
        wanted = max(count, _REFERENCE if model.num_classes else 0)
        real, condition = first_samples(float_batches(model), wanted).first(wanted)
        while len(real) < count:  # With few samples, use each several times.
            real = np.concatenate([real, real])[:count]
            condition = mapped(lambda part: np.concatenate([part, part])[:count], condition)
        self.labels = condition if kind.label is not None and len(kind) == 1 else None
        self.reference = flatten(real)
        self.real = tf.constant(real[:count])
        self.condition = kind.cast(mapped(lambda part: tf.constant(part[:count]), condition))
        self.latents = model.prior(SeededNumbers(seed), count) if model.has_latents else None
        self.points = self.reference[:count]
        self.spread = mean_distance(distances(self.points, self.points))
        self.data = self._look_at_data()
        self._before = None
        self._ignorance = None

    def look(self):
        """Computes the vital signs, a dictionary of floats.

        - `diversity`: effective number of different samples, relative to real samples (see `effective_number`).
        - `distance`: energy distance between both kinds of samples, relative to the mean distance between real samples.
          It is 0 for equal distributions, and grows with the distance between them, without an upper limit.
        - `change`: how far the samples have moved since the last look, relative to the mean distance between real
          samples.
        - `pinned`, `pinned_real`: share of pixels beyond +-0.999.
        - `label_agreement`: how often the nearest real sample has the label of the generated sample.
        - `label_floor`: a twentieth of the way from chance to the agreement among real samples.
        - `slope`, `push`: norm of the gradient of the discriminator's score, and of the generator's loss, at a
          generated sample. Both are medians.
        - `reach`: `slope` times the distance from a generated to a real sample.
        - `gap`: mean score of real samples minus mean score of generated samples.
        - `score_spread`: range of all scores.
        - `ignorance`: the discriminator's loss if it knows nothing.
        - `bounded`: 1 if that loss has a lower bound, 0 if it has not, as for a Wasserstein distance.

        If samples are not finite, `finite` is 0 and there are no other signs.
        """
        model = self.model
        with no_trace(model):
            samples = np.asarray(model.apply_generator(model.generator, self.latents, self.condition, training=False))
            if not np.isfinite(samples).all():
                return {"finite": 0.0}
            signs = {"finite": 1.0, **self._of_samples(samples)}
            if gives_scores(model):
                signs |= self._of_discriminator()
        return {name: float(value) for name, value in signs.items()}

    def _of_samples(self, samples):
        points = flatten(samples)
        inside, across = distances(points, points), distances(points, self.points)
        apart = max(self.spread, 1e-12)
        signs = {"diversity": effective_number(inside, _WIDTH * self._median) / self._effective_number}
        signs["distance"] = (2 * across.mean() - mean_distance(inside) - self.spread) / apart
        if self._before is not None:
            signs["change"] = np.linalg.norm(points - self._before, axis=1).mean() / apart
        self._before = points
        if samples.ndim == 4:
            signs["pinned"] = np.mean(np.abs(samples) > 0.999)
            signs["pinned_real"] = np.mean(np.abs(self.real) > 0.999)
        if self.labels is not None:
            nearest = distances(points, self.reference).argmin(axis=1)
            signs["label_agreement"] = np.mean(self.labels[nearest] == self.labels[: len(points)])
            chance = self.data["label_chance"]
            signs["label_floor"] = chance + 0.05 * (self.data["label_agreement"] - chance)
        return signs

    def _of_discriminator(self):
        model = self.model
        real, fake = model.real_and_fake(self.real, self.condition, training=False)
        critic = model.critic(self.condition, training=False)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(fake)
            fake_scores = mean_per_sample(critic(fake))
            loss = model.generator_loss(critic, real, fake)
        real_scores = mean_per_sample(critic(real)).numpy()
        slope = median_norm(tape.gradient(fake_scores, fake))
        # The loss is a mean over samples, which divides each gradient by their number.
        push = median_norm(tape.gradient(loss, fake)) * len(fake)
        fake_scores = fake_scores.numpy()
        # With other outputs, the loss changes over time.
        if self._ignorance is None or graph.has_heads(model.discriminator):
            self._ignorance, self._bounded = limits_of_loss(model, real, fake, self.condition)
        both = np.concatenate([real_scores, fake_scores])
        return {
            "slope": slope,
            "push": push,
            "reach": slope * np.median(distances(flatten(fake), flatten(real))),
            "gap": real_scores.mean() - fake_scores.mean(),
            "score_spread": np.ptp(both),
            "ignorance": self._ignorance,
            "bounded": self._bounded,
        }

    def _look_at_data(self):
        inside = distances(self.points, self.points)
        self._median = max(np.median(inside[~np.eye(len(inside), dtype=bool)]), 1e-12)
        self._effective_number = effective_number(inside, _WIDTH * self._median)
        length = np.linalg.norm(self.points, axis=1).mean()
        if self.real.ndim == 4:
            length = 2 * np.sqrt(self.points.shape[1])
        data = {"spread": self.spread / max(length, 1e-12)}
        data["distinct"] = len(np.unique(self.points.round(6), axis=0)) / len(self.points)
        if self.labels is not None:
            between = distances(self.reference, self.reference)
            # A sample is not its own neighbour.
            np.fill_diagonal(between, np.inf)
            shares = np.bincount(self.labels) / len(self.labels)
            data["label_agreement"] = float(np.mean(self.labels[between.argmin(axis=1)] == self.labels))
            data["label_chance"] = float(np.sum(shares**2))
            data["label_count"] = len(self.labels)
        return data


def float_batches(model):
    """The data of `fit` from the beginning, as pairs of float32 samples and conditions, in arrays."""
    for samples, condition in batches_of(model, model.feed.dataset):
        yield feed.to_float(tf.constant(samples)).numpy(), condition


def flatten(samples):
    """Float64 vectors `(count, dimensions)` of samples. Images are averaged down to at most 32 pixels a side."""
    samples = np.asarray(samples, "float64")
    if samples.ndim == 4:
        count, height, width, channels = samples.shape
        down, across = -(-height // _SIDE), -(-width // _SIDE)
        samples = samples[:, : height // down * down, : width // across * across]
        samples = samples.reshape(count, height // down, down, width // across, across, channels).mean(axis=(2, 4))
    return samples.reshape(len(samples), -1)


def distances(first, second):
    """Euclidean distances `(n, m)` between the rows of two matrices."""
    # Use TensorFlow's product, because NumPy's threads would compete with those used in training.
    products = tf.linalg.matmul(first, second, transpose_b=True).numpy()
    squares = np.sum(first**2, axis=1)[:, None] + np.sum(second**2, axis=1) - 2 * products
    return np.sqrt(np.maximum(squares, 0.0))


def mean_distance(matrix):
    """Mean distance between different samples."""
    count = len(matrix)
    return (matrix.sum() - np.trace(matrix)) / (count * (count - 1))


def effective_number(matrix, width):
    """Effective number of different samples, from 1 to n: the Vendi score with a Gaussian kernel.

        exp(-sum_i l_i log l_i),   l the eigenvalues of K / n,   K_ij = exp(-d_ij^2 / (2 width^2))

    n samples in m distant clusters of equal size count as m.

    Reference: [Friedman & Dieng, 2022](https://arxiv.org/abs/2210.02410), Definition 3.1.

    Args:
        matrix: Distances `(n, n)`.
        width: Float, the distance at which two samples start to count as different.
    """
    kernel = np.exp(-0.5 * (matrix / width) ** 2)
    # Rounding may make the distance from a sample to itself positive.
    np.fill_diagonal(kernel, 1.0)
    shares = np.linalg.eigvalsh(kernel / len(kernel))
    shares = shares[shares > 1e-12]
    return float(np.exp(-np.sum(shares * np.log(shares))))


def limits_of_loss(model, real, fake, condition=None):
    """The discriminator's loss if it knows nothing, and whether the loss has a lower bound.

    Critics with constant scores probe the loss. In the first case both kinds of samples get the same score, and the
    best score counts. In the second case the scores are far apart.

    Args:
        model: `AdversarialModel`.
        real, fake: Float32 tensors, samples as the discriminator sees them.
        condition: Batch of conditions. Defaults to `None`.

    Returns:
        Two floats, the second is 0 or 1. NaN and 0 if the loss does not use the critic's scores.
    """
    critic = StandIn(model, None, condition)

    def loss(real_score, fake_score):
        def scores(samples):
            score = real_score if samples is real else fake_score
            # A constant score has no gradient, but penalties need a gradient, even of 0.
            return score + 0.0 * tf.reduce_sum(tf.reshape(samples, (len(samples), -1)), axis=1, keepdims=True)

        critic.scores = scores
        return float(model.discriminator_loss(critic, real, fake))

    try:
        ignorance = min(loss(score, score) for score in np.linspace(-1, 1, 9, dtype="float32"))
        apart = min(loss(np.float32(score), np.float32(-score)) for score in (1, 10, 100))
    except Exception:  # A user's loss may do anything with its critic. That must not stop the training.
        return np.nan, 0.0
    return ignorance, float(apart > -0.5)


def mean_per_sample(scores):
    """The mean score of each sample over all its patches."""
    return tf.reduce_mean(tf.reshape(scores, (len(scores), -1)), axis=1)


def median_norm(gradients):
    """The median norm of the samples' gradients, or 0 without gradients."""
    if gradients is None:
        return 0.0
    return float(np.median(np.linalg.norm(np.reshape(gradients, (len(gradients), -1)), axis=1)))
