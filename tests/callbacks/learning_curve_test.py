import csv

import numpy as np
import pytest
from PIL import Image

from ganzoo.callbacks.learning_curve import LearningCurve
from tests.callbacks.fake_model import FakeModel, steps


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def fit(model, path, values, epochs=1, initial_epoch=0, **kwargs):
    model.fit(
        steps(*values),
        epochs=epochs,
        initial_epoch=initial_epoch,
        callbacks=[LearningCurve(path)],
        verbose=0,
        shuffle=False,
        **kwargs,
    )


def test_writes_the_table_the_steps_and_the_picture(tmp_path):
    fit(FakeModel(), tmp_path / "curve.png", [1.0, 5.0, 3.0], epochs=2)
    rows = read(tmp_path / "curve.csv")
    assert [(row["epoch"], row["step"]) for row in rows] == [("1", "3"), ("2", "6")]
    assert [float(row["wasserstein"]) for row in rows] == pytest.approx([3.0, 3.0])
    assert [float(row["d_loss"]) for row in rows] == pytest.approx([6.0, 6.0])
    recorded = read(tmp_path / "curve_wasserstein.csv")
    assert [int(row["step"]) for row in recorded] == [1, 2, 3, 4, 5, 6]
    values = [float(row["wasserstein"]) for row in recorded]
    assert values == pytest.approx([1.0, 5.0, 3.0] * 2, abs=1e-5)
    with Image.open(tmp_path / "curve.png") as picture:
        assert picture.size == (1200, 380)
        assert len(picture.convert("RGB").getcolors(2**24)) > 10


def test_steps_of_a_long_epoch_are_recovered_from_running_means(tmp_path):
    values = np.random.default_rng(0).normal(3.0, 1.0, 2000).astype("float32")
    fit(FakeModel(), tmp_path / "curve.png", values)
    recorded = [float(row["wasserstein"]) for row in read(tmp_path / "curve_wasserstein.csv")]
    np.testing.assert_allclose(recorded, values, atol=2e-3)


def test_steps_per_execution_gives_the_mean_of_each_execution(tmp_path):
    model = FakeModel()
    model.compile(optimizer=None, loss=None, steps_per_execution=2)
    fit(model, tmp_path / "curve.png", [1.0, 3.0, 10.0, 20.0])
    recorded = read(tmp_path / "curve_wasserstein.csv")
    assert [int(row["step"]) for row in recorded] == [2, 4]
    assert [float(row["wasserstein"]) for row in recorded] == pytest.approx([2.0, 15.0], abs=1e-5)


def test_a_resumed_run_continues_and_a_fresh_one_starts_anew(tmp_path):
    path = tmp_path / "curve.png"
    model = FakeModel()
    fit(model, path, [1.0, 2.0], epochs=3)
    model.step.assign(2)  # back to the checkpoint of the first epoch
    fit(model, path, [8.0, 9.0], epochs=2, initial_epoch=1)
    assert [row["epoch"] for row in read(tmp_path / "curve.csv")] == ["1", "2"]
    recorded = read(tmp_path / "curve_wasserstein.csv")
    assert [row["step"] for row in recorded] == ["1", "2", "3", "4"]
    values = [float(row["wasserstein"]) for row in recorded]
    assert values == pytest.approx([1.0, 2.0, 8.0, 9.0], abs=1e-5)
    fit(FakeModel(), path, [4.0])
    assert len(read(tmp_path / "curve.csv")) == len(read(tmp_path / "curve_wasserstein.csv")) == 1


def test_validation_that_comes_late_gets_a_column(tmp_path):
    kwargs = {"validation_data": steps(7.0), "validation_freq": 2}
    fit(FakeModel(), tmp_path / "curve.png", [1.0], epochs=2, **kwargs)
    assert [row["val_wasserstein"] for row in read(tmp_path / "curve.csv")] == ["", "7.0"]


def test_values_that_are_not_finite_are_drawn_around(tmp_path):
    fit(FakeModel(), tmp_path / "curve.png", [1.0, np.inf, np.nan, 2.0], epochs=2)
    assert (tmp_path / "curve.png").exists()


def test_only_the_chief_writes(tmp_path):
    model = FakeModel()
    model.is_chief = False
    fit(model, tmp_path / "curve.png", [1.0])
    assert list(tmp_path.iterdir()) == []
