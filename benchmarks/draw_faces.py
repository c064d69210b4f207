"""Draws faces of the same kind as `pixel_faces_32.npz` and `peeps_64.npz`, for the recipes that need them.

    pip install resvg-py                       # and Node.js with npm, for DiceBear
    python benchmarks/draw_faces.py pixel-art pixel_faces_32.npz --side 32 --train 22000 --test 4000
    python benchmarks/draw_faces.py open-peeps peeps_64.npz --side 64 --train 15243 --test 2000

The faces are random drawings of DiceBear (https://www.dicebear.com), with its own probabilities. "Pixel Art" is by
DiceBear, "Open Peeps" by Pablo Stanley, both CC0 1.0. The script leaves out drawings that look the same, so no test
image is a training image. The seeds of our presets' training files are unknown, so these are other faces of the same
kind. The file has the arrays `train_images` and `test_images`, uint8, and for each attribute of the drawings
`train_<name>`, `test_<name>` (int16) and `values_<name>` (JSON).
"""

import argparse
import io
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

SCRIPT = """
import { createAvatar } from '@dicebear/core';
import * as style from '@dicebear/STYLE';
for (let seed = Number(process.argv[2]); seed < Number(process.argv[3]); seed++) {
  console.log(JSON.stringify(createAvatar(style, { seed: String(seed) }).toJson()));
}
"""
VERSION = "9"
# DiceBear returns these for every style. They are not part of a face.
NO_ATTRIBUTES = ("primaryBackgroundColor", "secondaryBackgroundColor", "backgroundType", "backgroundRotation")
PIECE = 1000


def drawings(style, folder):
    """The drawings of the seeds 0, 1, 2, ..., each as its SVG and its attributes."""
    packages = [f"@dicebear/core@{VERSION}", f"@dicebear/{style}@{VERSION}"]
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", *packages], cwd=folder, check=True)
    (folder / "draw.mjs").write_text(SCRIPT.replace("STYLE", style))
    first = 0
    while True:
        command = ["node", "draw.mjs", str(first), str(first + PIECE)]
        lines = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.splitlines()
        for drawing in map(json.loads, lines):
            yield drawing["svg"], {key: value for key, value in drawing["extra"].items() if key not in NO_ATTRIBUTES}
        first += PIECE


def pixels(svg, side):
    """A drawing on white ground as an array `(side, side, 3)`, uint8."""
    import resvg_py

    png = resvg_py.svg_to_bytes(svg_string=svg, width=side, height=side, background="#ffffff")
    return np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGB"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("style", choices=["pixel-art", "open-peeps"])
    parser.add_argument("target", type=Path)
    parser.add_argument("--side", type=int, required=True)
    parser.add_argument("--train", type=int, required=True)
    parser.add_argument("--test", type=int, required=True)
    options = parser.parse_args()
    wanted, seen, images, attributes = options.train + options.test, set(), [], []
    with tempfile.TemporaryDirectory() as folder:
        for svg, known in drawings(options.style, Path(folder)):
            image = pixels(svg, options.side)
            if image.tobytes() not in seen:
                seen.add(image.tobytes())
                images.append(image)
                attributes.append(known)
            if len(images) % PIECE == 0:
                print(f"{len(images):,} of {wanted:,} faces", end="\r", flush=True)
            if len(images) == wanted:
                break
    parts = {"train": slice(options.train), "test": slice(options.train, None)}
    names = sorted(set().union(*attributes))
    arrays = {f"{part}_images": np.stack(images[rows]) for part, rows in parts.items()}
    arrays["attributes"] = np.array(names)
    for name in names:
        column = [json.dumps(known.get(name)) for known in attributes]
        values, numbers = np.unique(column, return_inverse=True)
        arrays[f"values_{name}"] = values
        arrays |= {f"{part}_{name}": numbers[rows].astype("int16") for part, rows in parts.items()}
    np.savez_compressed(options.target, **arrays)
    print(f"{options.target}: {options.train:,} + {options.test:,} faces, {options.target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
