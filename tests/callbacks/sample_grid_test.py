import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganzoo.callbacks.sample_grid import SampleGrid
from tests.callbacks.fake_model import FakeModel, steps


def fit(model, callback, epochs, initial_epoch=0):
    model.fit(
        steps(1.0),
        epochs=epochs,
        initial_epoch=initial_epoch,
        callbacks=[callback],
        verbose=0,
        shuffle=False,
    )


def pixel(path):
    with Image.open(path) as image:
        return image.getpixel((5, 5))


def test_writes_a_grid_per_epoch_and_a_gif(tmp_path):
    model = FakeModel()
    fit(model, SampleGrid(tmp_path / "samples", num_samples=9, seed=7), epochs=3)
    names = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert names == [f"epoch_000{i}.png" for i in range(4)] + ["training.gif"]
    assert [pixel(tmp_path / "samples" / name) for name in names[:4]] == [128, 140, 153, 166]
    assert model.seed_seen == 7 and model.condition_seen is None
    with Image.open(tmp_path / "samples" / "epoch_0000.png") as picture:
        assert picture.size == (3 * 66 + 2, 3 * 66 + 2)  # 8 x 8 becomes 64 x 64
    with Image.open(tmp_path / "samples" / "training.gif") as gif:
        assert gif.n_frames == 4 and gif.info["duration"] == 1000
        gif.seek(1)
        assert gif.info["duration"] == 200
        gif.seek(3)
        assert gif.info["duration"] == 2000 and gif.convert("L").getpixel((5, 5)) == 166


def test_a_resumed_run_has_the_whole_film_and_a_fresh_one_only_its_own(tmp_path):
    model = FakeModel()
    fit(model, SampleGrid(tmp_path, num_samples=1), epochs=2)
    fit(model, SampleGrid(tmp_path, num_samples=4), epochs=4, initial_epoch=2)
    with Image.open(tmp_path / "training.gif") as gif:
        assert gif.n_frames == 5 and gif.size == (134, 134)
    fit(FakeModel(), SampleGrid(tmp_path, every=2), epochs=2)
    assert sorted(p.name for p in tmp_path.glob("*.png")) == ["epoch_0000.png", "epoch_0002.png"]


def test_a_long_film_is_thinned(tmp_path):
    for epoch in range(250):
        Image.fromarray(np.full((8, 8), epoch, "uint8")).save(tmp_path / f"epoch_{epoch:04d}.png")
    callback = SampleGrid(tmp_path)
    callback.set_model(FakeModel())
    callback.on_train_end()
    with Image.open(tmp_path / "training.gif") as gif:
        assert gif.n_frames == 100 and gif.convert("L").getpixel((1, 1)) == 0
        gif.seek(99)
        assert gif.convert("L").getpixel((1, 1)) == 249


def test_only_its_own_pictures_are_removed(tmp_path):
    names = ("epoch_best.png", "epoch_1.png", "epoch_00001.png", "epoch_0001_copy.png", "my_epoch_0001.png")
    for name in names:
        (tmp_path / name).write_text(name)
    (tmp_path / "epoch_0009.png").mkdir()
    for name in ("epoch_0007.png", "epoch_12345.png"):
        Image.new("L", (8, 8)).save(tmp_path / name)
    fit(FakeModel(), SampleGrid(tmp_path), epochs=1)
    assert [(tmp_path / name).read_text() for name in names] == list(names)
    own = {"epoch_0000.png", "epoch_0001.png", "training.gif"}
    assert {path.name for path in tmp_path.iterdir()} == own | set(names) | {"epoch_0009.png"}


def test_the_film_follows_the_numbers_of_the_epochs(tmp_path):
    for epoch in (2, 9999, 10000):
        Image.fromarray(np.full((8, 8), epoch % 255, "uint8")).save(tmp_path / f"epoch_{epoch:04d}.png")
    callback = SampleGrid(tmp_path)
    callback.set_model(FakeModel())
    callback.on_train_end()
    with Image.open(tmp_path / "training.gif") as gif:
        shades = []
        for frame in range(gif.n_frames):
            gif.seek(frame)
            shades.append(gif.convert("L").getpixel((1, 1)))
    assert shades == [2, 9999 % 255, 10000 % 255]


@pytest.mark.parametrize("content", [b"", b"no picture", None], ids=["empty", "other", "torn"])
def test_a_broken_picture_is_left_out_of_the_film(tmp_path, content):
    fit(FakeModel(), SampleGrid(tmp_path, num_samples=1, gif=False), epochs=2)
    path = tmp_path / "epoch_0001.png"
    path.write_bytes(path.read_bytes()[:60] if content is None else content)
    with pytest.warns(UserWarning, match="epoch_0001.png cannot be read"):
        fit(FakeModel(), SampleGrid(tmp_path, num_samples=1), epochs=3, initial_epoch=2)
    with Image.open(tmp_path / "training.gif") as gif:
        assert gif.n_frames == 3


def test_a_folder_that_is_gone_costs_pictures_only(tmp_path):
    directory = tmp_path / "samples"
    model, callback = FakeModel(), SampleGrid(directory, num_samples=1)
    fit(model, callback, epochs=1)
    shutil.rmtree(directory)
    directory.write_text("a file in its place")
    with pytest.warns(UserWarning, match="The training goes on without it") as caught:
        fit(model, callback, epochs=3, initial_epoch=1)
    told = [warning for warning in caught if "A picture could not be written" in str(warning.message)]
    assert model.steps_done == 3 and len(told) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["samples"]


def test_each_class_is_a_column(tmp_path):
    model = FakeModel(num_classes=3)
    fit(model, SampleGrid(tmp_path, num_samples=8, gif=False), epochs=1)
    assert model.condition_seen.tolist() == [0, 1, 2, 0, 1, 2]
    with Image.open(tmp_path / "epoch_0001.png") as picture:
        assert picture.size == (3 * 66 + 2, 2 * 66 + 2)
    assert not (tmp_path / "training.gif").exists()


def test_a_given_condition_is_used(tmp_path):
    model = FakeModel(num_classes=3)
    fit(model, SampleGrid(tmp_path, condition=np.array([2, 2])), epochs=1)
    assert model.condition_seen.tolist() == [2, 2]


def test_points_become_a_scatter_plot(tmp_path):
    fit(FakeModel(sample_shape=(2,)), SampleGrid(tmp_path, real=np.ones((5, 2))), epochs=1)
    with Image.open(tmp_path / "epoch_0001.png") as picture:
        assert picture.size == (500, 500)


def test_only_the_chief_writes(tmp_path):
    model = FakeModel()
    model.is_chief = False
    fit(model, SampleGrid(tmp_path / "samples"), epochs=1)
    assert not (tmp_path / "samples").exists()


def test_writes_tensorboard_images(tmp_path):
    pytest.importorskip("tensorboard")
    callback = SampleGrid(tmp_path, num_samples=1, tensorboard_dir=tmp_path / "logs")
    fit(FakeModel(), callback, epochs=1)
    steps_written = []
    for path in sorted((tmp_path / "logs").iterdir()):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                width, height, png = value.tensor.string_val
                assert (value.tag, width, height) == ("samples", b"68", b"68")
                assert tf.io.decode_png(png).shape == (68, 68, 1)
                steps_written.append(event.step)
    assert steps_written == [0, 1]
