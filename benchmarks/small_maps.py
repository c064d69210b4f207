"""Is it faster to compute the filter gradient of small maps as patches and a matrix product, in bfloat16?

    python benchmarks/small_maps.py

Times the same training step with `ganzoo.layers.trilinear_convolution` and without it, in turns in the same process,
and prints the median of the paired ratios.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from lib.workloads import BATCH_SIZE, WORKLOADS, build

from ganzoo.layers import convolutions


def compiled_step(name, largest_map):
    """Returns a function that makes a step, traced with a limit for small maps."""
    convolutions.LARGEST_SMALL_MAP = largest_map
    gan = build(name, "mixed_bfloat16")
    samples = BATCH_SIZE * gan.discriminator_steps
    batch = tf.random.stateless_uniform((samples, *WORKLOADS[name].image_shape), seed=[0, 0], minval=-1.0)
    step = tf.function(gan.train_step, autograph=False)
    step(batch)
    return lambda: [value.numpy() for value in step(batch).values()]


def seconds(step, repetitions):
    start = time.perf_counter()
    for _ in range(repetitions):
        step()
    return (time.perf_counter() - start) / repetitions


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    limit = convolutions.LARGEST_SMALL_MAP
    print("| workload, mixed_bfloat16 | stock, ms | patches, ms | speed-up (min-max) |\n|---|---|---|---|")
    for name, repetitions in (("dcgan", 10), ("wgan_gp", 1)):
        stock, patches = compiled_step(name, 0), compiled_step(name, limit)
        times = [(seconds(stock, repetitions), seconds(patches, repetitions)) for _ in range(options.rounds)]
        ratios = sorted(before / after for before, after in times)
        before, after = (1e3 * statistics.median(column) for column in zip(*times))
        print(
            f"| {WORKLOADS[name].title} | {before:.0f} | {after:.0f} | {statistics.median(ratios):.2f} "
            f"({ratios[0]:.2f}-{ratios[-1]:.2f}) |",
            flush=True,
        )


if __name__ == "__main__":
    main()
