"""The gallery: the page of the documentation shows the presets as they are, and a preset of any kind has a section."""

import importlib
from pathlib import Path

import numpy as np
import pytest

import ganzoo
from ganzoo.export.page import blocks
from ganzoo.presets import cards, folder, gallery, shelf
from tests.check_model import tiny

DOCS = Path(__file__).parent.parent.parent / "docs"


def presets_of(root):
    return [(path.name, path, folder.read_metadata(path)) for path in sorted(root.iterdir()) if path.is_dir()]


@pytest.mark.skipif(not DOCS.is_dir(), reason="The documentation is not there: this is an installed package.")
def test_the_page_is_that_of_the_presets():
    presets = [(name, shelf.ZOO / name, folder.read_metadata(shelf.ZOO / name)) for name in shelf.names()]
    explorers = {path.stem: path.stat().st_size for path in (DOCS / "explore").glob("*.json")}
    assert "faces_16" in explorers and sum(explorers.values()) <= 12e6
    text, pictures = gallery.markdown(presets, explorers=explorers)
    again = "Write it again: python benchmarks/presets.py gallery"
    assert (DOCS / "gallery.md").read_text() == text, again
    assert {path.name for path in (DOCS / "images" / "zoo").iterdir()} == set(pictures), again
    for name, path in pictures.items():
        assert (DOCS / "images" / "zoo" / name).read_bytes() == path.read_bytes(), again


@pytest.mark.skipif(not DOCS.is_dir(), reason="The documentation is not there: this is an installed package.")
def test_the_hook_makes_pages_of_the_models(tmp_path):
    """`make docs` runs it; here it gets one model."""
    structure = pytest.importorskip("mkdocs.structure.files", reason="needs pip install mkdocs-material")
    (tmp_path / "docs").mkdir()
    hook = DOCS / "hooks" / "explorers.py"
    (tmp_path / "mkdocs.yml").write_text(f"site_name: a\nplugins: []\nhooks: [{hook}]\n")
    config = importlib.import_module("mkdocs.config").load_config(str(tmp_path / "mkdocs.yml"))
    names = ("index.md", "explore/faces_16.json")
    files = structure.Files([structure.File(name, str(DOCS), str(tmp_path), True) for name in names])
    found = {file.src_uri: file for file in config.plugins.on_files(files, config=config)}
    assert set(found) == {"index.md", "explore/faces_16.html", f"explore/{blocks.SHARED}"}
    page = found["explore/faces_16.html"].content_string
    assert f'<script src="{blocks.SHARED}"></script>' in page and "<title>Pixel faces, 16 x 16</title>" in page
    assert found[f"explore/{blocks.SHARED}"].content_string == blocks.shared_runtime()


def test_presets_of_every_kind(tmp_path):
    score = ganzoo.metrics.Score("kernel_distance", 0.25, (0.2, 0.3), 400, 500, "pixels")
    card = {"title": "Faces", "data": "a|b", "licence": "CC0 1.0", "command": "ganzoo train", "scores": [score]}
    models = {
        "attributes": tiny(ganzoo.CGAN, (8, 8, 1), num_attributes=3, attribute_names=["hat", "hair red", "hair black"]),
        "classes": tiny(ganzoo.GAN, (8, 8, 1), hidden=(3,), num_classes=2, class_names=["cat", "dog"]),
        "vae": tiny(ganzoo.VAE, (8, 8, 1), hidden=(3,)),
    }
    for name, model in models.items():
        model.save_to_preset(tmp_path / name, card=card if name != "vae" else None)
        ganzoo.images.save_png(tmp_path / name / "samples.png", np.zeros((8, 8, 1), "uint8"))
    ganzoo.images.save_png(tmp_path / "vae" / "latent_space.png", np.zeros((8, 8, 1), "uint8"))
    text, pictures = gallery.markdown(presets_of(tmp_path))
    assert set(pictures) == {*(f"{name}_samples.png" for name in models), "vae_latent_space.png"}
    assert pictures["vae_latent_space.png"] == tmp_path / "vae" / "latent_space.png"
    for line in (
        "## Faces { #classes }",
        "## vae { #vae }",
        "![Latent space](images/zoo/vae_latent_space.png)",
        "| Condition | a label: cat, dog |",
        "| Condition | 3 attributes: hat, hair (red, black) |",
        "| Data | a\\|b |",
        "| Recipe | `ganzoo train` |",
        "| kernel distance | 0.25 [0.2, 0.3] |",
        '| In Python | `ganzoo.from_preset("vae").generate(64)` |',
    ):
        assert line in text.splitlines(), line
    page = gallery.page(presets_of(tmp_path))
    assert page.count("data:image/png;base64,") == 4 and "0.25 [0.2, 0.3]" in page
    assert "| Condition | a label: cat, dog |" in (tmp_path / "classes" / "README.md").read_text()


def test_other_conditions_in_words():
    assert cards.conditions_in_words({}) is None
    label = {"kind": "label", "num_classes": 10, "class_names": None}
    image = {"kind": "image", "shape": [8, 8, 3]}
    words = cards.conditions_in_words({"conditions": {"label": label, "image": image}})
    assert words == "a label: 0 to 9 and an image, 8 x 8 x 3"
