"""Learning rates that change over a training."""

from functools import partial

import keras
from keras import ops

from ganzoo import checks


@keras.saving.register_keras_serializable("ganzoo")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that stays for the first part of a training and then falls linearly to zero.

    Reference: [Zhu et al., 2017](https://arxiv.org/abs/1703.10593), Section 4: 100 epochs at the rate, 100 epochs of
    decay.

    Departures from the paper: the rate falls with each step. The authors' code lowers it once an epoch.

    Args:
        initial_learning_rate: Float.
        total_steps: Integer, the updates of the whole training. At the last one the rate is nearly zero, after it zero.
        constant_part: Float in [0, 1), the part of them before the decay. Defaults to `0.5`.

    Example:

    >>> optimizer = keras.optimizers.Adam(LinearDecay(2e-4, total_steps=200 * len(dataset)), beta_1=0.5)
    """

    def __init__(self, initial_learning_rate, total_steps, constant_part=0.5):
        self.initial_learning_rate = checks.number("initial_learning_rate", initial_learning_rate, above=0)
        self.total_steps = checks.integer("total_steps", total_steps, least=1)
        self.constant_part = checks.number("constant_part", constant_part, least=0, below=1)

    def __call__(self, step):
        progress = ops.cast(step, "float32") / self.total_steps
        return self.initial_learning_rate * ops.clip((1.0 - progress) / (1.0 - self.constant_part), 0.0, 1.0)

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "total_steps": self.total_steps,
            "constant_part": self.constant_part,
        }


def with_decay(settings, default):
    """The settings of a `from_paper` with a decaying rate in the place of its argument `total_steps`.

    Args:
        settings: Dictionary, the `locals()` of `from_paper`, with `total_steps`, an integer or `None`.
        default: `functools.partial` of an optimizer and its rate, the default of the paper. It must stand for all
            optimizers if there are `total_steps`.

    Raises:
        ValueError: If the caller gave both `total_steps` and an optimizer.
    """
    settings = dict(settings)
    total_steps = settings.pop("total_steps")
    if total_steps is None:
        return settings
    names = [name for name in settings if name.endswith("_optimizer")]
    own = [name for name in names if settings[name] is not default]
    if own:
        raise ValueError(
            f"`total_steps` sets the rate of the default optimizers. Received: total_steps={total_steps} and {own[0]}. "
            f"Give that optimizer a rate of its own: ganzoo.training.schedules.LinearDecay({default.args[0]}, "
            "total_steps)."
        )
    rate = LinearDecay(default.args[0], total_steps)
    return {**settings, **{name: partial(default.func, rate, **default.keywords) for name in names}}
