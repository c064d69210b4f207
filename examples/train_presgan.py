"""Trains the prescribed GAN of Dieng et al., 2019, on any images.

    python examples/train_presgan.py --dataset mnist_10k --epochs 20

Everything is a flag: python examples/train_presgan.py --help
"""

import keras
import training
from absl import app, flags

import ganzoo


def define_all_flags():
    """Defines the flags of this example."""
    training.define_flags("presgan", epochs=20)
    flags.adopt_module_key_flags(training)  # `--help` lists them, too.
    flags.DEFINE_integer("filters", 64, "Channels of the largest hidden map.", lower_bound=1)
    flags.DEFINE_float("entropy_weight", 0.01, "lambda, the weight of the entropy.", lower_bound=0.0)
    flags.DEFINE_float("sigma_min", 0.01, "Lower bound of the noise.", lower_bound=0.0)
    flags.DEFINE_float("sigma_max", 0.3, "Upper bound of the noise.", lower_bound=0.0)
    flags.DEFINE_float("sigma_learning_rate", 2e-4, "Learning rate of the noise.", lower_bound=0.0)
    flags.DEFINE_integer("leapfrog_steps", 5, "Steps in a trajectory of the Hamiltonian Monte Carlo.", lower_bound=1)
    flags.DEFINE_integer("burn_in", 2, "Trajectories before the first draw from the posterior.", lower_bound=0)
    flags.DEFINE_integer("posterior_samples", 2, "Draws from the posterior for each sample.", lower_bound=1)


def build(options, image_shape, settings):
    """Returns the compiled model and its own callbacks."""
    if len(image_shape) == 3:  # Points of a toy get dense networks.
        settings["filters"] = options.filters
    for name in ("entropy_weight", "sigma_min", "sigma_max", "leapfrog_steps", "burn_in", "posterior_samples"):
        settings[name] = getattr(options, name)
    sigma_optimizer = keras.optimizers.Adam(options.sigma_learning_rate, beta_1=0.5)
    return ganzoo.PresGAN.from_paper(image_shape, sigma_optimizer=sigma_optimizer, **settings), []


def main(options):
    """Trains with the settings of an object that has the flags' values as attributes."""
    training.run(options, build)


if __name__ == "__main__":
    define_all_flags()
    app.run(lambda _: main(flags.FLAGS))
