"""Presets by name: `from_preset` and `list_presets`."""

import difflib
import os
import sys

from ganzoo import checks
from ganzoo.presets import cards, folder, hubs
from ganzoo.presets.shelf import ZOO, names


def locate(handle):
    """The folder of a preset, a `Path`.

    Args:
        handle: A name of `list_presets`, a path, or a handle of a hub.

    Raises:
        ValueError: If there is no such preset.
    """
    if isinstance(handle, str) and handle in names():
        return ZOO / handle
    if isinstance(handle, str) and hubs.is_handle(handle):
        return hubs.download(handle)
    path = checks.path("handle", handle)
    if path.is_dir():
        return path
    if path.is_file():
        raise ValueError(
            f"{os.fspath(handle)!r} is a file, and a preset is a folder. A .keras file is read by "
            "keras.saving.load_model; `model.save_to_preset` makes a preset of the model."
        )
    if "://" in str(handle):
        raise ValueError(f"Unknown kind of handle {handle!r}. A hub is named as in hf://user/name or kaggle://...")
    close = difflib.get_close_matches(str(handle), names())
    hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    raise ValueError(
        f"There is no preset {os.fspath(handle)!r}, and no folder of this name.{hint} Presets that come with ganzoo: "
        f"{', '.join(names())}. Others: a path, hf://user/name, kaggle://user/model/keras/variation."
    )


def from_preset(handle, freeze_discriminator=0, custom_objects=None):
    """A trained model by its name.

    It generates as the model that was saved, to the bit, and `fit` goes on from its weights: new optimizers with the
    settings of its training, and the step 0.

    Args:
        handle: String or `Path`: a name of `ganzoo.list_presets()`; the path of a folder that `model.save_to_preset`
            wrote; `"hf://user/name"` or `"kaggle://user/model/keras/variation"`, which need
            `pip install 'keras-ganzoo[hub]'`.
        freeze_discriminator: Integer, how many of the discriminator's layers with weights stay as they are in `fit`,
            the first ones: FreezeD, for small datasets
            ([Mo et al., 2020](https://arxiv.org/abs/2002.10964), Section 3). Defaults to `0`.
        custom_objects: Dictionary, name -> class, of layers of your own. Defaults to `None`.

    Returns:
        A compiled `GenerativeModel`.

    Raises:
        ValueError: If there is no such preset, or a file of it is torn, changed, or of a newer format.
        ImportError: If a hub's client is not installed.

    Example:

    ```python
    model = ganzoo.from_preset("faces_16")
    ganzoo.images.save_png("faces.png", ganzoo.images.grid(model.generate(64)))
    ```
    """
    path = locate(handle)
    model, new = folder.load(path, custom_objects)
    if new:
        print(
            f"The preset {path.name!r} has no weights of {', '.join(new)}: they are new. It generates as it should. "
            "For a training that goes on, they have to be learned first.",
            file=sys.stderr,
        )
    freeze(model, freeze_discriminator)
    return model


def freeze(model, count):
    """Freezes the first layers of a discriminator that have weights."""
    count = checks.integer("freeze_discriminator", count, least=0)
    if not count:
        return
    discriminator = getattr(model, "discriminator", None)
    layers = [layer for layer in getattr(discriminator, "layers", ()) if layer.weights]
    if count >= len(layers):
        raise ValueError(
            f"`freeze_discriminator` must be less than the number of layers with weights, {len(layers)}: the last has "
            f"to learn. Received: freeze_discriminator={count}"
        )
    for layer in layers[:count]:
        layer.trainable = False


class Presets(list):
    """A dictionary for each preset, printed as a table."""

    def __repr__(self):
        return cards.table(self)

    def _repr_markdown_(self):
        return cards.table(self, markdown=True)


def list_presets():
    """The presets that come with ganzoo: model, data, size of the images, licence, score, megabytes.

    Returns:
        List of dictionaries with the keys `name`, `model`, `data`, `image_shape`, `licence`, `score`, `megabytes`.
        It is printed as a table.
    """
    return Presets(cards.row(name, ZOO / name, folder.read_metadata(ZOO / name)) for name in names())
