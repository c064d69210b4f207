"""Settings that change over a training: learning rates, weights of penalties, the averages of weights.

A schedule is a function of the number of updates, so a training that resumes goes on where it was.
"""

import math
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


@keras.saving.register_keras_serializable("ganzoo")
class Cosine(keras.optimizers.schedules.LearningRateSchedule):
    """A value that goes from one number to another along half a period of the cosine, and stays there.

        v(t) = final + (initial - final) (1 + cos(pi t / T)) / 2,   t <= T

    Reference: [Loshchilov & Hutter, 2016](https://arxiv.org/abs/1608.03983), Equation 5, without restarts.

    Args:
        initial: Float, the value before the first step.
        final: Float, the value after the last one.
        total_steps: Integer T, the steps of the whole training. A paper that counts images: images / batch size.

    Example:

    >>> optimizer = keras.optimizers.Adam(Cosine(2e-4, 5e-5, total_steps=10_000), beta_1=0.0)
    >>> gan = ganzoo.R3GAN.from_paper((32, 32, 3), r1_weight=Cosine(0.05, 0.005, total_steps=10_000))
    """

    def __init__(self, initial, final, total_steps):
        self.initial = checks.number("initial", initial)
        self.final = checks.number("final", final)
        self.total_steps = checks.integer("total_steps", total_steps, least=1)

    def __call__(self, step):
        progress = ops.minimum(ops.cast(step, "float32") / self.total_steps, 1.0)
        return self.final + (self.initial - self.final) * 0.5 * (1.0 + ops.cos(math.pi * progress))

    def get_config(self):
        return {"initial": self.initial, "final": self.final, "total_steps": self.total_steps}


@keras.saving.register_keras_serializable("ganzoo")
class HalfLife(keras.optimizers.schedules.LearningRateSchedule):
    """The decay of an average whose half-life changes: beta(t) = 0.5^(1 / h(t)), h in steps; 0 where h is 0.

    Args:
        half_life: Schedule, the half-life in steps.

    Example:

    >>> gan = ganzoo.R3GAN.from_paper((32, 32, 3), ema_decay=HalfLife(Cosine(0, 2_500, total_steps=10_000)))
    """

    def __init__(self, half_life):
        self.half_life = schedule("half_life", half_life)

    def __call__(self, step):
        return ops.power(0.5, 1.0 / ops.maximum(self.half_life(step), 1e-3))

    def get_config(self):
        return {"half_life": keras.saving.serialize_keras_object(self.half_life)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["half_life"]))


def decay_of(half_life, batch_size):
    """The decay of an average that halves the weight of what it saw `half_life` images ago: 0.5^(batch / half-life).

    Args:
        half_life: Float, images.
        batch_size: Integer, images in a step.
    """
    half_life = checks.number("half_life", half_life, above=0)
    return 0.5 ** (checks.integer("batch_size", batch_size, least=1) / half_life)


def is_schedule(value):
    """Whether a setting is a schedule, and not a number."""
    return isinstance(value, keras.optimizers.schedules.LearningRateSchedule)


def schedule(name, value):
    """Returns a schedule, or raises a `ValueError`."""
    if not is_schedule(value):
        raise checks.refusal(name, value, "a schedule, such as ganzoo.training.schedules.Cosine(0.0, 1.0, 10_000)")
    return value


def or_schedule(check):
    """The check of a setting that is either what `check` takes or a schedule."""
    return lambda name, value: value if is_schedule(value) else check(name, value)


def value_at(setting, step):
    """The value of a setting at a step: that of its schedule, or the number itself.

    Args:
        setting: Number or schedule.
        step: Integer scalar tensor, the updates so far.
    """
    return setting(step) if is_schedule(setting) else setting


@keras.saving.register_keras_serializable("ganzoo")
class ScheduledAdam(keras.optimizers.Adam):
    """Adam whose beta_2 is a schedule of its updates.

    The bias of the second moment is corrected by the beta_2 of the moment, as if it had been so from the start.

    Args:
        learning_rate: Float or schedule. Defaults to `0.001`.
        beta_2: Schedule or float. Defaults to `0.999`.
        Others: As in `keras.optimizers.Adam`.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, **kwargs):
        beta_2 = keras.saving.deserialize_keras_object(beta_2) if isinstance(beta_2, dict) else beta_2
        super().__init__(learning_rate, beta_1=beta_1, beta_2=beta_2, **kwargs)

    @property
    def beta_2(self):
        return value_at(self._beta_2, self.iterations)

    @beta_2.setter
    def beta_2(self, value):
        self._beta_2 = value

    def get_config(self):
        own = self._beta_2
        return {**super().get_config(), "beta_2": keras.saving.serialize_keras_object(own) if is_schedule(own) else own}
