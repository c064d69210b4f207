"""AutoencodingModel, an encoder and a decoder that share an optimizer."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo.models.generative_model import GenerativeModel
from ganzoo.networks.inputs import check_positive
from ganzoo.training import assembly, feed, keras_arguments
from ganzoo.training.compiled_model import serialized
from ganzoo.training.settings import Fixed


class AutoencodingModel(GenerativeModel):
    """Base class of models with an encoder and a decoder. A subclass overrides `objective` and `encode_samples`.

    The decoder is the generator, so `generate`, `export` and callbacks work as in all models.

    Args:
        encoder: Built `keras.Model`, samples -> `encoder_outputs` tensors `(batch, latent_dim)`.
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> samples.
        ema_decay, seed: See `GenerativeModel`. The generator is averaged.
    """

    encoder_outputs = 1

    encoder = Fixed()

    def __init__(self, encoder, generator, ema_decay=None, seed=None, **kwargs):
        super().__init__(generator, ema_decay=ema_decay, seed=seed, **kwargs)
        self.check_encoder(encoder)
        self.encoder = encoder
        self._encode = None

    def check_encoder(self, encoder):
        """Raises unless an encoder fits the decoder. Override it where latents are no vectors."""
        check_encoder(encoder, self.image_shape, self.latent_dim, self.encoder_outputs)

    # === The two hooks ===

    def objective(self, samples, training):
        """The loss that a step minimises, a scalar. Log other values with `self.track(name=value)`.

        Args:
            samples: Float32 tensor `(batch, ...)`.
            training: Boolean, whether layers are in training mode.
        """
        raise NotImplementedError(f"{type(self).__name__} must define objective(self, samples, training).")

    def encode_samples(self, samples):
        """Encodes a batch for `encode` and the SavedModel. Returns a dictionary of float32 tensors."""
        raise NotImplementedError(f"{type(self).__name__} must define encode_samples(self, samples).")

    # === The step ===

    def train_step(self, data):
        samples, _ = self.unpack(data)
        return self.finish_step([self.noted(self.update, samples)])

    def update(self, samples):
        """Updates encoder and decoder once."""
        self.track(loss=self.minimize(lambda: self.objective(samples, training=True), "optimizer"))

    def test_step(self, data):
        samples, _ = self.unpack(data)
        with self.numbers_of_evaluation():
            self.track(loss=self.objective(samples, training=False))
        return self.logged()

    # === Encoding and decoding ===

    def decode(self, latents, batch_size=64):
        """Decodes latents, with the averaged decoder if there is an average.

        Args:
            latents: Float array `(count, latent_dim)`.
            batch_size: Integer, number of samples decoded at a time. Defaults to `64`.

        Returns:
            Float32 NumPy array `(count, *image_shape)`.
        """
        latents = self.check_latents(latents)
        check_positive(batch_size=batch_size)
        return np.concatenate([self.decode_batch(part) for part in batches_of(latents, batch_size)])

    def _encode_batches(self, images, batch_size):
        images = checked_samples(self, images)
        if self._encode is None:
            spec = tf.TensorSpec((None, *self.image_shape), "float32")
            self._encode = tf.function(self.encode_samples, input_signature=[spec], autograph=False)
        parts = [self._encode(part) for part in batches_of(images, batch_size)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    # === Compiling and saving ===

    @property
    def trained(self):
        return {"optimizer": self.trainable_variables}

    def compile(self, optimizer=None, run_eagerly=False, steps_per_execution=1, jit_compile="auto", **kwargs):
        """Sets and builds the optimizer that encoder and decoder share.

        Args:
            optimizer: `keras.optimizers.Optimizer`, its name, or a function that makes it. Learning-rate schedules
                work.
            run_eagerly, steps_per_execution: As in Keras.
            jit_compile: `"auto"` (the default: XLA on a single GPU), `True` or `False`.
        """
        keras_arguments.refuse(self.compile, kwargs)
        self.compile_with({"optimizer": optimizer}, run_eagerly, steps_per_execution, jit_compile)

    def get_config(self):
        config = {**super().get_config(), "decoder": serialized(getattr(self, "decoder", self.generator))}
        made = ("generator", "latent_dim", "num_classes", "class_names", "attribute_names")  # From the decoder.
        return {name: value for name, value in config.items() if name not in made}

    def add_endpoints(self, archive):
        """Adds the endpoints `encode`, `images` -> result of `encode_samples`, and `decode`, `latents` -> `images`."""
        images = tf.TensorSpec((None, *self.image_shape), "float32", name="images")
        latents = tf.TensorSpec((None, *self.latent_shape), self.latent_dtype, name="latents")
        network = self.sampling_generator
        archive.add_endpoint("encode", lambda images: self.encode_samples(images), [images])
        archive.add_endpoint(
            "decode", lambda latents: {"images": ops.cast(network(latents, training=False), "float32")}, [latents]
        )

    @classmethod
    def assemble(cls, settings):
        """Builds and compiles a model from the settings of its paper, as `AdversarialModel.assemble` does.

        Args:
            settings: The `locals()` of `from_paper`.
        """
        given = {"encoder", "decoder", "generator", "num_classes", "class_names", "attribute_names"}
        plan = assembly.plan(cls, settings, ["encoder", "decoder"], given)
        model = cls(plan.build("encoder", outputs=cls.encoder_outputs), plan.build("decoder"), **plan.of_class)
        model.compile(**plan.of_compile)
        return model


def check_encoder(encoder, image_shape, latent_dim, outputs):
    """Raises an error unless an encoder is a built `keras.Model` from samples to `outputs` tensors of `latent_dim`."""
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
    """Raises a `TypeError` unless a decoder is a built `keras.Model` with a single input."""
    if not isinstance(decoder, keras.Model) or len(getattr(decoder, "inputs", None) or ()) != 1:
        raise TypeError(
            f"`decoder` must be a built keras.Model with one input, the latents. Received: {decoder!r}. Build one with "
            "keras.Model(inputs, outputs), or take ganzoo.networks.autoencoder.decoder."
        )


def checked_samples(model, samples):
    """Checks a user's samples. Returns a float32 array."""
    samples = np.asarray(samples)
    feed.check_element(model, samples, None)
    feed.check_values(model, samples, None)
    if not len(samples):
        raise ValueError(f"There are no samples: received an array of shape {samples.shape}.")
    return samples.astype("float32")


def batches_of(array, batch_size):
    """Splits an array into parts of at most `batch_size` rows."""
    check_positive(batch_size=batch_size)
    return [array[start : start + batch_size] for start in range(0, len(array), batch_size)]
