"""Checks for data that do not fit a model, or that no model can learn from.

Each check is a generator function `(model, data)` -> `Finding`s. `CHECKS` lists the checks for `Data`.
"""

import dataclasses
import itertools
import math

import numpy as np

from ganzoo.health.dimension import intrinsic_dimension
from ganzoo.health.findings import Finding
from ganzoo.health.model_checks import networks_of
from ganzoo.networks import graph
from ganzoo.networks.unet import BatchStatisticsNormalization
from ganzoo.training.condition_kinds import Image, Label
from ganzoo.training.first_samples import batches_of, first_samples

# A check looks only at the first batches. It stops after MAX_SAMPLES, MAX_VALUES or MAX_SECONDS.
MAX_SAMPLES, MAX_VALUES, MAX_SECONDS = 1000, 2**24, 1.0

# Estimates of a dimension vary by a third. So report too few latents only if there are clearly fewer.
CLEARLY_FEWER = 2 / 3

# Below this batch size, Figure 1 of Wu & He shows a steep rise in the error of batch normalization.
SMALL_BATCH = 8

# Transformations of tf.data without state. Reading them changes nothing for the next reader.
STATELESS = (
    *("Tensor", "TensorSlice", "Range", "Batch", "Unbatch", "Restructured", "Map", "Filter", "Zip", "Concatenate"),
    *("Take", "Skip", "Shard", "Repeat", "Prefetch", "Options", "AssertCardinality"),
)


@dataclasses.dataclass(frozen=True)
class Data:
    """The part of a dataset that the checks look at.

    Args:
        samples: Float array `(count, ...)`.
        inputs: Float array, the input images of a model that translates, or `None`.
        labels: Integer array, or `None`. The labels of the whole dataset if `all_labels` is true, otherwise those
            belonging to `samples`.
        batch_size: Integer.
        all_labels: Boolean.
    """

    samples: np.ndarray
    inputs: np.ndarray | None
    labels: np.ndarray | None
    batch_size: int
    all_labels: bool


def read(model, dataset, batch=None):
    """Returns the `Data` of a dataset, or `None` if it has no data or cannot be read safely.

    Args:
        model: `GenerativeModel`.
        dataset: `tf.data.Dataset` of batches.
        batch: A batch that was already read, for a dataset that cannot be read again.
    """
    elements = dataset if can_be_read_again(dataset) else [] if batch is None else [batch]
    count = max(1, min(MAX_SAMPLES, MAX_VALUES // math.prod(model.image_shape)))
    found = first_samples(batches_of(model, elements), count, MAX_SECONDS)
    if found is None:
        return None
    everything = getattr(getattr(dataset, "source", None), "labels", None) if len(model.conditions) == 1 else None
    samples, condition = found.first(MAX_SAMPLES)
    labels = part_of(model, found.condition, Label)
    return Data(
        samples=samples,
        inputs=part_of(model, condition, Image),
        labels=labels if labels is None or everything is None else everything.numpy(),
        batch_size=found.batch_size,
        all_labels=everything is not None,
    )


def part_of(model, condition, kind):
    """The values of the first condition of a kind in a batch of conditions, or `None`."""
    kinds, parts = model.conditions.kinds, model.conditions.parts(condition)
    return next((part for name, part in parts.items() if isinstance(kinds[name], kind)), None)


def can_be_read_again(dataset):
    """Whether reading a dataset again leaves no trace in it.

    Datasets of `ganzoo.data` depend only on seed, epoch and position. In other datasets, all transformations must be
    known to be stateless, and their functions must not use random numbers, Python code or variables.
    """
    if hasattr(dataset, "stream"):
        return True
    pending = [dataset]
    while pending:
        part = pending.pop()
        name = type(part).__name__.removeprefix("_").removeprefix("Parallel").removesuffix("Dataset")
        operations = [op for function in part._functions() for op in function.function.graph.get_operations()]
        if name not in STATELESS or any(op.op_def is not None and op.op_def.is_stateful for op in operations):
            return False
        pending += part._inputs()
    return True


# === Checks ===


def check_small_batch(model, batch_size):
    """Checks for batch normalization over too few samples. Reports only the first layer of each network."""
    for role, network in networks_of(model).items():
        packing = model.packing if role == "discriminator" else 1
        found = (small_batch(model, role, layer, batch_size, packing) for layer in graph.batch_normalizations(network))
        yield from itertools.islice(filter(None, found), 1)


def small_batch(model, role, layer, batch_size, packing):
    """A `Finding` if a layer has too few samples for its statistics, otherwise `None`."""
    if isinstance(layer, BatchStatisticsNormalization) or not layer.trainable:
        return None
    replicas = model.distribute_strategy.num_replicas_in_sync
    together = layer.synchronized or replicas == 1
    count = batch_size // packing // (1 if together else replicas)
    if count >= SMALL_BATCH:
        return None
    packs = f", packs of {packing}" if packing > 1 else ""
    share = "" if together else f", {replicas} replicas"
    fix = "larger batches" if together else "larger batches, or synchronized=True"
    return Finding(
        "small_batch_for_batch_normalization",
        f"Batch normalization in the {role} ({layer.name!r}) has {count} samples for its statistics "
        f"(batches of {batch_size}{packs}{share}); below {SMALL_BATCH} they are mostly noise. Take "
        f"{fix}; or layer or instance normalization, which need no batch.",
        "Wu & He, 2018, arXiv:1803.08494, Figure 1",
    )


def check_finite(model, data):
    """Checks for values that are not finite in later batches. `fit` checks only the first batch."""
    bad = int(sum(not np.isfinite(sample).all() for sample in data.samples))
    if bad:
        yield Finding(
            "not_finite",
            f"{bad} of {len(data.samples)} samples hold NaN or infinite values. One of them makes all weights NaN. "
            "Find and drop them.",
            "IEEE 754: NaN passes through every sum",
        )


def check_range(model, data):
    """Checks for data in another range than the images of the model."""
    if len(model.image_shape) != 3:
        return
    for what, images in (("data", data.samples), ("input images", data.inputs)):
        if images is not None:
            yield from wrong_range(model, what, float(images.min()), float(images.max()))


def wrong_range(model, what, low, high):
    """Yields a `Finding` if images are never below 0, or lie in a small part of [-1, 1]."""
    found = f"The {what} lie in [{low:.4g}, {high:.4g}]"
    reference = "Radford et al., 2015, arXiv:1511.06434, Section 4: images scaled to the range of the tanh"
    if low >= 0:
        activation = graph.output_activation(model.generator)
        reached = f", and the generator ends in {activation}" if activation else ""
        yield Finding(
            "unit_range",
            f"{found}, never below 0{reached}. Images of ganzoo fill [-1, 1]: half of the range stays unused, and "
            "what `generate` and `export` call black is grey in the data. If they are scaled to [0, 1], pass "
            "images * 2 - 1.",
            reference,
        )
    elif high - low < 0.05:
        yield Finding(
            "narrow_range",
            f"{found}, a fortieth of [-1, 1] or less: they look scaled twice. Scale 0..255 once, with "
            "ganzoo.data.normalize (x / 127.5 - 1).",
            reference,
        )


def check_reach(model, data):
    """Checks for values that a generator cannot make, or that the discriminator of BEGAN cannot reconstruct."""
    networks = {"generator": model.generator}
    if getattr(model, "reconstructs", False):
        networks["discriminator"] = model.discriminator
    for role, network in networks.items():
        activation = graph.output_activation(network)
        if activation is None:
            continue
        low, high = graph.RANGES[activation]
        outside = float(np.mean((data.samples < low - 1e-3) | (data.samples > high + 1e-3)))
        if outside > 1e-3:
            yield Finding(
                "unreachable_values",
                f"{outside:.1%} of the values in the data lie outside of [{low:g}, {high:g}], which the {role}'s "
                f"{activation} cannot leave; they reach from {data.samples.min():.4g} to {data.samples.max():.4g}. "
                f"Give the {role} a tanh for data in [-1, 1], or a linear output.",
                "Radford et al., 2015, arXiv:1511.06434, Section 4: images scaled to the range of the tanh",
            )


def check_equal_samples(model, data):
    """Checks for data that are mostly a single sample."""
    if len(data.samples) < 2:
        return
    samples = data.samples.reshape(len(data.samples), -1).astype("float32")
    middle = np.median(samples, axis=0)  # If most samples are equal, the median is that sample.
    tolerance = (0.01 if len(model.image_shape) == 3 else 1e-6) * (samples.max() - samples.min())
    share = float(np.mean(np.sqrt(np.mean((samples - middle) ** 2, axis=1)) <= tolerance))
    if share > 0.5:
        yield Finding(
            "equal_samples",
            f"{share:.0%} of {len(samples)} samples are (nearly) equal. A generator that makes nothing else has won. "
            "Look at the data: was one file read again and again, or were values rounded away?",
            "Goodfellow et al., 2014, arXiv:1406.2661, Theorem 1: the optimum is the distribution of the data",
        )


def check_channels(model, data):
    """Checks for a channel that never changes."""
    if len(model.image_shape) != 3 or model.image_shape[-1] < 2 or len(data.samples) < 2:
        return
    flat = data.samples.reshape(-1, model.image_shape[-1])
    low, high = flat.min(axis=0), flat.max(axis=0)
    constant = np.flatnonzero(high - low < 1e-6)
    if 0 < len(constant) < len(low):
        values = ", ".join(f"channel {index} is {low[index]:.4g}" for index in constant)
        yield Finding(
            "constant_channels",
            f"In all pixels of the data, {values}. The discriminator tells every generated image by its deviation "
            "there, and learns nothing else. Drop the channel, such as an opaque alpha: channels=3.",
            "Arjovsky & Bottou, 2017, arXiv:1701.04862, Theorem 2.1",
        )


LABELS_PAPER = "Mirza & Osindero, 2014, arXiv:1411.1784, Equation 2"


def check_labels(model, data):
    """Checks for labels that a conditional model cannot learn from."""
    if model.num_classes is None or data.labels is None or not len(data.labels):
        return
    where = f"{'all' if data.all_labels else 'the first'} {len(data.labels)} samples"
    seen = np.unique(data.labels)
    yield from labels_out_of_range(model.num_classes, seen, where)
    yield from one_class(model.num_classes, seen, where)
    # With fewer samples, a class may be missing by chance.
    if data.all_labels or len(data.labels) >= 100 * model.num_classes:
        yield from empty_classes(model.num_classes, seen, where)


def labels_out_of_range(classes, seen, where):
    """Reports labels outside the classes of the model."""
    outside = seen[(seen < 0) | (seen >= classes)]
    if len(outside):
        yield Finding(
            "labels_out_of_range",
            f"Labels must lie in 0..{classes - 1} (num_classes={classes}), and {where} hold {outside[:5].tolist()}. "
            "Such a label becomes a vector of zeros, the same for all of them.",
            LABELS_PAPER,
        )


def one_class(classes, seen, where):
    """Reports a single label if the model has several classes."""
    if len(seen) == 1 and classes > 1:
        yield Finding(
            "one_class",
            f"The model has {classes} classes, and {where} have the label {seen[0]}. It can learn no other. Either the "
            "data are of one class, or they are sorted by class: shuffle them.",
            LABELS_PAPER,
        )


def empty_classes(classes, seen, where):
    """Reports labels that never occur."""
    missing = np.setdiff1d(np.arange(classes), seen)
    if len(missing) and (len(seen) > 1 or classes == 1):  # `one_class` reports a single label.
        yield Finding(
            "empty_classes",
            f"The model has {classes} classes, and among {where} there is none of {missing[:10].tolist()}. What it "
            "generates for them is arbitrary. Number the classes from 0 on, and count them in num_classes.",
            LABELS_PAPER,
        )


def check_latents(model, data):
    """Checks for fewer latents than the data have dimensions.

    Models with an encoder are not checked. Their narrow bottleneck is intended, for example two latents for a plot, and
    their loss shows its cost. Models that translate images are not checked either, because their samples depend on the
    input.
    """
    if "encoder" in networks_of(model) or data.inputs is not None:
        return
    dimension = intrinsic_dimension(data.samples)
    if dimension is not None and model.latent_dim < CLEARLY_FEWER * dimension:
        yield Finding(
            "few_latents",
            f"The generator has {model.latent_dim} latents, and the data about {dimension:.1f} dimensions (maximum "
            f"likelihood, from {len(data.samples)} samples). What it makes lies on a manifold of {model.latent_dim} "
            f"dimensions at most, and cannot fill them. Take latent_dim={2 * int(np.ceil(dimension))} or more.",
            "Arjovsky & Bottou, 2017, arXiv:1701.04862, Lemma 1; Levina & Bickel, 2004, NeurIPS 17",
        )


CHECKS = (
    check_range,
    check_reach,
    check_equal_samples,
    check_channels,
    check_labels,
    check_latents,
)
