"""Tables and pictures of the course of a training: what the callbacks that draw curves share."""

import contextlib
import csv
import os
import warnings

from ganzoo import files

# Okabe and Ito's colours, safe for the colour-blind.
TRAINING, VALIDATION, EACH_STEP = "#0072B2", "#D55E00", "0.75"


def read_table(path):
    """The rows of a table of numbers as dictionaries, without empty cells; no rows where there is no file.

    A file that holds something else is not overwritten: it gets another name, with a warning.

    Args:
        path: `Path` of a CSV file. `epoch` and `step` are read as integers, all other columns as floats.
    """
    return read_rows(path, as_numbers)


def as_numbers(row):
    """A row of a table of numbers; raises a `ValueError` or a `TypeError` if it is none."""
    if "step" not in row:
        raise ValueError("There is no column `step`.")
    return {name: int(cell) if name in ("epoch", "step") else float(cell) for name, cell in row.items() if cell}


def read_rows(path, convert):
    """The rows of a CSV file; no rows where there is no file. A file that cannot be converted gets another name.

    Args:
        path: `Path`.
        convert: Function of a row, a dictionary of strings by column. A `ValueError`, `TypeError` or `KeyError` tells
            that the file is something else.
    """
    if not path.exists():
        return []
    try:
        with path.open(newline="") as file:
            return [convert(row) for row in csv.DictReader(file)]
    except (ValueError, TypeError, KeyError, csv.Error) as error:  # Text that is no UTF-8 is a `ValueError`, too.
        kept = set_aside(path)
        warnings.warn(
            f"{path} is no table that a training has written: {error} It is kept as {kept.name}, and the table starts "
            "anew.",
            UserWarning,
            stacklevel=3,
        )
        return []


def set_aside(path):
    """Renames a file to `name_1`, `name_2`, ..., the first that is free; returns the new path."""
    number = 1
    while (other := path.with_stem(f"{path.stem}_{number}")).exists():
        number += 1
    with contextlib.suppress(FileNotFoundError):  # Another worker was faster.
        os.replace(path, other)
    return other


def write_table(path, header, rows):
    """Writes a CSV file anew, so that a late column (validation) fits in and no row is ever torn.

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
    """Writes dictionaries as a CSV file; its columns are all their keys, in the order of their appearance.

    Args:
        path: `Path`.
        records: List of dictionaries. A cell is empty where one lacks a key.
    """
    names = list(dict.fromkeys(name for record in records for name in record))
    write_table(path, names, ([record.get(name) for name in names] for record in records))


def new_figure(title, height, width=12):
    """An empty figure with a title above.

    It is a Figure of its own, not pyplot's: nothing stays behind, and no display is needed.

    Args:
        title: String.
        height, width: Floats, in hundreds of pixels.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    figure.suptitle(title)
    return figure


def save_figure(path, figure):
    """Gives all plots of a figure a light grid, and saves it as PNG, never half of one.

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
