"""A way through the latents as a video."""

import numpy as np

from ganzoo import checks, images, videos
from ganzoo.latent.space import draw, space_of
from ganzoo.latent.walks import METHODS, path


def video(
    model,
    filepath,
    latents=None,
    steps=30,
    fps=20,
    method="smooth",
    closed=True,
    tiles=1,
    seed=0,
    space=None,
    condition=None,
    columns=None,
    scale=None,
    batch_size=64,
):
    """Writes a video of a way through the latents, which by default is smooth and repeats without a jump.

    Args:
        model: `ganzoo.GenerativeModel` with latents, of images.
        filepath: Path of the file. Its suffix is the format: `.gif`, `.webp`, or `.mp4`, for which the program `ffmpeg`
            must be installed.
        latents: Float array `(ends, ...)` of the latents to visit; or `(ends, tiles, ...)`: each tile goes its own way.
            Defaults to `None`: six of the seed for each tile, or one for each label of `condition`.
        steps: Integer, frames from an end to the next. Defaults to `30`.
        fps: Float, frames in a second. Defaults to `20`.
        method: `"smooth"` (the default), `"spherical"` or `"linear"`; see `path`.
        closed: Boolean, whether it comes back to the first end. Defaults to `True`.
        tiles: Integer, how many samples a frame shows, if there are no `latents`. Defaults to `1`.
        seed: Integer, of the latents, if there are none. Defaults to `0`.
        space: `"z"` or `"w"`. Defaults to `None`: W where the generator has a mapping network.
        condition: For a conditional model: the same for all, or a list with an entry for each end. A frame
            takes the condition of the nearest end: the class changes half way, while the latents go on. Defaults to
            `None`.
        columns: Integer, tiles in a row. Defaults to a square layout.
        scale: Integer, each pixel becomes `scale x scale` pixels. Defaults to what `ganzoo.images.grid` chooses.
        batch_size: Integer. Defaults to `64`.

    Returns:
        `Path` of the file.

    Raises:
        ValueError: If the format is not known or cannot be written, before a sample is made.

    Example:

    >>> ganzoo.latent.video(model, "faces.gif", tiles=9)
    """
    filepath = checks.path("filepath", filepath)
    videos.check(filepath)
    fps = checks.number("fps", fps, above=0, most=1000)
    steps, tiles = checks.counts(steps=steps, tiles=tiles)
    seed = checks.check_seed(seed)
    method, closed = checks.choice("method", method, METHODS), checks.boolean("closed", closed)
    space = space_of(model, space)
    if len(model.image_shape) != 3:
        raise ValueError(f"A video shows images, (height, width, channels). The model makes {model.image_shape}.")
    of_ends = is_for_ends(condition)
    if latents is None:
        ends = len(condition) if of_ends else 6
        latents = draw(model, ends * tiles, seed).reshape(ends, tiles, *model.latent_shape)
    latents = checks.array("latents", latents)
    if latents.ndim == 1 + len(model.latent_shape):
        latents = latents[:, None]
    if latents.ndim != 2 + len(model.latent_shape) or len(latents) < 2:
        raise ValueError(
            f"`latents` must be two or more, (ends, ...) or (ends, tiles, ...). Received: shape {latents.shape}"
        )
    ends, tiles = latents.shape[:2]
    if of_ends and len(condition) != ends:
        raise ValueError(f"`condition` must be one for all, or one for each of {ends} ends. Received: {len(condition)}")
    labels = condition
    if of_ends:
        labels = np.repeat(np.asarray(condition), tiles, axis=0)
    points = space.points(latents.reshape(ends * tiles, *latents.shape[2:]), labels)
    points = points.reshape(ends, tiles, *space.shape)
    ways = np.stack([path(points[:, tile], steps, method, closed) for tile in range(tiles)], axis=1)
    if of_ends:
        nearest = (np.arange(len(ways)) + steps // 2) // steps % ends
        labels = np.repeat(np.asarray(condition)[nearest], tiles, axis=0)
    samples = space.decode(ways.reshape(-1, *space.shape).astype("float32"), labels, batch_size)
    frames = samples.reshape(len(ways), tiles, *model.image_shape)
    images.save_video(filepath, (images.grid(frame, columns, scale=scale) for frame in frames), fps)
    return filepath


def is_for_ends(condition):
    """Whether a condition is a list of them."""
    return condition is not None and not isinstance(condition, (str, dict)) and np.ndim(condition) > 0
