"""What do the checks of a stream cost? CPU time of a batch that passes through them, beside a step of training.

    python benchmarks/watch_cost.py

ganzoo checks batches of a user's own dataset as they pass, on the CPU, beside the training: finite numbers, pixels in
[-1, 1], labels that the model knows (`ganzoo/training/watch.py`). Two models get batches of 64 float images
with labels: dense networks on 28x28x1, which leave a batch the least time, and DCGAN on 32x32x3.

A round reads 1,000 batches with the checks and 1,000 without them, in an order that alternates. The script prints the
median of the differences, with the least and the largest, and the CPU time of a step of `fit` without the checks. CPU
time counts the work of all threads. Wall-clock time also depends on when the system wakes a waiting thread, and varies
by more than the checks cost.
"""

import argparse
import functools
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

import ganzoo
from ganzoo.training import feed
from ganzoo.training.watch import watched

WORKLOADS = {
    "dense, 28x28x1": (ganzoo.GAN, (28, 28, 1), {"hidden": (256, 256)}, 200),
    "DCGAN, 32x32x3": (ganzoo.DCGAN, (32, 32, 3), {"filters": 32}, 20),
}
BATCHES = 1000


def unwatched(model, stream, start):
    """Replaces `watched`: returns the stream unchanged."""
    return stream


def stream_of(shape, steps):
    """Batches of 64 images and labels, as a user's own pipeline yields them."""
    random = np.random.default_rng(0)
    images = random.uniform(-1, 1, (1024, *shape)).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices((images, random.integers(0, 10, 1024)))
    return dataset.repeat().batch(64, drop_remainder=True).take(steps)


def cpu(action):
    """CPU seconds of all threads."""
    start = time.process_time()
    action()
    return time.process_time() - start


def read(stream):
    for _ in stream:
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    print("| model | CPU ms of the checks, median | least and largest | of a step | share |\n|---|---|---|---|---|")
    for name, (cls, shape, settings, steps) in WORKLOADS.items():
        model = cls.from_paper(shape, num_classes=10, **settings)
        plain = stream_of(shape, BATCHES)
        streams = {True: watched(model, plain, 0), False: plain}
        differences = []
        for index in range(options.rounds + 1):
            order = (True, False) if index % 2 else (False, True)
            seconds = {checks: cpu(functools.partial(read, streams[checks])) for checks in order}
            differences.append(1000 * (seconds[True] - seconds[False]) / BATCHES)
        del differences[0]  # The first round builds the pipelines.
        feed.watched = unwatched
        data = stream_of(shape, steps)

        def train(model=model, data=data):
            model.fit(data, verbose=0, check=False)

        train()  # Compiles.
        step = 1000 * statistics.median(cpu(train) for _ in range(3)) / steps
        cost = statistics.median(differences)
        spread = f"{min(differences):.3f} to {max(differences):.3f}"
        print(f"| {name} | {cost:.3f} | {spread} | {step:.2f} | {cost / step:.2%} |", flush=True)


if __name__ == "__main__":
    main()
