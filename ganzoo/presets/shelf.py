"""Which presets come with ganzoo. Imports nothing heavy: the command line asks before it imports TensorFlow."""

from pathlib import Path

METADATA = "metadata.json"

# A folder for each preset.
ZOO = Path(__file__).parent / "zoo"

# What a handle on a hub begins with.
HUGGING_FACE, KAGGLE = "hf://", "kaggle://"


def names():
    """The names of the presets that come with ganzoo, sorted."""
    return sorted(path.parent.name for path in ZOO.glob(f"*/{METADATA}"))


def is_preset(handle):
    """Whether a string is the name of a preset that comes with ganzoo, a preset's path, or a handle on a hub."""
    text = str(handle)
    return text in names() or text.startswith((HUGGING_FACE, KAGGLE)) or (Path(text) / METADATA).is_file()
