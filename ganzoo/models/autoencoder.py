"""Autoencoder: a bottleneck, trained only to reconstruct."""

from functools import partial

import keras
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.models.autoencoding_model import AutoencodingModel, check_decoder


@keras.saving.register_keras_serializable("ganzoo")
class Autoencoder(AutoencodingModel):
    """Autoencoder: an encoder to a few latents and a decoder back, trained to reconstruct.

    It is a nonlinear principal component analysis. No part of the loss shapes the distribution of the latents. Samples
    decoded from N(0, I) show why a generative model needs that (see `VAE`).

        L = E[(x - g(f(x)))^2],   the mean over pixels and images

    Reference: [Hinton & Salakhutdinov, 2006](https://doi.org/10.1126/science.1127647).

    Departures from the paper:

    - No pretraining by restricted Boltzmann machines. Rectified units with a matching initialization do not need it.
      The paper has logistic units.
    - The mean squared error replaces the paper's cross-entropy for digits, and Adam replaces conjugate gradients.

    Args:
        encoder: Built `keras.Model`, samples -> latents `(batch, latent_dim)`.
        decoder: Built `keras.Model`, latents -> samples. Images have values in [-1, 1].
        ema_decay, seed: See `GenerativeModel`. The decoder is averaged.

    Logs: `loss`, the mean squared error.

    Raises:
        ValueError: If the shapes of encoder and decoder do not fit together.

    Example:

    >>> model = ganzoo.Autoencoder.from_paper(image_shape=(28, 28, 1), latent_dim=2)
    >>> model.fit(ganzoo.data.load("mnist_10k", batch_size=64), epochs=20)
    >>> latents = model.encode(images)
    """

    def __init__(self, encoder, decoder, ema_decay=None, seed=None, **kwargs):
        check_decoder(decoder)
        super().__init__(encoder, decoder, ema_decay=ema_decay, seed=seed, **kwargs)

    def objective(self, samples, training):
        decoded = self.generator(self.encoder(samples, training=training), training=training)
        return ops.mean(ops.square(samples - ops.cast(decoded, "float32")))

    def encode_samples(self, samples):
        return {"latents": ops.cast(self.encoder(samples, training=False), "float32")}

    def encode(self, images, batch_size=64):
        """Encodes samples.

        Args:
            images: Float array `(count, *image_shape)`. Images lie in [-1, 1].
            batch_size: Integer, number of samples encoded at a time. Defaults to `64`.

        Returns:
            Float32 NumPy array `(count, latent_dim)`, the latents.
        """
        return self._encode_batches(images, batch_size)["latents"]

    def reconstruct(self, images, batch_size=64):
        """Encodes and decodes samples. Takes the arguments of `encode`."""
        return self.decode(self.encode(images, batch_size), batch_size)

    @classmethod
    def from_paper(
        cls,
        image_shape,
        *,
        networks=networks.autoencoder,
        latent_dim=30,
        hidden=(1000, 500, 250),
        output_activation="auto",
        optimizer=partial(Adam, 1e-3),
        **settings,
    ):
        """Returns the compiled model, with the sizes of the paper's MNIST network, 784-1000-500-250-30.

        Args:
            image_shape: `(height, width, channels)` or `(dimensions,)`.
            networks: Family of networks, a module with the functions `encoder` and `decoder`.
            output_activation: Activation of the decoder's output. Defaults to `"auto"`: `"tanh"` for images, linear for
                vectors.
            **settings: Any other argument of the networks, the class or `compile`. With the prefix `encoder_` or
                `decoder_` it applies to that network alone.

        The other arguments belong to the networks and `compile`.
        """
        if output_activation == "auto":
            output_activation = cls.activation_for(image_shape)
        return cls.assemble(locals())

    @staticmethod
    def activation_for(image_shape):
        """The activation of a decoder for samples of a shape: `"tanh"` for images, `None` for vectors."""
        is_image = len(checks.sample_shape("image_shape", image_shape, vectors=True)) == 3
        return "tanh" if is_image else None
