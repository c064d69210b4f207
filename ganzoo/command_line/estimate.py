"""The command `ganzoo estimate`: what a training will cost, from its graph and the rates of the machine."""

import contextlib
import os
import resource
import sys

import tensorflow as tf

from ganzoo.command_line.train import build, precision
from ganzoo.command_line.training_data import image_shapes, load
from ganzoo.training.cost import cost_of_step
from ganzoo.training.feed import Feed
from ganzoo.training.rates import measure_rates

ASSUMPTIONS = (
    "Nothing else uses the machine. Reading the data takes no time beside the step.",
    "All convolutions run at the rate of a large one. Small maps, few channels and 1 or 3 channels are slower, so a",
    "small model takes longer than predicted. The parts follow each other; TensorFlow overlaps some of them.",
    "Building the graph, pictures, checkpoints and metrics come on top: seconds to a minute.",
    "Memory is what must be alive at a time in the order of the graph. Threads and caches of the libraries take more.",
)


def run(options):
    """Prints a table for the training that `ganzoo train` with these options would run. Returns the prediction."""
    train = load(options)
    shapes = image_shapes(train)
    with precision(options.mixed_precision):
        model = build(options, shapes, train)
    found = predict(model, train, options.epochs, options.steps_per_epoch)
    print("\n".join(table(found, type(model).__name__, shapes[-1], options.batch_size)))
    print("\n".join(["", "Assumptions and doubts:", *(f"  {line}" for line in ASSUMPTIONS)]))
    if found["branches"]:
        print(f"  The step has {found['branches']} loops or conditions: a round, and the dearer branch, are counted.")
    return found


def predict(model, dataset, epochs, steps_per_epoch=None, rates=None):
    """Predicts the cost of a training.

    Args:
        model: Compiled `GenerativeModel`.
        dataset: `tf.data.Dataset` of batches.
        epochs: Integer.
        steps_per_epoch: Integer, or `None` (the default) for one pass over the data.
        rates: `Rates`. Defaults to `None`, which measures them in the precision of the generator.

    Returns:
        Dictionary: `seconds_per_update`, `updates`, `seconds`, `memory` in bytes, `parts` in seconds, the rates, and
        the fields of `Cost`.
    """
    feed = Feed(model, dataset, steps_per_epoch=steps_per_epoch)
    spec = tf.nest.map_structure(lambda part: with_sizes(part, feed.samples_per_step), feed.from_step(0).element_spec)
    cost = cost_of_step(model, spec)
    rates = measure_rates(model.generator.compute_dtype) if rates is None else rates
    seconds, updates = rates.seconds(cost), epochs * feed.steps_per_epoch
    return {
        **vars(cost),
        "flops": cost.flops,
        "seconds_per_update": seconds,
        "updates": updates,
        "seconds": seconds * updates,
        "memory": resident() + cost.live_bytes,  # Tracing has built the moments of the optimizers.
        "parts": rates.parts(cost),
        "rates": vars(rates),
    }


def with_sizes(spec, samples):
    """A spec whose unknown first size is the number of samples of a step."""
    return tf.TensorSpec([samples, *spec.shape[1:]], spec.dtype)


def resident():
    """The bytes of memory that this process holds now, with TensorFlow, the data and the model."""
    with contextlib.suppress(OSError):
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


# === Words ===


def table(found, name, image_shape, batch_size):
    """The lines of the table."""
    rows = [
        ("arithmetic of an update", f"{found['flops'] / 1e9:.3g} GFLOP"),
        *((f"  {part}", f"{1000 * seconds:.3g} ms") for part, seconds in found["parts"].items()),
        ("an update of the generator", f"{1000 * found['seconds_per_update']:.3g} ms"),
        (f"{found['updates']:,} updates", duration(found["seconds"])),
        ("peak memory", f"{found['memory'] / 2**30:.2g} GiB"),
    ]
    rates = found["rates"]
    rates = (
        f"{rates['convolution'] / 1e9:.3g} GFLOP/s in convolutions, {rates['product'] / 1e9:.3g} in matrix products, "
        f"{rates['bytes'] / 1e9:.3g} GB/s, {1e6 * rates['overhead']:.2g} us for an operation"
    )
    width = max(len(title) for title, _ in rows)
    heading = f"{name}, images {image_shape}, batch {batch_size}"
    return [heading, *(f"  {title:<{width}}  {value}" for title, value in rows), f"Measured here: {rates}"]


def duration(seconds):
    """Seconds in words: `42 s`, `7.5 min`, `3.1 h`."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"
