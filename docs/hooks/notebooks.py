"""MkDocs: pages whose code runs, as notebooks beside them.

A notebook has the text of its page, and a cell for each block of Python and of commands. The first cell installs
ganzoo, so it runs on Colab or any other Jupyter server, without a clone. A picture that the code of the page makes
becomes a cell that shows it. Blocks that are fragments stay text.
"""

import json
import re

PAGES = (
    "getting_started.md",
    "zoo.md",
    "latents.md",
    "your_own_data.md",
    "your_own_networks.md",
    "new_model.md",
    "metrics.md",
    "watching.md",
    "theory/questions.md",
    "tutorials/photos.md",
    "tutorials/classes.md",
    "tutorials/fine_tuning.md",
    "tutorials/translation.md",
    "tutorials/curves.md",
)
INSTALL = "%pip install -q keras-ganzoo"
# What becomes a cell of code, with the comment that says so. `2 steps` is for the tests of the documentation.
CELL = re.compile(
    r"^<!-- run[^\n]*-->\n```python\n(?P<code>.*?)^```$"
    r"|^<!-- commands -->\n```\n(?P<commands>.*?)^```$"
    r"|^<!-- picture: (?P<picture>\S+) -->\n!\[[^]]*\]\([^)]*\)$",
    re.MULTILINE | re.DOTALL,
)
# What the code printed when the page was made: the notebook prints it itself.
OUTPUT = re.compile(r"^<!-- output[^\n]*-->\n```\n.*?^```\n", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"^<!-- .*?-->\n", re.MULTILINE | re.DOTALL)
# A notebook lies alone: pictures and pages of the site are not beside it.
PICTURE = re.compile(r"!\[[^]]*\]\((?!https?:)[^)]*\)(\{[^}]*\})?")
LINK = re.compile(r"\[([^]]+)\]\((?!https?:)[^)]*\)(\{[^}]*\})?")


def cells_of(text):
    """The cells of a page: dictionaries as Jupyter's format has them."""
    cells, start = [code(INSTALL)], 0
    text = OUTPUT.sub("", text)
    for match in CELL.finditer(text):
        cells += [prose(text[start : match.start()]), code(code_of(match))]
        start = match.end()
    return [cell for cell in [*cells, prose(text[start:])] if cell["source"]]


def code_of(match):
    """The Python of a cell. Jupyter runs a line that begins with `!` as a command."""
    if match["picture"]:
        return f'from IPython.display import Image\n\nImage("{match["picture"]}")'
    if match["commands"]:
        return "".join(f"!{line}" for line in match["commands"].splitlines(keepends=True))
    return match["code"]


def prose(text):
    """A cell of text, without what only the site shows."""
    for pattern, instead in ((COMMENT, ""), (PICTURE, ""), (LINK, r"\1")):
        text = pattern.sub(instead, text)
    return {"cell_type": "markdown", "metadata": {}, "source": lines_of(text)}


def code(text):
    """A cell of Python."""
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": lines_of(text)}


def lines_of(text):
    """A text as Jupyter's format has it."""
    return text.strip().splitlines(keepends=True)


def notebook(text):
    """A page as a notebook: JSON."""
    language = {"display_name": "Python 3", "language": "python", "name": "python3"}
    cells = [{"id": f"cell-{index}", **cell} for index, cell in enumerate(cells_of(text))]
    return json.dumps(
        {"cells": cells, "metadata": {"kernelspec": language}, "nbformat": 4, "nbformat_minor": 5}, indent=1
    )


def on_files(files, config):
    """Adds the notebooks to the site."""
    from mkdocs.structure.files import File  # The tests read this file without MkDocs.

    for name in PAGES:
        page = files.get_file_from_path(name)
        target = name.removesuffix("md") + "ipynb"
        files.append(File.generated(config, target, content=notebook(page.content_string)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Links a page to its notebook, below the heading."""
    name = page.file.src_uri
    if name not in PAGES:
        return markdown
    link = name.rpartition("/")[2].removesuffix("md") + "ipynb"
    return re.sub(r"^(# .*\n)", rf"\1\n[As a notebook]({link}){{ .notebook }}\n", markdown, count=1)
