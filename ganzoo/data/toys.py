"""Toy distributions in the plane with known modes."""

import math

import numpy as np

from ganzoo import checks
from ganzoo.data.arrays import from_arrays
from ganzoo.data.reading import check_room

# Memory for a point, its mode and their noise in float64, and for the dataset made from them.
_BYTES_OF_A_POINT = 80

MOST_MODES = 1_000_000


def ring(num_samples=100_000, modes=8, radius=1.0, std=0.01, batch_size=None, seed=0):
    """Makes a dataset of Gaussians on a circle, which shows at once if a generator collapses.

    The defaults are from PacGAN and VEEGAN.

    Reference:
        Lin et al., "PacGAN: The power of two samples in generative adversarial networks",
        [arXiv:1712.04086](https://arxiv.org/abs/1712.04086), section 4.1.

    Args:
        num_samples: Integer. Defaults to `100_000`.
        modes: Integer, number of Gaussians, equally likely. Defaults to `8`.
        radius: Float, radius of the circle. Defaults to `1.0`.
        std: Float, standard deviation of each Gaussian. Defaults to `0.01`.
        batch_size: Integer. `None` (the default) gives single points.
        seed: Integer, the seed of the points and of their order. Defaults to `0`.

    Returns:
        A `tf.data.Dataset` of `(point, mode)`: float32 `(2,)`, int64.

    Raises:
        ValueError: If a number is out of range, or if the samples do not fit into memory.

    Example:

    ```python
    dataset = ganzoo.data.ring(batch_size=100)
    ```
    """
    return _mixture(ring_centers(modes, radius), num_samples, std, batch_size, seed)


def ring_centers(modes=8, radius=1.0):
    """The centres of `ring`, a float32 array `(modes, 2)`. Row `k` belongs to the label `k`."""
    modes = checks.integer("modes", modes, least=1, most=MOST_MODES)
    radius = checks.number("radius", radius, above=0)
    angles = np.linspace(0, 2 * np.pi, modes, endpoint=False)
    return (radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype(np.float32)


def grid(num_samples=100_000, side=5, spacing=2.0, std=0.05, batch_size=None, seed=0):
    """Makes a dataset of Gaussians on a square grid, by default 25 of them at `{-4, -2, 0, 2, 4}` squared.

    Reference:
        Lin et al., "PacGAN: The power of two samples in generative adversarial networks",
        [arXiv:1712.04086](https://arxiv.org/abs/1712.04086), section 4.1.

    Args:
        num_samples: Integer. Defaults to `100_000`.
        side: Integer, Gaussians along each side, all equally likely. Defaults to `5`.
        spacing: Float, distance between neighbours. Defaults to `2.0`.
        std: Float, standard deviation of each Gaussian. Defaults to `0.05`.
        batch_size: Integer. `None` (the default) gives single points.
        seed: Integer, the seed of the points and of their order. Defaults to `0`.

    Returns:
        A `tf.data.Dataset` of `(point, mode)`: float32 `(2,)`, int64.

    Raises:
        ValueError: If a number is out of range, or if the samples do not fit into memory.
    """
    return _mixture(grid_centers(side, spacing), num_samples, std, batch_size, seed)


def grid_centers(side=5, spacing=2.0):
    """The centres of `grid`, a float32 array `(side * side, 2)`. Row `k` belongs to the label `k`."""
    side = checks.integer("side", side, least=1, most=math.isqrt(MOST_MODES))
    spacing = checks.number("spacing", spacing, above=0)
    line = spacing * (np.arange(side) - (side - 1) / 2)
    return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2).astype("float32")


def swiss_roll(num_samples=100_000, noise=0.25, batch_size=None, seed=0):
    """Makes a dataset of a spiral band in the plane: scikit-learn's `make_swiss_roll` seen along its roll, divided by
    7.5.

    Reference:
        Gulrajani et al., "Improved Training of Wasserstein GANs",
        [arXiv:1704.00028](https://arxiv.org/abs/1704.00028), figure 1.

    Args:
        num_samples: Integer. Defaults to `100_000`.
        noise: Float, standard deviation of the noise before the division by 7.5. Defaults to `0.25`.
        batch_size: Integer. `None` (the default) gives single points.
        seed: Integer, the seed of the points and of their order. Defaults to `0`.

    Returns:
        A `tf.data.Dataset` of points, float32 `(2,)`.

    Raises:
        ValueError: If a number is out of range, or if the samples do not fit into memory.
    """
    num_samples, noise = _check_num_samples(num_samples), checks.number("noise", noise, least=0)
    random = np.random.default_rng(checks.seed("seed", seed))
    angle = 1.5 * np.pi * (1 + 2 * random.random(num_samples))
    points = angle[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points += noise * random.standard_normal(points.shape)
    return from_arrays(points / 7.5, batch_size=batch_size, seed=seed)


def _mixture(centers, num_samples, std, batch_size, seed):
    num_samples, std = _check_num_samples(num_samples), checks.number("std", std, least=0)
    random = np.random.default_rng(checks.seed("seed", seed))
    modes = random.integers(len(centers), size=num_samples)
    points = centers[modes] + std * random.standard_normal((num_samples, 2))
    return from_arrays(points, modes, batch_size=batch_size, seed=seed)


def _check_num_samples(num_samples):
    num_samples = checks.integer("num_samples", num_samples, least=1, most=checks.MAX_SAMPLES)
    check_room(f"{num_samples:,} points", num_samples * _BYTES_OF_A_POINT, "Pass a smaller num_samples.")
    return num_samples
