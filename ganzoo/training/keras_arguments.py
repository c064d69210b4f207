"""Keras arguments that generative models do not take, with the reason and what to do instead."""

import difflib
import inspect

from ganzoo import checks

_WEIGHTS = "there is no loss of a label that they could weigh. Repeat what should count more in the data."
_LOSSES = "the losses are the paper's, and stand in `discriminator_loss` and `generator_loss` of the model's class."
_METRICS = (
    "the model logs its own losses. ganzoo.callbacks.Evaluate measures samples with the metrics of ganzoo.metrics."
)
_WORKERS = "Keras 3 has no such argument. Datasets of ganzoo.data and tf.data read ahead by themselves."

REASONS = {
    "class_weight": _WEIGHTS,
    "sample_weight": _WEIGHTS,
    "validation_split": "hold data out yourself, as ganzoo.data.load(name, split='train[90%:]') does, and pass them as "
    "`validation_data`.",
    "validation_batch_size": "`batch_size` holds for both, or pass `validation_data` as a dataset of batches.",
    "shuffle": "the order is the dataset's: ganzoo.data.from_arrays(images, shuffle=False) keeps it.",
    "workers": _WORKERS,
    "use_multiprocessing": _WORKERS,
    "max_queue_size": _WORKERS,
    "loss": _LOSSES,
    "loss_weights": "the weights of losses are arguments of the model, such as `gradient_penalty_weight`.",
    "metrics": _METRICS,
    "weighted_metrics": _METRICS,
    "optimizer": "each network has its own: pass `generator_optimizer` and `discriminator_optimizer`.",
    "auto_scale_loss": "losses are scaled by themselves where a layer computes in float16.",
}


def refuse(function, given):
    """Raises a `TypeError` for unknown arguments of a function, with a reason or a suggestion.

    Args:
        function: The function or method.
        given: Dictionary of the unknown arguments.
    """
    for name, value in given.items():
        if value is None or (name == "shuffle" and value is True):
            continue  # The value asks for what happens anyway.
        takes = [key for key in inspect.signature(function).parameters if key not in ("self", "kwargs")]
        close = difflib.get_close_matches(name, takes, 1)
        hint = f"Did you mean `{close[0]}`? " if close else ""
        reason = REASONS.get(name, f"{hint}It takes {', '.join(takes)}.")
        raise TypeError(f"{function.__qualname__} takes no `{name}`: {reason}")


def check_validation(steps, freq):
    """Raises a `ValueError` unless `validation_steps` is a count, and `validation_freq` a count or a list of epochs."""
    checks.integer("validation_steps", steps, least=1, optional=True)
    epochs = checks.plain_items(freq)
    if epochs is None:
        checks.integer("validation_freq", freq, least=1)
    else:
        checks.integers("validation_freq", epochs)


def check_compile(run_eagerly, steps_per_execution, jit_compile):
    """Checks the arguments of `compile` that Keras defines. Returns them as plain Python values."""
    return (
        checks.boolean("run_eagerly", run_eagerly),
        checks.integer("steps_per_execution", steps_per_execution, least=1),
        checks.choice("jit_compile", jit_compile, ("auto", True, False)),
    )
