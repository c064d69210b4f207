"""The version of ganzoo."""

__version__ = "0.2.0"
