"""Prescribed GAN."""

import functools

import keras
import tensorflow as tf

from ganzoo import checks, networks
from ganzoo.density import hmc, importance
from ganzoo.density.noise import LearnedNoise
from ganzoo.models.adversarial_model import batch_size_of, build_optimizer, unchanged
from ganzoo.models.gan import GAN
from ganzoo.training import feed


@keras.saving.register_keras_serializable("ganzoo")
class PresGAN(GAN):
    """Prescribed GAN: a GAN with a density.

    Learned noise on the generator's output gives the samples a density p, and with it an entropy H, which the generator
    maximises beside the loss of a GAN: a generator that drops a mode has less of it. Both networks see noised samples.

        x_fake = G(z) + sigma e,   e ~ N(0, I),   sigma learned for each pixel
        L_D = -E[log D(x + sigma e)] - E[log(1 - D(x_fake))]
        L_G = -E[log D(x_fake)] - lambda H(p),   H(p) = -E[log p(x_fake)]

    The gradient of the entropy: x_fake is a function of (z, e) and the parameters t (weights of G, and sigma), so that

        grad_t H = -E[grad_t log p(x)] - E[grad_x log p(x_fake) d x_fake / d t]

    where the first term, at fixed x, is the gradient of the integral of p, which is 1: it vanishes. The score in the
    second one is that of a mixture of Gaussians,

        grad_x log p(x) = -E_{p(z'|x)}[(x - G(z')) / sigma^2]

    with z' from the posterior, drawn by Hamiltonian Monte Carlo from log p(x | z') + log p(z'). So the loss

        lambda E[score . x_fake],   score = -(x_fake - mean of G(z')) / sigma^2 held constant

    has the gradient -lambda grad_t H in the weights of G and in sigma. Each chain starts at the z that made its x_fake,
    a draw from that very posterior. What it must do is forget it: an estimate with z' = z sees no entropy but that of
    the noise.

    Reference: [Dieng et al., 2019](https://arxiv.org/abs/1910.04302), Algorithm 1.

    Departures from the paper:

    - The force of the chain is the gradient of the whole joint density; that of the authors' code leaves out
      log p(x | z').
    - While the chains run, batch normalization in the generator keeps the statistics of the batch that made x_fake:
      those of their own positions would couple the chains.
    - The step size is adapted to the mean probability of acceptance instead of the share of accepted proposals: the
      same expectation, less noise.
    - `log_likelihood` has its own proposal, see `ganzoo.density.importance`.

    In half precision take mixed_bfloat16: the force of the chains, divided by sigma^2, may exceed float16.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> the means of samples.
        discriminator: Built `keras.Model`, samples -> scores (logits).
        entropy_weight: Float, lambda. `0.0` makes no chains. Defaults to `0.01`.
        sigma_min, sigma_max: Floats, the bounds of sigma, truncated after each update. Defaults to `0.01` and `0.3`.
        initial_sigma: Float, moved into the bounds. Defaults to `0.313`, that is softplus(-1).
        leapfrog_steps: Integer, steps in a trajectory. Defaults to `5`.
        burn_in: Integer, trajectories before the first draw, in which the step size is adapted. Defaults to `2`.
        posterior_samples: Integer, draws z' for each sample. Defaults to `2`.
        initial_step_size: Float. Defaults to `None`: 1 / latent_dim. The adapted one is saved with the model.
        minimax, latent_dim, discriminator_steps, num_classes, packing, augmentation, ema_decay, seed: See `GAN`.

    Logs: `d_loss`, `g_loss` (without the entropy), `real_probability`, `fake_probability`; `sigma`, its mean over the
    pixels; `acceptance`, of the last update's chains (the target is 0.67), and `step_size`.

    Example:

    >>> gan = ganzoo.PresGAN.from_paper(image_shape=(28, 28, 1))
    >>> gan.fit(ganzoo.data.load("mnist_10k", batch_size=64), epochs=20)
    >>> gan.log_likelihood(held_out_images)
    """

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
        self.entropy_weight = checks.check_weight("entropy_weight", entropy_weight)
        step_size = 1.0 / self.latent_dim if initial_step_size is None else initial_step_size
        self.noise = LearnedNoise(self.image_shape, sigma_min, sigma_max, initial_sigma, name="noise")
        self.sampler = hmc.Sampler(step_size, posterior_samples, burn_in, leapfrog_steps, name="sampler")
        self._likelihoods = {}  # Compiled functions by their settings.
        self.settings = {
            "entropy_weight": entropy_weight,
            "sigma_min": sigma_min,
            "sigma_max": sigma_max,
            "initial_sigma": initial_sigma,
            "leapfrog_steps": leapfrog_steps,
            "burn_in": burn_in,
            "posterior_samples": posterior_samples,
            "initial_step_size": initial_step_size,
        }

    # === The step ===

    def real_and_fake(self, real, condition, training):
        """Real and generated samples with the same noise, packed: what the discriminator tells apart."""
        means = self.decode(self.latents(batch_size_of(real)), condition, training)
        noise = self.noise.sigma * self.normal((batch_size_of(real), *self.image_shape))
        self.track(sigma=tf.reduce_mean(self.noise.sigma))
        if self.entropy_weight:
            self.track(acceptance=self.sampler.acceptance, step_size=self.sampler.step_size)
        return self.pack(real + noise), self.pack(means + noise)

    def update_generator(self, real, condition=None):
        """Makes one update of the generator and one of sigma, along the gradients at the same samples."""
        latents, noise = self.latents(batch_size_of(real)), self.normal((batch_size_of(real), *self.image_shape))
        noised_real = self.pack(real + self.noise.sigma * noise)
        critic = self.critic(condition)
        with unchanged(self.generator):
            means = decode_and_keep_statistics(self, latents, condition)
            samples = means + self.noise.sigma * noise
            score = self.score(samples, latents, condition) if self.entropy_weight else tf.zeros_like(samples)

        def losses(means):
            fake = means + self.noise.sigma * noise
            adversarial = self.generator_loss(critic, noised_real, self.pack(fake))
            return adversarial, self.entropy_weight * tf.reduce_mean(sum_over_pixels(score * fake))

        def generator_objective():
            adversarial, entropy = losses(self.decode(latents, condition, training=True))
            self.track(g_loss=adversarial)
            return adversarial + entropy

        with unchanged(self.discriminator):
            loss = self.minimize(generator_objective, self.generator_optimizer, self.generator.trainable_variables)
            self.minimize(lambda: sum(losses(means)), self.sigma_optimizer, self.noise.trainable_variables)
        return loss

    def score(self, samples, latents, condition):
        """Estimates grad log p at generated samples, with chains that start at the latents that made them."""
        sigma = self.noise.sigma

        def log_joint(latents):
            residual = (samples - self.decode(latents, condition, training=False)) / sigma
            return -0.5 * (tf.reduce_sum(latents**2, axis=1) + sum_over_pixels(residual**2))

        draws = self.sampler.draw(log_joint, latents, self.normal, self.uniform)
        means = tf.map_fn(lambda latents: self.decode(latents, condition, training=False), draws)
        return tf.stop_gradient((tf.reduce_mean(means, axis=0) - samples) / sigma**2)

    # === Samples and their density ===

    def generate(self, num_samples=None, seed=0, condition=None, batch_size=64, noise=False):
        """Draws samples, without the noise as in the paper's pictures: the means G(z).

        Args:
            num_samples, seed, condition, batch_size: See `GenerativeModel.generate`.
            noise: Boolean, add the noise: samples of the density. Defaults to `False`; the SavedModel has means.
        """
        samples = super().generate(num_samples, seed, condition, batch_size)
        if not noise:
            return samples
        numbers = tf.random.stateless_normal(samples.shape, tf.constant([seed, 1], "int64"), alg="philox")
        return (samples + self.noise.sigma * numbers).numpy()

    def log_likelihood(self, samples, condition=None, num_samples=1000, seed=0, batch_size=64, **settings):
        """Estimates log p(x) of each sample, in nats, by importance sampling: see `ganzoo.density.importance`.

        Args:
            samples: Array `(n, ...)` of samples as in training.
            condition: For a conditional model: their labels.
            num_samples: Integer, draws for each estimate; more of them raise its expectation. Defaults to `1000`.
            seed: Integer. Defaults to `0`.
            batch_size: Integer, how many samples are estimated at a time. Defaults to `64`.
            **settings: `candidates`, `burn_in`, `posterior_samples`, `overdispersion` of `importance.log_likelihood`.

        Returns:
            Float32 NumPy array `(n,)`.
        """
        samples = feed.to_float(tf.convert_to_tensor(samples))
        if tuple(samples.shape[1:]) != self.image_shape:
            raise ValueError(
                f"`samples` must have the shape {('n', *self.image_shape)}. Received: {tuple(samples.shape)}"
            )
        _, condition = self.condition_kind.for_samples(condition, len(samples))
        inputs = [samples] if condition is None else [samples, condition]
        key = tuple(sorted({**settings, "num_samples": num_samples}.items()))
        if key not in self._likelihoods:
            self._likelihoods[key] = tf.function(functools.partial(self._estimate, dict(key)), autograph=False)
        estimate = functools.partial(self._likelihoods[key], tf.constant(seed, "int64"))
        return importance.in_batches(estimate, inputs, batch_size)

    def _estimate(self, settings, seed, samples, condition=None):
        def decode(latents):
            inputs = latents if condition is None else [latents, condition]
            return tf.cast(self.sampling_generator(inputs, training=False), "float32")

        step_size = self.sampler.step_size
        return importance.log_likelihood(
            decode, self.noise.sigma, samples, self.latent_dim, step_size, seed, **settings
        )

    # === Compiling ===

    def compile(
        self,
        generator_optimizer,
        discriminator_optimizer,
        sigma_optimizer=None,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
    ):
        """Sets the three optimizers; see `AdversarialModel.compile`.

        Args:
            generator_optimizer, discriminator_optimizer, run_eagerly, steps_per_execution, jit_compile: As there.
            sigma_optimizer: That of the noise. Defaults to `None`: the paper's `Adam(2e-4, beta_1=0.5)`.
        """
        super().compile(generator_optimizer, discriminator_optimizer, run_eagerly, steps_per_execution, jit_compile)
        optimizer = keras.optimizers.get(sigma_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5))
        if optimizer is generator_optimizer or optimizer is discriminator_optimizer:
            raise ValueError(
                "`sigma_optimizer` must be one of its own. Received that of a network: pass another object."
            )
        with self.distribute_strategy.scope():  # Its gradient passes the discriminator.
            self.sigma_optimizer = build_optimizer(optimizer, self.noise.trainable_variables, [self.discriminator])

    def get_compile_config(self):
        sigma_optimizer = keras.saving.serialize_keras_object(self.sigma_optimizer)
        return {**super().get_compile_config(), "sigma_optimizer": sigma_optimizer}

    @classmethod
    def from_paper(cls, image_shape, num_classes=None, **overrides):
        """Returns the compiled model; see `GAN.from_paper` for the arguments."""
        paper = {
            "latent_dim": 100,
            "filters": 64,
            "entropy_weight": 0.01,
            "leapfrog_steps": 5,
            "burn_in": 2,
            "posterior_samples": 2,
            "generator_optimizer": keras.optimizers.Adam(2e-4, beta_1=0.5),
            "discriminator_optimizer": keras.optimizers.Adam(2e-4, beta_1=0.5),
            "sigma_optimizer": keras.optimizers.Adam(2e-4, beta_1=0.5),
        }
        return cls.assemble(networks.dcgan, image_shape, num_classes, paper, overrides)

    def get_config(self):
        return {**super().get_config(), **self.settings}


def sum_over_pixels(values):
    """Sums all but the first axis."""
    return tf.reduce_sum(values, axis=range(1, len(values.shape)))


def decode_and_keep_statistics(model, latents, condition):
    """Decodes in training mode, and lets `training=False` normalize with the statistics of this batch from then on."""
    averages = [
        (average, 1.0 - layer.momentum)
        for layer in model.generator._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
        for average in (layer.moving_mean, layer.moving_variance)
    ]
    for average, _ in averages:
        average.assign(tf.zeros_like(average))
    means = model.decode(latents, condition, training=True)
    for average, share in averages:
        average.assign(average / share)
    return means
