"""The learning rates of a model's optimizers."""

import keras

from ganzoo.training.schedules import is_schedule
from ganzoo.training.settings import settings_of


def optimizers_of(model):
    """The optimizers of a model by name, such as `"generator_optimizer"`. The generator's comes first.

    Args:
        model: `GenerativeModel`, compiled.
    """
    return {name: optimizer for name, (optimizer, _) in model.optimizers.items()}


def base_of(optimizer):
    """The optimizer itself, without the `LossScaleOptimizer` around it in half precision."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def learning_rate_of(optimizer):
    """The current learning rate as a float, also for an optimizer on several devices."""
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def lengths_of_schedules(model):
    """The `total_steps` of the schedules of a model's learning rates and settings, as a list.

    Args:
        model: `GenerativeModel`, compiled.
    """
    rates = [base_of(optimizer).get_config().get("learning_rate") for optimizer in optimizers_of(model).values()]
    configs = [rate["config"] for rate in rates if isinstance(rate, dict)]
    configs += [
        value.get_config() for value in (getattr(model, name) for name in settings_of(model)) if is_schedule(value)
    ]
    return [config["total_steps"] for config in configs if "total_steps" in config]


def schedules_of(model):
    """The learning rates that are schedules, so that no callback can set them: optimizer's name -> schedule's name.

    Args:
        model: `GenerativeModel`, compiled.
    """
    found = {}
    for name, optimizer in optimizers_of(model).items():
        inner = base_of(optimizer)
        # Keras keeps a constant rate in a variable, which callbacks can set, and a schedule as an object.
        if not isinstance(inner.learning_rate, keras.Variable):
            schedule = inner.get_config()["learning_rate"]
            found[name] = schedule["class_name"] if isinstance(schedule, dict) else type(schedule).__name__
    return found
