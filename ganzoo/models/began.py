"""Boundary equilibrium GAN."""

from functools import partial

import keras
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.replicas import mean_over_replicas
from ganzoo.training.settings import Setting


@keras.saving.register_keras_serializable("ganzoo")
class BEGAN(AdversarialModel):
    """Boundary equilibrium GAN: the discriminator is an autoencoder, and the losses are its reconstruction errors.

    The autoencoder learns to reconstruct real samples well and generated samples badly. The generator learns to make
    samples that the autoencoder reconstructs well. A weight k keeps the two in balance, so that neither wins. gamma is
    the wanted ratio of the two errors.

        L(v) = E[|v - D(v)|]                                             (Equation 1)
        L_D  = L(x) - k L(G(z))                                          (Section 3.4)
        L_G  = L(G(z))
        k   <- clip(k + lambda_k (gamma L(x) - L(G(z))), 0, 1)
        M    = L(x) + |gamma L(x) - L(G(z))|,   falls as the training converges

    Reference: [Berthelot et al., 2017](https://arxiv.org/abs/1703.10717), Section 3.

    Departures from the paper:

    - The generator's update follows the discriminator's and uses its new weights. So does the update of k.
    - The generator is linear in training, as in the paper. At any other time it clips its images to [-1, 1]. The
      uniform latents are latents from N(0, I), mapped by the normal distribution function.
    - The logged `M` is computed in the discriminator's update, with the generated samples of that update.
    - `from_paper` has no skip connections, which the paper adds for some images.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> samples.
        discriminator: Built `keras.Model`, samples -> samples, an autoencoder.
        gamma: Float in (0, 1], E[L(G(z))] / E[L(x)] at the equilibrium: low for good images, high for diverse images.
            Defaults to `0.5`.
        balance_rate: Float, lambda_k. Defaults to `1e-3`.
        latent_dim, discriminator_steps, num_classes, packing, ema_decay, seed: See `AdversarialModel`.

    Logs: `M`, `k` from before the step, `d_loss` and `g_loss`.

    Raises:
        ValueError: If the discriminator's outputs have another shape than its inputs, or with an `augmentation`. The
            autoencoder would reconstruct augmented samples, and the loss would compare them with samples that are not
            augmented.

    Example:

    >>> gan = ganzoo.BEGAN.from_paper(image_shape=(28, 28, 1), filters=16)
    >>> data = ganzoo.data.load("fashion_mnist_10k", batch_size=16)
    >>> gan.fit(data, epochs=20, callbacks=[ganzoo.callbacks.ReduceLearningRate("M")])
    """

    reconstructs = True
    ranks_samples = False
    networks_for_vectors = None  # There is no dense network for it.

    gamma = Setting(checks.check_share)
    balance_rate = Setting(checks.check_weight)

    def __init__(self, generator, discriminator, gamma=0.5, balance_rate=1e-3, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        taken, made = (tuple(tensors[0].shape[1:]) for tensors in (discriminator.inputs, discriminator.outputs))
        if made != taken:
            raise ValueError(
                "The discriminator of BEGAN is an autoencoder, samples -> samples. Received: "
                f"{discriminator.name} from {taken} to {made}. Take ganzoo.networks.autoencoder.discriminator."
            )
        if self.augmentation is not None:
            raise ValueError(
                "BEGAN compares samples with their reconstructions, and an augmentation changes what is reconstructed. "
                f"Received: augmentation={self.augmentation!r}. Leave it out."
            )
        self.gamma = gamma
        self.balance_rate = balance_rate
        self.k = self.add_weight(
            shape=(),
            initializer="zeros",
            dtype="float32",
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
            name="k",
        )

    def discriminator_loss(self, critic, real, fake):
        real_loss, fake_loss = reconstruction_loss(critic, real), reconstruction_loss(critic, fake)
        k = ops.convert_to_tensor(self.k)
        # Averaged before the absolute value, which is not linear.
        balance = mean_over_replicas(ops.stop_gradient(self.gamma * real_loss - fake_loss))
        self.track(k=k, M=real_loss + ops.abs(balance))
        return real_loss - k * fake_loss

    def generator_loss(self, critic, real, fake):
        real_loss, fake_loss = reconstruction_loss(critic, real), reconstruction_loss(critic, fake)
        self.note(balance=self.gamma * real_loss - fake_loss)
        return fake_loss

    def after_step(self, values):
        """Moves k, the weight that keeps generator and discriminator in balance."""
        self.k.assign(ops.clip(self.k + self.balance_rate * values["balance"], 0.0, 1.0))

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        networks=networks.autoencoder,
        latent_dim=64,
        embedding_dim=64,
        filters=128,
        gamma=0.5,
        balance_rate=1e-3,
        generator_optimizer=partial(Adam, 1e-4),
        discriminator_optimizer=partial(Adam, 1e-4),
        **settings,
    ):
        """Returns the compiled model. The defaults are the paper's settings.

        Args:
            image_shape: `(height, width, channels)`.
            num_classes: Integer, or `None` (the default) for an unconditional model.
            networks: Family of networks, a module with the functions `generator` and `discriminator`. Its discriminator
                is an autoencoder.
            **settings: Any other argument of the networks, the class or `compile`. With the prefix `generator_` or
                `discriminator_` it applies to that network alone: `discriminator_filters=32`.

        The other arguments belong to the networks, the class and `compile`.
        """
        return cls.assemble(locals())


def reconstruction_loss(autoencoder, samples):
    """L(v) = E[|v - D(v)|], the mean over pixels and samples."""
    return ops.mean(ops.abs(samples - autoencoder(samples)))
