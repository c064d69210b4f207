"""The datasets that a command can name: their flags, and what can be refused without reading them."""

import difflib
import importlib.util
import os
from pathlib import Path

from absl import flags

DATASETS = {
    "images": ("mnist_10k", "fashion_mnist_10k", "faces_10k"),
    "pairs": ("openmoji_pairs", "fashion_edges_10k"),
    "points": ("ring", "grid", "swiss_roll"),
}
DATA = """mnist_10k, fashion_mnist_10k and faces_10k come with the package; ring, grid and swiss_roll are toys; a path
is a folder of images or an .npz file; anything else is a name of tensorflow-datasets (pip install
'keras-ganzoo[tfds]')."""


def define_reading(values):
    """Defines the flags that say how a dataset is read."""
    flags.DEFINE_string("data_dir", None, "Where tensorflow-datasets keeps its data.", flag_values=values)
    flags.DEFINE_string(
        "manual_dir",
        None,
        "Where archives lie that were downloaded by hand, for tensorflow-datasets.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "image_size",
        None,
        "Resize to this height and width. Default: the data's own size.",
        lower_bound=1,
        flag_values=values,
    )


def check_data(name, dataset):
    """Stops if a dataset is certain not to be there: a missing path, or an unknown name without tensorflow-datasets."""
    known = [each for names in DATASETS.values() for each in names]
    if dataset in known:
        return
    if os.sep in dataset or "/" in dataset or dataset.endswith(".npz"):
        if not Path(dataset).exists():
            kind = "file" if dataset.endswith(".npz") else "folder"
            raise SystemExit(f"--{name}={dataset}: there is no {kind} {dataset!r}.")
    elif importlib.util.find_spec("tensorflow_datasets") is None:
        raise SystemExit(
            f"--{name}={dataset}: there is no dataset {dataset!r} in ganzoo.{close_to(dataset, known)} It has "
            f"{', '.join(known)}. A folder is given with a slash, as ./{dataset}. Names of tensorflow-datasets need: "
            "pip install 'keras-ganzoo[tfds]'."
        )


def close_to(name, known):
    """A sentence with the known names that are spelled like a name, or nothing."""
    close = difflib.get_close_matches(name, known)
    return f" Did you mean {' or '.join(close)}?" if close else ""


def in_one_line(text):
    """A text without its line breaks."""
    return " ".join(text.split())
