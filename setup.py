# The metadata stands in one place, pyproject.toml. This shim lets tools that still call setup.py work.
from setuptools import setup

setup()
