"""Wasserstein autoencoder, with the maximum mean discrepancy."""

from functools import partial

import keras
import tensorflow as tf
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.kernels import inverse_multiquadratic, squared_mmd
from ganzoo.models.autoencoder import Autoencoder
from ganzoo.replicas import gather_over_replicas
from ganzoo.training.settings import Setting


@keras.saving.register_keras_serializable("ganzoo")
class WAE(Autoencoder):
    """Wasserstein autoencoder (WAE-MMD): an autoencoder whose latents, all together, are distributed as N(0, I).

    A VAE pulls the latents of each image towards N(0, I), so those of two images overlap, and the decoder's mean of
    both is blurred. A WAE asks it of all images together. The encoder may give each image its own point.

        L = E[|x - g(f(x))|^2] + lambda MMD^2(f(x), z),   z ~ N(0, I)                   (Algorithm 2)

    The maximum mean discrepancy compares the latents of a batch with as many draws of N(0, I), by the inverse
    multiquadratic kernel k(a, b) = C / (C + |a - b|^2) with C = 2 latent_dim. With the squared error as the cost, and
    latents exactly distributed as the prior, L bounds the squared 2-Wasserstein distance of data and samples from
    above. The best encoder reaches it (Theorem 1).

    Reference: [Tolstikhin et al., 2018](https://arxiv.org/abs/1711.01558), Algorithm 2, Section 4.

    Departures from the paper:

    - `from_paper`: dense networks, and a constant learning rate; the paper lowers it twice. `filters=64` gives
      convolutional networks, without the paper's batch normalization.
    - The prior has the variance 1. The paper's for faces has 2, and a C that grows with it: the same in other units.

    Args:
        encoder, decoder: See `Autoencoder`.
        mmd_weight: Float, lambda. Defaults to `100.0`.
        ema_decay, seed: See `GenerativeModel`. The average is that of the decoder.

    The MMD is estimated within a batch: take 64 samples or more. On several replicas it is that of the global batch.

    Logs: `reconstruction`, the squared error summed over pixels, of a sample; `mmd`, squared and without its weight, an
        unbiased estimate that is below 0 at times; `loss`.

    Example:

    >>> wae = ganzoo.WAE.from_paper(image_shape=(28, 28, 1), latent_dim=8, mmd_weight=10.0)
    >>> wae.fit(ganzoo.data.load("mnist_10k", batch_size=100), epochs=20)
    >>> latents = wae.encode(images)
    """

    mmd_weight = Setting(checks.check_weight)

    def __init__(self, encoder, decoder, mmd_weight=100.0, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.mmd_weight = mmd_weight

    def objective(self, samples, training):
        latents = ops.cast(self.encoder(samples, training=training), "float32")
        decoded = ops.cast(self.generator(latents, training=training), "float32")
        errors = ops.square(samples - decoded)
        reconstruction = ops.mean(ops.sum(errors, axis=tuple(range(1, len(errors.shape)))))
        drawn = self.latents(samples.shape[0] or tf.shape(samples)[0])
        mmd = squared_mmd(gather_over_replicas(latents), gather_over_replicas(drawn), inverse_multiquadratic)
        self.track(reconstruction=reconstruction, mmd=mmd)
        return reconstruction + self.mmd_weight * mmd

    @classmethod
    def from_paper(
        cls,
        image_shape,
        *,
        networks=networks.autoencoder,
        latent_dim=64,
        hidden=(512, 512),
        mmd_weight=100.0,
        output_activation="auto",
        optimizer=partial(Adam, 1e-3, beta_1=0.5),
        **settings,
    ):
        """Returns the compiled model, with the settings of the paper's faces. Its digits have 8 latents and lambda 10.

        The squared error grows with the range of the pixels. Ours lie in [-1, 1], so a lambda that was found for pixels
        in [0, 1] corresponds to four times as much here.

        Args:
            image_shape: `(height, width, channels)` or `(dimensions,)`.
            networks: Family of networks, a module with the functions `encoder` and `decoder`.
            output_activation: Of the decoder. Defaults to `"auto"`: `"tanh"` for images, none for vectors.
            **settings: Any other argument of the networks, the class or `compile`. With `encoder_` or `decoder_` before
                its name it concerns that network alone.

        The other arguments are those of the networks, of the class and of `compile`.
        """
        if output_activation == "auto":
            output_activation = cls.activation_for(image_shape)
        return cls.assemble(locals())
