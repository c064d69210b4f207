"""Compares fine-tuning to a few pictures of another style with training on them from zero, in equal time.

    python benchmarks/fine_tuning.py --data emoji_twitter_64.npz --seconds 600
    python benchmarks/fine_tuning.py --data peeps_64.npz --preset faces_32 --seconds 600
    python benchmarks/fine_tuning.py --data emoji_twitter_64.npz --quick      # seconds, to see that it runs

The file holds uint8 images `train_images` and `test_images`, which are resized to the size of the preset. The networks,
the settings, the pictures, their order and the time are the same for all:

- `zero`: new weights.
- `preset`: the weights of the preset.
- `frozen`: the weights of the preset, with the first layers of the discriminator frozen (FreezeD).

Measures the kernel distance of the averaged generator's samples to the held-out images several times, at equal seconds
of training. Lower is better. The first step, which compiles, does not count. Two halves of the held-out images set the
scale. The script appends each run to the output file when the run ends, and does not repeat runs in the file.
"""

import argparse
import itertools
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from lib.builders import RESULTS
from PIL import Image

import ganzoo
from ganzoo import files, images, metrics, records
from ganzoo.comparison.runs import COLOURS, measured_training, train
from ganzoo.metrics.measuring import Measuring
from ganzoo.presets.library import freeze

STARTS = ("zero", "preset", "frozen")
DOCS = Path(__file__).parent.parent / "docs"


def build(start, seed, options):
    """The compiled model of a preset, with the preset's weights or new weights."""
    keras.utils.set_random_seed(seed)
    trained = ganzoo.from_preset(options.preset)
    if len(trained.conditions):
        raise SystemExit(f"{options.preset} is conditional, and the pictures have no labels: take another preset.")
    model = type(trained).from_config({**trained.get_config(), "seed": seed})
    model.compile_from_config(trained.get_compile_config())
    if start != "zero":
        for name, network in trained.networks.items():
            model.networks[name].set_weights(network.get_weights())
    freeze(model, options.freeze if start == "frozen" else 0)
    if options.augmentation != "none":
        model.augmentation = getattr(ganzoo.augmentation, options.augmentation)()
    return model


def load(options):
    """Training images and held-out images, uint8, in the size of the preset."""
    size = ganzoo.from_preset(options.preset).image_shape[:2]
    return [ganzoo.data.load(options.data, part, image_size=size).source.images.numpy() for part in ("train", "test")]


def run(key, pictures, measuring, options):
    """Trains once. Returns the record."""
    # The subset depends on the seed, so the spread over the seeds includes the choice of pictures.
    chosen = np.random.default_rng(key["seed"]).permutation(len(pictures))[: key["images"]]
    model = build(key["start"], key["seed"], options)
    data = ganzoo.data.from_arrays(pictures[chosen], batch_size=options.batch_size, seed=key["seed"])
    training = itertools.chain([0.0], train(model, data, options.seconds, None, options.points, []))
    says = f"{key['start']}, seed {key['seed']}"
    curve, samples = measured_training(model, training, options.points + 1, measuring, None, options.num_samples, says)
    if samples is not None:
        images.save_png(grid_of(key, options), images.grid(samples[:32], columns=8))
    points = [{"step": p["step"], "seconds": p["seconds"], **distance_of(p["scores"][0])} for p in curve]
    return {**key, "curve": points}


def distance_of(score):
    """The parts of a score for the record."""
    return {"kernel_distance": score["value"], "interval": score["interval"]}


def grid_of(key, options):
    """The path of the picture of a run's samples."""
    return options.grids / f"{key['preset']}_{key['data']}_{key['start']}_{key['seed']}.png"


# === What came out ===


def show(found, scale):
    """Prints the distance at the beginning, in the middle and at the end, mean and range over the seeds."""
    print(f"\nTwo halves of the held-out images: {scale:.4g}\n")
    print("| start | seeds | updates | kernel distance at once | after half of the time | at the end |")
    print("|---|---|---|---|---|---|")
    for start in STARTS:
        curves = [record["curve"] for record in found if record["start"] == start]
        if not curves:
            continue
        cells = []
        for share in (0, 0.5, 1):
            values = [curve[round(share * (len(curve) - 1))]["kernel_distance"] for curve in curves]
            cells.append(f"{np.mean(values):.3g} ({min(values):.3g} to {max(values):.3g})")
        updates = np.mean([curve[-1]["step"] for curve in curves])
        print(f"| {start} | {len(curves)} | {updates:,.0f} | {' | '.join(cells)} |")


def draw(found, scale, real, options):
    """Draws the distances over the time, and samples of the first seed beside real images."""
    from matplotlib.figure import Figure

    starts = [start for start in STARTS if any(record["start"] == start for record in found)]
    figure = Figure(figsize=(13, 4.8), dpi=100, layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(2, 3))
    axes = left.add_subplot()
    for start, colour in zip(starts, COLOURS):
        curves = [record["curve"] for record in found if record["start"] == start]
        seconds = np.mean([[point["seconds"] for point in curve] for curve in curves], axis=0)
        values = np.array([[point["kernel_distance"] for point in curve] for curve in curves])
        axes.plot(seconds, values.mean(axis=0), color=colour, marker="o", markersize=3, label=start)
        axes.fill_between(seconds, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.15, linewidth=0)
    axes.axhline(max(scale, 0), color="0.6", linestyle=":", label="two halves of the held-out images")
    axes.set(xlabel="seconds of training", ylabel="kernel distance to held-out images")
    axes.grid(color="0.92")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small")
    pictures = {"real": images.grid(real[:32], columns=8)}
    for record in found:
        path = grid_of(record, options)
        if record["start"] not in pictures and path.is_file():
            pictures[record["start"]] = Image.open(path)
    spots = right.subplots(-(-len(pictures) // 2), 2, squeeze=False).ravel()
    for spot in spots:
        spot.axis("off")
    for spot, (title, picture) in zip(spots, pictures.items()):
        spot.imshow(picture)
        spot.set_title(title, fontsize="medium")
    with files.replacing(options.picture) as temporary:
        figure.savefig(temporary, format="png")
    print(f"\nDrew {options.picture}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help=".npz with train_images and test_images")
    parser.add_argument("--preset", default="faces_32", help="a name, a folder, or a handle on a hub")
    parser.add_argument("--starts", nargs="+", default=list(STARTS), choices=STARTS)
    parser.add_argument("--images", type=int, default=500, help="how many to train on")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--seconds", type=float, default=600.0, help="of training, for each run")
    parser.add_argument("--points", type=int, default=10, help="measurements over a run, after the first")
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--augmentation", default="DiffAugment", choices=["none", "DiffAugment", "ADA"])
    parser.add_argument("--freeze", type=int, default=1, help="layers of the discriminator that `frozen` freezes")
    parser.add_argument("--num_samples", type=int, default=2000, help="generated for the distance")
    parser.add_argument("--output", type=Path, default=RESULTS / "fine_tuning.jsonl")
    parser.add_argument("--grids", type=Path, default=Path("runs/fine_tuning"), help="folder for samples of each run")
    parser.add_argument("--picture", type=Path, default=DOCS / "images" / "fine_tuning.png")
    parser.add_argument("--quick", action="store_true", help="seconds of training, into the folder of the samples")
    options = parser.parse_args()
    if options.quick:
        options.seeds, options.seconds, options.points, options.num_samples = [0], 4.0, 2, 200
        options.output, options.picture = options.grids / "quick.jsonl", options.grids / "quick.png"
    options.grids.mkdir(parents=True, exist_ok=True)
    pictures, held_out = load(options)
    metric = metrics.default_metrics(held_out)[0]
    measuring = Measuring({"kernel_distance": metric}, held_out)
    middle = len(held_out) // 2
    scale = Measuring({"": metric}, held_out[:middle]).of(held_out[middle:]).score("").value

    found = records.read(options.output)
    records.write(options.output, found)  # A killed process may have left half a line.
    settings = ("images", "seconds", "points", "batch_size", "augmentation", "freeze", "num_samples")
    common = {"preset": Path(options.preset).name, "data": options.data.stem}
    common |= {name: getattr(options, name) for name in settings}
    for seed, start in itertools.product(options.seeds, options.starts):
        key = {**common, "start": start, "seed": seed}
        if not any(key.items() <= record.items() for record in found):
            found.append(run(key, pictures, measuring, options))
            records.append(options.output, found[-1])
    found = [record for record in found if common.items() <= record.items()]
    show(found, scale)
    draw(found, scale, held_out, options)


if __name__ == "__main__":
    main()
