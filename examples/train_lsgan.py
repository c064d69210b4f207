"""Trains the LSGAN of Mao et al., 2016, on any images.

    python examples/train_lsgan.py --dataset mnist_10k --epochs 20

Everything is a flag: python examples/train_lsgan.py --help
"""

import training
from absl import app, flags

import ganzoo


def define_all_flags():
    """Defines the flags of this example."""
    training.define_flags("lsgan", epochs=20)
    flags.adopt_module_key_flags(training)  # `--help` lists them, too.
    flags.DEFINE_integer("filters", 64, "Channels of the largest hidden map.", lower_bound=1)


def build(options, image_shape, settings):
    """Returns the compiled model and its own callbacks."""
    if len(image_shape) == 3:  # Points of a toy get dense networks.
        settings["filters"] = options.filters
    return ganzoo.LSGAN.from_paper(image_shape, **settings), []


def main(options):
    """Trains with the settings of an object that has the flags' values as attributes."""
    training.run(options, build)


if __name__ == "__main__":
    define_all_flags()
    app.run(lambda _: main(flags.FLAGS))
