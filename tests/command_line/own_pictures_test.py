"""The commands of docs/tutorials/photos.md, on a folder of pictures as people have them, and the names of classes."""

import re
import shlex
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from ganzoo import __main__ as command_line
from ganzoo import images
from ganzoo.export.saved_model import read_card

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "photos.md"
BLOCKS = re.findall(r"<!-- commands -->\n```\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
COMMANDS = [shlex.split(line)[1:] for block in BLOCKS for line in block.splitlines()]
TINY = {
    "train": "--image_size 16 --filters 2 --batch_size 8 --steps_per_epoch 1 --epochs 1 --num_samples 4".split(),
    "evaluate": "--num_samples 8 --metrics sliced_wasserstein --features none".split(),
    "generate": "--num_samples 4".split(),
    "export": [],
}


def write_pictures(root):
    """Twenty-six pictures of all kinds, in two folders."""
    random = np.random.default_rng(0)
    kinds = ["a.jpg", "b.png", "c.webp", "d.gif", "e.bmp", "f.tif", "P.png", "LA.png", "RGBA.png", "CMYK.jpg", "L.jpg"]
    for number, name in enumerate(("blue", "red")):
        (root / name).mkdir(parents=True)
        for kind in kinds:
            width, height = random.integers(20, 60, 2).tolist()
            picture = Image.new("RGB", (width, height), (200 * number, *random.integers(0, 256, 2).tolist()))
            mode = Path(kind).stem
            (picture.convert(mode) if mode.isupper() else picture).save(root / name / kind)
        Image.fromarray(random.integers(0, 2**16, (30, 40), "uint16")).save(root / name / "16_bit.png")
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new("RGB", (50, 20)).save(root / name / "turned.jpg", exif=exif)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a new user after the commands."""
    folder = tmp_path_factory.mktemp("own")
    write_pictures(folder / "photos")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, *arguments in COMMANDS:
            command_line.main([name, *arguments, *TINY[name]])
    return folder


def test_all_commands(folder):
    assert list(dict.fromkeys(command[0] for command in COMMANDS)) == list(TINY)
    for file in ("runs/photos/index.html", "scores.json", "both.png", "red.png", "serving/photos/1/saved_model.pb"):
        assert (folder / file).is_file()


def test_names_of_classes_go_all_the_way(folder, monkeypatch):
    """Folder, model, pictures, SavedModel, command line."""
    monkeypatch.chdir(folder)
    model = keras.saving.load_model("runs/photos/model.keras")
    assert model.class_names == read_card("serving/photos/1")["class_names"] == ["blue", "red"]
    reds = model.generate(4, seed=0, condition="red")
    np.testing.assert_array_equal(reds, model.generate(4, seed=0, condition=[1, 1, 1, 1]))
    assert np.abs(reds - model.generate(4, seed=0, condition="blue")).max() > 0
    command_line.main("generate serving/photos/1 --condition red --num_samples 4 --output two.png".split())
    assert np.abs(pixels("two.png").astype(int) - images.grid(reds)).max() <= 1  # Another order of sums.
    command_line.main("generate serving/photos/1 --num_samples 4 --output both.png".split())
    samples = model.generate(4, seed=0, condition=[0, 1, 0, 1])
    for file in ("both.png", "runs/photos/samples/epoch_0001.png"):
        titled = images.grid(samples, columns=2, titles=["blue", "red"])
        above = len(titled) - len(images.grid(samples, columns=2))
        assert above > 5 and pixels(file).shape == titled.shape
        np.testing.assert_array_equal(pixels(file)[:above], titled[:above])


def test_what_a_new_user_gets_wrong(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    for arguments, words in (
        ("train dcgan photos --batch_size 8", "different sizes .*--image_size=64"),
        ("train dcgan photos --image_size 16", "batch_size=64 is larger than the dataset, which has 26 samples"),
        ("generate runs/photos/model.keras --condition birds", "the model has the classes 0 to 1: blue, red"),
        ("train dcgan peeps_64", "peeps_64: pass --manual_dir, the folder that holds its file"),
        (
            "train pix2pix photos --image_size 16 --storage disk",
            "--storage=disk is for images",
        ),
    ):
        with pytest.raises(SystemExit) as stop:
            command_line.main(arguments.split())
        printed = capsys.readouterr().err
        assert stop.value.code == 2 and re.search(words, printed), printed


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)
