"""Small trainings with much state, for `kills.py`: what a process does that is killed."""

import hashlib
import os
import resource
import signal
import sys
import time
from pathlib import Path

import keras
import numpy as np

import ganzoo

STEPS_PER_EPOCH, EPOCHS, BATCH_SIZE = 6, 5, 4
STEPS = STEPS_PER_EPOCH * EPOCHS
PRETRAINED_STEPS = 7


def images(seed, count):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 16, 16, 1)).astype("float32")


def build_model(kind, folder):
    """The model of a kind, always with the same weights; see `kills.py`."""
    keras.utils.set_random_seed(1)
    if kind == "fine-tuned":
        return keras.models.load_model(folder / "pretrained.keras")
    if kind == "preset":
        return ganzoo.from_preset(folder / "preset", freeze_discriminator=1)
    shared = {"seed": 3, "ema_decay": 0.9, "run_eagerly": True}
    if kind == "WGANGP":
        return ganzoo.WGANGP.from_paper((16, 16, 1), filters=2, latent_dim=4, discriminator_steps=2, **shared)
    if kind == "BEGAN":
        return ganzoo.BEGAN.from_paper((16, 16, 1), filters=4, embedding_dim=4, latent_dim=4, **shared)
    shared.pop("ema_decay")
    return ganzoo.CycleGAN.from_paper((16, 16, 1), filters=2, blocks=1, receptive_field=16, pool_size=6, **shared)


def build_data(kind, model):
    count = STEPS_PER_EPOCH * BATCH_SIZE * model.batches_per_step + 3
    if kind == "CycleGAN":
        return ganzoo.data.unpaired(images(4, count), images(5, count - 2), batch_size=BATCH_SIZE, seed=6)
    return ganzoo.data.from_arrays(images(4, count), batch_size=BATCH_SIZE, seed=6)


def pretrain(folder):
    """Writes the file of the kind "fine-tuned", and the preset: a WGAN-GP that stopped in the middle of an epoch."""
    model = build_model("WGANGP", folder)
    data = build_data("WGANGP", model)
    model.fit(data, epochs=1, steps_per_epoch=PRETRAINED_STEPS, verbose=0, check=False)
    model.save(folder / "pretrained.keras")
    model.save_to_preset(folder / "preset")


def digest(model):
    """sha256 of weights, averages, optimizers, random states and step."""
    sha = hashlib.sha256()
    optimizers = [variable for optimizer, _ in model.optimizers.values() for variable in optimizer.variables]
    for variable in (*model.weights, *optimizers):
        value = np.asarray(variable)
        sha.update(f"{value.dtype} {value.shape}".encode() + value.tobytes())
    return sha.hexdigest()


class Progress(keras.callbacks.Callback):
    """Tells the parent the steps of this life, and fills the disk for a while."""

    def __init__(self, steps, full_at):
        super().__init__()
        self.steps, self.full_at, self.done = steps, full_at, 0

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        self.steps.value = self.done
        if self.full_at is not None:
            is_full = self.full_at <= self.done < self.full_at + 3
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (5000 if is_full else hard, hard))
        time.sleep(0.005)


def train(kind, folder, log, result, directory, every_steps, steps, full_at):
    """Trains to the end, from the newest checkpoint in `directory` on, and writes the digest to `result`."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # A write beyond the limit is an error then, and no signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    model = build_model(kind, folder)
    callbacks = []
    if directory is not None:
        callbacks = [Progress(steps, full_at), ganzoo.callbacks.Checkpoint(directory, every_steps=every_steps)]
    try:
        model.fit(build_data(kind, model), epochs=EPOCHS, verbose=2, callbacks=callbacks, check=False)
    except KeyboardInterrupt:
        sys.exit(130)  # As Python does at the end of a script. multiprocessing would make 1 of it.
    Path(result).write_text(digest(model))
