"""Deep convolutional GAN."""

from functools import partial

import keras
from keras.optimizers import Adam

from ganzoo import networks
from ganzoo.models.gan import GAN


@keras.saving.register_keras_serializable("ganzoo")
class DCGAN(GAN):
    """Deep convolutional GAN: the update rule of `GAN` with networks that made it stable on images.

    The paper changes the networks, not the losses. See `ganzoo.networks.dcgan` for its guidelines. Real and generated
    samples pass the discriminator in separate batches, so that batch normalization never mixes them.

    Reference: [Radford et al., 2015](https://arxiv.org/abs/1511.06434), Sections 3 and 4.

    Departures from the paper:

    - Latents are drawn from N(0, I), as in the whole zoo. The paper has a uniform distribution.
    - `filters=64` is half the width of the paper's LSUN network (its Figure 1), as in the WGAN authors' DCGAN.
    - The dataset sets the batch size. The paper has 128.

    Args:
        generator, discriminator, minimax, latent_dim, discriminator_steps, num_classes, ema_decay, seed: See `GAN`.

    Example:

    >>> gan = ganzoo.DCGAN.from_paper(image_shape=(64, 64, 3))
    >>> gan.fit(ganzoo.data.from_folder("photos", image_size=(64, 64), batch_size=128), epochs=25)
    """

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        networks=networks.dcgan,
        latent_dim=100,
        filters=64,
        generator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        discriminator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        **settings,
    ):
        """Returns the compiled model. See `GAN.from_paper` for the arguments."""
        return cls.assemble(locals())
