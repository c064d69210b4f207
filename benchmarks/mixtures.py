"""Modes of a mixture of Gaussians: all adversarial models under one protocol, on the ring of 8 and the grid of 25.

    python benchmarks/mixtures.py

The protocol of the unrolled GAN's demonstration, which VEEGAN and GDPP have: latents N(0, I) of 256 dimensions, both
networks two layers of 128 tanh units with orthogonal weights of gain 1.4, Adam (beta_1 0.5, learning rate 1e-3 for the
generator and 1e-4 for the discriminator), batches of 512, 25,000 updates of the generator. Only WGAN has its own
optimizers (RMSProp 5e-5), since clipping does not go with momentum, and PresGAN bounds of its noise that suit the data.

Measured on 2,500 samples: modes (centres that are the nearest of at least one sample within 3 standard deviations), the
share of samples within 3 standard deviations of a centre (98.9 % for a perfect sampler), and the KL divergence of these
samples' modes from the uniform distribution (0.0014 and 0.0048 for a perfect sampler).

Each run is appended to the output file (benchmarks/mixtures.jsonl) when it ends, and a run that stands there is not
repeated. Prints the table at the end: mean and standard error over the seeds.
"""

import argparse
import concurrent.futures
import multiprocessing
import os
import time
from pathlib import Path

from rows import append, read, spread

MIXTURES = {"ring": {"std": 0.01, "modes": 8}, "grid": {"std": 0.05, "modes": 25}}

# Class, and what of it differs from the protocol.
MODELS = {
    "GAN": ("GAN", {}),
    "PacGAN2": ("GAN", {"packing": 2}),
    "LSGAN": ("LSGAN", {}),
    "SNGAN": ("SNGAN", {"normalization": "spectral", "discriminator_steps": 1}),
    "DRAGAN": ("DRAGAN", {}),
    "R3GAN": ("R3GAN", {}),
    "WGAN": ("WGAN", {"optimizers": "RMSprop"}),
    "WGAN-GP": ("WGANGP", {}),
    "PresGAN": ("PresGAN", {"sigma_min": 0.001, "sigma_max": 0.1, "initial_sigma": 0.1}),
}


def settings_of(name, seed):
    """Class and settings of `from_paper`."""
    import ganzoo

    cls, own = MODELS[name]
    own = dict(own)
    adam = {"beta_1": 0.5}
    optimizers = {
        "generator_optimizer": {"class_name": "Adam", "config": {"learning_rate": 1e-3, **adam}},
        "discriminator_optimizer": {"class_name": "Adam", "config": {"learning_rate": 1e-4, **adam}},
    }
    if own.pop("optimizers", None):
        optimizers = {}  # Those of the paper.
    orthogonal = {"class_name": "Orthogonal", "config": {"gain": 1.4}}
    networks = {"hidden": (128, 128), "activation": "tanh", "hidden_initializer": orthogonal, "latent_dim": 256}
    return getattr(ganzoo, cls), {**networks, **optimizers, "normalization": None, "seed": seed, **own}


def run(name, mixture, seed, iterations):
    """Trains one model; returns its row."""
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    import ganzoo

    keras.utils.set_random_seed(seed)
    cls, settings = settings_of(name, seed)
    model = cls.from_paper((2,), steps_per_execution=100, jit_compile=True, **settings)
    data = getattr(ganzoo.data, mixture)(batch_size=512, seed=seed)
    started = time.process_time()
    model.fit(data, epochs=iterations // 1000, steps_per_epoch=1000, verbose=0)
    row = {"model": name, "mixture": mixture, "seed": seed, "iterations": iterations}
    row |= measure(model.generate(2500, seed=seed, batch_size=2500), mixture)
    return row | {"cpu_seconds": round(time.process_time() - started, 1)}


def measure(points, mixture):
    """Modes, share of samples of high quality, and KL divergence of the modes from uniform."""
    import numpy as np

    import ganzoo

    centers = getattr(ganzoo.data, f"{mixture}_centers")()
    distances = np.linalg.norm(points[:, None] - centers, axis=-1)
    good = distances.min(axis=1) <= 3 * MIXTURES[mixture]["std"]
    counts = np.bincount(distances.argmin(axis=1)[good], minlength=len(centers))
    shares = counts[counts > 0] / max(counts.sum(), 1)
    divergence = float(np.sum(shares * np.log(shares * len(centers)))) if good.any() else None
    return {"modes": int((counts > 0).sum()), "high_quality": float(good.mean()), "kl": divergence}


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
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "mixtures.jsonl")
    options = parser.parse_args()

    done = {key(row) for row in read(options.output)}
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
            append(options.output, row)
            print(row, flush=True)
    print("\n" + table([row for row in read(options.output) if key(row) in set(wanted)], options.iterations))


if __name__ == "__main__":
    main()
