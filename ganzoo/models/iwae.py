"""Importance weighted autoencoder."""

import math
from functools import partial

import keras
import tensorflow as tf
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.models.vae import VAE
from ganzoo.training.settings import Setting


def check_beta(name, value):
    """Returns `1.0`, or raises: the bound has no divergence that a weight could stand before."""
    if checks.check_weight(name, value) != 1.0:
        raise ValueError(
            f"`{name}` must be 1: the loss of an IWAE has no KL divergence to weigh. Received: {name}={value}. Use "
            "ganzoo.VAE for another weight."
        )
    return 1.0


@keras.saving.register_keras_serializable("ganzoo")
class IWAE(VAE):
    """Importance weighted autoencoder: a VAE that maximises a tighter bound of the likelihood.

    The encoder proposes K latents for each sample, and the loss is the logarithm of their mean importance weight. A
    proposal that misses costs little, because the other K - 1 carry the mean. So the encoder may spread, and the model
    keeps more latents in use than a VAE does.

        L_K = E[log 1/K sum_k w_k],   w_k = p(x|z_k) p(z_k) / q(z_k|x),   z_k = mean + sigma e_k     (Equation 8)
        L_1 = ELBO <= L_2 <= ... <= L_K <= log p(x)                                                  (Theorem 1)
        gradient = E[sum_k w_k / (sum_j w_j) grad log w_k]                                           (Equation 13)

    Reference: [Burda et al., 2015](https://arxiv.org/abs/1509.00519).

    Departures from the paper:

    - One stochastic layer; the paper has models of two layers, too.
    - `from_paper`: the learning rate stays at its first value, 1e-3. The paper lowers it in eight stages, by
      10^(1 / 7) each. The biases of the pixels start at 0, not at the logits of the mean image.

    Args:
        encoder, decoder, likelihood, sigma: See `VAE`.
        num_samples: Integer K, latents for each sample in a step. The time of a step grows with it. Defaults to `50`.
        beta: Only `1.0`.
        ema_decay, seed: See `VAE`.

    Logs: `elbo`, the mean of log w_k, which is a draw of the VAE's bound; `effective_samples`, between 1 and K:
        (sum_k w_k)^2 / sum_k w_k^2, near 1 if one proposal has all of the weight; `loss`, which is -L_K.

    Example:

    >>> iwae = ganzoo.IWAE.from_paper(image_shape=(28, 28, 1), num_samples=50)
    >>> iwae.fit(ganzoo.data.load("mnist_10k", batch_size=20), epochs=20)
    >>> iwae.log_likelihood(images, num_samples=5000)
    """

    num_samples = Setting(checks.check_at_least_one)
    beta = Setting(check_beta)

    def __init__(self, encoder, decoder, num_samples=50, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.num_samples = num_samples

    def objective(self, samples, training):
        log_weights = self.proposals(samples, training)
        self.track(
            elbo=ops.mean(log_weights),
            effective_samples=ops.mean(
                ops.exp(2.0 * ops.logsumexp(log_weights, axis=-1) - ops.logsumexp(2.0 * log_weights, axis=-1))
            ),
        )
        return -ops.mean(log_mean_exp(log_weights))

    def proposals(self, samples, training=False):
        """log w_k of K latents of each sample, as a float32 tensor `(batch, num_samples)`."""
        batch, count = samples.shape[0] or tf.shape(samples)[0], self.num_samples
        noise = ops.reshape(self.normal((batch, count, self.latent_dim)), (-1, self.latent_dim))
        parts = [ops.repeat(part, count, axis=0) for part in (samples, *self.posterior(samples, training))]
        return ops.reshape(self.log_weights(*parts, noise, training), (-1, count))

    @classmethod
    def from_paper(
        cls,
        image_shape,
        *,
        networks=networks.autoencoder,
        num_samples=50,
        latent_dim=50,
        hidden=(200, 200),
        activation="tanh",
        kernel_initializer="glorot_uniform",
        likelihood="auto",
        optimizer=partial(Adam, 1e-3, epsilon=1e-4),
        **settings,
    ):
        """Returns the compiled model, with the settings of the paper's model of one stochastic layer (Section 5).

        Args:
            image_shape: `(height, width, channels)` or `(dimensions,)`.
            networks: Family of networks, a module with the functions `encoder` and `decoder`.
            likelihood: See the class. Defaults to `"auto"`: `"bernoulli"` for images, `"gaussian"` for vectors.
            **settings: Any other argument of the networks, the class or `compile`. With `encoder_` or `decoder_` before
                its name it concerns that network alone.

        The other arguments are those of the networks, of the class and of `compile`.
        """
        if likelihood == "auto":
            likelihood = cls.likelihood_of(image_shape)
        return cls.assemble(locals())


def log_mean_exp(log_weights):
    """log 1/K sum_k exp(l_k) over the last axis, without overflow: the largest l is taken out first."""
    return ops.logsumexp(log_weights, axis=-1) - math.log(log_weights.shape[-1])
