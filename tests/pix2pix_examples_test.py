"""The examples of image translation: train for two steps, resume, and translate a folder."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo.command_line import generate
from tests.workers import example, processes

EXAMPLES = example.EXAMPLES
TINY = ["--batch_size=4", "--steps_per_epoch=2", "--num_samples=4", "--filters=2", "--image_size=32"]


def run(folder, name, *arguments):
    processes.join(processes.start(folder / f"{name}.txt", example.run, name, *arguments), folder / f"{name}.txt")
    return (folder / f"{name}.txt").read_text()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a run of two epochs, the second one resumed, and what both printed."""
    folder = tmp_path_factory.mktemp("pix2pix")
    texts = [run(folder, "train_pix2pix", *TINY, f"--output_dir={folder}", f"--epochs={epochs}") for epochs in (1, 2)]
    return folder, texts


def test_trains_and_resumes(trained):
    folder, (first, second) = trained
    assert "Images (32, 32, 1) -> (32, 32, 3), batch 4, 1 replica(s)" in first
    assert "2/2" in first and "examples/translate.py --model" in first
    assert "Resuming at epoch 2 of 2" in second and "Epoch 1/2" not in second
    for file in (
        "checkpoints/step_0000000004.keras",
        "learning_curve.csv",
        "learning_curve.png",
        "model.keras",
        "samples/training.gif",
        "serving/1/saved_model.pb",
    ):
        assert (folder / file).is_file(), file
    # Four rows of input, output and truth, two in a line, each image twice its size.
    for epoch in (0, 1, 2):
        with Image.open(folder / "samples" / f"epoch_000{epoch}.png") as picture:
            assert picture.size == (6 * 66 + 2, 2 * 66 + 2)


def write_pairs(folder, count=5):
    """Side-by-side pictures: a grey on the left, its negative on the right."""
    folder.mkdir(parents=True)
    for index in range(count):
        both = np.full((20, 40, 3), 40 * index, "uint8")
        both[:, 20:] = 255 - both[:, 20:]
        Image.fromarray(both).save(folder / f"{index}.png")


SETTINGS = {
    "batch_size": 4,
    "data_dir": None,
    "dataset": "openmoji_pairs",
    "direction": "a_to_b",
    "image_size": None,
    "jitter": True,
    "mirror": True,
    "seed": 0,
    "targets": None,
    "test_dataset": None,
    "test_targets": None,
}


def test_data_of_the_example(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    from train_pix2pix import load_pairs

    def first(**options):
        settings = SimpleNamespace(**{**SETTINGS, **options})
        return [load_pairs(settings), load_pairs(settings, test=True)]

    train, test = first()
    assert train.element_spec[0].shape == (4, 64, 64, 1) and len(test) == 100
    train, test = first(dataset="fashion_edges_10k")
    assert train.source.num_samples == 9900 and len(test) == 100
    write_pairs(tmp_path / "train")
    write_pairs(tmp_path / "val", 2)
    train, test = first(dataset=str(tmp_path / "train"), direction="b_to_a", image_size=16)
    assert train.element_spec[0].shape == (4, 16, 16, 3) and len(test) == 5
    inputs, targets = next(iter(test))
    assert np.all(inputs == 1) and np.all(targets == -1)
    _, test = first(dataset=str(tmp_path / "train"), test_dataset=str(tmp_path / "val"))
    assert len(test) == 2


# === translate.py ===


@pytest.fixture
def translate(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(EXAMPLES)
    import translate

    def call(model, source, **options):
        settings = {"output_dir": str(tmp_path / "out"), "batch_size": 2, "side_by_side": False}
        translate.main(SimpleNamespace(model=str(model), input_dir=str(source), **{**settings, **options}))

    return call


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


@pytest.mark.parametrize("source", ["model.keras", "serving/1"])
def test_translate(trained, translate, outlines, tmp_path, source, capsys):
    translate(trained[0] / source, outlines)
    assert f"Wrote 3 images to {tmp_path / 'out'}" in capsys.readouterr().out
    written = sorted(str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*.png"))
    assert written == ["a.png", "c.png", "deep/b.png"]
    model = keras.saving.load_model(trained[0] / "model.keras")
    white = np.full((32, 32, 1), 255, "uint8")
    inputs = [np.asarray(Image.open(outlines / "a.png"))[..., None], white]
    expected = ganzoo.images.to_uint8(model.predict(np.stack(inputs), verbose=0)).numpy().astype(int)
    for name, image in zip(("a.png", "c.png"), expected):
        ours = np.asarray(Image.open(tmp_path / "out" / name))
        assert ours.shape == (32, 32, 3)
        assert np.abs(ours - image).max() <= 1


def test_translate_side_by_side(trained, translate, outlines, tmp_path):
    translate(trained[0] / "model.keras", outlines, side_by_side=True)
    picture = np.asarray(Image.open(tmp_path / "out" / "a.png"))
    assert picture.shape == (32, 64, 3)
    np.testing.assert_array_equal(picture[:, :32, 0], np.asarray(Image.open(outlines / "a.png")))


def test_translate_says_what_is_wrong(trained, translate, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="There are no images in"):
        translate(trained[0] / "model.keras", tmp_path / "empty")
    with pytest.raises(SystemExit, match="There is no model to read at"):
        translate(tmp_path / "missing.keras", tmp_path)
    gan = ganzoo.DCGAN.from_paper((8, 8, 1), filters=1, latent_dim=2)
    gan.save(tmp_path / "gan.keras")
    gan.export(tmp_path / "gan")
    with pytest.raises(SystemExit, match="does not translate images: it is a DCGAN"):
        translate(tmp_path / "gan.keras", tmp_path)
    with pytest.raises(SystemExit, match="does not translate images: it takes latents"):
        translate(tmp_path / "gan", tmp_path)


@pytest.mark.parametrize("source", ["model.keras", "serving/1"])
def test_generate_sends_to_translate(trained, source):
    options = SimpleNamespace(model=str(trained[0] / source), output_dir=None)
    with pytest.raises(SystemExit, match="translates images: python examples/translate.py --model"):
        generate.run(options)
