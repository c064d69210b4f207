"""Files of version 0.1 load: made by it after one step, with the samples of seed 5 that it drew from them."""

import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

import ganzoo
from tests.check_model import optimizers, train

FOLDER = Path(__file__).parent / "version_0_1"
FILES = sorted(FOLDER.glob("*.keras"))


def test_there_are_files():
    assert len(FILES) == 5


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_old_file_loads_and_trains_on(path):
    model = keras.saving.load_model(path)  # A warning would be an error: nothing in the file is skipped.
    assert isinstance(model, getattr(ganzoo, path.stem))
    assert model.steps_done == 1
    assert {int(optimizer.iterations) for optimizer in optimizers(model)} <= {1, 5}
    np.testing.assert_allclose(model.generate(3, seed=5), np.load(path.with_suffix(".npy")), rtol=1e-4, atol=1e-5)
    model.run_eagerly = True
    train(model, steps=1)
    assert model.steps_done == 2


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_today_has_the_same_places(path, tmp_path):
    keras.saving.load_model(path).save(tmp_path / "new.keras")
    assert places(tmp_path / "new.keras") == places(path)


def places(path):
    """The names of all arrays in a file. Keras walks through properties as well, and would file networks under them."""
    found = set()
    with zipfile.ZipFile(path).open("model.weights.h5") as file, h5py.File(file) as weights:
        weights.visititems(lambda name, item: found.add(name) if isinstance(item, h5py.Dataset) else None)
    return found
