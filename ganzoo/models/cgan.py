"""Conditional GAN."""

from functools import partial

import keras
from keras.optimizers import Adam

from ganzoo import networks
from ganzoo.models.gan import GAN


@keras.saving.register_keras_serializable("ganzoo")
class CGAN(GAN):
    """Conditional GAN.

    The game of `GAN`, played for each class y. The generator is asked for a class. The discriminator also sees the
    class, and rejects good samples of a wrong class.

        max_D  E[log D(x | y)] + E[log(1 - D(G(z | y) | y))]       (Equation 2)
        max_G  E[log D(G(z | y) | y)]                              (non-saturating, as in `GAN`)

    Any adversarial model of the zoo becomes conditional with `num_classes`, in the same way. CGAN has the networks and
    the settings of the first paper about it. Use `num_attributes` for several labels at once, one-hot side by side, as
    `ganzoo.data.load(..., label=[...])` gives them. In training, the generator is asked for the labels of the batch's
    real samples.

    Reference: [Mirza and Osindero, 2014](https://arxiv.org/abs/1411.1784), Equation 2 and Section 4.1.

    Departures from the paper:

    - Latents come from N(0, I) and not from the unit cube. Samples lie in [-1, 1], with a tanh in place of the sigmoid.
      The discriminator gives the logit of D.
    - No dropout, see `ganzoo.networks.maxout`.
    - Adam (2e-4, beta_1 0.5). The paper has SGD with a learning rate that falls from 0.1 and a momentum that grows from
      0.5 to 0.7. Without dropout, SGD did not train. See the model's page.
    - The generator maximises log D, where Equation 2 has the minimax game (`minimax=True`).
    - The dataset sets the batch size. The paper has 100.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` and label `(batch,)`, or attributes `(batch,
            count)`, -> samples.
        discriminator: Built `keras.Model`, samples and label, or attributes, -> scores (logits).
        num_classes: Integer, the number of classes. Defaults to `None`: the networks have attributes.
        minimax, r1_weight, r2_weight: See `GAN`.
        latent_dim, discriminator_steps, packing, augmentation, ema_decay, seed: See `AdversarialModel`.

    Logs: as `GAN`.

    Raises:
        ValueError: If the networks take neither a label nor attributes.

    Example:

    >>> gan = ganzoo.CGAN.from_paper((28, 28, 1), num_classes=10, networks=ganzoo.networks.dcgan)
    >>> gan.fit(ganzoo.data.load("mnist_10k", batch_size=64), epochs=20)
    >>> digits = gan.generate(10, condition=range(10))

    >>> faces = ganzoo.data.load("faces_10k", label=["hairColor", "glasses"], batch_size=64)
    >>> gan = ganzoo.CGAN.from_paper((16, 16, 3), num_attributes=26, networks=ganzoo.networks.dcgan)
    >>> gan.fit(faces, epochs=20)
    >>> images = gan.generate(8, condition={"hairColor": "#009bbd", "glasses": "none"})
    """

    needs_condition = True

    def __init__(self, generator, discriminator, num_classes=None, **kwargs):
        super().__init__(generator, discriminator, num_classes=num_classes, **kwargs)
        check_condition("A conditional GAN", self.conditions.label, self.conditions.attributes)

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        num_attributes=None,
        networks=networks.maxout,
        latent_dim=100,
        discriminator_steps=1,
        generator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        discriminator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        **settings,
    ):
        """Returns the compiled model. The defaults are the paper's settings.

        Args:
            image_shape: `(height, width, channels)` or `(dimensions,)`.
            num_classes: Integer, or `None` (the default) for `num_attributes`.
            num_attributes: Integer, the width of the attributes. Defaults to `None`.
            networks: Family of networks, a module with the functions `generator` and `discriminator`. Vectors use
                `ganzoo.networks.mlp`.
            **settings: Any other argument of the networks, the class or `compile`. With the prefix `generator_` or
                `discriminator_` it applies to that network alone: `discriminator_filters=32`.

        The other arguments belong to the networks, the class and `compile`.
        """
        check_condition("A conditional GAN", num_classes, num_attributes)
        return cls.assemble(locals())


def check_condition(model, classes, attributes):
    """Raises a `ValueError` if a model of that name has neither classes nor attributes."""
    if classes is None and attributes is None:
        raise ValueError(
            f"{model} needs `num_classes`, the number of labels, or `num_attributes`. Received: neither. Pass one of "
            "them, or take ganzoo.GAN for samples without labels."
        )
