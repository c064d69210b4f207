"""Pictures for `CriticDiagnostics`."""

import numpy as np

from ganzoo.callbacks import curves
from ganzoo.health.critic import NEAR_CLIP


def save(path, title, draw, what):
    """Draws a figure with a title and saves it as PNG.

    Args:
        path: `Path`.
        title: String.
        draw: Function `(figure, what)` of this file.
        what: The data to draw.
    """
    figure = curves.new_figure(title, 4.2)
    draw(figure, what)
    curves.save_figure(path, figure)


def draw_layers(figure, seen):
    """Draws the two gradients, layer by layer."""
    titles = {"score": "gradient of the score, at the layer's output", "loss": "gradient of the loss, in its weights"}
    for index, (kind, label) in enumerate(titles.items()):
        values = seen[f"{kind}_gradients"].mean(axis=0).astype("float64")
        axes = figure.add_subplot(1, 2, index + 1, yscale="log")
        axes.set_title(label, fontsize="medium")
        axes.plot(np.where(np.isfinite(values) & (values > 0), values, np.nan), "o-", color=curves.TRAINING)
        axes.set_xticks(range(len(values)), seen[f"{kind}_layers"], rotation=30, ha="right", fontsize="small")


def draw_norms(figure, seen):
    """Draws a histogram of the critic's gradient norms between real and generated samples."""
    norms = seen["norms"].ravel()
    norms = norms[np.isfinite(norms)]
    axes = figure.add_subplot(xlabel="norm of the critic's gradient between real and generated samples")
    axes.hist(norms, bins=50, color=curves.TRAINING)
    if len(norms):
        label = f"mean {norms.mean():.3g}, deviation {norms.std():.3g}"
        axes.axvline(norms.mean(), color=curves.VALIDATION, label=label)
        if 1 / 3 < norms.mean() < 3:  # Otherwise the line would squeeze the histogram.
            axes.axvline(1.0, color=curves.EACH_STEP, linestyle="--", label="1, the slope of an optimal critic")
        axes.legend(frameon=False, fontsize="small")


def draw_weights(figure, seen):
    """Draws a histogram of the clipped weights."""
    clip, weights = seen["clip_value"], seen["weights"]
    axes = figure.add_subplot(xlabel="clipped weights", yscale="log")
    share = float(np.mean(np.abs(weights) > NEAR_CLIP))
    extent = (-1.1 * clip, 1.1 * clip)
    axes.hist(weights * clip, bins=101, range=extent, color=curves.TRAINING, label=f"{share:.1%} at +-c")
    for bound in (-clip, clip):
        axes.axvline(bound, color=curves.VALIDATION, linewidth=0.8, linestyle="--")
    axes.legend(frameon=False, fontsize="small")


def draw_estimates(figure, rows):
    """Draws estimate and loss on training and held-out samples, over the training steps."""
    steps = [row["step"] for row in rows]
    for index, (name, label) in enumerate((("estimate", "E[D(x)] - E[D(G(z))]"), ("loss", "the critic's loss"))):
        axes = figure.add_subplot(1, 2, index + 1, xlabel="training steps")
        axes.set_title(label, fontsize="medium")
        marker = "o" if len(rows) <= 30 else None
        for kind, color in (("training", curves.TRAINING), ("held_out", curves.VALIDATION)):
            values = [row[f"{kind}_{name}"] for row in rows]
            axes.plot(steps, values, color=color, marker=marker, markersize=3, label=kind.replace("_", "-"))
        axes.legend(frameon=False, fontsize="small")
