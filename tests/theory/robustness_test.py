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
    images = next(iter(ganzoo.data.load("fashion_mnist_10k", batch_size=700)))[0].numpy()
    judge = experiment.Judge(images, 150)
    assert len(judge.real) == 550
    data = judge(images[-150:])
    copies = judge(np.repeat(images[-15:], 10, axis=0))
    noise = judge(np.random.default_rng(0).uniform(-1, 1, (150, 28, 28, 1)).astype("float32"))
    assert data["distance"] < copies["distance"] < noise["distance"]
    assert data["coverage"] > 0.8 > 0.4 > copies["coverage"] > noise["coverage"] == 0
    assert data["recall"] > 0.7 and copies["recall"] < 0.2


def test_worst_over_best():
    results = {"data": {"distance": 1.0}, ("a", "GAN"): {"distance": 8.0}, ("b", "GAN"): {"distance": 2.0}}
    results["a", "WGAN"] = {"distance": 3.0}
    assert experiment.worst_over_best(results, "GAN") == 4.0
    assert experiment.worst_over_best(results, "WGAN") == 1.0


def test_mosaic():
    images = np.arange(16.0).reshape(16, 1, 1, 1) * np.ones((1, 2, 3, 1))
    picture = experiment.mosaic(images)
    assert picture.shape == (4, 24)
    np.testing.assert_array_equal(picture[::2, ::3], np.arange(16.0).reshape(2, 8))


def test_report_and_figure(tmp_path, capsys):
    cell = {"shown": np.zeros((32, 28, 28, 1)), "distance": 12.34, "recall": 0.5, "coverage": 0.25}
    results = {"data": cell}
    results |= {(generator, loss): cell for generator in experiment.GENERATORS for loss in experiment.LOSSES}
    experiment.report(results)
    printed = capsys.readouterr().out
    assert printed.count("12.3") == 10 and "WGAN-GP  1.00" in printed
    experiment.draw(results, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000
