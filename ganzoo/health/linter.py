"""Warns before the first step of known problems: bad combinations of networks, optimizers and data, by name.

Set-ups that nobody could want raise an error (`checks`, `training.feed`). The checks here find set-ups that run but
train badly.
"""

import warnings

from ganzoo.health import data_checks, model_checks
from ganzoo.training import feed


def check(model, dataset=None, batch=None):
    """Looks for bad combinations of a model, its optimizers and a dataset. Changes nothing.

    It looks at up to 1,000 samples of the first batches, and at all labels of a dataset of `ganzoo.data`. It does not
    read a dataset if reading leaves a trace in it, for example if it shuffles by a random state or comes from a Python
    generator. Then it looks only at `batch`.

    Args:
        model: `GenerativeModel`, compiled.
        dataset: `tf.data.Dataset` of batches, as for `fit`. Defaults to `None`, which checks only the model.
        batch: A batch of the dataset that was already read. Defaults to `None`.

    Returns:
        List of `Finding`, empty if all is well.

    Raises:
        ValueError: If the data do not fit the model, as in `fit`.
    """
    findings = [finding for look in model_checks.CHECKS for finding in look(model)]
    if dataset is None:
        return findings
    feed.check_dataset(model, dataset)
    data = data_checks.read(model, dataset, batch)
    batch_size = feed.first_part(dataset.element_spec).shape[0] if data is None else data.batch_size
    if batch_size is not None:
        findings += data_checks.check_small_batch(model, batch_size)
    if data is None:
        return findings
    broken = list(data_checks.check_finite(model, data))  # The other checks cannot compute with NaN.
    return findings + (broken or [finding for look in data_checks.CHECKS for finding in look(model, data)])


def warn(model, dataset=None, batch=None, stacklevel=3):
    """Shows the findings of `check` as a single `UserWarning`.

    Args:
        model, dataset, batch: See `check`.
        stacklevel: Integer, whose line the warning names. 1 is the caller. Defaults to `3`, the line that calls `fit`.
    """
    findings = check(model, dataset, batch)
    if findings and model.is_chief:
        lines = "\n".join(f"- {finding}" for finding in findings)
        warnings.warn(
            f"{type(model).__name__} is about to be trained in a way that is known to go wrong. If it is meant, pass "
            f"fit(..., check=False).\n{lines}",
            UserWarning,
            stacklevel=stacklevel,
        )
