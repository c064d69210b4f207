"""How large is ganzoo, and how long does it take from a new process to the first images?

    python benchmarks/footprint.py
    python benchmarks/footprint.py --runs 9 --preset faces_16

Prints the sizes of the wheel, of its unpacked files, and of everything that it depends on, as installed in this
environment. Prints the times of `import ganzoo`, of `from_preset`, and of the first 16 images, which trace the
generator: the medians of some runs, each in a new process.
"""

import argparse
import importlib.metadata
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = ("ganzoo", "pyproject.toml", "setup.py", "README.md", "LICENSE")

STEPS = """
import json, sys, time
times = [time.perf_counter()]
import ganzoo
times.append(time.perf_counter())
model = ganzoo.from_preset(sys.argv[1])
times.append(time.perf_counter())
model.generate(16, condition=model.conditions.in_turn(16))
times.append(time.perf_counter())
print(json.dumps([after - before for before, after in zip(times, times[1:])]))
"""


def build_wheel(folder):
    """Builds the wheel of a copy of the sources, and returns its path."""
    copy = folder / "sources"
    copy.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, copy]
    subprocess.run([*command, "--disable-pip-version-check"], check=True)
    return next(folder.glob("*.whl"))


def unpacked(wheel):
    """Bytes of the files in a wheel, and of the presets among them."""
    with zipfile.ZipFile(wheel) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    presets = sum(size for name, size in sizes.items() if name.startswith("ganzoo/presets/zoo/"))
    return sum(sizes.values()), presets


def requirements(names):
    """The names of some distributions and of everything that they need, as installed here."""
    found, pending = {}, list(names)
    while pending:
        name = re.match(r"[\w.-]+", pending.pop())[0].lower().replace("_", "-").replace(".", "-")
        if name in found:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # Of another platform or Python.
        pending += [text for text in found[name].requires or () if "extra ==" not in text]
    return found


def size_of(distribution):
    """Bytes of the files of an installed distribution."""
    paths = [Path(distribution.locate_file(file)) for file in distribution.files or ()]
    return sum(path.stat().st_size for path in paths if path.is_file())


def dependencies(wheel):
    """The dependencies of a wheel: a dictionary, name -> bytes."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
    needed = [line for line in re.findall(r"^Requires-Dist: (.*)$", text, re.MULTILINE) if "extra ==" not in line]
    return {name: size_of(found) for name, found in requirements(needed).items()}


def times_of(preset):
    """Seconds of the three steps, in a new process."""
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", STEPS, preset]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])


def megabytes(size):
    return f"{size / 1e6:,.1f} MB"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="processes, of whose times the median counts")
    parser.add_argument("--preset", default="faces_16")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_wheel(Path(folder))
        packed, (alone, presets), others = wheel.stat().st_size, unpacked(wheel), dependencies(wheel)
    largest = sorted(others, key=others.get, reverse=True)[:3]
    rows = [
        ("the wheel", megabytes(packed)),
        ("unpacked, without dependencies", f"{megabytes(alone)}, of which presets {megabytes(presets)}"),
        ("with its dependencies", megabytes(alone + sum(others.values()))),
        ("the largest of them", ", ".join(f"{name} {megabytes(others[name])}" for name in largest)),
    ]
    runs = [times_of(options.preset) for _ in range(options.runs)]
    names = ("`import ganzoo`", f'`from_preset("{options.preset}")`', "the first 16 images")
    for name, seconds in zip((*names, "all three"), [*zip(*runs), [sum(run) for run in runs]]):
        low, high = min(seconds), max(seconds)
        rows.append((name, f"{statistics.median(seconds):.2f} s ({low:.2f} to {high:.2f}, {len(runs)} processes)"))
    print("| | |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
