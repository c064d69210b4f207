"""Trains the GAN of Goodfellow et al., 2014, on any images.

    python examples/train_gan.py --dataset mnist_10k --epochs 50

Everything is a flag: python examples/train_gan.py --help
"""

import training
from absl import app, flags

import ganzoo


def define_all_flags():
    """Defines the flags of this example."""
    training.define_flags("gan", epochs=50)
    flags.adopt_module_key_flags(training)  # `--help` lists them, too.
    flags.DEFINE_bool("minimax", False, "Train the generator with the minimax loss of Equation 1.")


def build(options, image_shape, settings):
    """Returns the compiled model and its own callbacks."""
    return ganzoo.GAN.from_paper(image_shape, minimax=options.minimax, **settings), []


def main(options):
    """Trains with the settings of an object that has the flags' values as attributes."""
    training.run(options, build)


if __name__ == "__main__":
    define_all_flags()
    app.run(lambda _: main(flags.FLAGS))
