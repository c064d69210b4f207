"""How cost grows, and how well `ganzoo estimate` predicts it: predicted beside measured.

    python benchmarks/scaling.py
    python benchmarks/scaling.py --quick           # two settings of a sweep, to see that it works

Sweeps batch, size of the images, filters and critic steps of WGAN-GP, a setting at a time. Ten further runs, of other
models and mixtures of settings, are held out: nobody looked at them to choose the rates of the prediction. Each run is
a process, which measures the rates of the machine, predicts, trains, and writes a record: the median seconds of an
update after the first, and the peak memory of the process. Needs a quiet machine. Finished runs are not repeated.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from lib.builders import RESULTS
from lib.machine import commit, processor, versions

from ganzoo import records

BASE = {"model": "WGANGP", "batch": 64, "size": 32, "filters": 32, "discriminator_steps": 5}
SWEEPS = {
    "batch": [16, 64, 256, 1024],
    "size": [16, 32, 64, 128],
    "filters": [16, 32, 64, 128],
    "discriminator_steps": [1, 2, 5, 10],
}
HELD_OUT = [
    {"model": "DCGAN", "batch": 64, "size": 32, "filters": 64},
    {"model": "DCGAN", "batch": 128, "size": 64, "filters": 32},
    {"model": "DCGAN", "batch": 32, "size": 16, "filters": 16},
    {"model": "SNGAN", "batch": 64, "size": 32, "filters": 32},
    {"model": "LSGAN", "batch": 100, "size": 32, "filters": 48},
    {"model": "R3GAN", "batch": 32, "size": 32, "filters": 16},
    {"model": "WGANGP", "batch": 48, "size": 32, "filters": 24, "discriminator_steps": 3},
    {"model": "WGANGP", "batch": 32, "size": 64, "filters": 48, "discriminator_steps": 5},
    {"model": "WGAN", "batch": 64, "size": 32, "filters": 64},
    {"model": "GAN", "batch": 64, "size": 28, "filters": 32},
]


def plan():
    """All runs as `(sweep, settings)`."""
    for name, values in SWEEPS.items():
        for value in values:
            yield name, {**BASE, name: value}
    for settings in HELD_OUT:
        yield "held out", settings


def measure(settings, seconds):
    """Predicts and trains in this process. Returns what to add to the record."""
    import keras
    import numpy as np

    import ganzoo
    from ganzoo.command_line.estimate import predict

    model, batch, size, *_ = settings.values()
    others = {name: value for name, value in settings.items() if name not in ("model", "batch", "size")}
    gan = getattr(ganzoo, model).from_paper((size, size, 3), seed=0, **others)
    count = max(batch * gan.batches_per_step, 2048)
    pixels = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), "uint8")
    data = ganzoo.data.from_arrays(pixels, batch_size=batch)
    start = time.perf_counter()
    found = predict(gan, data, epochs=1)
    took, times = time.perf_counter() - start, []

    class Times(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.start = time.perf_counter()

        def on_train_batch_end(self, batch, logs=None):
            times.append(time.perf_counter() - self.start)
            if len(times) >= 4 and sum(times[1:]) > seconds:
                self.model.stop_training = True

    gan.fit(data, epochs=10**6, callbacks=[Times()], verbose=0, check=False)
    return {
        "predicted": found["seconds_per_update"],
        "measured": statistics.median(times[1:]),
        "updates": len(times),
        "predicted_memory": found["memory"],
        "measured_memory": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "seconds_to_predict": took,
        "gflop": found["flops"] / 1e9,
        "rates": found["rates"],
    }


def table(found):
    """A row for each run, and the errors of the held-out runs."""
    lines = ["| Sweep | Run | GFLOP | ms predicted | measured | error | GiB predicted | measured |", "|" + "---|" * 8]
    for record in found:
        error = record["predicted"] / record["measured"] - 1
        run = ", ".join(f"{name} {value}" if name != "model" else value for name, value in record["settings"].items())
        cells = [record["sweep"], run, f"{record['gflop']:.3g}"]
        cells += [f"{1000 * record[name]:.3g}" for name in ("predicted", "measured")] + [f"{100 * error:+.0f} %"]
        cells += [f"{record[f'{name}_memory'] / 2**30:.2g}" for name in ("predicted", "measured")]
        lines.append(f"| {' | '.join(cells)} |")
    errors = [abs(r["predicted"] / r["measured"] - 1) for r in found if r["sweep"] == "held out"]
    if errors:
        lines += ["", f"Held out: {len(errors)} runs, error {100 * statistics.median(errors):.0f} % (median), "]
        lines[-1] += f"{100 * max(errors):.0f} % (largest). The aim is 15 %."
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="training of a run, after the first update")
    parser.add_argument("--output", type=Path, default=RESULTS / "scaling.jsonl")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--run", help=argparse.SUPPRESS)  # A run of this process, as JSON.
    options = parser.parse_args()
    if options.run:
        print(json.dumps(measure(json.loads(options.run), options.seconds)))
        return
    runs = list(plan())[:2] if options.quick else list(plan())
    found = records.read(options.output)
    if found:
        records.write(options.output, found)
    about = {"machine": processor(), "commit": commit(), "versions": versions("tensorflow", "keras")}
    for sweep, settings in runs:
        if any((record["sweep"], record["settings"]) == (sweep, settings) for record in found):
            continue
        print(f"{sweep}: {settings}", file=sys.stderr, flush=True)
        command = [sys.executable, __file__, "--run", json.dumps(settings), "--seconds", str(options.seconds)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        measured = json.loads(done.stdout.strip().splitlines()[-1])
        found.append({"sweep": sweep, "settings": settings, **measured, **about})
        records.append(options.output, found[-1])
    print(table(found))


if __name__ == "__main__":
    main()
