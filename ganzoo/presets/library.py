"""Presets by name: `from_preset` and `list_presets`."""

import difflib
import os
import sys

from ganzoo import checks
from ganzoo.presets import cards, fine_tuning, folder, hubs
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


def from_preset(
    handle,
    freeze_discriminator=0,
    custom_objects=None,
    *,
    image_size=None,
    num_classes=None,
    num_attributes=None,
    class_names=None,
    attribute_names=None,
):
    """Loads a trained model by its name.

    It generates exactly the samples of the saved model. `fit` continues from its weights at step 0, with new optimizers
    that have the settings of its training.

    For data of another size or with other classes, `image_size`, `num_classes` and `num_attributes` rebuild the
    networks. All weights of the same layer and shape are kept, and a line on stderr names the others. If only the
    condition changes, only the weights that read it are new. Weights that join it to other inputs start at 0. So an
    unconditional model with new classes first makes the same samples for every class.

    Args:
        handle: String or `Path`. A name of `ganzoo.list_presets()`, the path of a folder that `model.save_to_preset`
            wrote, `"hf://user/name"` or `"kaggle://user/model/keras/variation"`. The hubs need
            `pip install 'keras-ganzoo[hub]'`.
        freeze_discriminator: Integer, number of the discriminator's first layers with weights that `fit` does not
            train. This is FreezeD, for small datasets ([Mo et al., 2020](https://arxiv.org/abs/2002.10964), Section 3).
            Defaults to `0`.
        custom_objects: Dictionary, name -> class, of your own layers. Defaults to `None`.
        image_size: Pair of integers, `(height, width)` of the images. Defaults to `None`: as in the preset.
        num_classes: Integer, the number of classes. `0` makes the model unconditional. Defaults to `None`: as in the
            preset.
        num_attributes: Integer, the number of attributes. `0` removes them. Defaults to `None`: as in the preset.
        class_names, attribute_names: Sequences of strings. Default to `None`: the names of the preset if their number
            stays, otherwise the names in the data of `fit`.

    Returns:
        A compiled `GenerativeModel`.

    Raises:
        ValueError: If there is no such preset, or a file is incomplete, changed, or of a newer format. Also if the
            networks cannot be rebuilt: the model translates images, has an encoder, or has networks of an unsupported
            family.
        ImportError: If a hub's client is not installed.

    Example:

    ```python
    model = ganzoo.from_preset("faces_16")
    ganzoo.images.save_png("faces.png", ganzoo.images.grid(model.generate(64)))

    larger = ganzoo.from_preset("faces_16", image_size=(32, 32), num_classes=3, class_names=["cat", "dog", "owl"])
    ```
    """
    changes = {"image_size": image_size, "num_classes": num_classes, "num_attributes": num_attributes}
    changes = {name: value for name, value in changes.items() if value is not None}
    path = locate(handle)
    model, new = folder.load(path, custom_objects)
    if new:
        print(
            f"The preset {path.name!r} has no weights of {', '.join(new)}: they are new. It generates as it should. "
            "For a training that goes on, they have to be learned first.",
            file=sys.stderr,
        )
    fresh = []
    if changes:
        model, fresh = fine_tuning.adapted(model, **changes, without=new)
        given = ", ".join(f"{name}={value}" for name, value in changes.items())
        print(f"The preset {path.name!r} with {given}: {in_words(fresh)}.", file=sys.stderr)
    if class_names is not None:
        model.class_names = class_names
    if attribute_names is not None:
        model.attribute_names = attribute_names
    freeze(model, freeze_discriminator, fresh)
    return model


def in_words(fresh):
    """A description of the new weights of each network."""
    networks = {}
    for name in fresh:
        network, _, layer = name.partition(" ")
        networks.setdefault(network, []).append(layer)
    listed = "; ".join(f"of the {network} {', '.join(names)}" for network, names in networks.items())
    return f"these weights are new: {listed}" if fresh else "all of its weights are kept"


def freeze(model, count, fresh=()):
    """Freezes the first layers with weights of a discriminator. `fresh` lists the new weights."""
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
    untrained = [
        each for layer in layers[:count] for each in fresh if each.split("/")[0] == f"discriminator {layer.name}"
    ]
    if untrained:
        raise ValueError(
            f"`freeze_discriminator` would freeze weights that are new: {', '.join(untrained)}. Freeze fewer layers, "
            f"or none. Received: freeze_discriminator={count}"
        )
    for layer in layers[:count]:
        layer.trainable = False


class Presets(list):
    """A list with a dictionary for each preset, printed as a table."""

    def __repr__(self):
        return cards.table(self)

    def _repr_markdown_(self):
        return cards.table(self, markdown=True)


def list_presets():
    """Lists the presets that come with ganzoo, with model, data, image size, licence, score and megabytes.

    Returns:
        List of dictionaries with the keys `name`, `model`, `data`, `image_shape`, `licence`, `score`, `megabytes`.
        It is printed as a table.
    """
    return Presets(cards.row(name, ZOO / name, folder.read_metadata(ZOO / name)) for name in names())
