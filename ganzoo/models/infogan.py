"""InfoGAN, a GAN that learns latent codes with a meaning."""

import math
from functools import partial

import keras
import tensorflow as tf
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.images import to_uint8
from ganzoo.models.gan import GAN
from ganzoo.networks.heads import read_heads
from ganzoo.networks.infogan import sizes_of
from ganzoo.sampling import SeededNumbers
from ganzoo.training.codes import Codes
from ganzoo.training.settings import Fixed, Setting


@keras.saving.register_keras_serializable("ganzoo")
class InfoGAN(GAN):
    """InfoGAN: a GAN that learns, without labels, latent codes that each change a single property of a sample.

    Some of the latents are codes c, such as a class out of K or an angle. A network Q on top of the discriminator's
    features estimates the codes of a sample. The generator is trained to make samples from which Q can read the codes,
    so it cannot ignore them. Simple codes tend to pick up the largest differences between samples, such as the class of
    a digit.

        min_{G, Q} max_D  V(D, G) - lambda L_I(G, Q)                                  (Equation 6)
        L_I(G, Q) = E[log Q(c | G(z, c))] + H(c)  <=  I(c; G(z, c))                   (Equation 5)

    Reference: [Chen et al., 2016](https://arxiv.org/abs/1606.03657), Equations 5 and 6, Appendix C.1.

    Departures from the paper:

    - Q and the layers that it shares with the discriminator are trained in the discriminator's update, as in the
      authors' code. Equation 6 trains Q together with the generator.
    - The rest of the latents is noise from N(0, I). In the authors' code it is uniform.
    - The generator maximises log D, as in `GAN` and in the authors' code. Equation 6 has the minimax game
      (`minimax=True`).
    - Q of a continuous code is a Gaussian around the estimate, with the standard deviation 1, as in the authors' code
      for digits.
    - Images lie in [-1, 1] with a tanh. In the authors' code they lie in [0, 1] with a sigmoid.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> samples. The latents are noise, then one-hot
            categorical codes, then continuous codes.
        discriminator: Built `keras.Model`, samples -> a dictionary with `"scores"`, logits `"category_0"`
            `(batch, categories[0])`, ..., and means `"continuous"` `(batch, continuous)`. See
            `ganzoo.networks.infogan`.
        categories: Sizes of the categorical codes. Defaults to `(10,)`.
        continuous: Integer, number of continuous codes, uniform in [-1, 1]. Defaults to `2`.
        information_weight: Float, lambda. Defaults to `1.0`.
        minimax, latent_dim, discriminator_steps, augmentation, ema_decay, seed: See `GAN`.

    Logs: as `GAN`, with the information term in `g_loss` and `d_loss`. `information` is L_I of the categorical codes in
    nats. It is 0 when Q knows nothing and log K when Q is exact, for a code of K values (2.303 for ten).
    `continuous_information` is L_I of the continuous codes. The Gaussian is wider than the range of the code, so the
    value runs from -0.392 per code when Q knows nothing to -0.226 when Q is exact. Only its rise means something.

    Raises:
        ValueError: If the discriminator lacks a head, if there are more codes than latents, or with packing.

    Example:

    >>> gan = ganzoo.InfoGAN.from_paper((28, 28, 1))
    >>> gan.fit(ganzoo.data.load("mnist_10k", batch_size=128), epochs=65)
    >>> kind = gan.generate(8, codes={"category_0": 7, "continuous": [0.5, 0.0]})
    >>> codes = gan.read_codes(kind)
    """

    networks_for_vectors = None

    categories = Fixed(partial(checks.integers, least=2))
    continuous = Fixed(partial(checks.integer, least=0))
    information_weight = Setting(checks.check_weight)

    def __init__(self, generator, discriminator, categories=(10,), continuous=2, information_weight=1.0, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.categories = categories
        self.continuous = continuous
        self.information_weight = information_weight
        self.codes = Codes(self.latent_dim, sizes_of(self.categories, self.continuous))
        check_heads(self)

    def prior(self, numbers, batch_size):
        """Draws noise from N(0, I), one-hot codes with equal probabilities, and continuous codes from U[-1, 1]."""
        return self.codes.draw(numbers, batch_size)

    # === The game ===

    def discriminator_objective(self, update):
        loss = super().discriminator_objective(update)
        return loss - self.information_weight * sum(self.information(update).values())

    def generator_objective(self, update):
        loss = super().generator_objective(update)
        information = self.information(update)
        self.track(**information)
        return loss - self.information_weight * sum(information.values())

    def information(self, update):
        """The bounds L_I of the categorical and the continuous codes, in nats, by their names in the log."""
        estimates, codes = update.critic.heads(update.fake), self.codes.split(update.latents)
        bounds = {}
        if self.categories:
            bounds["information"] = sum(
                categorical_information(estimates[name], codes[name]) for name in self.codes.categories
            )
        if self.continuous:
            bounds["continuous_information"] = gaussian_information(estimates["continuous"], codes["continuous"])
        return bounds

    # === For users ===

    def generate(self, num_samples=None, seed=0, condition=None, batch_size=64, latents=None, codes=None):
        """Draws samples with the codes that you set.

        Args:
            num_samples, seed, condition, batch_size, latents: See `GenerativeModel.generate`. `num_samples` also
                defaults to the number of codes.
            codes: Dictionary of the codes to set: `"category_0"`, an integer or an integer for each sample, and
                `"continuous"`, a row of numbers or a row for each sample. Numbers beyond [-1, 1] exaggerate a property.
                The other codes come from the latents or the seed. Defaults to `None`.

        Returns:
            Float32 NumPy array `(num_samples, ...)`.

        Raises:
            ValueError: If the model has no such code, or a value does not fit it.
        """
        if codes is not None:
            if latents is not None:
                latents = self.check_latents(latents)
                num_samples = len(latents) if num_samples is None else num_samples
            num_samples, codes = self.codes.read(codes, num_samples)
            if latents is None:
                latents = self.prior(SeededNumbers(checks.check_seed(seed)), num_samples)
            if len(latents) == num_samples:  # Otherwise `generate` raises an error.
                latents = self.codes.replace(latents, codes)
        return super().generate(num_samples, seed, condition, batch_size, latents)

    def read_codes(self, samples, batch_size=64):
        """The codes that Q estimates for samples, real or generated.

        Args:
            samples: Array `(count, ...)`, floats in [-1, 1] or uint8 images.
            batch_size: Integer, number of samples read at a time. Defaults to `64`.

        Returns:
            Dictionary of float32 NumPy arrays: `"category_0"`, probabilities `(count, size)`, ..., and `"continuous"`,
            means `(count, continuous)`.
        """
        outputs = read_heads(self.discriminator, samples, batch_size)
        for name in self.codes.categories:
            outputs[name] = ops.convert_to_numpy(ops.softmax(outputs[name]))
        return outputs

    def add_endpoints(self, archive):
        """Adds the endpoint `generate_codes`: `seed` and the codes of each sample -> `images`, `latents`.

        The inputs are `seed`, int64 `()`, `category_0`, int64 `(n,)`, ..., `continuous`, float32 `(n, continuous)`, and
        the conditions, if there are any. Images are uint8, as in the endpoint `generate`.
        """
        network, count = self.sampling_generator, len(self.codes.sizes)

        def generate_codes(seed, *inputs):
            codes = self.codes.encoded(inputs[:count])
            condition = self.conditions.join(dict(zip(self.conditions, inputs[count:], strict=True)))
            latents = self.codes.replace(self.prior(SeededNumbers(seed), tf.shape(inputs[0])[0]), codes)
            samples = self.apply_generator(network, latents, condition, training=False)
            return {"images": to_uint8(samples) if len(self.image_shape) == 3 else samples, "latents": latents}

        seed = tf.TensorSpec((), "int64", name="seed")
        archive.add_endpoint("generate_codes", generate_codes, [seed, *self.codes.specs(), *self.conditions.specs()])

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
        """Returns the compiled model. The defaults are the paper's settings for MNIST (Appendix C.1), batches of 128.

        Args:
            image_shape: `(height, width, channels)`.
            noise_dim: Integer, number of latents that are not codes.
            networks: Family of networks, a module with the functions `generator` and `discriminator`.
            **settings: Any other argument of the networks, the class or `compile`. With the prefix `generator_` or
                `discriminator_` it applies to that network alone: `discriminator_filters=32`.

        The other arguments belong to the networks, the class and `compile`.
        """
        noise_dim = checks.integer("noise_dim", noise_dim, least=0)
        codes = sum(sizes_of(categories, continuous).values())
        settings = {"latent_dim": noise_dim + codes, **settings}
        # `locals()` must hold settings only.
        del noise_dim, codes
        return cls.assemble(locals())


def categorical_information(logits, one_hot):
    """`E[log Q(c | x)] + log K`, L_I of a categorical code of K values with equal probability.

    Args:
        logits: Float tensor `(batch, K)`, the output of Q.
        one_hot: Float tensor `(batch, K)`, the codes.

    Returns:
        Float scalar in nats, at most log K.
    """
    log_q = ops.sum(one_hot * ops.log_softmax(logits, axis=-1), axis=-1)
    return ops.mean(log_q) + math.log(one_hot.shape[-1])


def gaussian_information(means, codes):
    """`E[log N(c; mean, I)] + d log 2`, L_I of d codes from U[-1, 1] if Q is a Gaussian of standard deviation 1.

    Args:
        means: Float tensor `(batch, d)`, the output of Q.
        codes: Float tensor `(batch, d)`.

    Returns:
        Float scalar in nats, at most d (log 2 - log(2 pi) / 2) = -0.226 d.
    """
    log_q = -0.5 * ops.sum(ops.square(codes - means) + math.log(2.0 * math.pi), axis=-1)
    return ops.mean(log_q) + codes.shape[-1] * math.log(2.0)


def check_heads(model):
    """Raises a `ValueError` unless a discriminator has a head for each code."""
    wanted = {name: (None, size) for name, size in model.codes.sizes.items()}
    outputs = model.discriminator.output if isinstance(model.discriminator.output, dict) else {}
    found = {name: tuple(tensor.shape) for name, tensor in outputs.items() if name != "scores"}
    if found != wanted:
        raise ValueError(
            f"`discriminator` must have the heads {wanted} beside its scores. Received: {model.discriminator.name} "
            f"with {found or 'none'}. Take ganzoo.networks.infogan.discriminator with the same codes, or pass "
            f"heads={model.codes.sizes} to another family of networks."
        )
    if model.packing != 1:
        raise ValueError(
            f"InfoGAN reads the codes of single samples. Received: packing={model.packing}. Leave it at 1."
        )
