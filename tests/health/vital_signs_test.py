"""VitalSigns: its numbers by hand, for every kind of model."""

import math

import keras
import numpy as np
import pytest
from keras import ops

import ganzoo
from ganzoo.health.vital_signs import distances, effective_number, flatten
from tests.health.trainings import (
    NETWORKS,
    POINTS,
    affine_generator,
    build,
    linear_discriminator,
    look_at,
)


def test_effective_number_counts_heaps():
    heaps = np.repeat(np.arange(5.0)[:, None] * 100, 4, axis=0)
    assert effective_number(distances(heaps, heaps), width=1.0) == pytest.approx(5.0, rel=1e-9)
    uneven = np.repeat([[0.0], [100.0]], [3, 1], axis=0)
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert effective_number(distances(uneven, uneven), width=1.0) == pytest.approx(math.exp(entropy), rel=1e-9)
    # Two points at one width: the eigenvalues are (1 +- e^(-1/2)) / 2.
    pair = np.array([[0.0], [2.0]])
    shares = (1 + np.array([1, -1]) * math.exp(-0.5)) / 2
    assert effective_number(distances(pair, pair), 2.0) == pytest.approx(math.exp(-np.sum(shares * np.log(shares))))


def test_large_images_are_averaged():
    images = np.random.default_rng(0).normal(size=(3, 64, 65, 2))
    flat = flatten(images).reshape(3, 32, 21, 2)
    assert flat[1, 3, 4, 1] == pytest.approx(images[1, 6:8, 12:15, 1].mean(), rel=1e-12)
    np.testing.assert_array_equal(flatten(images[:, :8, :8]), images[:, :8, :8].reshape(3, -1))


def test_a_look_by_hand():
    """Samples in one point at (0, 3), real ones at (4, 0) and (-4, 0); the discriminator is s = 2 y."""
    real = np.tile([[4.0, 0.0], [-4.0, 0.0]], (32, 1)).astype("float32")
    model = build(0.0, 0.0, affine_generator(np.zeros((2, 2)), [0.0, 3.0]), linear_discriminator([0.0, 2.0]))
    signs = look_at(model, real)
    look = signs.look()
    apart = 8 * 32 * 32 * 2 / (64 * 63)
    assert look["distance"] == pytest.approx((2 * 5 - 0 - apart) / apart, rel=1e-6)
    assert look["diversity"] == pytest.approx(1 / 2, rel=1e-6)  # One heap, where the data have two.
    assert look["slope"] == pytest.approx(2.0, rel=1e-6)
    assert look["reach"] == pytest.approx(10.0, rel=1e-6)
    assert look["gap"] == pytest.approx(-6.0, rel=1e-6)
    assert look["score_spread"] == pytest.approx(6.0, rel=1e-6)
    # The generator's loss is log(1 + e^-s) with s = 6.
    assert look["push"] == pytest.approx(2 / (1 + math.exp(6)), rel=1e-4)
    assert look["ignorance"] == pytest.approx(2 * math.log(2), rel=1e-6) and look["bounded"] == 1.0
    assert signs.data["distinct"] == pytest.approx(2 / 64)
    assert signs.data["spread"] == pytest.approx(apart / 4, rel=1e-6)
    model.generator.layers[-1].bias.assign([3.0, 3.0])
    assert signs.look()["change"] == pytest.approx(3 / apart, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "ignorance", "bounded"),
    [("GAN", 2 * math.log(2), 1), ("LSGAN", 0.25, 1), ("SNGAN", 2, 1), ("R3GAN", math.log(2), 1), ("WGAN", 0, 0)]
    + [("WGANGP", 10, 0), ("WGANDiv", 0, 0), ("CramerGAN", 10, 0), ("DRAGAN", 2 * math.log(2) + 10, 1)],
)
def test_what_a_discriminator_loses_that_knows_nothing(name, ignorance, bounded):
    model = getattr(ganzoo, name).from_paper((2,), latent_dim=2, hidden=(4,))
    look = look_at(model).look()
    assert look["ignorance"] == pytest.approx(ignorance, rel=1e-4, abs=1e-6) and look["bounded"] == bounded


def test_labels_of_neighbours():
    """Two classes side by side; the generator makes the first one whatever it is asked for."""
    real = np.concatenate([np.zeros((32, 2)), np.ones((32, 2))]) + 0.01 * POINTS[:64]
    labels = np.repeat([0, 1], 32)
    latents, label = keras.Input((2,), name="latents"), keras.Input((), name="label", dtype="int64")
    both = keras.layers.Lambda(lambda inputs: 0.01 * inputs[0] + 0 * ops.cast(inputs[1], "float32")[:, None])
    generator = keras.Model([latents, label], keras.layers.Dense(2)(both([latents, label])))
    generator.set_weights([np.eye(2), np.zeros(2)])
    model = build(0.0, 0.0, generator, NETWORKS.discriminator((2,), hidden=(2,), num_classes=2), num_classes=2)
    signs = look_at(model, real.astype("float32"), labels)
    assert signs.data["label_agreement"] == 1.0 and signs.data["label_count"] == 64
    assert signs.data["label_chance"] == pytest.approx(0.5)
    look = signs.look()
    assert look["label_agreement"] == pytest.approx(0.5)
    assert look["label_floor"] == pytest.approx(0.5 + 0.05 * 0.5)


SHAPE = (32, 32, 1)
SMALL = {"filters": 2, "seed": 0}
# How to make the model, and what its data are.
KINDS = {
    "VAE": (lambda: ganzoo.VAE.from_paper(SHAPE, seed=0), "images"),
    "BEGAN": (lambda: ganzoo.BEGAN.from_paper(SHAPE, **SMALL), "images"),
    "PresGAN": (lambda: ganzoo.PresGAN.from_paper(SHAPE, **SMALL), "images"),
    "packed": (lambda: ganzoo.GAN.from_paper(SHAPE, hidden=(4,), packing=2), "images"),
    "Pix2Pix": (lambda: ganzoo.Pix2Pix.from_paper(SHAPE, **SMALL), "pairs"),
    "ACGAN": (lambda: ganzoo.ACGAN.from_paper(SHAPE, 3, seed=0), "labels"),
    "InfoGAN": (lambda: ganzoo.InfoGAN.from_paper(SHAPE, seed=0), "images"),
    "CycleGAN": (lambda: ganzoo.CycleGAN.from_paper(SHAPE, **SMALL), "pairs"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_looks_at_every_kind_of_model(kind):
    images = np.random.default_rng(0).integers(0, 256, (8, *SHAPE), "uint8")
    make, data = KINDS[kind]
    second = {"images": None, "pairs": images, "labels": np.arange(8) % 3}[data]
    look = look_at(make(), images, second, num_samples=9).look()
    assert {"diversity", "distance", "pinned"} <= set(look)
    assert ("slope" in look) == (kind not in ("VAE", "BEGAN"))
    assert ("label_agreement" in look) == (kind == "ACGAN")
    assert all(math.isfinite(value) for value in look.values())
    if kind == "Pix2Pix":
        assert look["ignorance"] == pytest.approx(math.log(2), rel=1e-4)


def test_scores_of_samples_that_are_one_number():
    """They have the shape of the samples, and are no reconstructions."""
    latents, sample = keras.Input((1,)), keras.Input((1,))
    generator = keras.Model(latents, keras.layers.Dense(1)(latents))
    discriminator = keras.Model(sample, keras.layers.Dense(1, use_bias=False)(sample))
    discriminator.set_weights([np.array([[3.0]])])
    look = look_at(build(generator=generator, discriminator=discriminator), POINTS[:, :1]).look()
    assert look["slope"] == pytest.approx(3.0, rel=1e-6)


def test_of_few_samples_each_comes_several_times():
    signs = look_at(build(), POINTS[:16], num_samples=40)
    assert len(signs.points) == 40
    assert signs.data["distinct"] == pytest.approx(16 / 40)
