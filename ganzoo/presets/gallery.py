"""A gallery of presets: a page with all pictures in it."""

import base64
import html

from ganzoo import pages
from ganzoo.presets import cards

PICTURES = {
    "samples.png": "Samples of seed 0, not chosen",
    "interpolation.png": "On the way from a sample to another",
    "nearest.png": "Above: samples. Below: the training image that is nearest to each. The most suspicious pairs",
}


def page(presets):
    """The page as a string.

    Args:
        presets: List of `(name, folder, metadata)`.
    """
    sections = [section(name, folder, metadata) for name, folder, metadata in presets]
    return pages.document("Presets of ganzoo", "\n".join(["<h1>Presets of ganzoo</h1>", *sections]))


def section(name, folder, metadata):
    """A preset: its pictures, its scores, and where it comes from."""
    card = metadata.get("card", {})
    figures = [picture(folder / file, words) for file, words in PICTURES.items() if (folder / file).is_file()]
    told = {"In Python": f'ganzoo.from_preset("{name}")', "Model": metadata["model"], **cards.facts(card)}
    heading = f'<h2 id="{html.escape(name)}">{html.escape(card.get("title", name))}</h2>'
    table = pages.table(list(told.items()))
    return f'<section>{heading}<div class="pictures">{"".join(figures)}</div>{table}</section>'


def picture(path, words):
    """A picture within the page."""
    data = base64.b64encode(path.read_bytes()).decode()
    return pages.figure(f"data:image/png;base64,{data}", words)
