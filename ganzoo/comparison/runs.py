"""Compares models under the same budget, with a table of intervals, learning curves and grids of samples."""

import contextlib
import csv
import dataclasses
import hashlib
import io
import itertools
import math
import re
import time

import keras
import numpy as np
import tensorflow as tf
from scipy import stats

from ganzoo import checks, files, images, records
from ganzoo.metrics.defaults import default_metrics
from ganzoo.metrics.intervals import check_level
from ganzoo.metrics.measuring import Measuring
from ganzoo.metrics.metric import Metric, check_measurable
from ganzoo.metrics.score import Score, distinct_names
from ganzoo.training.first_samples import first_samples

UNITS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""Okabe and Ito's colours, which colour-blind readers can tell apart."""

STYLES = ("-", "--", ":")  # Models beyond the number of colours get another line style.


def compare(
    models,
    dataset,
    seeds=5,
    budget="10 min",
    metrics=None,
    num_samples=10_000,
    points=10,
    callbacks=None,
    output_dir="comparison",
    level=0.95,
    verbose=1,
):
    """Trains each model with each seed under the same budget, and tests which differences are significant.

    A GAN's result depends on its seed, so a single run proves nothing. The table shows the mean over the seeds and its
    Student's interval. Two models count as different in a metric only if Welch's t-test rejects equality at `1 -
    level`, after Holm's correction for all pairs.

    Each run is saved in `output_dir` when it ends, and is not repeated in the next call. So an interrupted comparison
    continues. A run is identified by the name of its model, the seed, the budget, the real samples and the metrics. If
    you change a model, use another name or another folder.

    Reference: [Lucic et al., 2018](https://arxiv.org/abs/1711.10337), "Are GANs created equal?", for the reasons.
    Welch, 1947, and Holm, 1979, for the tests.

    Args:
        models: Dictionary, name -> function of a seed that returns a compiled model.
        dataset: `tf.data.Dataset` of batches of samples or of `(samples, label)`. It trains all models, and its first
            samples are the real samples of the metrics.
        seeds: Integer, the number of seeds 0, 1, ..., or a list of seeds. Defaults to `5`.
        budget: String, the time for each training, `"90 s"`, `"10 min"`, `"1 h"`. The time for metrics and for the
            first step, which compiles, does not count. Or an integer, generator updates. Defaults to `"10 min"`.
        metrics: List of `ganzoo.metrics` objects. By default, metrics that suit the samples.
        num_samples: Integer, number of real and of generated samples for the metrics. Fewer if the dataset has fewer.
            Defaults to `10_000`.
        points: Integer, number of evaluations during training, the last at the end. Defaults to `10`.
        callbacks: Function of a model that returns a list of callbacks for its training. Defaults to `None`, no
            callbacks.
        output_dir: Folder for `runs.jsonl`, `table.csv`, `table.md`, `curves.png` and a grid of samples for each model.
        level: Float, level of intervals and tests. Defaults to `0.95`.
        verbose: `0` for silence, `1` (the default) for a line for each evaluation.

    Returns:
        A `Comparison`. Print it to see the table.

    Example:

    >>> models = {
    ...     "WGAN": lambda seed: ganzoo.WGAN.from_paper((28, 28, 1), seed=seed),
    ...     "WGAN-GP": lambda seed: ganzoo.WGANGP.from_paper((28, 28, 1), seed=seed),
    ... }
    >>> data = ganzoo.data.load("mnist_10k", batch_size=64)
    >>> print(ganzoo.compare(models, data, seeds=3, budget="5 min"))
    """
    seconds, updates = parse_budget(budget)
    check_models(models)
    verbose = checks.choice("verbose", verbose, (0, 1, False, True))
    points, num_samples = checks.counts(points=points, num_samples=num_samples)
    seeds, metrics, level = checked_seeds(seeds), checked_metrics(metrics), check_level(level)
    if not (callbacks is None or callable(callbacks)):
        raise checks.refusal("callbacks", callbacks, "a function of a model that returns a list of callbacks", True)
    if updates is not None and updates < points:
        raise ValueError(f"A budget of {updates} updates has no room for {points} evaluations: lower `points`.")
    samples, labels = real_samples(dataset, num_samples)
    metrics = default_metrics(samples) if metrics is None else metrics
    measuring = Measuring(dict(enumerate(metrics)), samples)

    folder = checks.path("output_dir", output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "runs.jsonl"
    conditions = {
        "budget": budget,
        "points": points,
        "num_samples": len(samples),
        "samples": hashlib.blake2b(np.ascontiguousarray(samples).tobytes(), digest_size=8).hexdigest(),
        "metrics": [protocol_of(metric) for metric in metrics],
    }
    runs = kept_runs(file, conditions, verbose)
    for seed, (name, build) in itertools.product(seeds, models.items()):
        if (name, seed) in runs:
            continue
        keras.utils.set_random_seed(seed)
        model = build(seed)
        if not isinstance(model, keras.Model):
            raise TypeError(f"models[{name!r}] must return a model. Received: {model!r}")
        training = train(model, dataset, seconds, updates, points, callbacks(model) if callbacks else [])
        says = f"{name}, seed {seed}" if verbose else None
        curve, generated = measured_training(model, training, points, measuring, labels, len(samples), says)
        if generated is not None and samples.ndim == 4 and seed == seeds[0]:
            images.save_png(folder / f"{file_name(name)}.png", images.grid(generated[:64]))
        runs[name, seed] = {"model": name, "seed": seed, "conditions": conditions, "curve": curve}
        records.append(file, runs[name, seed])
    comparison = Comparison([runs[name, seed] for name in models for seed in seeds], level)
    (folder / "table.md").write_text(f"{comparison}\n")
    (folder / "table.csv").write_text(comparison.csv())
    comparison.draw(folder / "curves.png")
    return comparison


def kept_runs(path, conditions, verbose):
    """The runs of a file with the same conditions, by `(model, seed)`."""
    there = records.read(path)
    if there:
        records.write(path, there)  # Drops the last line if a kill cut it off.
    runs = {(run["model"], run["seed"]): run for run in there if run["conditions"] == conditions}
    others = sum(run["conditions"] != conditions for run in there)
    if others and verbose:
        print(f"{others} runs in {path} have other budgets, data or metrics: left aside.", flush=True)
    return runs


def train(model, dataset, seconds, updates, points, callbacks):
    """Trains a model for `seconds` or `updates`, whichever is not `None`.

    Yields:
        The seconds spent so far, `points` times, the last time at the end of the training.
    """
    clock = Clock()
    for point in range(1, points + 1):
        if updates is None:
            # More steps than time allows. The clock ends the epoch.
            steps, clock.until = 10**7, seconds * point / points
        else:
            steps = updates * point // points - model.steps_done
        with contextlib.suppress(FloatingPointError):  # After divergence, measure the samples anyway.
            model.fit(dataset, epochs=1, steps_per_epoch=steps, callbacks=[*callbacks, clock], verbose=0)
        yield clock.seconds


def measured_training(model, training, points, measuring, labels, num_samples, says):
    """Measures a model at each point of its training.

    Args:
        model: Compiled model.
        training: Iterator of the seconds spent, which trains up to the next of the `points`. See `train`.
        points: Integer.
        measuring: `Measuring`.
        labels: Labels or attributes to request from a conditional model.
        num_samples: Integer.
        says: String, the start of the line for each point, or `None` for silence.

    Returns:
        List of dictionaries, an entry for each point, and the last samples, or `None` if they are not finite.
    """
    conditions = getattr(model, "conditions", ())
    condition = labels if len(conditions) and not conditions.translates else None
    labels = None if getattr(model, "num_classes", None) is None else labels
    curve = []
    for spent in training:
        samples = model.generate(num_samples, seed=0, condition=condition)
        is_finite = bool(np.isfinite(samples).all())
        # The real samples stand in for NaN samples, only to get the protocol of the scores.
        scores = measuring.of(samples if is_finite else measuring.real, labels).scores().values()
        if not is_finite:  # Keep the protocol, drop the value.
            scores = [dataclasses.replace(score, value=np.nan, interval=None, details={}) for score in scores]
        point = {"step": model.steps_done, "seconds": round(spent, 3)}
        curve.append({**point, "scores": [dataclasses.asdict(score) for score in scores]})
        if says is not None:
            values = ", ".join(f"{score.name} {score.value:.4g}" for score in scores)
            print(f"{says}, {len(curve)}/{points}: step {model.steps_done}, {values}", flush=True)
        if not is_finite:  # NaN weights stay NaN.
            return curve + [curve[-1]] * (points - len(curve)), None
    return curve, samples


def protocol_of(metric):
    """A string of everything that determines a metric's value, except the samples."""
    hidden = {key for key in vars(metric) if key.startswith("_")} | {"chunk_size", "features"}
    settings = {key: described(value) for key, value in sorted(vars(metric).items()) if key not in hidden}
    return f"{type(metric).__name__} of {metric.features.name} (resized by {metric.features.resize}), {settings}"


def described(value):
    """A setting in words that are equal in every process: an array by its digest, an object by its class."""
    if isinstance(value, dict):
        return {key: described(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [described(part) for part in value]
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape} {hashlib.blake2b(value.tobytes(), digest_size=8).hexdigest()}"
    return value if isinstance(value, (bool, int, float, str, type(None))) else type(value).__name__


class Comparison:
    """The result of `compare`.

    Args:
        runs: List of dictionaries, the lines of `runs.jsonl`.
        level: Float, level of intervals and tests. Defaults to `0.95`.
    """

    def __init__(self, runs, level=0.95):
        self.runs = runs
        self.level = level
        self.models = list(dict.fromkeys(run["model"] for run in runs))
        self.metrics = distinct_names([Score(**score) for score in runs[0]["curve"][-1]["scores"]])
        for metric in self.metrics:
            first, *others = (score for model in self.models for score in self.scores(model, metric))
            for other in others:
                first.check_same_protocol(other)

    def scores(self, model, metric):
        """The last `Score` of each seed."""
        index = self.metrics.index(metric)
        return [Score(**run["curve"][-1]["scores"][index]) for run in self.runs if run["model"] == model]

    def values(self, model, metric):
        """The last values of all seeds that have a value. NaN samples have no value."""
        values = np.array([score.value for score in self.scores(model, metric)])
        return values[~np.isnan(values)]

    def mean(self, model, metric):
        """Mean over the seeds that have a value, and the half-width of its interval, which is NaN for a single seed."""
        values = self.values(model, metric)
        return values.mean() if len(values) else np.nan, half_width(values, self.level)

    def differences(self, metric):
        """The pairs of models that differ, a list of `(better, worse, p)` with p after Holm's correction.

        If neither direction is better, the smaller value comes first.
        """
        values = {model: self.values(model, metric) for model in self.models}
        lower = self.scores(self.models[0], metric)[0].lower_is_better is not False
        pairs, p_values = [], []
        for first, second in itertools.combinations(self.models, 2):
            if min(len(values[first]), len(values[second])) >= 2:
                p_values.append(welch(values[first], values[second]))
                ordered = (np.mean(values[first]) < np.mean(values[second])) == lower
                pairs.append((first, second) if ordered else (second, first))
        return [(*pair, p) for pair, p in zip(pairs, holm(p_values)) if p < 1 - self.level]

    def rows(self):
        """A dictionary for each model: `model`, `seeds`, mean `updates` and `minutes`, each metric and half-width."""
        for model in self.models:
            ends = [run["curve"][-1] for run in self.runs if run["model"] == model]
            row = {"model": model, "seeds": len(ends), "updates": np.mean([end["step"] for end in ends])}
            row["minutes"] = np.mean([end["seconds"] for end in ends]) / 60
            for metric in self.metrics:
                mean, half = self.mean(model, metric)
                row |= {metric: mean, f"{metric}_half_width": half}
            yield row

    def csv(self):
        """The table as CSV, with means and half-widths of the intervals."""
        rows = list(self.rows())
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def __str__(self):
        header = ["Model", "Seeds", "Updates", "Minutes", *self.metrics]
        lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
        for row in self.rows():
            cells = [
                f"{row[m]:.4g}" + ("" if np.isnan(h := row[f"{m}_half_width"]) else f" ± {h:.2g}") for m in self.metrics
            ]
            spent = f"{row['seeds']} | {row['updates']:,.0f} | {row['minutes']:.1f}"
            lines.append(f"| {row['model']} | {spent} | {' | '.join(cells)} |")
        lines += ["", *self.sentences()]
        return "\n".join(lines)

    def sentences(self):
        """Sentences about the differences, for each metric."""
        scores = [self.scores(self.models[0], metric)[0] for metric in self.metrics]
        kinds = ((scores[0].num_real, "real"), (scores[0].num_fake, "generated"))
        counts = " and ".join(f"{count:,} {kind}" for count, kind in kinds if count)
        networks = ", ".join(dict.fromkeys(score.features for score in scores))
        yield (
            f"± is the {100 * self.level:.4g}% interval of the mean over the seeds (Student). {counts} samples, "
            f"features: {networks}."
        )
        for metric, score in zip(self.metrics, scores):
            if score.perfect is not None:
                yield f"{metric} of a perfect sampler: {score.perfect:.4g}."
        for model in self.models:
            last = [run["curve"][-1]["scores"] for run in self.runs if run["model"] == model]
            lost = sum(all(np.isnan(score["value"]) for score in scores_of_run) for scores_of_run in last)
            if lost:
                yield f"{model}: the samples of {lost} of {len(last)} seeds are NaN, which the means leave out."
        for metric in self.metrics:
            is_judged = self.scores(self.models[0], metric)[0].lower_is_better is not None
            relation = "before" if is_judged else "below"
            found = [f"{first} {relation} {second} (p = {p:.2g})" for first, second, p in self.differences(metric)]
            seeds = min(sum(run["model"] == model for run in self.runs) for model in self.models)
            nothing = "no significant difference" if seeds > 1 else "one seed tells no difference"
            yield f"{metric}: {'; '.join(found) or nothing}."

    def draw(self, path):
        """Draws each metric over the updates, as the mean over the seeds and their range."""
        from matplotlib.figure import Figure

        columns = min(2, len(self.metrics))
        rows = -(-len(self.metrics) // columns)
        figure = Figure(figsize=(5 * columns, 3.2 * rows + 0.5), dpi=100, layout="constrained")
        for index, metric in enumerate(self.metrics):
            axes = figure.add_subplot(rows, columns, index + 1)
            for number, model in enumerate(self.models):
                colour = COLOURS[number % len(COLOURS)]
                style = STYLES[number // len(COLOURS) % len(STYLES)]
                curves = [run["curve"] for run in self.runs if run["model"] == model]
                values = np.array([[point["scores"][index]["value"] for point in curve] for curve in curves])
                steps = np.mean([[point["step"] for point in curve] for curve in curves], axis=0)
                axes.plot(steps, values.mean(axis=0), style, color=colour, marker="o", markersize=3, label=model)
                axes.fill_between(steps, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.15, linewidth=0)
            axes.set_title(metric, fontsize="medium")
            axes.set_xlabel("generator updates")
            axes.grid(color="0.92")
            axes.spines[["top", "right"]].set_visible(False)
        handles, names = axes.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=3 * columns, frameon=False, fontsize="small")
        with files.replacing(path) as temporary:
            figure.savefig(temporary, format="png")


class Clock(keras.callbacks.Callback):
    """Counts the seconds of training without the first step, and stops at `until`."""

    def __init__(self):
        super().__init__()
        self.seconds = 0.0
        self.until = np.inf
        self.first = True

    def on_train_batch_begin(self, batch, logs=None):
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.seconds += 0.0 if self.first else time.perf_counter() - self.started
        self.first = False
        if self.seconds >= self.until:
            self.model.stop_training = True


def parse_budget(budget):
    """Returns `(seconds, None)` for a time, `(None, updates)` for a number."""
    if isinstance(budget, int) and not isinstance(budget, bool) and budget >= 1:
        return None, budget
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+?)s?\s*", budget) if isinstance(budget, str) else None
    unit = match and UNITS.get(match[2])
    if not unit or not float(match[1]):
        raise ValueError(
            '`budget` must be a time such as "90 s", "10 min" or "1 h", or a positive number of updates. Received: '
            f"budget={budget!r}"
        )
    return float(match[1]) * unit, None


def check_models(models):
    """Raises a `TypeError` unless the models are functions of a seed by name."""
    are_functions = isinstance(models, dict) and all(
        callable(build) and not isinstance(build, keras.Model) for build in models.values()
    )
    if not (are_functions and models):
        raise TypeError(
            "`models` must be a dictionary of functions of a seed, {'WGAN': lambda seed: ganzoo.WGAN.from_paper(..., "
            f"seed=seed)}}: each seed needs a new model. Received: {checks.shown(models)}"
        )


def checked_seeds(seeds):
    """A number of seeds, or a list of seeds, as a list of integers."""
    count = checks.plain(seeds)
    if checks.is_integer(count) and 1 <= count <= checks.MAX_SIZE:
        return list(range(count))
    found = checks.plain_items(seeds)
    if not found:
        raise checks.refusal("seeds", seeds, "an integer of at least 1, or a list of seeds")
    return list(dict.fromkeys(checks.seed("seeds", item) for item in found))


def checked_metrics(metrics):
    """Returns a list of metrics that can measure samples, or `None`."""
    if metrics is None:
        return None
    if not isinstance(metrics, (list, tuple)) or not metrics or not all(isinstance(m, Metric) for m in metrics):
        raise checks.refusal("metrics", metrics, "a list of objects of ganzoo.metrics", True)
    for metric in metrics:
        check_measurable(metric)
    return list(metrics)


def real_samples(dataset, count):
    """The first samples of a dataset of batches, and their labels or `None`."""
    if not isinstance(dataset, tf.data.Dataset):
        raise TypeError(
            "`dataset` must be a tf.data.Dataset of batches, such as those of ganzoo.data. Received: "
            f"{checks.shown(dataset)}"
        )
    batches = dataset.as_numpy_iterator()
    found = first_samples((batch if isinstance(batch, tuple) else (batch, None) for batch in batches), count)
    if found is None:
        raise ValueError("The dataset is empty: a comparison needs samples to train on.")
    return found.first(count)


def file_name(name):
    """A model's name as a file name."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "model"


def half_width(values, level):
    """Half the width of Student's interval of a mean, or NaN for a single value."""
    if len(values) < 2:
        return float("nan")
    return float(stats.t.ppf((1 + level) / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))


def welch(first, second):
    """p of Welch's t-test. Two constants have no spread, so they get the p of a permutation test."""
    if np.ptp(first) == 0 and np.ptp(second) == 0:
        return 1.0 if first[0] == second[0] else 2 / math.comb(len(first) + len(second), len(first))
    return float(stats.ttest_ind(first, second, equal_var=False).pvalue)


def holm(p_values):
    """p values after Holm's correction."""
    corrected = np.empty(len(p_values))
    largest = 0.0
    for rank, index in enumerate(np.argsort(p_values)):
        # Corrected p values must not decrease.
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected.tolist()
