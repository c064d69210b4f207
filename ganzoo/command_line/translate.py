"""The command `ganzoo translate`. Its flags are in `ganzoo/command_line/commands.py`."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ganzoo import data, images
from ganzoo.command_line.models import open_sampler

MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def run(options):
    """Translates a folder with the options, an object that has the values of the flags as attributes."""
    source, output = Path(options.input_dir), Path(options.output_dir)
    files = images_in(source)
    sampler = open_sampler(options.model)
    if sampler.condition_shape is None:
        raise SystemExit(f"The model at {options.model} does not translate images: it is a {sampler.name}.")
    for start in range(0, len(files), options.batch_size):
        part = files[start : start + options.batch_size]
        inputs = np.stack([read(file, sampler.condition_shape) for file in part])
        outputs = sampler.draw(len(part), options.seed, inputs, options.batch_size)
        if options.side_by_side:
            outputs = np.concatenate([as_colour(inputs), as_colour(outputs)], axis=2)
        for file, image in zip(part, images.to_uint8(outputs).numpy()):
            images.save_png(output / file.relative_to(source).with_suffix(".png"), image)
    print(f"Wrote {len(files)} images to {output}")


def images_in(folder):
    """The image files in a folder and its subfolders."""
    suffixes = Image.registered_extensions()
    files = [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in suffixes and file.is_file()]
    if not files:
        raise SystemExit(f"There are no images in {folder}.")
    return files


def read(file, shape):
    """An image as floats in [-1, 1], `(height, width, channels)`."""
    height, width, channels = shape
    try:
        with Image.open(file) as image:
            image = ImageOps.exif_transpose(image)
            if image.has_transparency_data and channels != 4:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            image = ImageOps.fit(image.convert(MODES[channels]), (width, height), Image.Resampling.LANCZOS)
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises these for a broken file.
        raise SystemExit(f"{file} cannot be read: {error}") from error
    return data.normalize(np.asarray(image).reshape(shape))


def as_colour(pictures):
    """Turns pictures into pictures with three channels."""
    return np.repeat(pictures, 3, axis=-1) if pictures.shape[-1] == 1 else pictures[..., :3]
