"""ganzoo's side: a model with the settings of its paper, or a recipe, trained by `fit` as a user would."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
from absl import flags

import ganzoo
from ganzoo import images, recipes
from ganzoo.__main__ import parse
from ganzoo.command_line import train
from ganzoo.command_line.commands import COMMANDS
from peers.keras_io import AfterUpdate

BATCH_SIZE = 64


def make(name, data, seed):
    """Builds `Own` for the name of a class, or for `recipe NAME FLAG ...`, where flags change the recipe."""
    keras.utils.set_random_seed(seed)
    if not name.startswith("recipe "):
        dataset = ganzoo.data.from_arrays(data, batch_size=BATCH_SIZE, seed=seed)
        return Own(getattr(ganzoo, name).from_paper(data.shape[1:], seed=seed), dataset)
    _, recipe, *changes = name.split()
    options = options_of(recipe, [*changes, f"--seed={seed}"])
    dataset = ganzoo.data.from_arrays(data, batch_size=options.batch_size, seed=seed)
    with train.precision(options.mixed_precision):
        return Own(train.build(options, [data.shape[1:]], dataset), dataset)


def options_of(recipe, changes):
    """The options of `ganzoo train` for a recipe."""
    arguments = [*recipes.arguments_of(recipes.read(recipe)), *changes]
    values = flags.FlagValues()
    COMMANDS["train"].define(values)
    COMMANDS["train"].define_settings(values, arguments)
    return parse("train", values, arguments)


class Own:
    """A compiled model of ganzoo and its data."""

    def __init__(self, model, dataset):
        self.model, self.dataset = model, dataset

    @property
    def parameters(self):
        networks = {"generator": self.model.generator, "discriminator": self.model.discriminator}
        return {name: network.count_params() for name, network in networks.items()}

    def train(self, go_on):
        self.model.fit(self.dataset, epochs=10**6, callbacks=[AfterUpdate(go_on)], verbose=0)

    def sample(self, count):
        return images.to_uint8(self.model.generate(count, seed=0)).numpy()
