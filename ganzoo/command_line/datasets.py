"""The datasets of the commands: their flags, and checks that need not read the data."""

import difflib
import importlib.util
import os
from pathlib import Path

from absl import flags

DATASETS = {
    "images": ("mnist_10k", "fashion_mnist_10k", "faces_10k"),
    "pairs": ("openmoji_pairs", "fashion_edges_10k"),
    "points": ("ring", "grid", "swiss_roll"),
    "in --manual_dir": ("cifar10_jpeg", "peeps_64", "pixel_faces_32"),
}
DATA = """A folder of images or an .npz file; mnist_10k, fashion_mnist_10k and faces_10k, which come with the package;
ring, grid and swiss_roll, the toys; cifar10_jpeg, peeps_64 and pixel_faces_32, with --manual_dir; anything else is a
name of tensorflow-datasets (pip install 'keras-ganzoo[tfds]')."""


def define_reading(values):
    """Defines the flags that say how a dataset is read."""
    flags.DEFINE_string("data_dir", None, "Where tensorflow-datasets keeps its data.", flag_values=values)
    flags.DEFINE_string(
        "manual_dir",
        None,
        "Where archives lie that were downloaded by hand, for tensorflow-datasets, cifar10_jpeg and the like.",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "storage",
        "memory",
        ["memory", "disk"],
        "Where decoded images are kept; disk is for more than the memory holds.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "cache_dir", None, "Folder of the pixels of --storage=disk. Default: beside the data.", flag_values=values
    )
    flags.DEFINE_string(
        "data_label",
        None,
        "Which label of faces_10k or of an .npz file the images have; several, with commas between, are attributes.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "image_size",
        None,
        "Resize to this height and width. Default: the data's own size; in evaluate, for a folder, the model's.",
        lower_bound=1,
        flag_values=values,
    )


def check_data(name, dataset, manual_dir=None):
    """Stops if a dataset cannot exist: a missing path, or an unknown name without tensorflow-datasets."""
    known = [each for names in DATASETS.values() for each in names]
    if Path(dataset).is_dir() and manual_dir is None:
        return
    if dataset in DATASETS["in --manual_dir"] and (manual_dir is None or not Path(manual_dir).is_dir()):
        raise SystemExit(f"--{name}={dataset}: pass --manual_dir, the folder that holds its file.")
    if dataset in known:
        return
    if os.sep in dataset or "/" in dataset or dataset.endswith(".npz"):
        if not Path(dataset).exists():
            kind = "file" if dataset.endswith(".npz") else "folder"
            raise SystemExit(f"--{name}={dataset}: there is no {kind} {dataset!r}.")
    elif importlib.util.find_spec("tensorflow_datasets") is None:
        raise SystemExit(
            f"--{name}={dataset}: there is no dataset {dataset!r} in ganzoo.{close_to(dataset, known)} It has "
            f"{', '.join(known)}, and there is no folder of this name here. Names of tensorflow-datasets need: "
            "pip install 'keras-ganzoo[tfds]'."
        )


def reading(options):
    """The arguments of `ganzoo.data.load` from the flags of `define_reading`."""
    return {
        "label": labels_of(options.data_label),
        "image_size": square(options.image_size),
        "data_dir": options.data_dir,
        "manual_dir": options.manual_dir,
        "storage": options.storage,
        "cache_dir": options.cache_dir,
    }


def labels_of(text):
    """The value of `--data_label`: a label, or a list of labels that are separated by commas."""
    return text.split(",") if text and "," in text else text


def square(side):
    """`(side, side)`, or `None` for the data's own size."""
    return None if side is None else (side, side)


def close_to(name, known):
    """A sentence with known names of similar spelling, or an empty string."""
    close = difflib.get_close_matches(name, known)
    return f" Did you mean {' or '.join(close)}?" if close else ""


def in_one_line(text):
    """A text without its line breaks."""
    return " ".join(text.split())
