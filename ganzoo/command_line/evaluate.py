"""The command `ganzoo evaluate`. Its flags are in `ganzoo/command_line/commands.py`."""

import inspect
import json
import sys
from pathlib import Path

import keras
import numpy as np

from ganzoo import data, files, metrics
from ganzoo.command_line.commands import FEATURES
from ganzoo.command_line.datasets import reading
from ganzoo.command_line.models import open_sampler, reason
from ganzoo.metrics import features
from ganzoo.metrics.defaults import default_metrics
from ganzoo.metrics.features.base import Given
from ganzoo.metrics.measuring import Measuring
from ganzoo.metrics.metric import Metric
from ganzoo.metrics.pairs import PairMetric

TOYS = ("ring", "grid")  # Toys with known modes.


def run(options):
    """Evaluates a model with the options, an object that has the values of the flags as attributes.

    Returns:
        List of `ganzoo.metrics.Score`.
    """
    classes = None if options.metrics is None else [metric_of(name) for name in options.metrics]
    network = None if options.features is None else features_of(options.features)
    sampler = open_sampler(options.model)
    real, condition = real_samples(options, sampler)
    chosen = choose(classes, network, real, sampler, options)
    count = options.num_samples if condition is None else len(condition)
    print(
        f"{sampler.name} of {options.model} after step {sampler.steps_done:,}: {count:,} samples of seed "
        f"{options.seed}, {len(real):,} of {options.dataset}, {options.split}",
        flush=True,
    )
    fake = sampler.draw(count, options.seed, condition)
    scores, failed = measure(chosen, real, fake, None if sampler.num_classes is None else condition)
    if scores:
        print(f"\n{table(scores)}")
        with files.replacing(options.output) as temporary:
            temporary.write_text(json.dumps([json.loads(score.to_json()) for score in scores], indent=2) + "\n")
        print(f"\nWrote the scores to {options.output}")
    if failed:
        print(f"Not measured, for the reasons above: {', '.join(failed)}.", file=sys.stderr)
        raise SystemExit(1)
    return scores


# === What to measure ===


def known_metrics():
    """Dictionary, name -> class, of the metrics that need only samples, a classifier or a toy's name."""
    classes = [value for value in vars(metrics).values() if inspect.isclass(value) and issubclass(value, Metric)]
    known = {function_of(metric): metric for metric in classes if set(metric.kinds) <= {"real", "fake"}}
    enough = {name: metric for name, metric in known.items() if required(metric) <= {"classifier"} or has_toys(metric)}
    return {name: enough[name] for name in sorted(filter(None, enough))}


def function_of(metric):
    """The name of the function that belongs to a streaming class of metrics. `None` for a base class."""
    functions = (name for name, value in vars(inspect.getmodule(metric)).items() if inspect.isfunction(value))
    return next((name for name in functions if name.replace("_", "") == metric.__name__.lower()), None)


def name_of(metric):
    """The printed name of a class of metrics."""
    return function_of(metric) or metric.__name__


def required(metric):
    """The required arguments of a class of metrics."""
    return {name for name, p in inspect.signature(metric).parameters.items() if p.default is p.empty}


def has_toys(metric):
    """Whether a class of metrics can be made from the name of a toy."""
    return all(hasattr(metric, toy) for toy in TOYS)


def metric_of(name):
    """The class of metrics with the name in the flag."""
    known = known_metrics()
    if name not in known:
        raise SystemExit(f"There is no metric {name!r}. The metrics are {', '.join(known)}.")
    return known[name]


def features_of(name):
    """The feature network that the flag names. `Given` without a name."""
    if name == "none":
        return Given()
    path = Path(name)
    try:
        if name in FEATURES:
            return getattr(features, FEATURES[name])()
        if path.suffix in (".pth", ".pt", ".pb"):
            return features.InceptionV3(path)
        if path.suffix == ".keras":
            return features.ModelFeatures(keras.saving.load_model(path), path.stem)
    except (OSError, ValueError, TypeError) as error:
        raise SystemExit(f"--features={name}: {reason(error)}") from error
    raise SystemExit(f"--features={name} is none of {', '.join(FEATURES)}, none, and no .keras, .pth or .pb file.")


def choose(classes, network, samples, sampler, options):
    """List of metrics of the given classes, with the given features or with features that suit the samples."""
    if classes is None or network is None:
        suitable = default_metrics(samples)
        if classes is None and network is None:
            return suitable
        classes = classes or [type(metric) for metric in suitable]
    network = network or suitable[0].features
    return [make(metric, network, sampler, options) for metric in classes]


def make(metric, network, sampler, options):
    """Makes a metric of a class, with the given features unless the class has its own."""
    if issubclass(metric, PairMetric) and sampler.condition_shape is None:
        raise SystemExit(
            f"{name_of(metric)} compares pairs: of models that translate images. {options.model} does not."
        )
    if has_toys(metric):
        if options.dataset not in TOYS:
            raise SystemExit(f"{name_of(metric)} knows the modes of {' and '.join(TOYS)}, not of {options.dataset}.")
        return getattr(metric, options.dataset)()
    needs_classifier = metric.needs_classifier or "classifier" in required(metric)
    if needs_classifier and isinstance(network, Given):
        raise SystemExit(f"{name_of(metric)} needs a classifier: --features={', '.join(FEATURES)} or a .keras file.")
    try:
        if "classifier" in required(metric):
            return metric(classifier=network.model if isinstance(network, features.ModelFeatures) else network)
        bare = metric()
        takes_features = "features" in inspect.signature(metric).parameters and isinstance(bare.features, Given)
        return metric(features=network) if takes_features else bare
    except (ValueError, TypeError) as error:
        raise SystemExit(
            f"{name_of(metric)}: {reason(error)} (--features={options.features or network.name})"
        ) from error


# === The samples ===


def real_samples(options, sampler):
    """Samples of the data, and the condition of each sample to generate.

    Returns:
        Float32 array `(num_real, ...)`, and labels, images, or `None` for an unconditional model.
    """
    dataset = load(options, sampler.image_shape, sampler.attributes)
    first, second = first_elements(dataset, max(options.num_real or options.num_samples, options.num_samples))
    condition = None
    if sampler.condition_shape is not None:
        first, condition = pairs_for(sampler, first, second, options)
    elif sampler.num_classes is not None:
        condition = labels_for(sampler, second, options)
    elif sampler.attributes is not None:
        condition = attributes_for(sampler, dataset, second, options)
    check_shape("makes samples", sampler.image_shape, first, options)
    return first[: options.num_real or options.num_samples], condition


def load(options, image_shape, attributes=None):
    """Loads the dataset of the options for a model's samples and attributes. Stops if it cannot be read."""
    given = reading(options)
    if given["image_size"] is None and len(image_shape) == 3 and Path(options.dataset).is_dir():
        given["image_size"] = image_shape[:2]  # The pictures of a folder may have different sizes.
    if attributes is not None and given["label"] is None:
        given["label"] = list(attributes.labels)
        if not given["label"]:
            raise SystemExit(
                f"The attributes of {options.model} have no names, which would tell the labels: --data_label."
            )
    try:
        return data.load(options.dataset, options.split, **given)
    except (ValueError, ImportError, OSError) as error:
        raise SystemExit(" ".join(str(error).split())) from error


def pairs_for(sampler, inputs, targets, options):
    """The targets and inputs of pairs, for a model that translates images."""
    if targets is None or targets.ndim != 4:
        raise SystemExit(f"{options.model} translates images, and {options.dataset} has no pairs of them.")
    targets, inputs = targets[: options.num_samples], inputs[: options.num_samples]
    check_shape("takes images", sampler.condition_shape, inputs, options)
    return targets, inputs


def labels_for(sampler, labels, options):
    """The labels to ask a conditional model for. They are the labels of the data, repeated if there are too few."""
    if labels is None or labels.ndim != 1:
        raise SystemExit(f"{options.model} is conditional, and {options.dataset} has no labels.")
    if labels.max() >= sampler.num_classes:
        raise SystemExit(
            f"{options.model} has the classes 0 to {sampler.num_classes - 1}, and {options.dataset} has labels up "
            f"to {labels.max()}."
        )
    return np.resize(labels, options.num_samples)


def attributes_for(sampler, dataset, rows, options):
    """The attributes to ask a model for. They are the attributes of the data, repeated if there are too few."""
    names = getattr(dataset, "attribute_names", None)
    if names != sampler.attributes.attribute_names:
        raise SystemExit(f"{options.model} has other attributes than {options.dataset}: their names differ.")
    return np.resize(rows, (options.num_samples, rows.shape[1]))


def first_elements(dataset, count):
    """The first samples and labels of an unbatched dataset, as arrays. The labels may be `None`."""
    parts = [batch if isinstance(batch, tuple) else (batch, None) for batch in dataset.take(count).batch(1000)]
    return [None if column[0] is None else np.concatenate([np.asarray(x) for x in column]) for column in zip(*parts)]


def check_shape(does, shape, samples, options):
    """Stops unless the data have the shape of the model's samples or inputs."""
    if samples.shape[1:] == shape:
        return
    hint = ""
    if len(shape) == 3 and shape[0] == shape[1] and shape[2:] == samples.shape[3:]:
        hint = f" --image_size={shape[0]} resizes them."
    raise SystemExit(
        f"{options.model} {does} of shape {shape}, and those of {options.dataset} have the shape {samples.shape[1:]}."
        f"{hint}"
    )


# === The scores ===


def measure(chosen, real, fake, labels=None):
    """Computes the metrics and prints each score.

    Args:
        chosen: List of metrics.
        real, fake: Arrays of samples.
        labels: Labels that a conditional model was asked for.

    Returns:
        List of `Score`, and list of the names of metrics that could not be computed.
    """
    measured = Measuring(dict(enumerate(chosen)), real).of(fake, labels)
    scores, failed = [], []
    for index, metric in enumerate(chosen):
        name = name_of(type(metric))
        print(f"{name}, metric {index + 1} of {len(chosen)} ...", file=sys.stderr, flush=True)
        try:
            scores.append(measured.score(index))
        except (ValueError, TypeError) as error:  # The other metrics can still be computed.
            failed.append(name)
            print(f"{name}: {reason(error)}", file=sys.stderr)
            continue
        print(scores[-1], flush=True)
    return scores, failed


def table(scores):
    """The scores as a table of plain text."""
    rows = [("metric", "value", "interval", "level", "perfect", "better", "features")]
    for score in scores:
        interval = "" if score.interval is None else f"[{score.interval[0]:.4g}, {score.interval[1]:.4g}]"
        level = "" if score.interval is None else f"{score.level:.0%}"
        better = {True: "lower", False: "higher", None: ""}[score.lower_is_better]
        perfect = "" if score.perfect is None else f"{score.perfect:.4g}"
        rows.append((score.name, f"{score.value:.4g}", interval, level, perfect, better, score.features))
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
