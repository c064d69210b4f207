"""Recipes: a training in a file, which `python -m ganzoo train --recipe NAME` runs.

A recipe is a TOML file:

```toml
model = "wgan_gp"             # MODEL and DATA of `ganzoo train`
data = "fashion_mnist_10k"

[flags]                       # flags of `ganzoo train`, by their names
filters = 32
epochs = 20

[card]                        # what the card of the trained model says
title = "Garments"

[measure]                     # how the trained model is measured, for the card
split = "train[9000:]"
```
"""

import difflib
import os
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent


def names():
    """The names of the recipes that come with ganzoo, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name):
    """A recipe as a dictionary.

    Args:
        name: String, one of `names()`, or the path of a file that ends in `.toml`.

    Raises:
        ValueError: If there is no such recipe, or it is none.
    """
    path = Path(name).expanduser() if str(name).endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        close = difflib.get_close_matches(str(name), names())
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        raise ValueError(f"There is no recipe {os.fspath(name)!r}.{hint} Recipes: {', '.join(names())}; or a path.")
    try:
        recipe = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"The recipe {str(path)!r} cannot be read: {error}") from None
    missing = [key for key in ("model", "data") if not isinstance(recipe.get(key), str)]
    if missing:
        raise ValueError(f"The recipe {str(path)!r} must name {' and '.join(missing)}.")
    return recipe


def arguments_of(recipe, data=None):
    """The arguments of `ganzoo train` that a recipe stands for.

    Args:
        recipe: Dictionary of `read`.
        data: String, other data than the recipe's, such as the path where its file lies. Defaults to `None`.

    Returns:
        List of strings.
    """
    flags = []
    for name, value in recipe.get("flags", {}).items():
        if isinstance(value, bool):
            flags.append(f"--{name}" if value else f"--no{name}")
        elif isinstance(value, list):
            flags += [f"--{name}={each}" for each in value]
        else:
            flags.append(f"--{name}={value}")
    return [recipe["model"], data or recipe["data"], *flags]


def expanded(arguments):
    """The arguments of `ganzoo train` with the recipe that they name in the place of `--recipe`.

    What stands beside `--recipe NAME` changes the recipe: a path in front of all flags is its data, flags come last
    and win.
    """
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name not in ("--recipe", "-recipe"):
            continue
        before, after = arguments[:index], arguments[index + 1 :]
        if not equals:
            if not after:
                raise ValueError(f"--recipe needs a name: {', '.join(names())}.")
            value, *after = after
        given = [*before, *after]
        data = given.pop(0) if given and not given[0].startswith("-") else None
        # The folder is named after the recipe: several of them train the same model.
        folder = f"--output_dir=runs/{Path(value).stem}"
        model, data, *flags = arguments_of(read(value), data)
        return [model, data, folder, *flags, *given]
    return arguments
