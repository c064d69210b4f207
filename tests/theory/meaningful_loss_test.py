"""The estimate of a WGAN follows the quality of its samples, that of a GAN does not."""

import keras
import meaningful_loss as experiment
import numpy as np
import pytest

import ganzoo


def run(estimates, distances):
    """A run as `follow` returns it, with a look at every step."""
    return {
        "estimates": np.array(estimates),
        "filtered": np.array(estimates),
        "steps": np.arange(1, len(estimates) + 1),
        "distances": np.array(distances),
        "shown": np.zeros((len(estimates), experiment.SHOWN, 28, 28, 1)),
    }


def test_estimate_of_the_logs():
    """A discriminator that knows nothing has a loss of 2 log 2, one that is certain a loss of 0."""
    assert experiment.estimate_of({"d_loss": 2 * np.log(2), "g_loss": 1.0}) == pytest.approx(0.0)
    assert experiment.estimate_of({"d_loss": 0.0, "g_loss": 1.0}) == pytest.approx(np.log(2))
    assert experiment.estimate_of({"d_loss": -0.3, "wasserstein": 0.3}) == 0.3


def test_correlation_is_that_of_the_ranks():
    assert experiment.correlation(run([3.0, 2.0, 0.5], [900.0, 20.0, 10.0])) == pytest.approx(1.0)
    assert experiment.correlation(run([0.5, 0.6, 0.69], [900.0, 20.0, 10.0])) == pytest.approx(-1.0)
    # 1 - 6 (1 + 1 + 0 + 0) / (4 (16 - 1))
    assert experiment.correlation(run([4.0, 3.0, 2.0, 1.0], [8.0, 9.0, 5.0, 1.0])) == pytest.approx(0.8)
    assert np.isnan(experiment.correlation(run([3.0, 2.0, 0.5], [7.0, 7.0, 7.0])))


def test_the_estimate_is_taken_at_the_looks():
    found = run([5.0, 4.0, 3.0, 2.0], [1.0, 2.0])
    found["steps"] = np.array([2, 4])
    np.testing.assert_array_equal(experiment.at_looks(found), [4.0, 2.0])
    assert experiment.spread(np.array([4.0, 2.0])) == pytest.approx(2 / 3)


def test_strip_has_a_column_for_each_look():
    shown = np.arange(6.0).reshape(2, 3, 1, 1, 1) * np.ones((1, 1, 4, 5, 1))
    picture = experiment.strip(shown)
    assert picture.shape == (12, 10)
    np.testing.assert_array_equal(picture[::4, ::5], [[0, 3], [1, 4], [2, 5]])


def test_critic_and_discriminator_are_the_same_network():
    """But for the scale of the score nothing but the loss differs: both give logits."""
    wgan, gan = (experiment.build(f"{kind}, dense generator", 0) for kind in ("WGAN", "GAN"))
    assert isinstance(wgan, ganzoo.WGAN) and isinstance(gan, ganzoo.GAN)
    for first, second in ((wgan.generator, gan.generator), (wgan.discriminator, gan.discriminator)):
        assert [weight.shape for weight in first.weights] == [weight.shape for weight in second.weights]
    assert float(wgan.generator_optimizer.learning_rate) == pytest.approx(3e-4)
    assert wgan.discriminator_steps == 5 and gan.discriminator_steps == 1


def test_following_a_training(monkeypatch):
    monkeypatch.setattr(experiment, "SAMPLES", 100)
    # Features for speed: the means of blocks of 7x7 pixels.
    image = keras.Input(experiment.IMAGE_SHAPE)
    judge = ganzoo.metrics.FrechetDistance(
        keras.Model(image, keras.layers.Flatten()(keras.layers.AveragePooling2D(7)(image)))
    )
    images = next(iter(ganzoo.data.load("mnist_10k", batch_size=200)))[0].numpy()
    found = experiment.follow("GAN, dense generator", 0, 6, 3, judge, judge.features(images))
    np.testing.assert_array_equal(found["steps"], [2, 4, 6])
    assert found["estimates"].shape == found["filtered"].shape == (6,)
    assert np.all(found["estimates"] <= np.log(2)) and np.all(found["distances"] > 0)
    assert found["shown"].shape == (3, experiment.SHOWN, 28, 28, 1)
    np.testing.assert_array_equal(found["late"][: experiment.SHOWN], found["shown"][-1])


def test_report_and_figure(tmp_path, capsys):
    runs = {name: run([3.0, 2.0, 0.5], [9.0, 2.0, 1.0]) for name in experiment.RUNS}
    runs["WGAN that fails"] = run([3.0, 3.1, 3.0], [7.0, 7.0, 7.0])
    results = {"runs": runs, "critics": dict.fromkeys(experiment.CRITICS, (2.0, 1.0))}
    experiment.report(results)
    printed = capsys.readouterr().out
    assert (
        "rank correlation +1.00" in printed and "distance constant, W ±1.6%" in printed and "0.50 of it left" in printed
    )
    experiment.draw(results, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


@pytest.fixture(scope="module")
def results():
    return experiment.compute()


@pytest.mark.slow
@pytest.mark.parametrize("generator", ["DCGAN", "dense"])
def test_the_wasserstein_estimate_follows_the_quality(results, generator):
    found = results["runs"][f"WGAN, {generator} generator"]
    assert len(found["steps"]) >= 20
    assert 0.8 < experiment.correlation(found) <= 1.0
    estimates, distances = experiment.at_looks(found), found["distances"]
    assert 0 < estimates[-1] < 0.3 * estimates[0] and 0 < distances[-1] < 0.4 * distances[0]


@pytest.mark.slow
@pytest.mark.parametrize("generator", ["DCGAN", "dense"])
def test_the_jensen_shannon_estimate_does_not(results, generator):
    """Though the samples improve."""
    found = results["runs"][f"GAN, {generator} generator"]
    assert -1.0 <= experiment.correlation(found) <= 0.2
    assert found["distances"][-1] < 0.6 * found["distances"][0]
    assert found["filtered"].max() <= np.log(2)
    if generator == "DCGAN":
        assert 0.6 < experiment.at_looks(found).mean() <= np.log(2)


@pytest.mark.slow
def test_a_failed_training_stays_flat(results):
    found = results["runs"]["WGAN that fails"]
    assert experiment.spread(found["distances"]) < 0.02
    assert experiment.spread(experiment.at_looks(found)) < 0.02


@pytest.mark.slow
def test_critics_agree_on_better_but_not_on_how_far(results):
    early, late = np.array(list(results["critics"].values())).T
    assert np.all(late < 0.3 * early) and np.all(late > 0)
    assert early.max() / early.min() > 10 and late.max() / late.min() > 10
    # By one critic the late samples are farther from the data than the early ones by another.
    assert late.max() > early.min()
