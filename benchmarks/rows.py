"""Results of long benchmarks, a line of JSON for each run: what stands in the file is not run again."""

import json
import math


def read(path):
    """The rows of a file, as dictionaries; none if there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def append(path, row):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


def spread(values, digits):
    """Mean ± standard error."""
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:.{digits}f}"
    error = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))
    return f"{mean:.{digits}f} ± {error:.{digits}f}"
