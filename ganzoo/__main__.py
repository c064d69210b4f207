"""Works on trained models from the command line.

python -m ganzoo COMMAND MODEL [flags]
"""

import sys
from types import SimpleNamespace

from absl import flags

from ganzoo.command_line import evaluate, export, generate, info

COMMANDS = {"evaluate": evaluate, "generate": generate, "export": export, "info": info}
HELP = {"-h", "-help", "--help"}
MODEL = """MODEL is a .keras file, a directory of checkpoints, of which the newest readable one counts, or the
directory of a SavedModel."""


def main(arguments=None):
    """Runs a command.

    Args:
        arguments: List of strings, the command and its arguments. Defaults to those of the process.

    Raises:
        SystemExit: With one line of words, exit code 1, if the command cannot do what it was asked.
    """
    name, *arguments = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in HELP:
        print(overview())
        return
    if name not in COMMANDS:
        raise SystemExit(f"There is no command {name!r}. The commands are {', '.join(COMMANDS)}.")
    values = flags.FlagValues()
    COMMANDS[name].define_flags(values)
    if HELP.intersection(arguments):
        print(help_of(name, values))
        return
    COMMANDS[name].run(parse(name, values, arguments))


def parse(name, values, arguments):
    """Returns an object with the model's path and the value of each flag as attributes."""
    values.set_gnu_getopt()  # Flags may follow the model.
    try:
        _, *positional = values([name, *arguments])
    except flags.Error as error:
        raise SystemExit(f"{error} (python -m ganzoo {name} --help lists the flags.)".replace("\n", " ")) from None
    if len(positional) != 1:
        received = " ".join(positional) or "none"
        raise SystemExit(f"{name} takes one model: python -m ganzoo {name} MODEL [flags]. Received: {received}.")
    return SimpleNamespace(model=positional[0], **values.flag_values_dict())


def overview():
    """What `--help` without a command prints."""
    lines = [__doc__.strip(), "", "Commands:"]
    lines += [f"  {name:<10}{summary(command)}" for name, command in COMMANDS.items()]
    return "\n".join([*lines, "", MODEL, "", "The flags of a command: python -m ganzoo COMMAND --help"])


def help_of(name, values):
    """What `--help` after a command prints."""
    listed = values.module_help(COMMANDS[name]).splitlines()[2:]  # Without the module's name.
    flags_of_command = ["Flags:", *listed] if listed else ["It has no flags."]
    return "\n".join([COMMANDS[name].__doc__.strip(), "", MODEL, "", *flags_of_command])


def summary(command):
    """The first line of a command's docstring."""
    return command.__doc__.strip().splitlines()[0]


if __name__ == "__main__":
    main()
