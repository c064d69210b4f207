"""Prints the sha256 of all weights after 50 steps of six models with two seeds, to compare two versions of ganzoo.

    python benchmarks/weights_digest.py > after.txt
    git worktree add ../before v0.1 && PYTHONPATH=../before python benchmarks/weights_digest.py > before.txt

The networks have no averages, whose decay warms up since version 0.2 (`ema_decay`, benchmarks/average.py).
The same lines mean the same training, bit for bit: on one machine, with the same packages and number of threads.
"""

import hashlib

import keras
import numpy as np

import ganzoo

STEPS, BATCH = 50, 16
MODELS = ("GAN", "WGAN", "WGANGP", "R3GAN", "VAE", "Pix2Pix")


def data(seed):
    """Noise of the right shape: what is compared is arithmetic."""
    return np.random.default_rng(seed).uniform(-1, 1, (256, 16, 16, 1)).astype("float32")


def trained(name, seed):
    """A small model of that name after 50 steps."""
    keras.utils.set_random_seed(seed)
    small = {
        "GAN": {"hidden": (32,)},
        "VAE": {"hidden": (32,)},
        "R3GAN": {"filters": 8, "networks": ganzoo.networks.dcgan},
        "Pix2Pix": {"filters": 8, "receptive_field": 16},
    }.get(name, {"filters": 8})
    model = getattr(ganzoo, name).from_paper((16, 16, 1), seed=seed, **small)
    batches = getattr(model, "batches_per_step", 1)
    images = data(seed)
    parts = (data(seed + 100), images) if name == "Pix2Pix" else (images, None)
    steps_per_epoch = 256 // BATCH // batches
    model.fit(*parts, batch_size=BATCH, epochs=-(-STEPS // steps_per_epoch), verbose=0, check=False)
    return model


def digest(model):
    """sha256 of the weights by size and value, whatever their names and their order."""
    values = sorted(weight.numpy().tobytes() for weight in model.weights if weight.dtype == "float32")
    return hashlib.sha256(b"".join(values)).hexdigest()


if __name__ == "__main__":
    for name in MODELS:
        for seed in (0, 1):
            print(name, seed, digest(trained(name, seed)), flush=True)
