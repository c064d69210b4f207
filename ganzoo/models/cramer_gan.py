"""Cramér GAN."""

from functools import partial

import keras
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.layers import WGAN_GP_KERNELS
from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.penalties import euclidean_norms, gradient_penalty
from ganzoo.training.critic import batch_size_of
from ganzoo.training.model_checks import check_no_batch_normalization
from ganzoo.training.settings import Setting


@keras.saving.register_keras_serializable("ganzoo")
class CramerGAN(AdversarialModel):
    """Cramér GAN: the energy distance of learned features.

    Gradients of the Wasserstein distance of two small samples are biased: their mean is not the gradient of the
    distance of the distributions. The energy distance has unbiased ones. The critic learns the features h in which it
    is taken, and the generator descends it.

        E(X, Y) = 2 E||X - Y|| - E||X - X'|| - E||Y - Y'||           (the energy distance, of independent copies)
        f(x) = ||h(x) - h(x_g')|| - ||h(x)||                         (the critic)
        L_D  = f(x_g) - f(x) + lambda (||grad f(x_hat)||_2 - 1)^2    (Algorithm 1)
        L_G  = ||h(x) - h(x_g)|| + ||h(x) - h(x_g')|| - ||h(x_g) - h(x_g')||

    x is a real sample, x_g and x_g' are two generated ones. E[L_G] is the energy distance of h(x) and h(x_g), up to
    E||h(x) - h(x')||, which no generator changes. On the line the energy distance is twice the Cramér distance, the
    integral of the squared difference of the distribution functions.

    The exact critic compares x with a second real sample x' in the place of ||h(x)||. The paper replaces h(x') by 0,
    so that one real sample is enough, also with a condition.

    Reference: [Bellemare et al., 2017](https://arxiv.org/abs/1705.10743), Algorithm 1.

    Departures from the paper:

    - 1e-12 inside of the square root of all norms, as in `WGANGP`.
    - `from_paper`: the networks of DCGAN, with the kernels of `WGANGP`, and 256 features in the place of the score.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> samples.
        discriminator: Built `keras.Model`, h: samples -> features `(batch, count)`. The networks of ganzoo have
            `score_dim` features. Batch normalization is refused.
        gradient_penalty_weight: Float, lambda. Defaults to `10.0`.
        discriminator_steps: Integer, n_critic. Defaults to `5`.
        latent_dim, num_classes, packing, augmentation, ema_decay, seed: See `AdversarialModel`.

    Logs: `surrogate`, E[f(x)] - E[f(x_g)], what the critic raises; `gradient_penalty`, without lambda; `d_loss`,
    `g_loss`.

    Raises:
        ValueError: If the critic has batch normalization, as in `WGANGP`.

    Example:

    >>> gan = ganzoo.CramerGAN.from_paper(image_shape=(28, 28, 1))
    >>> gan.fit(ganzoo.data.load("fashion_mnist_10k", batch_size=64), epochs=20)
    """

    gradient_penalty_weight = Setting(checks.check_weight)

    # The outputs of the discriminator are features: there is no score that ranks samples.
    ranks_samples = False

    def __init__(self, generator, discriminator, gradient_penalty_weight=10.0, discriminator_steps=5, **kwargs):
        super().__init__(generator, discriminator, discriminator_steps=discriminator_steps, **kwargs)
        check_no_batch_normalization(discriminator)
        self.gradient_penalty_weight = gradient_penalty_weight

    def discriminator_loss(self, critic, real, fake):
        other = critic(self.more_samples(critic, fake))

        def f(samples):
            features = critic(samples)
            return euclidean_norms(features - other) - euclidean_norms(features)

        surrogate = ops.mean(f(real)) - ops.mean(f(fake))
        penalty = gradient_penalty(f, real, fake, self.uniform)
        self.track(surrogate=surrogate, gradient_penalty=penalty)
        return -surrogate + self.gradient_penalty_weight * penalty

    def generator_loss(self, critic, real, fake):
        h_real, h_fake, h_other = critic(real), critic(fake), critic(self.more_samples(critic, fake))
        apart = euclidean_norms(h_real - h_fake) + euclidean_norms(h_real - h_other)
        return ops.mean(apart - euclidean_norms(h_fake - h_other))

    def more_samples(self, critic, fake):
        """The x_g' of the equations: as many generated samples as `fake` has, of new latents."""
        latents = self.latents(self.packing * batch_size_of(fake))
        return self.pack(self.decode(latents, critic.condition, critic.training))

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        networks=networks.dcgan,
        latent_dim=128,
        filters=64,
        score_dim=256,
        normalization=None,
        kernel_initializer=WGAN_GP_KERNELS,
        gradient_penalty_weight=10.0,
        discriminator_steps=5,
        generator_optimizer=partial(Adam, 1e-4, beta_1=0.5, beta_2=0.9),
        discriminator_optimizer=partial(Adam, 1e-4, beta_1=0.5, beta_2=0.9),
        **settings,
    ):
        """Returns the compiled model; see `GAN.from_paper` for the arguments."""
        return cls.assemble(locals())
