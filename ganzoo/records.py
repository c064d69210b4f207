"""Files of JSON, a line for each record, that survive a process killed in the middle of a line."""

import json
import math

from ganzoo import files

NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def read(path):
    """The records of a file, as dictionaries: none if there is no file, and without what follows a torn line."""
    records = []
    if path.exists():
        for line in path.read_text(errors="replace").splitlines():
            try:
                records.append(from_json(line))
            except json.JSONDecodeError:
                break
    return records


def write(path, records):
    """Replaces a file by these records; never half a file."""
    with files.replacing(path) as temporary:
        temporary.write_text("".join(to_json(record) + "\n" for record in records))


def append(path, record):
    """Adds a record to a file that was read, and written again if a line was torn."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(to_json(record) + "\n")


def to_json(record):
    """A record as a line of JSON, which has no word for NaN and infinity: they become strings."""
    return json.dumps(mapped(record, lambda x: NAMES[str(x)] if isinstance(x, float) and not math.isfinite(x) else x))


def from_json(text):
    """The record that `to_json` wrote."""
    return mapped(json.loads(text), lambda x: float(x) if x in NAMES.values() else x)


def mapped(record, change):
    """A record with each of its strings and numbers changed."""
    if isinstance(record, dict):
        return {key: mapped(part, change) for key, part in record.items()}
    if isinstance(record, (list, tuple)):
        return [mapped(part, change) for part in record]
    return change(record)
