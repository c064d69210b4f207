"""The datasets of `python -m ganzoo train`: images, pairs of images, or two collections of images."""

from pathlib import Path

import numpy as np

from ganzoo import data
from ganzoo.command_line import training_flags
from ganzoo.command_line.datasets import reading, square
from ganzoo.data.indexed import IndexedSource

# The held-out part of the pairs that come with ganzoo.
EMBEDDED_PAIRS = {
    "openmoji_pairs": ("train", "test"),
    "fashion_edges_10k": ("train[:9900]", "train[9900:]"),
}


def load(options):
    """The training data for the options."""
    if training_flags.is_unpaired(options.model):
        return load_collections(options)
    if training_flags.is_paired(options.model):
        return load_pairs(options)
    return load_images(options, options.split, batch_size=options.batch_size, seed=options.seed)


def load_images(options, split="train", **changes):
    """Loads images, with their labels if there are any."""
    dataset = data.load(options.data, split, **reading(options), **changes)
    return binarized(dataset, split) if getattr(options, "binarize", False) else dataset


def binarized(dataset, split):
    """The dataset in black and white. Each pixel is drawn once, with seed 0 for training splits and 1 for others."""
    source = dataset.source
    images = source.images.numpy()
    if images.dtype != np.uint8:
        raise SystemExit(f"--binarize draws pixels of images, and the data are {images.dtype}.")
    labels = None if source.labels is None else source.labels.numpy()
    drawn = data.binarize(images, seed=int(not split.startswith("train")))
    settings = (source.batch_size, source.seed, source.shuffle, source.class_names)
    return IndexedSource(drawn, labels, *settings).dataset()


def load_pairs(options):
    """Loads the pairs to train on, enlarged, cropped and mirrored according to the options."""
    common = {
        "batch_size": options.batch_size,
        "seed": options.seed,
        "image_size": square(options.image_size),
        "jitter": options.jitter,
        "mirror": options.mirror,
        "color_hints": options.color_hints,
    }
    if is_embedded(options.data):
        return data.load(options.data, split=EMBEDDED_PAIRS[options.data][0], **common)
    return data.paired(options.data, options.targets, direction=options.direction, **common)


def load_collections(options):
    """Loads two collections of images. Each side of embedded pairs is a collection."""
    x, y = options.data, options.targets
    if is_embedded(x):
        source = data.load(x, split=EMBEDDED_PAIRS[x][0]).source
        x, y = source.images.numpy(), source.targets.numpy()
    if options.direction == "b_to_a":
        x, y = y, x
    return data.unpaired(
        x,
        y,
        batch_size=options.batch_size,
        seed=options.seed,
        image_size=square(options.image_size),
        jitter=options.jitter,
        mirror=options.mirror,
    )


def is_embedded(name):
    """Whether the data come with ganzoo and no folder of the same name hides them."""
    return name in EMBEDDED_PAIRS and not Path(name).is_dir()


def load_test_pairs(options):
    """Loads the inputs and targets (if any) that the pictures show, uncropped and in their own order.

    They are held-out pairs if the options name some or the data come with ganzoo.
    """
    common = {"shuffle": False, "image_size": square(options.image_size)}
    name, targets = options.test_data, options.test_targets
    if name is None:
        name, targets = options.data, options.targets
    unpaired = training_flags.is_unpaired(options.model)
    if not unpaired:
        common["color_hints"] = options.color_hints
    if is_embedded(name):
        return data.load(name, split=EMBEDDED_PAIRS[name][1], **common)
    if unpaired:
        return data.from_folder(name if options.direction == "a_to_b" else targets, **common)
    return data.paired(name, targets, direction=options.direction, **common)


def parts_of(dataset):
    """The specs of the parts of an element."""
    spec = dataset.element_spec
    return spec if isinstance(spec, tuple) else (spec,)


def image_shapes(dataset):
    """The shapes of the samples or images in an element of a dataset, without the batch."""
    samples, *others = parts_of(dataset)
    return [tuple(part.shape[1:]) for part in (samples, *others) if part is samples or part.shape.rank == 4]
