"""The bars of `benchmarks/structure.py` hold, and it measures what it says."""

import ast
import importlib.util
import textwrap
from pathlib import Path

import pytest

FILE = Path(__file__).parent.parent / "benchmarks" / "structure.py"
spec = importlib.util.spec_from_file_location("structure", FILE)
structure = importlib.util.module_from_spec(spec)
spec.loader.exec_module(structure)


@pytest.mark.parametrize("measure", structure.MEASURES, ids=lambda measure: measure.__name__)
def test_the_bar_holds(measure):
    what, value, bar, missed, found = measure()
    assert not missed, "\n".join([f"{what}: {value}, and the bar is {bar}", *found])


def parsed(code):
    return ast.parse(textwrap.dedent(code))


def test_circles():
    edges = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "e": {"a"}}
    groups = [sorted(group) for group in structure.components(edges)]
    assert sorted(groups) == [["a"], ["b", "c"], ["d"], ["e"]]
    imported = list(structure.imports(parsed("import ganzoo.data\ndef f():\n    from ganzoo.models import gan as g")))
    assert imported == [("ganzoo.data", None, "ganzoo"), ("ganzoo.models", "gan", "g")]
    assert structure.room("ganzoo.data.load") == "data" and structure.room("ganzoo.api") is None


def test_complexity():
    (function,) = structure.functions(
        parsed(
            """
            def f(x):
                if x:  # 1
                    return 1
                elif x > 2:  # 2
                    pass
                for y in x:  # 3
                    try:
                        pass
                    except ValueError:  # 4
                        pass
                return [z for z in x if z and x or y]
            """
        )
    )
    assert structure.complexity(function) == 1 + 4
    assert structure.strict_complexity(function) == 1 + 4 + 4  # The loop in the list, its condition, `and`, `or`.


def test_private_uses():
    tree = parsed(
        """
        from ganzoo.data.folder import _decode, decode
        def f(model, self):
            self._own = model._seeds
            super()._x
            return folder._classes, model.__class__, _
        """
    )
    assert list(structure.private_uses(tree)) == [(2, "_decode"), (4, "_seeds"), (6, "_classes")]
    assert structure.private_names(tree) == {"_own"}


def test_alike():
    assert structure.alike("a\nb\nc\n", "a\nb\nc\n") == 1
    assert structure.alike("aa\nbb\n", "cc\ndd\n") < 0.5
    assert structure.alike("a b c\n", "a b d\n") == pytest.approx(10 / 12)  # By characters; no line is the same.


def test_resolve():
    assert structure.resolve("ganzoo.WGAN") == "ganzoo.models.wgan.WGAN"
    assert structure.resolve("ganzoo.networks.mlp") == "ganzoo.networks.mlp"
