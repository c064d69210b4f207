"""A part of the campaign of `benchmarks/odd_inputs.py`: the entries that take no training, two values an argument."""

import importlib
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
PARTS = (
    "data.ring",
    "data.from_arrays",
    "data.paired",
    "divergences.kl",
    "divergences.wasserstein",
    "losses.",
    "images.",
)


@pytest.fixture(scope="module")
def campaign():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield importlib.import_module("odd_inputs")
    finally:
        sys.path.remove(str(BENCHMARKS))


def test_odd_arguments_are_refused_in_words(campaign, monkeypatch):
    monkeypatch.chdir("/")  # The campaign changes the folder.
    counts, faults = {}, []
    for name, entry in campaign.ENTRIES.items():
        if not name.startswith(PARTS):
            continue
        for parameter in campaign.parameters_of(entry):
            for index in range(len(campaign.values_for(name, parameter, 2))):
                kind, value, told = campaign.outcome(name, parameter, index, 2, 0)
                counts[kind] = counts.get(kind, 0) + 1
                if kind not in ("well", "accepted"):
                    faults.append(f"{kind}: {name}({parameter}={value}) {told}")
    assert not faults, "\n".join(faults)
    assert counts["well"] > 40 and counts["accepted"] > 5


def test_what_counts_as_badly_refused(campaign, monkeypatch):
    """The campaign sees an error of another library, and nonsense that is accepted."""
    monkeypatch.chdir("/")

    def outcome(call):
        entry = campaign.ENTRIES["images.grid"].__class__(call, lambda: {"size": 3})
        monkeypatch.setitem(campaign.ENTRIES, "made", entry)
        return [campaign.outcome("made", "size", index, 8, 0)[0] for index in range(8)]

    def takes_all(size):
        return 1.0

    def fails_elsewhere(size):
        return {}["no such key"]

    assert set(outcome(takes_all)) <= {"accepted", "nonsense"} and "nonsense" in outcome(takes_all)
    assert set(outcome(fails_elsewhere)) == {"outside"}
