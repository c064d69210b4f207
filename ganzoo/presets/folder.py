"""A preset is a folder: `config.json`, `metadata.json`, `model.weights.h5`, and a card, `README.md`.

The names are the same as in KerasHub. `metadata.json` holds the version of the format, the sha256 of the other two
files, and the content of the card as JSON values.
"""

import hashlib
import json
import time

import keras

from ganzoo import checks, files
from ganzoo.presets import cards, weights
from ganzoo.presets.shelf import METADATA
from ganzoo.version import __version__

CONFIG, WEIGHTS, CARD = "config.json", "model.weights.h5", "README.md"
FILES = (CONFIG, METADATA, WEIGHTS)

# Incremented when older versions of ganzoo cannot read the new files.
FORMAT = 1

DTYPES = (None, "float16", "float32")


def save(model, path, discriminator=True, dtype=None, card=None):
    """Writes a preset. See `GenerativeModel.save_to_preset`."""
    path = checks.path("path", path)
    dtype = checks.choice("dtype", dtype, DTYPES)
    discriminator = checks.boolean("discriminator", discriminator)
    parts = [part for part in weights.parts_of(model) if discriminator or not weights.is_judge(part)]
    config = keras.saving.serialize_keras_object(model)
    if dtype is not None:
        config = in_full_precision(config)
    path.mkdir(parents=True, exist_ok=True)
    with files.replacing(path / CONFIG) as temporary:
        temporary.write_text(json.dumps(config) + "\n")
    with files.replacing(path / WEIGHTS) as temporary:
        weights.write(model, temporary, parts, dtype)
    variables = [variable for part in parts for variable in weights.parts_of(model)[part]]
    # The hashes show if a preset is incomplete because its save was interrupted.
    metadata = {
        "format": FORMAT,
        "model": type(model).__name__,
        "image_shape": list(model.image_shape),
        "conditions": model.conditions.card(),
        "parts": parts,
        "parameters": int(sum(variable.value.shape.num_elements() for variable in variables)),
        "step": model.steps_done,
        "date_saved": time.strftime("%Y-%m-%d"),
        "versions": {"ganzoo": __version__, "keras": keras.__version__},
        "sha256": {name: sha256(path / name) for name in (CONFIG, WEIGHTS)},
        "card": cards.plain(card),
    }
    with files.replacing(path / METADATA) as temporary:
        temporary.write_text(json.dumps(metadata, indent=1) + "\n")
    with files.replacing(path / CARD) as temporary:
        temporary.write_text(cards.markdown(path.name, metadata))
    return path


def in_full_precision(config):
    """The config of a model, changed to compute in float32 even if it was trained in half precision."""
    if isinstance(config, list):
        return [in_full_precision(value) for value in config]
    if not isinstance(config, dict):
        return config
    inner = config.get("config")
    if config.get("class_name") == "DTypePolicy":
        return {**config, "config": {**inner, "name": "float32"}}
    if config.get("class_name") == "LossScaleOptimizer":
        return in_full_precision(inner["inner_optimizer"])
    return {key: in_full_precision(value) for key, value in config.items()}


def sha256(path):
    """The hash of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_metadata(path):
    """The metadata of a preset, checked.

    Raises:
        ValueError: If the folder is not a preset, or has a newer format.
    """
    missing = [name for name in FILES if not (path / name).is_file()]
    if missing:
        raise ValueError(
            f"{str(path)!r} is no preset: it lacks {', '.join(missing)}. A preset is a folder that "
            "`model.save_to_preset` writes; a .keras file is read by keras.saving.load_model."
        )
    metadata = read_json(path / METADATA)
    version = metadata.get("format") if isinstance(metadata, dict) else None
    if not isinstance(version, int):
        raise ValueError(f"{str(path / METADATA)!r} does not tell the format of the preset. Was it written by ganzoo?")
    if version > FORMAT:
        raise ValueError(
            f"The preset {str(path)!r} has the format {version}, and this version of ganzoo ({__version__}) reads "
            f"formats up to {FORMAT}. Update it: pip install --upgrade keras-ganzoo"
        )
    return metadata


def read_json(path):
    """The content of a JSON file."""
    try:
        return json.loads(path.read_text())
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{str(path)!r} cannot be read: {error}. The file is damaged: get the preset again.") from None


def load(path, custom_objects=None):
    """The model of a preset, compiled.

    Args:
        path: `Path` of the folder.
        custom_objects: Dictionary, name -> class of your own. Defaults to `None`.

    Returns:
        `(model, names of the parts with new weights)`.

    Raises:
        ValueError: If a file is missing, damaged, or of a newer format.
    """
    metadata = read_metadata(path)
    for name, expected in metadata.get("sha256", {}).items():
        if name not in FILES:
            raise ValueError(f"{str(path / METADATA)!r} has the hash of {name!r}, which is no file of a preset.")
        if sha256(path / name) != expected:
            raise ValueError(
                f"{str(path / name)!r} is not the file that was saved: its sha256 differs from that in {METADATA}. It "
                "is torn or was changed: get the preset again."
            )
    model = deserialize(read_json(path / CONFIG), path / CONFIG, custom_objects)
    return model, weights.read(model, path / WEIGHTS)


def deserialize(config, path, custom_objects=None):
    """The compiled model of a config, with new weights."""
    if custom_objects is not None and not isinstance(custom_objects, dict):
        raise checks.refusal("custom_objects", custom_objects, "a dictionary, name -> class", optional=True)
    model = keras.saving.deserialize_keras_object(config, custom_objects=custom_objects, safe_mode=True)
    if not hasattr(model, "save_to_preset"):
        raise ValueError(f"{str(path)!r} describes no model of ganzoo. Received: {type(model).__name__}")
    return model
