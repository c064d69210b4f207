"""GenerativeModel: what every model of the zoo shares, whatever trains it."""

import contextlib
import copy

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo import checks
from ganzoo.export import saved_model
from ganzoo.health import lint
from ganzoo.sampling import RandomStream
from ganzoo.training import feed
from ganzoo.training.conditions import condition_of
from ganzoo.training.fitting import fit_in_one_run, restore_newest
from ganzoo.training.log import Log


class GenerativeModel(keras.Model):
    """A generator from latents, and maybe a condition, to samples, with everything around its training.

    It owns the random numbers, the averaged generator, the log, the data of `fit`, `generate`, `export` and the config.
    A model derives from it, or from `AdversarialModel`, and writes its update rule.

    Args:
        generator: Built `keras.Model`: latents `(batch, latent_dim)`, and a label `(batch,)` or an image if it is
            conditional, -> float32 samples.
        latent_dim: Integer. Defaults to the width of the generator's first input.
        num_classes: Integer, the number of labels of a conditional generator. Defaults to `None`: unconditional.
        ema_decay: Float in (0, 1), decay of an exponential moving average of the generator's weights and statistics,
            which then generates and is exported. Defaults to `None`: no average.
        seed: Integer, seed of all random numbers of the training. Defaults to `None`, which follows
            `keras.utils.set_random_seed`.
    """

    batches_per_step = 1
    packing = 1

    def __init__(self, generator, latent_dim=None, num_classes=None, ema_decay=None, seed=None, **kwargs):
        checks.check_backend()
        super().__init__(**kwargs)
        self.condition_kind = condition_of(num_classes, generator)
        checks.check_network("generator", generator, self.condition_kind)
        if ema_decay is not None and not 0 < ema_decay < 1:
            raise ValueError(
                f"`ema_decay` must lie between 0 and 1, as 0.999, or be None. Received: ema_decay={ema_decay}"
            )
        width = generator.inputs[0].shape[-1]
        if latent_dim not in (None, width):
            raise ValueError(
                f"`latent_dim` and the generator disagree: latent_dim={latent_dim}, but its first input has the shape "
                f"{generator.inputs[0].shape}"
            )
        self.generator = generator
        self.latent_dim = width
        self.image_shape = tuple(generator.outputs[0].shape[1:])
        self.num_classes = num_classes
        self.ema_decay = ema_decay
        self.seed = seed
        self.step = self.add_weight(
            shape=(), dtype="int64", initializer="zeros", trainable=False, aggregation="only_first_replica", name="step"
        )
        self.random = RandomStream(seed, name="random")
        self.evaluation_random = RandomStream(0 if seed is None else seed, name="evaluation_random")
        self._random_now = self.random
        self.ema_generator = None
        if ema_decay is not None:
            self.ema_generator = keras.models.clone_model(generator)
            self.ema_generator.set_weights(generator.get_weights())
            self.ema_generator.trainable = False
        self._log = Log()
        self._decode = None
        self.feed = None
        self.samples_per_step = None
        self.checkpoints = ()
        self.built = True

    @property
    def steps_done(self):
        """The number of steps (generator updates) so far, as an integer."""
        return int(self.step.numpy())

    # === Random numbers ===

    def normal(self, shape):
        """Numbers from N(0, 1) for this replica's samples; the first entry of `shape` is their number."""
        return self._random_now.normal(shape)

    def uniform(self, shape):
        """Numbers from U[0, 1) for this replica's samples; the first entry of `shape` is their number."""
        return self._random_now.uniform(shape)

    def latents(self, batch_size):
        """Latents z ~ N(0, I) for `batch_size` samples of this replica: `(batch_size, latent_dim)`."""
        return self.normal((batch_size, self.latent_dim))

    @contextlib.contextmanager
    def numbers_of_evaluation(self):
        """Draws from the stream of evaluations inside: an evaluation leaves those of the training alone."""
        self._random_now = self.evaluation_random
        try:
            yield
        finally:
            self._random_now = self.random

    # === Pieces of a step ===

    def call(self, inputs, training=False):
        """Latents (for a conditional model `[latents, condition]`) -> samples of the generator itself.

        A model that translates images takes the images alone, too: all with the same latents. `predict`, `generate` and
        the SavedModel use the averaged generator where there is one.
        """
        return self.generator(self.with_latents(inputs), training=training)

    def predict_step(self, data):
        """A batch of `predict`: what `call` takes, through the network that generates."""
        inputs, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return ops.cast(self.sampling_generator(self.with_latents(inputs), training=False), "float32")

    def with_latents(self, inputs):
        """The inputs of the generator: latents beside images that came alone; others pass."""
        if len(self.generator.inputs) == 1 or isinstance(inputs, (list, tuple)):
            return inputs
        images = self.condition_kind.cast(inputs)
        return [saved_model.same_latents(images, self.latent_dim), images]

    def decode(self, latents, condition, training):
        """The generator's float32 samples for latents and, if it is conditional, the condition."""
        inputs = latents if condition is None else [latents, condition]
        return ops.cast(self.generator(inputs, training=training), "float32")

    def unpack(self, data):
        """Splits a batch of `fit` into float32 samples and the condition, which is `None` without classes."""
        first, second, _ = keras.utils.unpack_x_y_sample_weight(data)
        samples, condition = self.condition_kind.arrange(first, second)
        feed.check_element(self, samples, condition, trusted=True)
        return feed.to_float(samples), self.condition_kind.cast(condition)

    def minimize(self, loss_function, optimizer, variables):
        """Makes one update of `variables` along the gradient of `loss_function()`.

        Keras' optimizers sum the gradients of all replicas, hence the division of the loss.

        Args:
            loss_function: Callable without arguments -> float32 scalar, the mean over this replica's samples.
            optimizer: `keras.optimizers.Optimizer`, built.
            variables: List of trainable variables; no others change.

        Returns:
            The loss as a float32 scalar, neither divided nor scaled.
        """
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in variables])
            loss = checks.check_loss(loss_function(), type(self).__name__)
            scaled = optimizer.scale_loss(loss / replicas)
        gradients = tape.gradient(scaled, [variable.value for variable in variables])
        if replicas > 1 and isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            gradients = agree_on_overflow(gradients)
        optimizer.apply(gradients, variables)
        return loss

    def update_ema(self):
        """Moves the averaged generator: `average <- decay * average + (1 - decay) * weight`, statistics included."""
        if self.ema_generator is not None:
            for average, weight in zip(self.ema_generator.weights, self.generator.weights, strict=True):
                average.assign(self.ema_decay * average + (1.0 - self.ema_decay) * weight)

    # === The log ===

    def track(self, **values):
        """Adds scalars to the log; it shows their mean over the critic steps of a step and over the epoch."""
        self._log.add(**values)

    @property
    def metrics(self):
        """The logged values, and no constant `loss: 0`."""
        return list(self._log.means.values())

    # === Training and evaluation ===

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_data=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_freq=1,
        check=True,
    ):
        """Trains, as Keras' `fit` does, on a dataset whose batches hold m samples, the minibatch of the paper.

        A smaller last batch is left out, and so are the last batches of an epoch that are too few for a step.

        The data are one endless stream, and step k reads what follows step k - 1: a second `fit`, a loaded model and a
        resumed run (see `ganzoo.callbacks.Checkpoint`) go on where the last one stopped.

        Args:
            x: `tf.data.Dataset` of batches of samples or `(samples, label)`; or arrays.
            y: Labels, for arrays.
            batch_size: Integer m, for arrays. Defaults to `64`.
            epochs: Integer, the epoch to train up to. The training begins at `initial_epoch`, or where a restored
                checkpoint stopped.
            callbacks: List of `keras.callbacks.Callback`.
            validation_data: Dataset (or arrays `(x, y)`) for `evaluate` after each epoch.
            steps_per_epoch: Integer, generator updates in an epoch. Defaults to one pass over the data.
            verbose, initial_epoch, validation_steps, validation_freq: As in Keras.
            check: Boolean, whether to warn of what trains badly, as `check` finds it, before the first step of a model.
                Defaults to `True`.

        Returns:
            `keras.callbacks.History`.

        Raises:
            ValueError: If the data do not fit the model; before the first step, in words.

        Warns:
            UserWarning: If the networks, the optimizers and the data are a combination that is known to train badly.
        """
        self._assert_compile_called("fit")
        data = feed.Feed(self, x, y, batch_size, steps_per_epoch)
        if validation_data is not None:
            validation_data = feed.evaluation_dataset(self, validation_data, batch_size)
        self.samples_per_step = data.samples_per_step
        if check and not self.steps_done:
            lint.warn(self, data.dataset, data.first_batch)
        restored = restore_newest(self, callbacks)
        return fit_in_one_run(
            super().fit,
            self,
            data,
            epochs=epochs,
            initial_epoch=initial_epoch,
            restored=restored,
            callbacks=callbacks,
            verbose=verbose,
            validation_data=validation_data,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
        )

    def check(self, dataset=None):
        """Looks for combinations of networks, optimizers and data that train badly, with the paper that explains each.

        Args:
            dataset: `tf.data.Dataset` of batches, as `fit` takes it, of which the first batches are looked at. Defaults
                to `None`: the model alone is checked.

        Returns:
            List of `ganzoo.health.lint.Finding`, empty if all is well.
        """
        return lint.check(self, dataset)

    def train_on_batch(self, x, y=None, return_dict=False):
        """Makes one step on a batch of `batches_per_step * m` samples: one minibatch after the other."""
        self._assert_compile_called("train_on_batch")
        feed.check_batch(self, x, y)
        x, y = (feed.interleave(part, self.batches_per_step) for part in (x, y))
        return super().train_on_batch(x, y, return_dict=return_dict)

    def evaluate(self, x=None, y=None, batch_size=None, **kwargs):
        """The losses on held-out data, with no update and always with the same latents.

        A smaller last batch is left out, as in `fit`: choose a `batch_size` that divides the data, to use all of them.
        """
        if not kwargs.get("_use_cached_eval_dataset"):
            x = feed.evaluation_dataset(self, x if y is None else (x, y), batch_size)
        self.evaluation_random.restart()
        results = super().evaluate(x, **kwargs)
        self.evaluation_random.restart()  # An evaluation leaves no trace in the model.
        return results

    def test_on_batch(self, x, y=None, return_dict=False):
        feed.check_batch(self, x, y, batches=1)
        self.evaluation_random.restart()
        return super().test_on_batch(x, y, return_dict=return_dict)

    # Keras' fit cannot run under MultiWorkerMirroredStrategy: it converts a batch that lives on several workers to one
    # tensor, and reduces scalars over an axis that they do not have. These two overrides of its private hooks are what
    # it takes: https://github.com/keras-team/keras/issues/20585

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Nothing to build: the networks and optimizers are built when they are made."""

    def _make_function(self, step_function):
        strategy = self.distribute_strategy
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            return super()._make_function(step_function)

        @tf.function(reduce_retracing=True, autograph=False)
        def one_step(batch):
            log = strategy.run(step_function, args=(batch,))
            return {name: strategy.reduce("MEAN", value, axis=None) for name, value in log.items()}

        return lambda iterator: one_step(next(iterator))

    @property
    def is_chief(self):
        """Whether this process writes files: always, unless it is another worker than the first."""
        resolver = getattr(self.distribute_strategy, "cluster_resolver", None)
        return resolver is None or not resolver.task_type or (resolver.task_type, resolver.task_id) in CHIEFS

    # === Sampling ===

    def generate(self, num_samples=None, seed=0, condition=None, batch_size=64):
        """Draws samples: a pure function of the weights, the seed and the condition.

        Any `batch_size` gives the same samples, and the first k of n equal a call for k, up to float rounding.

        Args:
            num_samples: Integer, at least 1. A conditional model takes it from `condition` by default.
            seed: Integer. Defaults to `0`.
            condition: For a conditional model: `num_samples` labels or images, or one for all.
            batch_size: Integer, how many are made at a time. Defaults to `64`.

        Returns:
            Float32 NumPy array `(num_samples, ...)`; images lie in [-1, 1].
        """
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise ValueError(f"`seed` must be an integer. Received: seed={seed!r}")
        if batch_size is None:
            raise ValueError("`batch_size` must be an integer of at least 1. Received: batch_size=None")
        checks.check_count("batch_size", batch_size)
        num_samples, condition = self.condition_kind.for_samples(condition, num_samples)
        latents = saved_model.draw_latents(tf.constant(seed, "int64"), num_samples, self.latent_dim)
        inputs = [latents] if condition is None else [latents, condition]
        batch_size = min(batch_size, num_samples)
        samples = None
        for start in range(0, num_samples, batch_size):
            start = min(start, num_samples - batch_size)  # The last batch is full as well: the same kernels.
            batch = self._decode_batch(*(part[start : start + batch_size] for part in inputs))
            if samples is None:
                samples = np.empty((num_samples, *batch.shape[1:]), "float32")
            samples[start : start + batch_size] = batch
        return samples

    def _decode_batch(self, *inputs):
        """One compiled function for all batch sizes, made once."""
        if self._decode is None:
            network = self.sampling_generator
            self._decode = tf.function(
                lambda *inputs: ops.cast(network(inputs[0] if len(inputs) == 1 else inputs, training=False), "float32"),
                input_signature=[tf.TensorSpec((None, self.latent_dim), "float32"), *self.condition_kind.specs()],
                autograph=False,
            )
        return self._decode(*inputs).numpy()

    @property
    def sampling_generator(self):
        """The network that generates: the averaged generator where there is one."""
        return self.generator if self.ema_generator is None else self.ema_generator

    def export(self, filepath, format="tf_saved_model", verbose=None):
        """Writes a SavedModel for TensorFlow Serving, which needs neither ganzoo nor Keras.

        Signatures, all integers int64:

        - `serving_default`: `latents` float32 `(batch, latent_dim)` [, `label` `(batch,)`] -> `images` float32.
        - `generate`: `seed`, `num_samples` (conditional: `seed`, `label` `(n,)`) -> `images` uint8, `latents`.
        - `generate_png`: the same -> `image_bytes`, PNG files.

        A model that translates images has `image`, float32 in [-1, 1], in the place of `label`, and its
        `serving_default` takes `image` alone: always with the same latents.

        Args:
            filepath: Directory; TensorFlow Serving wants a number for its last part, as in `serving/wgan_gp/1`.
            format: `"tf_saved_model"`, the only one.
            verbose: Ignored; the argument exists because Keras has it.
        """
        if format != "tf_saved_model":
            raise ValueError(f'ganzoo exports format="tf_saved_model" only. Received: format={format!r}')
        saved_model.export(self, str(filepath))

    def add_endpoints(self, archive):
        """Adds a model's own signatures to a `keras.export.ExportArchive`; none by default."""

    # === Saving ===

    def get_config(self):
        """The arguments of the constructor."""
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "latent_dim": self.latent_dim,
            "num_classes": self.num_classes,
            "ema_decay": self.ema_decay,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**{key: deserialize(value, custom_objects) for key, value in config.items()})

    def compile_from_config(self, config):
        self.compile(**{key: deserialize(value) for key, value in config.items()})

    def _seed_generator_states(self):
        """The random states of layers such as Dropout, which Keras does not save."""
        return [seeds.state for layer in self._flatten_layers() for seeds in getattr(layer, "_seed_generators", ())]

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for index, state in enumerate(self._seed_generator_states()):
            store[f"layer_seed_{index}"] = np.asarray(state)

    def load_own_variables(self, store):
        for index, state in enumerate(self._seed_generator_states()):
            state.assign(np.asarray(store[f"layer_seed_{index}"]))
        super().load_own_variables({key: store[key] for key in store.keys() if not key.startswith("layer_seed_")})


CHIEFS = {("chief", 0), ("worker", 0)}


def agree_on_overflow(gradients):
    """Makes all replicas skip a step that overflowed on one of them: `LossScaleOptimizer` looks at the first only."""
    overflowed = [tf.reduce_any(~tf.math.is_finite(gradient)) for gradient in gradients if gradient is not None]
    replica = tf.distribute.get_replica_context()
    anywhere = replica.all_reduce("SUM", tf.cast(tf.reduce_any(overflowed), "float32")) > 0
    infinity = float("inf")
    return [g if g is None else tf.where(anywhere, tf.constant(infinity, g.dtype), g) for g in gradients]


def deserialize(value, custom_objects=None):
    """Undoes `serialize_keras_object`; plain values pass."""
    if isinstance(value, dict) and "class_name" in value:
        # Keras empties the config of a functional model while it reads it.
        return keras.saving.deserialize_keras_object(copy.deepcopy(value), custom_objects=custom_objects)
    return value
