"""An example, run as its command would run it."""

import runpy
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, *arguments):
    """`python examples/<name>.py <arguments>`."""
    sys.path.insert(0, str(EXAMPLES))
    sys.argv = [f"{name}.py", *arguments]
    try:
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    except SystemExit as done:
        if done.code:
            print(done.code)
            raise
