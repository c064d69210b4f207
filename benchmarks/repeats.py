"""Do repeated trainings with the same seed end with the same bits? Trains small models again and again in one process.

    python benchmarks/repeats.py                                     # five minutes on two cores
    python benchmarks/repeats.py --models DRAGAN R3GAN --repeats 40

Each training has 24 steps of a new model. The script prints how many trainings ended with the most frequent sha256 of
the weights. Run it on a busy machine: what depends on the timing of threads shows there.
"""

import argparse
import collections
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from weights_digest import BATCH, data, digest

import ganzoo

MODELS = ("DCGAN", "LSGAN", "WGAN", "SNGAN", "WGANGP", "DRAGAN", "R3GAN")


def made(name):
    keras.utils.set_random_seed(0)
    settings = {"networks": ganzoo.networks.dcgan} if name in ("SNGAN", "R3GAN") else {}
    return getattr(ganzoo, name).from_paper((16, 16, 1), seed=0, filters=8, **settings)


def trained(name):
    model = made(name)
    images = np.concatenate([data(0), data(1)])[: 4 * BATCH * model.batches_per_step]
    model.fit(images, batch_size=BATCH, epochs=6, verbose=0, check=False)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    print("| model | trainings | with the same bits |\n|---|---|---|")
    for name in options.models:
        found = collections.Counter(digest(trained(name)) for _ in range(options.repeats))
        print(f"| {name} | {options.repeats} | {max(found.values())} |", flush=True)


if __name__ == "__main__":
    main()
