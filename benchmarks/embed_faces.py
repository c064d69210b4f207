"""Writes `ganzoo/data/embedded/faces_10k.npz` from the pixel faces at 32x32.

    python benchmarks/embed_faces.py pixel_faces_32.npz

Takes the first 10,000 training images at the art's own 16x16 grid (in the source each pixel stands twice). For each
attribute it stores the values, and the number of the value for each face. Prints the size and the sha256, which are the
same each time.
"""

import argparse
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parents[1] / "ganzoo" / "data" / "embedded" / "faces_10k.npz"
COUNT = 10_000
SAME_TIME = (1980, 1, 1, 0, 0, 0)  # of every member, so that the file does not depend on the clock


def arrays_of(path):
    """The arrays of the embedded file, by name."""
    with np.load(path, allow_pickle=False) as file:
        images = file["train_images"][:COUNT]
        small = images[:, ::2, ::2]
        if not np.array_equal(np.repeat(np.repeat(small, 2, axis=1), 2, axis=2), images):
            raise SystemExit(f"{path} is not pixel art on a grid of 16x16.")
        arrays = {"images": small}
        for name in file["attributes"].tolist():
            arrays[name] = file[f"train_{name}"][:COUNT].astype("uint8")
            values = [value.strip('"') for value in file[f"values_{name}"].tolist()]
            arrays[f"values_{name}"] = np.array(["none" if value == "null" else value for value in values])
    return arrays


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="pixel_faces_32.npz")
    arrays = arrays_of(parser.parse_args().source)
    with zipfile.ZipFile(TARGET, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", SAME_TIME)
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            archive.writestr(member, content.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes, {len(arrays['images']):,} faces")
    print(f"sha256 {hashlib.sha256(TARGET.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
