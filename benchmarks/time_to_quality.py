"""How good are the pictures after minutes: ganzoo beside what people train today, over wall-clock time.

    python benchmarks/time_to_quality.py                                   # garments and faces that come with ganzoo
    python benchmarks/time_to_quality.py --data fashion_mnist cifar10_jpeg --manual_dir ~/data --budget 60
    python benchmarks/time_to_quality.py --torch_python ~/torch/bin/python # with the peers in PyTorch

Every competitor trains in a process of its own with the networks, settings, batch size and data pipeline of its page
(`peers/`), on the same training images and the same cores, which all of them are free to use. Its clock starts before
the interpreter, so imports, building and compilation count. It writes samples at given moments, while its clock stands
still: drawing, compressing and writing samples cost no competitor time. Reading the data set (JPEG, archives) happens
once, before all runs. After each run, a judge process measures the samples (`lib/judge.py` says by which distance, and
why). If an update is long, a point lies later than its moment, and the record has the time of the samples.

Runs alternate: the first seed of all competitors, then the second seed. So a slow hour of the machine slows them all.
Nothing else may use the cores. Finished runs are in the records, and are not repeated.

Prints the minutes after which each level of the distance is reached: the median over the seeds, and their range. `> 30`
means that 30 minutes were not enough. Writes the curves to one picture, and 64 samples of each run to the work folder.
"""

import argparse
import dataclasses
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import peers
from lib.builders import RESULTS
from lib.machine import commit, processor, versions
from lib.reaching import in_words, levels, minutes_to_reach

import ganzoo
from ganzoo import records

BENCHMARKS = Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Data:
    """How a data set is read, and which recipes of ganzoo are for such images.

    Args:
        train, held_out: Splits.
        file: A file that lies in the folder of `manual_dir`, or `None` for data that come with ganzoo.
        image_size: Pair of integers, or `None` for the stored size.
        recipes: Names of recipes, with flags that the images ask for.
    """

    train: str
    held_out: str
    file: str | None = None
    image_size: tuple | None = None
    recipes: tuple = ()


# Each pixel of the faces in pixel art is 2x2 pixels of the image.
PIXEL_ART = ("recipe quick_faces --pixel_size=2", "recipe faces_32")
GARMENTS = ("recipe quick_faces", "recipe wgan_gp_fashion_mnist")
DATA = {
    "fashion_mnist_10k": Data("train[:9000]", "train[9000:]", None, None, GARMENTS),
    "faces_10k": Data("train[:9000]", "train[9000:]", None, (32, 32), PIXEL_ART),
    "fashion_mnist": Data("train", "test", "fashion_mnist/train-images-idx3-ubyte.gz", None, GARMENTS),
    "pixel_faces_32": Data("train", "test", "pixel_faces_32.npz", None, PIXEL_ART),
    "cifar10_jpeg": Data("train", "test", "cifar10_jpeg.tar.gz", None, ("recipe quick_faces",)),
    "peeps_64": Data("train", "test", "peeps_64.npz", None, ("recipe quick_faces", "recipe peeps_64")),
}


def say(message):
    print(f"[{time.strftime('%H:%M:%S')}] {message}", file=sys.stderr, flush=True)


# === Data ===


def prepare(name, manual_dir, folder):
    """Writes the training images and the held-out images of a data set as `.npz`, once. Returns the path."""
    path = folder / f"{name}.npz"
    if not path.exists():
        say(f"reading {name}")
        data = DATA[name]
        where = None if data.file is None else folder_of(name, data.file, manual_dir)
        arguments = {"manual_dir": where, "image_size": data.image_size, "shuffle": False}
        parts = {
            part: ganzoo.data.load(name, split, **arguments).source.images.numpy()
            for part, split in (("train", data.train), ("held_out", data.held_out))
        }
        # Files are sorted by class, and a peer may shuffle only a window.
        parts["train"] = np.random.default_rng(0).permutation(parts["train"])
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(path, **parts)
    return path


def folder_of(name, file, manual_dir):
    """The folder below `manual_dir` that holds the file of a data set."""
    found = sorted(manual_dir.rglob(file)) if manual_dir is not None else []
    if not found:
        raise SystemExit(f"{name} is read from {file}. Pass --manual_dir, a folder that holds it at any depth.")
    return found[0].parent


# === Runs ===


def interpreter(competitor, torch_python):
    """The interpreter of a competitor, or `None` if there is no PyTorch."""
    if peers.find(competitor).framework == "keras":
        return sys.executable
    if torch_python is not None:
        return torch_python
    return sys.executable if versions("torch") else None


def run(key, data, folder, python, options):
    """Runs a competitor and the judge. Returns the record."""
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in folder.glob("*.npz"):  # Of a run that was interrupted.
        left_over.unlink()
    paths = [str(BENCHMARKS), str(BENCHMARKS.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [python, "-m", "peers.run", key["competitor"], "--data", data, "--output_dir", folder]
    command += ["--budget", 60 * key["budget"], "--points", key["points"], "--num_samples", key["num_samples"]]
    command += ["--seed", key["seed"], "--started", time.time()]
    # An update of a large peer takes a minute, and samples of it too.
    limit = 600 + 60 * key["budget"] * options.patience
    with (folder / "log.txt").open("w") as log:
        done = subprocess.run(list(map(str, command)), env=environment, stdout=log, stderr=log, timeout=limit)
    if done.returncode:
        tail = (folder / "log.txt").read_text().strip().splitlines()[-1:]
        raise SystemExit(f"{key['competitor']} failed: {' '.join(tail)}. See {folder / 'log.txt'}.")
    judging = [sys.executable, "-m", "lib.judge", data, folder]
    subprocess.run(list(map(str, judging)), env=environment, check=True, stderr=subprocess.DEVNULL)
    about, scores = (json.loads((folder / f"{name}.json").read_text()) for name in ("about", "scores"))
    return {**key, **about, **scores, "machine": processor(), "commit": commit(), "versions": versions_of(python)}


def versions_of(python):
    """The versions in an interpreter, which may be another than ours."""
    code = "import json, platform; from lib.machine import versions; "
    code += "print(json.dumps({**versions('tensorflow', 'keras', 'torch'), 'python': platform.python_version()}))"
    done = subprocess.run([python, "-c", code], cwd=BENCHMARKS, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


# === Results ===


def curve_of(record):
    """The curve of a record as `(minutes, distance)`."""
    return [(point["seconds"] / 60, point["distance"]) for point in record["curve"]]


def table(found, budget):
    """Minutes to each level of the distance for each competitor, for the records of a data set."""
    curves = {record_name: [] for record_name in dict.fromkeys(record["competitor"] for record in found)}
    for record in found:
        curves[record["competitor"]].append(record)
    rows = levels([curve_of(record) for record in found])
    header = ["Competitor", "Seeds", "Updates", *(f"{level:.3g}" for level in rows)]
    header += ["Last distance", "Precision", "Recall", "Memorization"]
    lines = [
        f"{found[0]['data']}: {found[0]['protocol']}. Training images have {found[0]['floor']:.3g}.",
        "",
        f"| {' | '.join(header)} |",
        "|" + "---|" * len(header),
    ]
    for name, runs in curves.items():
        ends = [record["curve"][-1] for record in runs]
        cells = [in_words([minutes_to_reach(curve_of(record), level) for record in runs], budget) for level in rows]
        means = {
            key: sum(end[key] for end in ends) / len(ends)
            for key in ("updates", "distance", "precision", "recall", "memorization")
        }
        last = f"{means['distance']:.3g} | {means['precision']:.2f} | {means['recall']:.2f} | "
        last += f"{means['memorization']:.2f}"
        lines.append(f"| {name} | {len(runs)} | {means['updates']:,.0f} | {' | '.join([*cells, last])} |")
    return "\n".join(lines)


def draw(found, path):
    """Draws a panel for each data set: the distance over minutes, the mean of the seeds and their range."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    names = list(dict.fromkeys(record["competitor"] for record in found))
    colours = {name: plt.get_cmap("tab20")(index % 20) for index, name in enumerate(names)}
    sets = list(dict.fromkeys(record["data"] for record in found))
    figure, panels = plt.subplots(1, len(sets), figsize=(6 * len(sets) + 2.5, 5), squeeze=False, layout="constrained")
    for panel, data in zip(panels[0], sets):
        for name in names:
            curves = [curve_of(r) for r in found if (r["data"], r["competitor"]) == (data, name)]
            curves = [curve for curve in curves if curve]
            if not curves:
                continue
            style = {"linestyle": "-", "linewidth": 2} if is_own(name) else {"linestyle": "--", "linewidth": 1.2}
            points = min(map(len, curves))
            minutes = [math.exp(np.mean([math.log(curve[i][0]) for curve in curves])) for i in range(points)]
            values = np.array([[curve[i][1] for i in range(points)] for curve in curves])
            panel.plot(minutes, values.mean(0), marker=".", color=colours[name], label=name, **style)
            panel.fill_between(minutes, values.min(0), values.max(0), color=colours[name], alpha=0.15, linewidth=0)
        first = next(record for record in found if record["data"] == data)
        panel.set(title=data, xlabel="minutes since the start of the process", xscale="log")
        panel.set_ylabel(first["protocol"].partition(" in ")[0].partition(",")[0])
        if all(value > 0 for record in found if record["data"] == data for _, value in curve_of(record)):
            panel.set_yscale("log")
        panel.grid(alpha=0.3, which="both")
    handles = {label: line for panel in panels[0] for line, label in zip(*panel.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), loc="outside right center", frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def is_own(name):
    return name.startswith(("ganzoo ", "recipe "))


def competitors_of(data, chosen):
    """The names of the competitors on a data set, in the order of the runs."""
    everything = [*peers.PEERS, *peers.PAPERS, *DATA[data].recipes]
    return everything if chosen is None else [name for name in chosen if is_own(name) or name in everything]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["fashion_mnist_10k", "faces_10k"], choices=list(DATA))
    parser.add_argument(
        "--competitors", nargs="+", help=f"any of {', '.join([*peers.PEERS, *peers.PAPERS])}, 'recipe NAME FLAGS'"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--budget", type=float, default=30.0, help="minutes of a run")
    parser.add_argument("--points", type=int, default=9, help="moments of a run at which samples are taken")
    parser.add_argument("--num_samples", type=int, default=4000)
    parser.add_argument(
        "--manual_dir", type=Path, help="folder with the files of the data that do not come with ganzoo"
    )
    parser.add_argument("--torch_python", help="interpreter with PyTorch. Default: this one, if it has PyTorch")
    parser.add_argument("--output", type=Path, default=RESULTS / "time_to_quality.jsonl", help="records")
    parser.add_argument("--work_dir", type=Path, default=Path("time_to_quality"), help="data and samples of the runs")
    parser.add_argument("--patience", type=float, default=4.0, help="budgets after which a run is given up")
    parser.add_argument("--table", action="store_true", help="print the table of the records, run nothing")
    options = parser.parse_args()

    found = records.read(options.output)
    if found:
        records.write(options.output, found)  # A killed process may have left half a line.
    common = {"budget": options.budget, "points": options.points, "num_samples": options.num_samples}
    left_out = set()
    plan = [
        {"data": data, "competitor": name, "seed": seed, **common}
        for seed in options.seeds
        for data in options.data
        for name in competitors_of(data, options.competitors)
    ]
    for key in [] if options.table else plan:
        python = interpreter(key["competitor"], options.torch_python)
        if python is None:
            left_out.add(key["competitor"])
            continue
        if any(key.items() <= record.items() for record in found):
            continue
        say(f"{key['data']}, {key['competitor']}, seed {key['seed']}")
        data = prepare(key["data"], options.manual_dir, options.work_dir)
        name = "_".join([key["competitor"].replace(" ", "_").replace("/", "-"), str(key["seed"])])
        try:
            record = run(key, data, options.work_dir / key["data"] / name, python, options)
        except subprocess.TimeoutExpired:
            say(f"{key['competitor']} was given up: it did not end in {options.patience:g} budgets")
            continue
        end = record["curve"][-1]
        say(f"{end['updates']} updates in {end['seconds']:.0f} s, distance {end['distance']:.4g}")
        records.append(options.output, record)
        found.append(record)

    wanted = [record for record in found if any(key.items() <= record.items() for key in plan)]
    for data in options.data:
        if rows := [record for record in wanted if record["data"] == data]:
            print(f"\n{table(rows, options.budget)}")
    if wanted:
        draw(wanted, options.work_dir / "curves.png")
        print(f"\nCurves: {options.work_dir / 'curves.png'}")
    if left_out:
        print(f"\nLeft out, because there is no PyTorch (--torch_python): {', '.join(sorted(left_out))}")


if __name__ == "__main__":
    main()
