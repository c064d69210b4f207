"""A way through the latents as a video."""

import numpy as np

from ganzoo import checks, images, videos
from ganzoo.latent.blending import Blending
from ganzoo.latent.space import draw, rows_of, space_of
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
    blend=None,
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
        condition: For a conditional model: the same for all, or a list with an entry for each end. Defaults to `None`.
        columns: Integer, tiles in a row. Defaults to a square layout.
        scale: Integer, each pixel becomes `scale x scale` pixels. Defaults to what `ganzoo.images.grid` chooses.
        batch_size: Integer. Defaults to `64`.
        blend: Boolean, whether a class blends into the next one: between two ends, the generator gets a mixture of
            their one-hot vectors, embeddings or attributes. It was not trained on mixtures. With `False` a frame takes
            the condition of the nearest end, and the class changes half way at once. Defaults to `None`: blends if the
            generator reads its conditions as vectors, and says so if it does not.

    Returns:
        `Path` of the file.

    Raises:
        ValueError: If the format is not known or cannot be written, before a sample is made; or if `blend` is `True`
            and the generator cannot.

    Example:

    >>> ganzoo.latent.video(model, "faces.gif", tiles=9)
    >>> ganzoo.latent.video(conditional, "digits.gif", condition=[0, 1, 2, 3])
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
    blend = blend if blend is None else checks.boolean("blend", blend)
    told = ends_told(model, condition)
    if latents is None:
        ends = told or 6
        latents = draw(model, ends * tiles, seed).reshape(ends, tiles, *model.latent_shape)
    latents = checks.array("latents", latents)
    if latents.ndim == 1 + len(model.latent_shape):
        latents = latents[:, None]
    if latents.ndim != 2 + len(model.latent_shape) or len(latents) < 2:
        raise ValueError(
            f"`latents` must be two or more, (ends, ...) or (ends, tiles, ...). Received: shape {latents.shape}"
        )
    ends, tiles = latents.shape[:2]
    if told not in (None, ends):
        raise ValueError(f"`condition` must be one for all, or one for each of {ends} ends. Received: {told}")
    _, given = model.conditions.for_samples(condition, ends)
    blending = blending_of(space, blend) if told else None
    points = space.points(latents.reshape(ends * tiles, *latents.shape[2:]), rows(model, given, np.arange(ends), tiles))
    points = points.reshape(ends, tiles, *space.shape)
    ways = np.stack([path(points[:, tile], steps, method, closed) for tile in range(tiles)], axis=1)
    flat = ways.reshape(-1, *space.shape).astype("float32")
    begun, shares = np.divmod(np.arange(len(ways)), steps)
    shares = shares / steps
    if blending is None:
        nearest = (begun + (shares >= 0.5)) % ends
        samples = space.decode(flat, rows(model, given, nearest, tiles), batch_size)
    else:
        if method == "smooth":
            shares = shares**2 * (3 - 2 * shares)  # It stands still at each end, and does not jump in speed.
        first, second = (rows(model, given, which % ends, tiles) for which in (begun, begun + 1))
        samples = blending.decode(flat, first, second, np.repeat(shares, tiles), batch_size)
    frames = samples.reshape(len(ways), tiles, *model.image_shape)
    images.save_video(filepath, (images.grid(frame, columns, scale=scale) for frame in frames), fps)
    return filepath


def ends_told(model, condition):
    """The number of ends that a condition tells; `None` if it is one for all."""
    if condition is None or not len(model.conditions):
        return None
    parts = model.conditions.spelled_out(condition)
    counts = [model.conditions.kinds[name].count(part) for name, part in parts.items()]
    return max((count for count in counts if count is not None), default=None)


def blending_of(space, blend):
    """How conditions blend, or `None` if they change at once."""
    if blend is False:
        return None
    blending = Blending(space)
    if blending.obstacle is None:
        return blending
    if blend:
        raise ValueError(f"blend=True: {blending.obstacle}. Leave it out: the class then changes at once, half way.")
    print(f"{blending.obstacle}: the class changes at once, half way between two samples.", flush=True)
    return None


def rows(model, condition, which, tiles):
    """The conditions of some ends, for all tiles of each; `None` without any."""
    return None if condition is None else rows_of(model, condition, np.repeat(which, tiles))
