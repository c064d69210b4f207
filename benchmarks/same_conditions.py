"""Every adversarial model of the zoo under the same conditions, on 28x28 digits: a row and a grid of samples each.

    python benchmarks/same_conditions.py

The same for all: the DCGAN networks at 32 filters (BEGAN has its own, with an autoencoder as the discriminator, at 16
filters; CGAN is told the labels), batches of 64, the same number of generator updates, an average of the generator's
weights with decay 0.99, the seeds. Each model keeps what its paper fixes: the loss, normalization, optimizers, number
of discriminator updates. Only BEGAN has settings of its own besides: with the 64 numbers of the paper's embedding its
autoencoder reconstructs any image of this size, digit or not, and its rates are too low for 3,000 updates. The
critic of WGAN is burned in, as its authors do: 2,850 updates more than the 15,000 of the others with five steps.

Measured on 5,000 samples, in the features of ganzoo's classifier of digits, which has not seen these data: Fréchet
distance, precision and recall, and the total variation between the classes of the samples and those of the data.
"""

import argparse
import os
import shutil
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from lib.builders import RESULTS, builder, callbacks

import ganzoo


def adam(learning_rate):
    config = {"class_name": "Adam", "config": {"learning_rate": learning_rate}}
    return {"generator_optimizer": config, "discriminator_optimizer": config}


# Class, and what it needs for the same networks.
MODELS = {
    "DCGAN": ("DCGAN", {}),  # With these networks it is GAN.
    "PacGAN2": ("DCGAN", {"packing": 2}),
    "LSGAN": ("LSGAN", {}),
    "SNGAN": ("SNGAN", {"networks": ganzoo.networks.dcgan, "discriminator_steps": 1}),
    "DRAGAN": ("DRAGAN", {}),
    "R3GAN": ("R3GAN", {"networks": ganzoo.networks.dcgan}),
    "WGAN": ("WGAN", {}),
    "WGAN-GP": ("WGANGP", {}),
    "BEGAN": ("BEGAN", {"filters": 16, "embedding_dim": 16, "gamma": 0.75, "balance_rate": 0.01, **adam(4e-4)}),
    "PresGAN": ("PresGAN", {}),
    "CGAN": ("CGAN", {"networks": ganzoo.networks.dcgan, "num_classes": 10}),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--dataset", default="mnist_10k", help="of digits")
    parser.add_argument("--updates", type=int, default=3000, help="of the generator")
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--num_samples", type=int, default=5000)
    parser.add_argument("--output_dir", type=Path, default=Path("same_conditions"))
    parser.add_argument(
        "--records", type=Path, default=RESULTS / "same_conditions.jsonl", help="where the raw records go"
    )
    options = parser.parse_args()

    digits = ganzoo.metrics.features.DigitsClassifier()
    common = {"filters": options.filters, "ema_decay": 0.99}
    chosen = {name: MODELS[name] for name in options.models}
    comparison = ganzoo.compare(
        {name: builder(cls, (28, 28, 1), **{**common, **settings}) for name, (cls, settings) in chosen.items()},
        ganzoo.data.load(options.dataset, batch_size=64),
        seeds=options.seeds,
        budget=options.updates,
        metrics=[
            ganzoo.metrics.FrechetDistance(digits),
            ganzoo.metrics.Precision(digits),
            ganzoo.metrics.Recall(digits),
            ganzoo.metrics.ClassHistogram(digits),
        ],
        num_samples=options.num_samples,
        points=5,
        callbacks=callbacks,
        output_dir=options.output_dir,
    )
    shutil.copyfile(options.output_dir / "runs.jsonl", options.records)
    print(f"\n{comparison}\n\nIn {options.output_dir}: table.md, table.csv, curves.png, a grid of samples each.")


if __name__ == "__main__":
    main()
