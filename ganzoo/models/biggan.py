"""BigGAN."""

from functools import partial

import keras
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.models.sngan import SNGAN
from ganzoo.penalties import orthogonal_penalty
from ganzoo.training.settings import Setting


@keras.saving.register_keras_serializable("ganzoo")
class BigGAN(SNGAN):
    """BigGAN: a wide residual GAN with classes, and a trade of variety for quality afterwards.

    The hinge loss of `SNGAN`, spectral normalization in both networks, labels in the generator's batch normalization
    and in the discriminator's inner product, four updates of the discriminator for one of the generator. The averaged
    generator then draws from truncated latents: nearer to the centre, samples are better and more alike.

        min_D  E[max(0, 1 - D(x, y))] + E[max(0, 1 + D(G(z, y), y))]
        min_G  -E[D(G(z, y), y)] + beta sum_W ||W^T W * (1 - I)||_F^2        (Equation 3, off by default)

    The last term keeps the generator smooth enough for truncation. It goes over all kernels of the generator but the
    shared embedding. `ganzoo.latent.truncate` draws truncated samples; `ganzoo.latent.standing_statistics` first fits
    the statistics of batch normalization to such latents.

    Reference: [Brock et al., 2018](https://arxiv.org/abs/1809.11096).

    Departures from the paper:

    - `from_paper` has the authors' settings for CIFAR-10, not those of ImageNet: `filters=64`, N(0, 0.02), no shared
      embedding, no split latents, no attention, no orthogonal term. `ganzoo.networks.biggan` tells the others.
    - The average of the generator warms up, see `GenerativeModel.update_ema`. The authors' code starts it at step
      1,000.
    - Adam's epsilon is Keras' 1e-7; biases start at 0.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` [and label `(batch,)`] -> samples.
        discriminator: Built `keras.Model`, samples [and label] -> scores.
        orthogonal_weight: Float, beta; 1e-4 in the paper's Section 3.1. Defaults to `0.0`.
        hinge, minimax: See `SNGAN`.
        discriminator_steps: Integer, n_dis. Defaults to `4`.
        ema_decay: Float, decay of the average of the weights, or `None`. Defaults to `0.9999`.
        latent_dim, num_classes, packing, augmentation, seed: See `AdversarialModel`.

    Logs: those of `SNGAN`, and `orthogonal`, without beta, where it is used.

    Example:

    >>> gan = ganzoo.BigGAN.from_paper((28, 28, 1), num_classes=10, filters=16)
    >>> gan.fit(ganzoo.data.load("fashion_mnist_10k", batch_size=50), epochs=20)
    >>> ganzoo.latent.standing_statistics(gan, truncation=1.0)
    >>> sheet = ganzoo.latent.truncate(gan, 10, amounts=1.0, condition=range(10))
    """

    orthogonal_weight = Setting(checks.check_weight)

    def __init__(
        self, generator, discriminator, orthogonal_weight=0.0, discriminator_steps=4, ema_decay=0.9999, **kwargs
    ):
        super().__init__(
            generator, discriminator, discriminator_steps=discriminator_steps, ema_decay=ema_decay, **kwargs
        )
        self.orthogonal_weight = orthogonal_weight

    def generator_objective(self, update):
        loss = super().generator_objective(update)
        if self.orthogonal_weight:
            kernels = [variable.value for variable in orthogonal_variables(self.generator)]
            loss += self.regularize("orthogonal", self.orthogonal_weight, lambda: orthogonal_penalty(kernels))
        return loss

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
        discriminator_steps=4,
        orthogonal_weight=0.0,
        ema_decay=0.9999,
        generator_optimizer=partial(Adam, 2e-4, beta_1=0.0, beta_2=0.999),
        discriminator_optimizer=partial(Adam, 2e-4, beta_1=0.0, beta_2=0.999),
        **settings,
    ):
        """Returns the compiled model; see `GAN.from_paper` for the arguments."""
        return cls.assemble(locals())


def orthogonal_variables(generator):
    """The kernels of a generator that the penalty is for: all but those that read the class.

    These are the shared embedding or, without it, the gains and biases for each class. A table of few classes cannot
    have as many orthogonal columns as a map has channels.
    """
    kernels = [variable for variable in generator.trainable_variables if len(variable.shape) > 1]
    shared = [variable for variable in kernels if "shared_embedding" in variable.path]
    tables = [variable for variable in kernels if variable.path.endswith(("gain/kernel", "bias/kernel"))]
    left_out = {id(variable) for variable in shared or tables}
    return [variable for variable in kernels if id(variable) not in left_out]
