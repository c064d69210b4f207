"""One tiny model of each kind, with weights as large as after a training."""

import functools

import keras
import numpy as np
from keras import layers

import ganzoo

# What somebody might call a class to run a script in the page of a model.
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u2028$title 'a' \"b\""


def unconditional():
    return ganzoo.DCGAN.from_paper((16, 16, 3), filters=4, latent_dim=6, seed=0, ema_decay=0.5)


def conditional():
    names = ["cat", "dog", HOSTILE]
    return ganzoo.DCGAN.from_paper((8, 8, 1), filters=4, latent_dim=6, seed=0, num_classes=3, class_names=names)


def translator():
    shapes = {"image_shape": (16, 16, 3), "condition_shape": (16, 16, 1)}
    return ganzoo.Pix2Pix.from_paper(**shapes, filters=4, generator_depth=2, receptive_field=16, seed=0)


def vae():
    return ganzoo.VAE.from_paper((8, 8, 1), latent_dim=2, hidden=(16,), seed=0)


def attributes():
    """Twelve latents and three attributes -> images with transparency."""
    latents, given = keras.Input((12,), name="latents"), keras.Input((3,), name="attributes")
    x = layers.Dense(8 * 8 * 4, activation="tanh")(layers.Concatenate()([latents, given]))
    generator = keras.Model([latents, given], layers.Reshape((8, 8, 4))(x))
    samples, given = keras.Input((8, 8, 4)), keras.Input((3,))
    scores = layers.Dense(1)(layers.Concatenate()([layers.Flatten()(samples), given]))
    names = ["hat", "<b>beard", "glasses"]
    return ganzoo.GAN(generator, keras.Model([samples, given], scores), attribute_names=names, seed=0)


def infogan():
    """Latents that are not all normal."""
    codes = {"heads": {"category_0": 10, "continuous": 2}, "hidden": (8,)}
    return ganzoo.InfoGAN.from_paper((8, 8, 1), networks=ganzoo.networks.mlp, latent_dim=20, seed=0, **codes)


def cyclegan():
    """No latents."""
    return ganzoo.CycleGAN.from_paper((16, 16, 3), filters=4, blocks=1, receptive_field=16, seed=0)


def stylegan2():
    small = {"base": 32, "max_filters": 4, "mapping_layers": 1, "group_size": 2, "label_layers": 1}
    return ganzoo.StyleGAN2.from_paper((8, 8, 1), latent_dim=6, num_classes=3, seed=0, **small)


def sagan():
    return ganzoo.SAGAN.from_paper((8, 8, 1), latent_dim=6, filters=2, num_classes=3, generator_attention=1, seed=0)


def biggan():
    small = {"filters": 2, "shared_dim": 4, "split_latents": True, "generator_attention": 1}
    return ganzoo.BigGAN.from_paper((8, 8, 1), latent_dim=6, num_classes=3, seed=0, **small)


def r3gan():
    return ganzoo.R3GAN.from_paper((8, 8, 1), latent_dim=6, filters=4, blocks=1, cardinality=2, num_classes=3, seed=0)


def vqvae():
    small = {"filters": 4, "code_dim": 3, "num_codes": 5, "prior_filters": 4, "prior_blocks": 1}
    return ganzoo.VQVAE.from_paper((8, 8, 1), seed=0, **small)


def iwae():
    return ganzoo.IWAE.from_paper((8, 8, 1), latent_dim=3, hidden=(16,), num_samples=2, seed=0)


def wae():
    return ganzoo.WAE.from_paper((8, 8, 1), latent_dim=3, seed=0, networks=ganzoo.networks.autoencoder, hidden=(16,))


KINDS = {"unconditional": unconditional, "conditional": conditional, "translator": translator, "vae": vae}
MORE_KINDS = {"attributes": attributes, "infogan": infogan, "cyclegan": cyclegan}
OF_TODAY = {each.__name__: each for each in (stylegan2, sagan, biggan, r3gan, vqvae, iwae, wae)}


@functools.cache
def made(kind):
    """The model of a kind, for tests that leave it as it is."""
    return make(kind)


def make(kind):
    """A model of a kind, with the same weights each time."""
    keras.utils.set_random_seed(0)
    model = (KINDS | MORE_KINDS | OF_TODAY)[kind]()
    random = np.random.default_rng(0)
    for network in (model.sampling_generator, getattr(model, "encoder", None)):
        for weight in () if network is None else network.weights:
            if len(weight.shape) > 1 and kind == "stylegan2":
                continue  # Its layers scale their kernels of N(0, 1) in each call.
            if len(weight.shape) > 1:  # Outputs as spread out as unit inputs.
                fan_in = np.prod(weight.shape) / weight.shape[-1 if network.name.startswith("enc") else 0]
                weight.assign(random.standard_normal(weight.shape) / np.sqrt(max(fan_in, 1)) ** 0.9)
            else:
                weight.assign(random.uniform(0.5, 1.5, weight.shape))
    return model


def inputs_of(specs, count, seed=1):
    """Random inputs of an endpoint: a dictionary of arrays."""
    random = np.random.default_rng(seed)
    return {
        spec.name: random.integers(0, 3, (count, *spec.shape[1:])).astype(spec.dtype.as_numpy_dtype)
        if spec.dtype.is_integer
        else np.clip(random.standard_normal((count, *spec.shape[1:])), -1, 1).astype("float32")
        for spec in specs
    }
