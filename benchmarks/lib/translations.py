"""Measures and pictures of a model that translates images, for its card."""

import sys
from pathlib import Path

import numpy as np

from ganzoo import data, images, metrics

sys.path.append(str(Path(__file__).parent.parent))
from pix2pix_ablation import BINS, RANGE, lab  # noqa: E402

PROTOCOL = (
    "Measured with the weights as they are in the preset, rounded to float16, on held-out pairs. l1 is the mean "
    "absolute difference of pixels in [-1, 1], without the hints and with hints of colour as in training, always the "
    "same. Colours a and b: the overlap of the histograms of outputs and targets in CIELAB, where targets are not "
    "white (Isola et al., 2017, Section 4.2). 1 is the best. Intervals are over the images."
)
ROWS = 8


def pairs(folder, color_hints):
    """Held-out inputs and targets, float arrays in [-1, 1]."""
    dataset = data.paired(folder, shuffle=False, color_hints=color_hints, batch_size=1)
    inputs, targets = zip(*dataset.as_numpy_iterator())
    return np.concatenate(inputs), np.concatenate(targets)


def measured(model, recipe, folder):
    """The scores, and a picture of inputs, outputs and targets: the first of pairs in even steps, not chosen.

    Args:
        model: A model that translates images.
        recipe: Dictionary of its recipe.
        folder: Folder of side-by-side images that the training never saw.
    """
    hints = recipe.get("flags", {}).get("color_hints", 0)
    scores, plain = [], pairs(folder, 0)
    scores.append(l1("l1", plain, model))
    shown = plain
    if hints:
        shown = pairs(folder, hints)
        scores.append(l1("l1 with hints", shown, model))
    outputs = model.predict(shown[0], batch_size=50, verbose=0)
    for name, (value, interval) in colours(outputs, shown[1]).items():
        scores.append(score(f"colour {name}", value, interval, len(outputs), lower_is_better=False))
    places = np.linspace(0, len(outputs) - 1, 3 * ROWS).round().astype(int)
    rows = np.stack([np.broadcast_to(shown[0], outputs.shape), outputs, shown[1]], axis=1)[places]
    return scores, images.grid(rows.reshape(-1, *outputs.shape[1:]), columns=9)


def colours(outputs, targets):
    """How far the histograms of colour agree, with bootstrap intervals over the images: `{axis: (value, interval)}`."""
    colour = targets.min(axis=-1) < 1.0
    sides = [[lab(image[place]) for image, place in zip(images, colour)] for images in (outputs, targets)]
    weights = np.random.default_rng(0).multinomial(len(targets), np.full(len(targets), 1 / len(targets)), size=1000)
    found = {}
    for axis, name in ((1, "a"), (2, "b")):
        counts = [
            np.array([np.histogram(pixels[:, axis], bins=BINS, range=RANGE)[0] for pixels in side]) for side in sides
        ]
        value = overlap(*(each.sum(axis=0)[None] for each in counts))[0]
        # A resampled overlap is lower on average, so the interval is the basic bootstrap's.
        low, high = np.quantile(overlap(*(weights @ each for each in counts)), (0.025, 0.975))
        found[name] = value, (2 * value - high, 2 * value - low)
    return found


def overlap(ours, theirs):
    """The common area of histograms, one in each row."""
    ours, theirs = (each / each.sum(axis=1, keepdims=True) for each in (ours, theirs))
    return np.minimum(ours, theirs).sum(axis=1)


def l1(name, pairs, model):
    """Mean absolute difference of outputs and targets, with an interval over the images."""
    inputs, targets = pairs
    each = np.abs(model.predict(inputs, batch_size=50, verbose=0) - targets).mean(axis=(1, 2, 3))
    error = 1.96 * each.std(ddof=1) / len(each) ** 0.5
    return score(name, each.mean(), (each.mean() - error, each.mean() + error), len(each), lower_is_better=True)


def score(name, value, interval, count, lower_is_better):
    return metrics.Score(
        name, value, interval, num_real=count, num_fake=count, features="pixels", lower_is_better=lower_is_better
    )
