"""Hooks of MkDocs: the pages of the reference, links from names to them, and what a page may not be.

`docs/api.md` is the list of the reference. To document a class, add a line `::: ganzoo.Name` there.
"""

import logging
import posixpath
import re
from pathlib import Path

import griffe
import reference
from mkdocs.structure.files import File
from mkdocs.utils import get_relative_url

ROOT = Path(__file__).parents[2]
LIST = ROOT / "docs" / "api.md"
BYTES = 500_000

log = logging.getLogger("mkdocs.hooks.api_pages")


class Reference:
    """What a build knows of the reference: its pages, and what each name is.

    Attributes:
        pages: List of `reference.Page`.
        summaries: Dictionary, name -> first sentence of the docstring.
        files: Dictionary, file of the package -> the first name that is defined in it.
        mentions: Dictionary, name -> the pages that name it.
        names: Dictionary, what a page writes for a name -> the name: itself, a class alone, or its file.
    """

    def __init__(self):
        self.text = LIST.read_text(encoding="utf-8")
        self.pages = reference.pages(self.text)
        self.summaries, self.files, self.mentions = {}, {}, {}
        package = griffe.load("ganzoo", search_paths=[str(ROOT)], resolve_aliases=True)
        for name in (name for page in self.pages for name in page.names):
            found = package[name.partition(".")[2]]
            self.summaries[name] = first_sentence(found.docstring.value if found.docstring else "")
            self.files.setdefault(found.filepath.relative_to(ROOT).as_posix(), name)
            self.mentions[name] = []
        self.names = reference.short_names(self.text) | self.files

    def named_in(self, text):
        """Set of the names of the reference that a page names, itself or by their file."""
        written = re.findall(r"\bganzoo(?:[./]\w+)+", text)
        parts = (name.split(".") for name in written if "/" not in name)
        # `ganzoo.WGAN.from_paper` names `ganzoo.WGAN`.
        starts = {".".join(part[:end]) for part in parts for end in range(2, len(part) + 1)}
        return (starts | {self.files.get(name) for name in written}) & self.mentions.keys()


known = None


def on_config(config):
    """Puts the pages of the reference into the navigation, by section."""
    global known
    known = Reference()
    sections = {}
    for page in known.pages:
        sections.setdefault(page.section, []).append({page.title: page.path})
    for item in config.nav:
        if item == {"API": LIST.name}:
            item["API"] = [LIST.name, *({section: paths} for section, paths in sections.items())]
    return config


def on_files(files, config):
    """Makes the pages, and notes which guides name what."""
    for page in known.pages:
        files.append(File.generated(config, page.path, content=page.markdown))
    for file in files.documentation_pages():
        if file.generated_by is None and file.src_uri != LIST.name:
            for name in known.named_in(file.content_string):
                known.mentions[name].append(file)
    return files


def on_page_markdown(markdown, page, config, files):
    """Shows the list as an overview. In all other pages, names of the reference become links to it."""
    if page.file.src_uri == LIST.name:
        return reference.overview(known.text, known.summaries)
    if page.file.generated_by is not None:
        return markdown
    return reference.linked(markdown, known.names)


def on_page_content(html, page, config, files):
    """Adds the way back to the guides. A page that is too long, or shows code as a quote, is a warning."""
    if re.search(r"<blockquote>\s*<blockquote>", html):
        log.warning("%s: an example is shown as a quote.", page.file.src_uri)
    if len(html.encode()) > BYTES:
        log.warning("%s has more than %d bytes: split it in docs/api.md.", page.file.src_uri, BYTES)
    # A value that is returned has no name: nothing stands before the dash.
    html = re.sub(r'(<li class="doc-section-item field-body">)\s*–\s*', r"\1", html)
    # Long names break after a dot.
    html = re.sub(r"(?<=doc-object-name )([^>]*>)([\w.]+)", lambda name: name[1] + name[2].replace(".", ".<wbr>"), html)
    names = next((entry.names for entry in known.pages if entry.path == page.file.src_uri), ())
    guides = list(dict.fromkeys(guide for name in names for guide in known.mentions[name]))
    if not guides:
        return html
    # First the page that is about the file, such as the page of a model.
    sources = [file for file, name in known.files.items() if name in names]
    guides.sort(key=lambda guide: (not any(file in guide.content_string for file in sources), guide.src_uri))
    links = ", ".join(f'<a href="{get_relative_url(guide.url, page.url)}">{title(guide)}</a>' for guide in guides)
    return html.replace("</h1>", f'</h1>\n<p class="guides">In the guides: {links}</p>', 1)


def title(file):
    """The heading of a page."""
    heading = re.search(r"^# (.+)$", file.content_string, re.MULTILINE)
    return heading[1] if heading else posixpath.splitext(file.name)[0]


def first_sentence(docstring):
    """The first sentence of a docstring, in one line."""
    paragraph = " ".join(docstring.strip().partition("\n\n")[0].split())
    return re.split(r"(?<=\.)\s", paragraph, maxsplit=1)[0].rstrip(":")
