"""Counts the habits of our prose, beside other libraries.

    python benchmarks/prose.py                          # this checkout, and packages that are installed
    python benchmarks/prose.py --before ../old          # and another checkout
    python benchmarks/prose.py --worst 20               # the files with the most of them

It counts "that of" and "those of", "one", "ones" and "none", and semicolons, for each 10,000 words. The words come from
docstrings and from Markdown pages, without code, tables, formulas and headings. Comments are lines with a comment, as a
share of the lines of Python.
"""

import argparse
import ast
import importlib.util
import io
import re
import tokenize
from pathlib import Path

ROOT = Path(__file__).parent.parent
ANCHORS = ("keras", "huggingface_hub", "matplotlib", "tensorflow_datasets", "hypothesis")
HABITS = {
    "that of": re.compile(r"\b(?:that|those) of\b", re.IGNORECASE),
    "one": re.compile(r"\b(?:ones?|none)\b", re.IGNORECASE),
    "semicolons": re.compile(r";"),
}
NOT_PROSE = (
    re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL),
    re.compile(r"^(?:    |\t|>>>|\.\.\.|\||#|\$\$|<).*$", re.MULTILINE),
    re.compile(r"\$\$.*?\$\$|\\\[.*?\\\]", re.DOTALL),
    re.compile(r"`[^`]*`|https?://\S+|&[a-z]+;"),
)


def prose_of(text):
    """A text without code, tables, formulas and headings."""
    for pattern in NOT_PROSE:
        text = pattern.sub(" ", text)
    return text


def docstrings(source):
    """The docstrings of a file of Python, without their indentation."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text:
                # `Args:` and the like are indented, but they are prose.
                yield re.sub(r"^ {4}(?! )", "", text, flags=re.MULTILINE)


def comment_lines(source):
    """The number of lines with a comment."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return 0
    return len({token.start[0] for token in tokens if token.type == tokenize.COMMENT})


def files_of(folder, package):
    """The prose of each file, and the numbers of lines and comments of Python: `{path: (text, lines, comments)}`."""
    found = {}
    for path in sorted((folder / package).rglob("*.py") if package else []):
        if "test" in path.name or "_vendor" in path.parts:
            continue
        source = path.read_text(errors="replace")
        text = prose_of("\n\n".join(docstrings(source)))
        found[path] = text, len(source.splitlines()), comment_lines(source)
    for path in sorted([*folder.glob("*.md"), *(folder / "docs").rglob("*.md")]) if package == "ganzoo" else []:
        found[path] = prose_of(path.read_text()), 0, 0
    return found


def row(name, files):
    """A line of the table."""
    texts = [text for text, _, _ in files.values()]
    words = sum(len(re.findall(r"[A-Za-z][A-Za-z'-]*", text)) for text in texts)
    rates = [1e4 * sum(len(habit.findall(text)) for text in texts) / max(words, 1) for habit in HABITS.values()]
    lines, comments = (sum(parts[index] for parts in files.values()) for index in (1, 2))
    share = f"{100 * comments / lines:.1f} %" if lines else ""
    return f"| {name} | {words:,} | {' | '.join(f'{rate:.1f}' for rate in rates)} | {share} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="another checkout of ganzoo")
    parser.add_argument("--worst", type=int, default=0, help="how many files to name")
    options = parser.parse_args()
    print(f"| Text | Words | {' | '.join(HABITS)} | Comments |\n|---|---|{'---|' * (len(HABITS) + 1)}")
    if options.before:
        print(row("ganzoo, before", files_of(options.before, "ganzoo")))
    files = files_of(ROOT, "ganzoo")
    print(row("ganzoo", files))
    for name in ANCHORS:
        spec = importlib.util.find_spec(name)
        if spec is not None:
            folder = Path(spec.submodule_search_locations[0])
            print(row(name, files_of(folder.parent, folder.name)))
    counts = {path: sum(len(habit.findall(text)) for habit in HABITS.values()) for path, (text, *_) in files.items()}
    for path in sorted(counts, key=counts.get, reverse=True)[: options.worst]:
        words = len(files[path][0].split())
        print(f"{counts[path]:>4} in {words:>5} words: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
