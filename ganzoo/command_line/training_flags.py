"""The flags of `ganzoo train`: general flags, and the settings of the model."""

import ast
import re
from pathlib import Path

from absl import flags

from ganzoo.command_line import process, sources
from ganzoo.command_line.datasets import DATASETS, check_data, close_to, define_reading

EXPLAINED = """MODEL is a name of the list above.
DATA is a folder of images or an .npz file; mnist_10k, fashion_mnist_10k or faces_10k, which come with the package;
ring, grid or swiss_roll, the toys; cifar10_jpeg, peeps_64 or pixel_faces_32, with --manual_dir; or a name of
tensorflow-datasets (pip install 'keras-ganzoo[tfds]').
pix2pix takes pairs: openmoji_pairs or fashion_edges_10k, which come with the package, the path of a folder of
side-by-side images A|B, or, with --targets, of images A. cyclegan takes the same pairs, whose sides it shuffles apart,
or two folders, DATA and --targets, whose images do not belong together."""

# `train` uses batches of 64 and 20 epochs, except where the paper or the data need other values.
DEFAULTS = {
    "began": {"batch_size": 16},
    "cyclegan": {"batch_size": 1, "epochs": 50},
    "pix2pix": {"batch_size": 4, "epochs": 50},
}


def define_train(values):
    """Trains a model, and writes pictures, curves, checkpoints, the model and its SavedModel.

    python -m ganzoo train wgan_gp fashion_mnist_10k --epochs 50
    python -m ganzoo train dcgan photos --image_size 64 --output_dir runs/photos
    python -m ganzoo train wgan_gp --help                     # with the settings of this model

    The same command again continues from the newest checkpoint. --epochs counts from the beginning of the training.
    """
    define_reading(values)
    flags.DEFINE_string("split", "train", "The part of DATA to train on, such as train[:9000].", flag_values=values)
    flags.DEFINE_string(
        "held_out",
        None,
        "A part of DATA that is not trained on, such as train[9000:]: a distance to it is measured before and after.",
        flag_values=values,
    )
    flags.DEFINE_string("output_dir", "runs/MODEL", "Where everything is written.", flag_values=values)
    flags.DEFINE_integer(
        "epochs", None, "Epochs in total: a resumed run trains the rest.", lower_bound=1, flag_values=values
    )
    flags.DEFINE_integer(
        "steps_per_epoch",
        None,
        "Generator updates in an epoch. Default: one pass over the data.",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_integer(
        "batch_size", None, "Samples in a minibatch, over all replicas.", lower_bound=1, flag_values=values
    )
    flags.DEFINE_bool("resume", True, "Go on with the newest checkpoint in the output directory.", flag_values=values)
    flags.DEFINE_integer("seed", 0, "Seed of the weights, the latents and the order of the data.", flag_values=values)
    flags.DEFINE_string("networks", None, "Another family of networks, such as mlp or resnet.", flag_values=values)
    flags.DEFINE_string(
        "augmentation", None, "A class of ganzoo.augmentation, such as DiffAugment.", flag_values=values
    )
    flags.DEFINE_float("learning_rate", None, "Learning rate of every optimizer.", lower_bound=0.0, flag_values=values)
    flags.DEFINE_float("beta_1", None, "beta_1 of every Adam.", lower_bound=0.0, upper_bound=1.0, flag_values=values)
    flags.DEFINE_multi_string(
        "set",
        [],
        "NAME=VALUE, any other argument of from_paper, such as generator_filters=32",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "mixed_precision",
        None,
        ["mixed_bfloat16", "mixed_float16"],
        "Compute in half precision.",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "strategy",
        "none",
        ["none", "mirrored", "multi_worker"],
        "One device, all devices, or the workers of TF_CONFIG.",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "jit_compile", "auto", ["auto", "true", "false"], "Compile the step with XLA.", flag_values=values
    )
    flags.DEFINE_integer(
        "steps_per_execution", 1, "Steps in a call of the compiled function.", lower_bound=1, flag_values=values
    )
    flags.DEFINE_integer(
        "checkpoint_every",
        None,
        "Steps between checkpoints. Default: one checkpoint per epoch.",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_integer("num_samples", 64, "Images in a sample grid.", lower_bound=1, flag_values=values)


def explained():
    """The end of the help, which lists the models and explains MODEL and DATA."""
    names = sources.models()
    width = max(map(len, names))
    listed = [f"  {name:<{width}}  {sources.summary(name)}" for name in names]
    return "\n".join(["Models:", *listed, "", EXPLAINED])


# === The settings of a model ===


def define_settings(values, arguments):
    """Defines a flag for each setting of the model, the first argument. Returns the names of the flags."""
    model = arguments[0]
    check_model(model)
    networks = networks_in(arguments)
    own = [*define_callbacks(values, model), *define_optimizers(values, model)]
    if is_paired(model):
        own += define_pairs(values, is_unpaired(model))
    for name, (default, text) in sources.settings(model, networks).items():
        if name not in values:
            define_setting(values, name, default, text)
            own.append(name)
    for name, value in {"epochs": 20, "batch_size": 64, **DEFAULTS.get(model, {})}.items():
        values.set_default(name, value)
    values.set_default("output_dir", f"runs/{model}")
    return own


def networks_in(arguments):
    """The value of the flag `--networks`, before flags are parsed because it decides which flags exist."""
    for flag, following in zip(arguments, [*arguments[1:], ""]):
        name, equals, value = flag.partition("=")
        if name in ("--networks", "-networks"):
            return check_networks(value if equals else following)
    return None


def define_setting(values, name, default, text):
    """Defines the flag of an argument. Without a value on the command line, the paper's value holds."""
    kind = kind_of(default, text)
    words = [in_words(text)] if text else []
    if name == "total_steps" and default is not None:
        words.append("Default: the steps of this training.")
    elif default is not None:
        words.append(f"Default: {' '.join(map(str, default)) if isinstance(default, tuple) else default}.")
    words = " ".join(words)
    if kind is bool:
        flags.DEFINE_bool(name, None, words, flag_values=values)
    elif kind is int:
        flags.DEFINE_integer(name, None, words, flag_values=values)
    elif kind is float:
        flags.DEFINE_float(name, None, words, flag_values=values)
    else:
        flags.DEFINE(
            LiteralParser(default), name, None, words, flag_values=values, serializer=flags.ArgumentSerializer()
        )


def in_words(text):
    """The first sentence of a description, without Markdown and without its default."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).replace("`", "").replace(" (the default)", "")
    text = re.split(r"[.:;] (?=[A-Z])| Defaults to |; ", text)[0]
    return text.rstrip(".:; ") + "."


def kind_of(default, text):
    """The type of an argument, from its default or from the first word of its description, otherwise `object`."""
    kinds = {"Bool": bool, "Int": int, "Float": float}
    named = next((kind for word, kind in kinds.items() if text.startswith(word)), object)
    if default is None:
        return named
    if type(default) is int and named is float:
        return float
    return type(default) if named in (object, type(default)) else object


class LiteralParser(flags.ArgumentParser):
    """Parses `3`, `0.5`, `none`, `512,512` into Python values. Everything else stays text.

    Args:
        default: Value of the argument without the flag. If it is a tuple, the parsed value is a tuple too.
    """

    syntactic_help = "a number, a list of numbers, none, or a word"

    def __init__(self, default):
        super().__init__()
        self.default = default

    def parse(self, argument):
        """The value of the flag's text."""
        value = literal(argument) if isinstance(argument, str) else argument
        is_single = isinstance(self.default, tuple) and value is not None and not isinstance(value, (tuple, list))
        return (value,) if is_single else value

    def flag_type(self):
        """The name of the flag's type."""
        return "literal"


def literal(text):
    """Parses a text into a Python value."""
    words = {"none": None, "true": True, "false": False}
    if text.strip().lower() in words:
        return words[text.strip().lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def define_optimizers(values, model):
    """Defines a learning rate for each optimizer of a model that has several. Returns the names of the flags."""
    names = sources.optimizers(model)
    own = [f"{name}_learning_rate" for name in names if len(names) > 1]
    for flag, name in zip(own, names):
        flags.DEFINE_float(flag, None, f"Learning rate of the {name}'s optimizer.", lower_bound=0.0, flag_values=values)
    return own


def define_callbacks(values, model):
    """Defines the flags of the callbacks for a model. Returns their names."""
    if model == "wgan":
        flags.DEFINE_bool(
            "critic_burn_in",
            True,
            "Train the critic 100 times before each of the first generator updates, as the authors.",
            flag_values=values,
        )
        return ["critic_burn_in"]
    if model == "began":
        flags.DEFINE_integer(
            "patience", 5, "Epochs without a lower M before the rates are halved.", lower_bound=1, flag_values=values
        )
        return ["patience"]
    if has_encoder(model):
        flags.DEFINE_string(
            "latent_split",
            "train",
            "Part of the data whose latents are drawn if there are two, such as test.",
            flag_values=values,
        )
        flags.DEFINE_bool(
            "binarize",
            False,
            "Draw each pixel once as black or white, in proportion to its grey: images for a Bernoulli likelihood.",
            flag_values=values,
        )
        return ["latent_split", "binarize"]
    return []


def define_pairs(values, unpaired):
    """Defines the flags of a dataset of pairs or of two collections. Returns their names."""
    flags.DEFINE_string("targets", None, "Folder of images B, with the names of those in DATA.", flag_values=values)
    flags.DEFINE_string(
        "test_data", None, "Like DATA, for the pictures. Default: the held-out embedded pairs.", flag_values=values
    )
    flags.DEFINE_string("test_targets", None, "Like --targets, for the pictures.", flag_values=values)
    flags.DEFINE_enum(
        "direction", "a_to_b", ["a_to_b", "b_to_a"], "Which side of a pair is the input.", flag_values=values
    )
    flags.DEFINE_bool("jitter", True, "Enlarge by 286/256 and crop at random, as in the paper.", flag_values=values)
    flags.DEFINE_bool("mirror", True, "Flip every other pair from left to right.", flag_values=values)
    names = ["targets", "test_data", "test_targets", "direction", "jitter", "mirror"]
    if unpaired:
        return names
    flags.DEFINE_integer(
        "color_hints",
        0,
        "Paint up to that many dabs of the target's colours under the lines of the input.",
        lower_bound=0,
        upper_bound=100,
        flag_values=values,
    )
    return [*names, "color_hints"]


def is_paired(model):
    """Whether a model translates images."""
    return sources.takes(model, "condition_shape")


def has_encoder(model):
    """Whether a model maps samples to latents."""
    return sources.has_base(model, "AutoencodingModel")


def has_schedules(model):
    """Whether a model has schedules over the whole training by default."""
    default, _ = sources.settings(model).get("total_steps", (None, ""))
    return default is not None


def is_unpaired(model):
    """Whether a model translates between two collections of images, in both directions."""
    return sources.takes(model, "back_generator")


# === Checks that need nothing slow ===


def check_networks(name):
    """Returns the name of a family of networks, or stops."""
    families = families_of_networks()
    if name not in (None, *families):
        raise SystemExit(f"--networks={name} is none of {', '.join(families)}.")
    return name


def families_of_networks():
    """The modules of `ganzoo.networks` that have both networks of a GAN."""
    files = sorted((sources.PACKAGE / "networks").glob("*.py"))
    return [file.stem for file in files if {"generator", "discriminator"} <= sources.functions_in(file)]


def check_model(model):
    """Stops unless the zoo has a model with this name."""
    names = sources.models()
    if model not in names:
        raise SystemExit(f"There is no model {model!r}.{close_to(model, names)} The models are {', '.join(names)}.")


def check_pairs(options):
    """Stops unless the data of a model that translates images are folders."""
    unpaired = is_unpaired(options.model)
    if not Path(options.data).is_dir():
        folder = "a folder of images, with --targets" if unpaired else "a folder of side-by-side images"
        raise SystemExit(
            f"{options.model} translates images, and {options.data} has no pairs of them. Pass "
            f"{' or '.join(DATASETS['pairs'])}, or the path of {folder}."
        )
    if unpaired and options.targets is None:
        raise SystemExit(f"{options.model} trains on two collections: {options.data} and the folder in --targets.")
    if options.targets is not None and not Path(options.targets).is_dir():
        raise SystemExit(f"--targets={options.targets}: there is no such folder.")


def check_train(options):
    """Stops if the model, the data or the networks are unknown, or the output cannot be written."""
    check_model(options.model)
    pairs = options.data in DATASETS["pairs"] and not Path(options.data).is_dir()
    paired = is_paired(options.model)
    if pairs and not paired:
        raise SystemExit(
            f"{options.data} has pairs of images, and {options.model} trains on images. pix2pix takes pairs."
        )
    if paired and not pairs:
        check_pairs(options)
    if paired and options.storage == "disk":
        raise SystemExit(f"--storage=disk is for images, and {options.model} reads pairs or collections into memory.")
    if getattr(options, "binarize", False) and options.storage == "disk":
        raise SystemExit("--binarize draws images in memory. Leave out --storage=disk.")
    if options.held_out is not None and paired:
        raise SystemExit(f"--held_out measures images, and {options.model} translates them. Use `ganzoo evaluate`.")
    check_data("DATA", options.data, options.manual_dir)
    check_networks(options.networks)
    for text in options.set:
        if "=" not in text:
            raise SystemExit(f"--set={text}: NAME=VALUE was expected.")
    process.check_writable("output_dir", options.output_dir, is_folder=True)
