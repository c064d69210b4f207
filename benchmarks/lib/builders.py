"""Models for `ganzoo.compare`: functions of a seed, and the callbacks that a model's authors train it with."""

from pathlib import Path

import ganzoo

# The folder of raw records.
RESULTS = Path(__file__).parent.parent / "results"


def builder(cls, image_shape, **settings):
    """A function of a seed that returns the compiled model of a class of ganzoo."""
    return lambda seed: getattr(ganzoo, cls).from_paper(image_shape, seed=seed, **settings)


def callbacks(model):
    """What the authors' code of WGAN does, and its Algorithm 1 does not say."""
    return [ganzoo.callbacks.CriticBurnIn()] if isinstance(model, ganzoo.WGAN) else []
