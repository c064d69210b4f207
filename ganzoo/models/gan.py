"""The original GAN."""

from functools import partial

import keras
from keras.optimizers import Adam

from ganzoo import checks, losses, networks
from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.training.settings import Setting


@keras.saving.register_keras_serializable("ganzoo")
class GAN(AdversarialModel):
    """Generative adversarial network.

    A discriminator learns to tell real samples from generated ones, and the generator learns to make it fail. At the
    optimum of the discriminator, the generator's minimax loss is the Jensen-Shannon divergence up to constants.

        max_D  E[log D(x)] + E[log(1 - D(G(z)))]                 (Equation 1, line 5 of Algorithm 1)
        min_G  E[log(1 - D(G(z)))]   (minimax)                   (Equation 1, line 8 of Algorithm 1)
        max_G  E[log D(G(z))]        (non-saturating, default)   (end of Section 3)

    Reference: [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), Algorithm 1.

    Departures from the paper:

    - The discriminator gives the logit of D, and the losses contain the sigmoid: equal, but exact for sure scores.
    - `from_paper`: the paper trains with momentum SGD and a maxout discriminator with dropout, and prints no sizes. We
      take LeakyReLU networks and Adam (2e-4, beta_1 0.5), which need no tuning for each dataset.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> samples.
        discriminator: Built `keras.Model`, samples -> scores (logits).
        minimax: Boolean, train the generator with the minimax loss, which saturates while the discriminator wins.
            Defaults to `False`.
        r1_weight: Float, gamma of the penalty `gamma/2 E[||grad D(x)||^2]` on real samples, which makes the training
            converge locally ([Mescheder et al., 2018](https://arxiv.org/abs/1801.04406), Equation 9; 10 there).
            Defaults to `0.0`: none, as in the paper.
        r2_weight: Float, the same on generated samples (Equation 10). Defaults to `0.0`.
        latent_dim, discriminator_steps, num_classes, packing, augmentation, ema_decay, seed: See `AdversarialModel`.
            The paper's k is `discriminator_steps`, 1 in its experiments.

    Logs: `d_loss` (2 log 2 = 1.386 where the discriminator knows nothing), `g_loss`, and the mean probabilities
    `real_probability` and `fake_probability` that the discriminator gives to real and to generated samples; `r1` and
    `r2`, without weights, where they are used.

    Example:

    >>> gan = ganzoo.GAN.from_paper(image_shape=(28, 28, 1))
    >>> gan.fit(ganzoo.data.load("mnist_10k", batch_size=64), epochs=20)
    >>> images = gan.generate(16, seed=0)
    """

    minimax = Setting(checks.check_boolean)

    def __init__(self, generator, discriminator, minimax=False, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.minimax = minimax

    def discriminator_loss(self, critic, real, fake):
        real_scores, fake_scores = critic(real), critic(fake)
        self.track(
            real_probability=keras.ops.mean(keras.ops.sigmoid(real_scores)),
            fake_probability=keras.ops.mean(keras.ops.sigmoid(fake_scores)),
        )
        return losses.discriminator_cross_entropy(real_scores, fake_scores)

    def generator_loss(self, critic, real, fake):
        if self.minimax:
            return losses.minimax_generator_loss(critic(fake))
        return losses.non_saturating_generator_loss(critic(fake))

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        networks=networks.mlp,
        latent_dim=100,
        discriminator_steps=1,
        generator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        discriminator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
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
