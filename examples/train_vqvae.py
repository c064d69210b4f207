"""Vector-quantised autoencoder (van den Oord et al., 2017): images as 49 integers, and a network that writes them.

    python examples/train_vqvae.py

It writes digits beside their reconstructions from 7 x 7 codes, and digits of codes that the prior has drawn. The
perplexity tells how many codes are in use. All settings are flags of `python -m ganzoo train vqvae mnist_10k`.
"""

from pathlib import Path

import keras
import numpy as np
from absl import app, flags

import ganzoo

flags.DEFINE_integer("filters", 32, "Channels of the hidden maps.", lower_bound=1)
flags.DEFINE_integer("epochs", 20, "Epochs.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/vqvae", "Folder.")


def main(_):
    flag_values = flags.FLAGS
    folder = Path(flag_values.output_dir)
    digits = ganzoo.data.load("mnist_10k", split="train[:9000]", batch_size=64)
    held_out = ganzoo.data.load("mnist_10k", split="train[9000:]", batch_size=100)
    vqvae = ganzoo.VQVAE.from_paper(
        (28, 28, 1),
        num_codes=64,
        code_dim=16,
        filters=flag_values.filters,
        prior_filters=32,
        prior_blocks=2,
        codebook_decay=0.99,
        optimizer=keras.optimizers.Adam(1e-3),
    )
    vqvae.fit(digits, epochs=flag_values.epochs)

    logs = vqvae.evaluate(held_out, return_dict=True, verbose=0)
    print(f"held-out digits: perplexity {logs['perplexity']:.1f} of 64, {49 * logs['code_loss']:.0f} nats for 49 codes")
    images = next(iter(held_out))[0].numpy()[:8]
    pairs = np.concatenate([images, vqvae.reconstruct(images)])
    folder.mkdir(parents=True, exist_ok=True)
    ganzoo.images.save_png(folder / "reconstructions.png", ganzoo.images.grid(pairs, columns=8))
    ganzoo.images.save_png(folder / "samples.png", ganzoo.images.grid(vqvae.generate(64, seed=0), columns=8))
    vqvae.save(folder / "model.keras")


if __name__ == "__main__":
    app.run(main)
