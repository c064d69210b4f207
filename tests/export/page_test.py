"""The page of a model as a file: what is in it, and what it may do. `page_browser_test.py` opens it."""

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.export.endpoints import without_random_numbers
from ganzoo.export.page import blocks, contents, writing
from ganzoo.export.page.writing import shrinking, training_part
from ganzoo.sampling import SeededNumbers
from tests.export.models import HOSTILE, KINDS, OF_TODAY, inputs_of, made, make


class Page(HTMLParser):
    """The parts of a page, as a browser finds them."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.is_inside = [], False
        self.text = Path(path).read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag, attributes):
        self.elements.append([tag, dict(attributes), ""])
        self.is_inside = True

    def handle_endtag(self, tag):
        self.is_inside = False

    def handle_data(self, data):
        if self.is_inside:
            self.elements[-1][2] += data

    def all(self, tag):
        return [(attributes, text) for name, attributes, text in self.elements if name == tag]

    @property
    def scripts(self):
        """What a browser runs."""
        return [text for attributes, text in self.all("script") if attributes.get("type", "module") == "module"]

    @property
    def policy(self):
        (found,) = (a["content"] for a, _ in self.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
        return {
            name: rest.split() for name, *rest in (part.split(None, 1) for part in found.split("; ")) for rest in rest
        }

    def block(self, name):
        return next(text for attributes, text in self.all("script") if attributes.get("id") == name)

    def settings(self):
        return json.loads(self.block("settings"))

    def data(self, name):
        return gzip.decompress(base64.b64decode(self.block(name)))


@pytest.fixture(scope="module", params=KINDS)
def exported(request, tmp_path_factory):
    """A model that was never called, and its page."""
    path = tmp_path_factory.mktemp(request.param) / "page.html"
    model = made(request.param)
    model.export(path, format="html", title=HOSTILE, card={HOSTILE: HOSTILE})
    return model, Page(path)


def test_the_embedded_model_is_keras(exported):
    model, page = exported
    session = onnxruntime.InferenceSession(page.data("model"))
    for seed in (0, 1, 2**40):
        inputs = inputs_of(model.input_specs(), 2, seed)
        if model.has_latents:
            inputs["latents"] = model.prior(SeededNumbers(seed), 2).numpy()
        condition = next((value for name, value in inputs.items() if name != "latents"), None)
        (outputs,) = session.run(None, inputs)
        np.testing.assert_allclose(outputs, model.generate(2, seed=seed, condition=condition), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", OF_TODAY)
def test_models_of_today(kind, tmp_path):
    """The ONNX file inside of the page is Keras. A VQ-VAE has endpoints of codes, so its files count, too."""
    model = made(kind)
    model.export(tmp_path / "page.html", format="html")
    files = {"serving_default": Page(tmp_path / "page.html").data("model")}
    if kind == "vqvae":
        model.export(tmp_path / "model.onnx", format="onnx")
        files |= {name: tmp_path / f"model_{name}.onnx" for name in ("encode", "decode")}
    endpoints = without_random_numbers(model)
    for name, file in files.items():
        session, inputs = onnxruntime.InferenceSession(file), inputs_of(endpoints[name].specs, 3)
        expected = endpoints[name].compiled()(*map(tf.constant, inputs.values()))
        outputs = dict(zip([output.name for output in session.get_outputs()], session.run(None, inputs)))
        assert set(outputs) == set(expected)
        for key, value in expected.items():
            assert np.std(value) > 0.01  # Grey would agree with everything.
            np.testing.assert_allclose(outputs[key], value, rtol=0, atol=1e-5, err_msg=f"{name} {key}")


def test_settings_fit_the_model(exported):
    model, page = exported
    settings = page.settings()
    assert settings["title"] == HOSTILE and settings["file"] == "page"
    assert [given["name"] for given in settings["inputs"]] == [spec.name for spec in model.input_specs()]
    assert settings["latents"] == {"shape": [model.latent_dim], "dtype": "float32", "prior": "normal"}
    assert settings["classes"] == (model.num_classes and {"names": model.class_names})
    if settings["directions"]:
        vectors = np.frombuffer(page.data("directions-data"), "<f4").reshape(-1, model.latent_dim)
        assert len(vectors) == len(settings["directions"]) == 6
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_nothing_runs_but_the_scripts_of_the_page(exported):
    _, page = exported
    policy = page.policy
    assert policy["default-src"] == ["'none'"]
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in page.scripts]
    assert len(hashes) == 3 and policy["script-src"] == [*hashes, "'wasm-unsafe-eval'"]
    assert policy["style-src"] == [blocks.digest(text) for _, text in page.all("style")]
    assert policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert not [
        value for sources in policy.values() for value in sources if "http" in value or "unsafe-inline" in value
    ]


def test_nothing_reaches_outside(exported):
    _, page = exported
    for tag, attributes, _ in page.elements:
        assert not {"src", "href", "action", "srcdoc", "style"} & set(attributes), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
    own = "".join(blocks.text(blocks.WEB / name) for name in blocks.SCRIPTS)
    assert not re.search(r"https?:|innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|fetch\(", own)


def test_hostile_words_stay_words(exported):
    _, page = exported
    assert HOSTILE not in page.text and "<script>alert" not in page.text
    assert not [attributes for attributes, text in page.all("script") if "alert(1)" in text and "id" not in attributes]
    assert any(HOSTILE in text for _, text in page.all("h1") + page.all("td"))
    if page.settings()["classes"]:
        assert HOSTILE in page.settings()["classes"]["names"]


def test_every_control_has_a_name(exported):
    """And every picture a text in its place."""
    _, page = exported
    for tag, attributes, text in page.elements:
        if tag == "canvas":
            assert attributes.get("aria-label"), attributes
        if tag == "button":
            assert text.strip() or attributes.get("id", "").startswith("keep"), attributes
    assert [attributes["lang"] for attributes, _ in page.all("html")] == ["en"]


def test_the_runtime_is_the_vendored_one():
    told = dict(re.findall(r"`([\w.-]+)` \| `dist[^|]*\| `(\w{64})`", blocks.text(blocks.RUNTIME / "README.md")))
    script = (blocks.RUNTIME / "ort.wasm.bundle.min.mjs").read_bytes()
    module = gzip.decompress((blocks.RUNTIME / "ort-wasm-simd-threaded.wasm.gz").read_bytes())
    found = {"ort.wasm.bundle.min.mjs": script, "ort-wasm-simd-threaded.wasm.gz": module}
    assert told == {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}
    source = blocks.runtime()
    assert "export{" not in source and "globalThis.ort={InferenceSession:" in source
    # In Firefox the origin of a file is "null", of which no URL can be made.
    assert source.startswith("const location=void 0;") and source.count("location.origin") == 1
    assert "Licensed under the MIT License" in source and not re.search("</script|<!--|\r", source, re.IGNORECASE)


def test_pages_share_a_runtime(tmp_path):
    models = {"first": made("unconditional"), "second": made("vae")}
    for name, model in models.items():
        model.export(tmp_path / f"{name}.html", format="html", shared_runtime=True)
    assert {path.name for path in tmp_path.iterdir()} == {"first.html", "second.html", blocks.SHARED}
    shared = (tmp_path / blocks.SHARED).read_text(encoding="utf-8")
    assert shared == blocks.shared_runtime() and "import.meta" not in shared and blocks.wasm() in shared
    assert "Permission is hereby granted" in shared  # The licence goes along.
    for name in models:
        page = Page(tmp_path / f"{name}.html")
        assert [given["src"] for given, _ in page.all("script") if "src" in given] == [blocks.SHARED]
        assert page.block("runtime") == "" and len(page.text) < 200_000
        hashes = [value for value in page.policy["script-src"] if value.startswith("'sha256")]
        assert page.policy["script-src"] == [*hashes, "'self'", "file:", "'wasm-unsafe-eval'"] and len(hashes) == 2
    with pytest.raises(ValueError, match="`shared_runtime` must be True or False"):
        models["first"].export(tmp_path / "c.html", format="html", shared_runtime="yes")


def test_the_contents_are_json(tmp_path):
    """What the documentation keeps of a model; `blocks.document` makes the page of it."""
    model = made("conditional")
    told = json.loads(json.dumps(contents(model, "a", title="A")))
    model.export(tmp_path / "a.html", format="html", title="A")
    assert Page(tmp_path / "a.html").settings() == told["values"]
    again = blocks.document(**told)
    assert blocks.settings(told["values"]) in again and blocks.data("model", told["blocks"]["model"]) in again


def test_training_images(tmp_path):
    model = made("vae")
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), "uint8")
    model.export(tmp_path / "a.html", format="html", training_images=images, training_labels=np.arange(5))
    page = Page(tmp_path / "a.html")
    training = page.settings()["training"]
    assert training["shape"] == [8, 8, 1] and training["count"] == 5 and training["labels"] == list(range(5))
    assert page.data("training") == images.tobytes()
    mean, _ = model.encode(images.astype("float32") / 127.5 - 1)
    np.testing.assert_allclose(training["points"], mean, atol=5.1e-4)
    # Floats are the same.
    model.export(tmp_path / "b.html", format="html", training_images=images / 127.5 - 1)
    assert Page(tmp_path / "b.html").data("training") == images.tobytes()


def test_large_training_images_become_thumbnails():
    assert [shrinking(*sides) for sides in ((28, 28), (64, 64), (96, 64), (37, 41))] == [1, 2, 4, 1]
    model = make("unconditional")
    model.image_shape = (64, 64, 3)
    images = np.tile(np.array([0, 100], "uint8"), (2, 64, 32))[..., None].repeat(3, -1)
    part = training_part(model, images, None)
    assert part["shape"] == [32, 32, 3] and part["by"] == 2 and set(part["pixels"].ravel()) == {50}


def test_examples_of_a_translator_do_not_repeat():
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 1), "uint8")
    part = training_part(made("translator"), np.concatenate([images[:1], images]), None)
    np.testing.assert_array_equal(part["pixels"], images[:24])


def test_own_directions_are_unit_vectors(tmp_path):
    model = made("unconditional")
    model.export(tmp_path / "a.html", format="html", directions={"smile": [0, 3, 0, 4, 0, 0]})
    page = Page(tmp_path / "a.html")
    assert page.settings()["directions"] == ["smile"]
    np.testing.assert_allclose(np.frombuffer(page.data("directions-data"), "<f4"), [0, 0.6, 0, 0.8, 0, 0], atol=1e-7)


def test_directions_that_were_found(tmp_path):
    model = made("unconditional")
    found = ganzoo.latent.sefa(model)
    for name, given in (("default", None), ("given", found)):
        model.export(tmp_path / f"{name}.html", format="html", directions=given)
        page = Page(tmp_path / f"{name}.html")
        assert page.settings()["directions"] == [f"Direction {index + 1}" for index in range(len(found))]
        vectors = np.frombuffer(page.data("directions-data"), "<f4").reshape(found.vectors.shape)
        np.testing.assert_allclose(vectors, found.vectors, atol=1e-6)


def test_latents_that_are_not_normal_are_stored(tmp_path):
    model = made("infogan")
    model.export(tmp_path / "a.html", format="html")
    page = Page(tmp_path / "a.html")
    latents = page.settings()["latents"]
    table = np.frombuffer(page.data("latents"), "<f4").reshape(
        latents["table"]["seeds"], latents["table"]["samples"], -1
    )
    assert latents["prior"] == "stored" and table.shape == (100, 16, 20) and len(latents["limits"]) == 20
    np.testing.assert_array_equal(table[77], model.prior(SeededNumbers(77), 16))


IMAGES = np.zeros((3, 8, 8, 1), "uint8")


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("vae", {"directions": [[1.0, 2.0, 3.0]]}, r"`directions` must be vectors of 2 finite.*\(3,\)"),
        ("vae", {"directions": {"none": [0, 0]}}, "`directions` .*not all 0.*'none'"),
        ("translator", {"directions": [[1.0]]}, "`directions` are for latents that are vectors"),
        ("vae", {"training_images": IMAGES[..., 0]}, r"`training_images` .*\(count, 8, 8, 1\).*\(3, 8, 8\)"),
        ("vae", {"training_images": IMAGES.astype("float32") + 200}, "`training_images` .*200"),
        ("vae", {"training_images": np.broadcast_to(IMAGES[:1], (10**6, 8, 8, 1))}, "64 MB.*131,072 fit"),
        ("vae", {"training_labels": [1]}, "needs `training_images`"),
        ("vae", {"training_images": IMAGES, "training_labels": [1, 2]}, r"3 integers.*\(2,\)"),
        ("vae", {"training_images": IMAGES, "training_labels": [1, 2, -1]}, "3 integers of at least 0"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(kind, options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        made(kind).export(tmp_path / "a.html", format="html", **options)
    assert not list(tmp_path.iterdir())


def test_models_that_the_page_cannot_show_are_refused(tmp_path, monkeypatch):
    points = ganzoo.GAN.from_paper((2,), hidden=(4,), latent_dim=2)
    with pytest.raises(ValueError, match=r"images with 1, 3 or 4 channels.*\(2,\)"):
        points.export(tmp_path / "a.html", format="html")
    with pytest.raises(ValueError, match="ends in .html. Received: .*a.htm"):
        made("vae").export(tmp_path / "a.htm", format="html")
    monkeypatch.setattr(writing, "MODEL_BYTES", 1000)
    with pytest.raises(ValueError, match="models of up to 0 MB"):
        made("vae").export(tmp_path / "a.html", format="html")
