"""The checks of values: what passes, what is refused, and in which words."""

import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import checks


def words_of(check, *arguments, **options):
    """The message of a refusal."""
    with pytest.raises(ValueError) as caught:
        check(*arguments, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    "value",
    [5, np.int64(5), np.uint8(5), np.array(5), tf.constant(5), tf.constant(5, "int64"), keras.ops.convert_to_tensor(5)],
    ids=repr,
)
def test_integers_of_any_type(value):
    found = checks.integer("steps", value, least=5, most=5)
    assert found == 5 and type(found) is int


@pytest.mark.parametrize(
    "value",
    [
        True,
        np.True_,
        np.array(True),
        5.0,
        np.float32(5),
        np.array(5.0),
        "5",
        None,
        [5],
        np.array([5]),
        tf.constant(5.0),
    ],
    ids=repr,
)
def test_what_is_no_integer(value):
    assert words_of(checks.integer, "steps", value).startswith("`steps` must be an integer. Received: steps=")


def test_a_tensor_of_a_graph_is_refused():
    seen = []

    @tf.function
    def graph(value):
        seen.append(words_of(checks.integer, "steps", value))
        return value

    graph(tf.constant(1))
    assert seen[0].startswith("`steps` must be an integer. Received: steps=")


@pytest.mark.parametrize(
    ("limits", "value", "words"),
    [
        ({"least": 1}, 0, "an integer of at least 1. Received: steps=0"),
        ({"least": 1, "optional": True}, -3, "an integer of at least 1, or None. Received: steps=-3"),
        ({"most": 10_000}, 10**13, "an integer of at most 10,000. Received: steps=10000000000000"),
        ({"least": 2, "most": 4}, 5, "an integer from 2 to 4. Received: steps=5"),
        ({"least": 2, "most": 4}, 1, "an integer from 2 to 4. Received: steps=1"),
    ],
)
def test_bounds_of_integers(limits, value, words):
    assert words_of(checks.integer, "steps", value, **limits) == f"`steps` must be {words}"


def test_none_where_it_is_allowed():
    assert checks.integer("steps", None, least=1, optional=True) is None
    assert checks.number("decay", None, optional=True) is None
    assert checks.seed("seed", None, optional=True) is None
    assert checks.path("directory", None, optional=True) is None


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int8(2), np.array(2.0), tf.constant(2.0)], ids=repr)
def test_numbers_of_any_type(value):
    found = checks.number("weight", value, least=2, most=2)
    assert found == 2.0 and type(found) is float


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, np.float32("nan"), 10**400, True, np.True_, "2", None, [2.0], 2j],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_finite_number(value):
    assert words_of(checks.number, "weight", value).startswith("`weight` must be a finite number. Received: weight=")


def test_infinity_where_it_is_allowed():
    assert checks.number("bound", math.inf, finite=False) == math.inf
    assert words_of(checks.number, "bound", math.nan, finite=False) == "`bound` must be a number. Received: bound=nan"


@pytest.mark.parametrize(
    ("limits", "value", "words"),
    [
        ({"least": 0}, -1, "a finite number of at least 0. Received: weight=-1"),
        ({"above": 0}, 0.0, "a finite number above 0. Received: weight=0.0"),
        ({"above": 0, "most": 1}, 1.5, "a finite number above 0 and of at most 1. Received: weight=1.5"),
        ({"above": 0, "below": 1}, 1, "a finite number above 0 and below 1. Received: weight=1"),
        ({"least": 0, "below": 1}, 1, "a finite number of at least 0 and below 1. Received: weight=1"),
        ({"least": 0, "most": 1}, 1.01, "a finite number from 0 to 1. Received: weight=1.01"),
    ],
)
def test_bounds_of_numbers(limits, value, words):
    assert words_of(checks.number, "weight", value, **limits) == f"`weight` must be {words}"


@pytest.mark.parametrize("value", [0, 2**63 - 1, np.uint64(7)])
def test_seeds(value):
    assert checks.seed("seed", value) == value and type(checks.seed("seed", value)) is int


@pytest.mark.parametrize("value", [-1, 2**63, np.uint64(2**63), 1.5, True, "0", None])
def test_what_is_no_seed(value):
    expected = f"`seed` must be an integer from 0 to 2**63 - 1. Received: seed={value!r}"
    assert words_of(checks.seed, "seed", value) == expected


def test_booleans():
    for value in (True, np.True_, np.array(True)):
        assert checks.boolean("mirror", value) is True
    assert checks.boolean("mirror", False) is False
    for value in ("no", 1, 0.0, None):
        assert (
            words_of(checks.boolean, "mirror", value) == f"`mirror` must be True or False. Received: mirror={value!r}"
        )


def test_choices():
    assert checks.choice("pooling", "sum", ("mean", "sum")) == "sum"
    assert checks.choice("pooling", np.str_("sum"), ("mean", "sum")) == "sum"
    assert checks.choice("normalization", None, ("batch", None)) is None
    assert checks.choice("channels", np.int64(3), (1, 3, 4)) == 3
    for value in ("max", None, ["sum"], np.array(["sum", "mean"])):
        assert words_of(checks.choice, "pooling", value, ("mean", "sum")).startswith(
            "`pooling` must be one of 'mean', 'sum'. Received: pooling="
        )
    for value in (True, 1.0, "1"):  # True == 1.0 == 1 in Python.
        words_of(checks.choice, "channels", value, (1, 3, 4))


def test_integers():
    assert checks.integers("hidden", [8, np.int64(4)]) == (8, 4)
    assert checks.integers("hidden", np.array([8, 4])) == (8, 4)
    assert checks.integers("hidden", ()) == ()
    expected = "`hidden` must be a sequence of integers of at least 1. Received: hidden="
    for value in ((0,), (8, 4.0), (8, True), 8, "84", None, {8: 4}):
        assert words_of(checks.integers, "hidden", value) == f"{expected}{value!r}"
    assert words_of(checks.integers, "size", (1, 2, 3), count=2) == (
        "`size` must be 2 integers of at least 1. Received: size=(1, 2, 3)"
    )


def test_shapes_of_samples():
    assert checks.sample_shape("image_shape", [28, np.int64(28), 1]) == (28, 28, 1)
    assert checks.sample_shape("image_shape", tf.TensorShape((28, 28, 1))) == (28, 28, 1)
    assert checks.sample_shape("image_shape", (2,), vectors=True) == (2,)


@pytest.mark.parametrize("value", [(True, True, True), (28.0, 28, 1), (0, 28, 1), (-4, 4, 1), (2,), 28, "28", None])
def test_what_is_no_shape_of_a_sample(value):
    assert words_of(checks.sample_shape, "image_shape", value) == (
        f"`image_shape` must be (height, width, channels) of positive integers. Received: image_shape={value!r}"
    )


def test_a_shape_without_channels():
    assert words_of(checks.sample_shape, "image_shape", (28, 28), vectors=True) == (
        "`image_shape` needs the number of channels, too. Received: image_shape=(28, 28). For grey images pass "
        "(28, 28, 1)."
    )


def test_paths(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert checks.path("directory", "~/runs") == tmp_path / "runs"
    assert checks.path("directory", Path("runs")) == Path("runs")
    for value in ("", "  ", 3, None, b"runs", "a\0b"):
        assert words_of(checks.path, "directory", value).startswith("`directory` must be a path, ")
    assert "whom this machine does not know" in words_of(checks.path, "directory", "~nobody_of_this_name/runs")


def test_large_values_are_cut_off():
    assert len(words_of(checks.number, "weight", np.zeros((1000, 1000)).tolist())) < 400


def test_weights_of_terms():
    assert checks.check_weight("gradient_penalty_weight", 10) == 10.0
    for value in (-1, math.inf, math.nan, True, "10"):
        words_of(checks.check_weight, "gradient_penalty_weight", value)


def test_counts():
    assert checks.check_count("batch_size", None) is None
    assert checks.check_count("batch_size", np.int64(5)) == 5
    for value in (0, 1.5, True, "10"):
        words_of(checks.check_count, "batch_size", value)


def test_numbers_of_samples():
    assert checks.check_num_samples(2**31 - 1) == 2**31 - 1
    words = words_of(checks.check_num_samples, 10**15)
    assert words.startswith("`num_samples` must be at most 2,147,483,647. Received: num_samples=1000000000000000.")


def ones(shape, dtype=None):
    """A function as an initializer, as Keras takes it."""
    return tf.ones(shape, dtype)


@pytest.mark.parametrize("value", ["he_uniform", keras.initializers.Zeros(), keras.initializers.Zeros, ones])
def test_what_keras_knows(value):
    found = checks.keras_object("kernel_initializer", value, keras.initializers.get, "an initializer")
    assert callable(found) and not isinstance(found, type)


@pytest.mark.parametrize("value", ["no_such", {}, {"class_name": 3}, 1.5, None, True, len, np.ones(3), [1]])
def test_what_keras_does_not_know(value):
    words = words_of(checks.keras_object, "kernel_initializer", value, keras.initializers.get, "an initializer")
    assert words.startswith("`kernel_initializer` must be an initializer, its name or its config. Received: kernel_")


@pytest.mark.parametrize("value", [3, 1.5, [1, 2], np.ones((2, 2), "float32"), tf.constant([1.0])])
def test_arrays(value):
    np.testing.assert_array_equal(checks.array("p", value), np.asarray(value))
    assert checks.array("p", value, "float64").dtype == np.float64


@pytest.mark.parametrize("value", ["a", None, True, {}, [1, "a"], [[1], [1, 2]], 1j, np.array([None])])
def test_no_arrays(value):
    assert words_of(checks.array, "p", value).startswith("`p` must be an array of numbers. Received: p=")


@pytest.mark.parametrize("value", [2**31, 2**63, 10**30])
def test_counts_that_no_array_has(value):
    words = words_of(lambda: checks.counts(filters=value))
    assert words.startswith("`filters` must be an integer ") and str(value) in words
