"""Trains the SNGAN of Miyato et al., 2018, on any images.

    python examples/train_sngan.py --dataset mnist_10k --epochs 20

Everything is a flag: python examples/train_sngan.py --help
"""

import training
from absl import app, flags

import ganzoo


def define_all_flags():
    """Defines the flags of this example."""
    training.define_flags("sngan", epochs=20)
    flags.adopt_module_key_flags(training)  # `--help` lists them, too.
    flags.DEFINE_enum("networks", "dcgan", ["dcgan", "resnet"], "The family of networks.")
    flags.DEFINE_integer("filters", 64, "Channels of the largest hidden map.", lower_bound=1)
    flags.DEFINE_bool("hinge", True, "The hinge loss; else the loss of a GAN.")
    flags.DEFINE_float("learning_rate", 1e-4, "Learning rate of Adam, for both networks.", lower_bound=0.0)


def build(options, image_shape, settings):
    """Returns the compiled model and its own callbacks."""
    if len(image_shape) == 3:  # Points of a toy get dense networks.
        settings["networks"] = getattr(ganzoo.networks, options.networks)
        settings["filters"] = options.filters
    adam = {"learning_rate": options.learning_rate, "beta_1": 0.5, "beta_2": 0.999}
    adam = {"class_name": "Adam", "config": adam}
    gan = ganzoo.SNGAN.from_paper(
        image_shape, hinge=options.hinge, generator_optimizer=adam, discriminator_optimizer=adam, **settings
    )
    return gan, []


def main(options):
    """Trains with the settings of an object that has the flags' values as attributes."""
    training.run(options, build)


if __name__ == "__main__":
    define_all_flags()
    app.run(lambda _: main(flags.FLAGS))
