"""The commands of `python -m ganzoo`: each a module with `define_flags(values)` and `run(options)`.

Flags live in an object of their own that `ganzoo/__main__.py` makes and parses; `run` takes any object that has their
values as attributes.
"""
