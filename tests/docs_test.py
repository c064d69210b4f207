"""The documentation's Python runs: every block that follows a comment `<!-- run -->`.

The blocks of a page run one after the other, in one namespace and in an empty folder. `<!-- run: 2 steps -->` cuts each
`fit` of the block down to one epoch of so many steps.
"""

import re
from pathlib import Path

import pytest

from ganzoo import GenerativeModel

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^<!-- run(?:: (\d+) steps?)? -->\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = {
    page.relative_to(ROOT).as_posix(): BLOCK.findall(page.read_text())
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
}


@pytest.mark.parametrize("page", [page for page, blocks in PAGES.items() if blocks])
def test_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit = GenerativeModel.fit
    namespace = {"__name__": page}
    for steps, code in PAGES[page]:

        def short_fit(self, *args, steps=steps, **kwargs):
            if steps:
                self.run_eagerly = True  # A graph would take longer to trace than these steps.
                kwargs |= {"epochs": 1, "steps_per_epoch": int(steps)}
            return fit(self, *args, **{"verbose": 0, **kwargs})

        monkeypatch.setattr(GenerativeModel, "fit", short_fit)
        exec(compile(code, page, "exec"), namespace)


def test_no_marker_is_lost():
    """A comment that is not right before its block would silently run nothing."""
    for page, blocks in PAGES.items():
        assert (ROOT / page).read_text().count("\n<!-- run") == len(blocks), page
