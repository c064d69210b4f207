"""Wasserstein autoencoder (Tolstikhin et al., 2018): all latents together follow N(0, I).

    python examples/train_wae.py

It writes digits decoded from N(0, I), and prints the standard deviations of the latents of held-out digits. If the
penalty works, they are 1, as in the prior. In an autoencoder (train_autoencoder.py) they can have any value. All
settings are flags of `python -m ganzoo train wae mnist_10k`.
"""

from pathlib import Path

from absl import app, flags

import ganzoo

flags.DEFINE_float("mmd_weight", 10.0, "Weight of the discrepancy from N(0, I).", lower_bound=0)
flags.DEFINE_integer("epochs", 20, "Epochs.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/wae", "Folder.")


def main(_):
    flag_values = flags.FLAGS
    folder = Path(flag_values.output_dir)
    digits = ganzoo.data.load("mnist_10k", split="train[:9000]", batch_size=100)
    held_out = ganzoo.data.load("mnist_10k", split="train[9000:]", batch_size=1000)
    wae = ganzoo.WAE.from_paper((28, 28, 1), latent_dim=8, mmd_weight=flag_values.mmd_weight)
    wae.fit(digits, epochs=flag_values.epochs)

    spread = wae.encode(next(iter(held_out))[0].numpy()).std(axis=0)
    print(f"standard deviations of the latents: {spread.min():.2f} to {spread.max():.2f}")
    folder.mkdir(parents=True, exist_ok=True)
    ganzoo.images.save_png(folder / "samples.png", ganzoo.images.grid(wae.generate(64, seed=0), columns=8))
    wae.save(folder / "model.keras")


if __name__ == "__main__":
    app.run(main)
