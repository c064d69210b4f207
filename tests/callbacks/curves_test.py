"""Tables and pictures that callbacks share."""

import numpy as np
import pytest
from PIL import Image

from ganzoo.callbacks import curves


def test_a_table_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "new" / "table.csv"
    assert curves.read_table(path) == []
    rows = [{"epoch": 1, "step": 5, "loss": 0.1}, {"epoch": 2, "step": 10, "loss": 1e-9, "val_loss": float("nan")}]
    curves.write_records(path, rows)
    assert path.read_text().splitlines()[0] == "epoch,step,loss,val_loss"
    found = curves.read_table(path)
    assert str(found) == str(rows)  # NaN is not equal to itself.
    assert [type(row["step"]) for row in found] == [int, int]


@pytest.mark.parametrize(
    "content",
    [b"step,loss\nfoo,1\n", b"step,loss\n1,foo\n", b"name,size\na,1\n", b"step,loss\n1,2,3,4\n", b"\xff\xfe\x00,\n1\n"],
    ids=["no step", "no number", "another table", "more cells than columns", "no text"],
)
def test_a_file_of_somebody_else_is_kept(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    (tmp_path / "table_1.csv").write_text("taken")
    with pytest.warns(UserWarning, match="no table that a training has written.*kept as table_2.csv"):
        assert curves.read_table(path) == []
    assert (tmp_path / "table_2.csv").read_bytes() == content and not path.exists()
    assert (tmp_path / "table_1.csv").read_text() == "taken"


def test_a_figure_is_saved_whole(tmp_path):
    figure = curves.new_figure("Title", height=2, width=3)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=curves.TRAINING)
    curves.save_figure(tmp_path / "new" / "figure.png", figure)
    with Image.open(tmp_path / "new" / "figure.png") as picture:
        assert picture.size == (300, 200)
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    assert (pixels == (0x00, 0x72, 0xB2)).all(axis=1).any()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["figure.png"]
