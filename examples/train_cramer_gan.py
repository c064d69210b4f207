"""Cramér GAN (Bellemare et al., 2017): follow the distance that the generator descends.

    python examples/train_cramer_gan.py --epochs 20

The critic of a Cramér GAN gives features and no score. This script trains on a ring of eight Gaussians and prints the
energy distance between new samples and held-out points, in the plane itself, after each epoch.
"""

from pathlib import Path

import keras
import numpy as np
from absl import app, flags

import ganzoo

flags.DEFINE_integer("epochs", 20, "Epochs of 50 generator updates.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/cramer_gan", "Folder of the picture.")


def mean_distance(x, y):
    """E||X - Y|| of all pairs."""
    return np.linalg.norm(x[:, None] - y[None], axis=-1).mean()


def energy_distance(x, y):
    return 2 * mean_distance(x, y) - mean_distance(x, x) - mean_distance(y, y)


def main(_):
    ring = ganzoo.data.ring(num_samples=64_000, std=0.05, batch_size=256)
    held_out = np.concatenate([points for points, _ in ganzoo.data.ring(1_024, std=0.05, batch_size=256, seed=1)])
    keras.utils.set_random_seed(0)
    gan = ganzoo.CramerGAN.from_paper((2,), hidden=(64, 64), score_dim=16, seed=0)
    for epoch in range(flags.FLAGS.epochs):
        gan.fit(ring, initial_epoch=epoch, epochs=epoch + 1, verbose=0)
        samples = gan.generate(1_024, seed=1)
        print(f"epoch {epoch + 1}: energy distance {energy_distance(samples, held_out):.4f}")
    ganzoo.images.save_png(Path(flags.FLAGS.output_dir) / "samples.png", ganzoo.images.scatter(samples, held_out))


if __name__ == "__main__":
    app.run(main)
