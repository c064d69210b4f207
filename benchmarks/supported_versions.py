"""Do the contracts pass with the oldest and the newest versions that ganzoo supports?

    make versions                                   # both, a quarter of an hour on two cores
    python benchmarks/supported_versions.py --sets oldest

Makes an environment for each set in `.versions/`, installs the package in it, and runs the tests of the models, the
training and the metrics. The interpreters must be on the path. A set without its interpreter counts as failed.
"""

import argparse
import os
import shutil
import subprocess
import sys

from lib import test_runs
from lib.test_runs import ROOT

TESTS = (
    "tests/models",
    "tests/training",
    "tests/export",
    "tests/layers",
    "tests/networks",
    "tests/sampling_test.py",
    "tests/metrics/parity_test.py",
    "tests/metrics/score_test.py",
)

# Interpreter and requirements. "Newest" means the newest in the index on that day.
SETS = {
    "oldest": ("python3.11", ["tensorflow==2.20.0", "keras==3.12.0"]),
    "newest": ("python3.13", ["tensorflow>=2.20", "keras>=3.12"]),
}
ALSO = ["pytest", "pytest-xdist", "hypothesis"]


def installed(name):
    """Makes the environment of a set. Returns its interpreter, or `None` if this machine lacks it."""
    interpreter, requirements = SETS[name]
    found = shutil.which(interpreter)
    if found is None or subprocess.run([found, "--version"], capture_output=True).returncode:
        return None
    folder = ROOT / ".versions" / name
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([interpreter, "-m", "venv", folder], check=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    subprocess.run([*install, "-e", str(ROOT), *requirements, *ALSO], check=True)
    return python


def versions(python):
    code = "import sys, keras, numpy, tensorflow as tf; print(sys.version.split()[0], tf.__version__, keras.__version__"
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [python, "-c", f"{code}, numpy.__version__)"]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.split()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--tests", nargs="+", default=TESTS, help="files and folders of tests")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--install_only", action="store_true")
    options = parser.parse_args()
    failed = False
    print("| set | Python | TensorFlow | Keras | NumPy | result | seconds |\n|---|---|---|---|---|---|---|", flush=True)
    for name in options.sets:
        python = installed(name)
        if python is None:
            print(f"| {name} | {SETS[name][0]} is not on this machine | | | | failed | |", flush=True)
            failed = True
            continue
        found = versions(python)
        if options.install_only:
            print(f"| {name} | {' | '.join(found)} | not run | |", flush=True)
            continue
        passed, result, failures = test_runs.run(python, options.tests, options.workers)
        print("\n".join([f"| {name} | {' | '.join(found)} | {result} |", *failures]), flush=True)
        failed |= not passed
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
