"""Self-attention GAN."""

from functools import partial

import keras
from keras.optimizers import Adam

from ganzoo import networks
from ganzoo.models.sngan import SNGAN


@keras.saving.register_keras_serializable("ganzoo")
class SAGAN(SNGAN):
    """Self-attention GAN.

    Convolutions see a few pixels around a place. What belongs together far apart, such as the legs of an animal, they
    join only over many layers. One layer of self-attention in each network lets every place look at all others.
    Spectral normalization in both networks, and a discriminator with four times the learning rate, make one update of
    the discriminator enough.

        y = x + gain * attention(x),   gain = 0 at the start         (`ganzoo.layers.SelfAttention`)
        min_D  E[max(0, 1 - D(x, y))] + E[max(0, 1 + D(G(z, y), y))]
        min_G  -E[D(G(z, y), y)]

    Reference: [Zhang et al., 2018](https://arxiv.org/abs/1805.08318).

    Departures from the paper:

    - `from_paper`: attention at 16x16 for images of 32x32, after the generator's second block and the discriminator's
      first. The paper has images of 128x128 and attention at 32x32: `generator_attention=3,
      discriminator_attention=2`.
    - The networks are those of `ganzoo.networks.biggan`, whose blocks are as wide as on CIFAR-10 for small images.
    - The attention of the authors' code, see `ganzoo.layers.SelfAttention`.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` [and label `(batch,)`] -> samples.
        discriminator: Built `keras.Model`, samples [and label] -> scores.
        hinge, minimax: See `SNGAN`.
        latent_dim, discriminator_steps, num_classes, packing, augmentation, ema_decay, seed: See `AdversarialModel`.

    Logs: those of `SNGAN`.

    Example:

    >>> gan = ganzoo.SAGAN.from_paper((28, 28, 1), num_classes=10, filters=16)
    >>> gan.fit(ganzoo.data.load("fashion_mnist_10k", batch_size=64), epochs=20)
    """

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        networks=networks.biggan,
        latent_dim=128,
        filters=64,
        normalization="spectral",
        kernel_initializer="glorot_uniform",
        generator_attention=2,
        discriminator_attention=1,
        discriminator_steps=1,
        generator_optimizer=partial(Adam, 1e-4, beta_1=0.0, beta_2=0.9),
        discriminator_optimizer=partial(Adam, 4e-4, beta_1=0.0, beta_2=0.9),
        **settings,
    ):
        """Returns the compiled model; see `GAN.from_paper` for the arguments."""
        return cls.assemble(locals())
