"""The log: weighted means by name, which share a variable and nothing else."""

import pytest
import tensorflow as tf

from ganzoo.training.log import Log


def values(log):
    return {name: float(value) for name, value in log.results().items()}


def test_weighted_means():
    log = Log()
    log.add({"a": tf.constant(1.0), "b": tf.constant(5.0)})
    log.add({"b": tf.constant(2.0)}, 2.0)
    log.add({"c": tf.constant(7.0)}, 0.0)
    assert values(log) == {"a": 1.0, "b": 3.0, "c": 0.0}
    with log.muted():
        log.add({"a": tf.constant(9.0), "d": tf.constant(9.0)})
    assert values(log) == {"a": 1.0, "b": 3.0, "c": 0.0}


def test_the_metrics_are_the_means():
    log = Log()
    log.add({"a": tf.constant(1.0), "b": tf.constant(5.0)})
    a, b = log.means.values()
    assert (a.name, b.name) == ("a", "b")
    a.update_state(4.0)
    a.update_state(4.0, 2.0)
    assert (float(a.result()), float(b.result())) == (3.25, 5.0)
    a.reset_state()
    assert values(log) == {"a": 0.0, "b": 5.0}
    a.update_state(2.0)
    assert values(log) == {"a": 2.0, "b": 5.0}


def test_a_value_that_is_not_finite_stays_in_its_mean():
    log = Log()
    log.add({"a": tf.constant(float("nan")), "b": tf.constant(5.0)})
    assert tf.math.is_nan(log.results()["a"]) and float(log.results()["b"]) == 5.0
    log.means["a"].reset_state()
    log.add({"a": tf.constant(1.0)})
    assert values(log) == {"a": 1.0, "b": 5.0}


def test_a_full_log():
    log = Log(capacity=2)
    log.add({"a": 1.0, "b": 2.0})
    log.add({"a": 3.0})
    with pytest.raises(ValueError, match=r"The log is full: it holds \['a', 'b'\], and 'c' is too much"):
        log.add({"c": 1.0})
