"""Writes OpenMoji's outlines and drawings as folders of side-by-side images, for the recipe `pix2pix_openmoji_64`.

    python benchmarks/openmoji_pairs.py openmoji_pairs_64.npz pairs
    python -m ganzoo train --recipe pix2pix_openmoji_64 pairs/train --test_data pairs/test

The file holds the uint8 arrays `train_outline`, `train_color`, `test_outline` and `test_color`, 64x64x3. Drawings by
OpenMoji (https://openmoji.org), CC BY-SA 4.0.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("file", type=Path)
parser.add_argument("folder", type=Path)
options = parser.parse_args()

with np.load(options.file, allow_pickle=False) as arrays:
    for split in ("train", "test"):
        folder = options.folder / split
        folder.mkdir(parents=True, exist_ok=True)
        pairs = np.concatenate([arrays[f"{split}_outline"], arrays[f"{split}_color"]], axis=2)
        for index, pair in enumerate(pairs):
            Image.fromarray(pair).save(folder / f"{index:04d}.png")
        print(f"{len(pairs):,} pairs in {folder}")
