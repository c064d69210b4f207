"""Trains the WGAN of Arjovsky et al., 2017, on any images.

    python examples/train_wgan.py --dataset mnist_10k --epochs 50

Everything is a flag: python examples/train_wgan.py --help
"""

import training
from absl import app, flags

import ganzoo


def define_all_flags():
    """Defines the flags of this example."""
    training.define_flags("wgan", epochs=50)
    flags.adopt_module_key_flags(training)  # `--help` lists them, too.
    flags.DEFINE_float("clip_value", 0.01, "c, the bound of the critic's weights.", lower_bound=0.0)
    flags.DEFINE_bool("clip_normalization", True, "Clip gamma and beta of normalization layers as well.")
    flags.DEFINE_bool("burn_in", True, "Train the critic 100 times before the first generator updates, as the authors.")
    flags.DEFINE_integer("filters", 64, "Channels of the largest hidden map.", lower_bound=1)


def build(options, image_shape, settings):
    """Returns the compiled model and its own callbacks."""
    if len(image_shape) == 3:  # Points of a toy get dense networks.
        settings["filters"] = options.filters
    settings |= {"clip_value": options.clip_value, "clip_normalization": options.clip_normalization}
    gan = ganzoo.WGAN.from_paper(image_shape, **settings)
    return gan, [ganzoo.callbacks.CriticBurnIn()] if options.burn_in else []


def main(options):
    """Trains with the settings of an object that has the flags' values as attributes."""
    training.run(options, build)


if __name__ == "__main__":
    define_all_flags()
    app.run(lambda _: main(flags.FLAGS))
