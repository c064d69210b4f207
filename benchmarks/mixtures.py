"""Counts modes of a mixture of Gaussians: all adversarial models under a common protocol, on the ring and the grid.

    python benchmarks/mixtures.py

The ring has 8 Gaussians and the grid 25. The protocol comes from the demonstration of the unrolled GAN, and VEEGAN and
GDPP use it too: latents N(0, I) of 256 dimensions, both networks two layers of 128 tanh units with orthogonal weights
of gain 1.4, Adam (beta_1 0.5, learning rate 1e-3 for the generator and 1e-4 for the discriminator), batches of 512,
25,000 updates of the generator. The exceptions:

- WGAN has its own optimizers (RMSProp 5e-5, rho 0.99, as `WGAN.from_paper`), because clipping does not work with
  momentum.
- PresGAN has bounds of its noise that suit the data.
- WGAN-GP has the penalty weight 0.1 of its authors' experiments with such mixtures (`gan_toy.py`). The weight 10 of the
  paper has a separate row.

Two more rows follow PacGAN's protocol, at 25,000 of its 400,000 updates, to compare with its table: latents N(0, I) of
2 dimensions, its networks (pacgan_networks.py), Adam (beta_1 0.8, learning rate 1e-4), batches of 100 packs.

Measures on 2,500 samples: modes (centres that are the nearest of at least one sample within 3 standard deviations), the
share of samples within 3 standard deviations of a centre (98.9 % for a perfect sampler), and the KL divergence of these
samples' modes from the uniform distribution (0.0014 and 0.0048 for a perfect sampler).

The script appends each run to the output file (benchmarks/results/mixtures.jsonl) when the run ends, and does not
repeat runs in the file. Prints the table at the end: mean and standard error over the seeds.
"""

import argparse
import concurrent.futures
import multiprocessing
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from lib import pacgan_networks
from lib.spread import spread

import ganzoo
from ganzoo import records

MIXTURES = {"ring": {"std": 0.01, "modes": 8}, "grid": {"std": 0.05, "modes": 25}}


def optimizers(kind, generator_rate, discriminator_rate, **config):
    rates = {"generator_optimizer": generator_rate, "discriminator_optimizer": discriminator_rate}
    return {name: {"class_name": kind, "config": {"learning_rate": rate, **config}} for name, rate in rates.items()}


UNROLLED = {
    "latent_dim": 256,
    "hidden": (128, 128),
    "activation": "tanh",
    "hidden_initializer": {"class_name": "Orthogonal", "config": {"gain": 1.4}},
    "normalization": None,
    **optimizers("Adam", 1e-3, 1e-4, beta_1=0.5),
}
PACGAN = {"networks": pacgan_networks, "latent_dim": 2, **optimizers("Adam", 1e-4, 1e-4, beta_1=0.8)}

# Class, protocol, size of a batch, and exceptions.
MODELS = {
    "GAN": ("GAN", UNROLLED, 512, {}),
    "PacGAN2": ("GAN", UNROLLED, 512, {"packing": 2}),
    "LSGAN": ("LSGAN", UNROLLED, 512, {}),
    "SNGAN": ("SNGAN", UNROLLED, 512, {"normalization": "spectral", "discriminator_steps": 1}),
    "DRAGAN": ("DRAGAN", UNROLLED, 512, {}),
    "R3GAN": ("R3GAN", UNROLLED, 512, {}),
    "WGAN": ("WGAN", UNROLLED, 512, optimizers("RMSprop", 5e-5, 5e-5, rho=0.99, epsilon=1e-16)),
    "WGAN-GP": ("WGANGP", UNROLLED, 512, {"gradient_penalty_weight": 0.1}),
    "WGAN-GP, lambda 10": ("WGANGP", UNROLLED, 512, {}),
    "PresGAN": ("PresGAN", UNROLLED, 512, {"sigma_min": 0.001, "sigma_max": 0.1, "initial_sigma": 0.1}),
    "GAN, PacGAN's protocol": ("GAN", PACGAN, 100, {}),
    "PacGAN2, PacGAN's protocol": ("GAN", PACGAN, 200, {"packing": 2}),
}


def run(name, mixture, seed, iterations):
    """Trains a model. Returns its row."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(seed)
    cls, protocol, batch_size, own = MODELS[name]
    settings = {**protocol, **own, "seed": seed, "steps_per_execution": 100, "jit_compile": True}
    model = getattr(ganzoo, cls).from_paper((2,), **settings)
    data = getattr(ganzoo.data, mixture)(batch_size=batch_size, seed=seed)
    started = time.process_time()
    before = {role: network.get_weights() for role, network in model.networks.items()}
    model.fit(data, epochs=iterations // 1000, steps_per_epoch=1000, verbose=0)
    check_moved(model, before)
    row = {"model": name, "mixture": mixture, "seed": seed, "iterations": iterations}
    row |= measure(model.generate(2500, seed=seed, batch_size=2500), mixture)
    return row | {"cpu_seconds": round(time.process_time() - started, 1)}


def check_moved(model, before):
    """Raises a `RuntimeError` if a network has not changed, so that an idle optimizer makes no result."""
    for role, old in before.items():
        new = model.networks[role].get_weights()
        change = sum(float(np.sum((a - b) ** 2)) for a, b in zip(new, old)) ** 0.5
        size = sum(float(np.sum(b**2)) for b in old) ** 0.5
        if change < 1e-2 * size:
            raise RuntimeError(f"The {role} moved by {change / size:.2g} of its size only: look at its optimizer.")


def measure(points, mixture):
    """Modes, share of samples of high quality, and KL divergence of the modes from uniform."""
    centers = getattr(ganzoo.data, f"{mixture}_centers")()
    found = ganzoo.metrics.mode_coverage(points, centers, MIXTURES[mixture]["std"]).details
    return {key: found[key] for key in ("modes", "high_quality", "kl")}


def key(row):
    return row["model"], row["mixture"], row["seed"], row["iterations"]


def table(rows, iterations):
    """Markdown: mean ± standard error over the seeds."""
    lines = ["| Model | Mixture | Seeds | Modes | High quality, % | KL to uniform |", "|---|---|---|---|---|---|"]
    for mixture, facts in MIXTURES.items():
        for name in MODELS:
            chosen = [r for r in rows if key(r)[:2] == (name, mixture) and r["iterations"] == iterations]
            if not chosen:
                continue
            modes = spread([r["modes"] for r in chosen], 1)
            quality = spread([100 * r["high_quality"] for r in chosen], 1)
            divergences = [r["kl"] for r in chosen if r["kl"] is not None]
            divergence = spread(divergences, 2) if divergences else "no sample of high quality"
            lines.append(
                f"| {name} | {mixture} | {len(chosen)} | {modes} of {facts['modes']} | {quality} | {divergence} |"
            )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--mixtures", nargs="+", default=list(MIXTURES), choices=list(MIXTURES))
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--iterations", type=int, default=25_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="runs at a time, of one thread each")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "mixtures.jsonl")
    options = parser.parse_args()

    done = {key(row) for row in records.read(options.output)}
    wanted = [
        (name, mixture, seed, options.iterations)
        for seed in range(options.seeds)
        for name in options.models
        for mixture in options.mixtures
    ]
    missing = [run_key for run_key in wanted if run_key not in done]
    print(f"{len(wanted) - len(missing)} of {len(wanted)} runs are in {options.output}", flush=True)
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(options.processes, context, max_tasks_per_child=1) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run, *each) for each in missing]):
            row = future.result()
            records.append(options.output, row)
            print(row, flush=True)
    print("\n" + table([row for row in records.read(options.output) if key(row) in set(wanted)], options.iterations))


if __name__ == "__main__":
    main()
