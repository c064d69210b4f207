"""What happens to odd arguments? Calls the public functions and classes with values made from their signatures.

    python benchmarks/odd_inputs.py                               # all, a quarter of an hour on two cores
    python benchmarks/odd_inputs.py --entries metrics --show all

Each case is a call with good arguments except for a single odd value. Hypothesis makes the value: numbers of the wrong
sign, size or kind, NaN and infinity, booleans, texts, containers, arrays of wrong shapes and types, objects, functions.
A model that takes the value trains a step with it. A separate process makes the calls, with 20 seconds for each.

It counts:

- refused well: `ValueError`, `TypeError` or `OSError`, raised by ganzoo's own code, and the message names the
  argument or shows the value, its shape or its type.
- refused badly: any other error. Of these, `outside` are those whose innermost frame is not in ganzoo.
- accepted: the call returned. Of these, `nonsense` are those whose value is of another kind than a good value, such as
  a boolean for a count, or made numbers that are not finite.
- slow: the call took more than 20 seconds, or took the process down.

Prints the table, and every bad case. Ends with 1 if more than 1 % are refused badly, more than 1 % come from outside,
or any case is accepted nonsense or slow.
"""

import argparse
import collections
import inspect
import math
import multiprocessing
import os
import sys
import tempfile
import time
import traceback
import zlib
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from lib.odd_entries import ENTRIES, LARGE, accepts_any

SECONDS = 20
REFUSALS = (ValueError, TypeError, OSError, NotImplementedError)
OWN_CODE = str(Path(__file__).resolve().parent.parent / "ganzoo") + os.sep


# === Odd values ===


def arrays():
    """Arrays of few numbers, of many shapes and types, some with NaN or infinity."""
    shapes = st.sampled_from([(), (0,), (1,), (3,), (4, 2), (4, 8, 8), (2, 8, 8, 1), (4, 8, 8, 3), (0, 8, 8, 1)])
    types = st.sampled_from(["float32", "float64", "int64", "uint8", "bool", "complex64", "object", "<U3"])
    fills = st.sampled_from([0, 1, -1, 0.5, 300, math.nan, math.inf])

    def make(shape, dtype, fill):
        with np.errstate(all="ignore"):
            finite = fill if math.isfinite(fill) or dtype.startswith(("float", "complex", "object")) else 7
            return np.full(shape, finite if dtype not in ("uint8", "bool") else abs(int(finite)) % 256).astype(dtype)

    return st.builds(make, shapes, types, fills)


class Unknown:
    """An object of an unknown class."""

    def __repr__(self):
        return "an Unknown"


OBJECTS = {"Unknown()": Unknown(), "Unknown": Unknown, "len": len, "print": print, "range": range(3), "bytes": b"a"}

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from(LARGE),
    st.sampled_from([-1.5, 0.5, 1.5, 1e-320, 1e308, -1e308, math.nan, math.inf, -math.inf]),
    st.sampled_from([np.int64(-2), np.float32(0.25), np.bool_(True), np.float64("nan"), np.array(3), np.array([3])]),
    st.text(max_size=6),
    st.sampled_from(["", " ", "auto", "batch", "0", "1", "none", "True", "\0", "../no/such", "~no_such_user/x"]),
    st.lists(st.one_of(st.integers(-2, 9), st.floats(), st.text(max_size=2), st.none()), max_size=4),
    st.lists(st.integers(-2, 9), max_size=4).map(tuple),
    st.dictionaries(st.text(max_size=3), st.integers(0, 3), max_size=2),
    arrays(),
    st.sampled_from(list(OBJECTS.values())),
)


def values_for(entry, parameter, count, campaign=0):
    """A number of different values, always the same for an argument and the number of a campaign."""
    found = {}

    @seed(zlib.crc32(f"{campaign} {entry}.{parameter}".encode()))
    @settings(
        max_examples=6 * count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(VALUES)
    def collect(value):
        found.setdefault(f"{type(value).__name__} {value!r}", value)

    collect()
    order = np.random.default_rng(zlib.crc32(parameter.encode())).permutation(len(found))
    return [list(found.values())[index] for index in order[:count]]


# === Cases ===


def parameters_of(entry):
    """The arguments of an entry's signature that the script tries."""
    skipped = ("self", "cls", "args", "kwargs", "settings", *entry.skip)
    names = [name for name in inspect.signature(entry.signature).parameters if name not in skipped]
    return names + [name for name in entry.more if name not in names]


def is_of_the_kind(value, good):
    """Whether a value is of the kind of a good value. `True` if nobody can say."""
    value = value.item() if isinstance(value, (np.generic, np.ndarray)) and np.ndim(value) == 0 else value
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(good, bool):
        return isinstance(value, bool)
    if isinstance(good, int):
        return isinstance(value, int) and number
    if isinstance(good, float):
        return number and math.isfinite(value)
    if isinstance(good, str):
        return isinstance(value, (str, os.PathLike))
    if isinstance(good, tuple):
        return isinstance(value, (tuple, list, range, np.ndarray)) or value is None
    if isinstance(good, np.ndarray):
        numbers = np.asarray(value)
        return numbers.dtype.kind in "fiub" and bool(np.isfinite(numbers).all())
    return True


def innermost_in_ganzoo(error):
    """Whether the error was raised by ganzoo's own code."""
    return traceback.extract_tb(error.__traceback__)[-1].filename.startswith(OWN_CODE)


def says_what_came(error, parameter, value):
    """Whether a message names the argument, or shows the value, its shape or its type."""
    text = " ".join(str(error).split())
    shape, kind = str(np.shape(value)) if isinstance(value, (np.ndarray, list, tuple)) else "()", type(value).__name__
    shown = " ".join(repr(value).split())[:40]
    received = text.lower().partition("received")[2]
    return parameter in text or (len(shown) > 1 and shown in text) or shape in received or kind in received


def outcome(name, parameter, index, count, campaign):
    """Makes the call of a case. Returns `(outcome, value, result or error)`."""
    entry = ENTRIES[name]
    value = values_for(name, parameter, count, campaign)[index]
    shown = " ".join(f"{type(value).__name__} {value!r}".split())[:120]
    optional = inspect.signature(entry.signature).parameters.get(parameter)
    fallback = None if optional is None or optional.default is inspect.Parameter.empty else optional.default
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        good = entry.good()
        try:
            result = entry.call(**{**good, parameter: value})
        except Exception as error:  # noqa: BLE001  The script counts all errors.
            told = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            inside = innermost_in_ganzoo(error)
            if inside and isinstance(error, REFUSALS) and says_what_came(error, parameter, value):
                return "well", shown, told
            last = traceback.extract_tb(error.__traceback__)[-1]
            return ("badly" if inside else "outside"), shown, f"{told} ({last.filename.split('/')[-1]}:{last.lineno})"
        finally:
            os.chdir("/")
    expected = good.get(parameter, fallback)
    is_optional = optional is not None and optional.default is None
    if value is None and (is_optional or accepts_any(name, parameter)):
        return "accepted", shown, ""
    if not is_of_the_kind(value, expected) and not accepts_any(name, parameter):
        return "nonsense", shown, f"a good value is {expected!r}"[:120]
    if not entry.is_sound(result):
        return "nonsense", shown, f"made numbers that are not finite: {result!r}"[:200]
    return "accepted", shown, ""


def work(connection):
    """Makes the calls that come through a pipe."""
    sys.stdout = open(os.devnull, "w")
    while True:
        case = connection.recv()
        connection.send(outcome(*case))


class Worker:
    """A process that makes the calls. A new process replaces it if a call takes too long or takes it down."""

    def __init__(self):
        self.context = multiprocessing.get_context("spawn")
        self.process = None

    def start(self):
        self.connection, other = self.context.Pipe()
        self.process = self.context.Process(target=work, args=(other,), daemon=True)
        self.process.start()
        other.close()
        self.run((next(iter(ENTRIES)), parameters_of(next(iter(ENTRIES.values())))[0], 0, 1, 0), limit=120)

    def run(self, case, limit=SECONDS):
        if self.process is None:
            self.start()
        started = time.perf_counter()
        try:
            self.connection.send(case)
            if self.connection.poll(limit):
                return (*self.connection.recv(), time.perf_counter() - started)
            told = f"more than {limit} seconds"
        except (EOFError, BrokenPipeError, ConnectionResetError):
            told = "the process died"
        self.process.kill()
        self.process = None
        name, parameter, index, *rest = case
        value = values_for(name, parameter, *rest)[index]
        return "slow", " ".join(repr(value).split())[:120], told, time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", default="", help="only those whose name contains this")
    parser.add_argument("--count", type=int, default=3, help="values for each argument")
    parser.add_argument("--seed", type=int, default=0, help="other seeds make other values")
    parser.add_argument("--show", choices=["bad", "accepted", "all"], default="bad", help="the cases to print")
    options = parser.parse_args()
    worker, totals, per_group, longest = Worker(), collections.Counter(), {}, (0.0, "")
    for name, entry in ENTRIES.items():
        if options.entries not in name:
            continue
        counts = per_group.setdefault(name.split(".")[0], collections.Counter())
        for parameter in parameters_of(entry):
            for index in range(len(values_for(name, parameter, options.count, options.seed))):
                case = (name, parameter, index, options.count, options.seed)
                kind, shown, told, seconds = worker.run(case)
                counts[kind] += 1
                totals[kind] += 1
                longest = max(longest, (seconds, f"{name}({parameter}={shown})"))
                quiet = {"well": ("all",), "accepted": ("all", "accepted")}.get(kind, ("bad", "all", "accepted"))
                if options.show in quiet:
                    print(f"{kind:8} {name}({parameter}={shown}) {told}", flush=True)
    cases = sum(totals.values())
    print(f"\n| of | cases | {' | '.join(KINDS)} |\n|---|---|{'---|' * len(KINDS)}")
    for group, counts in (*per_group.items(), ("all", totals)):
        print(f"| {group} | {sum(counts.values())} | {' | '.join(str(counts[kind]) for kind in KINDS)} |")
    print(f"\nThe longest: {longest[0]:.1f} s, {longest[1]}")
    badly = totals["badly"] + totals["outside"]
    sys.exit(int(badly > 0.01 * cases or totals["nonsense"] > 0 or totals["slow"] > 0))


KINDS = ("well", "badly", "outside", "accepted", "nonsense", "slow")

if __name__ == "__main__":
    main()
