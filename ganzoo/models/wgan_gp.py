"""Wasserstein GAN with gradient penalty."""

from functools import partial

import keras
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.layers import WGAN_GP_KERNELS
from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.penalties import gradient_penalty
from ganzoo.training.model_checks import check_no_batch_normalization
from ganzoo.training.settings import Setting


@keras.saving.register_keras_serializable("ganzoo")
class WGANGP(AdversarialModel):
    """Wasserstein GAN with gradient penalty.

    An optimal critic has gradients of norm 1 almost everywhere between the real and the generated samples. The penalty
    asks for that instead of clipping weights, which wastes the critic's capacity and lets gradients vanish or explode.

        L_D = E[D(x_fake)] - E[D(x)] + lambda E[(||grad D(x_hat)||_2 - 1)^2]     (Equation 3, line 7 of Algorithm 1)
        L_G = -E[D(G(z))]                                                        (line 12)

    Reference: [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), Algorithm 1.

    Departures from the paper:

    - 1e-12 inside of the norm's square root, whose derivative is infinite at 0 (a norm of 1 moves by 5e-13).
    - `from_paper`: the paper has a network for each experiment; we take those of DCGAN, for images of any size, without
      normalization in the critic and initialised for rectifiers after the authors' code, without its correction for
      strides and in the dense layers as well.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> samples.
        discriminator: Built `keras.Model`, the critic, samples -> scores. Batch normalization is refused.
        gradient_penalty_weight: Float, lambda. Defaults to `10.0`.
        target_norm: Float, the norm that is not penalised. Defaults to `1.0`.
        one_sided: Boolean, penalise only norms above the target: WGAN-LP. A critic that is flatter than 1 somewhere
            is a valid one, and the two-sided penalty still moves it. [Petzka et al.,
            2018](https://arxiv.org/abs/1709.08894). Defaults to `False`, as in the first paper.
        discriminator_steps: Integer, n_critic. Defaults to `5`.
        latent_dim, num_classes, ema_decay, seed: See `AdversarialModel`.

    Logs: `wasserstein`, the estimate E[D(x)] - E[D(x_fake)]; `gradient_penalty`, without lambda; `d_loss`, `g_loss`.

    Raises:
        ValueError: If the critic has batch normalization: the penalty is on the gradient of one score in one sample,
            which batch statistics couple to all others.

    Example:

    >>> gan = ganzoo.WGANGP.from_paper(image_shape=(28, 28, 1))
    >>> gan.fit(ganzoo.data.load("fashion_mnist_10k", batch_size=64), epochs=20)
    """

    gradient_penalty_weight = Setting(checks.check_weight)
    target_norm = Setting(checks.check_weight)
    one_sided = Setting(checks.check_boolean)

    def __init__(
        self,
        generator,
        discriminator,
        gradient_penalty_weight=10.0,
        target_norm=1.0,
        one_sided=False,
        discriminator_steps=5,
        **kwargs,
    ):
        super().__init__(generator, discriminator, discriminator_steps=discriminator_steps, **kwargs)
        check_no_batch_normalization(discriminator)
        self.gradient_penalty_weight = gradient_penalty_weight
        self.target_norm = target_norm
        self.one_sided = one_sided

    def discriminator_loss(self, critic, real, fake):
        wasserstein = ops.mean(critic(real)) - ops.mean(critic(fake))
        penalty = gradient_penalty(critic, real, fake, self.uniform, self.target_norm, self.one_sided)
        self.track(wasserstein=wasserstein, gradient_penalty=penalty)
        return -wasserstein + self.gradient_penalty_weight * penalty

    def generator_loss(self, critic, real, fake):
        return -ops.mean(critic(fake))

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        networks=networks.dcgan,
        latent_dim=128,
        filters=64,
        normalization=None,
        kernel_initializer=WGAN_GP_KERNELS,
        gradient_penalty_weight=10.0,
        one_sided=False,
        discriminator_steps=5,
        generator_optimizer=partial(Adam, 1e-4, beta_1=0.0, beta_2=0.9),
        discriminator_optimizer=partial(Adam, 1e-4, beta_1=0.0, beta_2=0.9),
        **settings,
    ):
        """Returns the compiled model; the defaults are the paper's settings.

        Args:
            image_shape: `(height, width, channels)` or `(dimensions,)`.
            num_classes: Integer, or `None` (the default) for an unconditional model. `num_attributes=K`, a setting of
                the networks, makes it conditional on attributes.
            networks: Family of networks, a module with the functions `generator` and `discriminator`. For vectors it is
                `ganzoo.networks.mlp`.
            **settings: Any other argument of the networks, the class or `compile`. With `generator_` or
                `discriminator_` before its name it concerns that network alone: `discriminator_filters=32`.

        The other arguments are those of the networks, of the class and of `compile`.
        """
        return cls.assemble(locals())
