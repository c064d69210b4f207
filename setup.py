# A shim for tools that still call setup.py: the metadata stands in one place, pyproject.toml.
from setuptools import setup

setup()
