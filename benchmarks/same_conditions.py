"""Every adversarial model of the zoo under the same conditions, on 28x28 images: a row and a grid of samples each.

    python benchmarks/same_conditions.py --dataset mnist_10k

The same for all: the DCGAN networks at 32 filters (BEGAN has its own, with an autoencoder as the discriminator, at 16
filters; CGAN is told the labels), batches of 64, the same number of generator updates, an average of the generator's
weights with decay 0.99, the seed. Each model keeps what its paper fixes: the loss, normalization, optimizers, number of
discriminator updates. Only BEGAN has settings of its own besides: with the 64 numbers of the paper's embedding its
autoencoder reconstructs any image of this size, digit or not, and its rates are too low for 3,000 updates.

Measured: the Fréchet distance of 5,000 samples to the dataset in the features of a small classifier
(sample_quality.py), and the minutes of computing, all cores together. Rows are appended to the output file when a model
is done; a model that stands there is not trained again.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from rows import append, read
from sample_quality import frechet_distance, real_images, statistics, train_classifier

import ganzoo


def adam(learning_rate):
    config = {"class_name": "Adam", "config": {"learning_rate": learning_rate, "beta_1": 0.5}}
    return {"generator_optimizer": config, "discriminator_optimizer": config}


# Class, and what it needs for the same networks.
MODELS = {
    "DCGAN": ("DCGAN", {}),  # With these networks it is GAN.
    "PacGAN2": ("DCGAN", {"packing": 2}),
    "LSGAN": ("LSGAN", {}),
    "SNGAN": ("SNGAN", {"networks": ganzoo.networks.dcgan, "discriminator_steps": 1}),
    "DRAGAN": ("DRAGAN", {}),
    "R3GAN": ("R3GAN", {}),
    "WGAN": ("WGAN", {}),
    "WGAN-GP": ("WGANGP", {}),
    "BEGAN": ("BEGAN", {"filters": 16, "embedding_dim": 16, "gamma": 0.75, "balance_rate": 0.01, **adam(4e-4)}),
    "PresGAN": ("PresGAN", {}),
    "CGAN": ("CGAN", {"networks": ganzoo.networks.dcgan, "num_classes": 10}),
}


def train(name, options):
    """Trains one model; returns it and the minutes of computing, of all cores together, that it took."""
    cls, settings = MODELS[name]
    keras.utils.set_random_seed(options.seed)
    settings = {"filters": options.filters, "ema_decay": 0.99, "seed": options.seed, **settings}
    model = getattr(ganzoo, cls).from_paper((28, 28, 1), **settings)
    data = ganzoo.data.load(options.dataset, batch_size=64, seed=options.seed)
    callbacks = [ganzoo.callbacks.CriticBurnIn()] if name == "WGAN" else []
    started = time.process_time()
    model.fit(data, epochs=10, steps_per_epoch=options.updates // 10, verbose=2, callbacks=callbacks)
    return model, (time.process_time() - started) / 60


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--dataset", default="mnist_10k")
    parser.add_argument("--updates", type=int, default=3000, help="of the generator")
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output_dir", type=Path, default=Path("same_conditions"))
    options = parser.parse_args()

    conditions = {name: getattr(options, name) for name in ("dataset", "updates", "filters", "seed")}
    file = options.output_dir / "rows.jsonl"

    def rows():
        return {row["model"]: row for row in read(file) if conditions.items() <= row.items()}

    keras.utils.set_random_seed(0)
    features = train_classifier(options.dataset)
    reference = statistics(features, real_images(options.dataset))
    for name in options.models:
        if name in rows():
            continue
        print(f"\n{name}", flush=True)
        model, minutes = train(name, options)
        labels = None if model.num_classes is None else np.arange(5000) % model.num_classes
        samples = model.generate(5000, seed=0, condition=labels)
        ganzoo.images.save_png(options.output_dir / f"{name.lower()}.png", ganzoo.images.grid(samples[:60], 10))
        distance = frechet_distance(reference, statistics(features, samples))
        append(file, {"model": name, **conditions, "distance": round(distance, 2), "cpu_minutes": round(minutes, 2)})
    print("\n| Model | Fréchet distance in classifier features | CPU minutes |\n|---|---|---|")
    for name, row in rows().items():
        print(f"| {name} | {row['distance']:.1f} | {row['cpu_minutes']:.1f} |")


if __name__ == "__main__":
    main()
