"""Computes all experiments anew: the figures, and the numbers that the pages of docs/theory show.

    python examples/theory/gallery.py

It takes about half an hour on two cores. `--only parallel_lines,earth_mover` runs some of them.
"""

import subprocess
import sys
import time
from pathlib import Path

from absl import app, flags

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ("figures", "gallery")  # Not experiments.


def experiments():
    """The names of all experiments."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in OTHERS)


def main(options):
    pictures, numbers = ROOT / options.pictures, ROOT / options.numbers
    numbers.mkdir(parents=True, exist_ok=True)
    for name in options.only or experiments():
        print(f"{name} ...", end=" ", flush=True)
        start = time.perf_counter()
        command = [sys.executable, str(Path(__file__).with_name(f"{name}.py")), "--output_dir", options.pictures]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if run.returncode:
            raise SystemExit(f"failed:\n{run.stderr}")
        # The last lines name the pictures.
        lines = [line for line in run.stdout.splitlines() if not line.endswith(" kB")]
        (numbers / f"{name}.txt").write_text("\n".join(lines) + "\n")
        print(f"{time.perf_counter() - start:.0f} s", flush=True)
    size = sum(path.stat().st_size for path in pictures.iterdir())
    print(f"Figures in {pictures.relative_to(ROOT)}: {size / 1e6:.1f} MB. Numbers in {numbers.relative_to(ROOT)}.")


if __name__ == "__main__":
    flags.DEFINE_list("only", [], "Names of experiments. Default: all.")
    flags.DEFINE_string("pictures", "docs/images/theory", "Where the figures go, from the root of the repository.")
    flags.DEFINE_string("numbers", "docs/theory/numbers", "Where the numbers go.")
    app.run(lambda _: main(flags.FLAGS))
