"""Variational autoencoder (Kingma & Welling, 2013): a bound of the likelihood, and how far it is from the likelihood.

    python examples/train_vae.py --latent_dim 20

The loss is a lower bound of log p(x), the ELBO. Importance sampling estimates log p(x) itself, so the example prints
both for held-out digits, in nats. It binarises the digits, because a Bernoulli likelihood needs black and white pixels.
With two latents it also draws the latent space. All settings are flags of `python -m ganzoo train vae mnist_10k`.
"""

from pathlib import Path

import keras
from absl import app, flags

import ganzoo

flags.DEFINE_integer("latent_dim", 2, "Size of the latents. Two can be drawn.", lower_bound=1)
flags.DEFINE_integer("epochs", 30, "Epochs.", lower_bound=1)
flags.DEFINE_string("output_dir", "runs/vae", "Folder.")


def binary_digits(split, batch_size):
    """Black and white digits: a grey pixel is white with a probability of its brightness."""
    digits = ganzoo.data.load("mnist_10k", split=split).source
    images = ganzoo.data.binarize(digits.images.numpy(), seed=0)
    return ganzoo.data.from_arrays(images, digits.labels.numpy(), batch_size=batch_size)


def main(_):
    flag_values = flags.FLAGS
    train, held_out = binary_digits("train[:9000]", 128), binary_digits("train[9000:]", 100)
    vae = ganzoo.VAE.from_paper(
        (28, 28, 1),
        latent_dim=flag_values.latent_dim,
        hidden=(512, 512),
        activation="relu",
        kernel_initializer="he_uniform",
        optimizer=keras.optimizers.Adam(1e-3),
    )
    pictures = [ganzoo.callbacks.LatentSpace(flag_values.output_dir, train)] if flag_values.latent_dim == 2 else []
    vae.fit(train, epochs=flag_values.epochs, validation_data=held_out, callbacks=pictures)

    bound = vae.evaluate(held_out, return_dict=True, verbose=0)["elbo"]
    images = next(iter(held_out))[0].numpy()
    print(f"ELBO {bound:.1f} nats; log p(x) {vae.log_likelihood(images, num_samples=100).mean():.1f} nats")
    Path(flag_values.output_dir).mkdir(parents=True, exist_ok=True)
    vae.save(f"{flag_values.output_dir}/model.keras")


if __name__ == "__main__":
    app.run(main)
