"""Conditional GAN."""

from functools import partial

import keras
from keras.optimizers import Adam

from ganzoo import networks
from ganzoo.models.gan import GAN


@keras.saving.register_keras_serializable("ganzoo")
class CGAN(GAN):
    """Conditional GAN.

    The game of `GAN`, played for each class y: the generator is asked for a class, and the discriminator, which is told
    the class, too, rejects good samples of a wrong one.

        max_D  E[log D(x | y)] + E[log(1 - D(G(z | y) | y))]       (Equation 2)
        max_G  E[log D(G(z | y) | y)]                              (non-saturating, as in `GAN`)

    Any adversarial model of the zoo becomes conditional by `num_classes`, in the same way; this one has the networks
    and the settings of the first paper on it. The labels that the generator is asked for in training are those of the
    real samples of the batch.

    Reference: [Mirza and Osindero, 2014](https://arxiv.org/abs/1411.1784), Equation 2 and Section 4.1.

    Departures from the paper:

    - Latents from N(0, I) and not from the unit cube; samples in [-1, 1], with a tanh for its sigmoid; the logit of D.
    - No dropout, see `ganzoo.networks.maxout`.
    - Adam (2e-4, beta_1 0.5), where the paper has SGD with a learning rate that falls from 0.1 and a momentum that
      grows from 0.5 to 0.7. Without dropout that did not train: see the model's page.
    - The generator maximises log D, where Equation 2 has the minimax game (`minimax=True`).
    - The batch size is the dataset's; the paper has 100.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` and label `(batch,)` -> samples.
        discriminator: Built `keras.Model`, samples and label -> scores (logits).
        num_classes: Integer, the number of classes.
        minimax, r1_weight, r2_weight: See `GAN`.
        latent_dim, discriminator_steps, packing, augmentation, ema_decay, seed: See `AdversarialModel`.

    Logs: as `GAN`.

    Raises:
        ValueError: Without `num_classes`.

    Example:

    >>> gan = ganzoo.CGAN.from_paper((28, 28, 1), num_classes=10, networks=ganzoo.networks.dcgan)
    >>> gan.fit(ganzoo.data.load("mnist_10k", batch_size=64), epochs=20)
    >>> digits = gan.generate(10, condition=range(10))
    """

    def __init__(self, generator, discriminator, num_classes=None, **kwargs):
        if num_classes is None:
            raise ValueError(
                "A conditional GAN needs `num_classes`, the number of labels. Received: num_classes=None. Pass it, or "
                "take ganzoo.GAN for samples without labels."
            )
        super().__init__(generator, discriminator, num_classes=num_classes, **kwargs)

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes,
        *,
        networks=networks.maxout,
        latent_dim=100,
        discriminator_steps=1,
        generator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        discriminator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        **settings,
    ):
        """Returns the compiled model; the defaults are the paper's settings.

        Args:
            image_shape: `(height, width, channels)` or `(dimensions,)`.
            num_classes: Integer.
            networks: Family of networks, a module with the functions `generator` and `discriminator`. For vectors it is
                `ganzoo.networks.mlp`.
            **settings: Any other argument of the networks, the class or `compile`. With `generator_` or
                `discriminator_` before its name it concerns that network alone: `discriminator_filters=32`.

        The other arguments are those of the networks, of the class and of `compile`.
        """
        return cls.assemble(locals())
