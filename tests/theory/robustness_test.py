"""Three generators and three losses on Fashion-MNIST."""

import keras
import numpy as np
import pytest
import robustness as experiment

import ganzoo


def test_constant_generator():
    """Weights by hand: 100 latents, 7x7x8, two kernels of 4x4, biases."""
    generator = experiment.constant_generator(experiment.IMAGE_SHAPE, latent_dim=100, filters=8)
    assert generator.count_params() == 101 * 7 * 7 * 8 + (16 * 8 * 8 + 8) + (16 * 8 * 1 + 1)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in generator.layers)
    images = np.asarray(generator(np.random.default_rng(0).normal(size=(2, 100))))
    assert images.shape == (2, 28, 28, 1) and np.abs(images).max() <= 1


def test_only_generator_and_loss_differ():
    for loss, normalized in (("GAN", True), ("WGAN", True), ("WGAN-GP", False)):
        critics = []
        for generator in experiment.GENERATORS:
            model = experiment.build(generator, loss, 0)
            assert model.latent_dim == 100 and model.discriminator_steps == (1 if loss == "GAN" else 5)
            critics.append([weight.shape for weight in model.discriminator.weights])
            found = any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.discriminator.layers)
            assert found == normalized
        assert critics[0] == critics[1] == critics[2]


def test_the_judge_tells_data_from_copies_and_noise():
    images = next(iter(ganzoo.data.load("fashion_mnist_10k", batch_size=400)))[0].numpy()
    judge = experiment.Judge(images, 100)
    assert len(judge.real) == 300
    data = judge(images[-100:])
    copies = judge(np.repeat(images[-2:], 50, axis=0))
    noise = judge(np.random.default_rng(0).uniform(-1, 1, (100, 28, 28, 1)).astype("float32"))
    assert 0 < 5 * data["distance"] < min(copies["distance"], noise["distance"])
    assert data["coverage"] > 0.8 and max(copies["coverage"], noise["coverage"]) < 0.3
    assert data["recall"] > 0.7 and copies["recall"] < 0.2


def test_relative():
    distances = {("DCGAN", "GAN"): 2.0, ("DCGAN", "WGAN"): 4.0, ("b", "GAN"): 8.0, ("b", "WGAN"): 6.0}
    results = {key: {"distance": distance} for key, distance in distances.items()}
    assert experiment.relative(results, "b", "WGAN", to_loss="WGAN") == 1.5
    assert experiment.relative(results, "b", "WGAN", to_generator="b") == 0.75
    assert experiment.relative(results, "b", "GAN") == 4.0


def test_variety():
    """Of pixels 0 and 2 the standard deviation is 1; of copies it is 0."""
    data = np.array([[0.0, 2.0], [2.0, 0.0]])
    results = {"data": {"shown": data}, "half": {"shown": data / 2}, "copies": {"shown": data[[0, 0]]}}
    assert experiment.variety(results, "half") == 0.5
    assert experiment.variety(results, "copies") == 0.0


def test_mosaic():
    images = np.arange(16.0).reshape(16, 1, 1, 1) * np.ones((1, 2, 3, 1))
    picture = experiment.mosaic(images)
    assert picture.shape == (4, 24)
    np.testing.assert_array_equal(picture[::2, ::3], np.arange(16.0).reshape(2, 8))


def test_report_and_figure(tmp_path, capsys):
    shown = np.random.default_rng(0).uniform(-1, 1, (32, 28, 28, 1))
    cell = {"shown": shown, "distance": 12.34, "recall": 0.5, "coverage": 0.25}
    results = {"data": cell}
    results |= {(generator, loss): cell for generator in experiment.GENERATORS for loss in experiment.LOSSES}
    experiment.report(results)
    printed = capsys.readouterr().out
    assert printed.count("12.3  0.50  0.250  1.00") == 10 and printed.count("1.00  1.00\n") == 9
    experiment.draw(results, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


@pytest.fixture(scope="module")
def results():
    return experiment.compute()


HARD = [name for name in experiment.GENERATORS if name != "DCGAN"]


@pytest.mark.slow
@pytest.mark.parametrize("generator", HARD)
def test_the_gan_needs_its_generator(results, generator):
    """Without DCGAN's generator the GAN gets much worse, and both Wasserstein losses do better than it."""
    assert 1.4 < experiment.relative(results, generator, "GAN") < 3.0
    assert 0.2 < experiment.relative(results, generator, "WGAN", to_generator=generator) < 0.8
    assert 0.2 < experiment.relative(results, generator, "WGAN-GP", to_generator=generator) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["WGAN", "WGAN-GP"])
def test_a_wasserstein_loss_does_without_batch_normalization(results, loss):
    assert 0.7 < experiment.relative(results, HARD[0], loss, to_loss=loss) < 1.3


@pytest.mark.slow
def test_the_dense_gan_collapses(results):
    assert 0.0 <= experiment.variety(results, ("four dense layers", "GAN")) < 0.15
    for generator in experiment.GENERATORS:
        assert 0.8 < experiment.variety(results, (generator, "WGAN")) < 1.2


@pytest.mark.slow
def test_the_judge_takes_data_for_data(results):
    assert results["data"]["distance"] < 0.5
    assert results["data"]["recall"] > 0.8 and results["data"]["coverage"] > 0.9
