"""The command `ganzoo export`. Its flags are in `ganzoo/command_line/commands.py`."""

from pathlib import Path

from ganzoo.command_line.commands import FORMATS
from ganzoo.command_line.models import is_saved_model, load_model


def run(options):
    """Exports a model with the options, an object that has the values of the flags as attributes."""
    output = Path(options.output_dir if options.output is None else options.output)
    if is_saved_model(output):
        raise SystemExit(f"There is a SavedModel at {output} already. Take the next number, or delete it.")
    model, file = load_model(options.model)
    model.export(output, format="saved_model" if options.output is None else FORMATS[output.suffix])
    step = f", after step {model.steps_done:,}," if model.steps_done else ""  # A preset is at step 0.
    print(f"Wrote the {type(model).__name__} of {file}{step} to {output}")
