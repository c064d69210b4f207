"""ganzoo: generative models for Keras, each as its paper has it. `ganzoo/api.py` lists the public names."""

import importlib.util
import os
import sys
from typing import TYPE_CHECKING

from ganzoo.version import __version__ as __version__


def _is_command_line():
    """Whether this process is `ganzoo ...` or `python -m ganzoo ...`."""
    program = (getattr(sys, "argv", None) or [""])[0]
    if program == "-m":  # Python still looks for the module that it is going to run.
        words = sys.orig_argv
        return "ganzoo" in words[1:] and words[words.index("ganzoo") - 1] == "-m"
    return os.path.basename(program) in ("ganzoo", "ganzoo.exe", "ganzoo-script.py")


# `keras.saving.load_model` finds the classes of ganzoo only after they were registered, so `import ganzoo` imports them
# all, and TensorFlow with them. `ganzoo --help` cannot wait seconds for that: the command line imports what it uses.
if TYPE_CHECKING or not _is_command_line():
    from ganzoo.api import *  # noqa: F403
else:

    def __getattr__(name):
        """Imports a public name when it is asked for: another program may be called `ganzoo` as well."""
        if importlib.util.find_spec(f"ganzoo.{name}"):
            return importlib.import_module(f"ganzoo.{name}")
        public = importlib.import_module("ganzoo.api")
        if name.startswith("_") or not hasattr(public, name):
            raise AttributeError(f"module 'ganzoo' has no attribute {name!r}")
        return getattr(public, name)
