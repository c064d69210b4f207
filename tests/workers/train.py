"""A training that can be killed at any moment: everything in it that has a state."""

import hashlib
import signal
import threading
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import ganzoo

STEPS_PER_EPOCH, EPOCHS, CRITIC_STEPS, BATCH_SIZE = 8, 5, 3, 8
STEPS = EPOCHS * STEPS_PER_EPOCH
GO_ON = -1


def build_model():
    """A WGAN-GP with an average, labels to pass by, Adam twice and a critic with dropout."""
    keras.utils.set_random_seed(1)
    image = keras.Input((2,), name="image")
    x = layers.LeakyReLU(0.2)(layers.Dense(8)(image))
    critic = keras.Model(image, layers.Dense(1)(layers.Dropout(0.3, seed=2)(x)), name="critic")
    generator = ganzoo.networks.mlp.generator((2,), latent_dim=4, hidden=(8,), batch_normalization=True)
    model = ganzoo.WGANGP(generator, critic, discriminator_steps=CRITIC_STEPS, ema_decay=0.9, seed=3)
    model.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    return model


def build_data(kind):
    """25 batches, of which an epoch uses 24: ganzoo's own data, or any `tf.data.Dataset` in a fixed order."""
    if kind == "indexed":
        return ganzoo.data.ring(num_samples=203, batch_size=BATCH_SIZE, seed=4)
    points = np.random.default_rng(4).standard_normal((203, 2)).astype("float32")
    return tf.data.Dataset.from_tensor_slices((points, np.arange(203))).batch(BATCH_SIZE)


def variables_of(model):
    """All that a resumed training must have again."""
    optimizers = [model.generator_optimizer, model.discriminator_optimizer]
    return [*model.weights, *(v for o in optimizers for v in o.variables), *model._seed_generator_states()]


def digest(model):
    """sha256 over everything that a resumed training must have again."""
    sha = hashlib.sha256()
    for variable in variables_of(model):
        value = np.asarray(variable)
        sha.update(f"{value.dtype} {value.shape}".encode())
        sha.update(value.tobytes())
    return sha.hexdigest()


class Progress(keras.callbacks.Callback):
    """Tells the parent the number of steps, and takes some time for each.

    In the step `long` it waits until the parent sets the number to `GO_ON`, a minute at most.
    """

    def __init__(self, steps, long=None, pause=0.01):
        super().__init__()
        self.steps = steps
        self.long = long
        self.pause = pause

    def on_train_batch_end(self, batch, logs=None):
        self.steps.value = self.model.steps_done
        end = time.monotonic() + 60
        while self.model.steps_done == self.long and self.steps.value != GO_ON and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(self.pause)


def train(kind, result, directory=None, every_steps=None, steps=None, long=None):
    """Trains to the last epoch, from the newest checkpoint in `directory` on, and writes the digest to `result`."""
    # A shell that starts the tests in the background has SIGINT ignored, and children inherit that.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
    model = build_model()
    callbacks = []
    if directory is not None:
        callbacks = [Progress(steps, long), ganzoo.callbacks.Checkpoint(directory, every_steps=every_steps)]
    model.fit(build_data(kind), epochs=EPOCHS, verbose=2, callbacks=callbacks)
    assert model.steps_done == STEPS
    Path(result).write_text(digest(model))
