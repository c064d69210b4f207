"""AutoencodingModel: an encoder and a decoder, trained together by one optimizer."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo import checks
from ganzoo.models.generative_model import GenerativeModel
from ganzoo.networks.inputs import check_positive
from ganzoo.training import feed
from ganzoo.training.assembly import share_out


class AutoencodingModel(GenerativeModel):
    """Base of the models with an encoder. A paper's file overrides `objective` and `encode_samples`.

    Its generator is the decoder, so that `generate`, `export` and callbacks work as for all models.

    Args:
        encoder: Built `keras.Model`, samples -> `encoder_outputs` tensors `(batch, latent_dim)`.
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> samples.
        ema_decay, seed: See `GenerativeModel`. The average is that of the generator.
    """

    encoder_outputs = 1

    def __init__(self, encoder, generator, ema_decay=None, seed=None, **kwargs):
        super().__init__(generator, ema_decay=ema_decay, seed=seed, **kwargs)
        check_encoder(encoder, self.image_shape, self.latent_dim, self.encoder_outputs)
        self.encoder = encoder
        self._encode = None

    # === The two hooks ===

    def objective(self, samples, training):
        """The loss that a step minimises, a scalar. Other values for the log go to `self.track(name=value)`.

        Args:
            samples: Float32 tensor `(batch, ...)`.
            training: Boolean, whether layers are in training mode.
        """
        raise NotImplementedError(f"{type(self).__name__} must define objective(self, samples, training).")

    def encode_samples(self, samples):
        """What `encode` and the SavedModel return for a batch: a dictionary of float32 tensors."""
        raise NotImplementedError(f"{type(self).__name__} must define encode_samples(self, samples).")

    # === The step ===

    def train_step(self, data):
        samples, _ = self.unpack(data)
        loss = self.minimize(lambda: self.objective(samples, training=True), self.optimizer, self.trainable_variables)
        self.track(loss=loss)
        self.update_ema()
        self.step.assign_add(1)
        return self._log.results()

    def test_step(self, data):
        samples, _ = self.unpack(data)
        with self.numbers_of_evaluation():
            self.track(loss=self.objective(samples, training=False))
        return self._log.results()

    # === Encoding and decoding ===

    def decode(self, latents, batch_size=64):
        """Decodes latents, by the averaged decoder where there is one.

        Args:
            latents: Float array `(count, latent_dim)`.
            batch_size: Integer, how many at a time. Defaults to `64`.

        Returns:
            Float32 NumPy array `(count, *image_shape)`.
        """
        latents = np.asarray(latents, "float32")
        if latents.ndim != 2 or latents.shape[1] != self.latent_dim or not len(latents):
            raise ValueError(
                f"`latents` must have the shape (count, {self.latent_dim}), with one row or more. Received: "
                f"{latents.shape}"
            )
        return np.concatenate([self._decode_batch(part) for part in batches_of(latents, batch_size)])

    def _encode_batches(self, images, batch_size):
        images = checked_samples(self, images)
        if self._encode is None:
            spec = tf.TensorSpec((None, *self.image_shape), "float32")
            self._encode = tf.function(self.encode_samples, input_signature=[spec], autograph=False)
        parts = [self._encode(part) for part in batches_of(images, batch_size)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    # === Compiling and saving ===

    def compile(self, optimizer, run_eagerly=False, steps_per_execution=1, jit_compile="auto"):
        """Sets the optimizer of encoder and decoder together, and builds it.

        Args:
            optimizer: `keras.optimizers.Optimizer` or its name. Learning-rate schedules work.
            run_eagerly, steps_per_execution: As in Keras.
            jit_compile: `"auto"` (the default: XLA on a single GPU), `True` or `False`.
        """
        strategy = self.distribute_strategy
        checks.check_execution(strategy, steps_per_execution, jit_compile)
        if optimizer is None:
            raise ValueError("`optimizer` is missing: pass a keras.optimizers.Optimizer or a name such as 'adam'.")
        optimizer = keras.optimizers.get(optimizer)
        half = any(layer.compute_dtype == "float16" for layer in (*self.encoder.layers, *self.generator.layers))
        if half and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        super().compile(
            optimizer=optimizer,
            loss=None,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=False,  # Keras would ask the policy of now, not that of the networks.
        )
        self._jit_compile_argument = jit_compile
        with strategy.scope():
            if not self.optimizer.built:
                self.optimizer.build(self.trainable_variables)

    def get_compile_config(self):
        return {
            "optimizer": keras.saving.serialize_keras_object(self.optimizer),
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": self._jit_compile_argument,
        }

    def get_config(self):
        return {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.generator),
            "ema_decay": self.ema_decay,
            "seed": self.seed,
            "name": self.name,
        }

    def add_endpoints(self, archive):
        """The SavedModel's `encode`: `images` float32 -> what `encode` returns; `decode`: `latents` -> `images`."""
        images = tf.TensorSpec((None, *self.image_shape), "float32", name="images")
        latents = tf.TensorSpec((None, self.latent_dim), "float32", name="latents")
        network = self.sampling_generator
        archive.add_endpoint("encode", lambda images: self.encode_samples(images), [images])
        archive.add_endpoint(
            "decode", lambda latents: {"images": ops.cast(network(latents, training=False), "float32")}, [latents]
        )

    @classmethod
    def assemble(cls, family, image_shape, paper, overrides):
        """Builds and compiles a model from the settings of its paper, as `AdversarialModel.assemble` does.

        Args:
            family: Module with the functions `encoder` and `decoder`.
            image_shape: Shape of one sample.
            paper: Dictionary of the paper's settings.
            overrides: Dictionary of the caller's, which win; `networks` among them replaces the family.
        """
        overrides = dict(overrides)
        family = overrides.pop("networks", family)
        for_encoder, for_decoder, for_model, for_compile = share_out(
            paper,
            overrides,
            [family.encoder, family.decoder, cls, cls.compile],
            given={"encoder", "decoder", "generator", "num_classes", "image_shape", "outputs"},
        )
        model = cls(
            family.encoder(image_shape, outputs=cls.encoder_outputs, **for_encoder),
            family.decoder(image_shape, **for_decoder),
            **for_model,
        )
        model.compile(**for_compile)
        return model


def check_encoder(encoder, image_shape, latent_dim, outputs):
    """Raises unless an encoder is a built `keras.Model` from samples to `outputs` tensors of `latent_dim`."""
    if not isinstance(encoder, keras.Model) or not encoder.built or not getattr(encoder, "inputs", None):
        raise TypeError(
            f"`encoder` must be a built keras.Model with known input shapes. Received: {encoder!r}. Build one with "
            "keras.Model(inputs, outputs), or take ganzoo.networks.autoencoder.encoder."
        )
    inputs, came = ([tuple(tensor.shape[1:]) for tensor in part] for part in (encoder.inputs, encoder.outputs))
    if inputs != [image_shape]:
        raise ValueError(
            f"The decoder makes samples of shape {image_shape}, and the encoder takes inputs of the shapes {inputs}: "
            "it must take those samples."
        )
    if came != [(latent_dim,)] * outputs:
        wanted = "one output, the latents" if outputs == 1 else "two outputs, mean and log-variance"
        raise ValueError(
            f"`encoder` must have {wanted}, of shape ({latent_dim},) as the decoder's input. Received: outputs of the "
            f"shapes {came}. ganzoo.networks.autoencoder.encoder takes latent_dim and outputs={outputs}."
        )


def check_decoder(decoder):
    """Raises a `TypeError` unless a decoder is a built `keras.Model` with one input."""
    if not isinstance(decoder, keras.Model) or len(getattr(decoder, "inputs", None) or ()) != 1:
        raise TypeError(
            f"`decoder` must be a built keras.Model with one input, the latents. Received: {decoder!r}. Build one with "
            "keras.Model(inputs, outputs), or take ganzoo.networks.autoencoder.decoder."
        )


def checked_samples(model, samples):
    """Checks samples that a user gave to a method; returns a float32 array."""
    samples = np.asarray(samples)
    feed.check_element(model, samples, None)
    feed.check_values(model, samples, None)
    if not len(samples):
        raise ValueError(f"There are no samples: received an array of shape {samples.shape}.")
    return samples.astype("float32")


def batches_of(array, batch_size):
    """Parts of an array of at most `batch_size` rows."""
    check_positive(batch_size=batch_size)
    return [array[start : start + batch_size] for start in range(0, len(array), batch_size)]
