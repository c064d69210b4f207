"""Do the tests pass on other machines? Runs the contracts, the metrics and the random numbers as other machines would.

    make portability                                   # all kinds, half an hour or more on two cores
    python benchmarks/portability.py --kinds "1 thread" "oneDNN SSE4.1"

Each kind is a process with its own environment: other numbers of threads, older instruction sets for oneDNN
(TensorFlow's convolutions and products), OpenBLAS (NumPy's and SciPy's linear algebra) and NumPy, and TensorFlow
without oneDNN. The kinds of OpenBLAS and NumPy run the tests of what these two libraries compute. Prints a line for
each kind, and ends with 1 if any fails.
"""

import argparse
import os
import subprocess
import sys

from lib import test_runs

# What NumPy and SciPy compute: the measures, the laboratory, the random numbers and the pixels.
NUMPY_TESTS = (
    "tests/sampling_test.py",
    "tests/metrics",
    "tests/divergences",
    "tests/density",
    "tests/data",
)
TESTS = (
    "tests/sampling_test.py",
    "tests/metrics",
    "tests/divergences",
    "tests/training/resume_test.py",
    "tests/training/state_test.py",
    "tests/models/gan_test.py",
    "tests/models/wgan_gp_test.py",
    "tests/models/vae_test.py",
    "tests/models/pix2pix_test.py",
    "tests/models/quality_test.py",
    "tests/layers",
)


def threads(count):
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return dict.fromkeys(names, str(count))


KINDS = {
    "as it is": {},
    "1 thread": threads(1),
    "2 threads": threads(2),
    "4 threads": threads(4),
    "oneDNN SSE4.1": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    "oneDNN AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "oneDNN AVX-512": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
    "without oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "OpenBLAS Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "OpenBLAS SkylakeX": {"OPENBLAS_CORETYPE": "SkylakeX"},
    "OpenBLAS Zen": {"OPENBLAS_CORETYPE": "Zen"},
    "NumPy without AVX": {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512_SKX"},
}


def supported(environment):
    """Whether NumPy starts with this environment. It refuses to switch off features that it needs or the CPU lacks."""
    test = subprocess.run([sys.executable, "-W", "error", "-c", "import numpy"], env=environment, capture_output=True)
    return test.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS), metavar="KIND")
    parser.add_argument("--tests", nargs="+", help="files and folders of tests")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print(f"| {'machine':<18} | result | seconds |\n|---|---|---|", flush=True)
    failed = False
    for kind in options.kinds:
        environment = {**os.environ, **KINDS[kind], "TF_CPP_MIN_LOG_LEVEL": "3"}
        if "NPY_DISABLE_CPU_FEATURES" in KINDS[kind] and not supported(environment):
            features = [name for name in KINDS[kind]["NPY_DISABLE_CPU_FEATURES"].split()]
            usable = [name for name in features if supported({**environment, "NPY_DISABLE_CPU_FEATURES": name})]
            environment["NPY_DISABLE_CPU_FEATURES"] = " ".join(usable)
        of_numpy = kind.startswith(("OpenBLAS", "NumPy"))
        tests = options.tests or (NUMPY_TESTS if of_numpy else TESTS)
        passed, result, failures = test_runs.run(sys.executable, tests, options.workers, environment)
        print("\n".join([f"| {kind:<18} | {result} |", *failures]), flush=True)
        failed |= not passed
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
