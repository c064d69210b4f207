"""The page of a training, `index.html` in its folder, with the pictures beside it."""

import html
from pathlib import Path

from ganzoo import files, pages


def write(folder, title, facts, scores, commands):
    """Writes the page.

    Args:
        folder: Path of the training's folder.
        title: String.
        facts: List of `(name, text)`.
        scores: List of `(name, before, after)`, three strings each.
        commands: List of strings, commands to run next.

    Returns:
        `Path` of the page.
    """
    folder = Path(folder)
    grids = sorted((folder / "samples").glob("epoch_*.png"))
    pictures = {grid: "Samples at the end, not chosen" for grid in grids[-1:]}
    pictures[folder / "samples" / "training.gif"] = "The same latents, epoch after epoch"
    pictures[folder / "learning_curve.png"] = "All logged values"
    figures = [
        pages.figure(path.relative_to(folder).as_posix(), words) for path, words in pictures.items() if path.is_file()
    ]
    body = [f"<h1>{html.escape(title)}</h1>", *figures[:1], pages.table(facts)]
    if scores:
        body += ["<h2>Scores</h2>", pages.table([("", "before", "after"), *scores])]
    body += [*figures[1:], "<h2>Next</h2>", f"<pre>{html.escape(chr(10).join(commands))}</pre>"]
    page = folder / "index.html"
    with files.replacing(page) as temporary:
        temporary.write_text(pages.document(title, "\n".join(body)), encoding="utf-8")
    return page
