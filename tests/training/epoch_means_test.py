"""The mean of some steps, recovered from means since the start of the epoch."""

import numpy as np
import pytest

from ganzoo.training.epoch_means import MeanSince


def test_recovers_the_mean_of_the_latest_steps():
    values = np.random.default_rng(0).normal(3.0, 1.0, 12)
    since = MeanSince()
    for first in (100, 1000):  # Two epochs: the second knows nothing of the first.
        since.begin(first)
        before = 0
        for after in (1, 2, 5, 12):
            found = since.value(first + after, values[:after].mean())
            # Means of at most 12 float64 numbers near 3: their rounding errors are about 12 * 1e-16 of the value.
            assert found == pytest.approx(values[before:after].mean(), rel=1e-12)
            before = after


def test_without_a_step_there_is_no_mean():
    since = MeanSince()
    since.begin(7)
    assert since.value(7, 1.0) is None
    assert since.value(8, 2.0) == 2.0
    assert since.value(8, 2.0) is None
