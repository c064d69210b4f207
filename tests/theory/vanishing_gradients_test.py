"""Gradients of a frozen generator while its discriminator learns, and the cross entropy in float32."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import vanishing_gradients


@pytest.fixture(scope="module")
def results():
    return vanishing_gradients.compute(epochs=(1,), steps=250, hidden=(64, 64))


def test_only_the_minimax_gradient_vanishes(results):
    (curve,) = results["curves"].values()
    assert 1.5 < vanishing_gradients.orders_lost(curve, "minimax") < 4.0
    assert -1.2 < vanishing_gradients.orders_lost(curve, "non_saturating") < 0.0
    assert abs(vanishing_gradients.orders_lost(curve, "wasserstein")) < 0.4


def test_the_discriminator_becomes_optimal(results):
    """From a verdict of chance to the certainty that WGAN's Section 4.2 tells of: JS = log 2."""
    (curve,) = results["curves"].values()
    assert curve["js"][0] < 0.2
    assert 0.68 < curve["js"][-1] <= np.log(2)
    assert curve["accuracy"][-1] > 0.99
    assert curve["step"][0] == 0 and curve["step"][-1] == 250
    assert curve["minimax"].shape == (len(curve["step"]), vanishing_gradients.MEASURED)


def test_gradients_by_hand():
    """G(z) = a z, s(x) = w x: the derivatives in a are -E[D w z], -E[(1 - D) w z] and -E[w z]."""
    a, w = 0.7, 1.5
    generator, discriminator = (keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]) for _ in range(2))
    generator.layers[0].kernel.assign([[a]])
    discriminator.layers[0].kernel.assign([[w]])
    z = np.array([[-1.0], [0.5], [2.0]], "float32")
    probability = 1 / (1 + np.exp(-w * a * z))

    def norm(per_sample):  # In the kernel and in the bias.
        return np.hypot(np.mean(per_sample * z), np.mean(per_sample))

    found = vanishing_gradients.norms_of(generator, discriminator, vanishing_gradients.discriminator_losses)(
        tf.constant(z)
    )
    np.testing.assert_allclose(found["minimax"], norm(probability * w), rtol=1e-5)
    np.testing.assert_allclose(found["non_saturating"], norm((1 - probability) * w), rtol=1e-5)


def test_orders_lost():
    curve = {"norm": np.array([[50.0, 150.0], [7.0, 9.0], *[[0.05, 0.15]] * 5])}
    assert vanishing_gradients.orders_lost(curve, "norm") == pytest.approx(3.0)


def test_probing_leaves_the_generator_alone():
    rng = np.random.default_rng(0)
    generator = keras.Sequential([keras.Input((vanishing_gradients.LATENT_DIM,)), keras.layers.Dense(4)])
    before = generator.get_weights()
    curve = vanishing_gradients.probe(generator, rng.normal(size=(50, 4)).astype("float32"), 3, (4,), 8, 0)
    for old, new in zip(before, generator.get_weights()):
        np.testing.assert_array_equal(old, new)
    assert (curve["minimax"][0] != curve["minimax"][-1]).all()
    assert (curve["wasserstein"][0] != curve["wasserstein"][-1]).all()


def test_the_cross_entropy_in_float32(results):
    """1 - D rounds to 0 below 2^-25, at s = 17.3, or a little earlier; Keras clips D at 1 - 1e-7."""
    entropy = results["cross_entropy"]
    np.testing.assert_allclose(entropy["logits"], entropy["exact"], rtol=1e-5)
    np.testing.assert_allclose(entropy["logits_gradient"], entropy["exact_gradient"], rtol=1e-5)
    assert vanishing_gradients.first_broken(entropy, "logits") is None
    assert np.isinf(entropy["naive"][-1]) and np.isnan(entropy["naive_gradient"][-1])
    assert 15.0 < vanishing_gradients.first_broken(entropy, "naive") <= 17.5
    assert entropy["keras_gradient"][-1] == 0.0
    assert entropy["keras"][-1] == pytest.approx(-np.log(1e-7), abs=0.25)
    assert -np.log(1e-7) - 0.2 < vanishing_gradients.first_broken(entropy, "keras") < -np.log(1e-7) + 0.3


def test_the_figure(results, tmp_path):
    vanishing_gradients.draw(results, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


@pytest.mark.slow
def test_every_generator():
    """Arjovsky and Bottou: up to five powers of ten in 4,000 updates, and a gradient of -log D that grows."""
    for curve in vanishing_gradients.compute()["curves"].values():
        assert 2.5 < vanishing_gradients.orders_lost(curve, "minimax") < 6.0
        assert -1.2 < vanishing_gradients.orders_lost(curve, "non_saturating") < -0.2
        assert abs(vanishing_gradients.orders_lost(curve, "wasserstein")) < 0.4
        assert curve["js"][-1] > 0.69
