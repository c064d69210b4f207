"""Two models that are hard to fit into a frame, in 60 lines each, of documented parts only."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from tests import check_model as contracts
from tests.sketches import stylegan2, vq_vae

CHECKS = [
    contracts.config_round_trip,
    contracts.resumes_with_the_same_bits,
    contracts.replicas_agree,
    contracts.trains_in_half_precision,
    contracts.generates_a_function_of_the_seed,
]


def make_stylegan2(**overrides):
    keras.utils.set_random_seed(0)
    discriminator = ganzoo.networks.dcgan.discriminator((8, 8, 1), filters=4, normalization=None)
    settings = {"seed": 1, "r1_weight": 1.0, "penalty_interval": 2, **overrides}
    compiled = {name: settings.pop(name) for name in ("run_eagerly", "jit_compile") if name in settings}
    optimizers = {name: settings.pop(name, keras.optimizers.Adam(1e-3)) for name in contracts.ADVERSARIAL}
    model = stylegan2.StyleGAN2(stylegan2.generator(), discriminator, **settings)
    model.compile(**optimizers, **compiled)
    return model


def make_vq_vae(**overrides):
    keras.utils.set_random_seed(0)
    compiled = {name: overrides.pop(name) for name in ("run_eagerly", "jit_compile") if name in overrides}
    optimizer = overrides.pop("optimizer", keras.optimizers.Adam(1e-3))
    model = vq_vae.VQVAE(*vq_vae.networks(), seed=1, **overrides)
    model.compile(optimizer, **compiled)
    return model


make_vq_vae.optimizers = ("optimizer",)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_stylegan2_keeps_the_contracts(check, tmp_path):
    logs = {"d_loss", "g_loss", "real_probability", "fake_probability", "r1", "path_length"}
    check(make_stylegan2, logs, tmp_path)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_vq_vae_keeps_the_contracts(check, tmp_path):
    check(make_vq_vae, {"loss"}, tmp_path)


@pytest.mark.parametrize("make", [make_stylegan2, make_vq_vae])
def test_the_saved_model_draws_from_the_prior(make, tmp_path):
    model = make()
    contracts.train(model, steps=3)
    model.export(tmp_path / "1")
    signature = tf.saved_model.load(str(tmp_path / "1")).signatures["generate"]
    drawn = signature(seed=tf.constant(5, "int64"), num_samples=tf.constant(4, "int64"))
    np.testing.assert_array_equal(drawn["images"], ganzoo.images.to_uint8(model.generate(4, seed=5)))
    assert drawn["latents"].shape == (4, *model.latent_shape)


def test_the_learned_prior_moves_in_training_only():
    model = make_vq_vae(run_eagerly=True)
    before = model.shares.numpy()
    model.evaluate(contracts.dataset_for(model, 2), verbose=0)
    np.testing.assert_array_equal(model.shares.numpy(), before)
    contracts.train(model, steps=1)
    assert not np.array_equal(model.shares.numpy(), before)


@pytest.mark.parametrize("sketch", [stylegan2, vq_vae])
def test_a_sketch_is_short_and_uses_nothing_private(sketch):
    lines = Path(sketch.__file__).read_text().splitlines()
    code = [line for line in lines if line.strip() and not line.strip().startswith(("#", '"""'))]
    assert len(code) <= 60
    assert not [line for line in code if re.search(r"\._(?!_)", line)]
