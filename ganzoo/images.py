"""Samples as pictures: uint8, grids, scatter plots, PNG files, animations and videos."""

import math

import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from ganzoo import checks, videos
from ganzoo.files import replacing

_BACKGROUND = 255  # between the samples of a grid
_TITLE_SIZE = 12  # pixels


def to_uint8(images):
    """Maps `[-1, 1]` to `0..255`, rounded. Values outside are clipped.

    It consists of TensorFlow operations, so it also works inside a `tf.function` and a SavedModel.

    Args:
        images: Float tensor of any shape in `[-1, 1]`.

    Returns:
        A uint8 tensor of the same shape.
    """
    pixels = tf.round((tf.cast(images, tf.float32) + 1.0) * 127.5)
    return tf.cast(tf.clip_by_value(pixels, 0.0, 255.0), tf.uint8)


def grid(images, columns=None, padding=2, scale=None, titles=None):
    """Arranges images in a grid, row by row.

    Args:
        images: Array `(count, height, width, channels)` with 1, 3 or 4 channels, uint8 or float in
            `[-1, 1]`.
        columns: Integer, images per row. Defaults to a square layout.
        padding: Integer, pixels between and around the images. Defaults to `2`.
        scale: Integer, each pixel becomes `scale x scale` pixels. By default images smaller than
            about 64 pixels are enlarged to about that size (28 x 28 by 2).
        titles: List of strings, one above each column. Defaults to `None`.

    Returns:
        A uint8 array `(height, width, channels)`.
    """
    images = checks.array("images", images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4) or 0 in images.shape:
        raise ValueError(
            "grid() draws images of shape (count, height, width, channels) with 1, 3 or 4 "
            f"channels; received shape {images.shape}. For points use ganzoo.images.scatter()."
        )
    if images.dtype != np.uint8:
        images = to_uint8(images).numpy()

    count, height, width, channels = images.shape
    columns = checks.integer("columns", columns, least=1, most=10_000, optional=True)
    columns = columns or math.ceil(math.sqrt(count))
    padding = checks.integer("padding", padding, least=0, most=1000)
    rows = math.ceil(count / columns)
    scale = checks.integer("scale", scale, least=1, most=1000, optional=True) or max(1, round(64 / max(height, width)))
    # Without smoothing, which would hide the single pixels.
    images = images.repeat(scale, axis=1).repeat(scale, axis=2)

    cell_height, cell_width = height * scale + padding, width * scale + padding
    picture = np.full(
        (rows * cell_height + padding, columns * cell_width + padding, channels),
        _BACKGROUND,
        np.uint8,
    )
    for index, image in enumerate(images):
        top = index // columns * cell_height + padding
        left = index % columns * cell_width + padding
        picture[top : top + height * scale, left : left + width * scale] = image
    return picture if titles is None else np.concatenate([title_row(titles, cell_width, picture), picture])


def repeated_columns(columns, titles, count):
    """Columns for samples whose classes take turns. Few classes repeat, so that the picture is about square.

    Args:
        columns: Integer, the number of classes.
        titles: List of their names, or `None`.
        count: Integer, the number of samples.

    Returns:
        The number of columns, and their titles or `None`.
    """
    repeats = max(1, round(count**0.5 / columns))
    return columns * repeats, None if titles is None else list(titles) * repeats


def title_row(titles, cell_width, picture):
    """A strip with a title above each column of a grid. Long titles are cut."""
    if checks.plain_items(titles) is None:
        raise checks.refusal("titles", titles, "a list of strings", optional=True)
    font = ImageFont.load_default(size=_TITLE_SIZE)
    strip = Image.new("L", (picture.shape[1], _TITLE_SIZE + 6), _BACKGROUND)
    draw = ImageDraw.Draw(strip)
    for index, title in enumerate(titles):
        title = str(title)
        while len(title) > 1 and font.getlength(title) > cell_width:
            title = title[:-1]
        left = index * cell_width + (cell_width - font.getlength(title)) / 2
        draw.text((max(left, index * cell_width), 2), title, fill=0, font=font)
    pixels = np.repeat(np.asarray(strip)[..., None], picture.shape[2], axis=2)
    # The strip above a picture with transparency is opaque.
    if picture.shape[2] == 4:
        pixels[..., 3] = 255
    return pixels


def scatter(points, real=None):
    """Draws 2-D samples of the toy distributions.

    The axes reach from -1 to 1, or as far as needed for `real` (or without it, for `points`).

    Args:
        points: Float array `(count, 2)`.
        real: Optional float array `(count, 2)`, drawn in grey behind the points.

    Returns:
        A uint8 array `(500, 500, 3)`.
    """
    # A Figure of its own and not pyplot's, which would stay in memory and need a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"scatter() draws points of shape (count, 2); received {points.shape}.")

    figure = Figure(figsize=(5, 5), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot(aspect="equal")
    if real is not None:
        axes.scatter(*np.asarray(real).T, s=8, color="0.75", linewidths=0, label="real")
    axes.scatter(*points.T, s=8, color="#0072B2", alpha=0.7, linewidths=0, label="generated")
    extent = np.asarray(points if real is None else real)
    limit = 1.1 * np.abs(extent).max(where=np.isfinite(extent), initial=1.0)
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit))
    figure.legend(loc="outside upper center", ncols=2, frameon=False, markerscale=2)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def save_png(path, picture):
    """Writes a picture, `(height, width, 1 | 3 | 4)` uint8, as PNG. Never leaves a partial file."""
    path = checks.path("path", path)
    with replacing(path) as temporary:
        _to_pil(picture).save(temporary, format="PNG", optimize=True)


def save_gif(path, frames, duration=0.2):
    """Writes pictures of the same size as a looping GIF. Never leaves a partial file.

    Args:
        path: String or `Path`.
        frames: Iterable of pictures, `(height, width, 1 | 3 | 4)` uint8.
        duration: Float, seconds per frame, or a list with the seconds of each frame.
    """
    path = checks.path("path", path)
    milliseconds = (np.asarray(duration) * 1000).round().astype(int).tolist()
    _save_animation(path, frames, "GIF", "save_gif()", duration=milliseconds)


def _save_animation(path, frames, format, who, **settings):
    frames = _pil_frames(frames)
    first = next(frames, None)
    if first is None:
        raise ValueError(f"{who} received no frames; it needs one at least.")
    with replacing(path) as temporary:
        first.save(temporary, format=format, save_all=True, append_images=frames, loop=0, **settings)


def save_video(path, frames, fps=20):
    """Writes pictures of the same size as a looping video. Never leaves a partial file.

    Args:
        path: String or `Path`. The suffix sets the format. Pillow writes `.gif` and `.webp` (lossless, but a GIF has
            256 colours), and the program `ffmpeg` writes `.mp4`.
        frames: Iterable of pictures, `(height, width, 1 | 3 | 4)` uint8.
        fps: Float, frames per second. A GIF rounds to hundredths of a second. Defaults to `20`.

    Raises:
        ValueError: If the format is unknown, if it cannot be written on this machine, or if there are no frames.
    """
    path = checks.path("path", path)
    videos.check(path)
    fps = checks.number("fps", fps, above=0, most=1000)
    duration = max(1, round(1000 / fps))
    if path.suffix.lower() == ".mp4":
        with replacing(path) as temporary:
            videos.write_mp4(temporary, _as_rgb(frames), fps)
    elif path.suffix.lower() == ".webp":
        # WebP's default, lossy compression would blur small images.
        _save_animation(path, frames, "WEBP", "save_video()", duration=duration, lossless=True)
    else:
        _save_animation(path, frames, "GIF", "save_video()", duration=duration)


def _as_rgb(frames):
    return (np.asarray(frame.convert("RGB")) for frame in _pil_frames(frames))


def _pil_frames(frames):
    if not np.iterable(frames):
        raise ValueError(f"`frames` must be pictures, one after the other. Received: frames={checks.shown(frames)}")
    return (_to_pil(frame, "frames") for frame in frames)


def _to_pil(picture, name="picture"):
    picture = checks.array(name, picture)
    is_grey = picture.ndim == 2 or picture.shape[-1:] == (1,)
    is_picture = picture.ndim in (2, 3) and picture.size and (is_grey or picture.shape[-1] in (3, 4))
    if picture.dtype != np.uint8 or not is_picture:
        raise ValueError(
            f"`{name}` must be uint8 of shape (height, width, 1, 3 or 4). Received: "
            f"{picture.dtype} of shape {picture.shape}. ganzoo.images.grid draws many, and to_uint8 scales [-1, 1]."
        )
    return Image.fromarray(picture.reshape(picture.shape[:2]) if is_grey else picture)
