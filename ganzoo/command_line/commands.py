"""The commands, with their help, their flags, and checks that need no slow import.

This module imports neither Keras nor TensorFlow, so `--help` and typos are answered at once. A command does its work in
the module of its name.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from absl import flags

from ganzoo import recipes
from ganzoo.command_line import process, training_flags
from ganzoo.command_line.datasets import DATA, check_data, close_to, define_reading, in_one_line
from ganzoo.command_line.latent_flags import LATENT_COMMANDS
from ganzoo.presets import shelf

MODEL = """MODEL is a .keras file, a directory of checkpoints, of which the newest readable one counts, or the
directory of a SavedModel; or a preset: a name that `ganzoo presets` lists, its directory, or hf://user/name.
--preset NAME says the same."""

# The names of feature networks, and their classes in ganzoo.metrics.features.
FEATURES = {"digits": "DigitsClassifier", "fashion": "FashionClassifier", "inception": "InceptionV3"}
METRICS = (
    *("class_histogram", "classifier_accuracy", "coverage", "density", "frechet_distance", "inception_score"),
    *("kernel_distance", "l1_distance", "mode_coverage", "ms_ssim_diversity", "parzen_log_likelihood", "precision"),
    *("psnr", "pyramid_sliced_wasserstein", "recall", "sliced_wasserstein", "ssim", "stacked_mnist_coverage"),
)


def with_preset(arguments):
    """The arguments of a command, with `--preset NAME` turned into the operand NAME."""
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in ("--preset", "-preset"):
            rest = arguments[index + 1 :]
            if not equals:
                value, *rest = rest or [""]
            return [value, *arguments[:index], *rest]
    return arguments


@dataclasses.dataclass(frozen=True)
class Command:
    """A command of `python -m ganzoo`.

    Args:
        define: Function that defines the flags in an `absl.flags.FlagValues`. Its docstring is the help.
        check: Function of the options, which stops with a message if they are wrong.
        operands: Names of the operands before the flags, in the words of the help.
        explain: Function that returns the end of the help, which explains the operands.
        define_settings: Function of the `FlagValues` and the arguments. It defines the flags that depend on the first
            operand, and returns their names.
        expand: Function that rewrites the arguments. By default it turns `--preset NAME` into the operand.
        module: String, the module of `ganzoo.command_line` that has a function with the command's name. Defaults to
            `None`: the module has the command's name, and the function is `run`.
    """

    define: Callable
    check: Callable
    operands: tuple = ("MODEL",)
    explain: Callable = lambda: MODEL
    define_settings: Callable | None = None
    expand: Callable = with_preset
    module: str | None = None

    @property
    def summary(self):
        """The first line of the help."""
        return self.define.__doc__.strip().splitlines()[0]


def check_exists(model):
    """Stops if a model's path does not exist and is not the name of a preset."""
    if not (Path(model).exists() or shelf.is_preset(model)):
        close = close_to(model, shelf.names())
        raise SystemExit(f"There is no model to read at {model}: there is no such file, and no such preset.{close}")


# === Commands ===


def define_generate(values):
    """Makes images with a trained model. Needs no dataset.

    python -m ganzoo generate runs/wgan_gp/model.keras --num_samples 100 --output new.png
    python -m ganzoo generate runs/wgan_gp/serving/1 --output_dir new
    python -m ganzoo generate runs/cgan/model.keras --attributes glasses=none,hairColor=#009bbd
    """
    flags.DEFINE_integer("num_samples", 64, "How many.", lower_bound=1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "The same seed gives the same samples.", flag_values=values)
    flags.DEFINE_string(
        "label",
        None,
        "For a conditional model: this class only, by its name or its number. Default: each in turn.",
        flag_values=values,
    )
    flags.DEFINE_list(
        "attributes",
        [],
        "For a model with attributes: NAME=VALUE,NAME=VALUE. Those that are not named take their values in turn.",
        flag_values=values,
    )
    flags.DEFINE_alias("condition", "label", flag_values=values)
    flags.DEFINE_string(
        "output",
        "samples.png",
        "One picture of all samples; points in the plane become a scatter plot.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "output_dir", None, "A folder for one PNG per image, instead of one picture.", flag_values=values
    )


def define_estimate(values):
    """Predicts what a training takes, without training: seconds of an update, of the run, and memory.

    python -m ganzoo estimate wgan_gp fashion_mnist_10k --filters 64 --epochs 50
    python -m ganzoo estimate --recipe quick_faces

    It takes the flags of `train`. It counts the arithmetic of the step, and measures the machine for a few seconds.
    """
    training_flags.define_train(values)


def check_generate(options):
    """Stops if there is no model, or the pictures cannot be written."""
    check_exists(options.model)
    for text in options.attributes:
        if "=" not in text:
            raise SystemExit(f"--attributes={text}: NAME=VALUE was expected.")
    if options.output_dir is None:
        process.check_writable("output", options.output)
    else:
        process.check_writable("output_dir", options.output_dir, is_folder=True)


def define_evaluate(values):
    """Measures how good a trained model's samples are, against a dataset.

    python -m ganzoo evaluate runs/wgan_gp/model.keras --dataset mnist_10k
    python -m ganzoo evaluate runs/wgan_gp/serving/1 --metrics frechet_distance,precision,recall --features digits

    If there is an averaged generator, it makes the samples. A conditional model is asked for the labels of the data.
    """
    flags.DEFINE_string("dataset", "mnist_10k", in_one_line(DATA), flag_values=values)
    flags.DEFINE_string(
        "split", "train", "Part of the dataset, such as test or train[:5000]. See ganzoo.data.load.", flag_values=values
    )
    define_reading(values)
    flags.DEFINE_list(
        "metrics",
        None,
        f"Any of {', '.join(METRICS)}. Default: those that suit the samples.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "features",
        None,
        "What is compared: the features of digits, fashion or inception (ganzoo.metrics.features), of a .keras file of "
        "your own, or of a file with the weights of the inception network (.pth, .pb); none for the samples as they "
        "are. Default: what suits the samples, without a download. Metrics of pixels keep to them.",
        flag_values=values,
    )
    flags.DEFINE_integer("num_samples", 10_000, "Samples to generate.", lower_bound=2, flag_values=values)
    flags.DEFINE_integer(
        "num_real",
        None,
        "Real samples, the first ones of an order that never changes. Default: as many as generated ones, or all.",
        lower_bound=2,
        flag_values=values,
    )
    flags.DEFINE_integer("seed", 0, "The same seed gives the same generated samples.", flag_values=values)
    flags.DEFINE_string("output", "scores.json", "File for the scores, a list in JSON.", flag_values=values)


def check_evaluate(options):
    """Stops if a metric, the features, the data or the model is unknown, or the scores cannot be written."""
    for name in options.metrics or ():
        if name not in METRICS:
            raise SystemExit(
                f"There is no metric {name!r}.{close_to(name, METRICS)} The metrics are {', '.join(METRICS)}."
            )
    check_features(options.features)
    check_exists(options.model)
    check_data("dataset", options.dataset, options.manual_dir)
    process.check_writable("output", options.output)


def check_features(name):
    """Stops unless the flag `--features` names a network or a file."""
    if name in (None, "none", *FEATURES):
        return
    if Path(name).suffix not in (".keras", ".pth", ".pt", ".pb"):
        raise SystemExit(f"--features={name} is none of {', '.join(FEATURES)}, none, and no .keras, .pth or .pb file.")
    if not Path(name).is_file():
        raise SystemExit(f"--features={name}: there is no such file.")


def define_translate(values):
    """Applies a trained image-to-image model, such as pix2pix, to a folder of images.

    python -m ganzoo translate runs/pix2pix/model.keras --input_dir outlines --output_dir coloured

    Images are resized to cover the model's size, and cropped at the centre.
    """
    flags.DEFINE_string(
        "input_dir", None, "Folder of images, with all folders in it.", required=True, flag_values=values
    )
    flags.DEFINE_string(
        "output_dir",
        "translated",
        "Folder of the translated images: PNG files of the same names.",
        flag_values=values,
    )
    flags.DEFINE_integer("batch_size", 16, "Images at a time.", lower_bound=1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "Of the noise, for a model that has some.", flag_values=values)
    flags.DEFINE_bool("side_by_side", False, "Write the input on the left of each output.", flag_values=values)


def check_translate(options):
    """Stops if there is no model or no folder of images, or the pictures cannot be written."""
    check_exists(options.model)
    if not Path(options.input_dir).is_dir():
        raise SystemExit(f"--input_dir={options.input_dir}: there is no such folder.")
    process.check_writable("output_dir", options.output_dir, is_folder=True)


FORMATS = {".onnx": "onnx", ".tflite": "litert", ".html": "html"}


def define_export(values):
    """Writes a model for other programs: a SavedModel for TensorFlow Serving, ONNX, LiteRT, or a page.

    python -m ganzoo export runs/wgan_gp/model.keras --output_dir serving/wgan_gp/1
    python -m ganzoo export --preset faces_16 --output faces.onnx

    If there is an averaged generator, it is exported.
    """
    flags.DEFINE_string(
        "output_dir",
        None,
        "The SavedModel's directory. TensorFlow Serving wants a number for its last part, as in serving/wgan_gp/1.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "output",
        None,
        "A file in the place of a directory. Its ending is the format: .onnx for ONNX Runtime and OpenVINO, .tflite "
        "for LiteRT, .html for a page (see `explore`).",
        flag_values=values,
    )


def check_export(options):
    """Stops if there is no model, or the file cannot be written, or the SavedModel exists already."""
    check_exists(options.model)
    if (options.output_dir is None) == (options.output is None):
        raise SystemExit(
            "Either --output_dir must have a value, for a SavedModel, or --output: a .onnx or .tflite file."
        )
    if options.output is not None:
        check_ending(options.output, FORMATS)
        return
    if (Path(options.output_dir) / "saved_model.pb").is_file():
        raise SystemExit(f"There is a SavedModel at {options.output_dir} already. Take the next number, or delete it.")
    process.check_writable("output_dir", options.output_dir, is_folder=True)


def check_ending(output, endings):
    """Stops unless a file can be written and its name has an allowed ending."""
    process.check_writable("output", output)
    if Path(output).suffix not in endings:
        raise SystemExit(f"--output={output}: the name of the file must end in {' or '.join(endings)}.")


def define_explore(values):
    """Writes an HTML page that runs the model in any browser, with sliders, seeds and classes, without a server.

    python -m ganzoo explore faces_16
    python -m ganzoo explore runs/vae/model.keras --output vae.html --dataset mnist_10k
    python -m ganzoo explore faces_16 --output website/faces.html --shared_runtime

    With --dataset, the page shows the nearest training images of a sample. For a VAE with two latents, it also shows
    where they lie. For a model that translates images, it offers them as inputs.
    """
    flags.DEFINE_string("output", "model.html", "The page, a file that ends in .html.", flag_values=values)
    flags.DEFINE_string("title", None, "Its title. Default: the model's name.", flag_values=values)
    flags.DEFINE_string("dataset", None, f"Training images: {in_one_line(DATA)}", flag_values=values)
    flags.DEFINE_string(
        "split", "train", "Part of the dataset, such as test or train[:5000]. See ganzoo.data.load.", flag_values=values
    )
    define_reading(values)
    flags.DEFINE_integer("num_real", 500, "How many training images.", lower_bound=1, flag_values=values)
    flags.DEFINE_bool(
        "shared_runtime",
        False,
        "Write the runtime (5 MB) to a file beside the page. All pages in the folder share it.",
        flag_values=values,
    )


def check_explore(options):
    """Stops if there is no model or no such dataset, or the page cannot be written."""
    check_exists(options.model)
    if options.dataset is not None:
        check_data("dataset", options.dataset)
    check_ending(options.output, [".html"])


def define_info(values):
    """Prints the class, settings, shapes, parameters, steps and versions of a model.

    python -m ganzoo info runs/wgan_gp/model.keras
    """


def check_info(options):
    """Stops if there is no model."""
    check_exists(options.model)


def define_presets(values):
    """Lists the trained models that come with ganzoo.

    python -m ganzoo presets
    python -m ganzoo presets --gallery zoo.html              # pictures, scores, recipes, on one page
    python -m ganzoo generate --preset faces_16 --output faces.png
    """
    flags.DEFINE_string("gallery", None, "Write a page with their pictures to this file.", flag_values=values)


def check_presets(options):
    """Stops if the page cannot be written."""
    if options.gallery is not None:
        process.check_writable("gallery", options.gallery)


def of_latents(define, check):
    """A command of `ganzoo/command_line/latent.py`. It needs the model itself and not a SavedModel."""

    def check_all(options):
        check_exists(options.model)
        check(options)

    return Command(define, check_all, module="latent")


COMMANDS = {
    "train": Command(
        training_flags.define_train,
        training_flags.check_train,
        ("MODEL", "DATA"),
        training_flags.explained,
        training_flags.define_settings,
        recipes.expanded,
    ),
    "estimate": Command(
        define_estimate,
        training_flags.check_train,
        ("MODEL", "DATA"),
        training_flags.explained,
        training_flags.define_settings,
        recipes.expanded,
    ),
    "evaluate": Command(define_evaluate, check_evaluate),
    "generate": Command(define_generate, check_generate),
    "translate": Command(define_translate, check_translate),
    "export": Command(define_export, check_export),
    "explore": Command(define_explore, check_explore),
    "info": Command(define_info, check_info),
    "presets": Command(define_presets, check_presets, (), lambda: ""),
    **{name: of_latents(define, check) for name, (define, check) in LATENT_COMMANDS.items()},
}
