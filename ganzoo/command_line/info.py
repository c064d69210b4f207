"""The command `ganzoo info`. Its flags are in `ganzoo/command_line/commands.py`."""

import json
import math
import zipfile

import keras
import tensorflow as tf

from ganzoo.command_line.models import card_of, is_saved_model, load_model
from ganzoo.presets import folder
from ganzoo.training.condition_kinds import Attributes
from ganzoo.training.schedules import is_schedule
from ganzoo.version import __version__


def run(options):
    """Prints facts about the model at the path `options.model`."""
    if is_saved_model(options.model):
        heading, facts = f"SavedModel at {options.model}", facts_of_card(card_of(options.model))
    else:
        model, file = load_model(options.model)
        heading, facts = f"Model in {file}", facts_of_model(model, file)
    width = max(len(name) for name, _ in facts)
    print("\n".join([heading, *(f"  {name:<{width}}  {value}" for name, value in facts)]))


def facts_of_card(card):
    """List of `(name, value)` for the card of a SavedModel."""
    return [
        ("class", card["model"]),
        *shapes(card["image_shape"], card["latent_dim"], card["conditions"]),
        ("steps done", f"{card['step']:,}"),
        ("exported with", ", ".join(f"{name} {version}" for name, version in card["versions"].items())),
    ]


def facts_of_model(model, file):
    """List of `(name, value)` for a `GenerativeModel` that was read from a file."""
    networks = {name: value for name, value in vars(model).items() if isinstance(value, keras.Model)}
    decay = type(model.ema_decay).__name__ if is_schedule(model.ema_decay) else model.ema_decay
    average = "none" if decay is None else f"decay {decay}; the averaged generator makes the samples"
    return [
        ("class", type(model).__name__),
        *shapes(model.image_shape, model.latent_dim, model.conditions.card()),
        ("steps done", f"{model.steps_done:,}"),
        ("averaging", average),
        ("precision", precision(model.generator)),
        *((name.replace("ema_", "averaged "), parameters(network)) for name, network in networks.items()),
        *settings(model),
        *optimizers(model),
        ("saved with", saved_with(file)),
        ("read with", f"ganzoo {__version__}, keras {keras.__version__}, tensorflow {tf.__version__}"),
    ]


def shapes(image_shape, latent_dim, conditions):
    """The shapes of the generator's outputs and inputs. `conditions` come from a card."""
    condition = " and ".join(map(condition_in_words, conditions.values())) or "none"
    return [("samples", by(image_shape)), ("latents", str(latent_dim)), ("condition", condition)]


def condition_in_words(card):
    """A condition in words, from its card."""
    if card["kind"] == "label":
        return f"a label, 0 to {card['num_classes'] - 1}"
    if card["kind"] == "image":
        return f"an image, {by(card['shape'])}"
    names = Attributes(card["count"], card["attribute_names"]).labels
    values = [label if len(columns) == 1 else f"{label} ({len(columns)})" for label, columns in names.items()]
    return f"{card['count']} attributes{': ' * bool(values)}{', '.join(values)}"


def by(shape):
    """A shape as `28 x 28 x 1`."""
    return " x ".join(map(str, shape))


def precision(network):
    """The policy of the first layer with weights. The last layer is always float32."""
    return next((layer.dtype_policy.name for layer in network.layers if layer.weights), "none")


def parameters(network):
    """The number of parameters of a network, and its name."""
    count, trained = (sum(math.prod(w.shape) for w in ws) for ws in (network.weights, network.trainable_weights))
    beside = "" if trained in (0, count) else f", {trained:,} of them trained"
    return f"{count:,} parameters{beside} ({network.name})"


def settings(model):
    """The arguments of the model's constructor that no other line shows."""
    told = {"name", "latent_dim", "num_classes", "attribute_names", "ema_decay"}
    for name, value in model.get_config().items():
        is_network = isinstance(value, dict) and isinstance(value.get("config"), dict) and "layers" in value["config"]
        if name not in told and not is_network:
            yield name, object_in_words(value)


def optimizers(model):
    """The arguments of `compile` that are objects, such as optimizers."""
    config = model.get_compile_config() if model.compiled else {}
    for name, value in config.items():
        if isinstance(value, dict):
            yield name.replace("_", " "), object_in_words(value)


def object_in_words(value):
    """A serialized object as `Adam(learning_rate=0.0001, beta_1=0.5)`, without unset arguments, or a value as text."""
    if isinstance(value, float):
        return f"{value:g}"  # A learning rate is saved as a float32.
    if not (isinstance(value, dict) and "class_name" in value):
        return str(value)
    config = value["config"]
    if not isinstance(config, dict):  # A function
        return str(config)
    unused = {"name"} if config.get("use_ema") else {"name", "ema_momentum"}
    given = {key: setting for key, setting in config.items() if key not in unused and setting not in (None, False)}
    return f"{value['class_name']}({', '.join(f'{key}={object_in_words(given[key])}' for key in given)})"


def saved_with(file):
    """The versions that made a `.keras` file or a preset, as stored in it."""
    if file.is_dir():
        metadata = folder.read_metadata(file)
        versions = ", ".join(f"{name} {version}" for name, version in metadata["versions"].items())
        return f"{versions}, {metadata['date_saved']}"
    with zipfile.ZipFile(file) as archive:
        metadata = json.loads(archive.read("metadata.json"))
    return f"keras {metadata.get('keras_version')}, {metadata.get('date_saved')}"
