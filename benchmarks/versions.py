"""Is this version as fast as another version? Both take turns on the three workloads of `throughput.py`.

    git worktree add /tmp/before <commit>
    python benchmarks/versions.py --before /tmp/before

Each version runs in its own process, on a constant uint8 batch, and sleeps while the other is measured. Each round
measures both, and they take turns to begin. Speed is the median of the ratios within the rounds, before / after in
seconds. Above 1 this version is faster. The time to the first step comes from fresh processes in turns, from the start
of Python to the end of the first update, with imports and tracing. Run it on a quiet machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVE = """
import sys, json, time
sys.path[:0] = {paths}
from lib.sides import Ganzoo
import ganzoo
side = Ganzoo({name!r}, {precision!r})
side.first()
print(json.dumps(ganzoo.__file__), flush=True)
for line in sys.stdin:
    print(json.dumps(side.round(int(line))), flush=True)
"""


class Version:
    """A process that measures a version of ganzoo."""

    def __init__(self, root, name, precision):
        start = time.perf_counter()
        code = SERVE.format(paths=[str(root), str(HERE)], name=name, precision=precision)
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"},
        )
        where = Path(self.read())
        self.first_step = time.perf_counter() - start
        if not where.is_relative_to(root):
            raise RuntimeError(f"The process imported {where}, not the version in {root}.")

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("The process of a version has ended; run benchmarks/throughput.py to see why.")
        return json.loads(line)

    def round(self, updates):
        self.process.stdin.write(f"{updates}\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


def compare(roots, name, precision, options):
    """Prints a line of a workload."""
    starts = {label: [] for label in roots}
    for index in range(options.starts):
        for label in list(roots)[:: 1 if index % 2 else -1]:
            version = Version(roots[label], name, precision)
            starts[label].append(version.first_step)
            version.close()
    versions = {label: Version(root, name, precision) for label, root in roots.items()}
    updates = max(1, round(options.seconds / versions["after"].round(2)))
    times = {label: [] for label in roots}
    for index in range(options.rounds):
        for label in list(roots)[:: 1 if index % 2 else -1]:
            times[label].append(versions[label].round(updates))
    for version in versions.values():
        version.close()
    ratios = [before / after for before, after in zip(times["before"], times["after"], strict=True)]
    quartiles = statistics.quantiles(ratios, n=4)
    before, after = (statistics.median(times[label]) for label in ("before", "after"))
    first = {label: statistics.median(values) for label, values in starts.items()}
    print(
        f"| {name} | {precision} | {1000 * before:.2f} | {1000 * after:.2f} | {quartiles[1]:.3f} "
        f"[{quartiles[0]:.3f}, {quartiles[2]:.3f}] | {first['before']:.2f} | {first['after']:.2f} |",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, required=True, help="checkout of the other version")
    parser.add_argument("--workloads", nargs="+", default=["dcgan", "mlp", "wgan_gp"])
    parser.add_argument("--precisions", nargs="+", default=["float32"])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=1.5, help="time of one version in a round, about")
    parser.add_argument("--starts", type=int, default=3, help="fresh processes of each version")
    options = parser.parse_args()
    roots = {"before": options.before.resolve(), "after": HERE.parent}
    columns = ("workload", "precision", "ms before", "ms after", "before / after, median [quartiles]")
    columns = (*columns, "s to the first step, before", "after")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)
    for name in options.workloads:
        for precision in options.precisions:
            compare(roots, name, precision, options)


if __name__ == "__main__":
    main()
