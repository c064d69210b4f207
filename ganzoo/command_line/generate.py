"""Makes images with a trained model; no dataset is needed.

python -m ganzoo generate runs/wgan_gp/model.keras --num_samples 100 --output new.png
python -m ganzoo generate runs/wgan_gp/serving/1 --output_dir new
"""

from pathlib import Path

import numpy as np
from absl import flags

from ganzoo import images
from ganzoo.command_line.models import open_sampler


def define_flags(values):
    """Defines the flags of this command in an `absl.flags.FlagValues`."""
    flags.DEFINE_integer("num_samples", 64, "How many.", lower_bound=1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "The same seed gives the same samples.", flag_values=values)
    flags.DEFINE_integer(
        "label",
        None,
        "For a conditional model: this class only. Default: each in turn.",
        lower_bound=0,
        flag_values=values,
    )
    flags.DEFINE_string(
        "output",
        "samples.png",
        "One picture of all samples; points in the plane become a scatter plot.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "output_dir", None, "A folder for one PNG per image, instead of one picture.", flag_values=values
    )


def run(options):
    """Draws and writes samples with the settings of an object that has the flags' values as attributes."""
    sampler = open_sampler(options.model)
    is_image = len(sampler.image_shape) == 3 and sampler.image_shape[-1] in (1, 3, 4)
    if sampler.condition_shape is not None:
        command = f"python examples/translate.py --model {options.model} --input_dir FOLDER"
        raise SystemExit(f"{options.model} translates images: {command}")
    if not is_image and sampler.image_shape != (2,):
        raise SystemExit(f"Samples of shape {sampler.image_shape} are neither images nor points in the plane.")
    if not is_image and options.output_dir is not None:
        raise SystemExit("--output_dir: points in the plane have no image each. Use --output.")
    samples = sampler.draw(options.num_samples, options.seed, labels_for(sampler.num_classes, options))
    if options.output_dir is None:
        images.save_png(options.output, images.grid(samples) if is_image else images.scatter(samples))
        print(f"Wrote {len(samples)} samples to {options.output}")
        return
    for index, image in enumerate(images.to_uint8(samples).numpy()):
        images.save_png(Path(options.output_dir) / f"{index:05d}.png", image)
    print(f"Wrote {len(samples)} images to {options.output_dir}: 00000.png to {len(samples) - 1:05d}.png")


def labels_for(num_classes, options):
    """Returns the labels to draw, or `None` for an unconditional model."""
    if num_classes is None:
        if options.label is not None:
            raise SystemExit(f"--label={options.label}: the model is unconditional and takes no label.")
        return None
    if options.label is None:
        return np.arange(options.num_samples) % num_classes
    if options.label >= num_classes:
        raise SystemExit(f"--label={options.label}: the model has the classes 0 to {num_classes - 1}.")
    return np.full(options.num_samples, options.label)
