"""Robustness: three generators, three losses, one discriminator.

    generators   DCGAN's, the same without batch normalization and with constant filters, four dense layers
    losses       GAN, WGAN, WGAN-GP

All nine train on Fashion-MNIST for the same number of generator updates, against the same convolutional network. It has
no batch normalization if the loss has the penalty, which forbids it. Each model shows samples from the same latents.
The measures use the features of a classifier: the Fréchet distance (quality and diversity), and recall and coverage
(diversity).

Sources: Arjovsky et al., 2017 (arXiv:1701.07875), Section 4.3, Figures 5 to 7. Gulrajani et al., 2017
(arXiv:1704.00028), Section 4, for the third loss.

    python examples/theory/robustness.py
"""

from pathlib import Path
from types import SimpleNamespace

import figures
import keras
import numpy as np
from absl import app, flags
from keras import layers

import ganzoo
from ganzoo.layers import DCGAN_KERNELS, Conv2DTranspose
from ganzoo.networks import dcgan, mlp

IMAGE_SHAPE = (28, 28, 1)
STEPS = 600
FILTERS = 16
HIDDEN = (512, 512, 512, 512)
SAMPLES = 2000
ROWS, COLUMNS = 4, 8  # of the shown samples


def constant_generator(image_shape, latent_dim=100, filters=FILTERS):
    """DCGAN's generator for images of 28x28, without batch normalization and with constant filters."""
    latents = keras.Input((latent_dim,), name="latents")
    x = layers.Dense(7 * 7 * filters, activation="relu", kernel_initializer=DCGAN_KERNELS)(latents)
    x = layers.Reshape((7, 7, filters))(x)
    settings = {"kernel_size": 4, "strides": 2, "padding": "same", "kernel_initializer": DCGAN_KERNELS}
    x = Conv2DTranspose(filters, activation="relu", **settings)(x)
    x = Conv2DTranspose(image_shape[-1], activation="tanh", **settings)(x)
    return keras.Model(latents, x, name="constant_generator")


GENERATORS = {
    "DCGAN": (dcgan.generator, {}),
    "no batch normalization,\nconstant filters": (constant_generator, {}),
    "four dense layers": (mlp.generator, {"hidden": HIDDEN}),
}
# Learning rates for short trainings. The papers have 2e-4, 5e-5 and 1e-4 with beta_1 0.
LOSSES = {
    "GAN": ("GAN", lambda: keras.optimizers.Adam(2e-4, beta_1=0.5)),
    "WGAN": ("WGAN", lambda: keras.optimizers.RMSprop(3e-4, rho=0.99, epsilon=1e-16)),
    "WGAN-GP": ("WGANGP", lambda: keras.optimizers.Adam(5e-4, beta_1=0.5, beta_2=0.9)),
}


def compute(seed=0, steps=STEPS, generators=tuple(GENERATORS), losses=tuple(LOSSES), samples=SAMPLES):
    """Trains every generator with every loss, and measures the samples.

    Args:
        seed: Integer. Defaults to `0`.
        steps: Integer, generator updates of each model. Defaults to `600`.
        generators, losses: Names. Default to all.
        samples: Integer, number of generated images to measure. Defaults to `2000`.

    Returns:
        Dictionary, `(generator, loss)` -> `shown` (a few images), `distance`, `recall`, `coverage`. The key `"data"`
        has the scores of as many other images of the data.
    """
    images = np.concatenate([np.asarray(batch) for batch, _ in ganzoo.data.load("fashion_mnist_10k", batch_size=1000)])
    measure = Judge(images, samples)
    results = {"data": measure(images[-samples:])}
    for generator in generators:
        for loss in losses:
            results[generator, loss] = measure(train(generator, loss, seed, steps).generate(samples, seed=0))
    return results


def build(generator, loss, seed):
    """The compiled model."""
    keras.utils.set_random_seed(seed)
    make, settings = GENERATORS[generator]
    kind, optimizer = LOSSES[loss]
    return getattr(ganzoo, kind).from_paper(
        IMAGE_SHAPE,
        networks=SimpleNamespace(generator=make, discriminator=dcgan.discriminator),
        filters=FILTERS,
        latent_dim=100,
        generator_optimizer=optimizer(),
        discriminator_optimizer=optimizer(),
        seed=seed,
        **settings,
    )


def train(generator, loss, seed, steps):
    """A trained model."""
    model = build(generator, loss, seed)
    data = ganzoo.data.load("fashion_mnist_10k", batch_size=64, seed=seed)
    burn_in = [ganzoo.callbacks.CriticBurnIn()] if loss == "WGAN" else []
    model.fit(data, epochs=1, steps_per_epoch=steps, verbose=0, callbacks=burn_in, check=False)
    return model


class Judge:
    """Measures samples against images outside of `compute`'s row `"data"`.

    Args:
        images: Float32 array, images in [-1, 1]. The last `samples` are left out.
        samples: Integer, generated images at a time. Recall and coverage take as many real images.
    """

    def __init__(self, images, samples):
        features = ganzoo.metrics.features.FashionClassifier()
        self.distance = ganzoo.metrics.FrechetDistance(features)
        self.recall, self.coverage = ganzoo.metrics.Recall(features), ganzoo.metrics.Coverage(features)
        self.real, self.samples = features(images[:-samples]), samples

    def __call__(self, images):
        fake, few = self.distance.features(images), self.real[: self.samples]
        return {
            "shown": images[: ROWS * COLUMNS],
            "distance": self.distance.score(self.real, fake).value,
            "recall": self.recall.score(few, fake).value,
            "coverage": self.coverage.score(few, fake).value,
        }


def relative(results, generator, loss, to_generator="DCGAN", to_loss="GAN"):
    """The distance of a cell, divided by the distance of another cell."""
    return results[generator, loss]["distance"] / results[to_generator, to_loss]["distance"]


def variety(results, key):
    """How much the shown samples differ, as a share of as many images of the data. 0 if all are alike.

    It is the standard deviation of a pixel over the samples, averaged over all pixels.
    """
    own, data = (np.std(results[which]["shown"], axis=0).mean() for which in (key, "data"))
    return float(own / data)


# === Showing it ===


def report(results):
    """Prints the numbers."""
    print("Fréchet distance, recall, coverage, variety")
    for key, cell in results.items():
        name = "other images of the data" if key == "data" else f"{key[1]:<8} {' '.join(key[0].split())}"
        print(
            f"  {name:<50} {cell['distance']:6.1f}  {cell['recall']:.2f}  {cell['coverage']:.3f}  "
            f"{variety(results, key):.2f}"
        )
    keys = [key for key in results if key != "data"]
    print("Distance over that of the same loss with DCGAN's generator; over that of the GAN with the same generator")
    for generator, loss in keys:
        print(
            f"  {loss:<8} {' '.join(generator.split()):<41} {relative(results, generator, loss, to_loss=loss):.2f}  "
            f"{relative(results, generator, loss, to_generator=generator):.2f}"
        )


def mosaic(images):
    """Images as a single picture, `COLUMNS` in a row."""
    height, width = images.shape[1:3]
    rows = len(images) // COLUMNS
    grid = images[: rows * COLUMNS, :, :, 0].reshape(rows, COLUMNS, height, width)
    return grid.transpose(0, 2, 1, 3).reshape(rows * height, COLUMNS * width)


def draw(results, path):
    """The grid of grids: a row for each generator, a column for each loss, the scores below each cell."""
    keys = [key for key in results if key != "data"]
    generators, losses = (list(dict.fromkeys(key[index] for key in keys)) for index in (0, 1))
    figure, axes = figures.new(len(generators), len(losses), height=1.85 * len(generators) + 0.3, squeeze=False)
    for row, generator in enumerate(generators):
        for column, loss in enumerate(losses):
            cell, plot = results[generator, loss], axes[row, column]
            plot.imshow(mosaic(cell["shown"]), cmap="gray", vmin=-1, vmax=1)
            plot.grid(False)
            plot.set(xticks=[], yticks=[])
            plot.set_xlabel(
                f"distance {cell['distance']:.0f}, coverage {cell['coverage']:.2f}, "
                f"variety {variety(results, (generator, loss)):.2f}",
                fontsize="small",
            )
            if row == 0:
                plot.set_title(loss, fontsize="large", fontweight="bold")
            if column == 0:
                plot.set_ylabel(generator)
    figures.save(figure, path)


def main(options):
    """Trains all models, prints the numbers and draws."""
    results = compute(seed=options.seed)
    report(results)
    draw(results, Path(options.output_dir) / "robustness.png")


if __name__ == "__main__":
    figures.define_flags()
    app.run(lambda _: main(flags.FLAGS))
