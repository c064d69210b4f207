"""Trains the WGAN-GP of Gulrajani et al., 2017, on any images.

    python examples/train_wgan_gp.py --dataset mnist_10k --epochs 50

Everything is a flag: python examples/train_wgan_gp.py --help
"""

import training
from absl import app, flags

import ganzoo


def define_all_flags():
    """Defines the flags of this example."""
    training.define_flags("wgan_gp", epochs=50)
    flags.adopt_module_key_flags(training)  # `--help` lists them, too.
    flags.DEFINE_float("gradient_penalty_weight", 10.0, "lambda, the weight of the penalty.", lower_bound=0.0)
    flags.DEFINE_bool("one_sided", False, "Penalise only norms above 1.")
    flags.DEFINE_float("learning_rate", 1e-4, "Learning rate of Adam, for both networks.", lower_bound=0.0)
    flags.DEFINE_float("beta_1", 0.0, "beta_1 of Adam: 0 in Algorithm 1, 0.5 in the authors' own image scripts.")
    flags.DEFINE_integer("filters", 64, "Channels of the largest hidden map.", lower_bound=1)


def build(options, image_shape, settings):
    """Returns the compiled model and its own callbacks."""
    if len(image_shape) == 3:  # Points of a toy get dense networks.
        settings["filters"] = options.filters
    adam = {"learning_rate": options.learning_rate, "beta_1": options.beta_1, "beta_2": 0.9}
    adam = {"class_name": "Adam", "config": adam}
    gan = ganzoo.WGANGP.from_paper(
        image_shape,
        gradient_penalty_weight=options.gradient_penalty_weight,
        one_sided=options.one_sided,
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        **settings,
    )
    return gan, []


def main(options):
    """Trains with the settings of an object that has the flags' values as attributes."""
    training.run(options, build)


if __name__ == "__main__":
    define_all_flags()
    app.run(lambda _: main(flags.FLAGS))
