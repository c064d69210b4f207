"""Finds checkpoints that a training can go back to, and checks whether going back is possible."""

import tensorflow as tf

from ganzoo.training.learning_rates import schedules_of


class FilesUpTo:
    """The checkpoints of a directory up to a step, as a state. Restores the newest readable checkpoint.

    Args:
        store: `CheckpointFiles`.
        step: Integer, or `None` for all files.
    """

    def __init__(self, store, step):
        self.store = store
        self.step = step

    def restore(self, model):
        """Restores the checkpoint into the model."""
        self.store.restore(model, self.step)


def files_up_to(model, step=None):
    """The checkpoints of the current `fit` up to a step, as a state.

    Args:
        model: `GenerativeModel`, in `fit`.
        step: Integer, or `None` (the default) for all files.

    Returns:
        `FilesUpTo`, or `None` if there are no files.
    """
    stores = [callback.store for callback in model.checkpoints]
    return next((FilesUpTo(store, step) for store in stores if store.paths(step)), None)


def check_can_go_back(model):
    """Raises a `ValueError` if going back to a state could not lower the learning rates."""
    if isinstance(model.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
        raise ValueError(
            'CollapseGuard(action="rollback") works in one process. Received: MultiWorkerMirroredStrategy. Take '
            'action="warn".'
        )
    for schedule in schedules_of(model).values():
        raise ValueError(
            'CollapseGuard(action="rollback") lowers learning rates that are numbers. Received: the schedule '
            f'{schedule}. Take action="warn", or a number.'
        )
