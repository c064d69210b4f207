"""Reads the models of the zoo and their settings from the source files.

Importing a model takes seconds, mostly for TensorFlow. `ganzoo train --help` and the check of a flag only need names,
defaults and descriptions, which are in the source text.
"""

import ast
import functools
import inspect
import re
from pathlib import Path

PACKAGE = Path(__file__).parent.parent

# Arguments that are objects, or that follow from the data.
NOT_SETTINGS = {
    "self",
    "cls",
    "name",
    "image_shape",
    "condition_shape",
    "class_names",
    "attribute_names",
    "augmentation",
    "consistency_augmentation",
    "outputs",
}


def models():
    """Dictionary, name of each model on the command line -> its class. The name is the name of its file."""
    found = {}
    for node in parse("ganzoo.models").body:
        if isinstance(node, ast.ImportFrom) and not node.module.endswith("_model"):
            found[node.module.rpartition(".")[2]] = node.names[0].name
    return dict(sorted(found.items()))


def summary(model):
    """The first line of a model's docstring."""
    return (ast.get_docstring(lineage(model)[0]) or "").partition("\n")[0]


def settings(model, networks=None):
    """The settings of a model: the arguments of `from_paper`, the networks, and the constructors of class and bases.

    Args:
        model: String, the model's name on the command line.
        networks: String, the family of networks. Defaults to the family of `from_paper`.

    Returns:
        Dictionary, name -> (default, description). The default is from `from_paper`, the paper's value, if it has the
        argument. Arguments whose default is an object, such as an optimizer, are left out.
    """
    found, texts = {}, {}
    for name, default, text in arguments(model, networks):
        # `from_paper` comes first, so its default wins.
        found.setdefault(name, default)
        # "See `GAN`." does not help in a terminal. A base class has the full text.
        if text and (name not in texts or texts[name].startswith("See ")):
            texts[name] = text
    return {name: (default, texts.get(name, "")) for name, default in found.items() if default is not NotImplemented}


def optimizers(model):
    """The names of a model's optimizers, such as `generator`, if there are several."""
    names = (name for name, _, _ in arguments(model) if name.endswith("_optimizer"))
    return list(dict.fromkeys(name.removesuffix("_optimizer") for name in names))


def takes(model, name):
    """Whether `from_paper` or a constructor of a model has the named argument."""
    return any(name in argument_names(function) for function, _ in functions(model))


def has_base(model, name):
    """Whether a model's class is, or derives from, the named class."""
    return any(node.name == name for node in lineage(model))


def arguments(model, networks=None):
    """Yields (name, default, description) of each argument. A default that is an object becomes `NotImplemented`."""
    for function, texts in functions(model, networks):
        positional, keywords = [*function.args.posonlyargs, *function.args.args], function.args.kwonlyargs
        defaults = [None] * (len(positional) - len(function.args.defaults)) + [*function.args.defaults]
        for argument, default in zip([*positional, *keywords], [*defaults, *function.args.kw_defaults]):
            if argument.arg not in NOT_SETTINGS and default is not None:
                yield argument.arg, value_of(default), texts.get(argument.arg, "")


def argument_names(function):
    """The names of all arguments of a function."""
    parts = function.args
    return {argument.arg for argument in (*parts.posonlyargs, *parts.args, *parts.kwonlyargs)}


def functions(model, networks=None):
    """List of (function, descriptions of its arguments): `from_paper`, constructors of class and bases, networks."""
    classes = [(node, methods(node)) for node in lineage(model)]
    found = [from_paper(model)]
    found += [(own["__init__"], node) for node, own in classes if "__init__" in own]
    roles = ("encoder", "decoder", "prior") if has_base(model, "AutoencodingModel") else ("generator", "discriminator")
    family = networks or default_family(found[0][0])
    if family is not None:
        found += [
            (part, part) for part in parse(f"ganzoo.networks.{family}").body if getattr(part, "name", "") in roles
        ]
    return [
        (function, {**descriptions(ast.get_docstring(node)), **descriptions(ast.get_docstring(function))})
        for function, node in found
    ]


def from_paper(model):
    """The function `from_paper` of a model and the class that defines it, as nodes of the syntax tree."""
    for node in lineage(model):
        if "from_paper" in methods(node):
            return methods(node)["from_paper"], node
        for part in node.body:  # from_paper = classmethod(DCGAN.from_paper.__func__)
            if isinstance(part, ast.Assign) and getattr(part.targets[0], "id", None) == "from_paper":
                names = {name.id for name in ast.walk(part.value) if isinstance(name, ast.Name)}
                return next(from_paper(other) for other, cls in models().items() if cls in names)
    raise LookupError(f"{model} has no from_paper.")


def default_family(function):
    """The family of networks that is the default of a `from_paper`: `dcgan` for `networks=networks.dcgan`."""
    for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults):
        if argument.arg == "networks" and isinstance(default, ast.Attribute):
            return default.attr
    return None


def methods(node):
    """Dictionary of the functions in a class by name."""
    return {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}


@functools.cache
def lineage(model):
    """The class of a model and its bases in ganzoo, as nodes of the syntax tree."""
    return bases(f"ganzoo.models.{model}", models()[model])


def bases(module, name):
    """A class of a module and its bases, in the order of inheritance."""
    tree = parse(module)
    node = next((part for part in tree.body if isinstance(part, ast.ClassDef) and part.name == name), None)
    if node is None:
        return []
    imported = imported_names(tree)
    names = [base.id for base in node.bases if isinstance(base, ast.Name)]
    return [node, *(found for base in names for found in bases(imported.get(base, module), base))]


def imported_names(tree):
    """Dictionary, name that a module imports from ganzoo -> module that it comes from."""
    nodes = [part for part in tree.body if isinstance(part, ast.ImportFrom) and part.module.startswith("ganzoo.")]
    return {alias.asname or alias.name: node.module for node in nodes for alias in node.names}


@functools.cache
def parse(module):
    """The syntax tree of a module of ganzoo."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def functions_in(file):
    """The names of the functions of a file."""
    return {part.name for part in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(part, ast.FunctionDef)}


def value_of(node):
    """The value of an expression that is a literal, otherwise `NotImplemented`."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return NotImplemented


def descriptions(docstring):
    """Dictionary, argument -> description, from the section `Args:` of a docstring."""
    found = {}
    for block in re.findall(r"^Args:\n((?:(?: .*)?\n)+)", inspect.cleandoc(docstring or "") + "\n", re.MULTILINE):
        for names, text in re.findall(r"^ {4}([\w, ]+): ((?:.|\n {5,})*)", block, re.MULTILINE):
            found.update(dict.fromkeys(names.split(", "), " ".join(text.split())))
    return found
