"""pix2pix: image-to-image translation with a conditional GAN."""

from functools import partial
from types import SimpleNamespace

import keras
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, losses
from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.networks import patchgan, unet
from ganzoo.training.settings import Setting

# The paper's two families of networks in a single object.
NETWORKS = SimpleNamespace(generator=unet.generator, discriminator=patchgan.discriminator)


@keras.saving.register_keras_serializable("ganzoo")
class Pix2Pix(AdversarialModel):
    """Image-to-image translation with a conditional GAN.

    An L1 loss alone gives the average of all plausible outputs, which is blurred and grey. A discriminator that sees
    input and output together adds a loss that knows what real outputs look like. The L1 loss keeps the outputs close to
    the truth.

        L_cGAN(G, D) = E[log D(x, y)] + E[log(1 - D(x, G(x, z)))]           (Equation 1)
        L_L1(G) = E[||y - G(x, z)||_1]                                      (Equation 3)
        G* = arg min_G max_D L_cGAN(G, D) + lambda L_L1(G)                  (Equation 4)

    The discriminator's loss is divided by 2, which slows it down. The generator maximises log D(x, G(x, z)) instead of
    minimising log(1 - D(x, G(x, z))) (Section 3.3).

    Reference: [Isola et al., 2017](https://arxiv.org/abs/1611.07004), Equations 1 to 4.

    Departures from the paper:

    - The paper's noise z is dropout. Here the dropout is computed from latents, see
      `ganzoo.networks.unet.NoiseDropout`. The distribution is the same, but it is a function of the seed.
    - Discriminator and generator are updated with different z on the same pair. The authors' code has the same z.
    - The norm is the mean over pixels and channels, as in the authors' code.
    - `from_paper` has instance normalization. At the paper's batch size of 1, it equals the paper's batch normalization
      with the statistics of the test batch. The bottleneck has no normalization, as in the authors' corrected code.

    Args:
        generator: Built `keras.Model`, latents and input images -> output images.
        discriminator: Built `keras.Model`, output (or target) images and input images -> any number of scores (logits)
            per image.
        l1_weight: Float, lambda. Defaults to `100.0`.
        gan_weight: Float, weight of the adversarial loss. Defaults to `1.0`. With `0.0` the generator learns from L1
            alone. The discriminator is then not trained, and the log has no `d_loss`.
        latent_dim, discriminator_steps, packing, augmentation, ema_decay, seed: See `AdversarialModel`.

    Logs: `l1`, the mean absolute difference to the target in [0, 2]. `d_loss`, log 2 = 0.693 when the discriminator
    knows nothing. `g_loss`, the weighted sum.

    Raises:
        ValueError: If the networks' second inputs are not images of the same size, or a weight is negative.

    Example:

    >>> train = ganzoo.data.load("openmoji_pairs", batch_size=4, jitter=True, mirror=True)
    >>> model = ganzoo.Pix2Pix.from_paper(image_shape=(64, 64, 3), condition_shape=(64, 64, 1))
    >>> model.fit(train, epochs=50)
    >>> inputs, targets = next(iter(ganzoo.data.load("openmoji_pairs", split="test", batch_size=8)))
    >>> outputs = model.predict(inputs)
    """

    networks_for_vectors = None

    l1_weight = Setting(checks.check_weight)
    gan_weight = Setting(checks.check_weight)

    def __init__(self, generator, discriminator, l1_weight=100.0, gan_weight=1.0, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        check_image_conditions(self)
        self.l1_weight = l1_weight
        self.gan_weight = gan_weight

    def discriminator_loss(self, critic, real, fake):
        return losses.discriminator_cross_entropy(critic(real), critic(fake)) / 2

    def generator_loss(self, critic, real, fake):
        l1 = ops.mean(ops.abs(real - fake))
        self.track(l1=l1)
        if not self.gan_weight:
            return self.l1_weight * l1
        return self.gan_weight * losses.non_saturating_generator_loss(critic(fake)) + self.l1_weight * l1

    def update_discriminator(self, real, condition=None):
        """As in the base class. Skipped if the generator ignores the discriminator."""
        if self.gan_weight:
            super().update_discriminator(real, condition)

    @classmethod
    def from_paper(
        cls,
        image_shape,
        condition_shape=None,
        *,
        networks=NETWORKS,
        filters=64,
        normalization="instance",
        dropout=0.5,
        dropout_at_test=True,
        skips=True,
        receptive_field=70,
        l1_weight=100.0,
        generator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        discriminator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        **settings,
    ):
        """Returns the compiled model. The defaults are the paper's settings.

        Args:
            image_shape: `(height, width, channels)` of the output images.
            condition_shape: `(height, width, channels)` of the input images. Defaults to `image_shape`.
            networks: Object with the functions `generator` and `discriminator`.
            filters: Integer, channels of the largest hidden map of both networks. Defaults to `64`.
            normalization: `"instance"` (the default), `"batch"` or `None`.
            dropout: Float, dropout rate in the innermost blocks of the decoder. Defaults to `0.5`.
            dropout_at_test: Boolean, whether to use dropout also in inference. Defaults to `True`.
            skips: Boolean, whether the generator has skip connections. Defaults to `True`.
            receptive_field: 1, 16, 70 (the default) or 286, side of the discriminator's patches in pixels.
            **settings: Any other argument of the networks, the class or `compile`. With the prefix `generator_` or
                `discriminator_` it applies to that network alone.

        The other arguments belong to the networks, the class and `compile`.
        """
        return cls.assemble(locals())


def check_image_conditions(model):
    """Raises a `ValueError` unless both networks take images of the same shape as their second input."""
    shape = model.conditions.image_shape
    if shape is None:
        raise ValueError(
            "Pix2Pix translates images: its generator has the inputs latents (batch, latent_dim) and condition (batch, "
            f"height, width, channels). Received: {model.generator.name} with inputs of the shapes "
            f"{[tuple(tensor.shape) for tensor in model.generator.inputs]}. Take ganzoo.networks.unet."
        )
    height, width, channels = shape
    taken = tuple(model.discriminator.inputs[1].shape[1:])
    if taken != (height, width, model.packing * channels):
        raise ValueError(
            f"The generator takes input images of shape {shape}, and the discriminator of shape {taken} "
            f"(packing={model.packing}). Build both with the same condition_shape."
        )
