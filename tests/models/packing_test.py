"""PacGAN's packing, an argument of every adversarial model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.training.critic import pack, unpack
from tests.check_model import (
    jit_compiles,
    replicas_agree,
    resumes_with_the_same_bits,
    tiny,
)
from tests.scalar_networks import compiled, scalar_generator

LOGS = {"d_loss", "g_loss", "wasserstein", "gradient_penalty"}


def make(**overrides):
    settings = {"networks": ganzoo.networks.mlp, "hidden": (4,), "gradient_penalty_weight": 0.1, "packing": 2}
    return tiny(ganzoo.WGANGP, (4, 4, 1), **{**settings, **overrides})


@pytest.mark.parametrize("check", [resumes_with_the_same_bits, replicas_agree, jit_compiles])
def test_contracts(check, tmp_path):
    """With labels, which have to stay with their samples."""
    check(lambda **overrides: make(num_classes=3, **overrides), LOGS, tmp_path)


def test_a_pack_holds_neighbours_as_channels():
    images = np.arange(4 * 2 * 3 * 2).reshape(4, 2, 3, 2).astype("float32")
    packs = pack(tf.constant(images), 2).numpy()
    assert packs.shape == (2, 2, 3, 4)
    np.testing.assert_array_equal(packs[1], np.concatenate([images[2], images[3]], axis=-1))
    np.testing.assert_array_equal(unpack(tf.constant(packs), 2), images)
    np.testing.assert_array_equal(pack(tf.constant([[1.0, 2], [3, 4]]), 2), [[1, 2, 3, 4]])
    np.testing.assert_array_equal(pack(tf.constant([5, 6, 7, 8]), 2), [[5, 6], [7, 8]])


def test_each_pack_is_of_one_kind():
    """Real samples are 1 everywhere, generated ones 0: no pack may hold both."""
    model = make(packing=4, augmentation=None, run_eagerly=True)
    seen = []

    def record(critic, real, fake):
        seen.extend([real.numpy(), fake.numpy()])
        return tf.reduce_mean(critic(real)) - tf.reduce_mean(critic(fake))

    model.discriminator_loss = record
    model.decode = lambda latents, condition, training: tf.zeros((latents.shape[0], 4, 4, 1))
    model.update_discriminator(tf.ones((8, 4, 4, 1)))
    real, fake = seen
    assert real.shape == fake.shape == (2, 4, 4, 4)
    assert (real == 1).all() and (fake == 0).all()


def test_exchanging_samples_between_packs_changes_no_expectation():
    """Over all orders of four samples, the mean loss is that of each order's packs: no order is preferred.

    The critic sees pairs, D(x, y) = x y. The mean over random orders of the mean over packs is the mean over all pairs.
    """
    samples = np.random.default_rng(0).normal(size=(6, 1)).astype("float32")
    pairs = [samples[i, 0] * samples[j, 0] for i in range(6) for j in range(6) if i != j]
    random = np.random.default_rng(1)
    losses = [
        float(tf.reduce_mean(tf.reduce_prod(pack(tf.constant(samples[random.permutation(6)]), 2), axis=1)))
        for _ in range(4000)
    ]
    np.testing.assert_allclose(np.mean(losses), np.mean(pairs), atol=5 * np.std(losses) / np.sqrt(4000))


def test_a_packed_critic_tells_a_collapsed_generator():
    """D(x, y) = |x - y| scores packs of equal samples 0, whatever their value: no single sample shows it."""
    packs = keras.Input((2,), name="image")
    difference = keras.layers.Dense(1, use_bias=False)
    discriminator = keras.Model(packs, keras.ops.abs(difference(packs)))
    difference.set_weights([np.array([[1.0], [-1.0]])])
    model = compiled(ganzoo.WGAN(scalar_generator(), discriminator, packing=2, clip_value=1.0))
    model.generator.set_weights([np.zeros((1, 1)), np.ones(1)])  # always 1
    logs = model.test_on_batch(np.array([[0.0], [2.0], [0.0], [2.0]], "float32"), return_dict=True)
    assert logs["wasserstein"] == pytest.approx(2.0)  # The means are equal; the packs are not.


def test_the_penalty_is_that_of_the_packs():
    """A linear critic of slopes 3 and 4 on the two samples of a pack: (5 - 1)^2, in the plane of packs."""
    packs = keras.Input((2,), name="image")
    slopes = keras.layers.Dense(1, use_bias=False)
    discriminator = keras.Model(packs, slopes(packs))
    slopes.set_weights([np.array([[3.0], [4.0]])])
    model = compiled(ganzoo.WGANGP(scalar_generator(), discriminator, packing=2))
    logs = model.test_on_batch(np.ones((4, 1), "float32"), return_dict=True)
    assert logs["gradient_penalty"] == pytest.approx(16.0, rel=1e-5)


@pytest.mark.parametrize("model", [ganzoo.GAN, ganzoo.DCGAN, ganzoo.WGAN, ganzoo.LSGAN, ganzoo.DRAGAN, ganzoo.R3GAN])
def test_every_model_packs(model):
    gan = tiny(model, (2,), hidden=(4,), packing=3, num_classes=5, run_eagerly=True)
    data = np.random.default_rng(0).normal(size=(6 * gan.batches_per_step, 2)).astype("float32")
    logs = gan.train_on_batch(data, np.arange(len(data)) % 5, return_dict=True)
    assert np.isfinite(list(logs.values())).all()
    assert gan.generate(4, condition=3).shape == (4, 2)
    assert gan.get_config()["packing"] == 3


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda: make(packing=0), "`packing` must be an integer of at least 1"),
        (lambda: make(packing=2.0), "`packing` must be an integer of at least 1"),
        (
            lambda: make(discriminator_steps=1).fit(-np.ones((9, 4, 4, 1), "float32"), batch_size=3),
            "packs of packing=2.*multiple of 2",
        ),
        (lambda: make(discriminator_steps=1).train_on_batch(-np.ones((3, 4, 4, 1), "float32")), "packs of packing=2"),
        (
            lambda: ganzoo.WGANGP(scalar_generator(), ganzoo.networks.mlp.discriminator((1,), (2,)), packing=2),
            r"packs of 2 have the shape \(2,\), and the discriminator takes samples of shape \(1,\)",
        ),
    ],
)
def test_what_is_refused(act, words):
    with pytest.raises(ValueError, match=words):
        act()
