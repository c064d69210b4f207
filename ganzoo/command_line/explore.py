"""The command `ganzoo explore`. Its flags are in `ganzoo/command_line/commands.py`."""

from pathlib import Path

from ganzoo.command_line.evaluate import check_shape, first_elements, load
from ganzoo.command_line.models import load_model
from ganzoo.export.page import blocks
from ganzoo.presets import cards, folder, library, shelf


def run(options):
    """Writes the page with the options, an object that has the values of the flags as attributes."""
    model, _ = load_model(options.model)
    title, card = about(options.model)
    output = Path(options.output)
    settings = {"title": options.title or title, "card": card, "shared_runtime": options.shared_runtime}
    model.export(output, format="html", **settings, **training(model, options))
    size = output.stat().st_size / 1e6
    beside = f" It needs {blocks.SHARED} beside it." if options.shared_runtime else ""
    print(f"Wrote {output}, {size:.1f} MB.{beside} Open it in a browser: {output.resolve().as_uri()}")


def about(path):
    """The title and the card of a preset. For another model, its name."""
    if not shelf.is_preset(path):
        return Path(path).stem, None
    metadata = folder.read_metadata(library.locate(path))
    card = metadata.get("card", {})
    return card.get("title", Path(path).name), cards.facts(card) | cards.scores_in_words(card)


def training(model, options):
    """The training images of the options, as arguments of the page."""
    if options.dataset is None:
        return {}
    images, second = first_elements(load(options, model.image_shape), options.num_real)
    if model.conditions.translates:
        check_shape("takes images", model.conditions.image_shape, images, options)
        return {"training_images": images}
    check_shape("makes samples", model.image_shape, images, options)
    has_labels = second is not None and second.ndim == 1
    return {"training_images": images, "training_labels": second if has_labels else None}
