"""Perceptual path length: how much images change in a small step through the latents."""

import numpy as np
import tensorflow as tf

from ganzoo import checks
from ganzoo.latent.space import draw, rows_of, space_of
from ganzoo.latent.walks import linear, spherical
from ganzoo.metrics import intervals
from ganzoo.metrics.features.base import Given, as_features
from ganzoo.metrics.score import Score
from ganzoo.metrics.seeds import numbers_of
from ganzoo.progress import track

PLACES = ("full", "end")


def perceptual_path_length(
    model,
    features=None,
    num_samples=10_000,
    space=None,
    places="full",
    epsilon=1e-4,
    condition=None,
    level=0.95,
    seed=0,
    batch_size=64,
):
    """Measures how much the features of an image change in a small step on the way between two latents.

        PPL = E[|f(G(path(t + epsilon))) - f(G(path(t)))|^2] / epsilon^2

    A path leads between two draws of the prior: on a great circle in Z, on a straight line in W. It is long if images
    on the way change abruptly, or pass through shapes that neither end has. Compare generators, and spaces of a
    generator, only in the same features. A generator that makes the same image for all latents has the length 0.

    Reference: [Karras et al., 2019](https://arxiv.org/abs/1812.04948), Section 4.1, Equations 2 and 3,
    [Karras et al., 2020](https://arxiv.org/abs/1912.04958), Section 1, for the correlation with quality.

    Departures from the paper:

    - The distance is the squared distance of `features`. The paper uses LPIPS of VGG16, so do not compare with
      published numbers.
    - 10,000 pairs. The paper has 100,000, and crops faces.

    Args:
        model: `ganzoo.GenerativeModel` with latents that are numbers.
        features: Network of `ganzoo.metrics.features` that has a gradient, a `keras.Model`, or `None` (the default):
            the samples themselves. Images are not rounded to 8 bits, because the steps are smaller.
        num_samples: Integer, pairs of latents. Defaults to `10_000`.
        space: `"z"`, `"w"`, or `None` (the default): W if the generator has a mapping network.
        places: With `"full"` (the default), t is anywhere on the path. With `"end"`, t = 0.
        epsilon: Float, the step in t. Defaults to `1e-4`.
        condition: For a conditional model, as in `generate`. Both ends have the same. Defaults to `None`.
        level: Float, the level of the interval. Defaults to `0.95`.
        seed: Integer, of the latents, of t and of the bootstrap. Defaults to `0`.
        batch_size: Integer, the number of images at a time. Defaults to `64`.

    Returns:
        `ganzoo.metrics.Score`. Space, places and epsilon are part of its protocol.

    Raises:
        ValueError: If the latents are codes, so that steps make no sense, or the features have no gradient.

    Example:

    >>> length = ganzoo.latent.perceptual_path_length(model, ganzoo.metrics.features.DigitsClassifier())
    >>> print(length)
    """
    num_samples = checks.integer("num_samples", num_samples, least=2)
    places = checks.choice("places", places, PLACES)
    epsilon = checks.number("epsilon", epsilon, above=0, most=1)
    batch_size = checks.integer("batch_size", batch_size, least=1)
    features, space = as_features(features), space_of(model, space)
    latents = draw(model, 2 * num_samples, seed)
    _, condition = model.conditions.for_samples(condition, num_samples)
    shares = numbers_of(seed).uniform(0, 1, num_samples) * (places == "full")
    lengths = np.empty(num_samples)
    starts = range(0, num_samples, batch_size)
    for start in track(starts, len(starts), f"Path length, batches of {batch_size:,}"):
        rows = np.arange(start, min(start + batch_size, num_samples))
        of_rows = rows_of(model, condition, rows)
        first, second = (space.points(latents[rows + shift], of_rows) for shift in (0, num_samples))
        ends = [
            as_vectors(features, space.decode(points, of_rows, batch_size))
            for points in steps(first, second, shares[rows], epsilon, space.name)
        ]
        lengths[rows] = np.sum((ends[1] - ends[0]) ** 2, axis=1) / epsilon**2
    value = lengths.mean()
    score = Score(
        "perceptual_path_length",
        value,
        intervals.from_influence(value, [lengths], 0.0, level, seed, bounds=(0.0, np.inf)),
        num_fake=num_samples,
        dtype="float32",
        level=level,
        lower_is_better=True,
        settings={"space": space.name, "places": places, "epsilon": epsilon},
        details={"median": float(np.median(lengths))},
    )
    return features.named(score)


def steps(first, second, shares, epsilon, space):
    """Both ends of a small step on each path: float32 arrays of the shape of `first`."""
    mix = spherical if space == "z" else linear
    flat = [np.asarray(points, "float64").reshape(len(points), -1) for points in (first, second)]
    return [mix(*flat, share[:, None]).reshape(first.shape).astype("float32") for share in (shares, shares + epsilon)]


def as_vectors(features, images):
    """The features of float images without rounding to 8 bits: a float64 array `(count, dimensions)`."""
    if isinstance(features, Given):
        return np.asarray(images, "float64").reshape(len(images), -1)
    return features.differentiable(tf.constant(images)).numpy().astype("float64")
