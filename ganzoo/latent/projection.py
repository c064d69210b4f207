"""Projection of your own image into the latents: inversion of a generator."""

import dataclasses

import numpy as np
import tensorflow as tf

from ganzoo import checks, images
from ganzoo.latent.space import draw, rows_of, samples_of, space_of
from ganzoo.metrics.defaults import default_features
from ganzoo.metrics.distances import nearest
from ganzoo.metrics.features.base import Features, as_features
from ganzoo.metrics.pairs import PEAK, of_pairs, squared_error
from ganzoo.progress import Progress

RAMP_UP, RAMP_DOWN = 0.05, 0.25  # Shares of the steps, as in StyleGAN2's projector.
BETAS, EPSILON = (0.9, 0.999), 1e-8


@dataclasses.dataclass(frozen=True)
class Projection:
    """The result of `project` for each image.

    Args:
        latents: Float32 array `(count, ...)`.
        images: Float32 array `(count, ...)` in [-1, 1], the samples of these latents.
        targets: Float32 array, the given images.
        psnr: Float array `(count,)`, dB: `10 log10(255^2 / mean squared error)` after rounding to 8 bits.
        losses: Float array `(count, starts)`, the final loss of each start.
        space: `"z"` or `"w"`.
    """

    latents: np.ndarray
    images: np.ndarray
    targets: np.ndarray
    psnr: np.ndarray
    losses: np.ndarray
    space: str = "z"

    def picture(self, **settings):
        """A picture of the images, with the samples found below. Settings as in `ganzoo.images.grid`."""
        rows = np.concatenate([self.targets, self.images])
        return images.grid(rows, columns=len(self.targets), **settings)


def project(
    model,
    targets,
    steps=None,
    starts=4,
    learning_rate=0.1,
    features="default",
    feature_weight=0.1,
    prior_weight=0.0,
    candidates=1000,
    seed=0,
    space=None,
    condition=None,
    batch_size=256,
):
    """Finds latents whose samples are like given images.

        min over z:  mean (G(z) - x)^2 + feature_weight |f(G(z)) - f(x)|^2 / |f(x)|^2 + prior_weight mean z^2

    The loss has many local minima. So `project` generates `candidates` samples, starts at the `starts` samples nearest
    to each image, moves all of them by Adam, and keeps the start with the least loss. The learning rate rises over the
    first 5 % of the steps and falls over the last 25 %, as in StyleGAN2's projector.

    A model with an encoder, such as a VAE, starts only from the latents that it encodes the image to, and `steps`
    defaults to 0.

    Reference: [Karras et al., 2019](https://arxiv.org/abs/1912.04958), Appendix D,
    [Creswell & Bharath, 2016](https://arxiv.org/abs/1611.05644), Section 2.

    Args:
        model: `ganzoo.GenerativeModel` with latents.
        targets: Images `(count, *model.image_shape)`, uint8 or floats in [-1, 1], or points.
        steps: Integer. Defaults to `None`: 500, or 0 for a model with an encoder.
        starts: Integer, the number of starts for each image. Defaults to `4`.
        learning_rate: Float, of Adam. Defaults to `0.1`.
        features: Network of `ganzoo.metrics.features` for the second term, `None` for pixels alone, or `"default"`: the
            network that `ganzoo.metrics.default_metrics` chooses for the images, at a quick size.
        feature_weight: Float. 0 compares only pixels. Defaults to `0.1`.
        prior_weight: Float, pulls the latents, or the points of W, towards 0. Defaults to `0.0`.
        candidates: Integer, the number of samples to choose the starts from. Defaults to `1000`.
        seed: Integer, the seed of the candidates. Defaults to `0`.
        space: `"z"` or `"w"`. Defaults to `None`: W if the generator has a mapping network.
        condition: As in `generate`, for all images, or a list with a condition for each. Defaults to `None`.
        batch_size: Integer, the number of latents that move at once. Defaults to `256`.

    Returns:
        A `Projection`.

    Raises:
        ValueError: If the images do not fit the model, or the features have no gradient.

    Example:

    >>> found = ganzoo.latent.project(model, photos)
    >>> ganzoo.images.save_png("found.png", found.picture())
    """
    space = space_of(model, space)
    targets = samples_of(model, "targets", targets)
    starts, candidates, batch_size = checks.counts(starts=starts, candidates=candidates, batch_size=batch_size)
    seed, rate = checks.check_seed(seed), checks.check_positive("learning_rate", learning_rate)
    weights = [checks.check_weight("feature_weight", feature_weight), checks.check_weight("prior_weight", prior_weight)]
    encodes = hasattr(model, "encode") and space.name == "z"
    steps = checks.integer("steps", (0 if encodes else 500) if steps is None else steps, least=0, most=1_000_000)
    count, condition = model.conditions.for_samples(condition, len(targets))
    features = network_of(features, targets) if weights[0] and steps else None
    if encodes:
        codes = model.encode(targets)
        first = np.asarray(codes[0] if isinstance(codes, tuple) else codes)[:, None]
    else:
        first = nearest_starts(space, targets, condition, max(candidates, starts), starts, seed)
    search = Search(space, features, *weights, rate, steps)
    step_count = -(-count // max(1, batch_size // first.shape[1]))
    progress = Progress("Projecting, steps", steps * step_count)
    parts = np.array_split(np.arange(count), step_count)
    found = [search(first[part], targets[part], rows_of(model, condition, part), progress) for part in parts]
    points, losses = (np.concatenate(arrays) for arrays in zip(*found))
    best = points[np.arange(count), losses.argmin(axis=1)]
    samples = space.decode(best, condition, batch_size)
    return Projection(best, samples, targets, psnr_of(targets, samples), losses, space.name)


class Search:
    """Adam on many latents at once, each with its own moments.

    Args:
        space: `Latents` or `Styles`.
        features: `Features`, or `None`.
        feature_weight, prior_weight, learning_rate: Floats.
        steps: Integer.
    """

    def __init__(self, space, features, feature_weight, prior_weight, learning_rate, steps):
        self.space, self.features = space, features
        self.feature_weight, self.prior_weight = feature_weight, prior_weight
        self.learning_rate, self.steps = learning_rate, steps
        self._step = tf.function(self.step, reduce_retracing=True, autograph=False)
        self._losses = tf.function(self.losses, reduce_retracing=True, autograph=False)

    def __call__(self, starts, targets, condition, progress):
        """Moves starts `(count, starts, ...)`. Returns the moved starts and their losses `(count, starts)`."""
        count, each = starts.shape[:2]
        points = tf.constant(starts.reshape(count * each, *starts.shape[2:]), "float32")
        condition = self.space.model.conditions.map(lambda kind, value: tf.repeat(value, each, axis=0), condition)
        targets = tf.constant(targets)
        wanted = targets[:0] if self.features is None else self.features.differentiable(targets)
        targets, wanted = (tf.repeat(part, each, axis=0) for part in (targets, wanted))
        first, second = tf.zeros_like(points), tf.zeros_like(points)
        for step in range(1, self.steps + 1):
            rate = tf.constant(self.learning_rate * ramp((step - 1) / self.steps), "float32")
            points, first, second = self._step(
                points, first, second, tf.constant(step, "float32"), rate, targets, wanted, condition
            )
            progress.advance()
        losses = self._losses(points, targets, wanted, condition).numpy().reshape(count, each)
        # A start with a NaN would win `argmin`.
        losses = np.where(np.isfinite(losses), losses, np.inf)
        return points.numpy().reshape(starts.shape), losses

    def losses(self, points, targets, wanted, condition):
        """The loss of each point."""
        samples = self.space.images(points, condition)
        losses = mean_square(samples - targets)
        if self.features is not None:
            seen = self.features.differentiable(samples)
            size = tf.reduce_sum(wanted**2, axis=1) + 1e-12
            losses += self.feature_weight * tf.reduce_sum((seen - wanted) ** 2, axis=1) / size
        return losses + self.prior_weight * mean_square(points) if self.prior_weight else losses

    def step(self, points, first, second, step, rate, targets, wanted, condition):
        """A step of Adam."""
        with tf.GradientTape() as tape:
            tape.watch(points)
            loss = tf.reduce_sum(self.losses(points, targets, wanted, condition))
        gradient = tape.gradient(loss, points)
        first = BETAS[0] * first + (1 - BETAS[0]) * gradient
        second = BETAS[1] * second + (1 - BETAS[1]) * gradient**2
        corrected = first / (1 - BETAS[0] ** step), second / (1 - BETAS[1] ** step)
        return points - rate * corrected[0] / (tf.sqrt(corrected[1]) + EPSILON), first, second


def ramp(share):
    """The factor of the learning rate after a share of the steps."""
    down = min(1.0, (1.0 - share) / RAMP_DOWN)
    return (0.5 - 0.5 * np.cos(np.pi * down)) * min(1.0, max(share, 1e-3) / RAMP_UP)


def mean_square(values):
    """Mean of the squares of each row."""
    return tf.reduce_mean(values**2, axis=list(range(1, len(values.shape))))


def nearest_starts(space, targets, condition, candidates, starts, seed):
    """The points whose samples are nearest to each image in pixels, `(count, starts, ...)`.

    A conditional model's candidates have the condition of the image, so each image has fewer candidates.
    """
    model, count = space.model, len(targets)
    latents = draw(model, candidates, seed)
    if condition is None:
        points = space.points(latents)
        samples = space.decode(points).reshape(candidates, -1)
        return points[nearest(targets.reshape(count, -1), samples, starts, 1024)[1]]
    each = max(starts, candidates // count)
    latents = np.resize(latents, (count * each, *latents.shape[1:]))
    repeated = model.conditions.map(lambda kind, value: tf.repeat(value, each, axis=0), condition)
    points = space.points(latents, repeated)
    samples = space.decode(points, repeated).reshape(count, each, -1)
    distances = np.sum((samples - targets.reshape(count, 1, -1)) ** 2, axis=2)
    chosen = np.argsort(distances, axis=1, kind="stable")[:, :starts]
    return points.reshape(count, each, *space.shape)[np.arange(count)[:, None], chosen]


def network_of(features, targets):
    """The network of features, or `None` for pixels alone."""
    if isinstance(features, str):
        checks.choice("features", features, ("default",))
        return default_features(targets, quick=True)
    if features is None:
        return None
    features = as_features(features)
    if type(features).differentiable is Features.differentiable:
        features.differentiable(None)  # It raises an error that says why.
    return features


def psnr_of(targets, samples):
    """PSNR of each pair of images, in dB. It is NaN for points, because they have no peak."""
    if targets.ndim != 4:
        return np.full(len(targets), np.nan)
    with np.errstate(divide="ignore"):
        return 10 * np.log10(PEAK**2 / of_pairs(targets, samples, squared_error, 64))
