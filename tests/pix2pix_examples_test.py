"""The examples of image translation: train for two steps, resume, and translate a folder."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

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
    assert "2/2" in first and "translate.py --model" in first
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
