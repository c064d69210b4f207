"""Does the Wasserstein estimate of a WGAN follow the quality of its samples (Figure 3 of the paper)?

    python benchmarks/wgan_estimate.py

Trains WGAN on an embedded dataset, with the burn-in of the authors' code. Prints, at 40 checkpoints spaced evenly in
the logarithm of the step, the median-filtered estimate and the Fréchet distance of the samples (sample_quality.py),
then Spearman's rank correlation between the two, and draws both.
"""

import argparse
from pathlib import Path

import keras
import numpy as np
from sample_quality import frechet_distance, real_images, statistics, train_classifier
from scipy import ndimage, stats

import ganzoo


class Probe(keras.callbacks.Callback):
    """Keeps the estimate of each step, and the distance of the samples at some of them."""

    def __init__(self, at_steps, distance):
        super().__init__()
        self.at_steps, self.distance = set(at_steps), distance
        self.estimates, self.distances = [], {}

    def on_train_batch_end(self, batch, logs=None):
        # Epochs of one step: the log shows that step alone.
        self.estimates.append(float(logs["wasserstein"]))
        step = len(self.estimates)
        if step in self.at_steps:
            self.distances[step] = self.distance(self.model.generate(2000, seed=0))
            print(f"step {step}: estimate {self.estimates[-1]:.4f}, distance {self.distances[step]:.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist_10k")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--picture", default="docs/images/wgan_estimate.png")
    options = parser.parse_args()

    keras.utils.set_random_seed(0)
    features = train_classifier(options.dataset)
    reference = statistics(features, real_images(options.dataset))
    at_steps = np.unique(np.geomspace(10, options.steps, 40).astype(int))
    probe = Probe(at_steps, lambda samples: frechet_distance(reference, statistics(features, samples)))
    gan = ganzoo.WGAN.from_paper((28, 28, 1), filters=options.filters, seed=0)
    data = ganzoo.data.load(options.dataset, batch_size=64)
    callbacks = [ganzoo.callbacks.CriticBurnIn(), probe]
    gan.fit(data, epochs=options.steps, steps_per_epoch=1, verbose=0, callbacks=callbacks)

    filtered = ndimage.median_filter(np.array(probe.estimates), size=101, mode="nearest")
    steps = np.array(sorted(probe.distances))
    distances = np.array([probe.distances[step] for step in steps])
    correlation = stats.spearmanr(filtered[steps - 1], distances).statistic
    print(f"\nSpearman's correlation of estimate and distance over {len(steps)} checkpoints: {correlation:.3f}")
    draw(Path(options.picture), probe.estimates, filtered, steps, distances, correlation)


def draw(path, estimates, filtered, steps, distances, correlation):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    left = figure.add_subplot()
    left.semilogx(range(1, len(estimates) + 1), estimates, color="0.8", lw=0.7)
    left.semilogx(range(1, len(estimates) + 1), filtered, color="#0072B2", label="Wasserstein estimate, median of 101")
    left.set_xlabel("generator updates")
    left.set_ylabel("Wasserstein estimate", color="#0072B2")
    right = left.twinx()
    right.semilogx(steps, distances, "o-", color="#D55E00", ms=3, lw=1)
    right.set_ylabel("Fréchet distance of the samples", color="#D55E00")
    left.set_title(f"WGAN: estimate and sample quality, Spearman {correlation:.2f}")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    print(f"Drawn: {path}")


if __name__ == "__main__":
    main()
