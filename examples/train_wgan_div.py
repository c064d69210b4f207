"""WGAN-div (Wu et al., 2018) beside WGAN-GP: how steep are the two critics?

    python examples/train_wgan_div.py --epochs 20

WGAN-GP holds the critic's slope at 1 wherever it looks. The divergence lets the slope follow the distance: steep while
the samples are far from the data, flat when they are near. Both learn a ring of eight Gaussians here.
"""

from pathlib import Path

import keras
import tensorflow as tf
from absl import app, flags

import ganzoo

flags.DEFINE_integer("epochs", 20, "Epochs of 50 generator updates.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/wgan_div", "Folder of the pictures.")


def main(_):
    ring = ganzoo.data.ring(num_samples=64_000, std=0.05, batch_size=256)
    real = next(iter(ring))[0]
    for name, model in (("WGAN-GP", ganzoo.WGANGP), ("WGAN-div", ganzoo.WGANDiv)):
        keras.utils.set_random_seed(0)
        gan = model.from_paper((2,), hidden=(64, 64), seed=0)
        slopes = []
        for epoch in range(flags.FLAGS.epochs):
            gan.fit(ring, initial_epoch=epoch, epochs=epoch + 1, verbose=0)
            slopes.append(float(tf.reduce_mean(ganzoo.penalties.gradient_norms(gan.discriminator, real))))
        points = gan.generate(1000, seed=1)
        ganzoo.images.save_png(Path(flags.FLAGS.output_dir) / f"{name}.png", ganzoo.images.scatter(points, real))
        print(f"{name}: mean slope {slopes[0]:.2f} after the first epoch, {slopes[-1]:.2f} after the last.")


if __name__ == "__main__":
    app.run(main)
