"""The pages of docs/theory have what `make gallery` makes."""

import gallery
import pytest

PICTURES = gallery.ROOT / "docs/images/theory"


@pytest.mark.parametrize("name", gallery.experiments())
def test_each_experiment_has_its_page_figure_and_numbers(name):
    page = (gallery.ROOT / f"docs/theory/{name}.md").read_text()
    assert f"](../images/theory/{name}.png)" in page and (PICTURES / f"{name}.png").is_file()
    assert f'--8<-- "docs/theory/numbers/{name}.txt"' in page
    assert (gallery.ROOT / f"docs/theory/numbers/{name}.txt").read_text().strip()
    assert f"python examples/theory/{name}.py" in page and f"tests/theory/{name}_test.py" in page
    assert f"]({name}.md)" in (gallery.ROOT / "docs/theory/index.md").read_text()


def test_twelve_experiments_in_six_megabytes():
    assert len(gallery.experiments()) == 12
    assert 1e6 < sum(path.stat().st_size for path in PICTURES.iterdir()) < 6e6
