"""What the experiments share: flags, colours, a figure, and how pictures and animations are written.

An experiment has `compute`, which returns numbers and arrays, `draw`, which turns them into a figure, and `main`:

    def main(options):
        results = compute(seed=options.seed)
        report(results)
        draw(results, Path(options.output_dir) / "parallel_lines.png")


    if __name__ == "__main__":
        figures.define_flags()
        app.run(lambda _: main(flags.FLAGS))
"""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # Print the numbers alone. 0 shows TensorFlow's messages, too.

import numpy as np  # noqa: E402
from absl import flags  # noqa: E402
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from PIL import Image  # noqa: E402

import ganzoo  # noqa: E402
from ganzoo.comparison.runs import COLOURS  # noqa: E402
from ganzoo.files import replacing  # noqa: E402

# Okabe and Ito: all of them can be told apart by colour-blind readers. Yellow is too light for lines on white.
BLUE, VERMILION, GREEN, PINK, ORANGE, SKY, BLACK, YELLOW = COLOURS
GREY = "0.6"

# From low to high, and around zero: both keep their order for the colour-blind and in grey.
SEQUENTIAL, DIVERGING = "cividis", "PuOr"

WIDTH = 9.0  # inches. 900 pixels keep the text readable when a page shows them in 700.
DPI = 100


def define_flags():
    """Defines the flags of all experiments."""
    flags.DEFINE_string("output_dir", "runs/theory", "Where the figure is written.")
    flags.DEFINE_integer("seed", 0, "Seed of the samples and of the initial weights.")


def new(rows=1, columns=1, height=3.4, width=WIDTH, **settings):
    """A figure and its axes.

    Args:
        rows, columns: Integers. Default to `1`.
        height: Float, inches of the whole figure. Defaults to `3.4`, good for one row.
        width: Float, inches of the whole figure. Defaults to `9.0`.
        **settings: Passed to matplotlib's `Figure.subplots`: `sharex`, `width_ratios`, `squeeze`, `subplot_kw`, ...

    Returns:
        Pair: the figure, and its axes object or an array of them.
    """
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, **settings)
    for each in np.ravel(axes):
        each.grid(color="0.92")
        each.set_axisbelow(True)
        each.title.set_fontsize("medium")
        if "top" in each.spines:  # Polar and 3-D axes have other spines.
            each.spines[["top", "right"]].set_visible(False)
    return figure, axes


def legend(axes, **settings):
    """A legend without a frame, in small letters."""
    return axes.legend(**{"frameon": False, "fontsize": "small", **settings})


def picture(figure):
    """A figure as a uint8 array `(height, width, 3)`."""
    figure.canvas.draw()
    return np.array(figure.canvas.buffer_rgba())[..., :3]


def save(figure, path):
    """Writes a figure as PNG, and says where."""
    ganzoo.images.save_png(path, picture(figure))
    tell(path)


def save_gif(path, frames, duration=0.15, hold=1.5, colours=32):
    """Writes an animation with few colours, which all frames share, and says where.

    Args:
        path: String or `Path`.
        frames: List of figures, or of uint8 arrays `(height, width, 3)`, all of the same size.
        duration: Float, seconds for a frame. Defaults to `0.15`.
        hold: Float, seconds for the last frame. Defaults to `1.5`.
        colours: Integer, at most 256. More colours need more bytes. Defaults to `32`.
    """
    pictures = [picture(frame) if isinstance(frame, Figure) else np.asarray(frame) for frame in frames]
    chosen = [pictures[index] for index in sorted({0, len(pictures) // 3, 2 * len(pictures) // 3, len(pictures) - 1})]
    # Thin lines have few pixels. A palette of the most frequent colours would lose them, so cover all colours.
    palette = Image.fromarray(np.concatenate(chosen)).quantize(colours, Image.Quantize.MAXCOVERAGE)
    first, *others = [Image.fromarray(each).quantize(palette=palette, dither=Image.Dither.NONE) for each in pictures]
    milliseconds = [round(1000 * duration)] * len(others) + [round(1000 * hold)]
    with replacing(path) as temporary:
        first.save(temporary, "GIF", save_all=True, append_images=others, duration=milliseconds, loop=0, optimize=True)
    tell(path)


def tell(path):
    """Prints the path and the size of a file."""
    print(f"{path}, {Path(path).stat().st_size / 1000:.0f} kB")
