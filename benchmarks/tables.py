"""Compares the tables of the documentation with the records that they were made of, or writes them anew.

    python benchmarks/tables.py                # says which pages hold their table, and fails if one does not
    python benchmarks/tables.py --write        # replaces what has changed

A table stands on its page between `<!-- table: NAME -->` and `<!-- end of table -->`. No training is run: the records
are in `benchmarks/results`.
"""

import argparse
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HERE = Path(__file__).parent
sys.path.append(str(HERE))

from ganzoo import records  # noqa: E402

DOCS = HERE.parent / "docs"


def guard_table():
    import guard

    return guard.table(records.read(HERE / "results" / "guard.jsonl"))


def mixtures_table():
    import mixtures

    rows = records.read(HERE / "results" / "mixtures.jsonl")
    return mixtures.table([row for row in rows if row["iterations"] == 25_000], 25_000)


def rejection_table():
    import latent

    found = [
        row for row in records.read(HERE / "results" / "latent.jsonl") if row.get("data", "").endswith("mnist_10k")
    ]
    return latent.rejection_table(found)


# Name of the table -> its page, and the function that makes it of the records.
TABLES = {
    "guard": ("watching.md", guard_table),
    "mixtures": ("papers.md", mixtures_table),
    "rejection": ("latents.md", rejection_table),
}


def replaced(text, name, table):
    """A page with a table in its place.

    Raises:
        ValueError: If the page has no place for it.
    """
    start, end = f"<!-- table: {name} -->\n\n", "\n\n<!-- end of table -->"
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"The page needs {start.strip()} and {end.strip()} once, around its table {name!r}.")
    return pattern.sub(lambda match: start + table.strip() + end, text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    failed = False
    for name, (page, make) in TABLES.items():
        path = DOCS / page
        text = path.read_text()
        after = replaced(text, name, make())
        if options.write:
            path.write_text(after)
        failed |= after != text and not options.write
        state = "equal" if after == text else "written" if options.write else "DIFFERENT"
        print(f"{name:<12} docs/{page:<20} {state}")
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
