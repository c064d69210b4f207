"""Does the averaged generator lag behind the trained generator over the first 5,000 steps?

    python benchmarks/average.py

Trains three models on the embedded garments with two averages of decay 0.999: ganzoo's average, whose decay begins low
(`GenerativeModel.update_ema`), and an average with a constant decay. At some steps it measures the Fréchet distance of
2,000 samples of each to 8,000 images, in the features of `FashionClassifier`. Less is better. The last column is the
largest ratio of a distance to the distance of the generator itself.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import ganzoo
from ganzoo.metrics import frechet
from ganzoo.metrics.features import FashionClassifier

DECAY = 0.999
STEPS = (250, 500, 1000, 2000, 3000, 5000)
NETWORKS = {"networks": ganzoo.networks.mlp, "hidden": (256, 256), "latent_dim": 64}
MODELS = {"GAN": ganzoo.GAN, "WGAN-GP": ganzoo.WGANGP, "R3GAN": ganzoo.R3GAN}
ADAM = keras.optimizers.Adam


class ConstantDecay(keras.callbacks.Callback):
    """Keeps the average of the generator with a constant decay."""

    def on_train_begin(self, logs=None):
        self.average = [np.array(weight) for weight in self.model.generator.weights]

    def on_train_batch_end(self, batch, logs=None):
        for average, weight in zip(self.average, self.model.generator.weights):
            average *= DECAY
            average += (1 - DECAY) * np.asarray(weight)


class Distances(keras.callbacks.Callback):
    """Measures the three generators at some steps."""

    def __init__(self, constant, images):
        super().__init__()
        self.constant = constant
        self.network = FashionClassifier()
        self.real = frechet.moments(self.network(images))
        self.found = {"generator": [], "average": [], "average, constant decay": []}

    def on_train_batch_end(self, batch, logs=None):
        if self.model.steps_done not in STEPS:
            return
        average, now = self.model.ema_generator, self.model.ema_generator.get_weights()
        weights = {"generator": self.model.generator.get_weights(), "average": now}
        for name, values in {**weights, "average, constant decay": self.constant.average}.items():
            average.set_weights(values)
            features = self.network(self.model.generate(2000, seed=0))
            self.found[name].append(frechet.gaussian_distance(*self.real, *frechet.moments(features)))
        average.set_weights(now)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data = ganzoo.data.load("fashion_mnist_10k", split="train[:8000]", batch_size=64)
    columns = ["model", "which", *map(str, STEPS), "largest ratio"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for name, model in MODELS.items():
        keras.utils.set_random_seed(options.seed)
        optimizers = {f"{role}_optimizer": ADAM(2e-4, beta_1=0.5) for role in ("generator", "discriminator")}
        gan = model.from_paper((28, 28, 1), ema_decay=DECAY, seed=options.seed, **NETWORKS, **optimizers)
        constant = ConstantDecay()
        distances = Distances(constant, data.source.images.numpy())
        gan.fit(data, epochs=1, steps_per_epoch=max(STEPS), callbacks=[constant, distances], verbose=0, check=False)
        for which, values in distances.found.items():
            most = max(np.divide(values, distances.found["generator"]))
            print(f"| {name} | {which} | {' | '.join(f'{value:.3g}' for value in values)} | {most:.2f} |", flush=True)


if __name__ == "__main__":
    main()
