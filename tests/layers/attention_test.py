import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import SelfAttention

MAP = np.random.default_rng(0).normal(size=(2, 4, 6, 16)).astype("float32")


def built(**settings):
    keras.utils.set_random_seed(0)
    layer = SelfAttention(**settings)
    layer.build(MAP.shape)
    return layer


@pytest.mark.parametrize("normalization", ["spectral", None])
def test_is_the_identity_at_first(normalization):
    layer = built(normalization=normalization)
    np.testing.assert_array_equal(layer(MAP), MAP)
    np.testing.assert_array_equal(layer(MAP, training=True), MAP)


def test_by_hand():
    layer = built(normalization=None)
    layer.gain.assign(0.5)
    f, g, h, v = (np.array(part.kernel[0, 0]) for part in (layer.of_place, layer.of_others, layer.values, layer.found))
    assert [part.shape for part in (f, g, h, v)] == [(16, 2), (16, 2), (16, 8), (8, 16)]

    def halved(x):
        """Maxima of 2x2 places, as rows."""
        return x.reshape(2, 2, 2, 3, 2, -1).max(axis=(2, 4)).reshape(2, 6, -1)

    logits = (MAP.reshape(2, 24, 16) @ f) @ halved(MAP @ g).transpose(0, 2, 1)
    weights = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    found = (weights @ halved(MAP @ h)).reshape(2, 4, 6, 8) @ v
    np.testing.assert_allclose(layer(MAP), MAP + 0.5 * found, rtol=1e-4, atol=1e-5)


def test_equal_places_find_the_same():
    """On a constant map all places are looked at alike: what is found is v h x."""
    layer = built(normalization=None)
    layer.gain.assign(1.0)
    x = np.broadcast_to(MAP[:1, :1, :1], (1, 4, 4, 16))
    h, v = np.array(layer.values.kernel[0, 0]), np.array(layer.found.kernel[0, 0])
    np.testing.assert_allclose(layer(x), x + x @ h @ v, rtol=1e-4, atol=1e-5)


def test_odd_and_narrow_maps():
    layer = SelfAttention()
    assert layer(np.ones((1, 7, 5, 3), "float32")).shape == (1, 7, 5, 3)


def test_saves_and_loads(tmp_path):
    image = keras.Input((4, 6, 16))
    model = keras.Model(image, SelfAttention(normalization="spectral")(image))
    model.layers[1].gain.assign(0.7)
    model(MAP, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(MAP), model(MAP))
    assert [w.shape for w in loaded.weights] == [w.shape for w in model.weights]


def test_compiled_by_xla():
    """Forward and backward, as eagerly."""
    layer = built(normalization=None)
    layer.gain.assign(0.5)

    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(tf.constant(MAP)) ** 2)
        return tape.gradient(loss, [variable.value for variable in layer.trainable_variables])

    for ours, theirs in zip(gradients(), tf.function(gradients, jit_compile=True)()):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)
