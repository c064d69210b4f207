"""The models of the documentation's gallery in Chromium: each is its preset, opened by a click, from files."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import ganzoo
from ganzoo.export.page import blocks
from ganzoo.presets.gallery import digest
from ganzoo.presets.shelf import ZOO
from tests.browser import launched, needs_chromium

DOCS = Path(__file__).parent.parent.parent / "docs"
pytestmark = [
    needs_chromium,
    pytest.mark.skipif(not DOCS.is_dir(), reason="The documentation is not there: this is an installed package."),
]

LINKS = re.compile(r"^\[Play with this model\]\(explore/(\w+)\.html\)\{ \.md-button \.explorer \}", re.MULTILINE)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """What the hook of the documentation makes of docs/explore, and a page with the links of the gallery."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "explore").mkdir()
    names = LINKS.findall((DOCS / "gallery.md").read_text())
    for name in names:
        content = json.loads((DOCS / "explore" / f"{name}.json").read_text())
        page = blocks.document(**content["page"], is_shared=True)
        (folder / "explore" / f"{name}.html").write_text(page, encoding="utf-8")
    (folder / "explore" / blocks.SHARED).write_text(blocks.shared_runtime(), encoding="utf-8")
    links = "".join(f'<p><a class="explorer" href="explore/{name}.html">Play with {name}</a></p>' for name in names)
    script = f'<script src="{(DOCS / "play" / "explorer.js").as_uri()}"></script>'
    (folder / "gallery.html").write_text(f'<body data-md-color-scheme="slate">{links}{script}')
    return folder, names


@pytest.fixture(scope="module")
def gallery(site):
    """The page in the browser, and what went wrong in it."""
    troubles, requests = [], []
    with launched() as browser:
        page = browser.new_context(viewport={"width": 390, "height": 844}, offline=True).new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((site[0] / "gallery.html").as_uri())
        yield page, requests
        assert troubles == []


def test_every_small_preset_is_there(site):
    _, names = site
    assert (
        set(names)
        == {path.stem for path in (DOCS / "explore").glob("*.json")}
        <= {preset["name"] for preset in ganzoo.list_presets()}
    )
    assert len(names) >= 5
    for name in names:
        made_of = json.loads((DOCS / "explore" / f"{name}.json").read_text())["preset"]
        assert made_of == digest(ZOO / name), f"{name}: write it again: python benchmarks/presets.py gallery"


@pytest.mark.parametrize(("name", "label"), [("faces_16", None), ("cgan_mnist", 7)])
def test_it_is_the_preset(name, label, gallery):
    page, requests = gallery
    link = page.locator(f"a[href='explore/{name}.html']").first
    link.click()
    assert link.get_attribute("aria-expanded") == "true" and link.inner_text() == "Close the model"
    frame = page.frame(url=lambda url: url.endswith(f"{name}.html#dark"))
    frame.wait_for_selector("html[data-state]", state="attached", timeout=60_000)
    assert frame.evaluate("document.documentElement.dataset.state") == "ready"
    ask = "async (label) => (await ganzoo.samples('7', 3, label)).map((x) => Array.from(x))"
    model = ganzoo.from_preset(name)
    expected = model.generate(3, seed=7, condition=label)
    found = np.reshape(frame.evaluate(ask, label), expected.shape)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    assert frame.evaluate("document.documentElement.scrollWidth") <= 390
    paper = frame.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(22, 24, 28)"  # Dark, as the page around it.
    assert all(url.startswith(("file:", "blob:")) for url in requests)
    link.click()
    assert page.locator("iframe").count() == 0 and link.inner_text() == f"Play with {name}"


def test_without_the_runtime_it_says_so(site, gallery, tmp_path):
    page, _ = gallery
    (tmp_path / "alone.html").write_bytes((site[0] / "explore" / "faces_16.html").read_bytes())
    other = page.context.browser.new_page()
    other.goto((tmp_path / "alone.html").as_uri())
    other.wait_for_selector("html[data-state]", state="attached", timeout=60_000)
    assert f"the file {blocks.SHARED} must lie beside this page" in other.inner_text("#status")
