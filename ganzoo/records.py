"""Files of JSON, a line for each record, that survive a process killed in the middle of a line."""

import json

from ganzoo import images


def read(path):
    """The records of a file, as dictionaries: none if there is no file, and without what follows a torn line."""
    records = []
    if path.exists():
        for line in path.read_text(errors="replace").splitlines():
            try:
                records.append(json.loads(line))
            except json.JSONDecodeError:
                break
    return records


def write(path, records):
    """Replaces a file by these records; never half a file."""
    with images.replacing(path) as temporary:
        temporary.write_text("".join(json.dumps(record) + "\n" for record in records))


def append(path, record):
    """Adds a record to a file that was read, and written again if a line was torn."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(record) + "\n")
