"""Autoencoder (Hinton & Salakhutdinov, 2006): why a latent needs a distribution.

    python examples/train_autoencoder.py

It writes four pictures: digits beside their reconstructions, the two latents of 5,000 digits, a walk between two
digits, and samples from latents of N(0, I), where the encoder has put nothing. Compare the last picture with
train_vae.py.
"""

from pathlib import Path

import numpy as np
from absl import app, flags

import ganzoo

OUTPUT = flags.DEFINE_string("output_dir", "runs/autoencoder", "Folder of the pictures.")
EPOCHS = flags.DEFINE_integer("epochs", 50, "Passes over the digits.", lower_bound=1)


def save(name, images, columns):
    ganzoo.images.save_png(Path(OUTPUT.value) / f"{name}.png", ganzoo.images.grid(images, columns=columns))


def main(_):
    digits = ganzoo.data.load("mnist_10k", batch_size=100)
    autoencoder = ganzoo.Autoencoder.from_paper((28, 28, 1), latent_dim=2, hidden=(512, 512))
    space = ganzoo.callbacks.LatentSpace(OUTPUT.value, digits)
    autoencoder.fit(digits, epochs=EPOCHS.value, callbacks=[space])

    images = next(iter(digits))[0].numpy()[:8]
    save("reconstructions", np.concatenate([images, autoencoder.reconstruct(images)]), columns=8)
    start, end = autoencoder.encode(images[:2])
    steps = np.linspace(0, 1, 10)[:, None]
    save("walk", autoencoder.decode((1 - steps) * start + steps * end), columns=10)
    save("samples", autoencoder.generate(64), columns=8)
    spread = autoencoder.encode(images).std(axis=0)
    print(f"standard deviations of the latents: {spread.round(2)}; those of the samples: [1, 1]")


if __name__ == "__main__":
    app.run(main)
