"""Models learn, in seconds and with a seed: eight Gaussians on a circle."""

import keras
import numpy as np

import ganzoo
from tests.check_model import tiny

CENTERS = ganzoo.data.toys.ring_centers()


def modes_and_quality(points, radius=0.2):
    """How many of the eight modes have a sample in a hundred near them, and the share of samples near any."""
    distances = np.linalg.norm(points[:, None] - CENTERS, axis=-1)
    nearest, near = distances.argmin(axis=1), distances.min(axis=1) < radius
    counts = np.bincount(nearest[near], minlength=8)
    return int((counts > len(points) / 100).sum()), near.mean()


def train_on_the_ring(model, steps, **settings):
    model = tiny(
        model,
        (2,),
        latent_dim=8,
        hidden=(128, 128),
        generator_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9),
        discriminator_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9),
        **settings,
    )
    before = modes_and_quality(model.generate(2000))
    data = ganzoo.data.ring(20_000, batch_size=128)
    history = model.fit(data, epochs=2, steps_per_epoch=steps // 2, verbose=0).history
    return before, modes_and_quality(model.generate(2000)), history


def test_wgan_gp_finds_all_modes_of_the_ring():
    before, (modes, quality), history = train_on_the_ring(ganzoo.WGANGP, steps=800, gradient_penalty_weight=1.0)
    assert before[1] < 0.15
    assert modes == 8
    assert quality > before[1] + 0.1
    # The estimate falls while the samples get better.
    assert 0 < history["wasserstein"][1] < history["wasserstein"][0]


def test_gan_reaches_the_ring():
    """A GAN may drop modes; what it makes lies on the ring."""
    before, (modes, quality), _ = train_on_the_ring(ganzoo.GAN, steps=2000)
    assert before[1] < 0.15
    assert modes >= 5
    assert quality > 0.3
