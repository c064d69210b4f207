"""Attributes as the condition: several labels at once, one-hot side by side."""

import json

import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.callbacks import SampleGrid
from ganzoo.training.condition_kinds import Attributes, Label
from ganzoo.training.conditions import Conditions
from ganzoo.training.real_samples import conditions_to_generate
from tests.check_model import (
    config_round_trip,
    each_optimizer_moves_its_own_network,
    generates_a_function_of_the_seed,
    resumes_with_the_same_bits,
    samples_like,
    saves_right_after_construction,
    tiny,
)

LOGS = {"d_loss", "g_loss", "real_probability", "fake_probability"}
NAMES = ["hair brown", "hair black", "hair red", "glasses none", "glasses round"]
CHECKS = [
    config_round_trip,
    saves_right_after_construction,
    resumes_with_the_same_bits,
    each_optimizer_moves_its_own_network,
    generates_a_function_of_the_seed,
]


def make(**overrides):
    settings = {"networks": ganzoo.networks.mlp, "hidden": (5,), "num_attributes": 5, "attribute_names": NAMES}
    return tiny(ganzoo.CGAN, (4, 4, 1), **{**settings, **overrides})


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check, tmp_path):
    check(make, LOGS, tmp_path)


CASES = [
    (ganzoo.GAN, "mlp", {"hidden": (3,)}),
    (ganzoo.WGANGP, "dcgan", {"filters": 2, "conditioning": "projection"}),
    (ganzoo.WGANGP, "dcgan", {"filters": 2, "packing": 2, "num_classes": 3}),
    (ganzoo.CGAN, "maxout", {"hidden": (3, 4, 5), "units": ((4, 2), (3, 2), (4, 3))}),
    (ganzoo.CGAN, "maxout", {"hidden": (3, 4, 5), "units": ((4, 2), (3, 2), (4, 3)), "packing": 2, "num_classes": 3}),
]


@pytest.mark.parametrize("model, family, settings", CASES)
def test_they_reach_both_networks(model, family, settings):
    settings = {"discriminator_steps": 1, "run_eagerly": True, **settings}
    gan = model.from_paper((8, 8, 1), networks=getattr(ganzoo.networks, family), num_attributes=3, **settings)
    images, rows = samples_like(gan, 4)
    condition = {"label": np.arange(4) % 3, "attributes": rows} if gan.num_classes else rows
    logs = gan.train_on_batch(images, condition, return_dict=True)
    assert np.isfinite(list(logs.values())).all()
    rows = tf.constant([[1.0, 0, 0], [1, 0, 0], [0, 1, 1], [0, 1, 1]])
    condition = {"label": tf.zeros(4, "int64"), "attributes": rows} if gan.num_classes else rows
    samples = np.array(gan.decode(tf.ones((4, gan.latent_dim)), condition, training=False))
    assert np.abs(samples[0] - samples[2]).max() > 1e-5
    scores = np.array(gan.critic(condition, training=False)(gan.pack(tf.constant(np.repeat(images[:1], 4, axis=0)))))
    assert abs(scores[0, 0] - scores[-1, 0]) > 1e-6


def test_projection_is_an_inner_product():
    """`f(x) + <V a, phi(x)>`, by hand."""
    network = ganzoo.networks.mlp.discriminator((3,), hidden=(4,), num_attributes=2, conditioning="projection")
    x, rows = np.random.default_rng(0).normal(size=(5, 3)), np.random.default_rng(1).uniform(size=(5, 2))
    names = ("dense_0", "score", "projection")
    (kernel, bias), (head, offset), (projection,) = (network.get_layer(name).get_weights() for name in names)
    features = x @ kernel + bias
    features = np.where(features > 0, features, 0.2 * features)
    expected = features @ head + offset + np.sum(rows @ projection * features, axis=1, keepdims=True)
    found = network([x.astype("float32"), rows.astype("float32")])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_planes_are_constant_channels():
    network = ganzoo.networks.dcgan.discriminator((8, 8, 1), filters=2, num_attributes=2)
    seen = tf.keras.Model(network.inputs, network.get_layer("with_attributes").output)
    image, rows = np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype("float32"), [[0.0, 1.0], [0.5, 0.25]]
    found = np.array(seen([image, np.array(rows, "float32")]))
    np.testing.assert_array_equal(found[..., :1], image)
    np.testing.assert_array_equal(found[..., 1:], np.broadcast_to(np.array(rows)[:, None, None], (2, 8, 8, 2)))


def test_a_condition_is_needed():
    unconditional = ganzoo.GAN.from_paper((2,), hidden=(3,))
    with pytest.raises(ValueError, match="needs `num_classes`.* or `num_attributes`"):
        ganzoo.CGAN(unconditional.generator, unconditional.discriminator)
    with pytest.raises(TypeError, match=r"unknown settings \['num_attributes'\]"):
        ganzoo.WGANGP.from_paper((8, 8, 1), networks=ganzoo.networks.resnet, num_attributes=3, filters=2)


# === Words ===


def test_words_for_rows():
    model = make()
    rows = np.array([[1, 0, 0, 0, 1], [0, 0, 1, 0, 1]], "float32")
    expected = model.generate(condition=rows, seed=2)
    words = {"hair": ["brown", "red"], "glasses": "round"}
    np.testing.assert_array_equal(model.generate(condition=words, seed=2), expected)
    np.testing.assert_array_equal(model.generate(condition={"attributes": words}, seed=2), expected)
    one = model.generate(2, condition={"hair": "red", "glasses": "round"}, seed=2)
    np.testing.assert_allclose(one[1], expected[1], rtol=1e-5, atol=1e-6)
    for wrong, message in (
        ({"hair": "red"}, "must tell hair, glasses. Missing: glasses"),
        ({"hair": "green", "glasses": "none"}, "'hair' has no value 'green'. Its values are brown, black, red"),
        ({"hat": "red"}, "There is no attribute 'hat'. The attributes are hair, glasses"),
        ({"hair": ["red"] * 2, "glasses": ["none"] * 3}, r"equally long. Received: the lengths \[2, 3\]"),
    ):
        with pytest.raises(ValueError, match=message):
            model.generate(condition=wrong)
    message = "pass condition=.* or a dictionary such as {'hair': 'brown', 'glasses': 'none'}"
    with pytest.raises(ValueError, match=message):
        model.generate(3)
    with pytest.raises(ValueError, match="have no names. Received: hair='red'"):
        make(attribute_names=None).generate(condition={"hair": "red"})


NAMED = ["hair brown", "hair red", "glasses none", "glasses round"]
WANTED = (
    "`condition` must be a row of 4 numbers from 0 to 1, an array of such rows, a list of names, or a dictionary such"
)


@pytest.mark.parametrize(
    ("hair", "message"),
    [
        (range(2), "'hair' has no value 0. Its values are brown, red"),
        ([["red"], ["red"]], r"`condition` must tell 'hair' by one value .* Received: hair=\[\['red'\], \['red'\]\]"),
        (["red", ("brown",)], r"or a list with a value for each. Received: hair=\['red', \('brown',\)\]"),
        (np.array([["red"]]), r"or a list with a value for each. Received: hair=\[\['red'\]\]"),
        ([], r"or a list with a value for each. Received: hair=\[\]"),
        (None, "'hair' has no value None"),
        (b"red", "'hair' has no value b'red'"),
        ({"red"}, "'hair' has no value {'red'}"),
        (1.5, "'hair' has no value 1.5"),
    ],
)
def test_odd_values_of_a_label(hair, message):
    with pytest.raises(ValueError, match=message):
        Attributes(4, NAMED).for_samples({"hair": hair, "glasses": "none"}, 2)


@pytest.mark.parametrize("hat", ["yes", None, 2, -0.5, np.nan, 10**400, 1j, {}, "0.5", [True, "x"]])
def test_odd_values_of_what_is_there_or_not(hat):
    with pytest.raises(ValueError, match=r"`condition\['hat'\]` must be a finite number from 0 to 1. Received: "):
        Attributes(3, ["hat", "hair red", "hair brown"]).for_samples({"hat": hat, "hair": "red"}, None)


@pytest.mark.parametrize(
    "condition",
    ["red", [["hair red"]], [[1, 0], [1]], [[1, 0, 0, "a"]], ["hair red", 3], object(), np.ones(4) * 1j, b"hair red"]
    + [[{"hair": "red", "glasses": "none"}] * 2],
)
def test_what_is_no_row(condition):
    with pytest.raises(ValueError, match=WANTED):
        Attributes(4, NAMED).for_samples(condition, None)
    with pytest.raises(
        ValueError, match="`condition` must be a row of 4 numbers from 0 to 1, or an array of such rows. R"
    ):
        Attributes(4).for_samples(condition if not isinstance(condition, list) else [["a"]], None)


def test_odd_names():
    kind = Attributes(4, NAMED)
    for condition, message in (
        ({1: "red", "glasses": "none"}, "There is no attribute 1. The attributes are hair, glasses"),
        ({None: "red"}, "There is no attribute None"),
        ({}, "must tell hair, glasses. Missing: hair, glasses"),
        ({("hair red",), "x"}, "There is no attribute 'x'. The attributes are hair brown, "),
    ):
        with pytest.raises(ValueError, match=message):
            kind.for_samples(condition, None)
    with pytest.raises(ValueError, match="have no names, and an empty dictionary tells none"):
        Attributes(3).for_samples({}, None)
    with pytest.raises(ValueError, match=r"Received a dictionary with the keys \['1', 'hair'\]"):
        Conditions({"attributes": kind, "label": Label(3)}).for_samples({1: 2, "hair": "red"}, None)


def test_arrays_of_words():
    kind = Attributes(4, NAMED)
    for hair, expected in (
        (np.array("red"), [[0, 1, 1, 0]]),
        (np.array(["red", "brown"]), [[0, 1, 1, 0], [1, 0, 1, 0]]),
        (("red", "brown"), [[0, 1, 1, 0], [1, 0, 1, 0]]),
    ):
        np.testing.assert_array_equal(kind.for_samples({"hair": hair, "glasses": "none"}, None)[1], expected)
    np.testing.assert_array_equal(kind.for_samples(np.array(["hair red", "glasses none"]), None)[1], [[0, 1, 1, 0]])
    hats = Attributes(3, ["hat", "hair red", "hair brown"])
    np.testing.assert_array_equal(hats.rows_of({"hat": range(2), "hair": "red"}), [[0, 1, 0], [1, 1, 0]])


def test_words_for_what_is_there_or_not():
    kind = Attributes(3, ["hat", "hair brown", "hair black"])
    np.testing.assert_array_equal(kind.rows_of({"hat": True, "hair": "black"}), [1, 0, 1])
    np.testing.assert_array_equal(kind.rows_of({"hat": [False, True], "hair": "brown"}), [[0, 1, 0], [1, 1, 0]])
    expected = [[1, 1, 0], [0, 1, 0], [1, 0, 1], [0, 0, 1], [1, 1, 0]]
    np.testing.assert_array_equal(kind.in_turn(5), expected)
    assert kind.columns == (2, ["hat", "no hat"])


def test_each_value_in_turn():
    rows = make().conditions.in_turn(7)
    np.testing.assert_array_equal(rows[:, :3].argmax(1), [0, 1, 2, 0, 1, 2, 0])
    np.testing.assert_array_equal(rows[:, 3:].argmax(1), [0, 0, 0, 1, 1, 1, 0])
    np.testing.assert_array_equal(rows.sum(1), 2)
    np.testing.assert_array_equal(Attributes(3).in_turn(4), np.eye(3)[[0, 1, 2, 0]])


def test_the_grid_has_a_column_for_each_value(tmp_path):
    grid = SampleGrid(tmp_path, num_samples=8)
    grid.set_model(make())
    assert grid.picture().shape[1] == 3 * 66 + 2


def test_evaluations_ask_for_real_attributes():
    model, rows = make(), np.eye(5, dtype="float32")
    found = conditions_to_generate(model, rows, 10)
    assert sorted(found.argmax(1).tolist()) == sorted([*range(5)] * 2)
    np.testing.assert_array_equal(conditions_to_generate(model, None, 4), model.conditions.in_turn(4))


# === Names travel ===


def test_names_travel_with_the_model(tmp_path):
    faces = ganzoo.data.load("faces_10k", "train[:8]", label=["skinColor", "glasses"], batch_size=4)
    settings = {"networks": ganzoo.networks.dcgan, "filters": 2, "num_attributes": 23, "run_eagerly": True}
    model = tiny(ganzoo.CGAN, (16, 16, 3), **settings)
    model.fit(faces, verbose=0, check=False, steps_per_epoch=1)
    assert model.attribute_names == faces.attribute_names and model.attribute_names[8] == "glasses dark01"
    asked = {"skinColor": "#ffdbac", "glasses": ["none", "dark01"]}
    expected = model.generate(condition=asked, seed=1)
    loaded = ganzoo.from_preset(model.save_to_preset(tmp_path / "preset"))
    np.testing.assert_array_equal(loaded.generate(condition=asked, seed=1), expected)
    loaded.export(tmp_path / "1")
    card = json.loads((tmp_path / "1" / "assets.extra" / "ganzoo.json").read_text())["conditions"]
    assert card["attributes"]["attribute_names"] == faces.attribute_names
    loaded.attribute_names = None
    with pytest.raises(ValueError, match="`attribute_names` must be 23 different names"):
        loaded.attribute_names = ["a"]
    with pytest.raises(ValueError, match="`attribute_names` must be 23 different names, or None. Received: .*'abc'"):
        loaded.attribute_names = "abc"
