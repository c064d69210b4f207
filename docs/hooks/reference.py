"""What the list in `docs/api.md` says: the pages of the reference, and the code in docstrings. Imports nothing.

A line `::: ganzoo.WGAN` of the list gets a page of its own. Lines below a heading of the third level share a page.
"""

import re
import unicodedata
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
        return (
            "\n\n".join([f"# {self.title}", *([text] if text else []), *(f"::: {name}" for name in self.names)]) + "\n"
        )


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
    """A title as the name of a file, in ASCII."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"\W+", "_", plain.lower()).strip("_")


def overview(text, summaries):
    """The text of `docs/api.md` as it is shown: a link and a sentence in the place of each entry.

    Args:
        text: String, the list.
        summaries: Dictionary, dotted name -> the first sentence of its docstring.
    """
    path = {name: page.path for page in pages(text) for name in page.names}
    grouped, paragraphs = False, []
    for paragraph in re.split(r"\n{2,}", re.sub(r"^(:::.*)$", r"\n\1\n", text, flags=re.MULTILINE).strip()):
        entry = ENTRY.match(paragraph)
        if not entry:
            grouped = paragraph.startswith("### ") or (grouped and not paragraph.startswith("## "))
            paragraphs.append(paragraph)
            continue
        name = entry[1]
        summary = f": {summaries[name]}" if summaries[name] else ""
        item = f"- [`{name}`]({path[name]}{f'#{name}' if grouped else ''}){summary}"
        if paragraphs and paragraphs[-1].startswith("- ["):
            paragraphs[-1] += f"\n{item}"
        else:
            paragraphs.append(item)
    return "\n\n".join(paragraphs) + "\n"


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
        lines.append("**Example:**" if line == "Example:" else line)
    return "\n".join(lines[:-1])


def code(block):
    """The lines of an example as a block of code."""
    if all(map(PROMPT.match, block)):
        return ["```python", *(line[4:] for line in block), "```"]
    return ["```pycon", *block, "```"]


def short_names(text):
    """Dictionary of the names that a docstring may write alone: those of classes, and all dotted ones.

    Args:
        text: String, the list of `docs/api.md`.
    """
    names = [name for page in pages(text) for name in page.names]
    classes = {last_part(name): name for name in names if last_part(name)[0].isupper()}
    return {name: name for name in names} | classes


def linked(docstring, names):
    """A docstring whose names in backquotes are links to their pages, outside of its code.

    Args:
        docstring: String.
        names: Dictionary, a name as it is written -> as it stands in the list.
    """

    def link(match):
        return f"[{match[0]}][{names[match[1]]}]" if match[1] in names else match[0]

    parts = re.split(r"(^```.*?^```$)", docstring, flags=re.MULTILINE | re.DOTALL)
    parts[::2] = (re.sub(r"(?<![\[`])`([\w./]+)`(?![\]`])", link, part) for part in parts[::2])
    return "".join(parts)
