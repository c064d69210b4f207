"""`python -m ganzoo translate`: a folder of images through a model that translates them."""

import contextlib
import io

import keras
import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo import __main__ as command_line


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A pix2pix, as a file and as a SavedModel."""
    folder = tmp_path_factory.mktemp("translate")
    keras.utils.set_random_seed(0)
    model = ganzoo.Pix2Pix.from_paper(
        (32, 32, 3), condition_shape=(32, 32, 1), filters=2, receptive_field=16, dropout_at_test=False
    )
    model.save(folder / "model.keras")
    model.export(folder / "serving" / "1")
    return folder


@pytest.fixture
def outlines(tmp_path):
    """Three outlines: one of the right size, one in a folder, and one larger, in colour and transparent."""
    folder = tmp_path / "outlines"
    (folder / "deep").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32), "uint8")
    Image.fromarray(pixels).save(folder / "a.png")
    Image.fromarray(pixels.T.copy()).save(folder / "deep" / "b.bmp")
    Image.new("RGBA", (80, 70), (255, 0, 0, 0)).save(folder / "c.png")
    return folder


def translate(model, source, output, *arguments):
    given = [f"--input_dir={source}", f"--output_dir={output}", "--batch_size=2", *arguments]
    command_line.main(["translate", str(model), *given])


def fails(*arguments):
    with contextlib.redirect_stderr(io.StringIO()) as printed, pytest.raises(SystemExit) as error:
        command_line.main([str(argument) for argument in arguments])
    assert error.value.code == 2 and printed.getvalue().count("\n") == 1
    return printed.getvalue()


@pytest.mark.parametrize("source", ["model.keras", "serving/1"])
def test_translate(folder, outlines, tmp_path, source, capsys):
    translate(folder / source, outlines, tmp_path / "out")
    assert f"Wrote 3 images to {tmp_path / 'out'}" in capsys.readouterr().out
    written = sorted(str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*.png"))
    assert written == ["a.png", "c.png", "deep/b.png"]
    white = np.full((32, 32, 1), 255, "uint8")
    inputs = np.stack([np.asarray(Image.open(outlines / "a.png"))[..., None], white])
    outputs = keras.saving.load_model(folder / "model.keras").generate(condition=ganzoo.data.normalize(inputs))
    expected = ganzoo.images.to_uint8(outputs).numpy().astype(int)
    for name, image in zip(("a.png", "c.png"), expected):
        ours = np.asarray(Image.open(tmp_path / "out" / name))
        assert ours.shape == (32, 32, 3)
        assert np.abs(ours - image).max() <= 1  # Rounding to one of two neighbouring values.


def test_side_by_side(folder, outlines, tmp_path):
    translate(folder / "model.keras", outlines, tmp_path / "out", "--side_by_side")
    picture = np.asarray(Image.open(tmp_path / "out" / "a.png"))
    assert picture.shape == (32, 64, 3)
    np.testing.assert_array_equal(picture[:, :32, 0], np.asarray(Image.open(outlines / "a.png")))


def test_says_what_is_wrong(folder, outlines, tmp_path):
    model = folder / "model.keras"
    (tmp_path / "empty").mkdir()
    assert "There are no images in" in fails("translate", model, f"--input_dir={tmp_path}/empty")
    assert "there is no such folder" in fails("translate", model, f"--input_dir={tmp_path}/missing")
    assert "There is no model to read at" in fails("translate", tmp_path / "no.keras", f"--input_dir={outlines}")
    assert "--input_dir must have a value" in fails("translate", model)
    (outlines / "broken.png").write_bytes(b"no picture")
    given = f"--input_dir={outlines}", f"--output_dir={tmp_path}/out"
    assert "broken.png cannot be read" in fails("translate", model, *given)
    (outlines / "broken.png").unlink()
    gan = ganzoo.DCGAN.from_paper((8, 8, 1), filters=1, latent_dim=2)
    gan.save(tmp_path / "gan.keras")
    assert "does not translate images: it is a DCGAN" in fails("translate", tmp_path / "gan.keras", *given)


@pytest.mark.parametrize("source", ["model.keras", "serving/1"])
def test_generate_sends_to_translate(folder, source, tmp_path):
    message = fails("generate", folder / source, f"--output={tmp_path}/a.png")
    assert "translates images: python -m ganzoo translate " in message
