"""The sign of life of what takes long."""

import numpy as np
import pytest

from ganzoo import metrics, progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on by two seconds whenever it is asked."""
    seconds = iter(range(0, 10_000, 2))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))


def test_what_takes_long_tells_how_far_it_is(clock, capsys):
    assert list(progress.track("abc", 3, "Reading images")) == ["a", "b", "c"]
    assert capsys.readouterr().err == "\rReading images: 2 of 3\rReading images: 3 of 3\n"


def test_what_is_quick_says_nothing(capsys):
    assert list(progress.track("abc", 3, "Reading images")) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""


def test_an_unknown_number_is_counted(clock, capsys):
    counter = progress.Progress("Batches")
    for _ in range(2):
        counter.advance()
    assert capsys.readouterr().err == "\rBatches: 2"


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        (metrics.frechet_distance, "Fréchet distance of 3 features, steps: 3 of 3"),
        (lambda *sets: metrics.kernel_distance(*sets, subset_size=8, subsets=4), "Kernel distance, subsets: 4 of 4"),
        (
            lambda *sets: metrics.kernel_distance(*sets, subsets=None, chunk_size=8),
            "Kernel distance, blocks of samples",
        ),
        (lambda *sets: metrics.precision(*sets, chunk_size=8), "Nearest neighbours, blocks of samples: 5 of 5"),
        (lambda *sets: metrics.density(*sets, chunk_size=8), "Samples among neighbours, blocks of samples: 5 of 5"),
        (lambda *sets: metrics.sliced_wasserstein(*sets, chunk_size=1), "Sliced distance, blocks of directions: 40"),
    ],
)
def test_metrics_tell_how_far_they_are(clock, capsys, measure, words):
    random = np.random.default_rng(0)
    measure(random.normal(size=(40, 3)), random.normal(size=(40, 3)))
    assert words in capsys.readouterr().err


def test_several_at_once(clock, capsys):
    counter = progress.Progress("Writing pixels", 10)
    counter.advance(4)
    counter.advance(6)
    assert capsys.readouterr().err.endswith("\rWriting pixels: 10 of 10\n")
