"""Clipping against penalty: the prediction for the depth, the surfaces, the weights."""

import clipping_and_penalty as experiment
import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo


def test_norms_of_layers_are_those_of_the_tape():
    """The chain rule by hand against TensorFlow, where float32 can hold the numbers."""
    critic = ganzoo.networks.mlp.discriminator((2,), hidden=(6, 5, 4), activation="relu")
    samples = np.random.default_rng(0).normal(size=(20, 2)).astype("float32")
    outputs = [critic.get_layer(f"relu_{index}").output for index in range(3)]
    probe = keras.Model(critic.inputs, [*outputs, critic.output])
    with tf.GradientTape() as tape:
        points = tf.constant(samples)
        tape.watch(points)
        *hidden, score = probe(points)
    expected = [tf.reduce_mean(tf.norm(gradient, axis=1)) for gradient in tape.gradient(score, hidden)]
    np.testing.assert_allclose(experiment.gradient_norms_of_layers(critic, samples), expected, rtol=1e-5)


@pytest.mark.parametrize("clip_value, decades", [(0.1, 2.4), (0.01, -9.6), (0.001, -21.6)])
def test_random_signs_multiply_gradients_by_c_root_of_half_n(clip_value, decades):
    """512 units, twelve layers: 10^-21.6, 10^-9.6 and 10^+2.4."""
    predicted = experiment.predicted_slope(clip_value, 512)
    np.testing.assert_allclose(-12 * predicted, decades, atol=0.06)
    critic = ganzoo.networks.mlp.discriminator((2,), hidden=(512,) * 12, activation="relu")
    rng = np.random.default_rng(0)
    for layer in experiment.dense_layers(critic):
        layer.kernel.assign(clip_value * rng.choice([-1.0, 1.0], layer.kernel.shape))
    norms = experiment.gradient_norms_of_layers(critic, experiment.points_of("Swiss roll")[:100])
    np.testing.assert_allclose(experiment.slope_of(norms), predicted, atol=0.02)


def test_datasets_have_the_scale_of_the_authors():
    for name, deviation in (("8 Gaussians", 1.0), ("25 Gaussians", 1.0)):
        np.testing.assert_allclose(experiment.points_of(name).std(axis=0), deviation, rtol=0.02)
    assert np.abs(experiment.points_of("Swiss roll")).max() < experiment.LIMIT


def test_a_tiny_run_draws(tmp_path, capsys):
    """One surface and one pair in the place of all: only the shapes matter."""
    points = experiment.points_of("8 Gaussians")
    settings = experiment.CRITICS["clipping, c = 0.1"]
    surface = experiment.surface(points, seed=0, steps=2, hidden=(8,), settings=settings)
    pair = experiment.deep_critic(0.1, seed=0, steps=1, width=8, depth=3)
    assert pair["after"].shape == (3,) and np.abs(pair["weights"]).max() <= np.float32(0.1)
    results = {
        "points": dict.fromkeys(experiment.DATASETS, points),
        "surfaces": dict.fromkeys(experiment.DATASETS, dict.fromkeys(experiment.CRITICS, surface)),
        "layers": dict.fromkeys(("penalty", *experiment.CLIPS), pair),
    }
    experiment.report(results)
    assert "Swiss roll" in capsys.readouterr().out
    experiment.draw(results, tmp_path / "layers.png")
    experiment.draw_surfaces(results, tmp_path / "surfaces.png")
    assert (tmp_path / "layers.png").stat().st_size > 10_000
    assert (tmp_path / "surfaces.png").stat().st_size > 10_000


@pytest.fixture(scope="module")
def results():
    return experiment.compute()


@pytest.mark.slow
def test_the_penalty_of_the_paper_makes_slopes_of_one(results):
    for critics in results["surfaces"].values():
        np.testing.assert_allclose(critics["penalty, weight 10"]["mean_slope"], 1.0, atol=0.1)


@pytest.mark.slow
def test_a_clipped_critic_misses_the_modes_of_the_ring(results):
    critics = results["surfaces"]["8 Gaussians"]
    clipped, penalised = critics["clipping, c = 0.1"], critics["penalty, weight 0.1"]
    assert clipped["above_middle"] < -0.3 and penalised["above_middle"] > 0.1
    assert clipped["above_gaps"] < 0.1 < penalised["above_gaps"]


@pytest.mark.slow
def test_clipping_pushes_weights_to_the_bounds(results):
    """They started within half of the bounds."""
    for critics in results["surfaces"].values():
        clipped = critics["clipping, c = 0.1"]
        assert np.abs(clipped["weights"]).max() <= np.float32(0.1)
        assert experiment.share_at_clip(clipped["weights"], 0.1) > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("clip_value", [0.01, 0.001])
def test_gradients_vanish_as_predicted(results, clip_value):
    found = results["layers"][clip_value]
    np.testing.assert_allclose(found["slope"], experiment.predicted_slope(clip_value, 512), rtol=0.2)


@pytest.mark.slow
def test_gradients_explode_at_least_as_predicted(results):
    """With c = 0.1 the critic learns, its weights are no longer independent, and gradients grow faster."""
    found = results["layers"][0.1]
    assert -np.log10(0.1 * 512) < found["slope"] < 0.8 * experiment.predicted_slope(0.1, 512) < 0


@pytest.mark.slow
def test_gradients_stay_under_the_penalty(results):
    assert abs(results["layers"]["penalty"]["slope"]) < 0.2
