"""Trains on few images: no augmentation, DiffAugment and ADA, on 500 and on 2,000 pictures, three seeds each.

    python benchmarks/small_data.py --data peeps_64.npz

The file holds uint8 images `train_images` and `test_images` of equal sides, a multiple of 32, which are reduced to
32x32 by averaging. A discriminator can learn 500 pictures by heart, and then it teaches its generator nothing. All runs
share the networks, the number of steps and the seeds.

Measures several times over the training, with the averaged generator:

- `frechet_16`, `frechet_8`: Fréchet distance of the samples and the held-out test images, in pixels averaged to 16x16
  and 8x8, as floats in [0, 1]. Lower is better. Two halves of the test images set the scale.
- `r_t`: the mean sign of the discriminator's scores of training images, ADA's signal of overfitting.
- `r_v`: (D(train) - D(held out)) / (D(train) - D(generated)), with mean scores: 0 without overfitting, 1 if the
  discriminator takes held-out images for generated images (Karras et al., 2020, Equation 1).
- `train_score`, `held_out_score`, `fake_score`: these mean scores. All scores are for augmented images, as in training.
- `p` of ADA.

The script appends each run to the output file (benchmarks/results/small_data.jsonl) when the run ends, and does not
repeat runs in the file.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from lib.builders import RESULTS

import ganzoo
from ganzoo import images, records
from ganzoo.metrics import frechet

SIDE = 32
MODELS = {
    "DCGAN": lambda **settings: ganzoo.DCGAN.from_paper((SIDE, SIDE, 3), **settings),
    "SNGAN": lambda **settings: ganzoo.SNGAN.from_paper((SIDE, SIDE, 3), **settings),
    "R1": lambda **settings: ganzoo.DCGAN.from_paper((SIDE, SIDE, 3), normalization=None, r1_weight=1.0, **settings),
}
AUGMENTATIONS = {
    "none": lambda options: None,
    "DiffAugment": lambda options: ganzoo.augmentation.DiffAugment(),
    "ADA": lambda options: ganzoo.augmentation.ADA(adjustment_images=options.adjustment_images),
}


def averaged(pictures, side):
    """Images reduced by averaging squares of pixels: float32 in the range of the input."""
    size = pictures.shape[1]
    if pictures.shape[1:] != (size, size, 3) or size % side:
        raise ValueError(f"Expected images (n, {side}k, {side}k, 3). Received: shape {pictures.shape}")
    squares = pictures.reshape(-1, side, size // side, side, size // side, 3)
    return squares.mean(axis=(2, 4), dtype="float32")


def load(path):
    """Training images and held-out images, uint8 `(n, 32, 32, 3)`."""
    with np.load(path) as file:
        return [np.round(averaged(file[f"{part}_images"], SIDE)).astype("uint8") for part in ("train", "test")]


def distances(held_out, samples):
    """Fréchet distances of the averaged pixels, by name."""
    found = {}
    for side in (16, 8):
        features = [averaged(pictures, side).reshape(len(pictures), -1) / 255 for pictures in (held_out, samples)]
        # Only the value: the interval of `frechet_distance` takes longer than the training between two points.
        (mean, covariance), (mean_of_samples, of_samples) = map(frechet.moments, features)
        found[f"frechet_{side}"] = frechet.gaussian_distance(mean, covariance, mean_of_samples, of_samples)
    return found


class Measure(keras.callbacks.Callback):
    """Keeps a dictionary of measurements for each epoch."""

    def __init__(self, train, held_out, num_samples):
        super().__init__()
        self.train, self.held_out, self.num_samples = train, held_out, num_samples
        self.points = []

    def on_train_begin(self, logs=None):
        self.measure()

    def on_epoch_end(self, epoch, logs=None):
        self.measure()

    def measure(self):
        model = self.model
        samples = model.generate(self.num_samples, seed=0)
        distance = distances(self.held_out, images.to_uint8(samples).numpy())
        point = {"step": model.steps_done, **distance, **self.scores(samples)}
        if isinstance(model.augmentation, ganzoo.augmentation.ADA):
            point["p"] = float(model.augmentation.p)
        self.points.append({name: round(value, 5) for name, value in point.items()})
        print("   ", self.points[-1], flush=True)

    def scores(self, samples):
        """The discriminator's mean scores of training images, held-out images and generated images."""
        kinds = {"train": self.train, "held_out": self.held_out}
        kinds = {name: np.asarray(ganzoo.data.normalize(pictures)) for name, pictures in kinds.items()}
        found = {name: self.scores_of(pictures) for name, pictures in {**kinds, "fake": samples}.items()}
        means = {name: float(np.mean(values)) for name, values in found.items()}
        gap = means["train"] - means["fake"]
        return {
            "r_t": float(np.mean(np.sign(found["train"]))),
            "r_v": (means["train"] - means["held_out"]) / gap if gap else 0.0,
            **{f"{name}_score": mean for name, mean in means.items()},
        }

    def scores_of(self, pictures, batch_size=250):
        """Scores of up to 1,000 images, each changed as in training."""
        pictures, augmentation = pictures[:1000], self.model.augmentation
        if augmentation is not None:
            numbers = tf.random.stateless_uniform((len(pictures), augmentation.numbers), (0, 1))
            pictures = augmentation(tf.constant(pictures), numbers)
        starts = range(0, len(pictures), batch_size)
        scores = [self.model.discriminator(pictures[start : start + batch_size], training=False) for start in starts]
        return np.concatenate(scores)


def run(key, train, held_out, options):
    """Trains once. Returns the record."""
    keras.utils.set_random_seed(key["seed"])
    # The subset depends on the seed, so the spread over the seeds includes the choice of pictures.
    chosen = np.random.default_rng(key["seed"]).permutation(len(train))[: key["images"]]
    model = MODELS[options.model](
        filters=options.filters,
        ema_decay=options.ema_decay,
        augmentation=AUGMENTATIONS[key["augmentation"]](options),
        seed=key["seed"],
    )
    data = ganzoo.data.from_arrays(train[chosen], batch_size=64, seed=key["seed"])
    measure = Measure(train[chosen], held_out, options.num_samples)
    start = time.time()
    model.fit(
        data,
        epochs=options.points,
        steps_per_epoch=options.steps // options.points,
        callbacks=[measure],
        verbose=0,
        check=False,
    )
    if options.grids:
        options.grids.mkdir(parents=True, exist_ok=True)
        name = "_".join(str(key[part]) for part in ("model", "augmentation", "images", "seed"))
        images.save_png(options.grids / f"{name}.png", images.grid(model.generate(64, seed=1)))
    return {**key, "seconds": round(time.time() - start), "points": measure.points}


def show(found, held_out):
    """Prints the distance at the end and at its best, mean and standard deviation over the seeds."""
    middle = len(held_out) // 2
    print(f"\nTwo halves of the held-out images: {distances(held_out[:middle], held_out[middle:])}\n")
    print("| images | augmentation | seeds | frechet_16, last | best | r_t, last | r_v, last | p, last |")
    print("|---|---|---|---|---|---|---|---|")
    for count, augmentation in dict.fromkeys((record["images"], record["augmentation"]) for record in found):
        runs = [r["points"] for r in found if (r["images"], r["augmentation"]) == (count, augmentation)]
        ends = {name: [points[-1].get(name, np.nan) for points in runs] for name in ("frechet_16", "r_t", "r_v", "p")}
        best = [min(point["frechet_16"] for point in points) for points in runs]
        cells = [ends["frechet_16"], best, ends["r_t"], ends["r_v"], ends["p"]]
        cells = ["" if np.isnan(values).any() else f"{np.mean(values):.3g} ± {np.std(values):.2g}" for values in cells]
        print(f"| {count} | {augmentation} | {len(runs)} | {' | '.join(cells)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help=".npz with train_images and test_images")
    parser.add_argument("--model", default="DCGAN", choices=list(MODELS))
    parser.add_argument("--augmentations", nargs="+", default=list(AUGMENTATIONS), choices=list(AUGMENTATIONS))
    parser.add_argument("--images", nargs="+", type=int, default=[500, 2000], help="how many to train on")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=6000, help="generator updates of a run")
    parser.add_argument("--points", type=int, default=12, help="measurements over a run, after the first")
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--ema_decay", type=float, default=0.99)
    parser.add_argument(
        "--adjustment_images", type=float, default=100_000, help="of ADA: real images for p from 0 to 1"
    )
    parser.add_argument("--num_samples", type=int, default=4000, help="generated for the distance")
    parser.add_argument("--output", type=Path, default=RESULTS / "small_data.jsonl")
    parser.add_argument("--grids", type=Path, help="folder for 64 samples of each run")
    parser.add_argument(
        "--quick", action="store_true", help="a few steps of tiny networks, into small_data_quick.jsonl"
    )
    options = parser.parse_args()
    if options.quick:
        options.images, options.seeds, options.steps, options.points = [128], [0], 4, 2
        options.filters, options.num_samples = 4, 1000
        options.output = options.output.with_name("small_data_quick.jsonl")
    train, held_out = load(options.data)

    found = records.read(options.output)
    records.write(options.output, found)  # A killed process may have left half a line.
    settings = ("model", "steps", "filters", "ema_decay", "adjustment_images", "num_samples")
    common = {name: getattr(options, name) for name in settings}
    for seed in options.seeds:
        for count in options.images:
            for augmentation in options.augmentations:
                key = {**common, "augmentation": augmentation, "images": count, "seed": seed}
                if any(key.items() <= record.items() for record in found):
                    continue
                print({name: key[name] for name in ("augmentation", "images", "seed")}, flush=True)
                found.append(run(key, train, held_out, options))
                records.append(options.output, found[-1])
    show([record for record in found if common.items() <= record.items()], held_out)


if __name__ == "__main__":
    main()
