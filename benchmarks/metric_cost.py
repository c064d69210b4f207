"""What measuring costs: seconds and memory, beside `scipy.linalg.sqrtm`, which is the usual way to a Fréchet distance.

    python benchmarks/metric_cost.py

Each line is a process of its own, with all cores. The memory is the largest that the process had, TensorFlow and the
features themselves included.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

DIMENSIONS = 2048


def covariances(samples=10_000):
    """Moments of two sets of features of 2,048 dimensions, correlated and all positive, as a network's are."""
    import numpy as np

    from ganzoo.metrics.frechet import moments

    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(DIMENSIONS, DIMENSIONS)) / np.sqrt(DIMENSIONS) * np.geomspace(1, 0.01, DIMENSIONS)
    return [
        moment
        for shift in (0.0, 0.1)
        for moment in moments(np.maximum(rng.normal(size=(samples, DIMENSIONS)) @ mixing + shift, 0))
    ]


def ours():
    """Fréchet distance of 2,048-d statistics, ganzoo"""
    from ganzoo.metrics.frechet import gaussian_distance

    statistics = covariances()
    start = time.perf_counter()
    value = gaussian_distance(*statistics)
    return time.perf_counter() - start, value


def sqrtm():
    """the same, scipy.linalg.sqrtm"""
    import numpy as np
    import scipy.linalg

    mean_1, covariance_1, mean_2, covariance_2 = covariances()
    start = time.perf_counter()
    root = scipy.linalg.sqrtm(covariance_1 @ covariance_2)
    value = np.sum((mean_1 - mean_2) ** 2) + np.trace(covariance_1 + covariance_2 - 2 * root.real)
    return time.perf_counter() - start, float(value)


def singular():
    """Fréchet distance of 2,048-d statistics of 1,000 samples (singular), ganzoo"""
    from ganzoo.metrics.frechet import gaussian_distance

    statistics = covariances(1000)
    start = time.perf_counter()
    value = gaussian_distance(*statistics)
    return time.perf_counter() - start, value


def with_interval():
    """Fréchet distance of 2 x 50,000 x 2,048 float32 features, with its interval"""
    import numpy as np

    import ganzoo

    rng = np.random.default_rng(0)
    real, fake = (rng.random((50_000, DIMENSIONS), dtype="float32") for _ in range(2))
    start = time.perf_counter()
    score = ganzoo.metrics.frechet_distance(real, fake)
    return time.perf_counter() - start, score.value


def statistics_only():
    """Moments of 50,000 x 2,048 float32 features"""
    import numpy as np

    from ganzoo.metrics.frechet import moments

    features = np.random.default_rng(0).random((50_000, DIMENSIONS), dtype="float32")
    start = time.perf_counter()
    mean, _ = moments(features)
    return time.perf_counter() - start, float(mean[0])


def evaluate():
    """`Evaluate`, 10,000 samples of 28x28 by a DCGAN, default metrics, features of 10,000 real images included"""
    import ganzoo

    gan = ganzoo.DCGAN.from_paper((28, 28, 1), seed=0)
    data = ganzoo.data.load("mnist_10k", batch_size=64)
    evaluation = ganzoo.callbacks.Evaluate(None, data, num_samples=10_000, cache_dir=False, verbose=False)
    evaluation.set_model(gan)
    start = time.perf_counter()
    scores = evaluation.measure()
    return time.perf_counter() - start, scores["frechet_distance"].value


CASES = {case.__name__: case for case in (ours, sqrtm, singular, statistics_only, with_interval, evaluate)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--in_this_process", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_this_process:
        seconds, value = CASES[options.cases[0]]()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(json.dumps({"seconds": seconds, "value": value, "memory": memory}))
        return
    print("| What | Seconds | Memory, GiB | Value |\n|---|---|---|---|", flush=True)
    for name in options.cases:
        command = [sys.executable, __file__, "--in_this_process", "--cases", name]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        row = json.loads(output.splitlines()[-1])
        print(
            f"| {CASES[name].__doc__} | {row['seconds']:.1f} | {row['memory']:.2f} | {row['value']:.6g} |", flush=True
        )


if __name__ == "__main__":
    main()
