"""What does the guard say about trainings that are made to fail, and about healthy trainings?

    python benchmarks/guard.py

Ruins trainings of small networks on MNIST's 10,000 test images in eleven ways, each with
`CollapseGuard(action="rollback")` and its defaults, and runs twelve healthy trainings with the same guard. Each takes
10 to 60 seconds of a core.

The table has:

- the guard's first finding and its step, and whether it names the mistake that was made,
- how often the guard went back,
- the distance of the samples from the data when it fired and at the end. This is the energy distance of `VitalSigns`: 0
  means equal, and the samples of an untrained generator have about 1.3.

A training is saved if it ends within its steps, with finite weights, at a distance below 0.4. Healthy dense GANs have
0.3 after 1,500 steps.

The script appends each run to the output file (benchmarks/results/guard.jsonl) when the run ends, and does not repeat
runs in the file.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import keras
import numpy as np
import tensorflow as tf

import ganzoo
from ganzoo import records
from ganzoo.health import diagnoses
from ganzoo.networks import dcgan, mlp
from ganzoo.training.state import weights_are_finite

SHAPE = (28, 28, 1)
DENSE = {"networks": mlp, "hidden": (128, 128)}
CONVOLUTIONAL = {"filters": 8}
SAVED = 0.4


def adam(generator, discriminator=None):
    rates = (generator, generator if discriminator is None else discriminator)
    names = ("generator_optimizer", "discriminator_optimizer")
    return {name: keras.optimizers.Adam(rate, beta_1=0.5) for name, rate in zip(names, rates)}


def gan(**settings):
    return ganzoo.GAN.from_paper(SHAPE, **DENSE, **settings)


def mnist():
    return ganzoo.data.load("mnist_10k", batch_size=64)


def ring():
    return ganzoo.data.ring(batch_size=128)


# === How to ruin a training ===


def with_momentum():
    adam = [keras.optimizers.Adam(0.02, beta_1=0.99) for _ in range(2)]
    return gan(generator_optimizer=adam[0], discriminator_optimizer=adam[1])


def unclipped():
    model = ganzoo.WGAN.from_paper(SHAPE, **DENSE)
    for variable in model.discriminator.trainable_variables:
        variable.constraint = None
    return model


def pinned():
    model = gan()
    head = model.generator.get_layer("head")
    kernel, bias = head.get_weights()
    head.set_weights([1000 * kernel, bias])
    return model


def squashed():
    image = keras.Input(SHAPE, name="image")
    x = keras.layers.Dense(128, activation="relu")(keras.layers.Flatten()(image))
    score = keras.layers.Dense(1, activation="sigmoid")(x)
    model = ganzoo.GAN(mlp.generator(SHAPE, latent_dim=100, hidden=(128, 128)), keras.Model(image, score))
    model.compile(**adam(2e-4))
    return model


def conditional():
    return ganzoo.CGAN.from_paper(SHAPE, num_classes=10, networks=dcgan, conditioning="projection", **CONVOLUTIONAL)


def zeros():
    return ganzoo.data.from_arrays(np.zeros((5000, *SHAPE), "uint8"), batch_size=64)


def one_mode():
    """The same image each time, with a little noise."""
    image = mnist().source.images[:1].numpy().astype("int64")
    noise = np.random.default_rng(0).integers(-2, 3, (5000, *SHAPE))
    return ganzoo.data.from_arrays(np.clip(image + noise, 0, 255).astype("uint8"), batch_size=64)


def shuffled_labels():
    source = mnist().source
    labels = np.random.default_rng(0).permutation(source.labels.numpy())
    return ganzoo.data.from_arrays(source.images.numpy(), labels, batch_size=64)


# Model, data, steps, the diagnosis.
FAILURES = {
    "learning rates x 100": (lambda: gan(**adam(2e-2)), mnist, 4500, diagnoses.DIVERGED),
    "rates x 100, momentum 0.99": (with_momentum, mnist, 4500, diagnoses.DIVERGED),
    "WGAN without clipping": (unclipped, mnist, 3000, diagnoses.DIVERGED),
    "all images zero": (gan, zeros, 300, diagnoses.BAD_DATA),
    "one image, with noise": (gan, one_mode, 300, diagnoses.BAD_DATA),
    "minimax, D's rate x 50, 2 steps": (
        lambda: gan(minimax=True, discriminator_steps=2, **adam(2e-4, 1e-2)),
        mnist,
        4500,
        diagnoses.SATURATED_DISCRIMINATOR,
    ),
    "a sigmoid at D's end": (squashed, mnist, 3000, diagnoses.DEAD_DISCRIMINATOR),
    "G's learning rate 0": (lambda: gan(**adam(0.0, 2e-4)), mnist, 1600, diagnoses.FROZEN_GENERATOR),
    "G's last weights x 1000": (pinned, mnist, 3000, diagnoses.SATURATED_GENERATOR),
    "G's learning rate x 25": (lambda: gan(**adam(5e-3, 2e-4)), mnist, 5000, diagnoses.MODE_COLLAPSE),
    "CGAN with shuffled labels": (conditional, shuffled_labels, 300, diagnoses.LABELS_IGNORED),
}
HEALTHY = {
    "GAN": (gan, mnist, 3000),
    "GAN, ring": (lambda: ganzoo.GAN.from_paper((2,), hidden=(128, 128)), ring, 4000),
    "DCGAN": (lambda: ganzoo.DCGAN.from_paper(SHAPE, **CONVOLUTIONAL), mnist, 2000),
    "LSGAN": (lambda: ganzoo.LSGAN.from_paper(SHAPE, **CONVOLUTIONAL), mnist, 2000),
    "WGAN": (lambda: ganzoo.WGAN.from_paper(SHAPE, **DENSE), mnist, 2500),
    "WGAN-GP": (lambda: ganzoo.WGANGP.from_paper(SHAPE, **DENSE), mnist, 2500),
    "SNGAN": (lambda: ganzoo.SNGAN.from_paper(SHAPE, networks=dcgan, **CONVOLUTIONAL), mnist, 2000),
    "DRAGAN": (lambda: ganzoo.DRAGAN.from_paper(SHAPE, **CONVOLUTIONAL), mnist, 2000),
    "R3GAN": (lambda: ganzoo.R3GAN.from_paper(SHAPE, **DENSE), mnist, 3000),
    "R3GAN, ring": (lambda: ganzoo.R3GAN.from_paper((2,), hidden=(128, 128)), ring, 4000),
    "VAE": (lambda: ganzoo.VAE.from_paper(SHAPE), mnist, 3000),
    "CGAN": (conditional, mnist, 2500),
}


class Distances(keras.callbacks.Callback):
    """The distance of the samples from the data when the guard first fired, and at the end."""

    def __init__(self, guard):
        super().__init__()
        self.guard = guard
        self.fired = self.last = None

    def on_train_batch_begin(self, batch, logs=None):
        looks = [look for look in self.guard.looks if "distance" in look]
        self.last = looks[-1]["distance"] if looks else self.last
        if self.fired is None and self.guard.diagnoses:
            self.fired = self.last

    def on_train_end(self, logs=None):
        self.on_train_batch_begin(0)


def run(name):
    """Trains a model. Returns its row."""
    keras.utils.set_random_seed(0)
    make, data, steps, *expected = {**FAILURES, **HEALTHY}[name]
    started, processor = time.perf_counter(), time.process_time()
    model = make()
    guard = ganzoo.callbacks.CollapseGuard(action="rollback")
    distances = Distances(guard)
    model.fit(data(), steps_per_epoch=steps, verbose=0, callbacks=[distances, guard])
    first = guard.diagnoses[0] if guard.diagnoses else None
    if first:
        print(f"{name}: " + "\n".join(map(str, guard.diagnoses)), flush=True)
    return {
        "run": name,
        "expected": expected[0].name if expected else None,
        "found": first and first.name,
        "at_step": first and first.step,
        "evidence": first and first.evidence,
        "all_found": [(diagnosis.name, diagnosis.step) for diagnosis in guard.diagnoses],
        "rollbacks": guard.rollbacks,
        "distances": [distances.fired, distances.last],
        "steps": [model.steps_done, steps],
        "finite": weights_are_finite(model),
        "share_of_time": guard.seconds / (time.perf_counter() - started),
        "cpu_seconds": round(time.process_time() - processor, 1),
    }


def table(rows):
    """Markdown."""
    rows = {row["run"]: row for row in rows}
    lines = [
        "| Made to fail by | Found | at step | Right | Rollbacks | Distance then, at the last look | Saved |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in (rows[name] for name in FAILURES if name in rows):
        then, end = row["distances"]
        complete = row["finite"] and row["steps"][0] == row["steps"][1]
        if FAILURES[row["run"]][3].slow_down is None:
            saved = "not tried"
        else:
            saved = "yes" if row["rollbacks"] and complete and end < SAVED else "no"
        right = "yes" if row["found"] == row["expected"] else f"no: {row['expected']}"
        lines.append(
            f"| {row['run']} | {row['found'] or 'nothing'} | {number(row['at_step'])} | {right} | {row['rollbacks']} | "
            f"{number(then)}, {number(end)} | {saved} |"
        )
    lines += ["", "| Healthy | Steps | Found | Distance at the end | Time of the guard |", "|---|---|---|---|---|"]
    for row in (rows[name] for name in HEALTHY if name in rows):
        lines.append(
            f"| {row['run']} | {row['steps'][0]:,} | {row['found'] or 'nothing'} | {number(row['distances'][1])} | "
            f"{row['share_of_time']:.1%} |"
        )
    return "\n".join(lines)


def number(value):
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", nargs="*", choices=[*FAILURES, *HEALTHY], help="Default: all.")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "guard.jsonl")
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    done = {row["run"] for row in records.read(options.output)}
    for name in options.runs or [*FAILURES, *HEALTHY]:
        if name not in done:
            records.append(options.output, run(name))
            keras.backend.clear_session()
    print(table(records.read(options.output)))


if __name__ == "__main__":
    main()
