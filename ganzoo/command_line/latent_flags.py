"""The flags of the commands for the latents of a trained model. `ganzoo/command_line/latent.py` does the work."""

from pathlib import Path

from absl import flags

from ganzoo import videos
from ganzoo.command_line import process
from ganzoo.command_line.datasets import DATA, check_data, define_reading, in_one_line

SPACE = "z: the latents; w: behind a mapping network. Default: w where the generator has one."


def define_latents(values, num_samples, meaning="How many."):
    """Defines the flags that select latents and a class."""
    flags.DEFINE_integer("num_samples", num_samples, meaning, lower_bound=1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "The same seed gives the same samples.", lower_bound=0, flag_values=values)
    flags.DEFINE_list(
        "picked",
        None,
        "Places in the picture of `ganzoo generate` with this seed, such as 3,17,20 (from 0, row by row): these "
        "samples in the place of the first ones.",
        flag_values=values,
    )
    define_place(values)


def define_place(values):
    """Defines the flags for the class and the space."""
    flags.DEFINE_string(
        "label",
        None,
        "For a conditional model: this class, by its name or its number. Default: each in turn.",
        flag_values=values,
    )
    flags.DEFINE_enum("space", None, ["z", "w"], SPACE, flag_values=values)


def define_output(values, name, meaning="The picture."):
    """Defines the flag for the output file."""
    flags.DEFINE_string("output", name, meaning, flag_values=values)


def check_latents(options):
    """Stops if the positions are not numbers, or the picture cannot be written."""
    integers_of("picked", getattr(options, "picked", None))
    process.check_writable("output", options.output)


def integers_of(name, values):
    """The integers of a list of strings, or `None`."""
    return None if values is None else [number_of(name, value, int) for value in values]


def number_of(name, value, kind=float):
    """Converts a string to a number."""
    try:
        number = kind(value)
        if number >= 0 or kind is float:
            return number
    except ValueError:
        pass
    wanted = "numbers from 0 on" if kind is int else "numbers"
    raise SystemExit(f"--{name}: {wanted} with commas were expected. Received: {value!r}.") from None


# === Commands ===


def define_interpolate(values):
    """Draws the path from each sample to the next.

    python -m ganzoo interpolate runs/wgan_gp/model.keras
    python -m ganzoo interpolate --preset faces_16 --picked 3,17,20 --closed
    """
    define_latents(values, 6, "How many samples to visit.")
    flags.DEFINE_integer("steps", 10, "Images in a row.", lower_bound=2, flag_values=values)
    flags.DEFINE_enum(
        "method",
        None,
        ["spherical", "linear"],
        "Great circle or straight line. Default: spherical in z, linear in w.",
        flag_values=values,
    )
    flags.DEFINE_bool("closed", False, "Also from the last to the first.", flag_values=values)
    define_output(values, "interpolation.png")


def define_traverse(values):
    """Draws samples while a latent, or the position on a direction, runs over a range.

    python -m ganzoo traverse runs/vae/model.keras --latent 0 --low=-2 --high=2
    python -m ganzoo traverse --preset faces_16 --directions directions.npz --index 1 --low=-6 --high=6
    """
    define_latents(values, 4, "How many rows.")
    flags.DEFINE_integer("latent", None, "The latent that runs, from 0 on.", lower_bound=0, flag_values=values)
    flags.DEFINE_string("directions", None, "A file that `ganzoo directions` wrote.", flag_values=values)
    flags.DEFINE_integer("index", 0, "Which of its directions, from 0 on.", lower_bound=0, flag_values=values)
    flags.DEFINE_float("low", -3.0, "The first value.", flag_values=values)
    flags.DEFINE_float("high", 3.0, "The last value.", flag_values=values)
    flags.DEFINE_integer("steps", 9, "Images in a row.", lower_bound=2, flag_values=values)
    define_output(values, "traversal.png")


def check_traverse(options):
    """Stops unless either a latent or a direction is given."""
    if (options.latent is None) == (options.directions is None):
        raise SystemExit("What runs? Pass --latent=0, or --directions=FILE, which `ganzoo directions` writes.")
    if options.directions is not None and not Path(options.directions).is_file():
        raise SystemExit(f"--directions={options.directions}: there is no such file.")
    check_latents(options)


def define_truncate(values):
    """Draws the same samples in rows, each row nearer to the centre of the latents.

    python -m ganzoo truncate --preset faces_16 --amounts 3,2,1
    """
    flags.DEFINE_integer("num_samples", 8, "Images in a row.", lower_bound=1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "The same seed gives the same samples.", lower_bound=0, flag_values=values)
    flags.DEFINE_list(
        "amounts", ["2", "1", "0.5"], "A row for each: the threshold of |z|, or psi in w.", flag_values=values
    )
    define_place(values)
    define_output(values, "truncation.png")


def check_truncate(options):
    """Stops if an amount is not a number, or the picture cannot be written."""
    options.amounts = [number_of("amounts", amount) for amount in options.amounts]
    check_latents(options)


def define_video(values):
    """Writes a video of a smooth path through the latents: GIF, WebP, or MP4 with ffmpeg.

    python -m ganzoo video --preset faces_16 --tiles 9 --output faces.gif
    python -m ganzoo video runs/cgan/model.keras --classes 0,1,2,3 --output digits.webp
    """
    define_latents(values, 6, "How many samples each tile visits.")
    flags.DEFINE_integer("tiles", 1, "Samples in a frame, each on its own way.", lower_bound=1, flag_values=values)
    flags.DEFINE_integer("steps", 30, "Frames from a sample to the next.", lower_bound=1, flag_values=values)
    flags.DEFINE_float("fps", 20.0, "Frames in a second.", lower_bound=0.1, flag_values=values)
    flags.DEFINE_enum("method", "smooth", ["smooth", "spherical", "linear"], "The way.", flag_values=values)
    flags.DEFINE_bool("closed", True, "Come back to the first sample, to repeat without a jump.", flag_values=values)
    flags.DEFINE_list("classes", None, "For a conditional model: a class for each sample.", flag_values=values)
    flags.DEFINE_bool(
        "blend",
        None,
        "Whether a class blends into the next, or changes at once, half way. Default: it blends where the model can.",
        flag_values=values,
    )
    define_output(values, "video.gif", "The video: .gif, .webp or .mp4.")


def check_video(options):
    """Stops if the video cannot be written."""
    try:
        videos.check(options.output)
    except ValueError as error:
        raise SystemExit(f"--output={options.output}: {error}") from None
    if options.label is not None and options.classes is not None:
        raise SystemExit("--label is one class for all, --classes is one for each sample. Pass one of the two.")
    check_latents(options)


def define_directions(values):
    """Finds directions in the latents that change the samples, and draws samples along each.

    python -m ganzoo directions --preset faces_16
    python -m ganzoo directions runs/dcgan/model.keras --method pca --layer relu_0
    python -m ganzoo directions --preset faces_16 --method supervised --dataset faces_10k --data_label hairColor,glasses

    It writes a picture with two rows for each direction, and an .npz file for `ganzoo traverse` beside it.
    """
    flags.DEFINE_enum(
        "method",
        "sefa",
        ["sefa", "pca", "supervised"],
        "sefa: of the first layer's weight. pca: of the samples, or of a layer's activations. supervised: of the "
        "labels of --dataset, which a small classifier learns to read.",
        flag_values=values,
    )
    flags.DEFINE_integer("count", 5, "How many.", lower_bound=1, flag_values=values)
    flags.DEFINE_string("layer", None, "For pca: the generator's layer. Default: the samples.", flag_values=values)
    flags.DEFINE_string("dataset", None, in_one_line(f"For supervised: labelled images. {DATA}"), flag_values=values)
    flags.DEFINE_string("split", "train", "Part of the dataset, such as train[:5000].", flag_values=values)
    define_reading(values)
    flags.DEFINE_float("reach", 6.0, "How far each is followed, both ways.", flag_values=values)
    flags.DEFINE_integer("seed", 0, "The same seed gives the same samples.", lower_bound=0, flag_values=values)
    define_place(values)
    define_output(values, "directions.png")


def check_directions(options):
    """Stops if a method has not what it needs, or the picture cannot be written."""
    if (options.method == "supervised") != (options.dataset is not None):
        raise SystemExit("--method=supervised and --dataset belong together: it finds directions of the data's labels.")
    if options.dataset is not None:
        check_data("dataset", options.dataset)
    check_latents(options)


def define_project(values):
    """Finds latents whose samples are like your images.

    python -m ganzoo project --preset faces_16 --input my_face.png
    python -m ganzoo project runs/vae/model.keras --input photos --steps 200

    Images are resized to cover the model's size, and cropped at the centre. It writes a picture with your images above
    the samples, and an .npz file with the latents beside it.
    """
    flags.DEFINE_string(
        "input", None, "An image, or a folder of images with all folders in it.", required=True, flag_values=values
    )
    flags.DEFINE_integer(
        "steps",
        None,
        "Steps of Adam. Default: 500, or 0 for a model with an encoder.",
        lower_bound=0,
        flag_values=values,
    )
    flags.DEFINE_integer("starts", 4, "Latents that begin for each image.", lower_bound=1, flag_values=values)
    flags.DEFINE_float(
        "feature_weight", 0.1, "Weight of the features beside the pixels; 0: none.", lower_bound=0, flag_values=values
    )
    flags.DEFINE_integer("seed", 0, "Of the starts.", lower_bound=0, flag_values=values)
    define_place(values)
    define_output(values, "projection.png")


def check_project(options):
    """Stops if there is no input, or the picture cannot be written."""
    if not Path(options.input).exists():
        raise SystemExit(f"--input={options.input}: there is no such file or folder.")
    check_latents(options)


def define_held_out(values, meaning):
    """Defines the flags of a held-out dataset."""
    flags.DEFINE_string("dataset", None, in_one_line(f"{meaning} {DATA}"), required=True, flag_values=values)
    flags.DEFINE_string("split", "train", "Part of the dataset, such as train[9000:].", flag_values=values)
    define_reading(values)


def define_reject(values):
    """Makes images and lets the discriminator reject the bad images.

    python -m ganzoo reject --preset faces_16 --dataset faces_10k --split 'train[9000:]'
    python -m ganzoo reject --preset faces_16 --dataset faces_10k --split 'train[9000:]' --method langevin

    The discriminator is calibrated on held-out images. Pass images that the model was not trained on.
    """
    define_held_out(values, "The held-out images.")
    flags.DEFINE_enum(
        "method",
        "langevin",
        ["reject", "metropolis_hastings", "langevin"],
        "reject: keeps a sample with a probability. metropolis_hastings: a chain from sample to sample. langevin: "
        "moves the latents.",
        flag_values=values,
    )
    flags.DEFINE_integer("num_samples", 64, "How many.", lower_bound=1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "The same seed gives the same samples.", lower_bound=0, flag_values=values)
    flags.DEFINE_float("gamma", 0.0, "For reject: below 0 keeps more.", flag_values=values)
    flags.DEFINE_integer("steps", None, "Of a chain. Default: 100, langevin 200.", lower_bound=1, flag_values=values)
    define_output(values, "samples.png")


def check_with_data(options):
    """Stops if there is no such dataset, or the picture cannot be written."""
    check_data("dataset", options.dataset)
    process.check_writable("output", options.output)


def define_nearest(values):
    """Draws generated images above their nearest training images, in pixels and in features.

    python -m ganzoo nearest --preset faces_16 --dataset faces_10k --split 'train[:9000]'
    """
    define_held_out(values, "The training images.")
    flags.DEFINE_integer("num_samples", 10, "How many.", lower_bound=1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "The same seed gives the same samples.", lower_bound=0, flag_values=values)
    define_output(values, "nearest.png")


# Name -> (flags, check).
LATENT_COMMANDS = {
    "interpolate": (define_interpolate, check_latents),
    "traverse": (define_traverse, check_traverse),
    "truncate": (define_truncate, check_truncate),
    "video": (define_video, check_video),
    "directions": (define_directions, check_directions),
    "project": (define_project, check_project),
    "reject": (define_reject, check_with_data),
    "nearest": (define_nearest, check_with_data),
}
