"""CompiledModel, a Keras model with several optimizers."""

import copy
import warnings
from types import MappingProxyType

import keras
import numpy as np
import tensorflow as tf

from ganzoo import checks, files
from ganzoo.networks import graph
from ganzoo.training import keras_arguments, settings, updates

CHIEFS = {("chief", 0), ("worker", 0)}


class CompiledModel(keras.Model):
    """A Keras model with several networks and an optimizer for each: updates, compiling, saving, several workers.

    This class is the part of `GenerativeModel` that deals with the inside of Keras. It knows nothing about samples. A
    model lists its optimizers, and the variables of each, in `trained`. The rest follows from that.
    """

    # === Networks and optimizers ===

    @property
    def networks(self):
        """All networks by the name of their attribute, such as generator, discriminator and encoder."""
        found = {name: value for name, value in vars(self).items() if isinstance(value, keras.Model)}
        return MappingProxyType(found)

    @property
    def trained(self):
        """The variables of each optimizer, a dictionary: argument of `compile` -> list of variables.

        Extend it with `{**super().trained, "sigma_optimizer": self.noise.trainable_variables}`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define the property `trained`.")

    @property
    def optimizers(self):
        """All optimizers with their variables, `{name: (optimizer, variables)}`. Empty before `compile`."""
        found = {name: (getattr(self, name, None), variables) for name, variables in self.trained.items()}
        return MappingProxyType({name: pair for name, pair in found.items() if pair[0] is not None})

    def minimize(self, loss_function, *names):
        """Updates the variables of some optimizers once, along the gradient of `loss_function()`.

        Args:
            loss_function: Callable without arguments -> float32 scalar, the mean over this replica's samples. It need
                not care about replicas or half precision.
            *names: Strings, keys of `optimizers`, such as `"generator_optimizer"`.

        Returns:
            The loss as a float32 scalar, neither divided nor scaled.
        """
        pairs = [self.optimizers[name] for name in names]
        for name, pair in zip(names, pairs, strict=True):
            updates.check_known(name, *pair)
        return updates.minimize(loss_function, pairs, type(self).__name__)

    # === Compiling ===

    def compile_with(self, optimizers, run_eagerly=False, steps_per_execution=1, jit_compile="auto"):
        """Compiles the model. Every `compile` calls it.

        Args:
            optimizers: Dictionary with the keys of `trained`.
            run_eagerly, steps_per_execution, jit_compile: As in Keras.
        """
        settings.check_assigned(self)
        self.check_trained()
        strategy = self.distribute_strategy
        own = keras_arguments.check_compile(run_eagerly, steps_per_execution, jit_compile)
        run_eagerly, steps_per_execution, jit_compile = own
        checks.check_execution(strategy, steps_per_execution, jit_compile)
        optimizers = {name: updates.as_optimizer(name, optimizer) for name, optimizer in optimizers.items()}
        updates.check_distinct(optimizers)
        half = any(
            layer.compute_dtype == "float16"
            for network in self.networks.values()
            for layer in graph.flatten_layers(network)
        )
        with strategy.scope():
            for name, variables in self.trained.items():
                optimizers[name] = updates.build_optimizer(name, optimizers[name], variables, self, half)
        super().compile(
            # Without `None`, Keras would make an optimizer that trains nothing, and callbacks would change its rate.
            optimizer=optimizers.pop("optimizer", None),
            loss=None,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=False,  # Keras would look at today's global policy, not at the networks'.
        )
        self._jit_compile_argument = jit_compile  # Keras only keeps the meaning of "auto" on this machine.
        for name, optimizer in optimizers.items():
            setattr(self, name, optimizer)
        self.forget_traces()

    def forget_traces(self):
        """Throws compiled functions away, because they hold the settings from when they were traced.

        Inside `fit` and `evaluate`, the next step runs the new functions.
        """
        self._decode = None
        if getattr(self, "train_function", None) is not None:
            self.make_train_function(force=True)
        if getattr(self, "test_function", None) is not None:
            self.make_test_function(force=True)

    def make_train_function(self, force=False):
        """As in Keras, but traces the function again if layers have been frozen or thawed since."""
        if self.train_function is not None and not force:
            return self.train_function
        super().make_train_function(force=True)
        compiled, layers = self.train_function, graph.flatten_layers(self)
        # A traced step keeps updating the layers that were trainable when it was traced.
        traced = [layer.trainable for layer in layers]

        def train_function(iterator):
            if [layer.trainable for layer in layers] == traced:
                return compiled(iterator)
            self.forget_traces()
            return self.train_function(iterator)

        self.train_function = train_function
        return train_function

    # === More than one worker ===

    # Keras' fit cannot run under MultiWorkerMirroredStrategy: it converts a batch that lives on several workers to one
    # tensor, and reduces scalars over an axis that they do not have. The next two methods override its private hooks:
    # https://github.com/keras-team/keras/issues/20585

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Does nothing: the networks and optimizers are already built."""

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
        """Whether this process writes files. With several workers, only the first does."""
        resolver = getattr(self.distribute_strategy, "cluster_resolver", None)
        return resolver is None or not resolver.task_type or (resolver.task_type, resolver.task_id) in CHIEFS

    # === Saving ===

    def save(self, filepath, overwrite=True, **kwargs):
        """Writes a `.keras` file, as in Keras. Raises a `TypeError` if a constructor's argument would be lost."""
        filepath, overwrite = checks.path("filepath", filepath), checks.boolean("overwrite", overwrite)
        if filepath.suffix != ".keras":
            raise ValueError(
                f"`filepath` must end in .keras. Received: filepath={str(filepath)!r}. `export` makes a SavedModel."
            )
        if not files.is_temporary(filepath):  # A checkpoint is read into a model that a script builds.
            settings.check_declared(self)
        return super().save(filepath, overwrite=overwrite, **kwargs)

    def check_trained(self):
        """Warns about trainable weights that no optimizer updates."""
        known = {id(variable) for variables in self.trained.values() for variable in variables}
        idle = [variable.path for variable in self.trainable_variables if id(variable) not in known]
        if idle:
            warnings.warn(
                f"No optimizer of {type(self).__name__} trains {', '.join(idle[:3])}{', ...' if idle[3:] else ''}: the "
                "property `trained` does not name them. Add them there, or make them with trainable=False.",
                UserWarning,
                stacklevel=3,
            )

    def get_compile_config(self):
        return {
            **{name: keras.saving.serialize_keras_object(pair[0]) for name, pair in self.optimizers.items()},
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": self._jit_compile_argument,
        }

    def compile_from_config(self, config):
        self.compile(**{key: deserialize(value) for key, value in config.items()})

    def _seed_generator_states(self):
        """The random states of layers such as Dropout, which Keras does not save."""
        return [source.state for source in graph.seed_generators(self)]

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for index, state in enumerate(self._seed_generator_states()):
            # Without these, a resumed training would draw other dropout masks than an uninterrupted training.
            store[f"layer_seed_{index}"] = np.asarray(state)

    def load_own_variables(self, store):
        for index, state in enumerate(self._seed_generator_states()):
            state.assign(np.asarray(store[f"layer_seed_{index}"]))
        super().load_own_variables({key: store[key] for key in store.keys() if not key.startswith("layer_seed_")})


def serialized(value):
    """A setting in the form that a config holds."""
    return (
        value if isinstance(value, (bool, int, float, str, type(None))) else keras.saving.serialize_keras_object(value)
    )


def deserialize(value, custom_objects=None):
    """Undoes `serialize_keras_object`. Returns plain values unchanged."""
    if isinstance(value, dict) and "class_name" in value:
        # Keras empties the config of a functional model while it reads it, so it gets a copy.
        return keras.saving.deserialize_keras_object(copy.deepcopy(value), custom_objects=custom_objects)
    return value
