"""CycleGAN puts glasses on drawn faces and takes them off, without pairs. A classifier measures what changed.

    python benchmarks/cyclegan_glasses.py --data pixel_faces_32.npz --minutes 60

Collection x holds the training faces without glasses, y the training faces with glasses. No two faces are the same, and
no face is paired with another. A small network learns the true attributes of the training faces (kept in `--output` for
the next run). The script prints and records its accuracy on the test faces. The network then reads the translated test
faces, in both directions:

- `changed`: the share whose glasses came or went,
- `kept`: the share whose other attributes all read as before,
- `both`: the share for which both hold.

The other attributes are all attributes except the glasses and the eyes, which glasses hide. An attribute of a face
counts if the network reads it right before the translation, with a probability of `CERTAIN` or more. (Nobody sees the
hair under a hat.) `counted` is the mean number of counted attributes. Two baselines stand beside the scores. Random
faces of the other collection have the right glasses and the wrong face. Unchanged faces keep everything and have the
wrong glasses.

It writes `result.json` and `grid.png`, rows of a face, its translation and the way back. The script times a few steps
to turn `--minutes` into a number of steps. `--steps` repeats a run exactly. A run that was stopped goes on from there.

`--data` is a file with the arrays `{train,test}_images` (uint8), `{train,test}_<attribute>` (integers),
`values_<attribute>` (names, JSON) and `attributes`. Faces: "Pixel Art" by DiceBear, CC0 1.0.
"""

import argparse
import hashlib
import json
import time
from pathlib import Path

import keras
import numpy as np
import scipy.special
import tensorflow as tf

import ganzoo
from ganzoo.metrics.intervals import of_share

CERTAIN = 0.9
ABSENT = "null"
HIDDEN = -1  # The class of a colour that nobody can see, such as the colour of a missing hat.
NOT_COUNTED = ("glasses", "glassesColor", "eyes", "eyesColor")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="The .npz file of faces.")
    parser.add_argument("--minutes", type=float, default=60.0, help="Time of the training, without the classifier's.")
    parser.add_argument("--steps", type=int, help="Number of steps, in the place of --minutes.")
    parser.add_argument("--batch_size", type=int, default=8, help="The paper has 1.")
    parser.add_argument("--filters", type=int, default=16, help="The paper has 64.")
    parser.add_argument("--cycle_weight", type=float, default=10.0)
    parser.add_argument("--identity_weight", type=float, default=0.5)
    parser.add_argument("--pool_size", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--classifier_epochs", type=int, default=10)
    parser.add_argument("--pictures", type=int, default=8, help="Rows of the picture, for each direction.")
    parser.add_argument("--output", type=Path, default=Path("runs/cyclegan_glasses"), help="Folder of what is written.")
    return parser.parse_args()


# === The faces ===


class Faces:
    """Images and attributes of a split.

    Args:
        file: Opened .npz file.
        split: `"train"` or `"test"`.
    """

    def __init__(self, file, split):
        self.images = file[f"{split}_images"]
        self.names = [str(name) for name in file["attributes"]]
        self.values = {name: [str(value).strip('"') for value in file[f"values_{name}"]] for name in self.names}
        self.labels = {name: file[f"{split}_{name}"].astype("int64") for name in self.names}
        self.has_glasses = self.labels["glasses"] != self.values["glasses"].index(ABSENT)
        for name in self.names:
            thing = name.removesuffix("Color")
            if name != thing and ABSENT in self.values.get(thing, ()):
                absent = self.labels[thing] == self.values[thing].index(ABSENT)
                self.labels[name] = np.where(absent, HIDDEN, self.labels[name])


# === Reading the attributes ===


def attribute_network(faces):
    """Images in [-1, 1] -> logits of every attribute.

    The drawings have their own grid, of half as many pixels. Dense layers learn the meaning of each place on the grid,
    and noise keeps them from relying on the last digit of a colour.
    """
    image = keras.Input(faces.images.shape[1:], name="image")
    x = keras.layers.GaussianNoise(0.05)(keras.layers.AveragePooling2D(2)(image))
    for _ in range(2):
        x = activated(keras.layers.Conv2D(64, 3, padding="same", use_bias=False)(x))
    x = activated(keras.layers.Dense(512, use_bias=False)(keras.layers.Flatten()(x)))
    x = keras.layers.Dropout(0.2)(x)
    return keras.Model(image, {name: keras.layers.Dense(len(faces.values[name]), name=name)(x) for name in faces.names})


def activated(x):
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))


def reader_of(options, faces):
    """The network that reads attributes: from the output folder, or trained."""
    key = hashlib.sha256(faces.images.tobytes()).hexdigest()[:12]
    path = options.output / f"attributes_{key}_{options.classifier_epochs}.keras"
    if path.exists():
        return keras.saving.load_model(path)
    keras.utils.set_random_seed(0)
    network = attribute_network(faces)
    batch = 128
    steps = options.classifier_epochs * (len(faces.images) // batch)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=HIDDEN)
    network.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps)), dict.fromkeys(faces.names, loss)
    )
    data = tf.data.Dataset.from_tensor_slices((faces.images, faces.labels))
    data = data.shuffle(len(faces.images), seed=0).batch(batch, drop_remainder=True)
    data = data.map(lambda images, labels: (ganzoo.data.normalize(images), labels)).prefetch(2)
    network.fit(data, epochs=options.classifier_epochs, verbose=0)
    network.save(path)
    return network


def read(network, images):
    """The probabilities of every attribute's classes, a dictionary of arrays `(count, classes)`."""
    logits = network.predict(images, batch_size=256, verbose=0)
    return {name: scipy.special.softmax(values, axis=-1) for name, values in logits.items()}


def accuracies(found, faces, rows):
    """The share of right readings of every attribute, among the faces of `rows` where there is something to read."""
    shares = {}
    for name, labels in faces.labels.items():
        seen = rows & (labels != HIDDEN)
        shares[name] = float((found[name].argmax(-1) == labels)[seen].mean()) if seen.any() else None
    return shares


def with_glasses(found, faces):
    """Whether the network reads faces as faces with glasses."""
    return found["glasses"].argmax(-1) != faces.values["glasses"].index(ABSENT)


def counted_attributes(found, faces):
    """Which attributes of which faces are beyond doubt, a dictionary of boolean arrays."""
    names = [name for name in faces.names if name not in NOT_COUNTED]
    right = {name: found[name].argmax(-1) == faces.labels[name] for name in names}
    return {name: right[name] & (found[name].max(-1) >= CERTAIN) for name in names}


def score(found, faces, rows, counted):
    """The scores of the translated faces of `rows`.

    Args:
        found: Readings of their translations, see `read`.
        faces: `Faces`, before the translation.
        rows: Boolean array, which faces they were.
        counted: See `counted_attributes`.
    """
    changed = with_glasses(found, faces) != faces.has_glasses[rows]
    counted = {name: flags[rows] for name, flags in counted.items()}
    same = {name: found[name].argmax(-1) == faces.labels[name][rows] for name in counted}
    kept = np.all([same[name] | ~flags for name, flags in counted.items()], axis=0)
    shares = {"changed": changed, "kept": kept, "both": changed & kept}
    return {
        "faces": int(rows.sum()),
        "counted": float(np.sum(list(counted.values()), axis=0).mean()),
        **{name: {"share": float(hits.mean()), "interval": of_share(hits)} for name, hits in shares.items()},
        "kept_by_attribute": {name: float(same[name][flags].mean()) for name, flags in counted.items()},
    }


# === Training ===


def new_model(options, shape, total_steps):
    keras.utils.set_random_seed(options.seed)
    return ganzoo.CycleGAN.from_paper(
        shape,
        filters=options.filters,
        cycle_weight=options.cycle_weight,
        identity_weight=options.identity_weight,
        pool_size=options.pool_size,
        total_steps=total_steps,
        seed=options.seed,
    )


def steps_for(options, dataset, shape):
    """The number of steps that fit into the minutes. It is stored, so a run that was stopped goes on with the same."""
    plan = options.output / "steps.txt"
    if options.steps is not None:
        return options.steps
    if plan.exists():
        return int(plan.read_text())
    model = new_model(options, shape, total_steps=1000)
    model.fit(dataset, epochs=1, steps_per_epoch=5, verbose=0)
    start = time.monotonic()
    model.fit(dataset, epochs=1, steps_per_epoch=50, verbose=0)
    seconds = (time.monotonic() - start) / 50
    steps = max(1, int(60 * options.minutes / seconds))
    print(f"{seconds:.3f} s a step: {steps:,} steps in {options.minutes:g} minutes", flush=True)
    plan.write_text(f"{steps}\n")
    return steps


def trained(options, dataset, shape):
    """Returns the trained model, its steps, the log of its epochs, and the minutes of this run."""
    steps = steps_for(options, dataset, shape)
    epochs = min(20, steps)
    model = new_model(options, shape, total_steps=epochs * (steps // epochs))
    checkpoint = ganzoo.callbacks.Checkpoint(options.output / "checkpoints")
    start = time.monotonic()
    curve = keras.callbacks.CSVLogger(options.output / "log.csv", append=True)
    model.fit(
        dataset, epochs=epochs, steps_per_epoch=steps // epochs, callbacks=[checkpoint, curve], verbose=2, check=False
    )
    return model, model.steps_done, (time.monotonic() - start) / 60


def picture(model, faces, count):
    """Rows of a face, its translation and the way back: without glasses on the left, with glasses on the right."""
    parts = []
    for rows, to, back in ((~faces.has_glasses, "y", "x"), (faces.has_glasses, "x", "y")):
        images = ganzoo.data.normalize(faces.images[rows][:count])
        translated = model.translate(images, to)
        parts += [images, translated, model.translate(translated, back)]
    cells = np.stack(parts, axis=1).reshape(-1, *faces.images.shape[1:])
    return ganzoo.images.grid(cells, columns=len(parts))


def main():
    options = parse()
    options.output.mkdir(parents=True, exist_ok=True)
    with np.load(options.data) as file:
        train, test = Faces(file, "train"), Faces(file, "test")
    reader = reader_of(options, train)
    found = read(reader, ganzoo.data.normalize(test.images))
    counted = counted_attributes(found, test)
    accuracy = {
        "without_glasses": accuracies(found, test, ~test.has_glasses),
        "with_glasses": accuracies(found, test, test.has_glasses),
        "glasses_or_not": float((with_glasses(found, test) == test.has_glasses).mean()),
    }
    print(f"The reader tells glasses or not of {100 * accuracy['glasses_or_not']:.2f} % of the test faces", flush=True)

    x, y = train.images[~train.has_glasses], train.images[train.has_glasses]
    dataset = ganzoo.data.unpaired(x, y, batch_size=options.batch_size, seed=options.seed)
    model, steps, minutes = trained(options, dataset, test.images.shape[1:])

    result = {
        "settings": {name: str(value) if isinstance(value, Path) else value for name, value in vars(options).items()},
        "steps": steps,
        "minutes": minutes,
        "training_faces": {"without_glasses": len(x), "with_glasses": len(y)},
        "accuracy_of_the_reader": accuracy,
        "directions": {},
    }
    random = np.random.default_rng(0)
    for name, rows, to in (("put_on", ~test.has_glasses, "y"), ("take_off", test.has_glasses, "x")):
        others = random.choice(np.flatnonzero(~rows), int(rows.sum()))
        readings = {
            "translated": read(reader, model.translate(test.images[rows], to)),
            "as they are": {attribute: values[rows] for attribute, values in found.items()},
            "random others": {attribute: values[others] for attribute, values in found.items()},
        }
        result["directions"][name] = {kind: score(one, test, rows, counted) for kind, one in readings.items()}
    (options.output / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    ganzoo.images.save_png(options.output / "grid.png", picture(model, test, options.pictures))
    for name, kinds in result["directions"].items():
        for kind, one in kinds.items():
            shares = "".join(
                f"  {key} {100 * one[key]['share']:.1f} % ({100 * one[key]['interval'][0]:.1f} to "
                f"{100 * one[key]['interval'][1]:.1f})"
                for key in ("changed", "kept", "both")
            )
            print(f"{name:<10}{kind:<15}{shares}")
    print(f"Wrote {options.output}/result.json and grid.png after {steps:,} steps.")


if __name__ == "__main__":
    main()
