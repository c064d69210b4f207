import pytest

from ganzoo import records


def test_written_and_appended_records_are_read(tmp_path):
    path = tmp_path / "new" / "runs.jsonl"
    assert records.read(path) == []
    records.append(path, {"step": 1})
    records.append(path, {"step": 2, "value": float("inf")})
    assert records.read(path) == [{"step": 1}, {"step": 2, "value": float("inf")}]
    records.write(path, [{"step": 3}])
    assert records.read(path) == [{"step": 3}]
    assert [file.name for file in path.parent.iterdir()] == ["runs.jsonl"]


@pytest.mark.parametrize("torn", [b'{"step": 2, "na', b"\xe4", b"{", b'"name'])
def test_a_torn_line_is_left_out(tmp_path, torn):
    path = tmp_path / "runs.jsonl"
    records.append(path, {"step": 1})
    with path.open("ab") as file:
        file.write(torn)
    assert records.read(path) == [{"step": 1}]


def test_lines_are_json_also_without_a_number(tmp_path):
    path = tmp_path / "runs.jsonl"
    record = {"values": [float("nan"), float("inf"), -float("inf")], "name": "x"}
    records.append(path, record)
    line = path.read_text()
    assert line == '{"values": ["NaN", "Infinity", "-Infinity"], "name": "x"}\n'
    assert str(records.read(path)) == str([record])
