"""DRAGAN, a GAN with a gradient penalty around the data."""

from functools import partial

import keras
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.models.gan import GAN
from ganzoo.penalties import dragan_penalty
from ganzoo.training.model_checks import check_no_batch_normalization
from ganzoo.training.settings import Setting


@keras.saving.register_keras_serializable("ganzoo")
class DRAGAN(GAN):
    """Deep regret analytic GAN.

    The authors explain mode collapse as a bad local equilibrium of a non-convex game. Sharp gradients of the
    discriminator at the data announce it. So this model adds a penalty to the losses of `GAN`, which asks for gradients
    of norm 1 near the data.

        L_D = -E[log D(x)] - E[log(1 - D(G(z)))] + lambda E[(||grad D(x + delta)||_2 - 1)^2]      (Algorithm 1)
        L_G = -E[log D(G(z))]

    Reference: [Kodali et al., 2017](https://arxiv.org/abs/1705.07215), Algorithm 1.

    Departures from the paper:

    - delta = a std(x) / 2 * U[0, 1] for each entry, with a ~ U[0, 1] for each sample, as in the authors' code. The
      paper prints N(0, c I).
    - The data lie in [-1, 1]. In the authors' code they lie in [0, 1], where a slope of 1 is half as steep.
    - The penalty is on the gradient of the logit, which the losses take. In the paper's text, D is the probability.
    - The norm has 1e-12 inside its square root, as in `WGANGP`.
    - `from_paper` has the networks of DCGAN, without normalization in the discriminator, for the same reason as
      WGAN-GP. The optimizers come from the authors' code.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> samples.
        discriminator: Built `keras.Model`, samples -> logits. Batch normalization raises an error.
        gradient_penalty_weight: Float, lambda. Defaults to `10.0`.
        minimax, latent_dim, discriminator_steps, num_classes, packing, augmentation, ema_decay, seed: See `GAN`.

    Logs: as `GAN`, and `gradient_penalty`, without lambda.

    Example:

    >>> gan = ganzoo.DRAGAN.from_paper(image_shape=(28, 28, 1))
    >>> gan.fit(ganzoo.data.load("fashion_mnist_10k", batch_size=64), epochs=20)
    """

    gradient_penalty_weight = Setting(checks.check_weight)

    def __init__(self, generator, discriminator, gradient_penalty_weight=10.0, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        check_no_batch_normalization(discriminator)
        self.gradient_penalty_weight = gradient_penalty_weight

    def discriminator_loss(self, critic, real, fake):
        penalty = dragan_penalty(critic, real, self.uniform)
        self.track(gradient_penalty=penalty)
        return super().discriminator_loss(critic, real, fake) + self.gradient_penalty_weight * penalty

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        networks=networks.dcgan,
        latent_dim=100,
        filters=64,
        normalization=None,
        gradient_penalty_weight=10.0,
        generator_optimizer=partial(Adam, 1e-4, beta_1=0.5, beta_2=0.9),
        discriminator_optimizer=partial(Adam, 1e-4, beta_1=0.5, beta_2=0.9),
        **settings,
    ):
        """Returns the compiled model. See `GAN.from_paper` for the arguments."""
        return cls.assemble(locals())
