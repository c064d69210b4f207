"""Measures samples during training."""

import csv
import re
import sys
import time

import keras
import numpy as np

from ganzoo import checks, files, records
from ganzoo.callbacks.checkpoint import Checkpoint
from ganzoo.metrics.defaults import default_metrics
from ganzoo.metrics.feature_files import default_cache
from ganzoo.metrics.measuring import Measuring
from ganzoo.metrics.metric import Metric, check_measurable
from ganzoo.metrics.score import Score, distinct_names
from ganzoo.training.checkpoint_files import OneFile
from ganzoo.training.first_samples import mapped
from ganzoo.training.real_samples import conditions_to_generate, read_samples

_SAMPLES_AT_ONCE = 10_000  # Number of samples per seed.
_SHORT = 1.0  # Evaluations shorter than this many seconds always run.


class Evaluate(keras.callbacks.Callback):
    """Measures the model's samples with any metrics at the end of an epoch.

    It generates `num_samples` samples by `model.generate`, from a fixed set of latents and with the averaged generator
    if there is any. It runs each feature network once and computes every metric. The bare values go to `logs` under the
    name of the metric, where `History`, `LearningCurve`, `CSVLogger`, `EarlyStopping` and `ModelCheckpoint` find them.
    If two metrics have the same name, the name of their features is added.

    Keras passes the same `logs` from callback to callback. So put this callback **before** those that read them, and
    before `Checkpoint`, so that a run that is killed in between evaluates again. `History` and the progress bar come
    last and always see the values.

    A labelled model gets labels with the frequencies of the data, or equally many of each class if the data have no
    labels. A model that translates images gets the inputs of the data, and its outputs are compared with their targets.

    `directory` receives these files, which are rewritten after each evaluation and are always complete:

    - `evaluation.csv`: `epoch`, `step`, `seconds`, and each value with its interval (`_low`, `_high`).
    - `evaluation.jsonl`: the same with the whole `Score`.
    - `best.keras`, if you pass `best`: the whole state of the model with the best value so far, with its optimizers.

    A resumed run continues these files. Rows after the step where it starts are dropped.

    The features of real samples are kept in `cache_dir`, so that the next run does not compute them again. The file
    name contains hashes of the samples and the network. A file is used only if a few of its features can be reproduced.

    If a metric cannot be computed, for example because there are too few samples or they are too small, a message says
    why and it is skipped. The training continues.

    Pass `every=1` if another callback acts on the values, such as `EarlyStopping`. Otherwise the number of evaluations
    depends on the available time, which differs between runs.

    With several workers, each worker evaluates, so that all see the same logs. The first worker writes.

    Args:
        metrics: A metric of `ganzoo.metrics`, a list of metrics, or a dictionary by the names for the logs. `None`
            chooses metrics that suit the samples (`ganzoo.metrics.default_metrics`). Metrics that use labels get the
            requested labels.
        data: The real samples, preferably all training data. A `tf.data.Dataset` of batches, an array, or a pair
            `(images, labels)`. From datasets made by `ganzoo.data`, all samples are used, including an incomplete last
            batch.
        every: Integer, epochs between evaluations. Defaults to `None`, as often as `budget` allows.
        num_samples: Integer, number of generated samples. Defaults to `10_000`.
        seed: Integer, for the latents. Defaults to `0`. More than 10,000 samples are drawn in parts of that size, with
            the seeds `seed`, `seed + 1`, ...
        best: String, the value (its name in the logs) whose best model to keep. Defaults to `None`, which keeps no
            model.
        directory: String or `Path`. Defaults to `None`: no files, and no `best`.
        cache_dir: String or `Path`, or `False` for no cache. Defaults to `None`: `ganzoo/features` in Keras' cache,
            `$KERAS_HOME` or `~/.keras`.
        num_real: Integer, number of real samples to use, from the start. Defaults to `None`, all samples.
        batch_size: Integer, batch size of the generator. Defaults to `250`.
        verbose: Boolean, whether to print the scores. Defaults to `True`.
        budget: Float, the share of the training time for evaluations if `every` is not given. An epoch without time
            left is not evaluated, and a message says so. The first and the last epoch are always evaluated. So is every
            epoch if an evaluation takes less than a second. Defaults to `0.1`.

    Attributes:
        scores: Dictionary, name -> `Score`, of the last evaluation.
        rows: List of dictionaries, the contents of `evaluation.jsonl`.

    Raises:
        ValueError: Before the first step, if the data do not fit the model. After the first evaluation, if `best` is
            not the name of a value, or if neither direction of that value is better.

    Example:

    >>> train = ganzoo.data.load("mnist_10k", batch_size=64)
    >>> digits = ganzoo.metrics.features.DigitsClassifier()
    >>> distance = ganzoo.metrics.FrechetDistance(digits)
    >>> evaluate = ganzoo.callbacks.Evaluate(distance, train, best="frechet_distance", directory="run")
    >>> gan.fit(train, epochs=20, callbacks=[evaluate])
    """

    def __init__(
        self,
        metrics,
        data,
        every=None,
        num_samples=10_000,
        seed=0,
        best=None,
        directory=None,
        cache_dir=None,
        num_real=None,
        batch_size=250,
        verbose=True,
        budget=0.1,
    ):
        super().__init__()
        if best is not None and directory is None:
            raise ValueError(f"best={best!r} keeps a model, and needs a `directory` for it. Received: directory=None")
        self.metrics = None if metrics is None else named_metrics(metrics)
        self.data = data
        self.every = checks.check_count("every", every)
        self.budget = checks.number("budget", budget, above=0)
        self.num_samples, self.batch_size = checks.counts(num_samples=num_samples, batch_size=batch_size)
        self.seed = checks.seed("seed", seed)
        self.best = best
        self.directory = checks.path("directory", directory, optional=True)
        self.cache_dir = default_cache() if cache_dir is None else cache_dir and checks.path("cache_dir", cache_dir)
        self.num_real = checks.check_count("num_real", num_real)
        self.verbose = verbose
        self.scores = {}
        self.rows = []
        self._measuring = None
        self._keeper = None if best is None else best_model(self.directory)

    # === Keras' calls ===

    def on_train_begin(self, logs=None):
        self._prepare()
        if self._keeper:
            self._keeper.set_model(self.model)
            self._keeper.on_train_begin()
        rows = [] if self.directory is None else records.read(self._file("jsonl"))
        self.rows = [row for row in rows if row["step"] <= self.model.steps_done]
        self._began, self._spent, self._cost, self._told = time.perf_counter(), 0.0, None, False

    def on_epoch_end(self, epoch, logs=None):
        if not self._is_due(epoch):
            return
        start = time.perf_counter()
        if self.verbose and sys.stderr.isatty():
            print(f"\rEvaluating {self.num_samples:,} samples ...", end="", file=sys.stderr, flush=True)
        self.scores = self.measure()
        self._cost = time.perf_counter() - start
        self._spent += self._cost
        if not self.scores:
            return
        values = {name: score.value for name, score in self.scores.items()}
        if logs is not None:
            logs.update(values)
        is_best = self.best is not None and self._is_best()
        row = self._row(epoch, time.perf_counter() - start, is_best)
        self.rows.append(row)
        if getattr(self.model, "is_chief", True):
            if is_best:
                self._keeper.save()
            self._write()
            self._tell(f"Epoch {epoch + 1}: {self._summary(row)}")

    def _is_due(self, epoch):
        if self.every is not None:
            return (epoch + 1) % self.every == 0
        if self._cost is None or self._cost < _SHORT or epoch + 1 == self.params["epochs"]:
            return True
        training = time.perf_counter() - self._began - self._spent
        if self._spent + self._cost <= self.budget * training:
            return True
        if not self._told:
            self._told = True
            self._tell(
                f"Evaluate: an evaluation takes {self._cost:.1f} s. The next one comes when all of them are at most "
                f"{self.budget:.0%} of the training's time, and one after the last epoch. every=1 evaluates each."
            )
        return False

    # === Measurement ===

    def measure(self):
        """Evaluates the model in its present state.

        Returns:
            Dictionary, name -> `Score`. Empty if the model makes samples that are not finite.
        """
        self._prepare()
        condition = conditions_to_generate(self.model, self._conditions, self.num_samples, self.seed)
        samples = self._generate(condition)
        bad = len(samples) - int(np.isfinite(samples.reshape(len(samples), -1)).all(axis=1).sum())
        if bad:
            self._tell(f"Evaluate: {bad:,} of {len(samples):,} samples hold NaN or infinite values: no scores.")
            return {}
        measured, scores = self._measuring.of(samples, condition if self.model.num_classes else None), {}
        for name, metric in self.metrics.items():
            try:
                scores[name] = measured.score(name)
            except ValueError as error:  # Keep the training and the other metrics going.
                self._tell(f"Evaluate: no score of {type(metric).__name__}. {error}")
        return dict(zip(names_of(scores), scores.values(), strict=True))

    def _prepare(self):
        """Reads the real samples, and loads or computes their features, only once."""
        if self._measuring is not None:
            return
        real, self._conditions = read_samples(self.model, self.data, self.num_real)
        if self.model.conditions.translates:
            # Outputs are compared with the targets of their own inputs, so there must be equally many.
            real = real[: self.num_samples]
        if self.metrics is None:
            self.metrics = named_metrics(default_metrics(real))
        self._measuring = Measuring(self.metrics, real, self.cache_dir)

    def _generate(self, condition):
        """`num_samples` samples that depend only on the weights and the seed."""
        count = self.num_samples if condition is None or isinstance(condition, dict) else len(condition)
        parts = []
        for index, start in enumerate(range(0, count, _SAMPLES_AT_ONCE)):
            of_part = slice(start, min(start + _SAMPLES_AT_ONCE, count))
            parts.append(
                self.model.generate(
                    of_part.stop - start,
                    seed=self.seed + index,
                    condition=mapped(lambda part, of_part=of_part: part[of_part], condition),
                    batch_size=self.batch_size,
                )
            )
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    # === The best model ===

    def _row(self, epoch, seconds, is_best):
        """The row of the table for an evaluation."""
        scores = {name: records.from_json(score.to_json()) for name, score in self.scores.items()}
        row = {"epoch": epoch + 1, "step": self.model.steps_done, "seconds": round(seconds, 2)}
        return row | {"best": is_best, "scores": scores}

    def _is_best(self):
        if self.best not in self.scores:
            raise ValueError(f"best={self.best!r} is none of the values: {', '.join(self.scores)}.")
        score = self.scores[self.best]
        if score.lower_is_better is None:
            raise ValueError(f"best={self.best!r}: of this value neither less nor more is better. Name another one.")
        is_better = Score.__lt__ if score.lower_is_better else Score.__gt__
        return bool(np.isfinite(score.value)) and all(is_better(score, rival) for rival in self._rivals(score))

    def _rivals(self, score):
        """Earlier scores with the same name and protocol. Runs with other settings do not count."""
        earlier = (Score(**row["scores"][self.best]) for row in self.rows if self.best in row["scores"])
        return [other for other in earlier if other.protocol == score.protocol and np.isfinite(other.value)]

    def restore_best(self, model=None):
        """Restores the best state into the model of the training, or into another model. Returns the file's path."""
        if self._keeper is None:
            raise ValueError("No model is kept: pass best=, the name of a value, and directory=.")
        return self._keeper.restore(self.model if model is None else model)

    # === Files and messages ===

    def _file(self, kind):
        return self.directory / f"evaluation.{kind}"

    def _write(self):
        if self.directory is None:
            return
        records.write(self._file("jsonl"), self.rows)
        names = list(dict.fromkeys(name for row in self.rows for name in row["scores"]))
        columns = [column for name in names for column in (name, f"{name}_low", f"{name}_high")]
        with files.replacing(self._file("csv")) as temporary, temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["epoch", "step", "seconds", *columns])
            writer.writeheader()
            for row in self.rows:
                cells = {key: row[key] for key in ("epoch", "step", "seconds")}
                for name, score in row["scores"].items():
                    low, high = score["interval"] or ("", "")
                    cells |= {name: score["value"], f"{name}_low": low, f"{name}_high": high}
                writer.writerow(cells)

    def _summary(self, row):
        parts = []
        for name, score in self.scores.items():
            interval = "" if score.interval is None else " [{:.4g}, {:.4g}]".format(*score.interval)
            perfect = "" if score.perfect is None else f" (perfect: {score.perfect:.4g})"
            parts.append(f"{name} {score.value:.4g}{interval}{perfect}")
        best = ", the best so far" if row["best"] else ""
        return f"{', '.join(parts)} ({self.num_samples:,} samples, {row['seconds']:.1f} s{best})"

    def _tell(self, line):
        if self.verbose and getattr(self.model, "is_chief", True):
            print(f"\n{line}", flush=True)


def best_model(directory):
    """A `Checkpoint` that keeps a single file, `best.keras`."""
    keeper = Checkpoint(directory)
    keeper.store = OneFile(directory / "best.keras")
    return keeper


def named_metrics(metrics):
    """A dictionary of metrics. Metrics of a list get numbers as names."""
    if isinstance(metrics, Metric):
        metrics = [metrics]
    if not isinstance(metrics, (dict, list, tuple)) or not metrics:
        raise TypeError(f"`metrics` must be a metric, or a list or a dictionary of them. Received: {metrics!r}")
    metrics = dict(metrics) if isinstance(metrics, dict) else dict(enumerate(metrics))
    for metric in metrics.values():
        if not isinstance(metric, Metric):
            raise TypeError(f"`metrics` must be objects of ganzoo.metrics. Received: {metric!r}")
        check_measurable(metric)
        if not set(metric.kinds) <= {"real", "fake"}:
            raise ValueError(
                f"Evaluate has real and generated samples, and {type(metric).__name__} needs "
                f"{' and '.join(metric.kinds)}. Call it after the training."
            )
    return metrics


def names_of(scores):
    """The names for the logs: the keys of a dictionary, or the names of the scores, as words of letters and digits."""
    names = []
    for (key, score), name in zip(scores.items(), distinct_names(list(scores.values()))):
        addition = re.sub(r"[^0-9a-zA-Z]+", "_", name.removeprefix(score.name)).lower()
        names.append(key if isinstance(key, str) else score.name + addition)
    if len(set(names)) < len(names):
        raise ValueError(
            f"Several metrics are called {names}. Name them: Evaluate({{'one': ..., 'other': ...}}, data)."
        )
    return names
