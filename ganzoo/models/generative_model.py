"""GenerativeModel, the base class of every model in the zoo."""

import contextlib

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo import checks, health
from ganzoo.export import formats
from ganzoo.networks.graph import average_of
from ganzoo.presets import folder
from ganzoo.sampling import RandomStream, SeededNumbers, in_full_batches
from ganzoo.switch import Switch
from ganzoo.training import feed, keras_arguments, schedules, updates
from ganzoo.training.compiled_model import CompiledModel, deserialize, serialized
from ganzoo.training.conditions import conditions_of
from ganzoo.training.fitting import fit_in_one_run, listed, tell_length
from ganzoo.training.log import Log
from ganzoo.training.settings import Fixed, Setting, settings_of


class GenerativeModel(CompiledModel):
    """Base class of all models: a generator of samples, with everything around its training.

    It contains the prior, the random numbers, the averaged generator, the optimizers, the log, the data of `fit`,
    `generate`, `export` and the config. A model derives from this class or from `AdversarialModel`, and adds its update
    rule.

    Args:
        generator: Built `keras.Model`, latents `(batch, ...)` and conditions -> float32 samples. All inputs after the
            first are conditions: a label `()`, attributes `(count,)`, images `(height, width, channels)`, in any
            number.
        latent_dim: Integer. Defaults to the width of the generator's first input; `None` if that is not a
            vector.
        num_classes: Integer, the number of labels of a conditional generator. Defaults to `None`: no label.
        class_names: Sequence of strings, a name for each class. Defaults to `None`: `fit` takes the names from the
            dataset.
        attribute_names: Sequence of strings, a name for each attribute. Defaults to `None`: `fit` takes the names from
            the dataset.
        ema_decay: Float in (0, 1), decay of an exponential moving average of the generator's weights and statistics.
            The average then generates and is exported. Or a schedule, such as `ganzoo.training.schedules.HalfLife`. The
            decay is smaller in the first steps, see `update_ema`. Defaults to `None`: no average.
        seed: Integer, seed of all random numbers of the training. Defaults to `None`, which follows
            `keras.utils.set_random_seed`.
    """

    batches_per_step = 1
    packing = 1

    # Whether the generator's first input is latents. A model that only translates images has no latents.
    has_latents = True

    # Whether a discriminator returns reconstructions instead of scores.
    reconstructs = False

    generator = Fixed()
    latent_dim = Fixed()
    num_classes = Fixed()
    ema_decay = Setting(schedules.or_schedule(checks.check_decay))
    seed = Fixed()

    def __init__(
        self,
        generator,
        latent_dim=None,
        num_classes=None,
        class_names=None,
        attribute_names=None,
        ema_decay=None,
        seed=None,
        **kwargs,
    ):
        checks.check_backend()
        super().__init__(**kwargs)
        checks.check_built("generator", generator)
        self.conditions = conditions_of(generator, num_classes, class_names, attribute_names, self.has_latents)
        checks.check_network("generator", generator, int(self.has_latents) + len(self.conditions), self.conditions)
        self.generator = generator
        self.latent_shape, self.latent_dtype = latents_of(generator) if self.has_latents else (None, None)
        is_vector = self.has_latents and len(self.latent_shape) == 1
        width = self.latent_shape[0] if is_vector else None
        if latent_dim not in (None, width):
            raise ValueError(
                f"`latent_dim` and the generator disagree: latent_dim={latent_dim}, but its first input has the shape "
                f"{generator.inputs[0].shape}"
            )
        self.latent_dim = width
        self.image_shape = tuple(generator.outputs[0].shape[1:])
        self.num_classes = None if self.conditions.label is None else self.conditions.label.num_classes
        self.ema_decay = ema_decay
        self.seed = checks.seed("seed", seed, optional=True)
        self.step = self.add_weight(
            shape=(), dtype="int64", initializer="zeros", trainable=False, aggregation="only_first_replica", name="step"
        )
        self.random = RandomStream(self.seed, name="random")
        self.evaluation_random = RandomStream(self.seed or 0, name="evaluation_random")
        self._evaluation = Switch()
        self.ema_generator = None if ema_decay is None else average_of(generator)
        self._log = Log()
        self._notes = updates.Notes()
        self._decode = None
        self.feed = None
        self.samples_per_step = None
        self.checkpoints = ()
        self.run_record = None
        self.built = True

    @property
    def steps_done(self):
        """The number of steps (generator updates) so far, as an integer."""
        return int(self.step.numpy())

    @property
    def class_names(self):
        """The names of the classes as a list of strings, or `None`."""
        return None if self.conditions.label is None else self.conditions.label.class_names

    @class_names.setter
    def class_names(self, names):
        if self.conditions.label is None:
            raise ValueError(f"The model has no classes to name. Received: class_names={names!r}")
        self.conditions.label.name_classes(names)

    @property
    def attribute_names(self):
        """The names of the attributes as a list of strings, or `None`."""
        return None if self.conditions.attributes is None else self.conditions.attributes.attribute_names

    @attribute_names.setter
    def attribute_names(self, names):
        if self.conditions.attributes is None:
            raise ValueError(f"The model has no attributes to name. Received: attribute_names={names!r}")
        self.conditions.attributes.name_attributes(names)

    # === The prior, and random numbers ===

    def prior(self, numbers, batch_size):
        """Turns random numbers into latents. Training, `generate` and exported models all draw latents here.

        Override it for another prior than z ~ N(0, I), such as codes or a learned distribution.

        Args:
            numbers: Object with `normal(shape)` and `uniform(shape)`, whose `shape[0]` is the number of samples. In a
                training step it is this model, elsewhere a `ganzoo.sampling.SeededNumbers`.
            batch_size: Integer or scalar tensor.

        Returns:
            Tensor `(batch_size, ...)` for the generator's first input.
        """
        return numbers.normal((batch_size, *self.latent_shape))

    def latents(self, batch_size):
        """Latents from the prior for `batch_size` samples of this replica. `None` if the generator takes no latents."""
        return self.prior(self, batch_size) if self.has_latents else None

    def normal(self, shape):
        """Random numbers from N(0, 1) for this replica's samples. `shape[0]` is the number of samples."""
        return self._stream.normal(shape)

    def uniform(self, shape):
        """Random numbers from U[0, 1) for this replica's samples. `shape[0]` is the number of samples."""
        return self._stream.uniform(shape)

    @property
    def _stream(self):
        return self.evaluation_random if self.evaluates else self.random

    @property
    def evaluates(self):
        """Whether random numbers currently come from the stream of evaluations, as inside `numbers_of_evaluation`."""
        return bool(self._evaluation)

    def numbers_of_evaluation(self):
        """A context that draws from the stream of evaluations, so that the training's random numbers are unaffected."""
        return self._evaluation.on()

    @contextlib.contextmanager
    def without_trace(self):
        """A context that runs parts of a step as an evaluation, without logging."""
        with self._log.muted(), self.numbers_of_evaluation():
            yield

    # === Pieces of a step ===

    def call(self, inputs, training=False):
        """Latents (with conditions: `[latents, condition, ...]`) -> samples, as in `generate`.

        Uses the averaged generator if there is an average, or with `training=True` the trained generator. A model that
        translates images also takes images alone. It then uses the same latents for all images.
        """
        network = self.generator if training else self.sampling_generator
        latents, condition = self.split_inputs(inputs)
        return self.apply_generator(network, latents, condition, training)

    def predict(self, x, batch_size=None, **kwargs):
        """Latents (with conditions: `[latents, condition, ...]`) -> samples, like `generate`. Arguments as in Keras."""
        if x is None or any(len(part) == 0 for part in tf.nest.flatten(x) if isinstance(part, np.ndarray)):
            came = "None" if x is None else "no rows"
            raise ValueError(
                f"`predict` needs latents, one row or more. Received: {came}. `generate(num_samples)` draws some."
            )
        batch_size = checks.check_count("batch_size", batch_size)
        if not isinstance(x, tf.data.Dataset):
            parts = [checks.array("x", part) for part in tf.nest.flatten(x)]
            if isinstance(x, dict) or not all(part.ndim for part in parts):
                raise checks.refusal("x", x, "an array of latents, or a list with the condition")
        return super().predict(x, batch_size=batch_size, **kwargs)

    def predict_step(self, data):
        """Predicts a batch of inputs of `call`."""
        inputs, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.call(inputs)

    def split_inputs(self, inputs):
        """Splits the inputs of `call`, a tensor or a list of latents and conditions, into latents and condition."""
        inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        wanted = int(self.has_latents) + len(self.conditions)
        if self.has_latents and self.conditions.translates and len(inputs) == wanted - 1:
            count = tf.shape(inputs[0])[0]
            # The same latents for all images, so that a translation does not depend on the batch.
            inputs = [tf.repeat(self.prior(SeededNumbers(0), 1), count, axis=0), *inputs]
        if len(inputs) != wanted:
            raise ValueError(
                f"{type(self).__name__} takes {wanted} input(s): "
                f"{', '.join(['latents'] * self.has_latents + list(self.conditions))}. Received: {len(inputs)}"
            )
        latents = inputs.pop(0) if self.has_latents else None
        condition = self.conditions.join(dict(zip(self.conditions, inputs, strict=True)))
        return latents, self.conditions.cast(condition)

    def apply_generator(self, network, latents, condition, training):
        """Makes float32 samples with a generator. Training, `generate` and exported models all call it.

        Override it if samples need more than a single call of the network, such as mixing styles in training. Draw
        random numbers with `self.normal` and `self.uniform`.

        Args:
            network: The generator, or its average.
            latents: Tensor of `prior`, or `None`.
            condition: Batch of conditions, or `None`.
            training: Boolean, whether layers are in training mode.
        """
        inputs = [latents] * self.has_latents + self.conditions.as_inputs(condition)
        return ops.cast(network(inputs[0] if len(inputs) == 1 else inputs, training=training), "float32")

    def decode(self, latents, condition, training):
        """The samples of the trained generator, not of its average. See `apply_generator`."""
        return self.apply_generator(self.generator, latents, condition, training)

    def unpack(self, data):
        """Splits a batch of `fit` into float32 samples and the condition (or `None`)."""
        first, second, _ = keras.utils.unpack_x_y_sample_weight(data)
        samples, condition = self.conditions.arrange(first, second)
        feed.check_element(self, samples, condition, trusted=True)
        return feed.to_float(samples), self.conditions.cast(condition)

    def regularize(self, name, weight, penalty, every=1, notes=()):
        """A weighted penalty for a loss, logged as `name` without its weight.

        With `every=k`, the penalty is computed only in every k-th step of the training, with k times the weight. The
        gradient is the same in expectation, for a k-th of the cost ("lazy regularization", Karras et al., 2020,
        arXiv:1912.04958, Appendix B). The log shows the mean over the steps that computed it. On replicas, `penalty`
        must not draw random numbers or update variables. Draw the numbers before, and let the function use them.

        Args:
            name: String.
            weight: Float.
            penalty: Callable without arguments -> float32 scalar. With `notes`, a list of the penalty and further
                scalars.
            every: Integer. Defaults to `1`.
            notes: Names of the further scalars, which go to `after_step` like the values of `note`. They are 0 in steps
                without the penalty. Empty by default.
        """

        def computed():
            return [tf.cast(value, "float32") for value in tf.nest.flatten(penalty())]

        if every == 1 or self.evaluates:
            value, *further = computed()
            self.track(**{name: value})
        else:
            due = ops.equal(self.step % every, 0)
            # `tf.cond` skips the computation in the steps between. A weight of 0 would not save any time.
            value, *further = tf.cond(due, computed, lambda: [tf.constant(0.0)] * (1 + len(notes)))
            self._log.add({name: value}, tf.cast(due, "float32"))
            weight = weight * every
        self.note(**dict(zip(notes, further, strict=True)))
        return weight * value

    def finish_step(self, notes=()):
        """Ends a training step: averages the generator, counts the step and calls `after_step`. Returns the log.

        Args:
            notes: List of dictionaries, the values that the updates noted. Empty by default.
        """
        self.update_ema()
        self.step.assign_add(1)
        self.after_step(updates.Notes.means(notes))
        return self.logged()

    def after_step(self, values):
        """Called at the end of each training step, to adapt variables such as a balance, a strength or a running mean.

        A model may change variables only here and through `minimize`. `evaluate` does not call it.

        Args:
            values: Dictionary of the float32 scalars that the hooks of this step passed to `note`, averaged over the
                updates of the step and over the replicas.
        """

    # Collections of networks or optimizers are methods, or mappings that Keras does not recognize as containers. When
    # Keras saves a model, it walks through all attributes, including properties, and would save a network under the
    # name of the first collection that contains it.

    def averages(self):
        """Pairs of an averaged network and the trained network."""
        return [] if self.ema_generator is None else [(self.ema_generator, self.generator)]

    def update_ema(self):
        """Updates the averaged generator and its statistics: `average <- decay * average + (1 - decay) * weight`.

        After t steps the decay is `min(ema_decay, (1 + t) / (10 + t))`. So the average first covers about the last
        tenth of the steps, and the initial weights do not hold it back. A schedule is taken as it is.
        """
        if (self.ema_decay is None) != (self.ema_generator is None):
            raise ValueError(
                f"The model was made with{'out' if self.ema_generator is None else ''} an averaged generator, and "
                f"ema_decay={self.ema_decay} now. Make a new model with ema_decay, or change it to another number."
            )
        if self.ema_decay is None:
            return
        step, decay = ops.cast(self.step, "float32"), schedules.value_at(self.ema_decay, self.step)
        if not schedules.is_schedule(self.ema_decay):
            decay = ops.minimum(decay, (1.0 + step) / (10.0 + step))
        for averaged, network in self.averages():
            for average, weight in zip(averaged.weights, network.weights, strict=True):
                average.assign(decay * average + (1.0 - decay) * weight)

    # === The log ===

    def track(self, **values):
        """Adds scalars to the log, which shows their mean over the critic steps and over the epoch."""
        checks.check_scalars(values)
        self._log.add(values)

    def note(self, **values):
        """Passes values of this update to `after_step`: scalars or tensors that are means over the batch."""
        self._notes.add(values)

    def noted(self, update, *arguments):
        """Runs an update. Returns the values that it passed to `note`, for `finish_step`."""
        return self._notes.of(update, *arguments)

    def logged(self):
        """The log of this epoch so far, a dictionary of scalars. `train_step` and `test_step` return it."""
        return self._log.results()

    @property
    def metrics(self):
        """The logged values. Keras' own list would add a constant `loss: 0`."""
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
        **kwargs,
    ):
        """Trains the model, as Keras' `fit`, on a dataset whose batches hold m samples, the minibatch of the paper.

        A smaller last batch is left out. So are the last batches of an epoch if they do not fill a step. The data are
        an endless stream. Each step continues where the step before stopped. So does a second `fit`, a loaded model or
        a resumed run (see `ganzoo.callbacks.Checkpoint`).

        Args:
            x: `tf.data.Dataset` of batches of samples or `(samples, label)`, or arrays.
            y: Labels, for arrays.
            batch_size: Integer m, for arrays. Defaults to `64`.
            epochs: Integer, the epoch to train up to. The training begins at `initial_epoch`, or where a restored
                checkpoint stopped.
            callbacks: List of `keras.callbacks.Callback`.
            validation_data: Dataset (or arrays `(x, y)`) for `evaluate` after each epoch.
            steps_per_epoch: Integer, generator updates in an epoch. Defaults to one pass over the data.
            verbose, initial_epoch, validation_steps, validation_freq: As in Keras.
            check: Boolean, whether to warn about the findings of `check` before the first step of a model. Defaults to
                `True`.

        Returns:
            `keras.callbacks.History`.

        Raises:
            TypeError: For an argument of Keras' `fit` that has no meaning here, such as `class_weight`. The message
                gives the reason and an alternative.
            ValueError: If the data do not fit the model. It is raised before the first step.
            FloatingPointError: If a loss becomes NaN or infinite. The newest checkpoint, if any, is restored first. A
                `CollapseGuard` takes over that decision.

        Warns:
            UserWarning: If the combination of networks, optimizers and data is known to train badly.
        """
        keras_arguments.refuse(self.fit, kwargs)
        self._assert_compile_called("fit")
        epochs = checks.integer("epochs", epochs, least=0)
        initial_epoch = checks.integer("initial_epoch", initial_epoch, least=0)
        keras_arguments.check_validation(validation_steps, validation_freq)
        callbacks = listed(callbacks)
        data = feed.Feed(self, x, y, batch_size, steps_per_epoch)
        if validation_data is not None:
            validation_data = feed.evaluation_dataset(self, validation_data, batch_size)
        self.samples_per_step = data.samples_per_step
        self._take_names(data.dataset)
        if data.left_out and verbose and self.is_chief:
            print(f"Each epoch leaves out {data.left_out:,} samples, which fill no step of {data.samples_per_step:,}.")
        if verbose and self.is_chief and not self.steps_done:
            tell_length(self, epochs * data.steps_per_epoch)
        if check and not self.steps_done:
            health.warn(self, data.dataset, data.first_batch)
        return fit_in_one_run(
            super().fit,
            self,
            data,
            epochs=epochs,
            initial_epoch=initial_epoch,
            callbacks=callbacks,
            verbose=verbose,
            validation_data=validation_data,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
        )

    def _take_names(self, dataset):
        """Takes the names of classes or attributes from the data if the model has no names."""
        names = getattr(dataset, "class_names", None)
        if names is not None and self.num_classes == len(names) and self.class_names is None:
            self.class_names = names
        names, attributes = getattr(dataset, "attribute_names", None), self.conditions.attributes
        if names is not None and attributes is not None and attributes.size == len(names):
            self.attribute_names = self.attribute_names or names

    def check(self, dataset=None):
        """Looks for combinations of networks, optimizers and data that train badly. Names the paper that explains each.

        Args:
            dataset: `tf.data.Dataset` of batches, as for `fit`. Only the first batches are read. Defaults to `None`:
                only the model is checked.

        Returns:
            List of `ganzoo.health.Finding`, empty if there is nothing to report.
        """
        return health.check(self, dataset)

    def train_on_batch(self, x, y=None, return_dict=False):
        """Makes a single step on a batch of `batches_per_step * m` samples, one minibatch after the other."""
        self._assert_compile_called("train_on_batch")
        feed.check_batch(self, x, y)
        x, y = tf.nest.map_structure(lambda part: feed.interleave(part, self.batches_per_step), (x, y))
        return super().train_on_batch(x, y, return_dict=return_dict)

    def evaluate(self, x=None, y=None, batch_size=None, **kwargs):
        """Computes the losses on held-out data, without an update and always with the same latents.

        A smaller last batch is left out, as in `fit`. To use all data, choose a `batch_size` that divides their number.
        """
        keras_arguments.refuse(self.evaluate, {name: kwargs[name] for name in kwargs if name == "sample_weight"})
        # Inside `fit`, Keras passes a validation dataset that `fit` has already checked.
        if not kwargs.get("_use_cached_eval_dataset"):
            x = feed.evaluation_dataset(self, x if y is None else (x, y), batch_size)
        self.evaluation_random.restart()
        results = super().evaluate(x, **kwargs)
        self.evaluation_random.restart()  # Otherwise an evaluation would change the saved state of the model.
        return results

    def test_on_batch(self, x, y=None, return_dict=False):
        feed.check_batch(self, x, y, batches=1)
        self.evaluation_random.restart()
        return super().test_on_batch(x, y, return_dict=return_dict)

    # === Sampling ===

    def generate(self, num_samples=None, seed=0, condition=None, batch_size=64, latents=None):
        """Draws samples, a pure function of the weights, the seed (or the latents) and the condition.

        The `batch_size` does not change the samples. The first k of n samples equal a call for k samples, up to float
        rounding.

        Args:
            num_samples: Integer, at least 1. Defaults to the number of conditions or latents.
            seed: Integer in [0, 2**63). Defaults to `0`.
            condition: For a conditional model, `num_samples` labels, class names, rows of attributes or images, or a
                single value for all samples. With several conditions, a dictionary by name. Attributes that are one-hot
                labels can also be given as a dictionary, `{"hairColor": "brown", "glasses": ["none", "round"]}`.
            batch_size: Integer, number of samples made at a time. Defaults to `64`.
            latents: Array `(num_samples, ...)`, your own latents instead of the seed's. Defaults to `None`.

        Returns:
            Float32 NumPy array `(num_samples, ...)`. Images lie in [-1, 1].
        """
        seed = checks.check_seed(seed)
        if batch_size is None:
            raise ValueError("`batch_size` must be an integer of at least 1. Received: batch_size=None")
        checks.check_count("batch_size", batch_size)
        if latents is not None:
            latents = self.check_latents(latents)
            num_samples = len(latents) if num_samples is None else num_samples
        num_samples, condition = self.conditions.for_samples(condition, num_samples)
        if latents is None:
            latents = self.prior(SeededNumbers(seed), num_samples) if self.has_latents else None
        elif len(latents) != num_samples:
            raise ValueError(f"`latents` has {len(latents)} rows for {num_samples} samples: they must be as many.")
        inputs = ([latents] if self.has_latents else []) + self.conditions.as_inputs(condition)
        return in_full_batches(self.decode_batch, inputs, num_samples, min(batch_size, num_samples))

    def check_latents(self, latents):
        """Returns a user's latents as a tensor of the prior's shape and dtype."""
        if not self.has_latents:
            raise ValueError("The model translates images and has no latents. Leave `latents` out.")
        latents = np.asarray(latents)
        if latents.ndim != 1 + len(self.latent_shape) or latents.shape[1:] != self.latent_shape or not len(latents):
            wanted = ", ".join(map(str, self.latent_shape))
            raise ValueError(
                f"`latents` must have the shape (count, {wanted}), with one row or more. Received: {latents.shape}"
            )
        if latents.dtype.kind not in "fiu" or not np.all(np.isfinite(latents)):
            raise ValueError(f"`latents` must be finite numbers. Received: {latents.dtype}")
        return tf.constant(latents.astype(self.latent_dtype))

    def decode_batch(self, *inputs):
        """Latents and conditions -> samples as a NumPy array. All batch sizes share a compiled function."""
        if self._decode is None:
            network = self.sampling_generator

            def decode(*inputs):
                latents, condition = self.split_inputs(inputs)
                return self.apply_generator(network, latents, condition, training=False)

            # The signature has an open batch size. Otherwise each new batch size would be traced again.
            self._decode = tf.function(decode, input_signature=self.input_specs(), autograph=False)
        return self._decode(*inputs).numpy()

    def input_specs(self):
        """The input signature of a generation: a `tf.TensorSpec` for the latents and for each condition."""
        latents = (
            tf.TensorSpec((None, *self.latent_shape), self.latent_dtype, name="latents") if self.has_latents else None
        )
        return [latents] * self.has_latents + self.conditions.specs()

    @property
    def sampling_generator(self):
        """The network that generates: the averaged generator if there is an average, otherwise the generator."""
        return self.generator if self.ema_generator is None else self.ema_generator

    def export(self, filepath, format="saved_model", verbose=None, **options):
        """Writes the generator to files that other programs can run without ganzoo or Keras.

        | Format | Files | For |
        |---|---|---|
        | `"saved_model"` | a directory | TensorFlow Serving, OpenVINO |
        | `"onnx"` | `model.onnx`, `model_<signature>.onnx`, `model.onnx.json` | ONNX Runtime, OpenVINO, browsers |
        | `"litert"` | `model.tflite`, `model.tflite.json` | phones and small devices |
        | `"html"` | one file | people: a page that is the model, see `ganzoo.export.page.export` |

        All formats have the signature `serving_default`: `latents` float32 `(batch, latent_dim)` [, `label` int64
        `(batch,)`] -> `images` float32. A model that translates images takes `image` alone, float32 in [-1, 1], and
        always uses the same latents. Models add further signatures, such as `encode` and `decode` of a VAE. Batches can
        have any size. If there is an averaged generator, it is exported.

        SavedModels also have signatures that draw random numbers. All integers are int64:

        - `generate`: `seed`, `num_samples` (conditional: `seed`, `label` `(n,)`) -> `images` uint8, `latents`.
          Attributes are float32 `(n, count)`.
        - `generate_png`: the same inputs -> `image_bytes`, PNG files.

        Args:
            filepath: String or `Path`. A SavedModel is a directory. For TensorFlow Serving, its last part must be a
                number, as in `serving/wgan_gp/1`. The files of the other formats end in `.onnx`, `.tflite` and `.html`.
                `~` is the home directory.
            format: `"saved_model"` (the default), `"onnx"`, `"litert"` or `"html"`. ONNX and the page need
                `pip install 'keras-ganzoo[export]'`.
            verbose: Ignored; the argument exists because Keras has it.
            **options: Arguments of the page: `directions`, `training_images`, `training_labels`, `title`, `card`,
                `shared_runtime`.

        Raises:
            ValueError: If the file name has the wrong ending, or the format cannot express the model.
            ImportError: If a required package is missing.

        Example:

        ```python
        model = ganzoo.from_preset("faces_16")
        model.export("serving/faces/1")
        model.export("faces.onnx", format="onnx")
        model.export("faces.html", format="html")
        ```
        """
        formats.export(self, filepath, format, options)

    def save_to_preset(self, path, discriminator=True, dtype=None, card=None):
        """Writes a preset, a folder that `ganzoo.from_preset` reads and that can be uploaded to a hub.

        It holds the config, the weights and a card. If the generator has an average, the average is kept. A preset is
        not a checkpoint. It lacks the moments of the optimizers, the step and the random numbers, which `save` keeps.

        Args:
            path: Path of the folder. Files of an earlier preset in it are replaced.
            discriminator: Boolean, whether to keep the discriminator, so that training can continue. Defaults to
                `True`.
            dtype: `"float16"` rounds the weights and halves the size. `"float32"` keeps them. Both compute in float32,
                even if the training was in half precision. Defaults to `None`: no change, and the preset generates
                exactly the same samples.
            card: Dictionary with the content of the card: `data`, `licence`, `command`, `training`, `limits`, `text`,
                and `scores`, a list of `ganzoo.metrics.Score`. Defaults to `None`.

        Returns:
            `Path` of the folder.

        Example:

        ```python
        model.save_to_preset("my_faces", card={"data": "my photos", "licence": "CC0 1.0"})
        model = ganzoo.from_preset("my_faces")
        ```
        """
        return folder.save(self, path, discriminator, dtype, card)

    def add_endpoints(self, archive):
        """Adds a model's own signatures to a `keras.export.ExportArchive`. Does nothing by default."""

    # === Saving ===

    def get_config(self):
        """The arguments of the constructor, with the current values of all settings."""
        config = {name: getattr(self, name) for name in settings_of(self)}
        config = {name: serialized(value) for name, value in config.items()}
        names = {"class_names": self.class_names, "attribute_names": self.attribute_names}
        return {**config, **names, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**{key: deserialize(value, custom_objects) for key, value in config.items()})


def latents_of(generator):
    """The shape (without the batch) and dtype of a generator's first input."""
    latents = generator.inputs[0]
    return tuple(latents.shape[1:]), latents.dtype
