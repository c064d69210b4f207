"""What the list in `docs/api.md` says: the pages of the reference, and the code in docstrings. Imports nothing.

A line `::: ganzoo.WGAN` of the list gets a page of its own. Lines below a heading of the third level share a page.
"""

import re
from dataclasses import dataclass, field

ENTRY = re.compile(r"^::: (ganzoo[\w.]*)$")
PROMPT = re.compile(r"(?:>>>|\.\.\.)(?: |$)")


@dataclass
class Page:
    """A page of the reference.

    Args:
        title: String, as in the navigation.
        path: String, the file below `docs/`.
        section: String, the heading of the second level that it stands under in the list.
        names: List of dotted names.
        text: List of lines that stand above the names on the page.
    """

    title: str
    path: str
    section: str
    names: list = field(default_factory=list)
    text: list = field(default_factory=list)

    @property
    def markdown(self):
        """The page for mkdocstrings. A name alone is the page's heading; several stand below a heading."""
        if len(self.names) == 1 and self.title == last_part(self.names[0]):
            return f"::: {self.names[0]}\n    options: {{heading_level: 1}}\n"
        text = "\n".join(self.text).strip()
        return "\n\n".join([f"# {self.title}", *([text] if text else []), *(f"::: {name}" for name in self.names)]) + "\n"


def pages(text):
    """List of `Page` that the text of `docs/api.md` asks for."""
    found, section, group = [], None, None
    for line in text.splitlines():
        entry = ENTRY.match(line)
        if line.startswith("## "):
            section, group = line[3:].strip(), None
        elif line.startswith("### "):
            title = line[4:].strip()
            group = Page(title, f"api/{file_name(title)}.md", section)
            found.append(group)
        elif entry and group:
            group.names.append(entry[1])
        elif entry:
            found.append(Page(last_part(entry[1]), f"api/{entry[1].partition('.')[2]}.md", section, [entry[1]]))
        elif group and line.strip():
            group.text.append(line)
    return found


def last_part(name):
    """`WGAN` of `ganzoo.WGAN`."""
    return name.rpartition(".")[2]


def file_name(title):
    """A title as the name of a file."""
    return re.sub(r"\W+", "_", title.lower()).strip("_")


def overview(text, summaries):
    """The text of `docs/api.md` as it is shown: a link and a sentence in the place of each entry.

    Args:
        text: String, the list.
        summaries: Dictionary, dotted name -> the first sentence of its docstring.
    """
    path = {name: page.path for page in pages(text) for name in page.names}
    grouped, lines = False, []
    for line in text.splitlines():
        entry = ENTRY.match(line)
        if line.startswith("#"):
            grouped = line.startswith("### ")
        if entry:
            name = entry[1]
            anchor = f"{path[name]}#{name}" if grouped else path[name]
            lines.append(f"- [`{name}`]({anchor}): {summaries[name]}" if summaries[name] else f"- [`{name}`]({anchor})")
        elif line.strip() or not (lines and lines[-1].startswith("- [")):
            lines.append(line)
            if line.startswith("#"):
                lines.append("")
    # A list that ends needs an empty line before what follows.
    return re.sub(r"(^- .*\n)(?!- |\n)", r"\1\n", "\n".join(lines) + "\n", flags=re.MULTILINE)


def fenced(docstring):
    """A docstring whose examples (`>>> ...`) are blocks of code. Markdown would take `>>>` for quotes in quotes.

    Prompts are left out where no output follows, so that the code can be copied.
    """
    lines, block = [], []
    for line in [*docstring.splitlines(), ""]:
        inside = block and line.strip()
        if inside or PROMPT.match(line):
            block.append(line)
            continue
        if block:
            lines += code(block)
            block = []
        lines.append(line)
    return "\n".join(lines[:-1])


def code(block):
    """The lines of an example as a block of code."""
    if all(map(PROMPT.match, block)):
        return ["```python", *(line[4:] for line in block), "```"]
    return ["```pycon", *block, "```"]
