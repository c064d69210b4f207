"""Prescribed GAN."""

from functools import partial

import keras
import tensorflow as tf
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.density import hmc, importance
from ganzoo.density.noise import LearnedNoise
from ganzoo.models.gan import GAN
from ganzoo.networks import graph
from ganzoo.training import feed, keras_arguments
from ganzoo.training.critic import batch_size_of, unpack
from ganzoo.training.settings import Fixed, Setting
from ganzoo.training.updates import constant, unchanged


@keras.saving.register_keras_serializable("ganzoo")
class PresGAN(GAN):
    """Prescribed GAN: a GAN with a density.

    Learned noise on the generator's output gives the samples a density p with an entropy H. A generator that drops a
    mode has less entropy, so the generator maximises H beside the loss of a GAN. Noise is added to real and generated
    samples alike.

        x_fake = G(z) + sigma e,   e ~ N(0, I),   sigma learned for each pixel
        L_D = -E[log D(x + sigma e)] - E[log(1 - D(x_fake))]
        L_G = -E[log D(x_fake)] - lambda H(p),   H(p) = -E[log p(x_fake)]

    The gradient of the entropy follows from x_fake being a function of (z, e) and the parameters t (weights of G, and
    sigma):

        grad_t H = -E[grad_t log p(x)] - E[grad_x log p(x_fake) d x_fake / d t]

    The first term, at fixed x, is the gradient of the integral of p. That integral is 1, so the term vanishes. The
    second term contains the score of a mixture of Gaussians,

        grad_x log p(x) = -E_{p(z'|x)}[(x - G(z')) / sigma^2]

    with z' from the posterior, drawn by Hamiltonian Monte Carlo from log p(x | z') + log p(z'). So the loss

        lambda E[score . x_fake],   score = -(x_fake - mean of G(z')) / sigma^2 held constant

    has the gradient -lambda grad_t H in the weights of G and in sigma. Each chain starts at the z that made its x_fake,
    which is already a draw from the posterior. The chain must forget this z: an estimate with z' = z sees only the
    entropy of the noise.

    Reference: [Dieng et al., 2019](https://arxiv.org/abs/1910.04302), Algorithm 1.

    Departures from the paper:

    - The force of the chain is the gradient of the whole joint density. The authors' code leaves out log p(x | z').
    - While the chains run, batch normalization in the generator keeps the statistics of the batch that made x_fake.
      Statistics of the chains' own positions would couple the chains.
    - The step size is adapted to the mean acceptance probability instead of the share of accepted proposals. The
      expectation is the same, with less noise.
    - `log_likelihood` has a proposal of its own, see `ganzoo.density.importance`.

    For half precision use mixed_bfloat16. The force of the chains is divided by sigma^2 and may exceed float16.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> the means of samples.
        discriminator: Built `keras.Model`, samples -> scores (logits).
        entropy_weight: Float, lambda. With `0.0` no chains run. Defaults to `0.01`.
        sigma_min, sigma_max: Floats, the bounds to which sigma is clipped after each update. Defaults to `0.01` and
            `0.3`.
        initial_sigma: Float, the initial sigma, clipped to the bounds. Defaults to `0.313`, which is softplus(-1).
        leapfrog_steps: Integer, steps in a trajectory. Defaults to `5`.
        burn_in: Integer, trajectories before the first draw. The step size is adapted in them. Defaults to `2`.
        posterior_samples: Integer, number of draws z' for each sample. Defaults to `2`.
        initial_step_size: Float. Defaults to `None`: 1 / latent_dim. The adapted step size is saved with the model.
        minimax, latent_dim, discriminator_steps, num_classes, packing, augmentation, ema_decay, seed: See `GAN`.

    Logs: `d_loss`, `g_loss` (without the entropy), `real_probability`, `fake_probability`. `sigma`, its mean over the
    pixels. `acceptance` of the chains in the last update (the target is 0.67), and `step_size`.

    Example:

    >>> gan = ganzoo.PresGAN.from_paper(image_shape=(28, 28, 1))
    >>> gan.fit(ganzoo.data.load("mnist_10k", batch_size=64), epochs=20)
    >>> gan.log_likelihood(held_out_images)
    """

    entropy_weight = Setting(checks.check_weight)
    sigma_min = Fixed()
    sigma_max = Fixed()
    initial_sigma = Fixed()
    leapfrog_steps = Fixed()
    burn_in = Fixed()
    posterior_samples = Fixed()
    initial_step_size = Fixed()

    def __init__(
        self,
        generator,
        discriminator,
        entropy_weight=0.01,
        sigma_min=0.01,
        sigma_max=0.3,
        initial_sigma=0.313,
        leapfrog_steps=5,
        burn_in=2,
        posterior_samples=2,
        initial_step_size=None,
        **kwargs,
    ):
        super().__init__(generator, discriminator, **kwargs)
        self.entropy_weight = entropy_weight
        self.sigma_min = sigma_min
        self.sigma_max = sigma_max
        self.initial_sigma = initial_sigma
        self.leapfrog_steps = leapfrog_steps
        self.burn_in = burn_in
        self.posterior_samples = posterior_samples
        self.initial_step_size = initial_step_size
        step_size = 1.0 / self.latent_dim if initial_step_size is None else initial_step_size
        self.noise = LearnedNoise(self.image_shape, sigma_min, sigma_max, initial_sigma, name="noise")
        self.sampler = hmc.Sampler(step_size, posterior_samples, burn_in, leapfrog_steps, name="sampler")
        self._likelihoods = {}  # Compiled functions, by their settings.

    # === The step ===

    def observed(self, real, fake):
        """Adds the same noise to real and generated samples."""
        noise = self.noise.sigma * self.normal((batch_size_of(real), *self.image_shape))
        return super().observed(real + noise, fake + noise)

    def discriminator_objective(self, update):
        self.track(sigma=tf.reduce_mean(self.noise.sigma))
        return super().discriminator_objective(update)

    def generator_objective(self, update):
        """The loss of the GAN plus the entropy. Both have gradients in the generator and in sigma."""
        adversarial = super().generator_objective(update)
        if not self.entropy_weight:
            return adversarial
        self.track(acceptance=self.sampler.acceptance, step_size=self.sampler.step_size)
        if not update.training:
            return adversarial
        fake = unpack(update.fake, self.packing)
        with unchanged(self.generator), constant():
            decode_and_keep_statistics(self, update.latents, update.condition)
            score = self.score(tf.stop_gradient(fake), update.latents, update.condition)
        # The value is 0, so the logged loss stays readable. The gradient is the gradient of score . x_fake.
        return adversarial + self.entropy_weight * tf.reduce_mean(
            sum_over_pixels(score * (fake - tf.stop_gradient(fake)))
        )

    def score(self, samples, latents, condition):
        """Estimates grad log p at generated samples. The chains start at the latents of the samples."""
        sigma = tf.stop_gradient(self.noise.sigma)

        def log_joint(latents):
            residual = (samples - self.decode(latents, condition, training=False)) / sigma
            return -0.5 * (tf.reduce_sum(latents**2, axis=1) + sum_over_pixels(residual**2))

        draws = self.sampler.draw(log_joint, latents, self.normal, self.uniform)
        means = tf.map_fn(lambda latents: self.decode(latents, condition, training=False), draws.samples)
        self.note(acceptance=draws.acceptance, step_size=draws.step_size)
        return tf.stop_gradient((tf.reduce_mean(means, axis=0) - samples) / sigma**2)

    def after_step(self, values):
        """Stores the adapted step size of the chains."""
        if "step_size" in values:
            self.sampler.keep(values["step_size"], values["acceptance"])

    # === Samples and their density ===

    def generate(self, num_samples=None, seed=0, condition=None, batch_size=64, latents=None, noise=False):
        """Draws samples. Without noise they are the means G(z), as in the paper's pictures.

        Args:
            num_samples, seed, condition, batch_size, latents: See `GenerativeModel.generate`.
            noise: Boolean, whether to add the noise, which makes them samples of the density. Defaults to `False`. The
                SavedModel gives means.
        """
        samples = super().generate(num_samples, seed, condition, batch_size, latents)
        if not noise:
            return samples
        # The seed's second draw. The first made the latents, and the noise must not depend on them.
        numbers = tf.random.stateless_normal(samples.shape, tf.constant([seed, 1], "int64"), alg="philox")
        return (samples + self.noise.sigma * numbers).numpy()

    def log_likelihood(self, samples, condition=None, num_samples=1000, seed=0, batch_size=64, **settings):
        """Estimates log p(x) of each sample, in nats, by importance sampling. See `ganzoo.density.importance`.

        Args:
            samples: Array `(n, ...)` of samples as in training.
            condition: The labels of the samples, for a conditional model.
            num_samples: Integer, draws for each estimate. More draws raise its expectation. Defaults to `1000`.
            seed: Integer. Defaults to `0`.
            batch_size: Integer, number of samples estimated at a time. Defaults to `64`.
            **settings: `candidates`, `burn_in`, `posterior_samples`, `overdispersion` of `importance.log_likelihood`.

        Returns:
            Float32 NumPy array `(n,)`.
        """
        samples = feed.to_float(tf.convert_to_tensor(samples))
        if tuple(samples.shape[1:]) != self.image_shape:
            raise ValueError(
                f"`samples` must have the shape {('n', *self.image_shape)}. Received: {tuple(samples.shape)}"
            )
        _, condition = self.conditions.for_samples(condition, len(samples))
        inputs = [samples, *self.conditions.as_inputs(condition)]
        key = tuple(sorted({**settings, "num_samples": num_samples}.items()))
        if key not in self._likelihoods:
            self._likelihoods[key] = tf.function(partial(self._estimate, dict(key)), autograph=False)
        estimate = partial(self._likelihoods[key], tf.constant(seed, "int64"))
        return importance.in_batches(estimate, inputs, batch_size)

    def _estimate(self, settings, seed, samples, *conditions):
        condition = self.conditions.join(dict(zip(self.conditions, conditions, strict=True)))

        def decode(latents):
            return self.apply_generator(self.sampling_generator, latents, condition, training=False)

        step_size = self.sampler.step_size
        return importance.log_likelihood(
            decode, self.noise.sigma, samples, self.latent_dim, step_size, seed, **settings
        )

    # === Compiling ===

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        sigma_optimizer=None,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
        **kwargs,
    ):
        """Sets the three optimizers. See `AdversarialModel.compile`.

        Args:
            generator_optimizer, discriminator_optimizer, run_eagerly, steps_per_execution, jit_compile: As in
                `AdversarialModel.compile`.
            sigma_optimizer: Optimizer of the noise. Defaults to `None`: the paper's `Adam(2e-4, beta_1=0.5)`.
        """
        keras_arguments.refuse(self.compile, kwargs)
        optimizers = {
            "generator_optimizer": generator_optimizer,
            "discriminator_optimizer": discriminator_optimizer,
            "sigma_optimizer": partial(Adam, 2e-4, beta_1=0.5) if sigma_optimizer is None else sigma_optimizer,
        }
        self.compile_with(optimizers, run_eagerly, steps_per_execution, jit_compile)

    @property
    def trained(self):
        return {**super().trained, "sigma_optimizer": self.noise.trainable_variables}

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        networks=networks.dcgan,
        latent_dim=100,
        filters=64,
        entropy_weight=0.01,
        leapfrog_steps=5,
        burn_in=2,
        posterior_samples=2,
        generator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        discriminator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        sigma_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        **settings,
    ):
        """Returns the compiled model. See `GAN.from_paper` for the arguments."""
        return cls.assemble(locals())


def sum_over_pixels(values):
    """Sums all but the first axis."""
    return tf.reduce_sum(values, axis=range(1, len(values.shape)))


def decode_and_keep_statistics(model, latents, condition):
    """Decodes in training mode. After that, `training=False` normalizes with the statistics of this batch."""
    averages = [
        (average, 1.0 - layer.momentum)
        for layer in graph.batch_normalizations(model.generator)
        if layer.trainable
        for average in (layer.moving_mean, layer.moving_variance)
    ]
    for average, _ in averages:
        # From 0, the update in training mode leaves `share` times the batch statistics. The division below undoes it.
        average.assign(tf.zeros_like(average))
    means = model.decode(latents, condition, training=True)
    for average, share in averages:
        average.assign(average / share)
    return means
