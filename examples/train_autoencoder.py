"""Trains an autoencoder, as in Hinton & Salakhutdinov, 2006, on any images.

    python examples/train_autoencoder.py --dataset mnist_10k --epochs 50

With two latents, the default, it draws the latent space after each epoch. The samples are decoded from N(0, I), which
its latents do not follow: compare them with those of train_vae.py. Everything is a flag:
python examples/train_autoencoder.py --help
"""

import train_vae
import training
from absl import app, flags

import ganzoo


def define_all_flags():
    """Defines the flags of this example."""
    training.define_flags("autoencoder", dataset="mnist_10k", epochs=50, adversarial=False)
    flags.adopt_module_key_flags(training)  # `--help` lists them, too.
    train_vae.define_network_flags()
    flags.adopt_module_key_flags(train_vae)


def build(options, image_shape, settings):
    """Returns the compiled model and its own callbacks."""
    model = ganzoo.Autoencoder.from_paper(image_shape, **train_vae.network_settings(options, settings))
    return model, train_vae.latent_space(options)


def main(options):
    """Trains with the settings of an object that has the flags' values as attributes."""
    training.run(options, build)


if __name__ == "__main__":
    define_all_flags()
    app.run(lambda _: main(flags.FLAGS))
