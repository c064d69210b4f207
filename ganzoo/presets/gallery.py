"""A gallery of presets: one HTML page with all pictures in it, or a page of the documentation."""

import base64
import hashlib
import html
import textwrap

from ganzoo import pages
from ganzoo.presets import cards

PICTURES = {
    "samples.png": "Samples of seed 0, not chosen",
    "interpolation.png": "Each row: from one sample to another",
    "nearest.png": "Above: samples. Below: the training image that is nearest to each. The most suspicious pairs",
}

INTRODUCTION = """# The gallery

Every preset that comes with ganzoo: samples that nobody chose, the way from sample to sample, and the samples that
look most like a training image. The numbers are measured against images that the training never saw, with their 95 %
intervals; [metrics](metrics.md) explains each. [The zoo](zoo.md) tells how to use a preset, and how to make your
own.

You can play with the models in this page. They run in your browser: nothing is sent anywhere, and it works from a
folder on your disk too."""


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
    figures = [picture(folder / file, words) for file, words in pictures_of(folder).items()]
    told = facts_of(name, metadata) | cards.scores_in_words(card)
    heading = f'<h2 id="{html.escape(name)}">{html.escape(card.get("title", name))}</h2>'
    table = pages.table(list(told.items()))
    return f'<section>{heading}<div class="pictures">{"".join(figures)}</div>{table}</section>'


def picture(path, words):
    """A picture within the page."""
    data = base64.b64encode(path.read_bytes()).decode()
    return pages.figure(f"data:image/png;base64,{data}", words)


def facts_of(name, metadata):
    """What a gallery says of a preset, in the order of its lines."""
    told = {
        "In Python": f'ganzoo.from_preset("{name}").generate(64{metadata.get("card", {}).get("generate", "")})',
        "Model": f"{metadata['model']}, images {' x '.join(map(str, metadata['image_shape']))}",
        "Condition": cards.conditions_in_words(metadata),
    }
    return {title: text for title, text in told.items() if text} | cards.facts(metadata.get("card", {}))


def pictures_of(folder):
    """The pictures of a preset's folder and what they show: those that each preset has first."""
    others = sorted(path.name for path in folder.glob("*.png") if path.name not in PICTURES)
    words = PICTURES | {name: name.removesuffix(".png").replace("_", " ").capitalize() for name in others}
    return {name: text for name, text in words.items() if (folder / name).is_file()}


def digest(folder):
    """The sha256 of what a preset is: its weights, networks and card."""
    found = hashlib.sha256()
    for name in ("model.weights.h5", "config.json", "metadata.json"):
        found.update((folder / name).read_bytes())
    return found.hexdigest()


# === A page of the documentation ===


def markdown(presets, images="images/zoo", explorers=None):
    """The page as Markdown, whose pictures lie beside it.

    Args:
        presets: List of `(name, folder, metadata)`.
        images: String, the folder of the pictures, as seen from the page. Defaults to `"images/zoo"`.
        explorers: Dictionary, name of a preset -> bytes of the page that is its model, in the folder `explore`.
            Defaults to `None`: there are no such pages.

    Returns:
        The text, and the pictures as a dictionary, name of a file -> path of its original.
    """
    sections, files = [INTRODUCTION], {}
    for name, folder, metadata in presets:
        card = metadata.get("card", {})
        found = {f"{name}_{file}": words for file, words in pictures_of(folder).items()}
        files |= {file: folder / file.removeprefix(f"{name}_") for file in found}
        lines = [f"## {card.get('title', name)} {{ #{name} }}", ""]
        for file, words in found.items():
            lines += [f"![{words}]({images}/{file})", "", f"*{words}.*", ""]
        if name in (explorers or {}):
            size = f"{explorers[name] / 1e6:.1f} MB, and once 5 MB for all models."
            lines += [f"[Play with this model](explore/{name}.html){{ .md-button .explorer }} {size}", ""]
        lines += ["| | |", "|---|---|"]
        lines += [f"| {title} | {in_code(title, text)} |" for title, text in facts_of(name, metadata).items()]
        lines += [f"| {title.replace('_', ' ')} | {text} |" for title, text in cards.scores_in_words(card).items()]
        lines += ["", *textwrap.wrap(card["protocol"], 120)] if card.get("protocol") else []
        sections.append("\n".join(lines))
    return "\n\n".join(sections) + "\n", files


def in_code(title, text):
    """A fact as it stands in a table of Markdown: commands in code."""
    return f"`{text}`" if title in ("In Python", "Recipe") else str(text).replace("|", "\\|")
