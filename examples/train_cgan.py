"""Trains the conditional GAN of Mirza and Osindero, 2014, on any labelled images.

    python examples/train_cgan.py --dataset mnist_10k --epochs 20 --networks dcgan

Everything is a flag: python examples/train_cgan.py --help
"""

import training
from absl import app, flags

import ganzoo


def define_all_flags():
    """Defines the flags of this example."""
    training.define_flags("cgan", dataset="mnist_10k", epochs=20)
    flags.adopt_module_key_flags(training)  # `--help` lists them, too.
    flags.FLAGS.set_default("num_classes", 10)
    flags.DEFINE_enum(
        "networks", "maxout", ["maxout", "dcgan", "resnet"], "The paper's networks, or convolutional ones."
    )
    flags.DEFINE_integer("filters", 64, "Channels of the largest hidden map; not of maxout networks.", lower_bound=1)
    flags.DEFINE_enum("label", None, ["embedding", "one_hot"], "How labels are joined; maxout networks have one-hot.")
    flags.DEFINE_enum(
        "conditioning",
        None,
        ["concatenate", "projection"],
        "How the discriminator sees the label; maxout networks concatenate.",
    )


def build(options, image_shape, settings):
    """Returns the compiled model and its own callbacks."""
    settings["networks"] = getattr(ganzoo.networks, options.networks)
    if options.networks != "maxout":
        settings["filters"] = options.filters
    for name in ("label", "conditioning"):
        if getattr(options, name) is not None:
            settings[name] = getattr(options, name)
    return ganzoo.CGAN.from_paper(image_shape, **settings), []


def main(options):
    """Trains with the settings of an object that has the flags' values as attributes."""
    training.run(options, build)


if __name__ == "__main__":
    define_all_flags()
    app.run(lambda _: main(flags.FLAGS))
