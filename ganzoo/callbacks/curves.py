"""Tables and pictures of a training, shared by the callbacks that draw curves."""

import contextlib
import csv
import os
import warnings

from ganzoo import files

# Okabe and Ito's colours, safe for the colour-blind.
TRAINING, VALIDATION, EACH_STEP = "#0072B2", "#D55E00", "0.75"


def read_table(path):
    """Reads a table of numbers as dictionaries, without empty cells. Returns no rows if the file is missing.

    A file with other contents is not overwritten. It gets another name, with a warning.

    Args:
        path: `Path` of a CSV file. `epoch` and `step` are read as integers, all other columns as floats.
    """
    return read_rows(path, as_numbers)


def as_numbers(row):
    """Converts a row of a table of numbers. Raises a `ValueError` or a `TypeError` for any other row."""
    if "step" not in row:
        raise ValueError("There is no column `step`.")
    return {name: int(cell) if name in ("epoch", "step") else float(cell) for name, cell in row.items() if cell}


def read_rows(path, convert):
    """Reads the rows of a CSV file. Returns no rows if the file is missing, and renames it if a row cannot be
    converted.

    Args:
        path: `Path`.
        convert: Function of a row, a dictionary of strings by column. It raises a `ValueError`, `TypeError` or
            `KeyError` if the file has other contents.
    """
    if not path.exists():
        return []
    try:
        with path.open(newline="") as file:
            return [convert(row) for row in csv.DictReader(file)]
    except (ValueError, TypeError, KeyError, csv.Error) as error:  # Invalid UTF-8 also raises a `ValueError`.
        kept = set_aside(path)
        warnings.warn(
            f"{path} is no table that a training has written: {error} It is kept as {kept.name}, and the table starts "
            "anew.",
            UserWarning,
            stacklevel=3,
        )
        return []


def set_aside(path):
    """Renames a file to the first free name of `name_1`, `name_2`, ... and returns the new path."""
    number = 1
    while (other := path.with_stem(f"{path.stem}_{number}")).exists():
        number += 1
    with contextlib.suppress(FileNotFoundError):  # Another worker was faster.
        os.replace(path, other)
    return other


def write_table(path, header, rows):
    """Rewrites a whole CSV file, so that a late column (validation) fits in and no row is ever cut off.

    Args:
        path: `Path`.
        header: Sequence of strings.
        rows: Iterable of sequences, as long as the header.
    """
    with files.replacing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def write_records(path, records):
    """Writes dictionaries as a CSV file. Its columns are all keys, in order of appearance.

    Args:
        path: `Path`.
        records: List of dictionaries. A missing key gives an empty cell.
    """
    names = list(dict.fromkeys(name for record in records for name in record))
    write_table(path, names, ([record.get(name) for name in names] for record in records))


def new_figure(title, height, width=12):
    """Makes an empty figure with a title.

    It does not use pyplot, so it leaves nothing in memory and needs no display.

    Args:
        title: String.
        height, width: Floats, in hundreds of pixels.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    figure.suptitle(title)
    return figure


def save_figure(path, figure):
    """Adds a light grid to all plots of a figure and saves it as PNG, without ever leaving half a file.

    Args:
        path: `Path`.
        figure: `matplotlib.figure.Figure`.
    """
    for axes in figure.axes:
        axes.grid(color="0.92")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    with files.replacing(path) as temporary:
        figure.savefig(temporary, format="png")
