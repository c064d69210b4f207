"""What do the tools of `ganzoo.latent` find in a trained generator? Numbers and pictures of the guide.

    python benchmarks/latent.py                                    # faces_16, two minutes of one core
    python benchmarks/latent.py --questions directions projection --preset faces_32 --data pixel_faces_32 \
        --manual_dir FOLDER --held_out test
    python benchmarks/latent.py --questions rejection --preset cgan_mnist --data mnist_10k --attributes class \
        --train 'train[:5000]' --held_out 'train[5000:]' --ways plain reject metropolis_hastings

`--questions` chooses among three questions:

- Directions. How much does the position on a direction tell about each attribute? A small classifier learns from the
  real images and reads the attributes of generated images. The answer is the mutual information in nats, minus its
  value for positions in a random order. SeFa and PCA find directions without labels, `supervised` with the classifier.
- Projection. The PSNR of `project`, for held-out images and for images of the generator.
- Rejection. The kernel distance to held-out images, for plain samples and for samples that the discriminator kept or
  moved. Also the entropy of their attributes, which falls if variety is lost. Half of the held-out images calibrates
  the discriminator, and the other half measures the distance.

Each run adds a line to the file of records. `--images FOLDER` writes the pictures, or those in `--pictures`, that show
an answer.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers
from PIL import Image

import ganzoo
from ganzoo import data, images, latent, metrics, records
from ganzoo.metrics import intervals
from ganzoo.metrics.defaults import default_features
from ganzoo.metrics.kernel import discrepancy

QUARTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
QUESTIONS = ("directions", "projection", "rejection")
WAYS = ("plain", "reject", "metropolis_hastings", "langevin")
CLASS = "class"  # The dataset's own labels, as an attribute.


# === Data and the classifier ===


def read(options, split, model, label=None):
    """Images as floats in [-1, 1] and a label, or `None`, of a part of the data."""
    wanted = None if label == CLASS else label
    settings = {"image_size": model.image_shape[:2], "label": wanted, "manual_dir": options.manual_dir}
    source = data.load(options.data, split, **settings).source
    return data.normalize(source.images.numpy()), None if label is None else source.labels.numpy()


def attributes_of(options, split, model):
    """Dictionary, name -> labels of a part of the data."""
    return {name: read(options, split, model, name)[1] for name in options.attributes}


def train_classifier(pictures, attributes):
    """A function, images -> dictionary of logits, of a small convolutional network with a head for each attribute."""
    keras.utils.set_random_seed(0)
    image = x = keras.Input(pictures.shape[1:])
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(layers.BatchNormalization()(x))
    x = layers.Dropout(0.3)(layers.Dense(128, activation="relu")(layers.Flatten()(x)))
    heads = {name: layers.Dense(int(labels.max()) + 1, name=name)(x) for name, labels in attributes.items()}
    network = keras.Model(image, heads)
    loss = {name: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for name in attributes}
    network.compile("adam", loss=loss)
    network.fit(pictures, attributes, batch_size=64, epochs=5, verbose=0)
    return lambda samples: network.predict(samples, batch_size=500, verbose=0)


# === The three questions ===


def directions_of(model, read_logits, options):
    """Dictionary: a way of finding directions -> `Directions`."""
    count = options.pca_samples
    found = {"sefa": latent.sefa(model, 8), "pca of samples": latent.pca(model, 8, num_samples=count)}
    if options.layer:
        found[f"pca of {options.layer}"] = latent.pca(model, 8, layer=options.layer, num_samples=count)
    if not options.attributes:
        return found
    names = [(name, value) for name, count in options.counts.items() for value in range(count)]

    def scores(samples):
        logits = read_logits(samples)
        each = [logits[name] - np.log(np.exp(logits[name]).sum(axis=1, keepdims=True)) for name in options.attributes]
        return np.concatenate(each, axis=1)

    labels = [f"{name} {value}" for name, value in names]
    found["supervised"] = latent.supervised(model, scores, 5000, seed=1, names=labels)
    return found


def information(model, found, read_logits, count=5000):
    """Rows of mutual information: way, attribute, best direction, nats, floor, entropy."""
    latents = latent.draw(model, count, seed=2)
    logits = read_logits(model.generate(latents=latents, batch_size=500))
    labels = {name: values.argmax(axis=1) for name, values in logits.items()}
    random = np.random.default_rng(0).normal(size=(8, latents.shape[1]))
    random = latent.Directions(random / np.linalg.norm(random, axis=1, keepdims=True), np.zeros(8))
    rows = []
    for way, directions in {**found, "random": random}.items():
        for name, values in labels.items():
            each = [latent.mutual_information(latents @ vector, values) for vector in directions.vectors]
            best = max(range(len(each)), key=lambda index: each[index].value)
            row = {"way": way, "attribute": name, "direction": best, "nats": each[best].value}
            above = sum(one.is_found for one in each)
            row |= {"floor": each[best].floor - each[best].chance, "entropy": each[best].entropy, "above": above}
            if directions.names:
                row["name"] = directions.names[best]
            rows.append({**row, "of": len(each)})
    return rows


def projections(model, held_out, options):
    """Dictionary: what was projected -> quantiles of the PSNR, and the objects."""
    made = model.generate(options.projected, seed=99)
    chosen = held_out[: options.projected]
    cases = {
        "held-out, pixels": (chosen, {"features": None}),
        "generated, pixels": (made, {"features": None}),
    }
    if options.features:
        features = default_features(chosen, quick=True)
        half = chosen[: options.projected // 2]
        cases[f"held-out, pixels and {features.name}"] = (half, {"features": features})
    settings = {"steps": options.steps}
    found = {name: latent.project(model, targets, **settings, **own) for name, (targets, own) in cases.items()}
    table = {name: np.quantile(one.psnr, QUARTILES).round(2).tolist() for name, one in found.items()}
    return table, found


def rejections(model, held_out, labels, read_logits, options):
    """Rows: a way to draw samples, its kernel distance with its interval, acceptance, entropies, seconds.

    A conditional model makes each class equally often, in every way.
    """
    calibration, real = np.array_split(held_out, 2)
    of_calibration = labels[: len(calibration)] if len(model.conditions) else None
    ratio = latent.DensityRatio(model, calibration, condition=of_calibration)
    count = min(options.num_samples, len(real))
    settings = {"seed": 3, "condition": model.conditions.in_turn(count)}
    draws = {
        "plain": lambda: latent.Drawn(None, model.generate(count, **settings), 1.0),
        "reject": lambda: latent.reject(model, count, ratio, **settings),
        "metropolis_hastings": lambda: latent.metropolis_hastings(model, count, ratio, **settings),
        "langevin": lambda: latent.langevin(model, count, ratio, **settings),
    }
    network = default_features(real)
    real_features = network(real).astype("float64")
    rows, drawn, plain = [], {}, None
    for name in ("plain", *(way for way in options.ways if way != "plain")):
        started = time.perf_counter()
        drawn[name] = draws[name]()
        seconds = time.perf_counter() - started
        features = network(drawn[name].images).astype("float64")
        plain = features if plain is None else plain
        score = network.named(metrics.kernel_distance(real_features, features, subsets=None))
        logits = read_logits(drawn[name].images)
        entropies = {each: entropy(values.argmax(axis=1)) for each, values in logits.items()}
        row = {"way": name, "distance": score.value, "interval": list(score.interval), "entropies": entropies}
        row |= gain(real_features, plain, features) if name != "plain" else {}
        rows.append({**row, "acceptance": drawn[name].acceptance, "seconds": seconds, "features": score.features})
    of_data = {each: entropy(values.argmax(axis=1)) for each, values in read_logits(real).items()}
    return rows, of_data, drawn


def gain(real, plain, other):
    """How much smaller the kernel distance is than the distance of plain samples, with its interval."""

    def kernel(inner):
        return (inner / real.shape[1] + 1.0) ** 3

    first, *of_first = discrepancy(real, plain, kernel, 1024)
    second, *of_second = discrepancy(real, other, kernel, 1024)
    influences = [of_first[0] - of_second[0], of_first[1], -of_second[1]]  # Both distances are to the same real images.
    interval = intervals.from_influence(first - second, influences)
    return {"gain": first - second, "gain_interval": [float(end) for end in interval]}


def entropy(labels):
    """The entropy of labels, in nats."""
    shares = np.bincount(labels) / len(labels)
    return float(-np.sum(shares[shares > 0] * np.log(shares[shares > 0])))


# === Pictures ===


def along(model, directions, indices, values, seed=1):
    """A picture of two samples along each of some directions."""
    latents = latent.draw(model, 2, seed)
    sheets = [latent.traverse(model, latents, directions.vectors[index], values).images for index in indices]
    rows = np.concatenate(sheets)
    return images.grid(rows.reshape(-1, *rows.shape[2:]), columns=len(values))


def save(path, picture, is_large):
    """Writes a picture as PNG, or as WebP for large images, whose noise makes PNG files five times as large."""
    if not is_large:
        return images.save_png(path.with_suffix(".png"), picture)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path.with_suffix(".webp"), quality=80, method=6)


def draw_all(model, training, found, projected, drawn, options):
    """Writes the pictures of the guide. A picture of a question that was not asked is left out."""
    reach = np.linspace(-6, 6, 9)
    samples = model.generate(9, seed=0)

    def neighbours():
        in_features = latent.nearest(samples, training, default_features(training, quick=True))
        return latent.nearest(samples, training).picture(in_features)

    def projection():
        held_out, made = list(projected.values())[:2]
        pictures = [held_out.targets[:9], held_out.images[:9], made.targets[:9], made.images[:9]]
        return images.grid(np.concatenate(pictures), columns=9)

    pictures = {
        "interpolation": lambda: latent.interpolate(model, latent.draw(model, 5, seed=2), 9).picture(),
        "truncation": lambda: latent.truncate(model, 9, (3.0, 2.0, 1.5, 1.0)).picture(),
        "nearest": neighbours,
    }
    if found is not None:
        pictures["sefa"] = lambda: along(model, found["sefa"], range(4), reach)
        pictures["pca"] = lambda: along(model, found["pca of samples"], range(4), reach)
        if "supervised" in found:
            best = [row["direction"] for row in options.rows if row["way"] == "supervised"]
            pictures["supervised"] = lambda: along(model, found["supervised"], best, reach)
    if projected is not None:
        pictures["projection"] = projection
    for name, way in (drawn or {}).items():
        pictures[name] = lambda way=way: images.grid(way.images[:36], columns=6, scale=3)
    for name, picture in pictures.items():
        if options.pictures is None or name in options.pictures:
            save(options.images / name, picture(), is_large=model.image_shape[0] >= 64)
    if options.pictures is None or "loop" in options.pictures:
        latent.video(model, options.images / "loop.gif", tiles=4, steps=12, fps=12, scale=3, columns=4, seed=4)


# === Printing ===


def print_all(record):
    if "accuracy" in record:
        print("\nAccuracy of the classifier on held-out images: " + words(record["accuracy"], "{:.1%}"))
    printing = {"directions": print_directions, "projection": print_projection, "rejection": print_rejection}
    for question in record["questions"]:
        printing[question](record)
    print(f"CPU seconds: {record['cpu_seconds']:.0f}")


def print_directions(record):
    rows = [
        [row["way"], row["attribute"], *(f"{row[key]:.3f}" for key in ("nats", "floor", "entropy"))]
        + [row.get("name", row["direction"]), f"{row['above']} of {row['of']}"]
        for row in record["information"]
    ]
    print_table(["Directions", "Attribute", "Nats", "Floor", "Entropy", "Best", "Above the floor"], rows)


def print_projection(record):
    rows = [[name, *(f"{value:.1f}" for value in values)] for name, values in record["psnr"].items()]
    print_table(["Projected", *(f"{share:.0%}" for share in QUARTILES)], rows)


def print_rejection(record):
    rows = [
        [row["way"], "{:.3f} [{:.3f}, {:.3f}]".format(row["distance"], *row["interval"])]
        + ["{:.3f} [{:.3f}, {:.3f}]".format(row["gain"], *row["gain_interval"]) if "gain" in row else ""]
        + [f"{row['acceptance']:.2%}", f"{row['seconds']:.0f}", words(row["entropies"])]
        for row in record["rejection"]
    ]
    print_table(["Samples", "Kernel distance", "Gain", "Accepted", "Seconds", "Entropies"], rows)
    print(f"\nEntropies of held-out images: {words(record['entropies_of_data'])}")


def rejection_table(found):
    """The table of the guide: rejection by the discriminators of models that know classes.

    Args:
        found: List of records.
    """
    rows = []
    for record in found:
        for row in record["rejection"]:
            preset = f"`{record['preset']}`, plain" if row["way"] == "plain" else f"`{row['way']}`"
            distance = "{:.3f} [{:.3f}, {:.3f}]".format(row["distance"], *row["interval"])
            gain = "{:.3f} [{:.3f}, {:.3f}]".format(row["gain"], *row["gain_interval"]) if "gain" in row else ""
            accepted = "all" if row["way"] == "plain" else f"{100 * row['acceptance']:.1f} %"
            rows.append([preset, distance, gain, accepted, f"{row['entropies'][CLASS]:.2f}"])
    return table(["Samples", "Kernel distance", "Gain", "Accepted", "Classes"], rows)


def table(titles, rows):
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def print_table(titles, rows):
    print("\n" + table(titles, rows))


def words(values, form="{:.2f}"):
    return ", ".join(f"{name} {form.format(value)}" for name, value in values.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="faces_16")
    parser.add_argument("--data", default="faces_10k")
    parser.add_argument("--manual_dir", type=Path, help="folder with the file of the data")
    parser.add_argument("--train", default="train[:9000]")
    parser.add_argument("--held_out", default="train[9000:]")
    parser.add_argument(
        "--attributes",
        nargs="*",
        default=["hairColor", "skinColor", "glasses"],
        help=f"labels that the classifier learns to read; {CLASS!r}: those that the data have of themselves; "
        "none: no classifier, no supervised directions and no mutual information",
    )
    parser.add_argument("--questions", nargs="+", choices=QUESTIONS, default=QUESTIONS)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="of drawing samples, beside plain ones")
    parser.add_argument("--layer", default="relu_0", help="of the PCA of activations; '' for none")
    parser.add_argument("--pca_samples", type=int, default=5000, help="samples for each PCA")
    parser.add_argument("--projected", type=int, default=48, help="images to project")
    parser.add_argument("--steps", type=int, default=500, help="of each projection")
    parser.add_argument(
        "--features",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="project half of the held-out images with the features of a network as well, which costs most of the time",
    )
    parser.add_argument("--num_samples", type=int, default=500, help="samples for each kernel distance")
    parser.add_argument("--images", type=Path, help="folder for the pictures; default: none are drawn")
    parser.add_argument("--pictures", nargs="+", help="their names, such as sefa; default: all")
    parser.add_argument("--records", type=Path, default=Path("benchmarks/results/latent.jsonl"))
    options = parser.parse_args()
    if "rejection" in options.questions and not options.attributes:
        parser.error("The question of rejection needs --attributes, whose entropies it measures.")
    model = ganzoo.from_preset(options.preset)
    training, held_out = (read(options, split, model)[0] for split in (options.train, options.held_out))
    known = attributes_of(options, options.train, model)
    options.counts = {name: int(labels.max()) + 1 for name, labels in known.items()}
    record = {"preset": options.preset, "data": options.data, "questions": options.questions}
    read_logits, wanted = None, attributes_of(options, options.held_out, model)
    if known:
        read_logits = train_classifier(training, known)
        logits = read_logits(held_out)
        record["accuracy"] = {name: float(np.mean(logits[name].argmax(axis=1) == wanted[name])) for name in wanted}
    found = projected = drawn = None
    if "directions" in options.questions:
        found = directions_of(model, read_logits, options)
        options.rows = record["information"] = information(model, found, read_logits) if known else []
    if "projection" in options.questions:
        record["psnr"], projected = projections(model, held_out, options)
        record["quantiles"] = QUARTILES
    if "rejection" in options.questions:
        labels = wanted.get(CLASS)
        rows, of_data, drawn = rejections(model, held_out, labels, read_logits, options)
        record |= {"rejection": rows, "entropies_of_data": of_data, "num_samples": options.num_samples}
    record["cpu_seconds"] = time.process_time()
    records.append(options.records, record)
    print_all(record)
    if options.images:
        draw_all(model, training, found, projected, drawn, options)


if __name__ == "__main__":
    main()
