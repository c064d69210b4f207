"""Questions about a built network, asked of networks whose answers are plain to see."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from ganzoo.networks import graph


class Block(layers.Layer):
    """A layer with layers inside."""

    def __init__(self):
        super().__init__(name="block")
        self.inner = layers.Dense(2, name="inner")
        self.noise = layers.Dropout(0.5, name="noise", seed=3)

    def call(self, inputs, training=False):
        return self.noise(self.inner(inputs), training=training)


def network(*chain, shape=(3,), name="network"):
    x = image = keras.Input(shape)
    for layer in chain:
        x = layer(x)
    return keras.Model(image, x, name=name)


def names(found):
    return [layer.name for layer in found]


# === Layers ===


def test_layers_inside_of_layers():
    model = network(layers.Dense(2, name="outer"), Block(), keras.Sequential([layers.Dense(1, name="deep")]))
    assert graph.flatten_layers(model)[0] is model
    assert sorted(names(graph.layers_of(model, layers.Dense))) == ["deep", "inner", "outer"]
    assert len(graph.layers_of(model, (layers.Dropout, layers.Dense))) == 4
    assert graph.layers_of(model, layers.Conv2D) == []


def test_trainable_layers_are_the_outer_ones():
    frozen = layers.Dense(2, name="frozen", trainable=False)
    model = network(layers.Dense(2, name="first"), frozen, layers.ReLU(), Block())
    assert names(graph.trainable_layers(model)) == ["first", "block"]


def test_random_layers_and_their_sources():
    model = network(layers.Dropout(0.3, seed=1, name="first"), layers.Dropout(0.0), Block(), layers.Dense(2))
    assert names(graph.noise_layers(model)) == ["first", "noise"]
    sources = graph.seed_generators(model)
    assert len(sources) == 2 and all(isinstance(source, keras.random.SeedGenerator) for source in sources)
    before = [np.array(source.state) for source in sources]
    model(np.ones((1, 3), "float32"), training=True)
    after = [np.array(source.state) for source in sources]
    assert all((a != b).any() for a, b in zip(before, after))  # They are the states that a pass moves.
    assert graph.seed_generators(network(layers.Dense(2))) == []


def test_batch_normalizations():
    model = network(keras.Sequential([layers.BatchNormalization(name="deep")]), layers.LayerNormalization())
    assert names(graph.batch_normalizations(model)) == ["deep"]


def test_elus():
    model = network(
        layers.ELU(name="layer"),
        layers.Dense(2, activation="elu", name="of_dense"),
        layers.Activation("elu", name="activation"),
        layers.Dense(2, activation="selu"),
        layers.ReLU(),
    )
    assert sorted(names(graph.elus(model))) == ["activation", "layer", "of_dense"]


# === Tensors ===


def test_what_made_a_tensor():
    first, second = keras.Input((4,), name="first"), keras.Input((4,), name="second")
    both = layers.Add(name="add")([first, second])
    left, right = layers.Lambda(lambda x: (x, 2 * x), name="two")(both)
    origin = graph.made_by(both)
    assert origin.operation.name == "add" and origin.inputs == [first, second] and origin.index == 0
    assert [graph.made_by(tensor).index for tensor in (left, right)] == [0, 1]
    assert graph.made_by(first).inputs == []


def test_a_layer_that_is_called_twice_has_no_only_output():
    image = keras.Input((4,))
    once, twice = layers.Dense(4), layers.Dense(4)
    output = once(image)
    twice(twice(output))
    assert graph.only_output(once) is output
    assert graph.only_output(twice) is None
    two = layers.Lambda(lambda x: (x, x))
    two(output)
    assert graph.only_output(two) is None


def test_descent():
    image, label = keras.Input((4,)), keras.Input((4,))
    x = layers.Dense(4)(image)
    y = layers.Add()([x, layers.Dense(4)(label)])
    assert graph.descends(y, image) and graph.descends(y, label) and graph.descends(x, image) and graph.descends(x, x)
    assert not graph.descends(x, label) and not graph.descends(image, y)


def test_descent_through_many_ways_ends():
    """2^60 ways lead from the end to the start: each tensor is visited once."""
    x = start = keras.Input((1,))
    for _ in range(60):
        x = layers.Add()([x, x])
    assert graph.descends(x, start) and not graph.descends(x, keras.Input((1,)))


def test_scores():
    plain = network(layers.Dense(1))
    assert graph.scores_of(plain) is plain.outputs[0]
    image = keras.Input((4,))
    classes, scores = layers.Dense(3)(image), layers.Dense(1)(image)
    heads = keras.Model(image, {"classes": classes, "scores": scores})
    assert graph.scores_of(heads) is scores
    assert graph.has_heads(heads) and not graph.has_heads(plain)


# === The ends ===


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ([layers.Dense(4)], None),
        ([layers.Dense(4, activation="tanh")], "tanh"),
        ([layers.Dense(4), layers.Activation("sigmoid")], "sigmoid"),
        ([layers.Dense(4), layers.ReLU()], "relu"),
        ([layers.Dense(4, activation="softplus")], None),
        ([layers.Dense(4, activation="tanh"), layers.Reshape((2, 2)), layers.Flatten()], "tanh"),
        ([layers.Dense(4, activation="tanh"), layers.Activation("linear")], "tanh"),
        ([layers.Dense(4, activation="tanh"), layers.Rescaling(2.0)], None),
        ([layers.Dense(4, activation="tanh"), layers.Dense(4)], None),
        ([keras.Sequential([layers.Dense(4, activation="sigmoid")]), layers.Reshape((4, 1))], "sigmoid"),
        ([layers.Dense(4), keras.ops.tanh], "tanh"),
        ([layers.Dense(4), keras.ops.softmax], "softmax"),
    ],
)
def test_output_activation(chain, expected):
    model = network(*chain)
    assert graph.output_activation(model) == expected
    if expected:
        low, high = graph.RANGES[expected]
        outputs = np.asarray(model(np.linspace(-50, 50, 30, dtype="float32").reshape(10, 3)))
        assert low <= outputs.min() and outputs.max() <= high


def test_output_activation_of_a_model_with_two_outputs():
    image = keras.Input((4,))
    inner = keras.Model(image, [layers.Dense(1)(image), layers.Dense(1, activation="tanh")(image)])
    outer_image = keras.Input((4,))
    linear, bounded = inner(outer_image)
    outer = keras.Model(outer_image, [bounded, linear])
    assert [graph.output_activation(outer, index) for index in range(2)] == ["tanh", None]


def test_normalization_before_the_end():
    norm = layers.BatchNormalization(name="norm")
    assert graph.normalization_before(network(norm, layers.Activation("tanh")).outputs[0]) is norm
    assert graph.normalization_before(network(layers.BatchNormalization(), layers.Dense(3)).outputs[0]) is None
    assert graph.normalization_before(network(layers.Dense(3)).outputs[0]) is None


def test_normalizations_of_the_input():
    image, label = keras.Input((4, 4, 1), name="image"), keras.Input((16,), name="label")
    flat = layers.Concatenate()([layers.Flatten()(image), label])
    x = layers.BatchNormalization(name="of_the_input")(flat)
    x = layers.BatchNormalization(name="of_a_layer")(layers.Dense(2)(x))
    other = layers.BatchNormalization(name="of_the_label")(label)
    model = keras.Model([image, label], layers.Concatenate()([x, other]))
    assert names(graph.normalizations_of_the_input(model)) == ["of_the_input"]


def test_private_parts_of_keras_stand_in_one_file():
    names = ("_flatten_layers", "_seed_generators", "_keras_history", "_inbound_nodes")
    package = Path(graph.__file__).parent.parent
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if any(f".{name}" in path.read_text() for name in names)
    }
    assert found == {str(Path("networks") / "graph.py")}
