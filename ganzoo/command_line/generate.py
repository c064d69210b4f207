"""The command `ganzoo generate`. Its flags are in `ganzoo/command_line/commands.py`."""

from pathlib import Path

import numpy as np

from ganzoo import images
from ganzoo.command_line.models import open_sampler


def run(options):
    """Draws and writes samples with the options, an object that has the values of the flags as attributes."""
    sampler = open_sampler(options.model)
    is_image = len(sampler.image_shape) == 3 and sampler.image_shape[-1] in (1, 3, 4)
    if sampler.condition_shape is not None:
        command = f"python -m ganzoo translate {options.model} --input_dir FOLDER"
        raise SystemExit(f"{options.model} translates images: {command}")
    if not is_image and sampler.image_shape != (2,):
        raise SystemExit(f"Samples of shape {sampler.image_shape} are neither images nor points in the plane.")
    if not is_image and options.output_dir is not None:
        raise SystemExit("--output_dir: points in the plane have no image each. Use --output.")
    samples = sampler.draw(options.num_samples, options.seed, condition_for(sampler, options))
    if options.output_dir is None:
        images.save_png(options.output, picture_of(samples, sampler, options) if is_image else images.scatter(samples))
        print(f"Wrote {len(samples)} samples to {options.output}")
        return
    for index, image in enumerate(images.to_uint8(samples).numpy()):
        images.save_png(Path(options.output_dir) / f"{index:05d}.png", image)
    print(f"Wrote {len(samples)} images to {options.output_dir}: 00000.png to {len(samples) - 1:05d}.png")


def picture_of(samples, sampler, options):
    """A picture of all samples. If the classes take turns, each class has a column under its name."""
    names = sampler.class_names
    if names is None or options.label is not None or len(samples) < len(names):
        return images.grid(samples)
    columns, titles = images.repeated_columns(len(names), names, len(samples))
    return images.grid(samples, columns, titles=titles)


def condition_for(sampler, options):
    """The labels or attributes to draw, or `None` for an unconditional model."""
    attributes = getattr(options, "attributes", None)
    if sampler.attributes is not None:
        if options.label is not None:
            raise SystemExit(f"--label={options.label}: the model has attributes. Use --attributes NAME=VALUE.")
        return attributes_for(sampler.attributes, attributes or (), options.num_samples)
    if attributes:
        raise SystemExit(f"--attributes={','.join(attributes)}: the model has none.")
    if sampler.num_classes is None:
        if options.label is not None:
            raise SystemExit(f"--label={options.label}: the model is unconditional and takes no label.")
        return None
    if options.label is None:
        return np.arange(options.num_samples) % sampler.num_classes
    return np.full(options.num_samples, number_of(options.label, sampler))


def attributes_for(kind, texts, count):
    """Rows of attributes. Named attributes have the given values, the others take each value in turn."""
    rows = kind.in_turn(count)
    for text in texts:
        label, _, value = text.partition("=")
        try:
            column = kind.column_of(label, value)
        except ValueError as error:
            raise SystemExit(f"--attributes={text}: {error}") from None
        rows[:, kind.labels[label]] = 0
        rows[:, column] = 1
    return rows


def number_of(label, sampler):
    """The number of a class, from its number or its name."""
    names = sampler.class_names or []
    if label in names:
        return names.index(label)
    if str(label).isdigit() and int(label) < sampler.num_classes:
        return int(label)
    named = f": {', '.join(names)}" if names else ""
    raise SystemExit(f"--label={label}: the model has the classes 0 to {sampler.num_classes - 1}{named}.")
