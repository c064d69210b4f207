"""ganzoo: generative models for Keras, each as in its paper. `ganzoo/api.py` lists the public names."""

import importlib.util
import os
import sys
from typing import TYPE_CHECKING

from ganzoo.version import __version__ as __version__


def _is_command_line():
    """Whether this process is `ganzoo ...` or `python -m ganzoo ...`."""
    program = (getattr(sys, "argv", None) or [""])[0]
    if program == "-m":  # Python is still looking for the module to run.
        words = sys.orig_argv
        return "ganzoo" in words[1:] and words[words.index("ganzoo") - 1] == "-m"
    return os.path.basename(program) in ("ganzoo", "ganzoo.exe", "ganzoo-script.py")


# `keras.saving.load_model` only finds classes that are registered, so `import ganzoo` imports all classes and
# TensorFlow. That takes seconds, which is too long for `ganzoo --help`. So the command line imports only what it uses.
if TYPE_CHECKING or not _is_command_line():
    from ganzoo.api import *  # noqa: F403
else:

    def __getattr__(name):
        """Imports a public name on first use, in case another program is also called `ganzoo`."""
        if importlib.util.find_spec(f"ganzoo.{name}"):
            return importlib.import_module(f"ganzoo.{name}")
        public = importlib.import_module("ganzoo.api")
        if name.startswith("_") or not hasattr(public, name):
            raise AttributeError(f"module 'ganzoo' has no attribute {name!r}")
        return getattr(public, name)
