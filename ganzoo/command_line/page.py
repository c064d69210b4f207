"""The page of a training: `index.html` in its folder, with the pictures that lie beside it."""

import html
from pathlib import Path

from ganzoo import files

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
img { max-width: 100%; height: auto; image-rendering: pixelated; background: #fff; }
img.curve { image-rendering: auto; }
figure { margin: 1.5rem 0; }
figcaption { color: GrayText; }
pre { overflow-x: auto; padding: .75rem; background: color-mix(in srgb, currentColor 8%, transparent); }
table { border-collapse: collapse; }
td, th { padding: .2rem 1rem .2rem 0; text-align: left; }
"""


def write(folder, title, facts, scores, commands):
    """Writes the page.

    Args:
        folder: Path of the training's folder.
        title: String.
        facts: List of `(name, text)`.
        scores: List of `(name, before, after)`, three strings each.
        commands: List of strings, what to do next.

    Returns:
        `Path` of the page.
    """
    folder = Path(folder)
    grids = sorted((folder / "samples").glob("epoch_*.png"))
    pictures = [(path, f"Samples {words}, not chosen", "") for path, words in zip(grids[-1:], ["at the end"])]
    pictures += [(folder / "samples" / "training.gif", "The same latents, epoch after epoch", "")]
    pictures += [(folder / "learning_curve.png", "All logged values", "curve")]
    parts = [figure(path.relative_to(folder), text, kind) for path, text, kind in pictures if path.is_file()]
    rows = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>" for name, text in facts)
    body = [f"<h1>{html.escape(title)}</h1>", *parts[:1], f"<table>{rows}</table>"]
    if scores:
        body.append(table_of(scores))
    body += [*parts[1:], "<h2>Next</h2>", f"<pre>{html.escape(chr(10).join(commands))}</pre>"]
    page = folder / "index.html"
    with files.replacing(page) as temporary:
        temporary.write_text(document(title, "\n".join(body)), encoding="utf-8")
    return page


def document(title, body):
    """A whole page of HTML that needs nothing from elsewhere."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def figure(path, text, kind):
    """A picture with its caption, which is its alternative text as well."""
    text = html.escape(text)
    source = html.escape(path.as_posix())
    return f'<figure><img class="{kind}" src="{source}" alt="{text}"><figcaption>{text}</figcaption></figure>'


def table_of(scores):
    """The scores before and after the training."""
    cells = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(before)}</td><td>{html.escape(after)}</td></tr>"
        for name, before, after in scores
    )
    return f"<h2>Scores</h2><table><tr><th></th><th>before</th><th>after</th></tr>{cells}</table>"
