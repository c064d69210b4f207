"""Writes the SavedModel of a model, for TensorFlow Serving.

    python -m ganzoo export runs/wgan_gp/model.keras --output_dir serving/wgan_gp/1

With an averaged generator, that one is exported.
"""

from pathlib import Path

from absl import flags

from ganzoo.command_line.models import is_saved_model, load_model


def define_flags(values):
    """Defines the flags of this command in an `absl.flags.FlagValues`."""
    flags.DEFINE_string(
        "output_dir",
        None,
        "The SavedModel's directory. TensorFlow Serving wants a number for its last part, as in serving/wgan_gp/1.",
        required=True,
        flag_values=values,
    )


def run(options):
    """Exports with the settings of an object that has the flags' values as attributes."""
    output = Path(options.output_dir)
    if is_saved_model(output):
        raise SystemExit(f"There is a SavedModel at {output} already. Take the next number, or delete it.")
    model, file = load_model(options.model)
    model.export(output)
    print(f"Wrote the {type(model).__name__} of {file}, after step {model.steps_done:,}, to {output}")
