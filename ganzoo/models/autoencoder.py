"""Autoencoder: a bottleneck, and reconstruction only."""

from functools import partial

import keras
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.models.autoencoding_model import AutoencodingModel, check_decoder


@keras.saving.register_keras_serializable("ganzoo")
class Autoencoder(AutoencodingModel):
    """Autoencoder: an encoder to a few latents and a decoder back, trained to reconstruct.

    A nonlinear principal component analysis. Nothing in it says how the latents are distributed: samples decoded from
    N(0, I) show why a generative model needs that (see `VAE`).

        L = E[(x - g(f(x)))^2],   the mean over pixels and images

    Reference: [Hinton & Salakhutdinov, 2006](https://doi.org/10.1126/science.1127647).

    Departures from the paper:

    - No pretraining by restricted Boltzmann machines: rectified units, initialised for them, do not need it; the paper
      has logistic ones.
    - The mean squared error, where the paper has the cross-entropy for its digits, and Adam, where it has conjugate
      gradients.

    Args:
        encoder: Built `keras.Model`, samples -> latents `(batch, latent_dim)`.
        decoder: Built `keras.Model`, latents -> samples; images with values in [-1, 1].
        ema_decay, seed: See `GenerativeModel`. The average is that of the decoder.

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
            images: Float array `(count, *image_shape)`; images in [-1, 1].
            batch_size: Integer, how many at a time. Defaults to `64`.

        Returns:
            Float32 NumPy array `(count, latent_dim)`, the latents.
        """
        return self._encode_batches(images, batch_size)["latents"]

    def reconstruct(self, images, batch_size=64):
        """Encodes and decodes samples; arguments as in `encode`, and as many samples as result."""
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
        """Returns the compiled model: the sizes of the paper's MNIST network, 784-1000-500-250-30.

        Args:
            image_shape: `(height, width, channels)` or `(dimensions,)`.
            networks: Family of networks, a module with the functions `encoder` and `decoder`.
            output_activation: Of the decoder. Defaults to `"auto"`: `"tanh"` for images, none for vectors.
            **settings: Any other argument of the networks, the class or `compile`. With `encoder_` or `decoder_` before
                its name it concerns that network alone.

        The other arguments are those of the networks and of `compile`.
        """
        if output_activation == "auto":
            output_activation = cls.activation_for(image_shape)
        return cls.assemble(locals())

    @staticmethod
    def activation_for(image_shape):
        """The activation of a decoder for samples of a shape: `"tanh"` for images, `None` for vectors."""
        is_image = len(checks.sample_shape("image_shape", image_shape, vectors=True)) == 3
        return "tanh" if is_image else None
