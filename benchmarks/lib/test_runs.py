"""Runs a part of the tests in a process of its own, and says in a line what came of it."""

import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def run(python, tests, workers, environment=None):
    """Runs tests of this checkout.

    Args:
        python: Path of the interpreter.
        tests: Iterable of files and folders.
        workers: Integer, processes at a time.
        environment: Dictionary of all variables of the environment. Defaults to `None`: this process'.

    Returns:
        Triple: whether all passed, pytest's summary with the seconds for a table, and the lines that name failures.
    """
    start = time.perf_counter()
    command = [python, "-m", "pytest", "-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder", "-rfE"]
    command += ["-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines()
    summary = next((line for line in reversed(lines) if " passed" in line or " failed" in line), "no tests ran")
    failures = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return done.returncode == 0, f"{summary.strip('= ')} | {time.perf_counter() - start:.0f}", failures
