"""The description of a preset: its card, with the front matter for hubs, and its line in the list."""

import dataclasses

from ganzoo import checks

COLUMNS = ("name", "model", "data", "image_shape", "licence", "score", "megabytes")


def plain(card):
    """A card as JSON values. Its scores may be `ganzoo.metrics.Score`s."""
    if card is not None and not isinstance(card, dict):
        raise checks.refusal("card", card, "a dictionary, such as {'data': 'my photos', 'licence': 'CC0 1.0'}", True)
    card = dict(card or {})
    if "scores" in card:
        card["scores"] = [dataclasses.asdict(s) if dataclasses.is_dataclass(s) else s for s in card["scores"]]
    return card


def facts(card):
    """The content of a card except its scores, as a dictionary of strings."""
    told = {
        "Data": card.get("data_text") or card.get("data"),
        "Licence": card.get("licence"),
        "Recipe": card.get("command"),
        "Training": card.get("training"),
        "Limits": card.get("limits"),
    }
    return {name: text for name, text in told.items() if text}


def scores_in_words(card):
    """The scores of a card, name -> value with its interval."""
    return {score["name"]: in_words(score).partition(" ")[2] for score in card.get("scores", [])}


def row(name, path, metadata):
    """A line of the list of presets, a dictionary with the keys `COLUMNS`."""
    card = metadata.get("card", {})
    scores = card.get("scores", [])
    size = sum(file.stat().st_size for file in path.iterdir() if file.is_file())
    return {
        "name": name,
        "model": metadata["model"],
        "data": card.get("data", ""),
        "image_shape": tuple(metadata["image_shape"]),
        "licence": card.get("licence", ""),
        "score": in_words(scores[0]) if scores else "",
        "megabytes": round(size / 1e6, 1),
    }


def table(rows, markdown=False):
    """Rows as a table of text."""
    cells = [[str(row[column]) for column in COLUMNS] for row in rows]
    titles = ["image" if column == "image_shape" else column for column in COLUMNS]
    titles[-1] = "MB"
    if markdown:
        lines = [titles, ["---"] * len(titles), *cells]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
    widths = [max(len(line[i]) for line in [titles, *cells]) for i in range(len(titles))]
    lines = [titles, ["-" * width for width in widths], *cells]
    return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths)).rstrip() for line in lines)


def in_words(score):
    """A score of a card with its interval."""
    low, high = score.get("interval") or (None, None)
    interval = "" if low is None else f" [{low:.4g}, {high:.4g}]"
    return f"{score['name']} {score['value']:.4g}{interval}"


def markdown(name, metadata):
    """The card of a preset, the text of its `README.md`."""
    card = metadata.get("card", {})
    lines = [
        "---",
        "library_name: keras",
        f"license: {card.get('licence_id', 'other')}",
        f"tags: [ganzoo, {metadata['model']}, image-generation]",
        "---",
        "",
        f"# {card.get('title', name)}",
        "",
    ]
    if card.get("picture"):
        lines += [f"![{card.get('alt', 'Samples, not chosen')}]({card['picture']})", ""]
    if card.get("text"):
        lines += [card["text"].strip(), ""]
    shape = " x ".join(map(str, metadata["image_shape"]))
    lines += [
        "```python",
        "import ganzoo",
        "",
        f'model = ganzoo.from_preset("{name}")',
        f"images = model.generate(64{card.get('generate', '')})",
        "```",
        "",
        "| | |",
        "| --- | --- |",
        f"| Model | `{metadata['model']}`, images {shape}, {metadata['parameters']:,} weights |",
    ]
    facts = {
        "Condition": conditions_in_words(metadata),
        "Data": card.get("data_text") or card.get("data"),
        "Licence": card.get("licence"),
        "Recipe": f"`{card['command']}`" if card.get("command") else None,
        "Training": card.get("training"),
        "Limits": card.get("limits"),
    }
    lines += [f"| {title} | {text} |" for title, text in facts.items() if text]
    if card.get("scores"):
        lines += [
            "",
            "| Score | Value | 95 % interval | Real, generated | Features |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [score_line(score) for score in card["scores"]]
        if card.get("protocol"):
            lines += ["", card["protocol"].strip()]
    return "\n".join([*lines, ""])


def conditions_in_words(metadata):
    """The conditions that a preset takes, or `None` if there are no conditions."""
    return " and ".join(map(condition_in_words, metadata.get("conditions", {}).values())) or None


def condition_in_words(card):
    """A condition in words, from its card."""
    if card["kind"] == "label":
        names = card["class_names"] or [f"0 to {card['num_classes'] - 1}"]
        return f"a label: {', '.join(names)}"
    if card["kind"] == "image":
        return f"an image, {' x '.join(map(str, card['shape']))}"
    values = {}
    for name in card["attribute_names"] or ():
        label, _, value = name.partition(" ")
        values.setdefault(label, []).append(value)
    told = [f"{label} ({', '.join(words)})" if words != [""] else label for label, words in values.items()]
    return f"{card['count']} attributes{': ' * bool(told)}{', '.join(told)}"


def score_line(score):
    """A score as a line of the card's table."""
    low, high = score.get("interval") or (None, None)
    interval = "" if low is None else f"{low:.4g} to {high:.4g}"
    counts = ", ".join(f"{count:,}" for count in (score.get("num_real"), score.get("num_fake")) if count)
    return f"| {score['name']} | {score['value']:.4g} | {interval} | {counts} | {score.get('features') or ''} |"
