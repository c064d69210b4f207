"""Recipes: each is a command that is understood, and what stands beside `--recipe` changes it."""

import pytest
from absl import flags

from ganzoo import __main__ as command_line
from ganzoo import recipes
from ganzoo.command_line import training_flags

RECIPE = """
model = "gan"
data = "mnist_10k"

[flags]
epochs = 3
minimax = true
hinge = false
learning_rate = 5e-4
set = ["generator_hidden=8", "packing=2"]
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "mine.toml").write_text(RECIPE)
    return str(tmp_path / "mine.toml")


def test_arguments(path):
    expected = ["--epochs=3", "--minimax", "--nohinge", "--learning_rate=0.0005"]
    expected += ["--set=generator_hidden=8", "--set=packing=2"]
    assert recipes.arguments_of(recipes.read(path)) == ["gan", "mnist_10k", *expected]


def test_what_stands_beside_it_wins(path):
    model, data, folder, *flags = recipes.expanded(["--recipe", path, "--epochs=5"])
    assert (model, data, folder) == ("gan", "mnist_10k", "--output_dir=runs/mine")
    assert flags[0] == "--epochs=3" and flags[-1] == "--epochs=5"
    assert recipes.expanded(["photos/", f"--recipe={path}"])[:2] == ["gan", "photos/"]
    assert recipes.expanded(["--recipe", path, "photos/"])[:2] == ["gan", "photos/"]
    assert recipes.expanded(["gan", "mnist_10k", "--epochs=2"]) == ["gan", "mnist_10k", "--epochs=2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("model = ", "cannot be read: "),
        ('data = "mnist_10k"', "must name model"),
        ("model = 3", "must name model and data"),
    ],
)
def test_what_is_no_recipe(content, message, tmp_path):
    (tmp_path / "bad.toml").write_text(content)
    with pytest.raises(ValueError, match=message):
        recipes.read(tmp_path / "bad.toml")


def test_unknown_names():
    name = recipes.names()[0]
    with pytest.raises(ValueError, match=f"There is no recipe '{name}x'. Did you mean {name}"):
        recipes.read(f"{name}x")
    with pytest.raises(ValueError, match="--recipe needs a name"):
        recipes.expanded(["--recipe"])


@pytest.mark.parametrize("name", recipes.names())
def test_recipes_of_ganzoo_are_understood(name):
    arguments = recipes.expanded([f"--recipe={name}"])
    values = flags.FlagValues()
    training_flags.define_train(values)
    training_flags.define_settings(values, arguments)
    options = command_line.parse("train", values, arguments)
    assert options.output_dir == f"runs/{name}"
    recipe = recipes.read(name)
    assert {"title", "data", "licence", "limits"} <= set(recipe["card"]) and "split" in recipe["measure"]
