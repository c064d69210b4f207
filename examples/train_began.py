"""Trains the BEGAN of Berthelot et al., 2017, on any images.

    python examples/train_began.py --dataset mnist_10k --epochs 20 --filters 16

Everything is a flag: python examples/train_began.py --help
"""

import training
from absl import app, flags

import ganzoo


def define_all_flags():
    """Defines the flags of this example."""
    training.define_flags("began", epochs=20, batch_size=16)
    flags.adopt_module_key_flags(training)  # `--help` lists them, too.
    flags.DEFINE_float("gamma", 0.5, "Ratio of the two reconstruction errors: low for quality, high for diversity.")
    flags.DEFINE_float("balance_rate", 1e-3, "lambda_k, the rate of k.", lower_bound=0.0)
    flags.DEFINE_integer("filters", 32, "Channels of the largest map; 128 in the paper.", lower_bound=1)
    flags.DEFINE_integer("embedding_dim", 64, "Size of the discriminator's embedding.", lower_bound=1)
    flags.DEFINE_integer("latent_dim", 64, "Size of the latent vector.", lower_bound=1)
    flags.DEFINE_float("learning_rate", 1e-4, "Learning rate of Adam, for both networks.", lower_bound=0.0)
    flags.DEFINE_integer("patience", 5, "Epochs without a lower M before the rates are halved.", lower_bound=1)


def build(options, image_shape, settings):
    """Returns the compiled model and its own callbacks."""
    adam = {"class_name": "Adam", "config": {"learning_rate": options.learning_rate, "beta_1": 0.5}}
    gan = ganzoo.BEGAN.from_paper(
        image_shape,
        gamma=options.gamma,
        balance_rate=options.balance_rate,
        filters=options.filters,
        embedding_dim=options.embedding_dim,
        latent_dim=options.latent_dim,
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        **settings,
    )
    return gan, [ganzoo.callbacks.ReduceLearningRate("M", patience=options.patience)]


def main(options):
    """Trains with the settings of an object that has the flags' values as attributes."""
    training.run(options, build)


if __name__ == "__main__":
    define_all_flags()
    app.run(lambda _: main(flags.FLAGS))
