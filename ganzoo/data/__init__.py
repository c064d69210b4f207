"""Datasets as `tf.data`, with images in `[-1, 1]`, labels, and an order that can resume at any batch."""

from ganzoo.data.arrays import from_arrays
from ganzoo.data.folder import from_folder
from ganzoo.data.load import load
from ganzoo.data.paired import paired
from ganzoo.data.pixels import binarize, normalize
from ganzoo.data.stacked import stacked_mnist
from ganzoo.data.toys import grid, grid_centers, ring, ring_centers, swiss_roll
from ganzoo.data.unpaired import unpaired

__all__ = [
    "binarize",
    "from_arrays",
    "from_folder",
    "grid",
    "grid_centers",
    "load",
    "normalize",
    "paired",
    "ring",
    "ring_centers",
    "stacked_mnist",
    "swiss_roll",
    "unpaired",
]
