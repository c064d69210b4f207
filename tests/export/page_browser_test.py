"""The page of a model in Chromium, without a network. Skipped where there is no Playwright or no Chromium."""

import io
import json

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo.sampling import SeededNumbers
from tests.browser import launched, needs_chromium
from tests.export.models import HOSTILE, KINDS, inputs_of, made

pytestmark = needs_chromium

SEEDS = (0, 7, 2**40 + 1)
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The pages of all kinds of models: dictionary, kind -> (model, path)."""
    folder = tmp_path_factory.mktemp("pages")
    models = {}
    for kind in KINDS:
        model = models[kind] = made(kind)
        options = {"title": HOSTILE, "card": {HOSTILE: HOSTILE}} if kind == "conditional" else {}
        if kind in ("vae", "translator"):
            shape = model.conditions.image_shape or model.image_shape
            options["training_images"] = np.random.default_rng(0).integers(0, 256, (9, *shape), "uint8")
            options["training_labels"] = np.arange(9) % 3
        model.export(folder / f"{kind}.html", format="html", **options)
    return {kind: (model, folder / f"{kind}.html") for kind, model in models.items()}


class Tab:
    """A page in the browser, and everything that went wrong in it."""

    def __init__(self, browser, path, viewport=WIDE, script=None):
        self.context = browser.new_context(viewport=viewport, offline=True, accept_downloads=True)
        self.page, self.troubles, self.requests = self.context.new_page(), [], []
        self.page.on("console", lambda message: self.troubles.append(message.text))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("dialog", lambda dialog: self.troubles.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        if script is not None:
            self.page.add_init_script(script)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-state]", state="attached", timeout=60_000)

    def ask(self, code, *arguments):
        return self.page.evaluate(code, *arguments)

    def picture(self):
        """The pixels of the sample as a string, once nothing moves."""
        self.ask("ganzoo.settled()")
        return self.ask("document.getElementById('sample').toDataURL()")

    def status(self):
        return self.page.inner_text("#status")

    def changes(self, action):
        """Whether something a visitor does changes the sample."""
        before = self.picture()
        action()
        return self.picture() != before

    def drag(self, selector, start, end):
        """Drags from a point of an element to another."""
        element = self.page.locator(selector)
        element.scroll_into_view_if_needed()
        box = element.bounding_box()
        self.page.mouse.move(box["x"] + start[0], box["y"] + start[1])
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + end[0], box["y"] + end[1])
        self.page.mouse.up()

    def slide(self, slider, value):
        """Moves a slider."""
        self.ask(
            "([element, value]) => { element.value = value; element.dispatchEvent(new Event('input')); }",
            [slider.element_handle(), value],
        )


@pytest.fixture(scope="module")
def tabs(browser, files):
    """Opens the page of a kind once."""
    opened = {}

    def open_tab(kind):
        if kind not in opened:
            opened[kind] = Tab(browser, files[kind][1])
        return opened[kind]

    yield open_tab
    for tab in opened.values():
        tab.context.close()


@pytest.fixture
def open_once(browser, tmp_path):
    """Opens the page of a kind for one test."""
    tabs = []

    def open_tab(kind):
        made(kind).export(tmp_path / f"{kind}.html", format="html")
        tabs.append(Tab(browser, tmp_path / f"{kind}.html"))
        return made(kind), tabs[0]

    yield open_tab
    for tab in tabs:
        tab.context.close()


# === The same numbers as Keras ===


@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_those_of_keras(kind, tabs, files):
    model, tab = files[kind][0], tabs(kind)
    image = None
    if model.conditions.translates:
        image = inputs_of(model.conditions.specs(), 1)["image"][0]
    for seed in SEEDS:
        label = None if model.num_classes is None else seed % 3
        condition = image if image is not None else label
        expected = model.generate(3, seed=seed, condition=condition)
        samples = tab.ask(
            "async ([seed, label, image]) => (await ganzoo.samples(seed, 3, label, image)).map((x) => Array.from(x))",
            [str(seed), label, None if image is None else image.ravel().tolist()],
        )
        np.testing.assert_allclose(np.reshape(samples, expected.shape), expected, rtol=0, atol=1e-5)
        sums = [sum(pixels) for pixels in samples]
        np.testing.assert_allclose(sums, expected.sum((1, 2, 3), dtype="float64"), rtol=0, atol=1e-3)


@pytest.mark.parametrize("seed", [0, 1, 12345678901, 2**63 - 1])
def test_latents_are_those_of_keras(seed, tabs):
    expected = SeededNumbers(seed).normal((700, 6)).numpy()
    found = tabs("unconditional").ask(
        "(seed) => Array.from({ length: 700 }, (_, k) => Array.from(ganzoo.latents(seed, k)))", str(seed)
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


def test_truncated_latents_are_a_truncated_normal(tabs):
    """Its distribution function is (Phi(z) - Phi(-t)) / (Phi(t) - Phi(-t)); the page maps z ~ N(0, 1) to it."""
    from scipy.stats import norm, truncnorm

    tab = tabs("unconditional")
    z = np.linspace(-5, 5, 41)
    for limit in (0.5, 1.0, 2.0):
        found = tab.ask("([z, t]) => Array.from(ganzoo.truncated(z, t))", [z.tolist(), limit])
        np.testing.assert_allclose(found, truncnorm.ppf(norm.cdf(z), -limit, limit), rtol=0, atol=1e-5)


# === Every control changes the picture ===


def test_seeds(tabs):
    tab = tabs("unconditional")
    assert tab.changes(lambda: tab.page.click("#new-seed"))
    assert tab.changes(lambda: tab.page.keyboard.press("n"))
    for text in ("-1", "9223372036854775808", "one"):
        assert not tab.changes(lambda text=text: (tab.page.fill("#seed", text), tab.page.press("#seed", "Enter")))
        assert tab.ask("!document.getElementById('seed').checkValidity()")
    tab.page.fill("#seed", "11")
    tab.page.press("#seed", "Enter")
    tab.picture()
    assert tab.page.inner_text("#caption") == "Sample 0 of seed 11"
    assert "sample 0 of seed 11" in tab.page.get_attribute("#sample", "aria-label")


def test_sliders(tabs):
    tab = tabs("unconditional")
    found = tab.page.locator("#controls .slider input")
    assert found.count() == 1 + 6 + 6  # Truncation, directions, latents.
    for index in range(found.count()):
        assert tab.changes(lambda index=index: tab.slide(found.nth(index), 1.5)), index
    assert "moved" in tab.page.inner_text("#caption") and "truncated at 1.5" in tab.page.inner_text("#caption")
    assert tab.changes(lambda: tab.page.click("#reset"))
    assert tab.page.inner_text("#caption").startswith("Sample")


def test_grid(tabs):
    tab = tabs("unconditional")
    tiles = tab.page.locator("#grid button")
    assert tiles.count() == 16
    assert tab.changes(lambda: tiles.nth(5).click())
    assert tab.page.inner_text("#caption").startswith("Sample 5")
    assert tab.picture() == tab.ask("document.querySelectorAll('#grid canvas')[5].toDataURL()")
    pictures = tab.ask("[...document.querySelectorAll('#grid canvas')].map((canvas) => canvas.toDataURL())")
    assert len(set(pictures)) == 16
    assert tab.changes(lambda: tab.page.click("#new-seed"))


def test_plane(tabs):
    tab = tabs("unconditional")
    assert tab.changes(lambda: tab.drag("#plane", (20, 20), (200, 40)))
    tab.page.focus("#plane")
    for key in ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"):
        assert tab.changes(lambda key=key: tab.page.keyboard.press(key))
    tab.page.select_option("#across", label="Latent 3")
    assert tab.changes(lambda: tab.page.locator("#plane").click(position={"x": 30, "y": 30}))
    tab.page.click("#reset")


def test_between_two_samples(tabs):
    tab = tabs("unconditional")
    assert tab.page.is_disabled("#play")
    tab.picture()
    tab.page.click("#keep-first")
    first = tab.picture()
    tab.page.click("#new-seed")
    tab.picture()
    tab.page.keyboard.press("b")
    second = tab.picture()
    share = tab.page.locator("#share")
    assert tab.changes(lambda: tab.slide(share, 0.5))
    tab.slide(share, 0)
    assert tab.picture() == first
    tab.slide(share, 1)
    assert tab.picture() == second
    tab.page.click("#play")
    seen = {
        tab.ask("document.getElementById('sample').toDataURL()") for _ in range(5) if not tab.page.wait_for_timeout(60)
    }
    assert len(seen) > 1
    tab.page.keyboard.press("p")
    assert tab.page.inner_text("#play") == "Play"
    tab.page.click("#new-seed")


def test_classes(tabs):
    tab = tabs("conditional")
    buttons = tab.page.locator("#classes button")
    assert buttons.all_inner_texts() == [
        "Each in turn",
        "cat",
        "dog",
        HOSTILE,
    ]
    tab.page.click("#classes button:nth-child(2)")
    assert tab.changes(lambda: buttons.nth(2).click())
    assert tab.page.inner_text("#caption").endswith("dog")
    assert tab.changes(lambda: buttons.nth(3).click())
    assert tab.page.inner_text("#caption").endswith('"b"')
    assert buttons.nth(3).get_attribute("aria-pressed") == "true"


def test_a_plane_of_two_latents_is_the_manifold(tabs, files):
    tab = tabs("vae")
    assert tab.page.is_hidden("#plane-axes")
    assert tab.page.locator("#legend .pair").all_inner_texts() == ["class 0", "class 1", "class 2"]
    assert tab.page.locator("#nearest figure").count() == 6
    box = tab.page.locator("#plane").bounding_box()
    assert tab.changes(
        lambda: tab.page.locator("#plane").click(position={"x": box["width"] / 4, "y": box["height"] / 4})
    )
    distances = [text.partition(",")[0] for text in tab.page.locator("#nearest figcaption").all_inner_texts()]
    assert distances == sorted(distances)
    latents = tab.ask("Array.from(ganzoo.current())")
    np.testing.assert_allclose(latents, [-1.5, 1.5], atol=0.05)
    # The nearest training image, by hand.
    sample = files["vae"][0].generate(latents=np.float32([latents]))[0]
    images = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 1), "uint8") / 127.5 - 1
    nearest = np.sqrt(((images - sample) ** 2).mean((1, 2, 3))).min()
    assert float(distances[0]) == pytest.approx(nearest, abs=6e-4)


def test_files_to_keep(tabs, files, tmp_path):
    model, tab = files["unconditional"][0], tabs("unconditional")
    tab.page.fill("#seed", "3")
    tab.page.press("#seed", "Enter")
    tab.picture()
    saved = {}
    for button in ("#save-picture", "#save-grid", "#save-latents"):
        with tab.page.expect_download() as download:
            tab.page.click(button)
        saved[button] = download.value.suggested_filename, download.value.path().read_bytes()
    assert [name for name, _ in saved.values()] == [
        "unconditional_seed_3_0.png",
        "unconditional_seed_3.png",
        "unconditional_seed_3_0.json",
    ]
    expected = np.round((model.generate(16, seed=3) + 1) * 127.5)
    picture = np.asarray(Image.open(io.BytesIO(saved["#save-picture"][1])).convert("RGB"))
    assert np.abs(picture - expected[0]).max() <= 1
    grid = np.asarray(Image.open(io.BytesIO(saved["#save-grid"][1])).convert("RGB"))
    assert grid.shape == (64, 64, 3) and np.abs(grid[48:, 48:] - expected[15]).max() <= 1
    content = json.loads(saved["#save-latents"][1])
    again = model.generate(latents=np.float32([content["latents"]]))
    np.testing.assert_allclose(again, model.generate(1, seed=3), atol=1e-5)


# === Models of other kinds ===


def test_attributes_and_many_latents(open_once):
    model, tab = open_once("attributes")
    sliders = tab.page.locator("#attributes .slider input")
    names = tab.page.locator("#attributes .slider span").all_inner_texts()
    assert names == ["hat", "<b>beard", "glasses"]
    for index in range(3):
        assert tab.changes(lambda index=index: tab.slide(sliders.nth(index), 1))
    expected = model.generate(1, seed=0, condition=[1.0, 1.0, 1.0])
    found = tab.ask("async () => Array.from((await ganzoo.samples(0, 1))[0])")
    np.testing.assert_allclose(found, expected.ravel(), rtol=0, atol=1e-5)
    pager = tab.page.locator("#pager span")
    assert pager.inner_text() == "1 to 8 of 12" and tab.page.is_disabled("#previous")
    tab.page.click("#next")
    assert pager.inner_text() == "9 to 12 of 12" and tab.page.is_disabled("#next")
    assert tab.changes(lambda: tab.slide(tab.page.locator("#latents-panel input").nth(3), 2.5))
    assert tab.ask("ganzoo.current()[11]") == 2.5
    tab.page.click("#previous")
    assert pager.inner_text() == "1 to 8 of 12"
    assert tab.troubles == []


def test_labels_among_the_attributes(browser, tmp_path):
    """Of each label one value is chosen, the first one at the start: a colour by its button, a word from a list."""
    names = ["hair #ff0000", "hair #00ff00", "hat", HOSTILE, f"{HOSTILE.split()[0]} b"]
    settings = {"networks": ganzoo.networks.mlp, "hidden": (8,), "latent_dim": 4, "seed": 0}
    model = ganzoo.CGAN.from_paper((8, 8, 1), num_attributes=5, attribute_names=names, **settings)
    model.export(tmp_path / "a.html", format="html")
    tab = Tab(browser, tmp_path / "a.html")

    def check(row):
        found = tab.ask("async () => Array.from((await ganzoo.samples(3, 1))[0])")
        np.testing.assert_allclose(found, model.generate(1, seed=3, condition=row).ravel(), rtol=0, atol=1e-5)

    check([1.0, 0, 0, 1, 0])
    tab.page.click("[aria-label='hair #00ff00']")
    assert tab.page.get_attribute("[aria-label='hair #00ff00']", "aria-pressed") == "true"
    assert tab.page.get_attribute("[aria-label='hair #ff0000']", "aria-pressed") == "false"
    check([0.0, 1, 0, 1, 0])
    tab.page.locator("#attributes select").select_option(label="b")
    tab.slide(tab.page.locator("#attributes .slider input"), 1)
    check([0.0, 1, 1, 0, 1])
    assert tab.troubles == [] and tab.ask("document.querySelectorAll('img').length") == 0
    tab.context.close()


def test_stored_latents(open_once):
    model, tab = open_once("infogan")
    expected = model.prior(SeededNumbers(5), 16).numpy()
    for seed in (5, 105):
        found = tab.ask("(seed) => Array.from({ length: 16 }, (_, k) => Array.from(ganzoo.latents(seed, k)))", seed)
        np.testing.assert_array_equal(np.float32(found), expected)
    assert tab.page.is_hidden("#truncation")
    assert tab.changes(lambda: tab.page.click("#new-seed"))
    assert tab.troubles == []


def test_a_translator_without_latents(open_once):
    model, tab = open_once("cyclegan")
    assert tab.page.is_hidden("#seeds") and tab.page.is_hidden("#save-latents")
    assert tab.changes(lambda: drop(tab, "red.png", png((16, 16)), "image/png"))
    # Not the red one: instance normalization divides by its spread, which is rounding noise.
    image = inputs_of(model.conditions.specs(), 1)["image"]
    ask = "async (image) => Array.from((await ganzoo.samples(0, 1, null, image))[0])"
    found = tab.ask(ask, image.ravel().tolist())
    np.testing.assert_allclose(found, model.translate(image).ravel(), rtol=0, atol=1e-5)
    with tab.page.expect_download() as download:
        tab.page.keyboard.press("s")
    assert download.value.suggested_filename == "cyclegan_translated.png"
    assert tab.troubles == []


# === Models that translate ===


def png(size, colour="red"):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def drop(tab, name, content, mime):
    tab.ask(
        """([name, bytes, type]) => {
          const data = new DataTransfer();
          if (name) data.items.add(new File([Uint8Array.from(bytes)], name, { type }));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
        }""",
        [name, list(content), mime],
    )
    tab.page.wait_for_timeout(300)


def test_drawing(tabs):
    tab = tabs("translator")
    assert tab.page.is_hidden("#grid-panel") and tab.page.is_hidden("#between")

    def stroke():
        tab.drag("#input", (50, 50), (150, 190))

    blank = tab.picture()
    assert tab.changes(stroke)
    tab.slide(tab.page.locator("#width"), 6)
    assert tab.changes(stroke)
    tab.page.click("#eraser")
    assert tab.changes(stroke)
    tab.page.click("#eraser")
    assert tab.changes(lambda: tab.page.click("#undo"))
    assert tab.changes(lambda: tab.page.click("#invert"))
    tab.page.fill("#pen", "#808080")
    assert tab.changes(stroke)
    assert tab.changes(lambda: tab.page.click("#clear"))
    assert tab.picture() == blank
    assert tab.changes(lambda: tab.page.locator("#examples button").nth(2).click())
    assert tab.changes(lambda: tab.page.click("#new-seed"))


def test_pictures_are_dropped_in(tabs):
    tab = tabs("translator")
    assert tab.changes(lambda: drop(tab, "red.png", png((40, 20)), "image/png"))
    grey = tab.ask("Array.from(ganzoo.state.image)")
    np.testing.assert_allclose(grey, 255 * 0.299 / 127.5 - 1, atol=0.01)
    assert tab.changes(
        lambda: (
            tab.page.set_input_files(
                "#open", {"name": "a.png", "mimeType": "image/png", "buffer": png((9, 30), "white")}
            ),
            tab.page.wait_for_timeout(300),
        )
    )
    for name, content, words in (
        ("notes.png", b"no picture", "notes.png is no picture"),
        ("notes.txt", b"hello", "notes.txt is no picture"),
        ("", b"", "drop a picture file"),
    ):
        assert not tab.changes(lambda n=name, c=content: drop(tab, n, c, "image/png"))
        assert words in tab.status()
    assert tab.changes(lambda: tab.page.click("#invert")) and tab.status() == ""


# === What the page may not do, and what it says ===


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_went_wrong_and_nothing_left_the_page(kind, tabs, files):
    """After all that the tests above did."""
    tab = tabs(kind)
    tab.picture()
    assert tab.troubles == []
    assert {url.partition(":")[0] for url in tab.requests} <= {"file", "blob"}
    assert [url for url in tab.requests if url.startswith("file")] == [files[kind][1].as_uri()]


def test_hostile_words_run_nothing(tabs):
    tab = tabs("conditional")
    assert tab.page.inner_text("h1").startswith("</script><script>alert(1)")
    assert tab.ask("document.querySelectorAll('img').length") == 0
    assert tab.ask("[...document.scripts].filter((one) => !one.type || one.type === 'module').length") == 3
    # A script that somebody brings in is stopped by the policy.
    stopped = tab.ask(
        """() => new Promise((resolve) => {
          document.addEventListener("securitypolicyviolation", (event) => resolve(event.violatedDirective));
          const script = document.createElement("script");
          script.textContent = "window.broken = true";
          document.body.append(script);
        })"""
    )
    assert stopped.startswith("script-src") and tab.ask("window.broken") is None


@pytest.mark.parametrize("kind", ["conditional", "translator"])
def test_it_fits_a_phone(kind, browser, files):
    tab = Tab(browser, files[kind][1], NARROW)
    assert tab.ask("document.documentElement.scrollWidth") <= NARROW["width"]
    tab.picture()
    assert tab.troubles == []
    tab.context.close()


def broken(browser, path, script=None):
    tab = Tab(browser, path, script=script)
    assert tab.page.is_hidden("#app") and tab.page.get_attribute("#status", "class") == "error"
    words = tab.status()
    tab.context.close()
    return words


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99, 0.9995])
def test_a_torn_page_says_so(share, browser, files, tmp_path):
    content = files["vae"][1].read_bytes()
    (tmp_path / "torn.html").write_bytes(content[: int(len(content) * share)])
    assert "damaged or incomplete" in broken(browser, tmp_path / "torn.html")


def test_a_changed_page_says_so(browser, files, tmp_path):
    text = files["vae"][1].read_text(encoding="utf-8")
    start = text.index('id="model">') + 200
    for changed in (
        text.replace("class Model {", "class Model  {"),
        text[:start] + "AAAAAAAAAAAAAAAA" + text[start + 16 :],
        text[:start] + "?" + text[start + 1 :],
    ):
        (tmp_path / "changed.html").write_text(changed, encoding="utf-8")
        assert "damaged" in broken(browser, tmp_path / "changed.html")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("delete window.WebAssembly", "no WebAssembly"),
        ("WebAssembly.validate = () => false", "lacks WebAssembly SIMD"),
        ("delete window.DecompressionStream", "cannot unpack gzip"),
    ],
)
def test_a_browser_that_cannot_is_told(script, words, browser, files):
    said = broken(browser, files["vae"][1], script)
    assert words in said and "Firefox" in said
