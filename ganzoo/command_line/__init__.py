"""The commands of `python -m ganzoo`.

`commands.py` and the modules that it imports define the help and the flags, and import nothing slow. The function
`run(options)` in a command's own module does the work. It takes any object that has the values of the flags as
attributes.
"""
