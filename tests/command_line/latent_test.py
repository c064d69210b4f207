"""The commands for the latents of a trained model: what they write, and what they say where they cannot."""

import contextlib
import io

import keras
import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo import __main__ as command_line
from ganzoo import latent
from ganzoo.command_line import latent as command_line_latent


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("latent")
    keras.utils.set_random_seed(0)
    settings = {"networks": ganzoo.networks.mlp, "hidden": (4,), "latent_dim": 3}
    ganzoo.GAN.from_paper((8, 8, 1), **settings).save(folder / "model.keras")
    ganzoo.GAN.from_paper((8, 8, 1), num_classes=3, **settings).save(folder / "labelled.keras")
    ganzoo.GAN.from_paper((2,), **settings).save(folder / "points.keras")
    random = np.random.default_rng(0)
    pictures, labels = random.integers(0, 256, (40, 8, 8, 1), "uint8"), np.arange(40) % 3
    np.savez(folder / "images.npz", images=pictures, labels=labels)
    np.savez(folder / "bare.npz", images=pictures)
    (folder / "photos").mkdir()
    for index in range(2):
        Image.fromarray(random.integers(0, 256, (20, 30, 3), "uint8")).save(folder / "photos" / f"{index}.png")
    return folder


def run(*arguments):
    command_line.main([str(argument) for argument in arguments])


def fails(*arguments):
    with contextlib.redirect_stderr(io.StringIO()) as printed, pytest.raises(SystemExit) as error:
        run(*arguments)
    assert error.value.code == 2 and printed.getvalue().count("\n") == 1
    return printed.getvalue().rstrip("\n")


def picture_of(path):
    with Image.open(path) as file:
        return np.asarray(file)


def frames_of(path):
    with Image.open(path) as file:
        return file.n_frames


def test_interpolate(folder, tmp_path, capsys):
    run("interpolate", folder / "model.keras", "--picked=2,0,1", "--steps=4", f"--output={tmp_path}/a.png")
    assert capsys.readouterr().out == f"Wrote 2 ways to {tmp_path}/a.png\n"
    model = keras.saving.load_model(folder / "model.keras")
    sheet = latent.interpolate(model, latent.draw(model, 3)[[2, 0, 1]], 4)
    np.testing.assert_array_equal(picture_of(tmp_path / "a.png"), sheet.picture()[..., 0])
    run("interpolate", folder / "labelled.keras", "--label=2", "--closed", f"--output={tmp_path}/b.png")
    assert "Wrote 6 ways" in capsys.readouterr().out
    assert "numbers from 0 on" in fails("interpolate", folder / "model.keras", "--picked=1,x")
    assert "unconditional" in fails("interpolate", folder / "model.keras", "--label=2", f"--output={tmp_path}/c.png")


def test_directions_and_traverse(folder, tmp_path, capsys):
    run("directions", folder / "model.keras", "--count=2", f"--output={tmp_path}/d.png")
    assert f"2 directions, two rows each, and {tmp_path}/d.npz" in capsys.readouterr().out
    model = keras.saving.load_model(folder / "model.keras")
    found = latent.sefa(model, 2)
    with np.load(tmp_path / "d.npz") as file:
        np.testing.assert_allclose(file["vectors"], found.vectors)
    run("directions", folder / "labelled.keras", "--method=pca", "--count=1", f"--output={tmp_path}/p.png")
    settings = ["--low=-1", "--high=1", "--steps=3", "--num_samples=2", f"--output={tmp_path}/t.png"]
    run("traverse", folder / "model.keras", f"--directions={tmp_path}/d.npz", "--index=1", *settings)
    sheet = latent.traverse(model, latent.draw(model, 2), found.vectors[1], [-1, 0, 1])
    np.testing.assert_array_equal(picture_of(tmp_path / "t.png"), sheet.picture()[..., 0])
    run("traverse", folder / "model.keras", "--latent=2", *settings)
    assert "directions 0 to 1" in fails(
        "traverse", folder / "model.keras", f"--directions={tmp_path}/d.npz", "--index=2"
    )
    assert "What runs?" in fails("traverse", folder / "model.keras")
    assert "holds no directions" in fails(
        "traverse", folder / "model.keras", f"--directions={folder}/images.npz", f"--output={tmp_path}/t.png"
    )


def test_supervised_directions(folder, tmp_path, capsys):
    output = f"--output={tmp_path}/s.png"
    command = ["directions", folder / "model.keras", "--method=supervised", "--count=2", output]
    run(*command, f"--dataset={folder}/images.npz")
    printed = capsys.readouterr().out
    assert printed.startswith("Read right in images that were held out: label ")
    with np.load(tmp_path / "s.npz") as file:
        assert file["vectors"].shape == (2, 3) and set(file["names"]) < {"0", "1", "2"}
        assert file["strengths"][0] >= file["strengths"][1]
        assert f"direction 0, {file['names'][0]}: {file['strengths'][0]:.4g}" in printed
    settings = [f"--directions={tmp_path}/s.npz", "--steps=3", f"--output={tmp_path}/t.png"]
    run("traverse", folder / "model.keras", *settings)
    assert "belong together" in fails(*command)
    assert "belong together" in fails("directions", folder / "model.keras", f"--dataset={folder}/images.npz", output)
    assert "has no labels" in fails(*command, f"--dataset={folder}/bare.npz")


def test_several_labels_are_read_at_once(folder):
    """The columns of one-hot labels side by side, and of what is there or not, become labels with names."""
    rows = np.tile(np.float32([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 0]]), (10, 1))
    dataset = ganzoo.data.from_arrays(np.zeros((40, 8, 8, 1), "uint8"), rows, batch_size=4)
    dataset.attribute_names = ["hair red", "hair black", "hair grey", "hat"]
    model = keras.saving.load_model(folder / "model.keras")
    reader = command_line_latent.reader_of_data(model, dataset, np.zeros((40, 8, 8, 1), "uint8"), rows, None)
    assert reader.names == ["hair red", "hair black", "hair grey", "hat no", "hat yes"]
    assert set(reader.accuracy) == {"hair", "hat"}


def test_truncate_and_video(folder, tmp_path, capsys):
    run("truncate", folder / "labelled.keras", "--amounts=2,.5", "--num_samples=3", f"--output={tmp_path}/a.png")
    assert "rows of 2, 0.5" in capsys.readouterr().out
    assert "--amounts: numbers" in fails("truncate", folder / "model.keras", "--amounts=two")
    settings = ["--steps=2", "--fps=10", f"--output={tmp_path}/a.webp"]
    run("video", folder / "model.keras", "--tiles=2", "--num_samples=3", *settings)
    assert frames_of(tmp_path / "a.webp") == 6
    run("video", folder / "labelled.keras", "--classes=0,2", *settings)
    assert frames_of(tmp_path / "a.webp") == 4
    assert "classes 0 to 2" in fails("video", folder / "labelled.keras", "--classes=0,9", *settings)
    assert "is a .gif, .webp or .mp4" in fails("video", folder / "model.keras", "--output=a.avi")
    assert "Pass one of the two" in fails("video", folder / "labelled.keras", "--classes=0,1", "--label=1")


def test_project(folder, tmp_path, capsys):
    settings = ["--steps=2", "--feature_weight=0", f"--output={tmp_path}/a.png"]
    run("project", folder / "model.keras", f"--input={folder}/photos", *settings)
    printed = capsys.readouterr().out
    assert printed.startswith("PSNR: ") and "2 images above what was found" in printed
    with np.load(tmp_path / "a.npz") as file:
        assert file["latents"].shape == (2, 3) and file["psnr"].shape == (2,)
    run("project", folder / "labelled.keras", f"--input={folder}/photos/0.png", "--label=1", *settings)
    assert "no such file or folder" in fails("project", folder / "model.keras", "--input=none.png")


@pytest.mark.parametrize("method", ["reject", "metropolis_hastings", "langevin"])
def test_reject(folder, tmp_path, method, capsys):
    settings = [f"--dataset={folder}/images.npz", f"--method={method}", "--num_samples=4", f"--output={tmp_path}/a.png"]
    steps = ["--gamma=-5"] if method == "reject" else ["--steps=2"]
    run("reject", folder / "labelled.keras", *settings, *steps)
    assert "of the proposals were accepted" in capsys.readouterr().out
    assert picture_of(tmp_path / "a.png").shape == (2 * 66 + 2, 2 * 66 + 2)


def test_nearest(folder, tmp_path, capsys):
    run(
        *("nearest", folder / "model.keras", f"--dataset={folder}/images.npz", "--num_samples=3"),
        f"--output={tmp_path}/a.png",
    )
    assert "nearest in pixels, and in EfficientNetLite0 at 32" in capsys.readouterr().out
    assert picture_of(tmp_path / "a.png").shape == (3 * 66 + 2, 3 * 66 + 2)
    assert "makes images of (8, 8, 1)" in fails("nearest", folder / "model.keras", "--dataset=mnist_10k")


def test_models_that_make_no_images_are_refused(folder, tmp_path):
    for name in ("interpolate", "truncate"):
        assert "are no images" in fails(name, folder / "points.keras", f"--output={tmp_path}/a.png")
    assert "no such preset" in fails("interpolate", "faces_17")
