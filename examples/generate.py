"""Makes images with a trained model; no dataset is needed.

    python examples/generate.py --model runs/wgan_gp/model.keras --num_samples 100 --output new.png
    python examples/generate.py --model runs/wgan_gp/serving/1 --output_dir new

Everything is a flag: python examples/generate.py --help
"""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

import ganzoo


def define_all_flags():
    """Defines the flags of this example."""
    flags.DEFINE_string(
        "model",
        None,
        "A .keras file, a SavedModel directory, or a directory of checkpoints, of which the newest counts.",
    )
    flags.DEFINE_integer("num_samples", 64, "How many.", lower_bound=1)
    flags.DEFINE_integer("seed", 0, "The same seed gives the same samples.")
    flags.DEFINE_integer(
        "label", None, "For a conditional model: this class only. Default: each in turn.", lower_bound=0
    )
    flags.DEFINE_string(
        "output", "samples.png", "One picture of all samples; points in the plane become a scatter plot."
    )
    flags.DEFINE_string("output_dir", None, "A folder for one PNG per image, instead of one picture.")
    flags.mark_flag_as_required("model")


def load_model(path):
    """Returns the model in a `.keras` file, or in the newest readable one of a directory."""
    files = sorted(path.glob("*.keras"), reverse=True) if path.is_dir() else [path]
    for file in files:
        try:
            return keras.saving.load_model(file)
        except (OSError, ValueError) as error:
            print(f"Cannot read {file}: {error}", file=sys.stderr)
    raise SystemExit(
        f"There is no model to read at {path}. Pass a .keras file, a SavedModel or a checkpoint directory."
    )


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


def check_no_images_wanted(path, condition_shape):
    """Stops with the way to go, if a model translates images."""
    if condition_shape is not None:
        raise SystemExit(f"{path} translates images: python examples/translate.py --model {path} --input_dir FOLDER")


def draw(options):
    """Returns samples of the model that the flags name: uint8 images, or float32 vectors."""
    path = Path(options.model)
    if (path / "saved_model.pb").is_file():
        # All that is needed for it is TensorFlow, the number of classes excepted.
        card = ganzoo.export.read_card(path)
        check_no_images_wanted(path, card["condition_shape"])
        signature = tf.saved_model.load(path).signatures["generate"]
        labels = labels_for(card["num_classes"], options)
        count = {"num_samples": tf.constant(options.num_samples, "int64")}
        given = count if labels is None else {"label": tf.constant(labels, "int64")}
        return signature(seed=tf.constant(options.seed, "int64"), **given)["images"].numpy()
    model = load_model(path)
    check_no_images_wanted(path, getattr(model.condition_kind, "shape", None))
    samples = model.generate(options.num_samples, options.seed, labels_for(model.num_classes, options))
    return ganzoo.images.to_uint8(samples).numpy() if samples.ndim == 4 else samples


def main(options):
    """Draws and writes samples with the settings of an object that has the flags' values as attributes."""
    samples = draw(options)
    is_image = samples.ndim == 4 and samples.shape[-1] in (1, 3, 4)
    if not is_image and samples.shape[1:] != (2,):
        raise SystemExit(f"Samples of shape {samples.shape[1:]} are neither images nor points in the plane.")
    if options.output_dir is None:
        picture = ganzoo.images.grid(samples) if is_image else ganzoo.images.scatter(samples)
        ganzoo.images.save_png(options.output, picture)
        print(f"Wrote {len(samples)} samples to {options.output}")
        return
    if not is_image:
        raise SystemExit("--output_dir: points in the plane have no image each. Use --output.")
    for index, image in enumerate(samples):
        ganzoo.images.save_png(Path(options.output_dir) / f"{index:05d}.png", image)
    print(f"Wrote {len(samples)} images to {options.output_dir}: 00000.png to {len(samples) - 1:05d}.png")


if __name__ == "__main__":
    define_all_flags()
    app.run(lambda argv: main(flags.FLAGS), sys.argv)
