"""Variational autoencoder."""

import math
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.checks import check_weight
from ganzoo.density import likelihoods
from ganzoo.models.autoencoding_model import AutoencodingModel, batches_of, check_decoder, checked_samples
from ganzoo.networks.inputs import check_positive
from ganzoo.training.settings import Fixed, Setting

LIKELIHOODS = ("bernoulli", "gaussian")


@keras.saving.register_keras_serializable("ganzoo")
class VAE(AutoencodingModel):
    """Variational autoencoder: maximises a lower bound of the likelihood of the data.

    For each sample, the encoder gives a normal distribution over the latents. A draw from it is z = mean + sigma e, so
    that gradients pass through mean and sigma. The loss contains the divergence from the prior N(0, I), which keeps the
    latents in the region where `generate` draws them.

        ELBO = E_q[log p(x|z)] - KL(q(z|x) || N(0, I)) <= log p(x),   z = mean + exp(log_variance / 2) e   (Equation 10)
        L    = beta KL - E_q[log p(x|z)]

    The likelihoods of the decoder's output y(z), summed over all pixels, in nats for each image (`ganzoo.likelihoods`):

        Bernoulli: log p(x|z) = sum_i t_i log s(y_i) + (1 - t_i) log(1 - s(y_i)),   t = (x + 1) / 2, s the sigmoid
        Gaussian:  log p(x|z) = log N(x; tanh(y), sigma^2 I),   for vectors N(x; y, sigma^2 I)

    Reference: [Kingma & Welling, 2013](https://arxiv.org/abs/1312.6114), Algorithm 1. For `beta`: Higgins et al., 2017,
    beta-VAE. For `log_likelihood`: [Burda et al., 2015](https://arxiv.org/abs/1509.00519), Equation 8.

    Departures from the paper:

    - All pixels share the sigma of the Gaussian likelihood. In the paper the decoder gives a sigma for each pixel.
    - `from_paper`: no prior on the weights (the paper's MAP criterion). Adam and the initial weights of Glorot & Bengio
      replace Adagrad and N(0, 0.01), with which the bound rises several times slower.

    Args:
        encoder: Built `keras.Model`, samples -> mean and log-variance, `(batch, latent_dim)` each.
        decoder: Built `keras.Model`, latents -> y, in the shape of a sample, with a linear output.
        likelihood: `"bernoulli"` (the default), for images, or `"gaussian"`. For values other than -1 and 1,
            Bernoulli's is a cross-entropy and not a likelihood.
        sigma: Float, standard deviation of the Gaussian likelihood. `"learned"` (the default) is a single number that
            is trained with the networks.
        beta: Float, weight of the KL divergence in the loss. The logged `elbo` ignores it. Defaults to `1.0`.
        ema_decay, seed: See `GenerativeModel`. The average of the decoder is used by `generate`, `decode` and `export`.
            `evaluate` and `log_likelihood` use the decoder itself.

    Logs: `elbo`, `reconstruction` (E_q[log p(x|z)]), `kl`, and `loss`, which is beta kl - reconstruction.

    Example:

    >>> vae = ganzoo.VAE.from_paper(image_shape=(28, 28, 1), latent_dim=2)
    >>> vae.fit(ganzoo.data.load("mnist_10k", batch_size=100), epochs=20)
    >>> mean, log_variance = vae.encode(images)
    """

    encoder_outputs = 2

    decoder = Fixed()
    likelihood = Fixed()
    sigma = Fixed()
    beta = Setting(check_weight)

    def __init__(self, encoder, decoder, likelihood="bernoulli", sigma="learned", beta=1.0, **kwargs):
        check_settings(decoder, likelihood, sigma, beta)
        super().__init__(encoder, networks.autoencoder.mean_network(decoder, likelihood), **kwargs)
        self.decoder = decoder
        self.likelihood = likelihood
        self.sigma = sigma
        self.beta = beta
        self._log_weights = tf.function(self.log_weights, reduce_retracing=True, autograph=False)
        self.log_sigma = None
        # The logarithm keeps sigma positive without a constraint.
        if likelihood == "gaussian" and sigma == "learned":
            self.log_sigma = self.add_weight(
                shape=(), initializer="zeros", dtype="float32", autocast=False, name="log_sigma"
            )

    def objective(self, samples, training):
        mean, log_variance = self.posterior(samples, training)
        # The prior is N(0, I), so its latents serve as the noise e.
        noise = self.latents(samples.shape[0] or tf.shape(samples)[0])
        latents = mean + ops.exp(log_variance / 2.0) * noise
        reconstruction = ops.mean(self.log_prob(samples, latents, training))
        kl = ops.mean(likelihoods.kl_from_prior(mean, log_variance))
        self.track(elbo=reconstruction - kl, reconstruction=reconstruction, kl=kl)
        return self.beta * kl - reconstruction

    def posterior(self, samples, training=False):
        """The mean and log-variance of q(z|x), as float32 tensors."""
        return [ops.cast(output, "float32") for output in self.encoder(samples, training=training)]

    def log_prob(self, samples, latents, training=False):
        """log p(x|z) in nats for each sample."""
        if self.likelihood == "bernoulli":
            return likelihoods.bernoulli(samples, self.decoder(latents, training=training))
        log_sigma = math.log(self.sigma) if self.log_sigma is None else ops.convert_to_tensor(self.log_sigma)
        return likelihoods.gaussian(samples, self.generator(latents, training=training), log_sigma)

    # === For users ===

    def encode(self, images, batch_size=64):
        """Encodes samples to the distribution of their latents.

        Args:
            images: Float array `(count, *image_shape)`. Images lie in [-1, 1].
            batch_size: Integer, number of samples encoded at a time. Defaults to `64`.

        Returns:
            `(mean, log_variance)`, float32 NumPy arrays `(count, latent_dim)`.
        """
        outputs = self._encode_batches(images, batch_size)
        return outputs["mean"], outputs["log_variance"]

    def encode_samples(self, samples):
        mean, log_variance = self.posterior(samples)
        return {"mean": mean, "log_variance": log_variance}

    def reconstruct(self, images, batch_size=64):
        """Encodes samples and decodes the means of their latents. Takes the arguments of `encode`."""
        return self.decode(self.encode(images, batch_size)[0], batch_size)

    def log_likelihood(self, images, num_samples=100, seed=0, batch_size=500, verbose=0):
        """Estimates log p(x) of each sample by importance sampling from q(z|x).

            log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x),   z_k ~ q(z|x)

        Its expectation is the ELBO for K = 1, grows with K towards log p(x), and is never above that. A larger K keeps
        the draws of a smaller K. The `batch_size` does not change the numbers, up to float rounding.

        Args:
            images: Float array `(count, *image_shape)`. Images lie in [-1, 1].
            num_samples: Integer K. Defaults to `100`.
            seed: Integer. Defaults to `0`.
            batch_size: Integer, number of images at a time. Defaults to `500`.
            verbose: Integer, `1` shows the progress. Defaults to `0`.

        Returns:
            Float64 NumPy array `(count,)`, in nats.
        """
        check_positive(num_samples=num_samples)
        images = checked_samples(self, images)
        mean, log_variance = self.encode(images, batch_size)
        parts = [[tf.constant(part) for part in batches_of(x, batch_size)] for x in (images, mean, log_variance)]
        progress = keras.utils.Progbar(num_samples, verbose=verbose)
        total = np.full(len(images), -np.inf)
        for draw in range(num_samples):
            noise = tf.random.stateless_normal(mean.shape, (seed, draw), alg="philox")
            batches = zip(*parts, batches_of(noise, batch_size), strict=True)
            # In the log domain, because the weights themselves would underflow.
            total = np.logaddexp(total, np.concatenate([self._log_weights(*batch) for batch in batches]))
            progress.update(draw + 1)
        return total - math.log(num_samples)

    def log_weights(self, samples, mean, log_variance, noise, training=False):
        """log p(x|z) + log p(z) - log q(z|x) at z = mean + sigma e. The constants of the two normals cancel."""
        latents = mean + ops.exp(log_variance / 2.0) * noise
        prior_over_posterior = ops.sum(ops.square(noise) - ops.square(latents) + log_variance, axis=-1) / 2.0
        return self.log_prob(samples, latents, training) + prior_over_posterior

    @classmethod
    def from_paper(
        cls,
        image_shape,
        *,
        networks=networks.autoencoder,
        latent_dim=20,
        hidden=(500,),
        activation="tanh",
        kernel_initializer="glorot_uniform",
        likelihood="auto",
        optimizer=partial(Adam, 1e-3),
        **settings,
    ):
        """Returns the compiled model, with the settings of the paper's MNIST experiments (Section 5).

        Args:
            image_shape: `(height, width, channels)` or `(dimensions,)`.
            networks: Family of networks, a module with the functions `encoder` and `decoder`.
            likelihood: See the class. Defaults to `"auto"`: `"bernoulli"` for images, `"gaussian"` for vectors.
            **settings: Any other argument of the networks, the class or `compile`. With the prefix `encoder_` or
                `decoder_` it applies to that network alone.

        The other arguments belong to the networks, the class and `compile`.
        """
        if likelihood == "auto":
            likelihood = cls.likelihood_of(image_shape)
        return cls.assemble(locals())

    @staticmethod
    def likelihood_of(image_shape):
        """The likelihood for samples of a shape: `"bernoulli"` for images, `"gaussian"` for vectors."""
        is_image = len(checks.sample_shape("image_shape", image_shape, vectors=True)) == 3
        return "bernoulli" if is_image else "gaussian"


def check_settings(decoder, likelihood, sigma, beta):
    """Raises an error for invalid arguments of `VAE`."""
    check_decoder(decoder)
    checks.choice("likelihood", likelihood, LIKELIHOODS)
    if likelihood == "bernoulli" and len(decoder.outputs[0].shape) != 4:
        raise ValueError(
            'likelihood="bernoulli" is for images, whose pixels lie in [-1, 1]. Received a decoder of samples of shape '
            f'{tuple(decoder.outputs[0].shape[1:])}: use likelihood="gaussian".'
        )
    if not (isinstance(sigma, str) and sigma == "learned") and not 0 < checks.as_float(checks.plain(sigma)) < math.inf:
        raise checks.refusal("sigma", sigma, 'a positive number or "learned"')
    check_weight("beta", beta)
