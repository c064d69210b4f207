"""The documentation's Python runs: every block that follows a comment `<!-- run -->`, and every block of commands that
follows `<!-- commands -->`.

The blocks of a page run one after the other, in one namespace and in an empty folder. `<!-- run: 2 steps -->` cuts each
`fit` of the block down to one epoch of so many steps. Commands get flags that make them short. A block that cannot run
has the reason in its place: `<!-- fragment: needs a server that runs -->`.
"""

import re
import shlex
from pathlib import Path

import pytest
from absl import flags

from ganzoo import GenerativeModel
from ganzoo import __main__ as command_line
from ganzoo.command_line.commands import COMMANDS

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(
    r"^<!-- run(?:: (\d+) steps?)? -->\n```python\n(.*?)^```$|^<!-- commands -->\n```\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
PICTURE = re.compile(r"^<!-- picture: (\S+) -->\n!\[[^]]+\]\((\S+)\)$", re.MULTILINE)
SHORT = {
    "train": "--filters 2 --batch_size 8 --steps_per_epoch 1 --epochs 1 --num_samples 4".split(),
    "evaluate": "--num_samples 8 --metrics sliced_wasserstein --features none".split(),
    "generate": "--num_samples 4".split(),
}
PAGES = {
    page.relative_to(ROOT).as_posix(): BLOCK.findall(page.read_text())
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
}


@pytest.mark.parametrize("page", [page for page, blocks in PAGES.items() if blocks])
def test_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    fit = GenerativeModel.fit
    namespace = {"__name__": page}
    for steps, code, commands in PAGES[page]:
        for line in commands.splitlines():
            _, name, *arguments = shlex.split(line)
            command_line.main([name, *arguments, *SHORT.get(name, [])])

        def short_fit(self, *args, steps=steps, **kwargs):
            if steps:
                self.run_eagerly = True  # A graph would take longer to trace than these steps.
                kwargs |= {"epochs": 1, "steps_per_epoch": int(steps)}
            return fit(self, *args, **{"verbose": 0, **kwargs})

        monkeypatch.setattr(GenerativeModel, "fit", short_fit)
        exec(compile(code, page, "exec"), namespace)
    for made, shown in PICTURE.findall((ROOT / page).read_text()):
        assert Path(made).is_file() and (ROOT / page).parent.joinpath(shown).is_file(), made


@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs_or_says_why_not(page):
    text = (ROOT / page).read_text()
    marked = re.findall(r"^<!-- (?:run.*|fragment: .+) -->\n```python$", text, re.MULTILINE)
    assert text.count("```python\n") == len(marked)
    assert text.count("<!-- fragment") == len(re.findall(r"^<!-- fragment: .+ -->\n```python$", text, re.MULTILINE))


def test_no_marker_is_lost():
    """A comment that is not right before its block would silently run nothing."""
    for page, blocks in PAGES.items():
        text = (ROOT / page).read_text()
        assert text.count("\n<!-- run") + text.count("\n<!-- commands") == len(blocks), page
        assert text.count("\n<!-- picture") == len(PICTURE.findall(text)), page


COMMAND = re.compile(r"(?:^|`)(?:python -m )?ganzoo ((?:[^`#|\n\\]|\\\n)+)", re.MULTILINE)
DOCUMENTED = [
    (page.relative_to(ROOT).as_posix(), command.replace("\\\n", " "))
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").glob("*.py"))]
    for command in COMMAND.findall(page.read_text().replace("    python -m ganzoo", "python -m ganzoo"))
]


@pytest.mark.parametrize(("page", "command"), [pair for pair in DOCUMENTED if pair[1].split(" ")[0] in COMMANDS])
def test_documented_commands_are_understood(page, command):
    """Names of commands, models and flags, and the values of flags. Files need not be there."""
    name, *arguments = shlex.split(command)
    if {"NAME", "mine.toml"}.intersection(arguments):
        return  # Words for yours.
    arguments = COMMANDS[name].expand(arguments)
    if command_line.HELP.intersection(arguments) or not arguments or "MODEL" in arguments:
        return
    values = flags.FlagValues()
    COMMANDS[name].define(values)
    if COMMANDS[name].define_settings is not None:
        COMMANDS[name].define_settings(values, arguments)
    if len(COMMANDS[name].operands) > 1 and len(arguments) == 1:
        return  # A name in a sentence, such as `ganzoo train wgan_gp`.
    command_line.parse(name, values, arguments)


def test_benchmarks_have_an_index():
    """Every script stands in benchmarks/README.md, and every script that a page names is there."""
    scripts = {file.name for file in (ROOT / "benchmarks").glob("*.py")}
    index = (ROOT / "benchmarks" / "README.md").read_text()
    assert {name for name in re.findall(r"^\| `(\w+\.py)`", index, re.MULTILINE)} == scripts
    text = "\n".join(page.read_text() for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    for path in set(re.findall(r"benchmarks/[\w/]+\.\w+", text)):
        assert (ROOT / path).is_file(), path
