"""Which faults does each metric see, in MNIST digits that are spoilt more and more, and copied?

    python benchmarks/calibration.py

Half of the embedded digits are the real set. Digits of the other half act as generated samples: unchanged at level 0,
then ever more blurred, noisy, with fewer classes, duplicated, or replaced by copies of the real set. A metric sees a
fault if it gets worse with each level, and in all by more than half of the width of the 95 % interval of level 0. It is
blind to the fault if it does not get worse by that much. Writes a line for each metric and fault, and a table.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from scipy import ndimage

import ganzoo
from ganzoo import metrics
from ganzoo.metrics.features import DigitsClassifier

COUNT = 500  # Two classes of the digits that are left have no more.
LEVELS = 5


def blur(images, labels, rng, real, level):
    sigma = (0, 0.5, 0.8, 1.2, 2)[level]
    return ndimage.gaussian_filter(images[:COUNT], (0, sigma, sigma, 0))


def noise(images, labels, rng, real, level):
    return np.clip(images[:COUNT] + (0, 0.2, 0.4, 0.8, 1.6)[level] * rng.standard_normal(images[:COUNT].shape), -1, 1)


def dropped_classes(images, labels, rng, real, level):
    return images[labels < (10, 8, 6, 4, 2)[level]][:COUNT]


def duplicates(images, labels, rng, real, level):
    unique = COUNT // (1, 4, 16, 50, 250)[level]
    return images[np.arange(COUNT) % unique]


def copies(images, labels, rng, real, level):
    copied = COUNT * level // 4
    return np.concatenate([real[:copied], images[: COUNT - copied]])


FAULTS = {"blur": blur, "noise": noise, "dropped classes": dropped_classes, "duplicates": duplicates, "copies": copies}


def digits():
    """Real digits, held-out digits and their labels, in [-1, 1]."""
    source = ganzoo.data.load("mnist_10k", shuffle=False).source
    images, labels = ganzoo.data.normalize(source.images.numpy()), source.labels.numpy()
    order = np.random.default_rng(0).permutation(len(images))
    real, other = order[:5000], order[5000:]
    return images[real], images[other], labels[other]


def all_metrics(held_out):
    """Metrics of the table: name -> function of real and generated images that returns a `Score`."""
    network = DigitsClassifier()
    return {
        "Fréchet distance": metrics.FrechetDistance(network),
        "Kernel distance": metrics.KernelDistance(network),
        "Inception score": metrics.InceptionScore(network),
        "Precision": metrics.Precision(network),
        "Recall": metrics.Recall(network),
        "Density": metrics.Density(network),
        "Coverage": metrics.Coverage(network),
        "Sliced Wasserstein, features": metrics.SlicedWasserstein(network),
        "Pyramid sliced Wasserstein": metrics.PyramidSlicedWasserstein(projections=128, descriptors=32),
        "MS-SSIM": metrics.MSSSIMDiversity(),
        "Memorization": metrics.Memorization(network, held_out=held_out),
        "Class histogram": metrics.ClassHistogram(network),
    }


def measure(metric, real, fake):
    """The `Score` of images."""
    metric.reset_state()
    metric.update_state(**{kind: x for kind, x in (("real", real), ("fake", fake)) if kind in metric.kinds})
    return metric.result()


def verdict(name, scores):
    """`"sees"`, `"blind"` or `"partly"`, from the scores of growing levels, by the rules above."""
    values = np.array([score.value for score in scores])
    lower_is_better = {"Density": False, "MS-SSIM": True}.get(name, scores[0].lower_is_better)
    changes = np.diff(values) if lower_is_better else -np.diff(values)
    low, high = scores[0].interval
    if changes.sum() <= (high - low) / 2:  # Half of the width: all levels have the bias that the interval is free of.
        return "blind"
    return "sees" if (changes > 0).all() else "partly"


def calibrate(names=None):
    """The scores of all levels, by all metrics or the named metrics: (metric, fault) -> list of `Score`."""
    real, held_out, labels = digits()
    held_out, fresh, labels = held_out[:2500], held_out[2500:], labels[2500:]
    scores = {}
    for name, metric in all_metrics(held_out).items():
        for fault, spoil in FAULTS.items() if names is None or name in names else ():
            rng = np.random.default_rng(1)
            levels = [spoil(fresh, labels, rng, real, level).astype("float32") for level in range(LEVELS)]
            scores[name, fault] = [measure(metric, real, fake) for fake in levels]
            print(f"{name}, {fault}: {' '.join(f'{score.value:.4g}' for score in scores[name, fault])}", flush=True)
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--metrics", nargs="+", help="names as in the table; default: all")
    scores = calibrate(parser.parse_args().metrics)
    print(f"\n| Metric | {' | '.join(FAULTS)} |\n|---|{'---|' * len(FAULTS)}")
    for name in dict.fromkeys(name for name, _ in scores):
        cells = []
        for fault in FAULTS:
            first, last = scores[name, fault][0], scores[name, fault][-1]
            cells.append(f"{verdict(name, scores[name, fault])} ({first.value:.3g} to {last.value:.3g})")
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
