"""MkDocs: the first sentence of a page describes it, for search engines and for the card that other sites show."""

import re

# What cannot stand in a description: comments, pictures, the targets of links, and the marks of Markdown.
MARKS = (
    (re.compile(r"<!--.*?-->", re.DOTALL), ""),
    (re.compile(r"!\[[^]]*\]\([^)]*\)(\{[^}]*\})?"), ""),
    (re.compile(r"\[([^]]+)\](\([^)]*\)|\[[^]]*\])"), r"\1"),
    (re.compile(r"[*`]"), ""),
)


def description(text):
    """The first sentence below the heading, without marks. `None` if the page does not begin with a sentence."""
    for pattern, instead in MARKS:
        text = pattern.sub(instead, text)
    first = next((part.strip() for part in re.split(r"\n{2,}", text) if part.strip()[:1].isalnum()), None)
    return None if first is None else re.split(r"(?<=[.?!])\s", " ".join(first.split()), maxsplit=1)[0]


def on_page_markdown(markdown, page, config, files):
    """Sets the description, unless the page has its own."""
    if page.file.generated_by is None and "description" not in page.meta:
        page.meta["description"] = description(markdown)
    return markdown
