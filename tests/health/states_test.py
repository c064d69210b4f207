"""Checkpoints to go back to, and whether going back works."""

import types

import keras
import pytest
import tensorflow as tf

from ganzoo.callbacks import Checkpoint
from ganzoo.health.states import check_can_go_back, files_up_to
from tests.health.trainings import build


def test_the_checkpoints_of_the_first_callback_that_has_some(tmp_path):
    model = build()
    stores = [Checkpoint(tmp_path / name) for name in ("empty", "used")]
    model.checkpoints = tuple(stores)
    assert files_up_to(model) is None
    for step in (3, 6):
        model.step.assign(step)
        stores[1].store.write(model)
    model.step.assign(9)
    assert files_up_to(model, 2) is None
    files_up_to(model, 5).restore(model)
    assert model.steps_done == 3
    files_up_to(model).restore(model)
    assert model.steps_done == 6


def test_schedules_and_workers_cannot_go_back():
    check_can_go_back(build())
    with pytest.raises(ValueError, match="Received: the schedule CosineDecay"):
        check_can_go_back(build(discriminator_rate=keras.optimizers.schedules.CosineDecay(0.1, 10)))
    strategy = object.__new__(tf.distribute.MultiWorkerMirroredStrategy)
    with pytest.raises(ValueError, match="works in one process"):
        check_can_go_back(types.SimpleNamespace(distribute_strategy=strategy, optimizers={}))
