"""The command line, run as `python -m ganzoo` would run it."""

import runpy
import sys


def run(*arguments):
    """`python -m ganzoo <arguments>`."""
    sys.argv = ["ganzoo", *arguments]
    runpy.run_module("ganzoo", run_name="__main__")
