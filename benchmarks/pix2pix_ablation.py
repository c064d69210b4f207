"""Pix2Pix's ablation on OpenMoji: outlines are coloured with L1 alone and with L1 + cGAN (Section 4.2 of the paper).

    python benchmarks/pix2pix_ablation.py --steps 2000
    python benchmarks/pix2pix_ablation.py --data openmoji_pairs_64.npz --steps 4000 --filters 32

Both variants get the same initial weights, batches and number of steps. It prints the L1 distance to the truth on the
test split for both, and for two baselines: the outline itself, and the mean drawing of the training split; and draws
test images, from left to right: input, output of each variant, truth. `--data` is
a file with the arrays train_outline, train_color, test_outline and test_color (uint8); the default are the pairs that
come with ganzoo. Drawings by OpenMoji (https://openmoji.org), CC BY-SA 4.0.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np

import ganzoo


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="An .npz file. Default: the embedded pairs, openmoji_pairs.")
    parser.add_argument("--steps", type=int, default=2000, help="Updates of the generator, for each variant.")
    parser.add_argument("--batch_size", type=int, default=8)
    parser.add_argument("--filters", type=int, default=32, help="The paper has 64.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--variants", nargs="+", choices=sorted(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--ema_decay", type=float, help="Average the generator's weights with this decay.")
    parser.add_argument("--redraw", action="store_true", help="Score and draw the models of an earlier run again.")
    parser.add_argument("--pictures", type=int, default=28, help="Test images in the picture.")
    parser.add_argument("--output", type=Path, default=Path("runs/pix2pix_ablation"), help="Folder of what is written.")
    return parser.parse_args()


# Of the histograms of lightness and colour, which lie between -110 and 110.
BINS, RANGE = 44, (-110, 110)

VARIANTS = {"l1": {"gan_weight": 0.0}, "l1_cgan": {"gan_weight": 1.0}}


def load(options):
    """Returns the training dataset, and the test split as float32 arrays `(inputs, targets)`."""
    changes = {"batch_size": options.batch_size, "seed": options.seed, "jitter": True, "mirror": True}
    if options.data is None:
        train = ganzoo.data.load("openmoji_pairs", **changes)
        test = ganzoo.data.load("openmoji_pairs", split="test", shuffle=False).source
        inputs, targets = test.images.numpy(), test.targets.numpy()
    else:
        with np.load(options.data) as file:
            # The outlines are grey: one channel says it all.
            train = ganzoo.data.paired(file["train_outline"][..., :1], file["train_color"], **changes)
            inputs, targets = file["test_outline"][..., :1], file["test_color"]
    return train, ganzoo.data.normalize(inputs), ganzoo.data.normalize(targets)


def measures(outputs, targets):
    """How near outputs are to the truth, and how they look beside it.

    - `l1`: mean absolute difference over all images, pixels and channels; white and black are 2 apart;
    - `outside`: the same where the truth is white: what was painted over the lines;
    - `inside`: the same elsewhere;
    - `L`, `a`, `b`: how far the histograms of lightness and colour, inside, agree with the truth's, 1 for equal ones
      (Section 4.2 of the paper, Figure 7): an average of colours is a colour of its own.
    """
    difference = np.abs(outputs - targets).mean(-1)
    white = targets.min(-1) == 1.0
    ours, truth = lab(outputs[~white]), lab(targets[~white])
    return {
        "l1": float(difference.mean()),
        "outside": float(difference[white].mean()),
        "inside": float(difference[~white].mean()),
        **{name: intersection(ours[:, axis], truth[:, axis]) for axis, name in enumerate("Lab")},
    }


def lab(pixels):
    """CIELAB coordinates `(n, 3)` of RGB pixels `(n, 3)` in [-1, 1] (sRGB, white point D65)."""
    rgb = (np.clip(pixels, -1, 1) + 1) / 2
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = linear @ np.transpose(to_xyz) / np.sum(to_xyz, axis=1)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def intersection(ours, theirs):
    """The common area of the histograms of two sets of numbers between -110 and 110."""
    ours, theirs = (np.histogram(values, bins=BINS, range=RANGE)[0] / len(values) for values in (ours, theirs))
    return float(np.minimum(ours, theirs).sum())


def trained(name, options, train, image_shape, condition_shape):
    """Returns the model of a variant, and the seconds of its training."""
    path, times = options.output / f"{name}.keras", options.output / f"{name}_seconds.txt"
    if options.redraw:
        return keras.saving.load_model(path), float(times.read_text())
    keras.utils.set_random_seed(options.seed)
    model = ganzoo.Pix2Pix.from_paper(
        image_shape,
        condition_shape,
        filters=options.filters,
        seed=options.seed,
        ema_decay=options.ema_decay,
        **VARIANTS[name],
    )
    started = time.time()
    epochs = 10 if options.steps >= 10 else 1
    model.fit(train, epochs=epochs, steps_per_epoch=options.steps // epochs, verbose=2)
    seconds = time.time() - started
    model.save(path)
    times.write_text(f"{seconds}\n")
    return model, seconds


def main():
    options = parse()
    options.output.mkdir(parents=True, exist_ok=True)
    train, inputs, targets = load(options)
    drawings = train.source.targets.numpy()
    mean = ganzoo.data.normalize(drawings).mean(0)
    baselines = {"the outline itself": inputs, "the mean drawing": mean, "the truth": targets}
    print(f"{train.source.num_samples} pairs for training, {len(targets)} for testing; seed {options.seed}", flush=True)
    table = {name: measures(np.broadcast_to(image, targets.shape), targets) for name, image in baselines.items()}
    # Drawings that differ in colour alone, such as flags, share an outline: one of each.
    _, distinct = np.unique(inputs.reshape(len(inputs), -1), axis=0, return_index=True)
    chosen = np.sort(distinct)[np.linspace(0, len(distinct) - 1, options.pictures).round().astype(int)]
    columns = [np.broadcast_to(inputs, targets.shape)[chosen]]
    for name in options.variants:
        model, seconds = trained(name, options, train, targets.shape[1:], inputs.shape[1:])
        outputs = model.predict(inputs, batch_size=50, verbose=0)
        table[name] = {**measures(outputs, targets), "minutes": seconds / 60}
        columns.append(outputs[chosen])
    columns.append(targets[chosen])
    rows = np.stack(columns, axis=1).reshape(-1, *targets.shape[1:])
    ganzoo.images.save_png(options.output / "grid.png", ganzoo.images.grid(rows, 2 * len(columns)))
    (options.output / "result.json").write_text(json.dumps(table, indent=2) + "\n")
    keys = ("l1", "outside", "inside", "L", "a", "b", "minutes")
    print(f"{'':<20}" + "".join(f"{key:>10}" for key in keys))
    for name, row in table.items():
        print(f"{name:<20}" + "".join(f"{row[key]:>10.3f}" if key in row else "" for key in keys))
    print(f"Wrote {options.output}/grid.png: input | {' | '.join(options.variants)} | truth; twice in a row.")


if __name__ == "__main__":
    main()
