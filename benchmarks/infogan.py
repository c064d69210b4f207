r"""What do InfoGAN's codes find without labels: the ten digits, and the known attributes of drawn faces?

    python benchmarks/infogan.py --data mnist --seeds 0 1 2
    python benchmarks/infogan.py --faces pixel_faces_32.npz --information_weight 0.1 --generator_rate 2e-4 \
        --filters 32 --batch_size 64

The first command trains with the settings of the paper: 62 numbers of noise, a code of ten values, two continuous
codes, batches of 128, 5,000 updates. `--data` is a folder with the four archives of MNIST. Without it, the script uses
`mnist_10k` and holds out the last 2,000 digits. Q, the network that reads the codes, then reads the held-out digits.
Each value of its code is assigned to a digit, so that most digits are right. The paper has 5 % of errors. Three grids
show the effect of the codes: a row for each value of the categorical code, and each continuous code from -2 to 2 from
left to right, beyond the [-1, 1] of the training.

The second command trains on faces with ten codes of ten values, as the paper does on photographs of faces. It prints
the mutual information between Q's readings of the held-out faces and each of their known attributes. The floor is the
largest of 100 estimates with the faces in a random order. `--faces` is a file with uint8 images `train_images` and
`test_images`, the names `attributes`, and an integer array `test_<attribute>` for each.

Each run adds a line to the file of records. A killed run goes on from its last checkpoint.
"""

import argparse
import gzip
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from scipy.optimize import linear_sum_assignment

import ganzoo
from ganzoo import images, records
from ganzoo.latent.information import plug_in as mutual_information
from ganzoo.sampling import SeededNumbers

UPDATES_PER_EPOCH = 100
PERMUTATIONS = 100
SETTINGS = ("updates", "filters", "information_weight", "generator_rate", "batch_size")

DIGITS = {"noise_dim": 62, "categories": (10,), "continuous": 2}
FACES = {"noise_dim": 128, "categories": (10,) * 10, "continuous": 0}


# === Data ===


def read_archive(folder, name, header):
    """The bytes of one of MNIST's archives, without their header."""
    with gzip.open(Path(folder) / f"{name}.gz") as file:
        return np.frombuffer(file.read(), "uint8", offset=header)


def digits_of(folder):
    """Training images, held-out images and their labels."""
    if folder is None:
        data = ganzoo.data.load("mnist_10k", batch_size=10_000, shuffle=False)
        pictures, labels = next(data.as_numpy_iterator())
        return images.to_uint8(pictures[:8000]).numpy(), images.to_uint8(pictures[8000:]).numpy(), labels[8000:]
    train, test = (
        read_archive(folder, f"{part}-images-idx3-ubyte", 16).reshape(-1, 28, 28, 1) for part in ("train", "t10k")
    )
    return train, test, read_archive(folder, "t10k-labels-idx1-ubyte", 8).astype("int64")


def faces_of(path):
    """Training images, held-out images, and the attributes of the held-out images by name."""
    with np.load(path) as file:
        attributes = {str(name): file[f"test_{name}"] for name in file["attributes"]}
        return file["train_images"], file["test_images"], attributes


# === Training ===


def train(pictures, codes, options, seed, folder):
    """Trains InfoGAN. Returns the model, the last epoch's log, and the seconds of the training."""
    keras.utils.set_random_seed(seed)
    settings = {"filters": options.filters, "information_weight": options.information_weight, "seed": seed}
    settings["generator_optimizer"] = keras.optimizers.Adam(options.generator_rate, beta_1=0.5)
    gan = ganzoo.InfoGAN.from_paper(pictures.shape[1:], **codes, **settings)
    data = ganzoo.data.from_arrays(pictures, batch_size=options.batch_size, seed=seed)
    checkpoint = ganzoo.callbacks.Checkpoint(folder, every_steps=1000, keep=1)
    started = time.perf_counter()
    history = gan.fit(
        data,
        epochs=options.updates // UPDATES_PER_EPOCH,
        steps_per_epoch=UPDATES_PER_EPOCH,
        callbacks=[checkpoint],
        verbose=2,
    )
    log = {name: values[-1] for name, values in history.history.items()}
    return gan, log, time.perf_counter() - started


# === Measuring ===


def read_digits(gan, test, labels):
    """How well the categorical code reads digits, after the best assignment of its values to the digits.

    Returns:
        Dictionary: `confusion`, rows digits, columns the assigned values, and `error`.
    """
    found = gan.read_codes(test, batch_size=500)["category_0"].argmax(axis=1)
    counts = np.zeros((10, 10), "int64")
    np.add.at(counts, (labels, found), 1)
    digit_of_row, value_of_row = linear_sum_assignment(-counts)
    confusion = counts[digit_of_row][:, value_of_row]
    return {
        "confusion": confusion.tolist(),
        "value_of_digit": value_of_row.tolist(),
        "error": 1.0 - np.trace(confusion) / len(labels),
        "digit_of_value": counts.argmax(axis=0).tolist(),
    }


def read_own_samples(gan, count=2000):
    """How well Q reads the codes of generated samples: share of right values, and R^2 of each continuous code."""
    latents = gan.prior(SeededNumbers(1), count)
    codes = {name: np.asarray(part) for name, part in gan.codes.split(latents).items()}
    read = gan.read_codes(gan.generate(latents=latents), batch_size=500)
    right = {
        name: float(np.mean(read[name].argmax(axis=1) == codes[name].argmax(axis=1))) for name in gan.codes.categories
    }
    if "continuous" not in codes:
        return {"own_codes_right": right}
    errors = np.mean((read["continuous"] - codes["continuous"]) ** 2, axis=0) / codes["continuous"].var(axis=0)
    return {"own_codes_right": right, "own_continuous_r2": (1.0 - errors).tolist()}


def information_table(gan, test, attributes):
    """Mutual information of each code with each attribute, its floor, and the entropy of the attributes, in nats."""
    random = np.random.default_rng(0)
    codes = {name: part.argmax(axis=1) for name, part in gan.read_codes(test, batch_size=500).items()}
    table, floors = {}, {}
    for name, code in codes.items():
        table[name] = {key: mutual_information(code, values) for key, values in attributes.items()}
        floors[name] = {
            key: max(mutual_information(random.permutation(code), values) for _ in range(PERMUTATIONS))
            for key, values in attributes.items()
        }
    entropies = {key: mutual_information(values, values) for key, values in attributes.items()}
    used = {name: len(np.unique(code)) for name, code in codes.items()}
    return {"information": table, "floor": floors, "entropy": entropies, "values_used": used}


# === Pictures ===


def rows_of_categories(gan, name, columns=10, seed=0):
    """A row for each value of a categorical code. All rows have the same noise and the same other codes."""
    size = gan.codes.categories[name]
    latents = np.tile(np.asarray(gan.prior(SeededNumbers(seed), columns)), (size, 1))
    return gan.generate(latents=latents, codes={name: np.repeat(np.arange(size), columns)}), columns


def rows_of_continuous(gan, index, columns=10, seed=0):
    """A continuous code from -2 to 2, with a row for each value of the categorical code, each with its own noise."""
    size = gan.codes.categories["category_0"]
    latents = np.repeat(np.asarray(gan.prior(SeededNumbers(seed), size)), columns, axis=0)
    continuous = np.zeros((size * columns, gan.codes.sizes["continuous"]))
    continuous[:, index] = np.tile(np.linspace(-2, 2, columns), size)
    codes = {"category_0": np.repeat(np.arange(size), columns), "continuous": continuous}
    return gan.generate(latents=latents, codes=codes), columns


def draw(path, pictures, columns):
    images.save_png(path, images.grid(pictures, columns=columns))
    print(f"Drawn: {path}", flush=True)


# === The two experiments ===


def run_digits(options, seed):
    train_images, test, labels = digits_of(options.data)
    folder = options.output_dir / f"digits_{seed}"
    gan, log, seconds = train(train_images, DIGITS, options, seed, folder)
    found = read_digits(gan, test, labels)
    print(f"seed {seed}: error {100 * found['error']:.2f} % of {len(labels)} held-out digits")
    print("digit | values of the code, assigned to the digits 0 to 9")
    for digit, row in enumerate(found["confusion"]):
        print(f"{digit:5} | " + " ".join(f"{count:5}" for count in row))
    draw(options.images / f"infogan_digits_{seed}.png", *rows_of_categories(gan, "category_0"))
    for index in range(2):
        draw(options.images / f"infogan_digits_{seed}_continuous_{index}.png", *rows_of_continuous(gan, index))
    data = "mnist" if options.data else "mnist_10k"
    return {"data": data, "images": len(train_images), **found, **read_own_samples(gan), "log": log, "seconds": seconds}


def run_faces(options, seed):
    train_images, test, attributes = faces_of(options.faces)
    folder = options.output_dir / f"faces_{seed}"
    gan, log, seconds = train(train_images, FACES, options, seed, folder)
    found = information_table(gan, test, attributes)
    print(f"seed {seed}: mutual information in nats; in brackets the floor")
    for key in attributes:
        best = sorted(gan.codes.categories, key=lambda name: -found["information"][name][key])[:3]
        cells = [f"{name} {found['information'][name][key]:.3f} ({found['floor'][name][key]:.3f})" for name in best]
        print(f"{key:18} entropy {found['entropy'][key]:.3f} | " + ", ".join(cells))
    for name in gan.codes.categories:
        draw(options.images / f"infogan_faces_{seed}_{name}.png", *rows_of_categories(gan, name))
    data = Path(options.faces).stem
    return {"data": data, "images": len(train_images), **found, **read_own_samples(gan), "log": log, "seconds": seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder with the four archives of MNIST; default: mnist_10k")
    parser.add_argument("--faces", help="file with faces; train on these and not on digits")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--updates", type=int, default=5000)
    parser.add_argument("--filters", type=int, default=64)
    parser.add_argument("--information_weight", type=float, default=1.0)
    parser.add_argument("--generator_rate", type=float, default=1e-3, help="learning rate of the generator and of Q")
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--records", type=Path, default=Path("benchmarks/results/infogan.jsonl"))
    parser.add_argument("--images", type=Path, default=Path("infogan"))
    parser.add_argument("--output_dir", type=Path, default=Path("infogan"), help="checkpoints")
    options = parser.parse_args()
    for seed in options.seeds:
        settings = {name: getattr(options, name) for name in SETTINGS}
        record = (run_faces if options.faces else run_digits)(options, seed)
        records.append(options.records, {"seed": seed, **settings, **record})


if __name__ == "__main__":
    main()
