"""Models in files: what the commands read, and draw samples with."""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ganzoo.data.reading import track
from ganzoo.export.saved_model import draw_latents, read_card
from ganzoo.models import GenerativeModel


class Sampler:
    """The generator of a model in a file, the averaged one where there is one.

    Attributes:
        name: String, the model's class.
        steps_done: Integer, generator updates.
        image_shape: Tuple, shape of one sample.
        latent_dim: Integer.
        num_classes: Integer, or `None`: not conditional on a label.
        condition_shape: Tuple, the shape of the images that the model translates, or `None`.
    """

    def __init__(self, name, steps_done, image_shape, latent_dim, num_classes, condition_shape, decode):
        self.name = name
        self.steps_done = steps_done
        self.image_shape = tuple(image_shape)
        self.latent_dim = latent_dim
        self.num_classes = num_classes
        self.condition_shape = condition_shape and tuple(condition_shape)
        self._decode = decode

    def draw(self, num_samples, seed, condition=None, batch_size=64):
        """The samples of `GenerativeModel.generate`, with a count on stderr if they take long.

        Args:
            num_samples, seed, condition, batch_size: See there; the condition is an array for all samples.

        Returns:
            Float32 NumPy array `(num_samples, ...)`; images lie in [-1, 1].
        """
        latents = draw_latents(tf.constant(seed, "int64"), num_samples, self.latent_dim)
        inputs = [latents] if condition is None else [latents, tf.constant(condition)]
        batch_size = min(batch_size, num_samples)
        samples = np.empty((num_samples, *self.image_shape), "float32")
        starts = range(0, num_samples, batch_size)
        for start in track(starts, len(starts), f"Generating batches of {batch_size}"):
            start = min(start, num_samples - batch_size)  # The last batch is full as well: one trace for all.
            samples[start : start + batch_size] = self._decode(*(part[start : start + batch_size] for part in inputs))
        return samples


def open_sampler(path):
    """Returns the `Sampler` of a `.keras` file, a directory of checkpoints or a SavedModel."""
    if is_saved_model(path):
        return open_saved_model(path)
    model, _ = load_model(path)

    def decode(*inputs):
        return model.predict_on_batch(inputs[0] if len(inputs) == 1 else list(inputs))

    condition_shape = getattr(model.condition_kind, "shape", None)
    return Sampler(
        type(model).__name__,
        model.steps_done,
        model.image_shape,
        model.latent_dim,
        model.num_classes,
        condition_shape,
        decode,
    )


def open_saved_model(path):
    """Returns the `Sampler` of a SavedModel. All that is needed for it is TensorFlow, its card excepted."""
    card = card_of(path)
    try:
        loaded = tf.saved_model.load(path)
        signature = loaded.signatures["serving_default"]
    except (OSError, KeyError, ValueError) as error:
        raise SystemExit(f"There is no model to read at {path}: {reason(error)}") from error

    def decode(latents, condition=None, keep=loaded):  # The signature lives as long as what it was loaded with.
        if card["condition_shape"] is not None:
            return signature(image=condition)["images"].numpy()  # It draws its own latents.
        given = {} if condition is None else {"label": condition}
        return signature(latents=latents, **given)["images"].numpy()

    return Sampler(
        card["model"],
        card["step"],
        card["image_shape"],
        card["latent_dim"],
        card["num_classes"],
        card["condition_shape"],
        decode,
    )


def load_model(path):
    """Returns the model in a `.keras` file, or in the newest readable one of a directory, and that file's path."""
    path = Path(path)
    if is_saved_model(path):
        raise SystemExit(f"{path} is a SavedModel, which holds the generator only. Pass the .keras file of the model.")
    files = sorted(path.glob("[!.]*.keras"), reverse=True) if path.is_dir() else [path]
    why = "there are no .keras files in it" if path.is_dir() else "there is no such file"
    for file in filter(Path.is_file, files):
        if file.suffix != ".keras":
            why = "it is no .keras file"
            continue
        try:
            model = keras.saving.load_model(file)
        except Exception as error:  # Damaged archives, files of other formats and unknown classes raise all kinds.
            why = reason(error)
            if len(files) > 1:
                print(f"Cannot read {file}: {why}", file=sys.stderr)
            continue
        if not isinstance(model, GenerativeModel):
            raise SystemExit(f"{file} holds no model of ganzoo, but a {type(model).__name__} of another library.")
        return model, file
    raise SystemExit(
        f"There is no model to read at {path}: {why.rstrip('.')}. Pass a .keras file, a SavedModel or a checkpoint "
        "directory."
    )


def is_saved_model(path):
    """Whether a path is the directory of a SavedModel."""
    return (Path(path) / "saved_model.pb").is_file()


def card_of(path):
    """What `ganzoo.export` wrote beside a SavedModel, as a dictionary."""
    try:
        return read_card(path)
    except FileNotFoundError:
        raise SystemExit(
            f"{path} holds no model of ganzoo, but a SavedModel of another library: it has no assets.extra/ganzoo.json."
        ) from None


def reason(error):
    """The first line of an error, or its kind if it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
