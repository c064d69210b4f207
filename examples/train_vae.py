"""Trains the variational autoencoder of Kingma & Welling, 2013, on any images.

    python examples/train_vae.py --dataset mnist_10k --epochs 50

With two latents, the default, it draws the latent space after each epoch. Everything is a flag:
python examples/train_vae.py --help
"""

from pathlib import Path

import keras
import training
from absl import app, flags

import ganzoo


def define_all_flags():
    """Defines the flags of this example."""
    training.define_flags("vae", dataset="mnist_10k", epochs=50, adversarial=False)
    flags.adopt_module_key_flags(training)  # `--help` lists them, too.
    define_network_flags()
    flags.DEFINE_enum("likelihood", None, ["bernoulli", "gaussian"], "Default: bernoulli for images.")
    flags.DEFINE_float("beta", 1.0, "Weight of the KL divergence.", lower_bound=0.0)


def define_network_flags():
    """Defines the flags that this example shares with `train_autoencoder.py`."""
    flags.DEFINE_integer("latent_dim", 2, "Size of the latent vector.", lower_bound=1)
    flags.DEFINE_list("hidden", ["512", "512"], "Sizes of the dense hidden layers of the encoder.")
    flags.DEFINE_integer("filters", None, "Convolutional networks, with this many channels in the largest map.")
    flags.DEFINE_float("learning_rate", 1e-3, "Learning rate of Adam.", lower_bound=0.0)
    flags.DEFINE_string("latent_split", "train", "Part of the data whose latents are drawn, such as test for mnist.")


def network_settings(options, settings):
    """Returns the settings of `from_paper` that those flags give."""
    return {
        **settings,
        "latent_dim": options.latent_dim,
        "hidden": tuple(map(int, options.hidden)),
        "filters": options.filters,
        "optimizer": keras.optimizers.Adam(options.learning_rate),
    }


def latent_space(options):
    """Returns a list with the callback that draws the latent space, if it has two dimensions and the data labels."""
    size = options.image_size
    data = ganzoo.data.load(
        options.dataset,
        split=options.latent_split,
        batch_size=100,
        image_size=(size, size) if size else None,
        data_dir=options.data_dir,
        manual_dir=options.manual_dir,
    )
    labelled = isinstance(data.element_spec, tuple) and len(data.element_spec) == 2
    if options.latent_dim != 2 or not labelled:
        return []
    return [ganzoo.callbacks.LatentSpace(Path(options.output_dir) / "latent_space", data)]


def build(options, image_shape, settings):
    """Returns the compiled model and its own callbacks."""
    if options.likelihood:
        settings["likelihood"] = options.likelihood
    vae = ganzoo.VAE.from_paper(
        image_shape,
        beta=options.beta,
        activation="relu",
        kernel_initializer="he_uniform",
        **network_settings(options, settings),
    )
    return vae, latent_space(options)


def main(options):
    """Trains with the settings of an object that has the flags' values as attributes."""
    training.run(options, build)


if __name__ == "__main__":
    define_all_flags()
    app.run(lambda _: main(flags.FLAGS))
