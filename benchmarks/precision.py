"""Does mixed_bfloat16 train as well as float32?

    python benchmarks/precision.py

Trains the same WGAN-GP with both policies from three seeds, and prints the Wasserstein estimate (median of the last
200 steps) and the Fréchet distance of the samples (see sample_quality.py) for each run.
"""

import argparse

import keras
import numpy as np
from lib.sample_quality import frechet_distance, real_images, statistics, train_classifier

import ganzoo


class Estimates(keras.callbacks.Callback):
    """Keeps the Wasserstein estimate of each epoch, the mean in the log at its end."""

    def __init__(self):
        super().__init__()
        self.values = []

    def on_epoch_end(self, epoch, logs=None):
        self.values.append(logs["wasserstein"])


def train(dataset, policy, seed, steps, filters):
    """Trains a model. Returns its Wasserstein estimate and 5,000 samples."""
    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(policy)
    optimizers = {
        f"{network}_optimizer": keras.optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.9)
        for network in ("generator", "discriminator")
    }
    gan = ganzoo.WGANGP.from_paper((28, 28, 1), filters=filters, seed=seed, **optimizers)
    keras.config.set_dtype_policy("float32")
    estimates = Estimates()
    data = ganzoo.data.load(dataset, batch_size=64, seed=seed)
    gan.fit(data, epochs=steps // 20, steps_per_epoch=20, verbose=0, callbacks=[estimates])
    return np.median(estimates.values[-10:]), gan.generate(5000, seed=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="fashion_mnist_10k")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()

    keras.utils.set_random_seed(0)
    features = train_classifier(options.dataset)
    real = real_images(options.dataset)
    reference = statistics(features, real)
    halves = frechet_distance(statistics(features, real[::2]), statistics(features, real[1::2]))
    print(f"real half against real half: Fréchet distance {halves:.2f}\n", flush=True)
    print("| policy | seed | Wasserstein estimate | Fréchet distance |\n|---|---|---|---|", flush=True)
    for policy in ("float32", "mixed_bfloat16"):
        rows = []
        for seed in range(options.seeds):
            estimate, samples = train(options.dataset, policy, seed, options.steps, options.filters)
            distance = frechet_distance(reference, statistics(features, samples))
            rows.append((estimate, distance))
            print(f"| {policy} | {seed} | {estimate:.3f} | {distance:.1f} |", flush=True)
        (w, d), (w_spread, d_spread) = np.mean(rows, 0), np.std(rows, 0, ddof=1)
        print(f"| {policy} | mean | {w:.3f} ± {w_spread:.3f} | {d:.1f} ± {d_spread:.1f} |", flush=True)


if __name__ == "__main__":
    main()
