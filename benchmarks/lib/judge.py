"""Measures the samples of a run, in a process of its own, after the run has ended: no competitor pays for it.

    python -m lib.judge DATA.npz RUN_DIR

Grey images of 28x28 are compared by the Fréchet distance in the 64 features of ganzoo's classifier of such images. It
sees the kind of a garment or digit and its shape, and 64 features need only thousands of samples. Other images are
compared by the kernel distance in the 1,280 features of EfficientNet-Lite0: it has no bias, and the Fréchet distance of
so many features would need tens of thousands of samples. Small images are enlarged to twice their size for it.

Precision, recall and memorization use the same features. All compare with held-out images. Memorization also needs all
training images.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from ganzoo import images, metrics
from ganzoo.metrics.defaults import default_features
from ganzoo.metrics.features import EfficientNetLite0


class Judge:
    """Knows the features of training images and held-out images, and scores samples.

    Args:
        train, held_out: uint8 images.
        features: `Features`. By default, what suits the images, see above.
        cache: Path of an `.npz` file that keeps the features of both. Defaults to `None`.
    """

    def __init__(self, train, held_out, features=None, cache=None):
        self.features = default_features(held_out, quick=True) if features is None else features
        self.uses_frechet = not isinstance(self.features, EfficientNetLite0)
        if cache is not None and cache.exists():
            with np.load(cache) as file:
                self.train, self.held_out = file["train"], file["held_out"]
        else:
            self.train, self.held_out = self.features(train), self.features(held_out)
            if cache is not None:
                np.savez(cache, train=self.train, held_out=self.held_out)

    @property
    def protocol(self):
        """A sentence about the distance."""
        name = "Fréchet distance" if self.uses_frechet else "kernel distance, all pairs,"
        return f"{name} in features of {self.features.name}, {len(self.held_out):,} held-out images"

    def distance(self, first, second):
        if self.uses_frechet:
            return metrics.frechet_distance(first, second).value
        return metrics.kernel_distance(first, second, subsets=None).value

    def scores(self, samples):
        """Dictionary of `distance`, `precision`, `recall` and `memorization` of uint8 samples."""
        found = self.features(samples)
        return {
            "distance": self.distance(self.held_out, found),
            "precision": metrics.precision(self.held_out, found).value,
            "recall": metrics.recall(self.held_out, found).value,
            "memorization": metrics.memorization(self.train, found, self.held_out, pairs=0).value,
        }

    def floor(self):
        """The distance of training images to the held-out images: what a perfect generator would reach."""
        return self.distance(self.held_out, self.train[: len(self.held_out)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help=".npz with uint8 `train` and `held_out`")
    parser.add_argument("run_dir", type=Path, help="folder of the samples of a run")
    options = parser.parse_args()
    with np.load(options.data) as file:
        judge = Judge(file["train"], file["held_out"], cache=options.data.with_suffix(".features.npz"))
    curve = []
    for path in sorted(options.run_dir.glob("*.npz")):
        with np.load(path) as file:
            samples = file["samples"]
            point = {"seconds": round(float(file["seconds"]), 3), "updates": int(file["updates"])}
        curve.append({**point, **{name: round(value, 6) for name, value in judge.scores(samples).items()}})
    if curve:
        images.save_png(options.run_dir / "samples.png", images.grid(samples[:64]))
    result = {"protocol": judge.protocol, "floor": round(judge.floor(), 6), "curve": curve}
    (options.run_dir / "scores.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
