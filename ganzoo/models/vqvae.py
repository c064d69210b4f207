"""Vector-quantised variational autoencoder."""

from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.models.autoencoding_model import AutoencodingModel, batches_of, check_decoder
from ganzoo.networks.graph import average_of
from ganzoo.replicas import mean_over_replicas
from ganzoo.training import assembly, updates
from ganzoo.training.settings import Fixed, Setting

# Grids of codes that are drawn at once.
DRAWN_AT_ONCE = 256


@keras.saving.register_keras_serializable("ganzoo")
class VQVAE(AutoencodingModel):
    """Vector-quantised autoencoder: the latents of an image are a grid of integers, its codes.

    The encoder makes a grid of vectors. Each is replaced by the nearest vector of a codebook, and the decoder makes the
    image of these. Codes cannot collapse onto a prior as the latents of a VAE can. Their prior is learned instead: an
    autoregressive network, which `generate` draws codes from, one place after the other.

        z = encoder(x),   c = argmin_k |z - e_k|,   q = z + sg(e_c - z)                    (Equations 1, 2)
        L = mean (x - decoder(q))^2 + mean (sg(z) - e_c)^2 + beta mean (z - sg(e_c))^2     (Equation 3)
          + mean -log p(c_i | c_1, ..., c_{i-1})                                           (of the prior alone)

    sg stops the gradient. So the decoder's gradient passes to the encoder as if nothing were between them. Codes have
    no gradient: the prior's loss trains the prior and nothing else.

    With `codebook_decay` the codebook is no part of the loss. Each e_k moves to the mean of the vectors that chose it,
    as in k-means, by running averages (Appendix A.1):

        N_k <- decay N_k + (1 - decay) n_k,   e_k <- e_k + (1 - decay) (sum of its z - n_k e_k) / N_k

    Reference: [van den Oord et al., 2017](https://arxiv.org/abs/1711.00937).

    Departures from the paper:

    - The prior is trained beside the autoencoder, by the same optimizer; in the paper afterwards. To train it alone at
      the end, freeze `encoder` and `generator` (`trainable = False`), then `compile` and `fit` again.
    - The prior is a PixelCNN without gates. Its masked 3x3 kernels have a blind spot, so a place does not see all codes
      before it.
    - The reconstruction is the mean squared error over pixels, a Gaussian likelihood up to constants.

    Args:
        encoder: Built `keras.Model`, images -> vectors `(batch, rows, columns, code_dim)`.
        decoder: Built `keras.Model`, such vectors -> images in [-1, 1].
        code_prior: Built `keras.Model`, int32 codes `(batch, rows, columns)` -> logits `(batch, rows, columns, K)`, in
            which a place sees only the codes before it, row by row. K is the size of the codebook.
        commitment: Float, beta. Defaults to `0.25`.
        codebook_decay: Float in (0, 1), such as `0.99`, moves the codebook by running averages. Defaults to `None`: by
            the loss, as in the paper's experiments.
        ema_decay, seed: See `GenerativeModel`. Codebook, decoder and prior are averaged.

    Logs: `reconstruction`, the mean squared error; `commitment_loss`, without beta; `perplexity` of the codes of a
        batch, between 1 (one code for all) and K (all equally often); `code_loss`, the prior's, in nats for each code;
        `loss`, the sum as above.

    Example:

    >>> vqvae = ganzoo.VQVAE.from_paper(image_shape=(28, 28, 1), filters=32, num_codes=64)
    >>> vqvae.fit(ganzoo.data.load("mnist_10k", batch_size=64), epochs=20)
    >>> codes = vqvae.encode(images)                    # (count, 7, 7)
    >>> images = vqvae.generate(16, seed=0)
    """

    decoder = Fixed()
    code_prior = Fixed()
    commitment = Setting(checks.check_weight)
    codebook_decay = Fixed(checks.check_decay)

    def __init__(self, encoder, decoder, code_prior, commitment=0.25, codebook_decay=None, **kwargs):
        check_decoder(decoder)
        num_codes = check_prior(code_prior, decoder)
        super().__init__(encoder, networks.vqvae.code_network(decoder, num_codes), **kwargs)
        self.decoder = decoder
        self.code_prior = code_prior
        self.num_codes = num_codes
        self.commitment = commitment
        self.codebook_decay = codebook_decay
        self.codebook = self.generator.get_layer("codebook")
        self.ema_code_prior = None if self.ema_decay is None else average_of(code_prior)
        self.usage = None
        if self.codebook_decay is not None:
            self.codebook.trainable = False
            self.usage = self.add_weight(
                shape=(num_codes,),
                initializer=keras.initializers.Constant(1.0 / num_codes),
                trainable=False,
                autocast=False,
                dtype="float32",
                aggregation="only_first_replica",
                name="usage",
            )
        self._draw = None

    def check_encoder(self, encoder):
        checks.check_built("encoder", encoder)
        came = [tuple(tensor.shape[1:]) for tensor in (*encoder.inputs, *encoder.outputs)]
        wanted = [self.image_shape, tuple(self.generator.get_layer("codebook").output.shape[1:])]
        if came != wanted:
            raise ValueError(
                f"`encoder` must map images of the shape {wanted[0]} to vectors of the shape {wanted[1]}, as the "
                f"decoder takes them. Received: a network with inputs and outputs of the shapes {came}."
            )

    # === The step ===

    def train_step(self, data):
        samples, _ = self.unpack(data)
        notes = [self.noted(self.update, samples)]
        if self.codebook_decay is not None and self.encoder.trainable:
            self.move_codebook(**updates.Notes.means(notes))  # Before the averaged generator follows.
        return self.finish_step()

    def objective(self, samples, training):
        vectors = ops.cast(self.encoder(samples, training=training), "float32")
        quantized, codes = self.codebook.straight_through(vectors)
        decoded = ops.cast(self.decoder(quantized, training=training), "float32")
        reconstruction = ops.mean(ops.square(samples - decoded))
        commitment = ops.mean(ops.square(vectors - tf.stop_gradient(self.codebook(codes))))
        code_loss = self.code_loss(codes, training)
        loss = reconstruction + self.commitment * commitment + code_loss
        if self.codebook_decay is None:
            loss += ops.mean(ops.square(tf.stop_gradient(vectors) - self.codebook(codes)))
        self.observe(tf.stop_gradient(vectors), codes)
        self.track(reconstruction=reconstruction, commitment_loss=commitment, code_loss=code_loss)
        return loss

    def code_loss(self, codes, training=False):
        """Mean of -log p of a code given the codes before it, in nats."""
        logits = ops.cast(self.code_prior(codes, training=training), "float32")
        return ops.mean(ops.sparse_categorical_crossentropy(codes, logits, from_logits=True))

    def observe(self, vectors, codes):
        """Logs the perplexity of the codes, and notes what moves the codebook: shares n_k and sums over the vectors."""
        chosen = ops.reshape(ops.one_hot(codes, self.num_codes, dtype="float32"), (-1, self.num_codes))
        vectors = ops.reshape(vectors, (-1, vectors.shape[-1]))
        count = ops.cast(ops.shape(vectors)[0], "float32")
        shares = mean_over_replicas(ops.mean(chosen, axis=0))
        self.track(perplexity=ops.exp(-ops.sum(shares * ops.log(ops.maximum(shares, 1e-20)))))
        if self.codebook_decay is not None:
            self.note(shares=shares, sums=ops.matmul(ops.transpose(chosen), vectors) / count)

    def move_codebook(self, shares, sums):
        """Moves each vector of the codebook towards the mean of the encoder's vectors that chose it.

        Args:
            shares: Float32 tensor `(K,)`, n_k divided by the number of vectors in the global batch.
            sums: Float32 tensor `(K, D)`, sums of the vectors that chose each code, divided by the same number.
        """
        moved = 1.0 - self.codebook_decay
        usage = self.codebook_decay * self.usage + moved * shares
        table = ops.convert_to_tensor(self.codebook.embeddings)
        # A code that nobody chooses has the step 0, and keeps its place also when its usage has decayed to nothing.
        step = sums - shares[:, None] * table
        self.codebook.embeddings.assign(table + moved * step / ops.maximum(usage, 1e-20)[:, None])
        self.usage.assign(usage)

    # === The prior ===

    def prior(self, numbers, batch_size):
        """Codes of the learned prior, `(batch_size, rows, columns)`: one uniform number for each."""
        uniform = numbers.uniform((batch_size, *self.latent_shape))
        if self._draw is None:
            network = self.code_prior if self.ema_code_prior is None else self.ema_code_prior
            spec = tf.TensorSpec((None, *self.latent_shape), "float32")
            self._draw = tf.function(
                partial(networks.vqvae.draw_codes, network), input_signature=[spec], autograph=False
            )
        if not isinstance(batch_size, int):
            return self._draw(uniform)
        return tf.concat([self._draw(part) for part in batches_of(uniform, DRAWN_AT_ONCE)], axis=0)

    def averages(self):
        pairs = super().averages()
        return pairs + ([] if self.ema_code_prior is None else [(self.ema_code_prior, self.code_prior)])

    # === For users ===

    def encode(self, images, batch_size=64):
        """Encodes images.

        Args:
            images: Float array `(count, *image_shape)`, in [-1, 1].
            batch_size: Integer, how many at a time. Defaults to `64`.

        Returns:
            Int32 NumPy array `(count, rows, columns)`, the codes.
        """
        return self._encode_batches(images, batch_size)["codes"]

    def encode_samples(self, samples):
        vectors = ops.cast(self.encoder(samples, training=False), "float32")
        return {"codes": self.sampling_generator.get_layer("codebook").nearest(vectors)}

    def reconstruct(self, images, batch_size=64):
        """Decodes the codes of images; arguments as in `encode`, and as many images as result."""
        return self.decode(self.encode(images, batch_size), batch_size)

    def check_latents(self, latents):
        """Returns a user's codes as a tensor, or raises unless they are integers from 0 to K - 1."""
        codes = checks.array("latents", latents)
        if codes.size and (np.any(codes != np.round(codes)) or codes.min() < 0 or codes.max() >= self.num_codes):
            raise ValueError(
                f"`latents` must be codes, integers from 0 to {self.num_codes - 1}. Received: values from "
                f"{codes.min()} to {codes.max()} of the type {codes.dtype}."
            )
        return super().check_latents(codes)

    @classmethod
    def from_paper(
        cls,
        image_shape,
        *,
        networks=networks.vqvae,
        num_codes=512,
        code_dim=64,
        filters=256,
        halvings=2,
        blocks=2,
        prior_filters=64,
        prior_blocks=4,
        commitment=0.25,
        optimizer=partial(Adam, 2e-4),
        **settings,
    ):
        """Returns the compiled model, with the settings of the paper's images (Section 4.1).

        Args:
            image_shape: `(height, width, channels)`.
            networks: Family of networks, a module with the functions `encoder`, `decoder` and `prior`.
            prior_filters, prior_blocks: `filters` and `blocks` of the prior.
            **settings: Any other argument of the networks, the class or `compile`. With `encoder_`, `decoder_` or
                `prior_` before its name it concerns that network alone.

        The other arguments are those of the networks, of the class and of `compile`.
        """
        return cls.assemble(locals())

    @classmethod
    def assemble(cls, settings):
        """Builds and compiles a model from the settings of its paper, as `AdversarialModel.assemble` does.

        Args:
            settings: The `locals()` of `from_paper`.
        """
        given = {"encoder", "decoder", "code_prior", "generator", "latent_dim", "num_classes"}
        given |= {"class_names", "attribute_names"}
        plan = assembly.plan(cls, settings, ["encoder", "decoder", "prior"], given)
        built = [plan.build(role) for role in ("encoder", "decoder", "prior")]
        model = cls(*built, **plan.of_class)
        model.compile(**plan.of_compile)
        return model


def check_prior(prior, decoder):
    """Returns the number of codes of a prior, or raises unless it fits the grid of vectors that the decoder takes."""
    checks.check_built("code_prior", prior)
    grid = decoder.inputs[0].shape[1:-1]
    shapes = [tuple(tensor.shape[1:]) for tensor in (*prior.inputs, *prior.outputs)]
    if len(grid) != 2 or shapes[0] != grid or len(shapes) != 2 or shapes[1][:-1] != grid or len(shapes[1]) != 3:
        raise ValueError(
            "`code_prior` must map codes of the shape (rows, columns) to logits (rows, columns, codes), with the rows "
            f"and columns that the decoder takes, {grid}. Received: inputs and outputs of the shapes {shapes}. "
            "ganzoo.networks.vqvae.prior makes one."
        )
    return shapes[1][-1]
