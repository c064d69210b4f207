"""What do several proposals bring to a VAE, and what does a VQ-VAE keep of an image?

    python benchmarks/vae_family.py
    python benchmarks/vae_family.py --models iwae --proposals 1 50 --epochs 20 --records runs/iwae.jsonl

IWAE: the paper's model of one stochastic layer on 9,000 of the embedded digits, each pixel drawn once as black or
white, with 1, 5 and 50 proposals. For 1,000 held-out digits it prints the bounds L_1, L_5 and L_50 of each model, an
estimate of log p(x), and the number of active latents (Burda et al., 2015, Appendix C: the mean of q varies over
images with a variance above 0.01).

VQ-VAE: 64 codes on the same digits in grey, with a codebook that is moved by the loss or by running averages. For the
held-out digits it prints the squared error of reconstructions, how many codes are used and their perplexity, and the
loss of the prior in nats for a code, where log 64 = 4.16 means that it has learned nothing. The distances are
`FrechetDistance` in the features of the small digits classifier.

Each model adds a line to the file of records. `--images FOLDER` writes the pictures of the pages.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import ganzoo
from ganzoo import data, images, metrics, records
from ganzoo.metrics.measuring import Measuring

TRAIN, HELD_OUT = "train[:9000]", "train[9000:]"
BOUNDS = (1, 5, 50)
ACTIVE = 0.01  # Variance of a mean of q over images.
CODEBOOKS = {"loss": None, "running averages": 0.99}
NUM_CODES = 64


def digits(split):
    """Digits of the package as uint8."""
    return data.load("mnist_10k", split, shuffle=False).source.images.numpy()


def with_error(values):
    """The mean and 1.96 standard errors over images."""
    return [float(values.mean()), float(1.96 * values.std(ddof=1) / len(values) ** 0.5)]


# === IWAE ===


def binary(split, seed):
    return data.binarize(digits(split), seed=seed)


def iwae(proposals, options):
    """A trained IWAE and its record."""
    keras.utils.set_random_seed(options.seed)
    model = ganzoo.IWAE.from_paper((28, 28, 1), num_samples=proposals, seed=options.seed)
    started = time.process_time()
    model.fit(data.from_arrays(binary(TRAIN, 0), batch_size=20), epochs=options.epochs, verbose=0)
    seconds = time.process_time() - started
    held_out = data.normalize(binary(HELD_OUT, 1))
    bounds = {str(count): with_error(model.log_likelihood(held_out, num_samples=count)) for count in BOUNDS}
    means = model.encode(held_out)[0]
    record = {"model": "IWAE", "proposals": proposals, "epochs": options.epochs, "seed": options.seed}
    record |= {"bounds": bounds, "active": int(np.sum(means.var(axis=0) > ACTIVE)), "seconds": seconds}
    draws = options.num_samples
    return model, record | {"log_p": with_error(model.log_likelihood(held_out, num_samples=draws)), "draws": draws}


def print_iwae(found):
    titles = ["Proposals in training", *(f"L_{count}" for count in BOUNDS), "log p(x)", "Active latents", "CPU seconds"]
    rows = [
        [record["proposals"]]
        + ["{:.2f} ± {:.2f}".format(*value) for value in (*record["bounds"].values(), record["log_p"])]
        + [f"{record['active']} of 50", f"{record['seconds']:.0f}"]
        for record in found
    ]
    print_table(titles, rows)


# === VQ-VAE ===


def vqvae(codebook, options):
    """A trained VQ-VAE and its record."""
    keras.utils.set_random_seed(options.seed)
    settings = {"filters": 32, "prior_filters": 32, "num_codes": NUM_CODES, "optimizer": keras.optimizers.Adam(1e-3)}
    model = ganzoo.VQVAE.from_paper((28, 28, 1), codebook_decay=CODEBOOKS[codebook], seed=options.seed, **settings)
    started = time.process_time()
    model.fit(data.from_arrays(digits(TRAIN), batch_size=64), epochs=options.epochs, verbose=0)
    seconds = time.process_time() - started
    real = digits(HELD_OUT)
    held_out = data.normalize(real)
    codes = model.encode(held_out)
    shares = np.bincount(codes.ravel(), minlength=NUM_CODES) / codes.size
    again = model.decode(codes)
    distance = Measuring({"distance": metrics.default_metrics(real)[0]}, real)
    distances = {name: distance.of(made).score("distance") for name, made in made_by(model, again, len(real)).items()}
    record = {"model": "VQVAE", "codebook": codebook, "epochs": options.epochs, "seed": options.seed}
    record |= {
        "error": with_error(np.mean((again - held_out) ** 2, axis=(1, 2, 3))),
        "used": int(np.sum(shares > 0)),
        "perplexity": float(np.exp(-np.sum(shares[shares > 0] * np.log(shares[shares > 0])))),
        "code_loss": float(model.code_loss(codes)),
        "distances": {name: [score.value, *score.interval] for name, score in distances.items()},
        "seconds": seconds,
    }
    return model, record


def made_by(model, again, count):
    return {"reconstructions": again, "samples": model.generate(count, seed=0)}


def print_vqvae(found):
    titles = ["Codebook moved by", "Squared error", "Codes used", "Perplexity", "Nats for a code"]
    titles += ["Distance of reconstructions", "of samples", "CPU seconds"]
    rows = [
        [record["codebook"], "{:.4f} ± {:.4f}".format(*record["error"]), f"{record['used']} of {NUM_CODES}"]
        + [f"{record['perplexity']:.1f}", f"{record['code_loss']:.2f}"]
        + ["{:.2f} [{:.2f}, {:.2f}]".format(*value) for value in record["distances"].values()]
        + [f"{record['seconds']:.0f}"]
        for record in found
    ]
    print_table(titles, rows)


# === Both ===


def print_table(titles, rows):
    lines = [titles, ["---"] * len(titles), *rows]
    print("\n" + "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines), flush=True)


def draw_iwae(trained, folder):
    """Samples of the same latents, a row for each number of proposals."""
    rows = [model.generate(12, seed=0) for model in trained]
    images.save_png(folder / "iwae.png", images.grid(np.concatenate(rows), columns=12, scale=2))


def draw_vqvae(trained, folder):
    """Held-out digits and their reconstructions, and samples, a file each."""
    held_out = data.normalize(digits(HELD_OUT)[:12])
    rows = [held_out, *(model.reconstruct(held_out) for model in trained)]
    images.save_png(folder / "vqvae_reconstructions.png", images.grid(np.concatenate(rows), columns=12, scale=2))
    rows = [model.generate(24, seed=0) for model in trained]
    images.save_png(folder / "vqvae_samples.png", images.grid(np.concatenate(rows), columns=12, scale=2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=("iwae", "vqvae"), default=("iwae", "vqvae"))
    parser.add_argument("--proposals", type=int, nargs="+", default=[1, 5, 50])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--num_samples", type=int, default=200, help="latents for each estimate of log p(x)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images", type=Path, help="folder for the pictures; default: none are drawn")
    parser.add_argument("--records", type=Path, default=Path("benchmarks/results/vae_family.jsonl"))
    options = parser.parse_args()
    kinds = {
        "iwae": (iwae, options.proposals, print_iwae, draw_iwae),
        "vqvae": (vqvae, CODEBOOKS, print_vqvae, draw_vqvae),
    }
    for kind in options.models:
        train, settings, show, draw = kinds[kind]
        trained, found = zip(*(train(setting, options) for setting in settings))
        for record in found:
            records.append(options.records, record)
        show(found)
        if options.images:
            draw(trained, options.images)


if __name__ == "__main__":
    main()
