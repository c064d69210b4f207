"""Does an interrupted training end with the same bits? Sends 200 signals to five small trainings.

    python benchmarks/kills.py                     # a quarter of an hour on a core
    python benchmarks/kills.py --kinds BEGAN --signals 20

The trainings are WGAN-GP with two updates of the critic in a step, BEGAN with its balance, CycleGAN with four
optimizers and its pools of images, a WGAN-GP from a file, and a WGAN-GP from a preset. Each has 30 steps, and is
interrupted about ten times:

- `KILL`: SIGKILL during the start, after a step, or while a checkpoint is written.
- `TERM`, `INT`: the signals of a scheduler and of Ctrl-C. The training saves and leaves.
- `full`: for three steps no file can grow beyond 5,000 bytes, as on a full disk. Then SIGKILL.
- `gone`: the folder of checkpoints disappears during the training. Then SIGKILL.

After the last signal the training runs to its end. The script compares the sha256 of its weights, averages, optimizers,
random states and step with an undisturbed training. Prints a line for each training, and ends with 1 if a sha256
differs, or if a process left with an unusual code after `TERM` or `INT`.
"""

import argparse
import collections
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from lib import killed

SIGNALS = ("KILL", "TERM", "INT", "full", "gone")
KINDS = ("WGANGP", "BEGAN", "CycleGAN", "fine-tuned", "preset")
PER_TRAINING = 10
EXITS = {"TERM": {143, -15}, "INT": {130, -2}}

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["ganzoo.api"])


class Training:
    """A training in several processes, each after the end of the last.

    Args:
        kind: String in `KINDS`.
        folder: Path for its files.
        shared: Path of the folder with the pretrained model.
        random: `random.Random`, for the moments of the signals.
    """

    def __init__(self, kind, folder, shared, random):
        folder.mkdir(parents=True)
        self.kind, self.shared, self.random = kind, shared, random
        self.log, self.result, self.checkpoints = folder / "log.txt", folder / "digest.txt", folder / "checkpoints"
        self.sent, self.odd_exits = collections.Counter(), []

    def start(self, every_steps, full_at=None, undisturbed=False):
        self.steps = CONTEXT.RawValue("q", 0)
        directory = None if undisturbed else self.checkpoints
        arguments = (self.kind, self.shared, self.log, self.result, directory, every_steps, self.steps, full_at)
        process = CONTEXT.Process(target=killed.train, args=arguments, daemon=True)
        process.start()
        return process

    def wait_for(self, process, steps):
        """Waits until a life has made this number of steps, or has ended."""
        while self.steps.value < steps and process.is_alive():
            time.sleep(0.001)

    def disturb(self, name):
        """Runs a life that ends by a signal. Returns `False` if it reached its end before."""
        full_at = self.random.choice([1, 2]) if name == "full" else None
        process = self.start(self.random.choice([1, 2, 3]), full_at)
        if name == "KILL" and self.random.random() < 0.3:
            time.sleep(self.random.uniform(0.2, 3.0))
        else:
            self.wait_for(process, self.random.choice([1, 2, 3]))
            time.sleep(self.random.uniform(0, 0.05))
        if name == "gone":
            shutil.rmtree(self.checkpoints, ignore_errors=True)
        if name in ("full", "gone"):
            self.wait_for(process, self.steps.value + 4)
        if not process.is_alive():
            return False
        os.kill(process.pid, getattr(signal, f"SIG{name}", signal.SIGKILL))
        process.join(60)
        if name in EXITS and process.exitcode not in EXITS[name]:
            self.odd_exits.append(f"{name}: {process.exitcode}")
        self.sent[name] += 1
        return True

    def finish(self, undisturbed=False):
        """Runs the last life. Returns the digest."""
        process = self.start(every_steps=4, undisturbed=undisturbed)
        process.join(600)
        if process.exitcode != 0 or not self.result.exists():
            raise RuntimeError(f"{self.kind} ended with {process.exitcode}:\n{self.log.read_text()[-3000:]}")
        return self.result.read_text()


def pretrained(folder):
    process = CONTEXT.Process(target=killed.pretrain, args=(folder,))
    process.start()
    process.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--signals", type=int, default=200, help="how many, over all kinds")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    pretrained(folder)
    expected = {}
    for kind in options.kinds:
        expected[kind] = Training(kind, folder / f"{kind}_straight", folder, None).finish(undisturbed=True)
    totals, failed, index = collections.Counter(), False, 0
    started = time.perf_counter()
    print(f"| training | signals | {' | '.join(SIGNALS)} | the same bits |\n|---|---|{'---|' * (len(SIGNALS) + 1)}")
    while totals.total() < options.signals:
        kind = options.kinds[index % len(options.kinds)]
        training = Training(kind, folder / f"{kind}_{index}", folder, random.Random(options.seed + index))
        for number in range(PER_TRAINING):
            if not training.disturb(SIGNALS[(index + number) % len(SIGNALS)]):
                break
        is_same = training.finish() == expected[kind]
        failed |= not is_same or bool(training.odd_exits)
        totals += training.sent
        counts = " | ".join(str(training.sent[name]) for name in SIGNALS)
        says = f"{'yes' if is_same else 'NO'}{''.join(f', exit after {exit}' for exit in training.odd_exits)}"
        print(f"| {kind} {index} | {training.sent.total()} | {counts} | {says} |", flush=True)
        index += 1
    counts = " | ".join(str(totals[name]) for name in SIGNALS)
    print(f"| all | {totals.total()} | {counts} | {'NO' if failed else 'yes'} |")
    print(f"\n{time.perf_counter() - started:.0f} seconds. Logs: {folder}")
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
