"""One of the processes of a training on several machines."""

import json
import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import ganzoo
from ganzoo import callbacks
from tests.workers.train import Progress, digest

IMAGES = np.random.default_rng(0).uniform(-1, 1, (48, 8, 8, 1)).astype("float32")
LABELS = np.arange(48) % 3
EPOCHS, STEPS_PER_EPOCH = 2, 4


def build(kind):
    """A model that draws all random numbers there are; SGD shows every difference of a gradient."""
    keras.utils.set_random_seed(0)
    optimizers = {
        "generator_optimizer": keras.optimizers.SGD(0.05),
        "discriminator_optimizer": keras.optimizers.SGD(0.05),
    }
    if kind == "wgan_gp":
        return ganzoo.WGANGP.from_paper(
            IMAGES.shape[1:],
            networks=ganzoo.networks.mlp,
            hidden=(8,),
            latent_dim=4,
            discriminator_steps=5,
            ema_decay=0.9,
            seed=0,
            **optimizers,
        )
    return ganzoo.DCGAN.from_paper(IMAGES.shape[1:], filters=4, latent_dim=4, seed=0, **optimizers)


def train(model, folder, steps):
    """Trains and, where there is an average as in most long runs, with all that can happen beside; returns the logs."""
    data = ganzoo.data.from_arrays(IMAGES, LABELS, batch_size=8, seed=1)
    settings = {"epochs": EPOCHS, "steps_per_epoch": STEPS_PER_EPOCH, "verbose": 2}
    checkpoint = callbacks.Checkpoint(folder / "checkpoints", every_steps=2)
    if model.ema_generator is None:
        return {"fit": model.fit(data, callbacks=[checkpoint], **settings).history}
    history = model.fit(
        data,
        validation_data=(IMAGES[:16], LABELS[:16]),
        callbacks=[
            Progress(steps, pause=0.05),
            callbacks.Throughput(),
            callbacks.CollapseGuard(every=3, num_samples=8),
            callbacks.CriticBurnIn(steps=7, first=1, every=3),
            callbacks.SampleGrid(folder / "samples", num_samples=4),
            callbacks.LearningCurve(folder / "learning_curve.png"),
            checkpoint,
        ],
        **settings,
    )
    evaluation = model.evaluate(IMAGES[:16], LABELS[:16], batch_size=8, return_dict=True, verbose=0)
    return {"fit": history.history, "evaluate": evaluation}


def check_scope(model, strategy):
    """Inside of the scope, the chief's first checkpoint would wait for workers that write none."""
    try:
        with strategy.scope():
            model.fit(IMAGES, batch_size=8)
    except RuntimeError as error:
        assert "outside of `strategy.scope()`" in str(error)
    else:
        raise AssertionError("fit ran within the scope")


def work(index, ports, folder, kinds, steps):
    """Worker `index` of as many as there are ports; without ports a training in one process."""
    if ports:
        workers = [f"127.0.0.1:{port}" for port in ports]
        task = {"type": "worker", "index": index}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": task})
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        assert strategy.num_replicas_in_sync == len(ports)
    else:
        strategy = tf.distribute.get_strategy()
    for kind in kinds:
        own = Path(folder) / kind
        with strategy.scope():
            model = build(kind)
        if ports:
            check_scope(model, strategy)
        logged = train(model, own, steps)
        assert model.is_chief == (index == 0)
        result = own / f"worker_{index}"
        result.mkdir(parents=True)
        np.savez(result / "weights.npz", **{str(i): value for i, value in enumerate(model.get_weights())})
        (result / "logged.json").write_text(json.dumps(logged))
        (result / "digest.txt").write_text(digest(model))
        np.save(result / "samples.npy", model.generate(3, seed=1))
        if model.is_chief:
            model.save(own / "model.keras")
            model.export(own / "serving" / "1")
