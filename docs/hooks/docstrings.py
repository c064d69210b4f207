"""An extension of griffe, which reads the docstrings: examples become blocks of code, and names become links."""

import runpy
from pathlib import Path

from griffe import Extension

HERE = Path(__file__).parent
reference = runpy.run_path(str(HERE / "reference.py"))
names = reference["short_names"]((HERE.parent / "api.md").read_text(encoding="utf-8"))


class Docstrings(Extension):
    """Rewrites each docstring when it was read."""

    def on_instance(self, *, obj, **kwargs):
        if obj.docstring:
            obj.docstring.value = reference["linked"](reference["fenced"](obj.docstring.value), names)
