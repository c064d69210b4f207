"""Which faults does each metric see in images in colour, in the features of EfficientNetLite0 and in pixels?

    python benchmarks/calibration_colour.py --data emoji_google_64.npz --style emoji_twitter_64.npz

The real set are 2,000 of the `train_images` (uint8) of `--data`, in a random order. Others act as generated samples:
unchanged at level 0, then ever more blurred, noisy, with fewer modes (of 16 clusters by colour), drawn in another style
(images of `--style`, which has the same subjects in the same order), or replaced by flat noise around the mean image.
The rules of `calibration.py` decide whether a metric sees a fault.
"""

import argparse

import numpy as np
from calibration import measure, verdict
from scipy import cluster, ndimage

from ganzoo import metrics
from ganzoo.metrics.features import EfficientNetLite0, Given

REAL, COUNT, LEVELS = 2000, 500, 5


class Data:
    """Real images, and images to spoil.

    Args:
        path, style: Paths of `.npz` files with `train_images` of the same subjects in the same order.
    """

    def __init__(self, path, style):
        with np.load(path) as file, np.load(style) as other:
            images, styled = file["train_images"], other["train_images"]
        order = np.random.default_rng(0).permutation(len(images))
        self.real = images[order[:REAL]]
        self.fresh, self.styled = images[order[REAL:]], styled[order[REAL:]]
        colours = self.fresh.reshape(len(self.fresh), 8, 8, 8, 8, 3).mean(axis=(2, 4)).reshape(len(self.fresh), -1)
        _, self.modes = cluster.vq.kmeans2(colours.astype("float64"), 16, seed=0, minit="++")


def blur(data, level, rng):
    sigma = (0, 0.5, 1, 2, 4)[level]
    return ndimage.gaussian_filter(data.fresh[:COUNT].astype("float32"), (0, sigma, sigma, 0))


def noise(data, level, rng):
    return data.fresh[:COUNT] + (0, 8, 16, 32, 64)[level] * rng.standard_normal(data.fresh[:COUNT].shape)


def dropped_modes(data, level, rng):
    kept = np.flatnonzero(data.modes < (16, 12, 8, 4, 2)[level])
    return data.fresh[np.resize(kept, COUNT)]


def another_style(data, level, rng):
    count = COUNT * level // 4
    return np.concatenate([data.styled[:count], data.fresh[count:COUNT]])


def flat_noise(data, level, rng):
    count = COUNT * level // 4
    flat = data.real.mean(axis=0) + 8 * rng.standard_normal((count, *data.real.shape[1:]))
    return np.concatenate([flat, data.fresh[count:COUNT]])


FAULTS = {
    "blur": blur,
    "noise": noise,
    "dropped modes": dropped_modes,
    "another style": another_style,
    "flat noise": flat_noise,
}


class Pixels(Given):
    """The pixels of images, averaged to 16x16."""

    name = "pixels"

    def __call__(self, samples):
        side = samples.shape[1] // 16
        squares = np.asarray(samples, "float32").reshape(len(samples), 16, side, 16, side, 3)
        return squares.mean(axis=(2, 4)).reshape(len(samples), -1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--style", required=True)
    parser.add_argument("--side", type=int, default=112, help="of the network")
    parser.add_argument("--metrics", nargs="+", help="names as in the table; default: all")
    options = parser.parse_args()
    data = Data(options.data, options.style)
    kinds = {
        "Kernel distance": metrics.KernelDistance,
        "Precision": metrics.Precision,
        "Recall": metrics.Recall,
        "Density": metrics.Density,
        "Coverage": metrics.Coverage,
    }
    print(f"| Metric | {' | '.join(FAULTS)} |\n|---|{'---|' * len(FAULTS)}")
    for network in (EfficientNetLite0(options.side), Pixels()):
        real, spoilt = network(data.real), {}
        for fault, spoil in FAULTS.items():
            rng = np.random.default_rng(1)
            levels = [np.clip(spoil(data, level, rng), 0, 255).astype("uint8") for level in range(LEVELS)]
            spoilt[fault] = [network(images) for images in levels]
        for name, kind in kinds.items():
            if options.metrics and name not in options.metrics:
                continue
            cells = []
            for fault in FAULTS:
                scores = [measure(kind(), real, fake) for fake in spoilt[fault]]
                cells.append(f"{verdict(name, scores)} ({scores[0].value:.3g} to {scores[-1].value:.3g})")
            print(f"| {name}, {network.name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
