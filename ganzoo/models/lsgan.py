"""Least squares GAN."""

import keras

from ganzoo import losses
from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.models.dcgan import DCGAN


@keras.saving.register_keras_serializable("ganzoo")
class LSGAN(AdversarialModel):
    """Least squares GAN.

    The discriminator regresses 1 for real and 0 for generated samples. The generator's loss is a parabola around 1. So
    generated samples far on the real side of the boundary still get a gradient, where a cross-entropy saturates. With
    other targets (a = -1, b = 1, c = 0), the loss at the optimal discriminator is a Pearson chi-squared divergence. In
    the paper, the targets used here work equally well.

        min_D  (E[(D(x) - 1)^2] + E[D(G(z))^2]) / 2        (Equation 9)
        min_G  E[(D(G(z)) - 1)^2] / 2

    Reference: [Mao et al., 2016](https://arxiv.org/abs/1611.04076), Equation 9.

    Departures from the paper: `from_paper` has the networks and the optimizers of `DCGAN`. The paper has VGG-like
    networks for 112x112 scenes, and Adam with beta_1 0.5 and a learning rate of 1e-3 (LSUN) or 2e-4.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> samples.
        discriminator: Built `keras.Model`, samples -> scores, without a sigmoid. The scores are the D of the equation.
        latent_dim, discriminator_steps, num_classes, packing, augmentation, ema_decay, seed: See `AdversarialModel`.

    Logs: `d_loss` (0.25 when the discriminator knows nothing), `g_loss`, and the mean scores `real_score` and
    `fake_score`.

    Example:

    >>> gan = ganzoo.LSGAN.from_paper(image_shape=(28, 28, 1))
    >>> gan.fit(ganzoo.data.load("mnist_10k", batch_size=64), epochs=20)
    """

    def discriminator_loss(self, critic, real, fake):
        real_scores, fake_scores = critic(real), critic(fake)
        self.track(real_score=keras.ops.mean(real_scores), fake_score=keras.ops.mean(fake_scores))
        return losses.least_squares_discriminator_loss(real_scores, fake_scores)

    def generator_loss(self, critic, real, fake):
        return losses.least_squares_generator_loss(critic(fake))

    from_paper = classmethod(DCGAN.from_paper.__func__)
