"""Ways through the latents: interpolation, traversal, truncation."""

import math

import numpy as np
import tensorflow as tf
from scipy.interpolate import CubicSpline, PchipInterpolator

from ganzoo import checks
from ganzoo.latent.space import draw, each_changed, sheet_of, space_of
from ganzoo.sampling import SeededNumbers

METHODS = ("linear", "spherical", "smooth")
MOST_SHARE = 1000


# === Interpolation ===


def between(first, second, shares, method="spherical"):
    """Points between pairs of points, on a straight line or on a great circle.

        linear:    (1 - t) a + t b
        spherical: sin((1 - t) w) / sin w a/|a| + sin(t w) / sin w b/|b|,   w the angle, times (1 - t) |a| + t |b|

    Latents of N(0, I) in many dimensions lie close to a sphere, and the generator has never seen the inside of the
    sphere. A straight line leads through the inside. The great circle keeps the norm.

    Reference: Shoemake, 1985, [doi:10.1145/325165.325242](https://doi.org/10.1145/325165.325242), Section 3.3,
    [White, 2016](https://arxiv.org/abs/1609.04468), Section 2.1.

    Args:
        first, second: Float arrays `(rows, ...)` of the same shape.
        shares: Float array `(steps,)`, the places between them: 0 is `first`, 1 is `second`.
        method: `"spherical"` (the default) or `"linear"`.

    Returns:
        Float64 array `(rows, steps, ...)`.

    Raises:
        ValueError: If the shapes differ, or if two points are opposite, so that many great circles join them.

    Example:

    >>> ganzoo.latent.between([[1.0, 0.0]], [[0.0, 1.0]], [0.5])  # [[[0.7071, 0.7071]]]
    """
    method = checks.choice("method", method, METHODS[:2])
    first, second = (checks.array(name, x, "float64") for name, x in (("first", first), ("second", second)))
    shares = checks.array("shares", shares, "float64").ravel()
    if not (np.abs(shares) <= MOST_SHARE).all():
        raise checks.refusal("shares", shares, f"numbers from {-MOST_SHARE} to {MOST_SHARE}: 0 is `first`, 1 `second`")
    if first.shape != second.shape or first.ndim < 2:
        raise ValueError(
            f"`first` and `second` must have one shape (rows, ...). Received: {first.shape} and {second.shape}"
        )
    flat = [x.reshape(len(x), 1, -1) for x in (first, second)]
    share = shares[None, :, None]
    mix = spherical if method == "spherical" else linear
    return mix(*flat, share).reshape(len(first), len(shares), *first.shape[1:])


def linear(first, second, share):
    """The straight line."""
    return (1 - share) * first + share * second


def spherical(first, second, share):
    """The great circle, for arrays that broadcast. Vectors lie along the last axis."""
    norms = [np.linalg.norm(x, axis=-1, keepdims=True) for x in (first, second)]
    units = [x / np.where(norm > 0, norm, 1.0) for x, norm in zip((first, second), norms)]
    cosine = np.sum(units[0] * units[1], axis=-1, keepdims=True)
    if (cosine < -1 + 1e-9).any():
        raise ValueError(
            "Two points are opposite to each other: many great circles join them. Put a third one between them, or "
            "take method='linear'."
        )
    angle = np.arccos(np.clip(cosine, -1, 1))
    near = angle < 1e-6  # There the circle is a line, and its equation 0 / 0.
    sine = np.where(near, 1.0, np.sin(angle))
    weights = [np.where(near, part, np.sin(part * angle) / sine) for part in (1 - share, share)]
    return (weights[0] * units[0] + weights[1] * units[1]) * linear(*norms, share)


def path(ends, steps=8, method="spherical", closed=False):
    """A way through several points, for the frames of a video.

    Args:
        ends: Float array `(count, ...)`, at least two points, which the path visits in turn.
        steps: Integer, steps from an end to the next. Defaults to `8`.
        method: With `"spherical"` (the default) or `"linear"` the path changes its direction at each end. `"smooth"`
            is a cubic spline through the ends. Its speed has no jump, and its norm follows the norms of the ends.
        closed: Boolean, whether the path goes back to the first end. The last frame is then a step before the first, so
            you can repeat the path. Defaults to `False`.

    Returns:
        Float64 array `(frames, ...)`: `count * steps` frames for a closed path, otherwise `(count - 1) * steps + 1`.

    Raises:
        ValueError: With fewer than two ends.

    Example:

    >>> frames = ganzoo.latent.path(ganzoo.latent.draw(model, 4), steps=30, method="smooth", closed=True)
    """
    method = checks.choice("method", method, METHODS)
    steps = checks.integer("steps", steps, least=1, most=100_000)
    closed = checks.boolean("closed", closed)
    ends = checks.array("ends", ends, "float64")
    if ends.ndim < 2 or len(ends) < 2:
        raise ValueError(f"`ends` must have the shape (count, ...), with two points or more. Received: {ends.shape}")
    if method == "smooth":
        return spline(ends, steps, closed)
    following = np.roll(ends, -1, axis=0) if closed else ends[1:]
    frames = between(ends[: len(following)], following, np.arange(steps) / steps, method)
    frames = frames.reshape(-1, *ends.shape[1:])
    return frames if closed else np.concatenate([frames, ends[-1:]])


def spline(ends, steps, closed):
    """A cubic spline through points, scaled to norms that go from each end to the next without a detour."""
    count, shape = len(ends), ends.shape[1:]
    flat = ends.reshape(count, -1)
    places = np.arange(count * steps if closed else (count - 1) * steps + 1) / steps
    # The monotone spline has no periodic form. So a closed path goes round several times, and we take the middle.
    around = np.arange(-3, count + 4) if closed else np.arange(count)
    norms = PchipInterpolator(around, np.linalg.norm(flat, axis=1)[around % count])(places)
    if closed:
        frames = CubicSpline(np.arange(count + 1), np.concatenate([flat, flat[:1]]), bc_type="periodic")(places)
    else:
        frames = CubicSpline(np.arange(count), flat, bc_type="natural")(places)
    lengths = np.linalg.norm(frames, axis=1)
    frames *= (norms / np.where(lengths > 0, lengths, 1.0))[:, None]
    return frames.reshape(-1, *shape)


def interpolate(model, ends, steps=8, method=None, closed=False, space=None, condition=None, batch_size=64):
    """Walks from each latent to the next, and returns samples: a row for each way, with both its ends.

    Args:
        model: `ganzoo.GenerativeModel` with latents.
        ends: Float array `(count, ...)`, two latents of the prior or more, such as `ganzoo.latent.draw(model, 5)`.
        steps: Integer, samples in a row. Defaults to `8`.
        method: `"spherical"` or `"linear"`, as in `between`. Defaults to `None`: spherical in Z, linear in W.
        closed: Boolean, whether a further row leads from the last to the first. Defaults to `False`.
        space: `"z"` or `"w"`. Defaults to `None`: W if the generator has a mapping network.
        condition: As in `generate`, for a conditional model: for all rows, or a list with a condition for each row.
            Defaults to `None`.
        batch_size: Integer. Defaults to `64`.

    Returns:
        A `Sheet` of `count - 1` rows, or `count` if closed, and `steps` columns.

    Raises:
        ValueError: If the latents do not fit the model, or there are fewer than two.

    Example:

    >>> sheet = ganzoo.latent.interpolate(model, ganzoo.latent.draw(model, 5))
    >>> ganzoo.images.save_png("ways.png", sheet.picture())
    """
    space = space_of(model, space)
    steps = checks.integer("steps", steps, least=2, most=100_000)
    method = checks.choice("method", method, (None, *METHODS[:2])) or {"z": "spherical", "w": "linear"}[space.name]
    ends = checks.array("ends", ends)
    if ends.shape[1:] != model.latent_shape or len(ends) < 2:
        wanted = ", ".join(map(str, model.latent_shape))
        raise ValueError(f"`ends` must be two latents or more, (count, {wanted}). Received: shape {ends.shape}")
    points = space.points(ends, condition_of_ends(model, condition, len(ends)))
    following = np.roll(points, -1, axis=0) if checks.boolean("closed", closed) else points[1:]
    ways = between(points[: len(following)], following, np.linspace(0, 1, steps), method)
    return sheet_of(space, ways, condition, batch_size)


def condition_of_ends(model, condition, count):
    """The conditions that map the ends. The last row's condition also serves the end behind it."""

    def completed(part):
        return np.concatenate([part, part[-1:]]) if len(part) == count - 1 else part

    return each_changed(model, condition, completed)


# === Traversal ===


def traverse(model, latents, direction, values=None, across=None, space=None, condition=None, batch_size=64):
    """Moves latents along a direction, or changes a single latent, and returns samples.

    Args:
        model: `ganzoo.GenerativeModel` with latents.
        latents: Float array `(count, ...)`, latents of the prior, each of which makes a row.
        direction: Integer or vector. With an integer, the values replace this latent. With a vector, such as
            `ganzoo.latent.sefa(model).vectors[0]`, the values times the vector are added.
        values: Float array `(steps,)`. Defaults to `None`: 7 from -3 to 3.
        across: A second direction, from top to bottom. It needs `latents` of `count` 1. Defaults to `None`.
        space: `"z"` or `"w"`. Defaults to `None`: W if the generator has a mapping network.
        condition: As in `generate`, for all rows, or a list with a condition for each row. Defaults to `None`.
        batch_size: Integer. Defaults to `64`.

    Returns:
        A `Sheet` with a column for each value.

    Raises:
        ValueError: If a direction does not fit the latents.

    Example:

    >>> sheet = ganzoo.latent.traverse(model, ganzoo.latent.draw(model, 4), direction=0)
    """
    space = space_of(model, space)
    values = np.linspace(-3, 3, 7) if values is None else checks.array("values", values, "float64").ravel()
    if not len(values) or not np.isfinite(values).all():
        raise checks.refusal("values", values, "one finite number or more")
    points = space.points(latents, condition)
    if across is not None and len(points) != 1:
        raise ValueError(f"`across` needs a single latent, and fills the rows with it. Received: {len(points)} latents")
    if across is not None:
        points = moved(points[0], across, values, space.shape, "across")
    table = np.stack([moved(point, direction, values, space.shape) for point in points])
    return sheet_of(space, table, condition, batch_size)


def moved(point, direction, values, shape, name="direction"):
    """A point with each value on a direction, `(steps, ...)`."""
    points = np.repeat(np.asarray(point, "float64")[None], len(values), axis=0)
    index = checks.plain(direction)
    if checks.is_integer(index):
        size = math.prod(shape)
        if not 0 <= index < size:
            raise ValueError(f"`{name}` must be an index from 0 to {size - 1}, or a vector. Received: {index}")
        points.reshape(len(values), -1)[:, index] = values
        return points
    direction = checks.array(name, direction, "float64")
    if direction.shape != tuple(shape) or not np.isfinite(direction).all():
        raise ValueError(f"`{name}` must be an index or a vector of shape {tuple(shape)}. Received: {direction.shape}")
    return points + values.reshape(-1, *[1] * len(shape)) * direction


# === Truncation ===


class TruncatedNumbers:
    """Random numbers of a seed. Its normal numbers are from N(0, 1) given |x| <= threshold.

    BigGAN draws numbers that are too large again. This class maps the seed's numbers to the same distribution instead:

        x' = F^-1(F(-t) + F(x) (F(t) - F(-t))),   F the distribution function of N(0, 1)

    So a lower threshold moves a sample towards the centre, and does not replace it by another sample.

    Reference: [Brock et al., 2018](https://arxiv.org/abs/1809.11096), Section 3.1.

    Args:
        seed: Integer.
        threshold: Float above 0, t.
    """

    def __init__(self, seed, threshold):
        self._numbers = SeededNumbers(checks.check_seed(seed))
        self._threshold = checks.number("threshold", threshold, above=0)
        self.uniform = self._numbers.uniform

    def normal(self, shape):
        """Draws float32 numbers from the truncated N(0, 1). `shape[0]` is the number of samples."""
        numbers = tf.cast(self._numbers.normal(shape), "float64")
        below = distribution(tf.constant(-self._threshold, "float64"))
        # By symmetry, compute in the lower tail. In the upper tail, probabilities near 1 would round away the digits.
        lower = tf.math.ndtri(below + distribution(-tf.abs(numbers)) * (1.0 - 2.0 * below))
        return tf.cast(-tf.sign(numbers) * lower, "float32")


def distribution(x):
    """The distribution function of N(0, 1)."""
    return 0.5 * tf.math.erfc(-x / math.sqrt(2.0))


def truncate(model, num_samples=8, amounts=(2.0, 1.0, 0.5), seed=0, space=None, condition=None, batch_size=64):
    """Draws the same samples nearer and nearer to the centre: less variety, fewer failures.

    In Z an amount is a threshold t: latents come from N(0, I) given |z_i| <= t (`TruncatedNumbers`). Parts of a prior
    that are not normal, such as the codes of an InfoGAN, stay unchanged. In W an amount is psi, and with psi = 0 all
    samples are the same:

        w' = mean + psi (w - mean)

    Reference: [Brock et al., 2018](https://arxiv.org/abs/1809.11096), Section 3.1,
    [Karras et al., 2018](https://arxiv.org/abs/1812.04948), Appendix B.

    Args:
        model: `ganzoo.GenerativeModel` with latents.
        num_samples: Integer, samples in a row. Defaults to `8`.
        amounts: Float, or a sequence with an amount for each row. Defaults to `(2.0, 1.0, 0.5)`.
        seed: Integer. Defaults to `0`.
        space: `"z"` or `"w"`. Defaults to `None`: W if the generator has a mapping network.
        condition: As in `generate`, for a row. Defaults to `None`.
        batch_size: Integer. Defaults to `64`.

    Returns:
        A `Sheet` with a row for each amount.

    Raises:
        ValueError: If an amount is not above 0 in Z, or is below 0 in W.

    Example:

    >>> images = ganzoo.latent.truncate(model, 64, amounts=1.0).images[0]
    """
    space, seed = space_of(model, space), checks.check_seed(seed)
    num_samples = checks.check_num_samples(num_samples)
    amounts = amounts if checks.plain_items(amounts) is not None else [amounts]
    limits = {"above": 0} if space.name == "z" else {"least": 0}
    amounts = [checks.number("amounts", amount, **limits) for amount in amounts]
    if not amounts:
        raise checks.refusal("amounts", amounts, "a number, or a sequence of numbers")
    if space.name == "w":
        centre, points = space.centre(), space.points(draw(model, num_samples, seed), condition)
        rows = [centre + amount * (points - centre) for amount in amounts]
    else:
        rows = [np.asarray(model.prior(TruncatedNumbers(seed, amount), num_samples)) for amount in amounts]
    condition = each_changed(model, condition, lambda part: np.concatenate([part] * len(rows)))
    return sheet_of(space, np.stack(rows), condition, batch_size)
