"""What do the checks of a stream cost? `fit` on a `tf.data.Dataset` with them and without, in turns.

    python benchmarks/watch_cost.py

ganzoo checks batches of a user's own dataset as they pass, on the CPU, beside the training: finite numbers, pixels in
[-1, 1], labels that the model knows (`ganzoo/training/watch.py`). Two models train on batches of 64
float images with labels: dense networks on 28x28x1, which leave a batch the least time, and DCGAN on 32x32x3. Each
round is an epoch of `fit` with the checks and an epoch without them, in an order that alternates. The ratio is the
median over the rounds. 1.01 means that the checks cost 1 %. Run it on a quiet machine.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

import ganzoo
from ganzoo.training import feed

WORKLOADS = {
    "dense, 28x28x1": (ganzoo.GAN, (28, 28, 1), {"hidden": (256, 256)}, 400),
    "DCGAN, 32x32x3": (ganzoo.DCGAN, (32, 32, 3), {"filters": 32}, 60),
}
WATCHED = feed.watched


def unwatched(model, stream, start):
    """Replaces `watched`: returns the stream unchanged."""
    return stream


def stream_of(shape, steps):
    """Batches of 64 images and labels, as a user's own pipeline yields them."""
    random = np.random.default_rng(0)
    images = random.uniform(-1, 1, (1024, *shape)).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices((images, random.integers(0, 10, 1024)))
    return dataset.repeat().batch(64, drop_remainder=True).take(steps).prefetch(2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print("| model | ms per step without | with | ratio, median | least and largest |\n|---|---|---|---|---|")
    for name, (cls, shape, settings, steps) in WORKLOADS.items():
        model = cls.from_paper(shape, num_classes=10, **settings)
        data = stream_of(shape, steps)
        epoch(model, data, True)  # The first epoch compiles.
        rounds = []
        for index in range(options.rounds):
            order = (True, False) if index % 2 else (False, True)
            rounds.append({checks: epoch(model, data, checks) for checks in order})
        ratios = [each[True] / each[False] for each in rounds]
        plain, checked = (1000 * statistics.median(each[checks] for each in rounds) / steps for checks in (False, True))
        print(
            f"| {name} | {plain:.2f} | {checked:.2f} | {statistics.median(ratios):.3f} "
            f"| {min(ratios):.3f} to {max(ratios):.3f} |",
            flush=True,
        )


def epoch(model, data, checks):
    """Seconds of another epoch."""
    feed.watched = WATCHED if checks else unwatched
    start = time.perf_counter()
    model.fit(data, epochs=1, verbose=0, check=False)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
