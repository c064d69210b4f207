"""An example, run as its command would run it, but for two steps."""

import runpy
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, *arguments):
    """`python examples/<name>.py <arguments>`, where each `fit` makes two steps of each epoch."""
    from ganzoo import GenerativeModel

    fit = GenerativeModel.fit

    def short_fit(self, *args, **settings):
        self.run_eagerly = True  # A graph would take longer to trace than these steps.
        return fit(self, *args, **{**settings, "steps_per_epoch": 2})

    GenerativeModel.fit = short_fit
    sys.path.insert(0, str(EXAMPLES))
    sys.argv = [f"{name}.py", *arguments]
    try:
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    except SystemExit as done:
        if done.code:
            print(done.code)
            raise
