"""Measures speed and memory of ganzoo's training on this machine, beside eager PyTorch and the hardware.

    python benchmarks/throughput.py --output docs/performance_table.md

Every side (ganzoo or PyTorch, in a single precision) runs in its own process. The processes take turns: each round
measures all of them in turn, while the others sleep, so a slow minute of the machine slows all of them.
Times are medians over the rounds. Ratios are medians of the ratios within a round, with the least and the greatest. Run
it on a quiet machine. If others use the cores, PyTorch loses far more than TensorFlow, because its threads wait for
each other.

`lib/workloads.py` describes the workloads and counts the arithmetic, `lib/torch_peer.py` has the side of PyTorch, and
`lib.sides.Hardware` the rate of the hardware.
"""

import argparse
import os
import pathlib
import platform
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from lib.machine import processor, versions
from lib.sides import Process
from lib.workloads import BATCH_SIZE, WORKLOADS

PRECISIONS = ("float32", "mixed_bfloat16")
PEERS = ("torch", "tuned torch")
FIT_WORKLOADS = ("dcgan", "mlp")
TRACE_ROUNDS = 3


def progress(message):
    print(f"[{time.strftime('%H:%M:%S')}] {message}", file=sys.stderr, flush=True)


def machine():
    """A paragraph about the machine and the versions."""
    packages = ", ".join(f"{name} {version}" for name, version in versions("tensorflow", "keras", "torch").items())
    return f"{processor()}. {packages}, Python {platform.python_version()}, {platform.system()}."


def compare(name, rounds, seconds, torch_bfloat16):
    """Measures a workload on all sides. Returns the rows of the table."""
    workload = WORKLOADS[name]
    sides = {}
    wanted = [("ganzoo", p) for p in PRECISIONS] + [
        (side, p) for side in PEERS for p in PRECISIONS[: 1 + torch_bfloat16]
    ]
    for side, precision in wanted:
        progress(f"{workload.title}: starting {side}, {precision}")
        sides[side, precision] = Process(side, name, precision)
    for precision in PRECISIONS:
        sides["hardware", precision] = Process("hardware", name, precision)
    counts = {key: side.info["parameters"] for key, side in sides.items() if "parameters" in side.info}
    if len(set(map(tuple, counts.values()))) != 1:
        raise AssertionError(f"The networks differ in their numbers of parameters: {counts}")

    updates = {key: max(1, round(seconds / side.ask(1))) for key, side in sides.items() if key[0] != "hardware"}
    times = {key: [] for key in sides}
    for index in range(rounds):
        for key, side in sides.items():
            times[key].append(side.ask(updates.get(key, 1)))
        line = ", ".join(f"{s} {p} {1000 * t[-1]:.1f} ms" for (s, p), t in times.items() if s != "hardware")
        progress(f"{workload.title}: round {index + 1} of {rounds}: {line}")

    rows = []
    samples = BATCH_SIZE * workload.critic_steps
    for side, precision in wanted:
        key = side, precision
        row = {
            "workload": name,
            "side": side,
            "precision": precision,
            "seconds": statistics.median(times[key]),
            "images_per_second": samples / statistics.median(times[key]),
            "memory": sides[key].ask("memory"),
            "start_seconds": sides[key].info["start_seconds"],
            "memory_format": sides[key].info.get("memory_format"),
        }
        if side == "ganzoo":
            row["ratios"], row["tuned_ratios"] = (
                [t / own for t, own in zip(times[peer, "float32"], times[key], strict=True)] for peer in PEERS
            )
            rates = [rate for rate, _ in times["hardware", precision]]
            row["flops"] = sides[key].info["flops"]
            row["rate"] = statistics.median(rates)
            row["fractions"] = [row["flops"] / own / r for own, r in zip(times[key], rates, strict=True)]
            row["operations"] = {
                operation: statistics.median(measured[operation] for _, measured in times["hardware", precision])
                for operation in times["hardware", precision][0][1]
            }
        rows.append(row)
    for side in sides.values():
        side.close()
    return rows


def measure_traces(name):
    """Median seconds and nodes of the traced step, nested and unrolled, by precision."""
    traces = {}
    for precision in PRECISIONS:
        progress(f"{WORKLOADS[name].title}: tracing, {precision}")
        side = Process("trace", name, precision)
        found = [side.ask(1) for _ in range(TRACE_ROUNDS)]
        side.close()
        for index, how in enumerate(("nested", "unrolled")):
            traces[precision, how] = (statistics.median(f[index][0] for f in found), found[0][index][1])
    return traces


def measure_fit(name, rounds, seconds):
    """Seconds per update of the bare loop and of `fit`, for each round."""
    progress(f"{WORKLOADS[name].title}: fit against a bare loop")
    side = Process("fit", name)
    updates = max(10, round(seconds / side.ask(2)[0]))
    times = [side.ask(updates) for _ in range(rounds)]
    side.close()
    return times


def spread(values, digits=2):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def met(reached, target):
    return "met" if reached else f"MISSED, target {target}"


def markdown_table(header, rows):
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (header, *rows)]
    return "\n".join([lines[0], "|" + " --- |" * len(header), *lines[1:]])


def main_table(rows, traces):
    header = (
        "Workload, batch 64",
        "Side",
        "images/s",
        "ms per generator update",
        "peak memory, MB",
        "start to first step, s",
        "trace, s",
        "graph nodes",
        "x PyTorch float32",
        "x tuned PyTorch float32",
        "GFLOP/s",
        "of the hardware",
    )
    body = []
    for row in rows:
        cells = [
            WORKLOADS[row["workload"]].title,
            f"{row['side']} {row['precision']}" + (f", {row['memory_format']}" if row["memory_format"] else ""),
            f"{row['images_per_second']:.0f}",
            f"{1000 * row['seconds']:.1f}",
            f"{row['memory'] / 1e6:.0f}",
            f"{row['start_seconds']:.1f}",
        ]
        if row["side"] == "ganzoo":
            seconds, nodes = traces[row["workload"]][row["precision"], "nested"]
            rate = row["flops"] / row["seconds"] / 1e9
            fractions = [100 * fraction for fraction in row["fractions"]]
            cells += [
                f"{seconds:.1f}",
                nodes,
                spread(row["ratios"]),
                spread(row["tuned_ratios"]),
                f"{rate:.0f} of {row['rate'] / 1e9:.0f}",
            ]
            cells.append(spread(fractions, 0) + " %")
        else:
            cells += ["-"] * 6
        body.append(cells)
    return markdown_table(header, body)


def target_lines(rows, fits):
    lines = []
    for row in rows:
        workload = WORKLOADS[row["workload"]]
        if row["side"] != "ganzoo":
            continue
        target = workload.ratio_targets.get(row["precision"])
        if target:
            ratio = statistics.median(row["ratios"])
            lines.append(
                f"- {workload.title}, {row['precision']}: {ratio:.2f} times PyTorch float32: "
                f"{met(ratio >= target, target)}"
            )
        if workload.fraction_target and row["precision"] == "float32":
            fraction = statistics.median(row["fractions"])
            lines.append(
                f"- {workload.title}, float32: {fraction:.0%} of the hardware's convolution rate: "
                f"{met(fraction >= workload.fraction_target, f'{workload.fraction_target:.0%}')}"
            )
    for name, times in fits.items():
        ratios = [fit / bare for bare, fit in times]
        target = WORKLOADS[name].fit_target
        lines.append(
            f"- {WORKLOADS[name].title}: fit takes {spread(ratios)} times the bare loop: "
            f"{met(statistics.median(ratios) <= target, target)}"
        )
    return lines


def report(rows, traces, fits, rounds):
    """The whole output as Markdown."""
    parts = [f"Machine: {machine()}", f"Medians over {rounds} alternating rounds.", main_table(rows, traces)]
    parts.append(
        "images/s: real samples that the critic sees. GFLOP/s: the arithmetic that the algorithm needs (counted in "
        "`benchmarks/lib/workloads.py`) in the time of an update, of the rate that its convolutions (in the MLP its "
        "matrix products) reach alone at the same shapes: the FLOP-weighted harmonic mean over the forward pass, input "
        "gradient and kernel gradient of every layer. Start to first step and memory: of the one process of each side."
    )
    body = []
    for name, traced in traces.items():
        for precision in PRECISIONS:
            (seconds, nodes), (more_seconds, more_nodes) = traced[precision, "nested"], traced[precision, "unrolled"]
            cells = WORKLOADS[name].title, precision, f"{seconds:.1f}", nodes, f"{more_seconds:.1f}", more_nodes
            body.append(cells)
    header = "Tracing the step", "", "nested, s", "nodes", "unrolled, s", "nodes"
    if body:
        parts.append(markdown_table(header, body))
    if fits:
        header = "fit against a bare loop, float32", "bare, ms", "fit, ms", "ratio"
        body = []
        for name, times in fits.items():
            bare, fit = (1000 * statistics.median(column) for column in zip(*times, strict=True))
            body.append((WORKLOADS[name].title, f"{bare:.1f}", f"{fit:.1f}", spread([f / b for b, f in times])))
        parts.append(markdown_table(header, body))
    parts.append("\n".join(["Targets:", "", *target_lines(rows, fits)]))
    return "\n\n".join(parts) + "\n"


def operations_table(rows):
    """The rate of each convolution, to find the slow convolutions."""
    lines = []
    for row in rows:
        for operation, rate in row.get("operations", {}).items():
            lines.append(f"{WORKLOADS[row['workload']].title} {row['precision']}: {operation}: {rate:.0f} GFLOP/s")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="rounds in which all sides take turns (default: 7)")
    parser.add_argument("--seconds", type=float, default=2.5, help="time of one side in a round, about (default: 2.5)")
    parser.add_argument("--workloads", nargs="+", choices=list(WORKLOADS), default=list(WORKLOADS))
    parser.add_argument("--parts", nargs="+", choices=("compare", "trace", "fit"), default=("compare", "trace", "fit"))
    parser.add_argument("--torch-bfloat16", action="store_true", help="also PyTorch under autocast to bfloat16")
    parser.add_argument("--operations", action="store_true", help="also print the rate of each operation alone")
    parser.add_argument("--output", type=pathlib.Path, help="file for the tables, as Markdown")
    arguments = parser.parse_args()
    rows, traces, fits = [], {}, {}
    for name in arguments.workloads:
        if "trace" in arguments.parts or "compare" in arguments.parts:
            traces[name] = measure_traces(name)
        if "compare" in arguments.parts:
            rows += compare(name, arguments.rounds, arguments.seconds, arguments.torch_bfloat16)
        if "fit" in arguments.parts and name in FIT_WORKLOADS:
            fits[name] = measure_fit(name, arguments.rounds, arguments.seconds)
    text = report(rows, traces, fits, arguments.rounds)
    print(text)
    if arguments.operations:
        print(operations_table(rows))
    if arguments.output:
        arguments.output.write_text(text)
        progress(f"written: {arguments.output}")


if __name__ == "__main__":
    main()
