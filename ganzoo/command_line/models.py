"""Opens the models in files that commands draw samples from."""

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ganzoo.export.saved_model import read_card
from ganzoo.models import GenerativeModel
from ganzoo.presets import library, shelf
from ganzoo.progress import track
from ganzoo.sampling import SeededNumbers
from ganzoo.training.checkpoint_files import CheckpointFiles
from ganzoo.training.condition_kinds import Attributes


@dataclasses.dataclass
class Sampler:
    """The generator of a model in a file. If there is an averaged generator, it is used.

    Args:
        name: String, the model's class.
        steps_done: Integer, number of generator updates.
        image_shape: Tuple, shape of a sample.
        num_classes: Integer, or `None` without labels.
        class_names: List of strings, or `None`.
        condition_shape: Tuple, the shape of the images that the model translates, or `None`.
        latents: Function (seed, num_samples) -> latents, or `None` if the model draws its own.
        decode: Function (latents, condition) -> samples as an array.
        attributes: `Attributes`, or `None` (the default) without attributes.
    """

    name: str
    steps_done: int
    image_shape: tuple
    num_classes: int | None
    class_names: list | None
    condition_shape: tuple | None
    latents: Callable
    decode: Callable
    attributes: Attributes | None = None

    def draw(self, num_samples, seed, condition=None, batch_size=64):
        """Draws the samples of `GenerativeModel.generate`, with progress on stderr if it takes long.

        Args:
            num_samples, seed, condition, batch_size: See `GenerativeModel.generate`. The condition is an array for all
                samples.

        Returns:
            Float32 NumPy array `(num_samples, ...)`. Images lie in [-1, 1].
        """
        latents = self.latents(seed, num_samples)
        batch_size = min(batch_size, num_samples)
        samples = np.empty((num_samples, *self.image_shape), "float32")
        starts = range(0, num_samples, batch_size)
        for start in track(starts, len(starts), f"Generating batches of {batch_size}"):
            start = min(start, num_samples - batch_size)  # The last batch is also full, which saves another trace.
            part = slice(start, start + batch_size)
            samples[part] = self.decode(*(None if x is None else tf.constant(x[part]) for x in (latents, condition)))
        return samples


def open_sampler(path):
    """Returns the `Sampler` of a preset, a `.keras` file, a directory of checkpoints or a SavedModel."""
    if is_saved_model(path):
        return open_saved_model(path)
    model, _ = load_model(path)
    check_conditions(path, model.conditions.card())

    def latents(seed, num_samples):
        return model.prior(SeededNumbers(seed), num_samples) if model.has_latents else None

    def decode(latents, condition):
        return model.decode_batch(*(part for part in (latents, condition) if part is not None))

    shape = model.conditions.image_shape
    return Sampler(
        type(model).__name__,
        model.steps_done,
        model.image_shape,
        model.num_classes,
        model.class_names,
        shape,
        latents,
        decode,
        model.conditions.attributes,
    )


def open_saved_model(path):
    """Returns the `Sampler` of a SavedModel. Reading the card aside, this needs only TensorFlow."""
    card = card_of(path)
    check_conditions(path, card["conditions"])
    try:
        loaded = tf.saved_model.load(path)
        signatures = {name: loaded.signatures[name] for name in ("serving_default", "generate")}
    except (OSError, KeyError, ValueError) as error:
        raise SystemExit(f"There is no model to read at {path}: {reason(error)}") from error
    names = list(card["conditions"])

    def latents(seed, num_samples):
        return None if card["condition_shape"] else latents_of(signatures["generate"], seed, num_samples, names)

    def decode(latents, condition, keep=loaded):  # `keep`: the signature needs the loaded model to stay alive.
        given = {} if latents is None else {"latents": latents}
        given |= {} if condition is None else {names[0]: condition}
        return signatures["serving_default"](**given)["images"].numpy()

    return Sampler(
        card["model"],
        card["step"],
        tuple(card["image_shape"]),
        card["num_classes"],
        card["class_names"],
        card["condition_shape"] and tuple(card["condition_shape"]),
        latents,
        decode,
        attributes_of(card["conditions"]),
    )


def latents_of(generate, seed, num_samples, names):
    """The latents of a seed, equal to the latents in the signature `generate` of a SavedModel.

    The signature also makes all samples at once, which is slow. Most models have latents from N(0, I), which can be
    drawn without it. Two latents from the signature show whether that is so.
    """

    def ask(count):
        counted = {"num_samples": tf.constant(count, "int64")}
        if names:
            spec = generate.structured_input_signature[1][names[0]]
            counted = {names[0]: tf.zeros((count, *spec.shape[1:]), spec.dtype)}
        return generate(seed=tf.constant(seed, "int64"), **counted)["latents"].numpy()

    # These equal draws from N(0, I) to the last bit only if N(0, I) is the prior.
    two = ask(2)
    normal = SeededNumbers(seed).normal((num_samples, *two.shape[1:])).numpy()
    count = min(2, num_samples)
    is_normal = two.dtype == normal.dtype and np.array_equal(two[:count], normal[:count])
    return normal if is_normal else ask(num_samples)


def check_conditions(path, conditions):
    """Stops for a model with conditions that no flag can set."""
    if len(conditions) > 1:
        raise SystemExit(
            f"{path} depends on {', '.join(conditions)}. The command line knows one condition. Use "
            "model.generate(condition=...) in Python."
        )


def attributes_of(conditions):
    """The `Attributes` among the conditions of a card, or `None`."""
    cards = [card for card in conditions.values() if card["kind"] == "attributes"]
    return Attributes(cards[0]["count"], cards[0]["attribute_names"]) if cards else None


def load_model(path):
    """Returns the model of a preset, a `.keras` file or a directory's newest readable file, and its path."""
    if shelf.is_preset(path):
        return library.from_preset(path), library.locate(path)
    path = Path(path)
    if is_saved_model(path):
        raise SystemExit(f"{path} is a SavedModel, which holds the generator only. Pass the .keras file of the model.")
    files = [path]
    if path.is_dir():  # Checkpoints come first. `step_final.keras` is not a checkpoint but would sort behind them all.
        files = CheckpointFiles(path).paths() or sorted(path.glob("[!.]*.keras"), reverse=True)
    why = "there are no .keras files in it" if path.is_dir() else "there is no such file"
    for file in filter(Path.is_file, files):
        if file.suffix != ".keras":
            why = "it is no .keras file"
            continue
        try:
            model = keras.saving.load_model(file)
        except Exception as error:  # Damaged archives, other formats and unknown classes raise many kinds of errors.
            if "Could not locate class" in str(error):
                raise SystemExit(
                    f"{file} holds a class that is not ganzoo's, and the command line does not know where it is "
                    "defined. Export the model, model.export(directory), and pass that directory."
                ) from error
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
    """The card that `ganzoo.export` wrote beside a SavedModel, as a dictionary."""
    try:
        return read_card(path)
    except FileNotFoundError:
        raise SystemExit(
            f"{path} holds no model of ganzoo, but a SavedModel of another library: it has no assets.extra/ganzoo.json."
        ) from None


def reason(error):
    """The first line of an error, or its class if it has no message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
