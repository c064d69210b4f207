"""JSON files with a line for each record, which survive a process that is killed in the middle of a line."""

import json
import math

from ganzoo import files

NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def read(path):
    """The records of a file, as dictionaries. Stops at a torn line. Empty if there is no file."""
    records = []
    if path.exists():
        for line in path.read_text(errors="replace").splitlines():
            try:
                records.append(from_json(line))
            except json.JSONDecodeError:
                break
    return records


def write(path, records):
    """Replaces the records of a file. Never leaves a partial file."""
    with files.replacing(path) as temporary:
        temporary.write_text("".join(to_json(record) + "\n" for record in records))


def append(path, record):
    """Adds a record to a file. A torn line must have been removed before, by `read` and `write`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(to_json(record) + "\n")


def to_json(record):
    """A record as a line of JSON. NaN and infinity, which JSON does not have, become strings."""
    return json.dumps(mapped(record, lambda x: NAMES[str(x)] if isinstance(x, float) and not math.isfinite(x) else x))


def from_json(text):
    """Undoes `to_json`."""
    return mapped(json.loads(text), lambda x: float(x) if x in NAMES.values() else x)


def mapped(record, change):
    """Applies a function to each string and number of a record."""
    if isinstance(record, dict):
        return {key: mapped(part, change) for key, part in record.items()}
    if isinstance(record, (list, tuple)):
        return [mapped(part, change) for part in record]
    return change(record)
