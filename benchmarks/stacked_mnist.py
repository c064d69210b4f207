"""Stacked MNIST, reduced: how many of 1,000 modes do DCGAN, WGAN, WGAN-GP and PacDCGAN2 find?

    python benchmarks/stacked_mnist.py

The channels of an image are three random digits. A classifier reads them, and 10 x 10 x 10 modes are equally likely.
VEEGAN and PacGAN have 100,000 updates and networks four times as wide. This script reduces their protocol: 28x28x3, the
digits of `mnist_10k` instead of the 70,000 of MNIST, networks of DCGAN at 16 filters, batches of 64, and the same
training time for each model. It keeps 26,000 samples, a discriminator update (five for the Wasserstein models) for each
generator update, and DCGAN's Adam.

Prints modes and the KL divergence of the samples' modes from the uniform distribution. A perfect sampler has 1,000 and
0.019.
"""

import argparse
import os
import shutil
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from lib.builders import RESULTS, builder, callbacks

import ganzoo

MODELS = {
    "DCGAN": ("DCGAN", {}),
    "PacDCGAN2": ("DCGAN", {"packing": 2}),
    "WGAN": ("WGAN", {}),
    "WGAN-GP": ("WGANGP", {}),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--budget", default="8 min", help="time of one training, or a number of updates")
    parser.add_argument("--filters", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--num_samples", type=int, default=26_000)
    parser.add_argument("--output_dir", type=Path, default=Path("stacked_mnist"))
    parser.add_argument(
        "--records", type=Path, default=RESULTS / "stacked_mnist.jsonl", help="where the raw records go"
    )
    options = parser.parse_args()

    digits = ganzoo.metrics.features.DigitsClassifier()
    coverage = ganzoo.metrics.StackedMNISTCoverage
    chosen = {name: MODELS[name] for name in options.models}
    comparison = ganzoo.compare(
        {name: builder(cls, (28, 28, 3), filters=options.filters, **extra) for name, (cls, extra) in chosen.items()},
        ganzoo.data.stacked_mnist(batch_size=64),
        seeds=options.seeds,
        budget=int(options.budget) if options.budget.isdecimal() else options.budget,
        metrics=[coverage(digits), coverage(digits, report="kl")],
        num_samples=options.num_samples,
        points=3,
        callbacks=callbacks,
        output_dir=options.output_dir,
    )
    shutil.copyfile(options.output_dir / "runs.jsonl", options.records)
    print(f"\n{comparison}\n\nIn {options.output_dir}: table.md, table.csv, curves.png, a grid of samples each.")


if __name__ == "__main__":
    main()
