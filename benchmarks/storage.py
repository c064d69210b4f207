"""Compares images on the disk with images in memory: the memory of a training, and its speed.

    python benchmarks/storage.py                    # both
    python benchmarks/storage.py memory --gigabytes 20 --folder /mnt/large
    python benchmarks/storage.py speed --rounds 15  # on a quiet machine

`memory` writes a file of random pixels, 64x64x3, as `storage="disk"` writes it, and trains a small DCGAN on it in a
separate process. The process then reads all images once more in a random order. The script prints the peak of the
process's resident memory, the size of the file, and the peak before the process opened the file. Pages of the file in
the cache of the operating system do not belong to the process. The system frees them when others need memory.

`speed` trains DCGAN on 32x32x3 from memory and from the disk in turns, an epoch each, in an order that alternates, with
the file in the page cache. The ratio is the median over the rounds: 1.01 means that the disk costs 1 %.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import ganzoo
from ganzoo.data.indexed import IndexedSource
from ganzoo.data.storing import CHUNK_BYTES, Chunk, Origin, stored_images

SHAPE = (64, 64, 3)
BATCH_SIZE = 64
STEPS = 30  # in an epoch of `speed`


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["memory", "speed", "train"], help="default: memory and speed")
    parser.add_argument("--gigabytes", type=float, default=3.0, help="size of the file of `memory`")
    parser.add_argument("--steps", type=int, default=200, help="training steps of `memory`")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of `speed`")
    parser.add_argument("--folder", type=Path, help="where the files lie meanwhile; default: the temporary folder")
    options = parser.parse_args()
    if options.part == "train":  # The process that `memory` starts.
        train(options)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        options.folder = Path(folder)
        if options.part != "speed":
            memory(options)
        if options.part != "memory":
            speed(options)


# === Memory ===


def random_pixels(options):
    """The images of the file. Makes the file if it is missing."""
    count = int(options.gigabytes * 10**9) // int(np.prod(SHAPE))

    def chunks(start, notes):
        rows = CHUNK_BYTES // int(np.prod(SHAPE))
        for first in range(start, count, rows):
            random = np.random.default_rng(first)
            yield Chunk(min(first + rows, count), random.integers(0, 256, (min(rows, count - first), *SHAPE), "uint8"))

    origin = Origin("random", options.folder, {}, dict, SHAPE, count, chunks)
    return stored_images(origin, options.folder)


def memory(options):
    start = time.perf_counter()
    images = random_pixels(options)
    size = images.shape[0] * int(np.prod(SHAPE))
    print(f"{len(images):,} images of 64x64x3, {size / 1e9:.1f} GB, written in {time.perf_counter() - start:.0f} s")
    command = [sys.executable, __file__, "train", f"--gigabytes={options.gigabytes}", f"--steps={options.steps}"]
    result = subprocess.run([*command, f"--folder={options.folder}"], capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(result.stderr)
    print(result.stdout, end="")


def train(options):
    def build():
        return ganzoo.DCGAN.from_paper(SHAPE, filters=8)

    noise = np.zeros((2 * BATCH_SIZE, *SHAPE), "uint8")
    build().fit(ganzoo.data.from_arrays(noise, batch_size=BATCH_SIZE), epochs=1, verbose=0, check=False)
    before = peak()
    images = random_pixels(options)
    dataset = IndexedSource(images, batch_size=BATCH_SIZE).dataset()
    build().fit(dataset, epochs=1, steps_per_epoch=options.steps, verbose=0, check=False)
    for _ in dataset.stream(options.steps).take(len(images) // BATCH_SIZE):
        pass
    print(
        f"peak memory of a process that trains {options.steps} steps and reads all images: {peak() / 1e9:.2f} GB, of "
        f"these {before / 1e9:.2f} GB for the same model on {2 * BATCH_SIZE} images in memory"
    )


def peak():
    """The largest resident memory of this process, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


# === Speed ===


def speed(options):
    path = options.folder / "speed.npz"
    np.savez(path, images=np.random.default_rng(0).integers(0, 256, (BATCH_SIZE * STEPS, 32, 32, 3), "uint8"))
    data = {storage: ganzoo.data.load(path, batch_size=BATCH_SIZE, storage=storage) for storage in ("memory", "disk")}
    model = ganzoo.DCGAN.from_paper((32, 32, 3), filters=32)
    for dataset in data.values():  # This epoch compiles, and fills the page cache.
        epoch(model, dataset)
    rounds = []
    for index in range(options.rounds):
        order = list(data) if index % 2 else list(data)[::-1]
        rounds.append({storage: epoch(model, data[storage]) for storage in order})
    ratios = [each["disk"] / each["memory"] for each in rounds]
    in_memory, on_disk = (1000 * statistics.median(each[name] for each in rounds) / STEPS for name in data)
    print(
        f"DCGAN 32x32x3, batches of {BATCH_SIZE}: {in_memory:.2f} ms per step from memory, {on_disk:.2f} from disk; "
        f"ratio {statistics.median(ratios):.3f}, {min(ratios):.3f} to {max(ratios):.3f} in {options.rounds} rounds"
    )


def epoch(model, data):
    """Seconds of another epoch."""
    start = time.perf_counter()
    model.fit(data, epochs=1, verbose=0, check=False)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
