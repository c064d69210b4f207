"""SN-GAN, a GAN with spectral normalization."""

from functools import partial

import keras
from keras.optimizers import Adam

from ganzoo import checks, losses, networks
from ganzoo.models.gan import GAN
from ganzoo.training.settings import Fixed


@keras.saving.register_keras_serializable("ganzoo")
class SNGAN(GAN):
    """GAN with spectral normalization.

    The weights of each layer in the discriminator are divided by their largest singular value. So the discriminator is
    Lipschitz, however large its weights grow. This costs two matrix-vector products per layer. Unlike a penalty, it
    holds everywhere and not only at samples.

        W_SN = W / sigma(W)   in every layer of the discriminator     (Equation 8, `ganzoo.layers.SpectrallyNormalized`)
        min_D  E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]           (Equation 16)
        min_G  -E[D(G(z))]                                            (Equation 17)

    Reference: [Miyato et al., 2018](https://arxiv.org/abs/1802.05957).

    Departures from the paper:

    - `from_paper` has the networks of DCGAN, with spectral normalization in the discriminator. The paper's standard
      network also has stride-1 convolutions between the stride-2 convolutions, and LeakyReLU(0.1).
    - With `networks=ganzoo.networks.resnet`, the kernels are initialized as in the code of WGAN-GP's authors. The
      generator's update uses as many samples as the discriminator's. The paper uses twice as many. The learning rate is
      constant, where the authors' code lets it fall linearly to 0. For that, pass a `PolynomialDecay` as the learning
      rate of your optimizers.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> samples.
        discriminator: Built `keras.Model`, samples -> scores. It must contain the spectral normalization, as ganzoo's
            networks do with `normalization="spectral"`. Without it, this model is a GAN with the hinge loss.
        hinge: Boolean, whether to use the hinge loss. `False` uses the loss of `GAN`, the paper's Equation 1. Defaults
            to `True`.
        minimax, r1_weight, r2_weight: See `GAN`. `minimax` needs `hinge=False`.
        latent_dim, discriminator_steps, num_classes, packing, augmentation, ema_decay, seed: See `AdversarialModel`.

    Logs: `d_loss` (2 when the discriminator knows nothing), `g_loss`, and the mean scores `real_score` and
    `fake_score`. With `hinge=False`, as `GAN`.

    Raises:
        ValueError: For `minimax=True` with the hinge loss.

    Example:

    >>> gan = ganzoo.SNGAN.from_paper(image_shape=(28, 28, 1))
    >>> gan.fit(ganzoo.data.load("fashion_mnist_10k", batch_size=64), epochs=20)
    """

    hinge = Fixed(checks.check_boolean)

    def __init__(self, generator, discriminator, hinge=True, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        if hinge and self.minimax:
            raise ValueError(
                "`minimax` is a form of the cross-entropy loss, and the hinge loss has none. Received: minimax=True "
                "with hinge=True. Pass hinge=False, or leave minimax out."
            )
        self.hinge = hinge

    def discriminator_loss(self, critic, real, fake):
        if not self.hinge:
            return super().discriminator_loss(critic, real, fake)
        real_scores, fake_scores = critic(real), critic(fake)
        self.track(real_score=keras.ops.mean(real_scores), fake_score=keras.ops.mean(fake_scores))
        return losses.hinge_discriminator_loss(real_scores, fake_scores)

    def generator_loss(self, critic, real, fake):
        if not self.hinge:
            return super().generator_loss(critic, real, fake)
        return losses.hinge_generator_loss(critic(fake))

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        networks=networks.dcgan,
        latent_dim=128,
        normalization="spectral",
        pooling="sum",
        discriminator_steps=None,
        generator_optimizer=None,
        discriminator_optimizer=None,
        **settings,
    ):
        """Returns the compiled model. See `GAN.from_paper` for the arguments.

        The value of an argument that is `None` depends on the networks:

        | Networks | Adam | `discriminator_steps` | `filters` | Source |
        |---|---|---|---|---|
        | `networks.resnet` | 2e-4, beta_1 0, beta_2 0.9 | 5 | generator 256, discriminator 128 | the authors' code |
        | others | 1e-4, beta_1 0.5, beta_2 0.999 | 1 | as the networks have them | Table 1, setting B |

        The model `DCGAN` has setting C of Table 1, with twice B's learning rate.
        """
        return cls.assemble(with_settings_of_networks(locals()))


def with_settings_of_networks(settings):
    """Replaces settings that are `None` by the paper's settings for the networks."""
    if settings["networks"] is networks.resnet:
        steps, adam = 5, partial(Adam, 2e-4, beta_1=0.0, beta_2=0.9)
        if "filters" not in settings["settings"]:
            settings = {**settings, "settings": {"generator_filters": 256, **settings["settings"]}}
    else:
        steps, adam = 1, partial(Adam, 1e-4, beta_1=0.5, beta_2=0.999)
    own = {"discriminator_steps": steps, "generator_optimizer": adam, "discriminator_optimizer": adam}
    return settings | {name: value for name, value in own.items() if settings[name] is None}
