"""The commands of `python -m ganzoo`.

`commands.py` and the modules that it imports hold the help and the flags, and import nothing slow. The work of a
command is the function `run(options)` in the module of its name. It takes any object that has the flags' values as
attributes.
"""
