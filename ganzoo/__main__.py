"""Trains models, and works on trained ones, from the command line.

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
        arguments: List of strings, the command and its arguments. Defaults to those of the process.

    Raises:
        SystemExit: With code 2 after one line on stderr, if the command cannot do what it was asked.
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
    except BrokenPipeError:  # Whoever read the output has seen enough.
        process.give_up_output()
        raise SystemExit(1) from None
    except OSError as error:
        fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def fail(reason):
    """Prints why a command stops, in one line, and ends the process with code 2."""
    print(" ".join(str(reason).split()) or type(reason).__name__, file=sys.stderr)
    raise SystemExit(2) from None


def dispatch(arguments):
    """Answers at once what needs no model, and imports the command that does."""
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
    process.import_quietly("ganzoo.api")  # Registers all classes that a file may hold.
    module = importlib.import_module(f"ganzoo.command_line.{command.module or name}")
    getattr(module, name if command.module else "run")(options)


def parse(name, values, arguments):
    """Returns an object with the operands and the value of each flag as attributes."""
    values.set_gnu_getopt()  # Flags may follow the operands.
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
        if isinstance(value, str):  # A shell leaves the ~ of --output_dir=~/runs as it is.
            options[key] = os.path.expanduser(value)
    return SimpleNamespace(**options)


# === Words ===


def versions():
    """What `--version` prints."""
    others = [f"{name} {importlib.metadata.version(name)}" for name in ("keras", "tensorflow")]
    return ", ".join([f"ganzoo {__version__}", *others, f"Python {platform.python_version()}"])


def overview():
    """What `--help` without a command prints."""
    lines = [__doc__.strip(), "", "Commands:"]
    lines += [f"  {name:<13}{command.summary}" for name, command in COMMANDS.items()]
    return "\n".join([*lines, "", "The flags of a command: python -m ganzoo COMMAND --help"])


def help_of(name, values, settings):
    """What `--help` after a command prints; `settings` are the names of the flags that its model brings."""
    command = COMMANDS[name]
    lines = [textwrap.dedent("    " + command.define.__doc__.strip()), "", command.explain(), ""]
    common = [flag for flag in values if flag not in settings]
    lines += ["Flags:", *map(describe, sorted(common), [values] * len(common))] if common else ["It has no flags."]
    if settings:
        lines += ["", "Settings of the model:", *(describe(flag, values) for flag in sorted(settings))]
    return "\n".join(lines)


def describe(name, values):
    """A flag and its meaning."""
    flag = values[name]
    default = "" if flag.default in (None, []) else f" Default: {flag.default_as_str.strip(chr(39))}."
    text = " ".join(f"--{'[no]' if flag.boolean else ''}{name}: {flag.help}{default}".split())
    indents = {"initial_indent": "  ", "subsequent_indent": "      "}
    return textwrap.fill(text, WIDTH, **indents, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    main()
