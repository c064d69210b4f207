"""The relativistic paired GAN with two zero-centred gradient penalties."""

from functools import partial

import keras
from keras.optimizers import Adam

from ganzoo import networks
from ganzoo.losses import relativistic_loss
from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.training.model_checks import check_no_batch_normalization


@keras.saving.register_keras_serializable("ganzoo")
class R3GAN(AdversarialModel):
    """R3GAN: relativistic paired GAN (RpGAN) with R1 and R2.

    The discriminator ranks each real sample above a generated one, instead of judging each alone: a generator that
    drops a mode loses the comparisons there, so the loss has no bad local minima. The two penalties, on real and on
    generated samples, make its training converge locally, which RpGAN with R1 alone does not.

        L_D = E[f(D(G(z)) - D(x))] + gamma/2 E[||grad D(x)||^2] + gamma/2 E[||grad D(G(z))||^2]   (Equations 2 and 3)
        L_G = E[f(D(x) - D(G(z)))],   f(t) = log(1 + e^t)

    The signs are chosen so that f is minimised: the paper writes f(t) = -log(1 + e^-t) and a maximum.

    Reference: [Huang et al., 2025](https://arxiv.org/abs/2501.05441), Equations 2 and 3.

    Departures from the paper: `from_paper` has the networks of DCGAN, without normalization in both, in the place of
    the paper's ResNeXt ones, initialised for rectifiers (He et al.), and constant gamma, learning rate and beta_2,
    where the paper's image experiments have schedules for them. `ema_decay` (the paper has an average) is the user's
    choice.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> samples.
        discriminator: Built `keras.Model`, samples -> scores. Batch normalization is refused.
        r1_weight: Float, gamma of the penalty on real samples. Defaults to `1.0`.
        r2_weight: Float, gamma of the penalty on generated samples. Defaults to `1.0`.
        latent_dim, discriminator_steps, num_classes, packing, augmentation, ema_decay, seed: See `AdversarialModel`.

    Logs: `d_loss`, `g_loss` (log 2 = 0.693 where the discriminator knows nothing), `score_gap` E[D(x)] - E[D(G(z))],
    and the penalties `r1` and `r2`, without weights.

    Example:

    >>> gan = ganzoo.R3GAN.from_paper(image_shape=(28, 28, 1), ema_decay=0.999)
    >>> gan.fit(ganzoo.data.load("fashion_mnist_10k", batch_size=64), epochs=20)
    """

    def __init__(self, generator, discriminator, r1_weight=1.0, r2_weight=1.0, **kwargs):
        super().__init__(generator, discriminator, r1_weight=r1_weight, r2_weight=r2_weight, **kwargs)
        check_no_batch_normalization(discriminator)

    def discriminator_loss(self, critic, real, fake):
        real_scores, fake_scores = critic(real), critic(fake)
        self.track(score_gap=keras.ops.mean(real_scores - fake_scores))
        return relativistic_loss(real_scores, fake_scores)  # The base class adds R1 and R2.

    def generator_loss(self, critic, real, fake):
        return relativistic_loss(critic(fake), critic(real))

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        networks=networks.dcgan,
        latent_dim=64,
        filters=64,
        normalization=None,
        batch_normalization=False,
        kernel_initializer="he_uniform",
        r1_weight=1.0,
        r2_weight=1.0,
        generator_optimizer=partial(Adam, 2e-4, beta_1=0.0, beta_2=0.99),
        discriminator_optimizer=partial(Adam, 2e-4, beta_1=0.0, beta_2=0.99),
        **settings,
    ):
        """Returns the compiled model; see `GAN.from_paper` for the arguments."""
        return cls.assemble(locals())
