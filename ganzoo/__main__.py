"""Trains models, and works with trained models, from the command line.

python -m ganzoo COMMAND ... [flags]
"""

import importlib
import importlib.metadata
import os
import platform
import sys
import textwrap
from types import SimpleNamespace

from absl import flags

from ganzoo.command_line import process
from ganzoo.command_line.commands import COMMANDS
from ganzoo.command_line.datasets import close_to
from ganzoo.version import __version__

HELP = {"-h", "-help", "--help"}
WIDTH = 110


def main(arguments=None):
    """Runs a command.

    Args:
        arguments: List of strings, the command and its arguments. Defaults to the arguments of the process.

    Raises:
        SystemExit: With code 2, after a line on stderr, if the command cannot do its work.
    """
    try:
        dispatch(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except SystemExit as stop:
        if not isinstance(stop.code, str):
            raise
        fail(stop.code)
    except (ValueError, ImportError) as error:
        fail(error)
    except BrokenPipeError:  # The reader of the output, such as `head`, has closed it.
        process.give_up_output()
        raise SystemExit(1) from None
    except OSError as error:
        fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def fail(reason):
    """Prints in a single line why a command stops, and ends the process with code 2."""
    print(" ".join(str(reason).split()) or type(reason).__name__, file=sys.stderr)
    raise SystemExit(2) from None


def dispatch(arguments):
    """Answers `--help` and `--version` at once, and imports only the command that is asked for."""
    name, *arguments = arguments or ["--help"]
    if name in HELP:
        print(overview())
    elif name == "--version":
        print(versions())
    elif name not in COMMANDS:
        raise SystemExit(f"There is no command {name!r}.{close_to(name, COMMANDS)} Commands: {', '.join(COMMANDS)}.")
    else:
        run(name, arguments)


def run(name, arguments):
    """Runs a command, or prints its help."""
    command, values, settings = COMMANDS[name], flags.FlagValues(), []
    arguments = command.expand(arguments)
    command.define(values)
    if command.define_settings is not None and arguments and not arguments[0].startswith("-"):
        settings = command.define_settings(values, arguments)
    if HELP.intersection(arguments):
        print(help_of(name, values, settings))
        return
    options = parse(name, values, arguments)
    command.check(options)
    process.import_quietly("ganzoo.api")  # Registers all classes that a file may contain.
    module = importlib.import_module(f"ganzoo.command_line.{command.module or name}")
    getattr(module, name if command.module else "run")(options)


def parse(name, values, arguments):
    """Returns an object with the operands and the value of each flag as attributes."""
    values.set_gnu_getopt()  # Allows flags after the operands.
    usage, operands = f"python -m ganzoo {name}", COMMANDS[name].operands
    try:
        _, *given = values([name, *arguments])
    except flags.Error as error:
        raise SystemExit(f"{error} ({usage} --help lists the flags.)") from None
    if len(given) != len(operands):
        received = " ".join(given) or "none"
        raise SystemExit(
            f"{name} takes {' and '.join(operands)}: {usage} {' '.join(operands)} [flags]. Received: {received}."
        )
    options = {**dict(zip(map(str.lower, operands), given)), **values.flag_values_dict()}
    for key, value in options.items():
        if isinstance(value, str):  # A shell does not expand the ~ in --output_dir=~/runs.
            options[key] = os.path.expanduser(value)
    return SimpleNamespace(**options)


# === Words ===


def versions():
    """The text of `--version`."""
    others = [f"{name} {importlib.metadata.version(name)}" for name in ("keras", "tensorflow")]
    return ", ".join([f"ganzoo {__version__}", *others, f"Python {platform.python_version()}"])


def overview():
    """The text of `--help` without a command."""
    lines = [__doc__.strip(), "", "Commands:"]
    lines += [f"  {name:<13}{command.summary}" for name, command in COMMANDS.items()]
    return "\n".join([*lines, "", "The flags of a command: python -m ganzoo COMMAND --help"])


def help_of(name, values, settings):
    """The text of `--help` after a command. `settings` are the names of the flags of its model."""
    command = COMMANDS[name]
    lines = [textwrap.dedent("    " + command.define.__doc__.strip()), "", command.explain(), ""]
    common = [flag for flag in values if flag not in settings]
    lines += ["Flags:", *map(describe, sorted(common), [values] * len(common))] if common else ["It has no flags."]
    if settings:
        lines += ["", "Settings of the model:", *(describe(flag, values) for flag in sorted(settings))]
    return "\n".join(lines)


def describe(name, values):
    """The text of a flag and its meaning."""
    flag = values[name]
    default = "" if flag.default in (None, []) else f" Default: {flag.default_as_str.strip(chr(39))}."
    text = " ".join(f"--{'[no]' if flag.boolean else ''}{name}: {flag.help}{default}".split())
    indents = {"initial_indent": "  ", "subsequent_indent": "      "}
    return textwrap.fill(text, WIDTH, **indents, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    main()
