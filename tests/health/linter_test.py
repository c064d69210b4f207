"""The linter: silence for the models of the zoo, no trace in what it looks at, one warning."""

import functools
import inspect
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo import health
from ganzoo.health import data_checks
from ganzoo.health.dimension import intrinsic_dimension
from tests.check_model import digest, sgd, tiny
from tests.health.set_ups import IMAGES, SHAPE, batched, found, gan, pipelines, wgan

# === The models of the zoo on the data that come with it ===

ALL = [kind for kind in vars(ganzoo).values() if inspect.isclass(kind) and "from_paper" in vars(kind)]
# Their data are images of two kinds, not samples with labels.
TRANSLATORS = ("Pix2Pix", "CycleGAN", "CUT")
CLASSES = {"mnist_10k": 10, "fashion_mnist_10k": 10, "ring": 8, "grid": 25, "swiss_roll": None}


@functools.cache
def embedded(name, batch_size=64):
    return ganzoo.data.load(name, batch_size=batch_size)


@functools.cache
def dimension_once(samples, estimate=intrinsic_dimension):
    return estimate(np.frombuffer(samples[0], samples[1]).reshape(samples[2]))


def test_all_models_are_tested():
    names = {kind.__name__ for kind in ALL}
    assert names >= {"GAN", "WGAN", "WGANGP", "Pix2Pix", "VAE", "R3GAN", "CGAN", "BEGAN", "ACGAN", "InfoGAN"}


@pytest.fixture
def one_estimate(monkeypatch):
    """The dimension of the same samples is estimated once for all models."""
    monkeypatch.setattr(data_checks, "intrinsic_dimension", lambda x: dimension_once((x.tobytes(), x.dtype, x.shape)))


def built(kind, shape, num_classes):
    """The model of the paper, with labels if it needs some."""
    settings = {"filters": 4} if kind in (ganzoo.BEGAN, ganzoo.R3GAN, ganzoo.VQVAE) and len(shape) == 3 else {}
    if kind is ganzoo.StyleGAN2:
        settings = {"base": 64, "max_filters": 4}
    if getattr(kind, "needs_condition", False):
        settings["num_classes"] = num_classes
    return kind.from_paper(shape, **settings)


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind.__name__ not in TRANSLATORS], ids=lambda k: k.__name__)
def test_silent_for_the_papers(kind, one_estimate):
    takes_vectors = kind not in (ganzoo.ACGAN, ganzoo.BEGAN, ganzoo.InfoGAN, ganzoo.StyleGAN2, ganzoo.VQVAE)
    names = ("mnist_10k", "fashion_mnist_10k") + (("ring", "grid", "swiss_roll") if takes_vectors else ())
    models = {}
    for name in names:
        setting = ((28, 28, 1) if name.endswith("10k") else (2,)), CLASSES[name] or 2
        models[setting] = models.get(setting) or built(kind, *setting)
        if CLASSES[name] or models[setting].num_classes is None:
            assert health.check(models[setting], embedded(name)) == []


def test_silent_for_translators(one_estimate):
    edges = ganzoo.Pix2Pix.from_paper((32, 32, 1), filters=4, receptive_field=16)
    assert health.check(edges, embedded("fashion_edges_10k", 4)) == []
    outlines = ganzoo.Pix2Pix.from_paper((64, 64, 3), condition_shape=(64, 64, 1), filters=2, receptive_field=16)
    pairs = ganzoo.data.load("openmoji_pairs", batch_size=1, jitter=True, mirror=True)
    assert health.check(outlines, pairs) == []


# === No trace ===


def test_a_shuffled_dataset_keeps_its_order():
    def orders(look):
        keras.utils.set_random_seed(3)
        data = batched(IMAGES).unbatch().shuffle(32, seed=1).batch(8)
        if look:
            health.check(gan(), data)
        return [np.concatenate(list(data.as_numpy_iterator())) for _ in range(2)]

    plain, checked = orders(False), orders(True)
    np.testing.assert_array_equal(plain, checked)
    assert not np.array_equal(*plain)  # Each pass has an order of its own: one more would have been seen.


@pytest.mark.parametrize("kind", ["ganzoo", "shuffled with a seed"])
def test_training_is_the_same_to_the_bit(kind):
    def trained(look):
        settings = {"networks": ganzoo.networks.mlp, "hidden": (4,), "discriminator_steps": 2}
        model = tiny(ganzoo.WGANGP, SHAPE, **settings, **sgd(), run_eagerly=True)
        data, _ = pipelines()[kind]
        if look:
            health.check(model, data)
            assert model.metrics == []
        model.fit(data, verbose=0)
        return digest(model)

    assert trained(True) == trained(False)


def test_data_that_do_not_fit_are_refused_as_in_fit():
    with pytest.raises(ValueError, match="The dataset is not batched"):
        health.check(gan(), tf.data.Dataset.from_tensor_slices(IMAGES))


def test_a_loss_that_cannot_be_traced_leaves_no_trace():
    """It is not looked at then, and the log of the training is whole."""

    class Concrete(ganzoo.GAN):
        def discriminator_loss(self, critic, real, fake):
            loss = super().discriminator_loss(critic, real, fake)
            self.track(of_python=float(loss))
            return loss

    model = tiny(Concrete, SHAPE, hidden=(4,), run_eagerly=True)
    assert found(model, batched(IMAGES)) == []
    history = model.fit(batched(IMAGES), verbose=0).history
    assert {"d_loss", "g_loss", "of_python"} <= set(history)


# === The warning ===


def test_warning_lists_the_findings():
    model = wgan(discriminator_optimizer="adam", discriminator_steps=2)
    with pytest.warns(UserWarning, match=r"WGAN is about to be trained.*check=False") as caught:
        model.fit(batched(IMAGES / 2 + 0.5), verbose=0)
    (warning,) = caught
    text = str(warning.message)
    assert "\n- momentum_with_clipping: " in text and "\n- unit_range: " in text
    assert text.count("[") >= 2 and "arXiv:1511.06434" in text
    assert warning.filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(batched(IMAGES / 2 + 0.5), verbose=0)  # It is not told twice.


@pytest.mark.filterwarnings("error")
def test_no_warning_if_it_is_meant():
    wgan(discriminator_optimizer="adam", discriminator_steps=2).fit(batched(IMAGES / 2 + 0.5), verbose=0, check=False)


@pytest.mark.filterwarnings("error")
def test_no_warning_of_a_good_training():
    gan().fit(batched(IMAGES), verbose=0)


def test_eight_latents_suffice_for_digits_and_six_do_not():
    data = embedded("mnist_10k")
    small = {"hidden": (4,)}
    assert found(ganzoo.GAN.from_paper((28, 28, 1), latent_dim=8, **small), data) == []
    assert found(ganzoo.GAN.from_paper((28, 28, 1), latent_dim=6, **small), data) == ["few_latents"]
