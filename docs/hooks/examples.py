"""An extension of griffe, which reads the docstrings: examples become blocks of code."""

import runpy
from pathlib import Path

from griffe import Extension

fenced = runpy.run_path(str(Path(__file__).with_name("reference.py")))["fenced"]


class Examples(Extension):
    """Rewrites each docstring when it was read."""

    def on_instance(self, *, obj, **kwargs):
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)
