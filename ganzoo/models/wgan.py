"""Wasserstein GAN with weight clipping."""

from functools import partial

import keras
from keras import ops
from keras.optimizers import RMSprop

from ganzoo import checks, networks
from ganzoo.constraints import clip_weights
from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.training.settings import Fixed


@keras.saving.register_keras_serializable("ganzoo")
class WGAN(AdversarialModel):
    """Wasserstein GAN.

    A critic f estimates the Wasserstein-1 distance between real and generated samples, up to its Lipschitz constant.
    Clipping its weights keeps f Lipschitz. The generator minimizes the estimate. Unlike the loss of a GAN, the estimate
    falls while the samples get better.

        max_w  E[f_w(x)] - E[f_w(g(z))],   w <- clip(w, -c, c)    (lines 5-7 of Algorithm 1)
        min_theta  -E[f_w(g_theta(z))]                            (line 10)

    Reference: [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), Algorithm 1.

    What clipping does: after each critic update, it clips every trainable variable, including gamma and beta of
    normalization layers. gamma starts at 1, so the first update moves it to c. The output of each normalized layer then
    has a standard deviation of c. With `clip_normalization=False`, gamma and beta stay free. Deep critics then pass on
    more signal, but only the kernels are bounded and not the function. Kernels that start wider than c are clipped at
    once too: 62 % of weights from N(0, 0.02) lie outside of +-0.01 and start at +-c.

    Departures from the paper: none in the algorithm. The paper does not give RMSProp's rho 0.99 and epsilon 1e-8. They
    and the DCGAN networks come from the authors' code. That code also makes 100 critic updates before each of the first
    25 generator updates and before every 500th, which the paper does not mention. `ganzoo.callbacks.CriticBurnIn()`
    does the same.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> samples.
        discriminator: Built `keras.Model`, the critic f, samples -> scores.
        clip_value: Float, c. Defaults to `0.01`.
        clip_normalization: Boolean, whether gamma and beta of normalization layers are clipped. Defaults to `True`.
        discriminator_steps: Integer, n_critic. Defaults to `5`.
        latent_dim, num_classes, ema_decay, seed: See `AdversarialModel`.

    Logs: `wasserstein`, the estimate E[f(x)] - E[f(g(z))]. `d_loss`, its negative. `g_loss`.

    Example:

    >>> gan = ganzoo.WGAN.from_paper(image_shape=(28, 28, 1))
    >>> data = ganzoo.data.load("mnist_10k", batch_size=64)
    >>> gan.fit(data, epochs=20, callbacks=[ganzoo.callbacks.CriticBurnIn()])
    """

    clip_value = Fixed(checks.check_positive)
    clip_normalization = Fixed(checks.check_boolean)

    def __init__(
        self, generator, discriminator, clip_value=0.01, clip_normalization=True, discriminator_steps=5, **kwargs
    ):
        super().__init__(generator, discriminator, discriminator_steps=discriminator_steps, **kwargs)
        self.clip_value = clip_value
        self.clip_normalization = clip_normalization
        clip_weights(self.discriminator, clip_value, clip_normalization)

    def discriminator_loss(self, critic, real, fake):
        wasserstein = ops.mean(critic(real)) - ops.mean(critic(fake))
        self.track(wasserstein=wasserstein)
        return -wasserstein

    def generator_loss(self, critic, real, fake):
        return -ops.mean(critic(fake))

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        networks=networks.dcgan,
        latent_dim=100,
        filters=64,
        clip_value=0.01,
        discriminator_steps=5,
        # Keras adds epsilon inside the square root, the authors' code outside. 1e-16 is the square of its 1e-8.
        generator_optimizer=partial(RMSprop, 5e-5, rho=0.99, epsilon=1e-16),
        discriminator_optimizer=partial(RMSprop, 5e-5, rho=0.99, epsilon=1e-16),
        **settings,
    ):
        """Returns the compiled model. The defaults are the paper's settings.

        Args:
            image_shape: `(height, width, channels)` or `(dimensions,)`.
            num_classes: Integer, or `None` (the default) for an unconditional model. With `num_attributes=K`, a setting
                of the networks, the model is conditional on attributes.
            networks: Family of networks, a module with the functions `generator` and `discriminator`. Vectors use
                `ganzoo.networks.mlp`.
            **settings: Any other argument of the networks, the class or `compile`. With the prefix `generator_` or
                `discriminator_` it applies to that network alone: `discriminator_filters=32`.

        The other arguments belong to the networks, the class and `compile`.
        """
        return cls.assemble(locals())
