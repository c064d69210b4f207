"""What does the entropy do for a PresGAN? Compares it on the ring of 8 Gaussians with a GAN and a PresGAN without it.

    python benchmarks/presgan_ring.py

Small networks (two layers of 128, 8 latents), Adam 1e-3 (0.5, 0.999) for both networks and sigma, batches of 256, modes
of standard deviation 0.05. Prints for each model, mean and standard error over the seeds: modes found by 2,500 samples,
the share of samples within 3 standard deviations of a centre in %, the fewest and the most samples in a mode, the KL
divergence of the modes from the uniform distribution, sigma, the mean log-likelihood of 500 held-out points under the
model and under the true density, and milliseconds of CPU time for a step. Draws the samples of the last seed.
"""

import argparse
import time
from pathlib import Path

import keras
import numpy as np
from lib.spread import spread
from scipy import special

import ganzoo

STD = 0.05
CENTERS = ganzoo.data.ring_centers()
MODELS = {
    "GAN": (ganzoo.GAN, {}),
    "PresGAN, lambda 0": (ganzoo.PresGAN, {"entropy_weight": 0.0}),
    "PresGAN, lambda 0.01": (ganzoo.PresGAN, {"entropy_weight": 0.01}),
}


def points(count, seed):
    """Points of the ring that no training has seen."""
    random = np.random.default_rng((1, seed))
    return (CENTERS[random.integers(8, size=count)] + STD * random.standard_normal((count, 2))).astype("float32")


def true_log_density(x):
    """log p(x) of the ring itself."""
    squares = np.sum((x[:, None] - CENTERS) ** 2, axis=-1)
    return special.logsumexp(-squares / (2 * STD**2), axis=1) - np.log(8 * 2 * np.pi * STD**2)


def train(name, seed, steps):
    """A trained model, and the milliseconds of CPU time of a step."""
    model_class, settings = MODELS[name]
    names = ["generator_optimizer", "discriminator_optimizer"]
    if model_class is ganzoo.PresGAN:
        names.append("sigma_optimizer")
        settings = {"sigma_max": 0.1, **settings}
    optimizers = {name: keras.optimizers.Adam(1e-3, beta_1=0.5) for name in names}
    keras.utils.set_random_seed(seed)
    model = model_class.from_paper(
        (2,), latent_dim=8, hidden=(128, 128), seed=seed, steps_per_execution=50, **optimizers, **settings
    )
    data = ganzoo.data.ring(batch_size=256, std=STD, seed=seed)
    model.fit(data, epochs=1, steps_per_epoch=50, verbose=0)
    started = time.process_time()
    model.fit(data, epochs=1, steps_per_epoch=steps - 50, verbose=0)
    return model, 1000 * (time.process_time() - started) / (steps - 50)


def measure(model, seed):
    """The samples, and their numbers for the table."""
    samples = model.generate(2500, seed=seed, batch_size=2500)
    distances = np.linalg.norm(samples[:, None] - CENTERS, axis=-1)
    good = distances.min(axis=1) <= 3 * STD
    counts = np.bincount(distances.argmin(axis=1)[good], minlength=8)
    shares = counts[counts > 0] / counts.sum()
    row = {
        "modes": float(np.count_nonzero(counts)),
        "quality": 100 * good.mean(),
        "fewest": float(counts.min()),
        "most": float(counts.max()),
        "kl": float(np.sum(shares * np.log(8 * shares))),
    }
    if isinstance(model, ganzoo.PresGAN):
        held_out = points(500, seed)
        row |= {
            "sigma": float(np.mean(model.noise.sigma)),
            "likelihood": float(model.log_likelihood(held_out, batch_size=500).mean()),
            "truth": float(true_log_density(held_out).mean()),
        }
    return samples, row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--picture", default="docs/images/presgan_ring.png")
    options = parser.parse_args()

    columns = {
        "modes": 1,
        "quality": 1,
        "fewest": 0,
        "most": 0,
        "kl": 3,
        "sigma": 3,
        "likelihood": 2,
        "truth": 2,
        "ms": 1,
    }
    print("| Model | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 1) + "|", flush=True)
    pictures = {}
    for name in MODELS:
        rows = []
        for seed in range(options.seeds):
            model, milliseconds = train(name, seed, options.steps)
            pictures[name], row = measure(model, seed)
            rows.append({**row, "ms": milliseconds})
        cells = [
            spread([row[key] for row in rows], digits) if key in rows[0] else "" for key, digits in columns.items()
        ]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    draw(Path(options.picture), pictures)


def draw(path, pictures):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    for axes, (name, samples) in zip(figure.subplots(1, len(pictures)), pictures.items(), strict=True):
        axes.plot(*samples.T, ".", ms=1.5, alpha=0.4, color="#0072B2")
        axes.plot(*CENTERS.T, "+", color="#D55E00")
        axes.set(title=name, aspect="equal", xlim=(-1.4, 1.4), ylim=(-1.4, 1.4))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    print(f"Drawn: {path}")


if __name__ == "__main__":
    main()
