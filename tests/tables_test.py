"""Tables of the documentation that are made of records agree with them."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def tables():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        yield importlib.import_module("tables")


@pytest.mark.parametrize("name", ["guard", "mixtures", "rejection"])
def test_the_page_holds_the_table_of_the_records(tables, name):
    page, make = tables.TABLES[name]
    text = (ROOT / "docs" / page).read_text()
    assert tables.replaced(text, name, make()) == text


def test_all_tables_are_tested(tables):
    assert set(tables.TABLES) == {"guard", "mixtures", "rejection"}


def test_a_page_without_its_place_is_refused(tables):
    with pytest.raises(ValueError, match="once, around its table 'guard'"):
        tables.replaced("nothing here", "guard", "| a |")
    text = "<!-- table: guard -->\n\n| old |\n\n<!-- end of table -->\n"
    assert tables.replaced(text, "guard", "| new |\n") == text.replace("old", "new")
