"""The figures of docs/play in Chromium: they compute what ganzoo and the experiments do, and their controls work."""

from pathlib import Path

import bilinear_game
import numpy as np
import parallel_lines
import pytest
from scipy.special import erf

from ganzoo import divergences
from tests.browser import launched, needs_chromium

ROOT = Path(__file__).parent.parent.parent
PLAY = ROOT / "docs" / "play"
pytestmark = [
    needs_chromium,
    pytest.mark.skipif(not PLAY.is_dir(), reason="The documentation is not there: this is an installed package."),
]

FIGURES = ("bilinear_game", "parallel_lines")
WIDTHS = (0.0, 0.1, 0.3, 0.6)
THETAS = (-2.0, -0.3, 0.0, 0.01, 1.0, 2.0)


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(browser, tmp_path_factory):
    """Opens a figure without its site: dictionary, name -> page; and a list of what went wrong."""
    folder, troubles, opened = tmp_path_factory.mktemp("play"), [], {}
    for name in FIGURES:
        scripts = "".join(f'<script src="{(PLAY / file).as_uri()}"></script>' for file in ("plot.js", f"{name}.js"))
        style = f'<link rel="stylesheet" href="{(PLAY / "play.css").as_uri()}">'
        place = f'<div class="play" data-play="{name}"></div>'
        page = f'<!doctype html><meta charset="utf-8">{style}{place}{scripts}'
        (folder / f"{name}.html").write_text(page)
        opened[name] = browser.new_context(viewport={"width": 390, "height": 844}, offline=True).new_page()
        opened[name].on("console", lambda message: troubles.append(message.text))
        opened[name].on("pageerror", lambda error: troubles.append(str(error)))
        opened[name].on("request", lambda request: request.url.startswith("file") or troubles.append(request.url))
        opened[name].goto((folder / f"{name}.html").as_uri())
        opened[name].wait_for_selector(".play-plot")
    yield opened
    assert troubles == []


@pytest.fixture
def game(pages):
    return pages["bilinear_game"]


@pytest.fixture
def lines(pages):
    return pages["parallel_lines"]


# === The game ===


def path(page, name, steps=60, start=(1.0, 0.0), **settings):
    found = page.evaluate("(given) => play.bilinearGame.path(...given)", [name, settings, steps, list(start)])
    return np.array(found, "float64")


@pytest.mark.parametrize("name", bilinear_game.NAMES)
def test_paths_and_factors_are_those_of_the_experiment(name, game):
    for rate in (0.05, 0.5, 0.56, 0.9):
        expected = bilinear_game.play(name, rate, 0.7, 300, np.array([0.4, -1.1]))
        found = path(game, name, 300, (0.4, -1.1), rate=rate, gamma=0.7)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
        factor = game.evaluate(
            "([name, settings]) => play.bilinearGame.factor(name, settings)",
            [
                name,
                {"rate": rate, "gamma": 0.7},
            ],
        )
        if name == "averaged":
            assert factor is None
            continue
        np.testing.assert_allclose(factor, bilinear_game.predicted_factor(name, rate, 0.7), rtol=1e-7)
        observed = game.evaluate("(points) => play.bilinearGame.observed(points)", found.tolist())
        np.testing.assert_allclose(observed, bilinear_game.observed_factor(expected), rtol=1e-9)


def test_extragradient_by_hand(game):
    """With z = a + ib, F(z) = i z: z <- z + ih (z + ih z) = (1 - h^2 + ih) z."""
    for rate in (0.2, 0.9):
        powers = (1 - rate**2 + 1j * rate) ** np.arange(61)
        found = path(game, "extragradient", rate=rate)
        np.testing.assert_allclose(found, np.stack([powers.real, powers.imag], axis=1), rtol=1e-9, atol=1e-12)
        factor = game.evaluate("(rate) => play.bilinearGame.factor('extragradient', { rate })", rate)
        np.testing.assert_allclose(factor, abs(powers[1]), rtol=1e-12)


def test_clipping_is_that_of_a_wgan(game):
    expected = bilinear_game.play_as_wgan(0.2, 60, clip_value=0.5)
    found = path(game, "clipped", rate=0.2, clip=0.5)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(found[1:, 0]).max() == 0.5 and np.abs(found[-20:, 0]).max() > 0.4
    kept = [game.evaluate("(a) => play.bilinearGame.ellipse(a, { rate: 0.2 })", list(point)) for point in found]
    # By hand: a^2 + b^2 - h a b is kept where nothing is cut off, and a cut towards c lowers it (b > -2 c / h).
    assert np.all(np.diff(kept) <= 1e-12) and kept[-1] < 0.3 < kept[0]


def test_the_controls_of_the_game(game):
    def verdict(rule):
        game.check(f"input[value={rule}]")
        return game.inner_text(".play-verdict")

    assert verdict("optimistic") == ("It arrives. Factor per step: √((1 + √(1 − 4h²)) / 2) = 0.9789, observed 0.9789.")
    assert verdict("alternating") == "It orbits. Factor per step: 1, observed 1.0000."
    assert verdict("averaged").startswith("The distance of the average falls as 1 / steps.")
    assert game.is_hidden("text=Penalty γ") and "It arrives" in verdict("penalised")
    game.locator("label:has-text('Penalty γ') input").fill("0")
    assert "It spirals out" in game.inner_text(".play-verdict")
    assert "does not arrive" in verdict("clipped")
    assert "√(1 + h²) = 1.0198" in verdict("simultaneous")
    # The start moves by the arrow keys, and by a drag.
    plane = game.get_by_role("application")
    before = plane.inner_html()
    plane.press("ArrowUp")
    moved = plane.inner_html()
    assert moved != before
    box = plane.bounding_box()
    game.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert plane.inner_html() != moved
    game.click("text=Start at (1, 0)")
    assert plane.inner_html() == before
    game.click("text=Play")
    assert game.inner_text("button >> nth=0") == "Stop"
    game.click("text=Stop")
    assert game.inner_text("button >> nth=0") == "Play"


# === The lines ===


@pytest.mark.parametrize("width", WIDTHS)
def test_distances_are_those_of_the_package(width, lines):
    for theta in THETAS:
        found = lines.evaluate("(given) => play.parallelLines.masses(...given)", [theta, width])
        places, p, q = (np.array(found[name]) for name in ("places", "p", "q"))
        # JSON has no infinity.
        ask = "(given) => Object.fromEntries(Object.entries(play.parallelLines.distances(...given)).map("
        values = lines.evaluate(f"{ask} ([name, value]) => [name, String(value)]))", [theta, width])
        values = {name: float(value.replace("Infinity", "inf")) for name, value in values.items()}
        expected = {
            "KL": max(divergences.kl(p, q), divergences.reverse_kl(p, q)),
            "JS": divergences.jensen_shannon(p, q),
            "TV": divergences.total_variation(p, q),
            "W": divergences.wasserstein_1d(places, places, x_weights=p, y_weights=q),
        }
        if width == 0:
            of_experiment = parallel_lines.distances(theta)
            assert expected == pytest.approx(of_experiment, abs=1e-12)
        for name, value in values.items():
            np.testing.assert_allclose(value, expected[name], rtol=1e-9, atol=1e-12, err_msg=f"{name}, theta {theta}")


def test_with_noise_by_closed_form(lines):
    for theta, s in ((0.5, 0.3), (-2.0, 0.6), (1.0, 0.2)):
        found = lines.evaluate("(given) => play.parallelLines.distances(...given)", [theta, s])
        closed = {"KL": theta**2 / (2 * s**2), "TV": erf(abs(theta) / (s * np.sqrt(8))), "W": abs(theta)}
        for name, value in closed.items():
            np.testing.assert_allclose(found[name], value, rtol=2e-4, err_msg=name)


def test_only_wasserstein_arrives(lines):
    ask = "(given) => play.parallelLines.descend(...given).at(-1)"
    for name, end in (("W", 0.0), ("JS", 1.0), ("TV", 1.0), ("KL", 1.0)):
        np.testing.assert_allclose(lines.evaluate(ask, [name, 1, 0, 0.01, 220]), end, atol=0.011)
    # KL with noise: theta times 1 - h / s^2 in each step.
    np.testing.assert_allclose(lines.evaluate(ask, ["KL", 1, 0.5, 0.01, 20]), (1 - 0.01 / 0.25) ** 20, rtol=1e-4)


def test_the_controls_of_the_lines(lines):
    def rows():
        cells = lines.locator(".play-table tbody tr td").all_inner_texts()
        return dict(zip(("W", "JS", "TV", "KL"), zip(cells[::2], cells[1::2], strict=True), strict=True))

    assert rows() == {"W": ("1", "1"), "JS": ("0.6931", "0"), "TV": ("1", "0"), "KL": ("∞", "none")}
    plot = lines.get_by_role("application")
    plot.press("ArrowLeft")
    assert rows()["W"] == ("0.95", "1")
    box = plot.bounding_box()
    lines.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2)
    assert rows()["W"][1] == "−1"
    lines.check("input[value=JS]")
    assert "does not move: the slope is 0" in lines.inner_text(".play-verdict")
    lines.check("input[value=KL]")
    assert "KL is infinite" in lines.inner_text(".play-verdict")
    lines.locator("label:has-text('Noise') input").fill("0.5")
    lines.click("text=Back to 1")
    assert rows()["KL"] == ("2", "4")  # theta^2 / (2 s^2), and theta / s^2.
    assert "a generator can follow it" in lines.inner_text(".play-verdict")
    lines.click("text=Descend")
    lines.wait_for_function("document.querySelector('.play-verdict').textContent.includes('steps: theta from 1 to 0')")


@pytest.mark.parametrize("name", FIGURES)
def test_they_fit_a_phone_and_have_names(name, pages):
    page = pages[name]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    names = page.locator(".play-plot").evaluate_all("(plots) => plots.map((plot) => plot.getAttribute('aria-label'))")
    assert all(names) and page.locator("fieldset legend").inner_text()
    assert page.locator("label.play-slider").count() >= 2
    place = f'<div class="play" data-play="{name}">'
    assert place in (ROOT / "docs" / "theory" / f"{name}.md").read_text()
