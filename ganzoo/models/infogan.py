"""GAN whose latents have parts with a meaning."""

import math
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.models.gan import GAN
from ganzoo.sampling import SeededNumbers
from ganzoo.training.settings import Fixed, Setting


@keras.saving.register_keras_serializable("ganzoo")
class InfoGAN(GAN):
    """InfoGAN: a GAN that learns, without labels, latent codes which change one property of a sample each.

    A part of the latents is codes c: a class out of K, an angle. A network Q, on the features of the discriminator,
    estimates them from a sample. The game has a second aim for both networks: Q should succeed. Then the codes cannot
    be ignored, and simple codes tend to take up what differs most between samples, such as the class of a digit.

        min_{G, Q} max_D  V(D, G) - lambda L_I(G, Q)                                  (Equation 6)
        L_I(G, Q) = E[log Q(c | G(z, c))] + H(c)  <=  I(c; G(z, c))                   (Equation 5)

    For a categorical code L_I is at most H(c) = log K, 2.302585 for ten classes, where Q is exact.

    Reference: [Chen et al., 2016](https://arxiv.org/abs/1606.03657), Equations 5 and 6, Appendix C.1.

    Departures from the paper:

    - The noise beside the codes is N(0, I) instead of uniform. The generator maximises log D, as in `GAN`.
    - Q of a continuous code is a Gaussian of standard deviation 1 around the estimate, as in the authors' code for
      MNIST.
    - Q is trained in both updates, as in the authors' code: with the discriminator in its own, and the generator's
      update moves only the generator.
    - The generator's last activation is tanh, for images in [-1, 1].

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> samples. The latents are noise, then
            one-hot categorical codes, then continuous codes.
        discriminator: Built `keras.Model`, samples -> a dictionary with `"scores"`, logits `"category_0"`
            `(batch, categories[0])`, ..., and means `"continuous"` `(batch, continuous)`. `ganzoo.networks.infogan` has
            one.
        categories: Sizes of the categorical codes. Defaults to `(10,)`.
        continuous: Integer, number of continuous codes, uniform in [-1, 1]. Defaults to `2`.
        information_weight: Float, lambda. Defaults to `1.0`.
        minimax, latent_dim, discriminator_steps, augmentation, ema_decay, seed: See `GAN`.

    Logs: as `GAN`, with `g_loss` and `d_loss` that hold the information term; `information`, L_I of the categorical
    codes, and `continuous_information`, L_I of the continuous codes, both in nats.

    Raises:
        ValueError: If the discriminator lacks a head, there are more codes than latents, or with packing.

    Example:

    >>> gan = ganzoo.InfoGAN.from_paper((28, 28, 1))
    >>> gan.fit(ganzoo.data.load("mnist_10k", batch_size=128), epochs=50)
    >>> sevens = gan.generate(8, codes={"category_0": 7, "continuous": [0.5, 0.0]})
    """

    categories = Fixed(lambda name, value: tuple(checks.check_at_least_one(name, size) for size in value))
    continuous = Fixed(lambda name, value: checks.integer(name, value, least=0))
    information_weight = Setting(checks.check_weight)

    def __init__(self, generator, discriminator, categories=(10,), continuous=2, information_weight=1.0, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.categories = categories
        self.continuous = continuous
        self.information_weight = information_weight
        check_heads(self)

    # === The codes ===

    @property
    def noise_dim(self):
        """Latents without a meaning, before the codes."""
        return self.latent_dim - sum(self.categories) - self.continuous

    def prior(self, numbers, batch_size):
        """Noise from N(0, I), one-hot codes of equal probability, continuous codes from U[-1, 1]."""
        parts = [numbers.normal((batch_size, self.noise_dim))]
        for size in self.categories:
            chosen = tf.cast(float(size) * numbers.uniform((batch_size, 1))[:, 0], "int32")
            parts.append(tf.one_hot(tf.minimum(chosen, size - 1), size))
        if self.continuous:
            parts.append(2.0 * numbers.uniform((batch_size, self.continuous)) - 1.0)
        return tf.concat(parts, axis=1)

    def codes_of(self, latents):
        """The codes in latents: one-hot `"category_0"`, ..., and `"continuous"`."""
        sizes = [self.noise_dim, *self.categories, *([self.continuous] if self.continuous else [])]
        return dict(zip(self.code_names, tf.split(latents, sizes, axis=1)[1:], strict=True))

    @property
    def code_names(self):
        """The names of the codes, in the order of the latents."""
        return [
            *(f"category_{index}" for index in range(len(self.categories))),
            *["continuous"] * bool(self.continuous),
        ]

    # === The game ===

    def discriminator_objective(self, update):
        return super().discriminator_objective(update) - self.information_weight * sum(self.information(update))

    def generator_objective(self, update):
        loss = super().generator_objective(update)
        information, continuous_information = self.information(update)
        self.track(information=information, continuous_information=continuous_information)
        return loss - self.information_weight * (information + continuous_information)

    def information(self, update):
        """The bounds L_I of the categorical and of the continuous codes, in nats."""
        heads, codes = update.critic.heads(update.fake), self.codes_of(update.latents)
        categorical = continuous = tf.constant(0.0)
        for name, size in zip(self.code_names, self.categories, strict=False):
            log_q = ops.sum(codes[name] * ops.log_softmax(heads[name], axis=-1), axis=-1)
            categorical += ops.mean(log_q) + math.log(size)
        if self.continuous:
            squares = ops.square(codes["continuous"] - heads["continuous"])
            log_q = -0.5 * ops.sum(squares + math.log(2.0 * math.pi), axis=-1)
            continuous += ops.mean(log_q) + self.continuous * math.log(2.0)  # The entropy of U[-1, 1] is log 2.
        return categorical, continuous

    # === For users ===

    def generate(self, num_samples=None, seed=0, condition=None, batch_size=64, latents=None, codes=None):
        """Draws samples, with some codes as you set them.

        Args:
            num_samples, seed, condition, batch_size, latents: See `GenerativeModel.generate`.
            codes: Dictionary of codes to set: `"category_0"`, an integer or one for each sample; `"continuous"`, a row
                of numbers or a row for each sample. The seed draws the others. Defaults to `None`.

        Returns:
            Float32 NumPy array `(num_samples, ...)`.
        """
        if codes is not None:
            num_samples = count_of(codes) if num_samples is None else num_samples
            num_samples = checks.check_num_samples(num_samples)
            if latents is None:
                latents = self.prior(SeededNumbers(checks.check_seed(seed)), num_samples)
            latents = self.with_codes(self.check_latents(latents), codes)
        return super().generate(num_samples, seed, condition, batch_size, latents)

    def with_codes(self, latents, codes):
        """Latents with some codes replaced; see `generate`."""
        unknown = sorted(set(codes) - set(self.code_names))
        if unknown:
            raise ValueError(f"There is no code {unknown[0]!r}. The codes are {', '.join(self.code_names)}.")
        parts = self.codes_of(latents)
        for name, value in codes.items():
            parts[name] = tf.broadcast_to(self._as_code(name, value), tf.shape(parts[name]))
        return tf.concat([latents[:, : self.noise_dim], *parts.values()], axis=1)

    def _as_code(self, name, value):
        if name == "continuous":
            return tf.cast(value, "float32")
        size = self.categories[self.code_names.index(name)]
        labels = np.asarray(value)
        if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= size:
            raise ValueError(f"`{name}` must be integers from 0 to {size - 1}. Received: {value!r}")
        return tf.one_hot(labels, size)

    def add_endpoints(self, archive):
        """The SavedModel's `generate_codes`: `seed` and every code, one for each sample -> `images`, `latents`."""
        specs = [tf.TensorSpec((), "int64", name="seed")]
        specs += [tf.TensorSpec((None,), "int64", name=f"category_{i}") for i in range(len(self.categories))]
        if self.continuous:
            specs.append(tf.TensorSpec((None, self.continuous), "float32", name="continuous"))
        network = self.sampling_generator

        def generate_codes(seed, *codes):
            latents = self.prior(SeededNumbers(seed), tf.shape(codes[0])[0])
            hot = [tf.one_hot(code, size) for code, size in zip(codes, self.categories, strict=False)]
            latents = tf.concat([latents[:, : self.noise_dim], *hot, *codes[len(self.categories) :]], axis=1)
            return {"images": self.apply_generator(network, latents, None, training=False), "latents": latents}

        archive.add_endpoint("generate_codes", generate_codes, specs)

    @classmethod
    def from_paper(
        cls,
        image_shape,
        *,
        networks=networks.infogan,
        noise_dim=62,
        categories=(10,),
        continuous=2,
        filters=64,
        information_weight=1.0,
        generator_optimizer=partial(Adam, 1e-3, beta_1=0.5),
        discriminator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        **settings,
    ):
        """Returns the compiled model; the defaults are the settings for MNIST (Appendix C.1), batches of 128.

        Args:
            image_shape: `(height, width, channels)`.
            noise_dim: Integer, latents beside the codes.
            networks: Family of networks, a module with the functions `generator` and `discriminator`.
            **settings: Any other argument of the networks, the class or `compile`.
            The others are arguments of the networks, of the class, and of `compile`.
        """
        settings = {"latent_dim": noise_dim + sum(categories) + continuous, **settings}
        del noise_dim
        return cls.assemble(locals())


def count_of(codes):
    """The number of samples that codes are given for."""
    counts = [len(value) for name, value in codes.items() if np.ndim(value) == (2 if name == "continuous" else 1)]
    if not counts:
        raise ValueError("Pass num_samples, or one code for each sample.")
    return max(counts)


def check_heads(model):
    """Raises a `ValueError` unless a discriminator has a head for each code."""
    wanted = {name: (None, size) for name, size in zip(model.code_names, (*model.categories, model.continuous))}
    outputs = model.discriminator.output if isinstance(model.discriminator.output, dict) else {}
    found = {name: tuple(tensor.shape) for name, tensor in outputs.items() if name != "scores"}
    if found != wanted:
        raise ValueError(
            f"`discriminator` must have the heads {wanted} beside its scores. Received: {model.discriminator.name} "
            f"with {found or 'none'}. Take ganzoo.networks.infogan.discriminator with the same codes."
        )
    if model.noise_dim < 0:
        raise ValueError(f"The codes take more than the {model.latent_dim} latents. Use more latents or fewer codes.")
    if model.packing != 1:
        raise ValueError(
            f"InfoGAN tells the codes of single samples. Received: packing={model.packing}. Leave it at 1."
        )
