"""Applies a trained pix2pix to a folder of images.

    python examples/translate.py --model runs/pix2pix/model.keras --input_dir outlines --output_dir coloured
    python examples/translate.py --model runs/pix2pix/serving/1 --input_dir outlines --output_dir coloured

Images are resized to cover the model's size, and cropped at the centre. Everything is a flag:
python examples/translate.py --help
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags
from PIL import Image, ImageOps

import ganzoo

MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def define_all_flags():
    """Defines the flags of this example."""
    flags.DEFINE_string("model", None, "A .keras file, or the directory of a SavedModel.")
    flags.DEFINE_string("input_dir", None, "Folder of images, with all folders in it.")
    flags.DEFINE_string("output_dir", "translated", "Folder of the translated images: PNG files of the same names.")
    flags.DEFINE_integer("batch_size", 16, "Images at a time.", lower_bound=1)
    flags.DEFINE_bool("side_by_side", False, "Write the input on the left of each output.")
    flags.mark_flags_as_required(["model", "input_dir"])


def load_translation(path):
    """Returns the shape of the input images, and a function from images in [-1, 1] to images."""
    if (path / "saved_model.pb").is_file():
        # All that is needed for it is TensorFlow.
        loaded = tf.saved_model.load(path)
        signature = loaded.signatures["serving_default"]
        taken = signature.structured_input_signature[1]
        if set(taken) != {"image"}:
            raise SystemExit(f"The model at {path} does not translate images: it takes {', '.join(sorted(taken))}.")

        def translate(images, keep=loaded):  # The signature lives as long as what it was loaded with.
            return signature(image=tf.constant(images))["images"].numpy()

        return tuple(taken["image"].shape[1:]), translate
    try:
        model = keras.saving.load_model(path)
    except (OSError, ValueError) as error:
        raise SystemExit(f"There is no model to read at {path}: {error}") from error
    if not isinstance(model, ganzoo.Pix2Pix):
        raise SystemExit(f"The model at {path} does not translate images: it is a {type(model).__name__}.")
    return model.condition_kind.shape, lambda images: model.predict(images, batch_size=len(images), verbose=0)


def read(file, shape):
    """Returns an image as floats in [-1, 1], `(height, width, channels)`."""
    height, width, channels = shape
    with Image.open(file) as image:
        image = ImageOps.exif_transpose(image)
        if image.has_transparency_data and channels != 4:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        image = ImageOps.fit(image.convert(MODES[channels]), (width, height), Image.Resampling.LANCZOS)
    return ganzoo.data.normalize(np.asarray(image).reshape(shape))


def as_colour(image):
    return np.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image[..., :3]


def main(options):
    """Translates with the settings of an object that has the flags' values as attributes."""
    source, output = Path(options.input_dir), Path(options.output_dir)
    shape, translate = load_translation(Path(options.model))
    suffixes = Image.registered_extensions()
    files = [file for file in sorted(source.rglob("*")) if file.suffix.lower() in suffixes and file.is_file()]
    if not files:
        raise SystemExit(f"There are no images in {source}.")
    for start in range(0, len(files), options.batch_size):
        part = files[start : start + options.batch_size]
        inputs = np.stack([read(file, shape) for file in part])
        outputs = translate(inputs)
        if options.side_by_side:
            outputs = np.concatenate([as_colour(inputs), as_colour(outputs)], axis=2)
        for file, image in zip(part, ganzoo.images.to_uint8(outputs).numpy()):
            ganzoo.images.save_png(output / file.relative_to(source).with_suffix(".png"), image)
    print(f"Wrote {len(files)} images to {output}")


if __name__ == "__main__":
    define_all_flags()
    app.run(lambda _: main(flags.FLAGS))
