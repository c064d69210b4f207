"""Measures how the code is built, from its text: circles of imports, long functions, reaches into private parts.

    python benchmarks/structure.py              # a table
    python benchmarks/structure.py --list       # and each finding
    python benchmarks/structure.py --strict     # and exit code 1 if a bar is missed

It imports nothing of ganzoo.
"""

import argparse
import ast
import difflib
import itertools
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "ganzoo"
ALIKE = 0.7
COMPLEX = 10


def main(arguments=None):
    """Prints the table. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print each finding below the table")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a bar is missed")
    options = parser.parse_args(arguments)
    rows = [measure() for measure in MEASURES]
    print(f"{'':<58}{'value':>14}  {'bar':<10}")
    for what, value, bar, missed, _ in rows:
        print(f"{what:<58}{value:>14}  {bar:<10}{'MISSED' if missed else ''}")
    if options.list:
        for what, *_, found in rows:
            print("\n".join(["", what, *(f"  {line}" for line in found)]) if found else "", end="\n" if found else "")
    return int(options.strict and any(missed for *_, missed, _ in rows))


# === The text ===


def modules():
    """Dictionary, dotted name -> syntax tree, of all modules of the package."""
    if not _MODULES:
        for file in sorted(PACKAGE.rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            _MODULES[name] = ast.parse(file.read_text(encoding="utf-8"))
    return _MODULES


_MODULES = {}


def imports(tree):
    """Yields (module, name or `None`, the name it gets) of each import of ganzoo, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "ganzoo":
                    yield alias.name, None, alias.asname or alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ganzoo":
            for alias in node.names:
                yield node.module, alias.name, alias.asname or alias.name


def functions(tree):
    """All functions and methods of a module."""
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


# === Circles ===


def import_circles():
    """Packages that import each other, directly or through others."""
    edges = {}
    for name, tree in modules().items():
        for module, imported, _ in imports(tree):
            target = f"{module}.{imported}" if f"{module}.{imported}" in modules() else module
            source, target = room(name), room(target)
            if source != target and None not in (source, target):
                edges.setdefault(source, set()).add(target)
    found = [" <-> ".join(sorted(group)) for group in components(edges) if len(group) > 1]
    return "circles of imports between packages", len(found), "0", bool(found), found


def room(module):
    """The package or module below `ganzoo` that a module belongs to. `None` for modules that gather public names."""
    parts = module.split(".")
    return None if len(parts) < 2 or parts[1] in ("api", "__main__") else parts[1]


def components(edges):
    """The strongly connected components of a graph: nodes that reach each other."""
    nodes = set(edges) | set().union(*edges.values())
    reached = {node: reach(edges, node) for node in nodes}
    return {frozenset(other for other in reached[node] if node in reached[other]) | {node} for node in nodes}


def reach(edges, start):
    """The nodes that can be reached from a node."""
    found, open_ends = set(), [start]
    while open_ends:
        for target in edges.get(open_ends.pop(), ()):
            if target not in found:
                found.add(target)
                open_ends.append(target)
    return found


# === Functions ===

STATEMENTS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)


def complexity(function):
    """McCabe's cyclomatic complexity: 1, and 1 for each branch, loop and handler of errors."""
    return 1 + sum(isinstance(node, STATEMENTS) for node in ast.walk(function))


def strict_complexity(function):
    """The complexity, with 1 more for each comprehension and its conditions, each `a if b else c`, `and` and `or`."""
    count = complexity(function)
    for node in ast.walk(function):
        count += isinstance(node, (ast.IfExp, ast.comprehension))
        count += len(node.values) - 1 if isinstance(node, ast.BoolOp) else 0
        count += len(node.ifs) if isinstance(node, ast.comprehension) else 0
    return count


def complex_functions(measure=complexity):
    """The share of functions with a complexity above 10."""
    measured = [
        (measure(function), f"{name}:{function.lineno} {function.name}")
        for name, tree in modules().items()
        for function in functions(tree)
    ]
    found = sorted((pair for pair in measured if pair[0] > COMPLEX), reverse=True)
    share = len(found) / len(measured)
    what = f"functions of a complexity above {COMPLEX}, of {len(measured):,}"
    return what, f"{share:.2%}", "< 1 %", share >= 0.01, [f"{count:>3} {where}" for count, where in found]


def strictly_complex_functions():
    """The same by the strict count."""
    _, value, _, _, found = complex_functions(strict_complexity)
    return "the same, with expressions that branch", value, "", False, found


def longest_file():
    """The longest file of the package."""
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in PACKAGE.rglob("*.py")}
    file = max(lengths, key=lengths.get)
    listed = sorted((f"{count:>4} {path.relative_to(ROOT)}" for path, count in lengths.items()), reverse=True)[:10]
    return f"lines of the longest file, {file.relative_to(ROOT)}", lengths[file], "", False, listed


# === Rooms and names ===


def strangers_in_models():
    """Files of `models/` that are neither a paper nor a base class."""
    found = []
    for name, tree in modules().items():
        if not name.startswith("ganzoo.models."):
            continue
        is_base = name.endswith("_model")
        has_paper = any(
            "Reference: [" in (ast.get_docstring(node) or "") for node in tree.body if isinstance(node, ast.ClassDef)
        )
        if not is_base and not has_paper:
            found.append(name)
    return "files of models/ that are neither paper nor base", len(found), "0", bool(found), found


def public_names():
    """Public names that no page of the API documents.

    A name is public if users reach it from `import ganzoo`, or if an example or a page of the docs imports it from
    elsewhere. Other modules are private to the library.
    """
    documented = names_of_the_api()
    public = sorted(names_within("ganzoo.api") | names_shown())
    missing = [name for name in public if name not in documented and name.rpartition(".")[0] not in documented]
    what = f"public names outside of the API pages, of {len(public)}"
    return what, len(missing), "0", bool(missing), missing


def names_within(namespace):
    """Functions and classes under a name that users reach: imports of a package, definitions of a module."""
    tree, found = modules()[namespace], set()
    if namespace != "ganzoo.api" and not any(name.startswith(f"{namespace}.") for name in modules()):
        defined = (node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef)))
        return {f"{namespace}.{name}" for name in defined if not name.startswith("_")}
    for source, imported, given in imports(tree):
        if imported == given:
            name = f"{source}.{imported}"
            found |= names_within(name) if name in modules() else {resolve(name)}
    return found


def names_shown():
    """Names that examples and code blocks of the docs import from modules of ganzoo."""
    code = [file.read_text(encoding="utf-8") for file in (ROOT / "examples").rglob("*.py")]
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        code += re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line.strip() for part in code for line in part.splitlines() if re.match(r"\s*(from|import) ganzoo", line)]
    found = {f"{source}.{name}" for line in lines for source, name, _ in imports(ast.parse(line)) if name}
    return {resolve(name) for name in found if name not in modules()}


def names_of_the_api():
    """The dotted names behind `::: ganzoo...` on the pages of the API, and the place of each definition."""
    pages = [ROOT / "docs" / "api.md", *(ROOT / "docs" / "api").rglob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages if page.is_file())
    return {resolve(name) for name in re.findall(r"^::: (ganzoo[\w.]*)", text, re.MULTILINE)}


def resolve(name):
    """Turns the name of an import into the name of the definition."""
    module, _, last = name.rpartition(".")
    if name in modules() or module not in modules():
        return name
    for place in (module, "ganzoo.api") if module == "ganzoo" else (module,):
        for source, imported, given in imports(modules()[place]):
            if given == last and imported not in (None, "*"):
                return resolve(f"{source}.{imported}")
    return name


# === Reaching in ===


def reaches(into_ganzoo):
    """Places where a module uses a private name of another module, as `where: what`."""
    owned = {name: private_names(tree) for name, tree in modules().items()}
    everything = set().union(*owned.values())
    found = []
    for name, tree in modules().items():
        for line, private in private_uses(tree):
            if private not in owned[name] and (private in everything) == into_ganzoo:
                found.append(f"{name}:{line} {private}")
    return sorted(set(found))


def reach_ins():
    """Uses of private names of other modules of ganzoo."""
    found = reaches(into_ganzoo=True)
    return "reaches into private parts of another module", len(found), "0", bool(found), found


def reach_ins_of_libraries():
    """Uses of private names of Keras, TensorFlow and others."""
    found = reaches(into_ganzoo=False)
    return "reaches into private parts of Keras and other libraries", len(found), "", False, found


def private_names(tree):
    """The private names that a module defines: functions, classes, variables, attributes of `self`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return {name for name in found if is_private(name)}


def private_uses(tree):
    """Yields (line, name): imports of private names, and private attributes of anything but `self` and `cls`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, alias.name) for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and not is_own(node.value):
            yield node.lineno, node.attr


def is_private(name):
    """Whether a name begins with a single underscore."""
    return name.startswith("_") and not name.startswith("__") and name != "_"


def is_own(node):
    """Whether an expression is `self`, `cls` or `super()`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id == "super"
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


# === Examples, and what a new model takes ===


def alike_examples():
    """Pairs of examples that are alike to 70 % or more."""
    files = sorted((ROOT / "examples").glob("train_*.py"))
    texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    pairs = list(itertools.combinations(texts, 2))
    ratios = {pair: alike(*(texts[name] for name in pair)) for pair in pairs}
    listed = [f"{ratios[pair]:.2f} {' '.join(pair)}" for pair in sorted(pairs, key=ratios.get, reverse=True)[:10]]
    share = sum(ratio >= ALIKE for ratio in ratios.values()) / max(1, len(pairs))
    return f"pairs of examples alike to {ALIKE:.0%}, of {len(pairs)}", f"{share:.1%}", "< 10 %", share >= 0.1, listed


def alike(first, second):
    """How alike two texts are, from 0 to 1: by lines or by characters, whichever is larger."""
    return max(
        difflib.SequenceMatcher(None, *parts, autojunk=False).ratio()
        for parts in ((first.splitlines(), second.splitlines()), (first, second))
    )


def lines_of_a_new_model():
    """Lines of code of the new loss and of the two-headed model in docs/new_model.md: the mean of both."""
    text = (ROOT / "docs" / "new_model.md").read_text(encoding="utf-8")
    blocks = [ast.parse(block) for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]
    classes = [node for block in blocks for node in block.body if isinstance(node, ast.ClassDef)]
    chosen = classes[:1] + [node for node in classes if ".heads(" in ast.unparse(node)][:1]
    listed = [f"{count_lines(node):>3} {node.name}" for node in chosen]
    mean = sum(map(count_lines, chosen)) / max(1, len(chosen))
    return "lines of a new loss and a two-headed model, mean", f"{mean:.1f}", "", False, listed


def count_lines(node):
    """Lines of a definition with its decorators, without docstrings, comments and empty lines."""
    return len(ast.unparse(node).splitlines()) if not ast.get_docstring(node) else len(without_docstring(node))


def without_docstring(node):
    """The lines of a class without its docstring."""
    node.body = node.body[1:]
    return ast.unparse(node).splitlines()


MEASURES = (
    import_circles,
    strangers_in_models,
    complex_functions,
    strictly_complex_functions,
    longest_file,
    reach_ins,
    reach_ins_of_libraries,
    public_names,
    alike_examples,
    lines_of_a_new_model,
)

if __name__ == "__main__":
    sys.exit(main())
