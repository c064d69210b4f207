"""The presets that come with ganzoo. Imports nothing slow, for the command line."""

from pathlib import Path

METADATA = "metadata.json"

# A folder for each preset.
ZOO = Path(__file__).parent / "zoo"

# Prefixes of handles on hubs.
HUGGING_FACE, KAGGLE = "hf://", "kaggle://"


def names():
    """The names of the presets that come with ganzoo, sorted."""
    return sorted(path.parent.name for path in ZOO.glob(f"*/{METADATA}"))


def is_preset(handle):
    """Whether a string is the name of a preset that comes with ganzoo, a preset's path, or a handle on a hub."""
    text = str(handle)
    return text in names() or text.startswith((HUGGING_FACE, KAGGLE)) or (Path(text) / METADATA).is_file()
