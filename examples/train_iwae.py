"""Importance weighted autoencoder (Burda et al., 2015): what more proposals give.

    python examples/train_iwae.py

It trains a VAE and an IWAE with the same networks on binarised digits, and prints log p(x) of held-out digits for
both, estimated by importance sampling. All settings are flags of `python -m ganzoo train iwae mnist_10k`.
"""

from pathlib import Path

from absl import app, flags

import ganzoo

flags.DEFINE_integer("num_samples", 5, "Proposals K for each image.", lower_bound=1)
flags.DEFINE_integer("epochs", 20, "Epochs.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/iwae", "Folder.")

NETWORKS = {"latent_dim": 50, "hidden": (200, 200), "activation": "tanh", "kernel_initializer": "glorot_uniform"}


def binary_digits(split, batch_size):
    """Black and white digits: a grey pixel is white with a probability of its brightness."""
    digits = ganzoo.data.load("mnist_10k", split=split).source
    images = ganzoo.data.binarize(digits.images.numpy(), seed=0)
    return ganzoo.data.from_arrays(images, batch_size=batch_size)


def main(_):
    flag_values = flags.FLAGS
    train, held_out = binary_digits("train[:9000]", 20), binary_digits("train[9000:]", 100)
    images = next(iter(held_out)).numpy()
    vae = ganzoo.VAE.from_paper((28, 28, 1), **NETWORKS)
    iwae = ganzoo.IWAE.from_paper((28, 28, 1), num_samples=flag_values.num_samples, **NETWORKS)
    found = []
    for model in (vae, iwae):
        model.fit(train, epochs=flag_values.epochs)
        found.append(model.log_likelihood(images, num_samples=200).mean())
    print("log p(x) of held-out digits: VAE {:.1f}, IWAE {:.1f} nats".format(*found))
    Path(flag_values.output_dir).mkdir(parents=True, exist_ok=True)
    iwae.save(f"{flag_values.output_dir}/model.keras")


if __name__ == "__main__":
    app.run(main)
