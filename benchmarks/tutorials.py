"""Runs the tutorials as they stand, and puts what they print and draw into their pages.

    python benchmarks/tutorials.py                    # all of docs/tutorials
    python benchmarks/tutorials.py curves --keep runs/curves

It runs the Python and the commands of a page one after the other, in an empty folder. Then it writes:

- what was printed, into the block below `<!-- output -->`. `<!-- output: 3 lines -->` takes the last three lines.
- the file of `<!-- picture: samples.png -->`, to where the picture below the comment lies.

So a page shows only what its own code made. The tests run the same code with a few steps.
"""

import argparse
import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "tutorials"
PART = re.compile(
    r"^<!-- run[^\n]*-->\n```python\n(?P<code>.*?)^```$"
    r"|^<!-- commands -->\n```\n(?P<commands>.*?)^```$"
    r"|^(?P<head><!-- output(?:: (?P<lines>\d+) lines)? -->\n```\n).*?(?P<tail>^```$)"
    r"|^<!-- picture: (?P<made>\S+) -->\n!\[[^]]*\]\((?P<shown>[^)]+)\)",
    re.MULTILINE | re.DOTALL,
)


def rebuilt(text, page, run_code, run_commands):
    """The text of a page with new outputs. Copies its pictures.

    Args:
        text: String.
        page: `Path` of the page, for the places of the pictures.
        run_code, run_commands: Functions of a block that return what it prints.
    """
    printed = ""

    def part(match):
        nonlocal printed
        if match["code"]:
            printed = run_code(match["code"])
        elif match["commands"]:
            printed = run_commands(match["commands"])
        elif match["made"]:
            shown = page.parent / match["shown"]
            shown.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(match["made"], shown)
        else:
            lines = printed.rstrip().splitlines()[-int(match["lines"] or 0) :]
            return match["head"] + "".join(f"{line.rstrip()}\n" for line in lines) + match["tail"]
        return match[0]

    return PART.sub(part, text)


def code_runner(namespace):
    """A function that runs blocks of Python in a namespace, and returns what they print."""

    def run(code):
        print(code, file=sys.stderr)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, namespace)
        return printed.getvalue()

    return run


def run_commands(block):
    """Runs each line, `ganzoo ...`, in a process of its own. Returns what they print, without their progress."""
    printed = ""
    for line in block.replace("\\\n", " ").splitlines():
        print(line, file=sys.stderr)
        name, *arguments = shlex.split(line)
        command = [Path(sys.executable).with_name(name), *arguments]
        printed += subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return printed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = sorted(page.stem for page in PAGES.glob("*.md") if page.stem != "index")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--keep", type=Path, help="run in this folder, and keep it")
    options = parser.parse_args()
    keras.config.disable_interactive_logging()  # The bars of `fit` are not for the pages.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    for name in options.names or names:
        page, start = PAGES / f"{name}.md", time.process_time() + sum(os.times()[2:4])
        with tempfile.TemporaryDirectory() as temporary:
            folder = options.keep or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            with contextlib.chdir(folder):
                text = rebuilt(page.read_text(), page, code_runner({"__name__": name}), run_commands)
        page.write_text(text)
        minutes = (time.process_time() + sum(os.times()[2:4]) - start) / 60
        print(f"{name}: {minutes:.1f} CPU minutes", file=sys.stderr)


if __name__ == "__main__":
    main()
