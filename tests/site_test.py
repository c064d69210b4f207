"""What the documentation site is made of: the list of the API, the code in docstrings, the files of others."""

import ast
import hashlib
import importlib.util
import json
import re
from pathlib import Path

import pytest

from tests.docs_test import BLOCK as RUN

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def hook(name):
    """A module of docs/hooks, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / "hooks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference, notebooks, descriptions = hook("reference"), hook("notebooks"), hook("descriptions")

LIST = """# API

A sentence.

## Models

::: ganzoo.GAN

::: ganzoo.models.base.Base

## Metrics

Some words.

### Fréchet distance

Of features.

::: ganzoo.metrics.distance

::: ganzoo.metrics.Distance

## Images

::: ganzoo.images
"""


def test_pages_of_the_list():
    pages = reference.pages(LIST)
    assert [(page.title, page.path, page.section) for page in pages] == [
        ("GAN", "api/GAN.md", "Models"),
        ("Base", "api/models.base.Base.md", "Models"),
        ("Fréchet distance", "api/frechet_distance.md", "Metrics"),
        ("images", "api/images.md", "Images"),
    ]
    assert pages[0].markdown == "::: ganzoo.GAN\n    options: {heading_level: 1}\n"
    assert pages[2].markdown == (
        "# Fréchet distance\n\nOf features.\n\n::: ganzoo.metrics.distance\n\n::: ganzoo.metrics.Distance\n"
    )


def test_overview_of_the_list():
    summaries = {name: f"What {name} is." for name in re.findall(r"^::: (.+)", LIST, re.MULTILINE)}
    text = reference.overview(LIST, summaries | {"ganzoo.images": ""})
    assert ":::" not in text
    assert (
        "- [`ganzoo.GAN`](api/GAN.md): What ganzoo.GAN is.\n- [`ganzoo.models.base.Base`](api/models.base.Base.md)"
        in text
    )
    assert "(api/frechet_distance.md#ganzoo.metrics.Distance): What" in text
    assert text.endswith("## Images\n\n- [`ganzoo.images`](api/images.md)\n")
    assert "is.\n\n## Metrics\n\nSome words.\n" in text


def test_each_name_has_one_page():
    """That every public name stands in the list is a bar of `benchmarks/structure.py`."""
    pages = reference.pages((DOCS / "api.md").read_text())
    names = [name for page in pages for name in page.names]
    paths = [page.path.lower() for page in pages]  # Some disks do not tell `Recall` from `recall`.
    assert len(set(names)) == len(names) and len(set(paths)) == len(paths)
    assert all(page.section and page.names for page in pages)


def test_examples_are_code():
    text = "Adds.\n\nExample:\n\n>>> for x in (1, 2):\n...     print(x)\n>>> add(1, 2)\n\nNote."
    code = "```python\nfor x in (1, 2):\n    print(x)\nadd(1, 2)\n```"
    assert reference.fenced(text) == f"Adds.\n\n**Example:**\n\n{code}\n\nNote."
    with_output = ">>> add(1, 2)\n3\n>>> add(2, 2)\n4"
    assert reference.fenced(with_output) == f"```pycon\n{with_output}\n```"


def test_names_in_docstrings_are_links():
    names = reference.short_names(LIST)
    assert names["Base"] == names["ganzoo.models.base.Base"] == "ganzoo.models.base.Base" and "distance" not in names
    text = "See `Base`, `GAN(x)` and `distance`.\n\n```python\n`Base`\n```\n`ganzoo.GAN`"
    expected = "See [`Base`][ganzoo.models.base.Base], `GAN(x)` and `distance`.\n\n```python\n`Base`\n```\n"
    assert reference.linked(text, names) == f"{expected}[`ganzoo.GAN`][ganzoo.GAN]"


def docstrings():
    for file in sorted((ROOT / "ganzoo").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
                yield f"{file.relative_to(ROOT)}: {getattr(node, 'name', '')}", ast.get_docstring(node)


def test_no_example_is_left_as_a_quote():
    examples = 0
    for where, docstring in docstrings():
        outside = re.sub(r"^```.*?^```$", "", reference.fenced(docstring), flags=re.MULTILINE | re.DOTALL)
        assert not re.search(r"^ *>", outside, re.MULTILINE), where
        examples += ">>> " in docstring
    assert examples > 100


FORMULA = re.compile(r"\bE(_\w)?\[|\|\||\b(min|max)_\w\b|^\s*\w+ = .*\b(log|sqrt|exp)\b", re.MULTILINE)


def test_formulas_are_typeset():
    """Expectations, norms and divergences in a block of text would be cut off on a phone: they are TeX."""
    for page in DOCS.rglob("*.md"):
        for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
            assert language or not FORMULA.search(block), (page.name, block)


def test_files_that_the_pages_name_are_there():
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for name in re.findall(r"`((?:ganzoo|tests|examples|benchmarks)/[\w/]+(?:\.\w+|/))`", page.read_text()):
            assert (ROOT / name).exists(), (page.name, name)


def test_files_of_others_are_unchanged():
    assets = DOCS / "assets"
    sums = dict(reversed(line.split("  ")) for line in (assets / "SHA256SUMS").read_text().splitlines())
    files = {
        path.relative_to(assets).as_posix()
        for folder in ("katex", "iframe-worker")
        for path in (assets / folder).rglob("*.*")
    }
    assert files | {"katex/LICENSE", "iframe-worker/LICENSE"} == sums.keys()
    for name, checksum in sums.items():
        assert hashlib.sha256((assets / name).read_bytes()).hexdigest() == checksum, name


@pytest.mark.parametrize("file", ["site.css", "typeset.js"])
def test_no_other_server_is_asked(file):
    assert "//" not in re.sub(r"(^|\s)//.*", "", (DOCS / "assets" / file).read_text())


def test_a_page_as_a_notebook():
    text = (
        "# Title\n\nSee [there](other.md#part) and [far](https://keras.io).\n\n"
        "![A picture](images/a.png){ width=49% }\n\n"
        "<!-- run: 2 steps -->\n```python\na = 1\nprint(a)\n```\n\n"
        "<!-- output -->\n```\n1\n```\n\n"
        "<!-- picture: b.png -->\n![Another](images/b.png)\n\n"
        "<!-- commands -->\n```\nganzoo info a\nganzoo info b\n```\n\n"
        "<!-- fragment: needs a server -->\n```python\nask()\n```\n"
    )
    cells = notebooks.cells_of(text)
    assert [cell["cell_type"] for cell in cells] == ["code", "markdown", "code", "code", "code", "markdown"]
    first, words, block, shown, commands, rest = ["".join(cell["source"]) for cell in cells]
    assert shown == 'from IPython.display import Image\n\nImage("b.png")'
    assert commands == "!ganzoo info a\n!ganzoo info b"
    assert first == "%pip install -q keras-ganzoo"
    assert words == "# Title\n\nSee there and [far](https://keras.io)."
    assert block == "a = 1\nprint(a)" and rest == "```python\nask()\n```"


def test_a_page_is_described_by_its_first_sentence():
    text = "<!-- a\n\nb -->\n# Title\n\n![A](a.png){ width=9% }\n\nTake `a` or [the\n*b*](b.md#c): both. Not this.\n"
    assert descriptions.description(text) == "Take a or the b: both."
    assert descriptions.description("# Title\n\n::: ganzoo.GAN\n") is None


@pytest.mark.parametrize("page", notebooks.PAGES)
def test_notebooks_have_the_code_that_the_tests_run(page):
    """tests/docs_test.py runs these blocks and commands, one after the other."""
    text = (DOCS / page).read_text()
    file = json.loads(notebooks.notebook(text))
    code = ["".join(cell["source"]) for cell in file["cells"] if cell["cell_type"] == "code"][1:]
    code = [cell for cell in code if "IPython" not in cell]
    tested = [block.strip() or f"!{commands.strip()}".replace("\n", "\n!") for _, block, commands in RUN.findall(text)]
    assert code == tested and code
    assert file["nbformat"] == 4 and len({cell["id"] for cell in file["cells"]}) == len(file["cells"])
