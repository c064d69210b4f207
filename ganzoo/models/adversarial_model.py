"""AdversarialModel: the alternating update of a generator and a discriminator."""

import contextlib

import keras
import tensorflow as tf
from keras import ops

from ganzoo import checks
from ganzoo.models.generative_model import GenerativeModel
from ganzoo.networks import mlp
from ganzoo.training.assembly import share_out


class AdversarialModel(GenerativeModel):
    """Base of the GANs. A paper's file overrides two methods, `discriminator_loss` and `generator_loss`.

    Both receive a `critic`, which is the discriminator with the condition of the batch bound to it and the augmentation
    applied, and samples, so that each is one equation of the paper. A step makes `discriminator_steps` updates of the
    discriminator, each on fresh real samples and fresh latents, and then one of the generator, on fresh latents.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` [, label or image] -> samples.
        discriminator: Built `keras.Model`, samples [, label or image] -> scores `(batch, ...)`, without a sigmoid.
        latent_dim: Integer. Defaults to the width of the generator's input.
        discriminator_steps: Integer, updates of the discriminator for one of the generator: the papers' k or n_critic.
            Defaults to `1`.
        packing: Integer m, PacGAN's packing: the discriminator judges m samples of one kind at once, stacked as
            channels `(batch / m, height, width, m * channels)`, labels as `(batch / m, m)`; a generator that collapses
            is found out, since m of its samples are too alike. Samples are packed before the two methods see them.
            [Lin et al., 2017](https://arxiv.org/abs/1712.04086), Algorithm 1. Defaults to `1`.
        augmentation: Callable, (images, numbers) -> images, such as `ganzoo.augmentation.DiffAugment()`; what the
            discriminator sees of real and generated images. Its attribute `numbers` tells how many random numbers in
            [0, 1) it takes for a sample. Not used in `evaluate`. Defaults to `None`.
        num_classes, ema_decay, seed: See `GenerativeModel`.
    """

    def __init__(
        self,
        generator,
        discriminator,
        latent_dim=None,
        discriminator_steps=1,
        num_classes=None,
        packing=1,
        augmentation=None,
        **kwargs,
    ):
        super().__init__(generator, latent_dim, num_classes, **kwargs)
        checks.check_network("discriminator", discriminator, self.condition_kind)
        for name, value in (("discriminator_steps", discriminator_steps), ("packing", packing)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be an integer of at least 1. Received: {value!r}")
        *size, channels = self.image_shape
        taken, wanted = tuple(discriminator.inputs[0].shape[1:]), (*size, packing * channels)
        if taken != wanted:
            packs = f", so packs of {packing} have the shape {wanted}" if packing > 1 else ""
            raise ValueError(
                f"The generator makes samples of shape {self.image_shape}{packs}, and the discriminator takes samples "
                f"of shape {taken}: they must be equal."
            )
        if augmentation is not None and not (callable(augmentation) and hasattr(augmentation, "numbers")):
            raise TypeError(
                "`augmentation` must be a callable, such as ganzoo.augmentation.DiffAugment(), with an attribute "
                f"`numbers`: how many random numbers it takes for a sample. Received: {augmentation!r}"
            )
        if augmentation is not None and len(self.image_shape) != 3:
            raise ValueError(
                f"`augmentation` changes images, and the model's samples have the shape {self.image_shape}. Leave it "
                "out."
            )
        self.discriminator = discriminator
        self.discriminator_steps = self.batches_per_step = discriminator_steps
        self.packing = packing
        self.augmentation = augmentation
        self._critic_update = None

    # === The two hooks ===

    def discriminator_loss(self, critic, real, fake):
        """The loss that the discriminator's update minimises: one equation of the paper.

        Args:
            critic: Callable, samples -> float32 scores.
            real: Float32 tensor `(batch, ...)`, real samples (packs of them, see `packing`).
            fake: Float32 tensor of the same shape, generated samples.

        Returns:
            Scalar, the mean over the batch. Values for the log go to `self.track(name=value)`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define discriminator_loss(self, critic, real, fake).")

    def generator_loss(self, critic, real, fake):
        """The loss that the generator's update minimises; arguments as in `discriminator_loss`."""
        raise NotImplementedError(f"{type(self).__name__} must define generator_loss(self, critic, real, fake).")

    # === The step ===

    def train_step(self, data):
        samples, condition = self.unpack(data)
        for real, label in self.critic_batches(samples, condition):
            self._run_critic_update(real, label)
        self.update_generator(real, label)
        self.update_ema()
        self.step.assign_add(1)
        return self._log.results()

    def test_step(self, data):
        real, condition = self.unpack(data)
        with self.numbers_of_evaluation():
            critic = self.critic(condition, training=False)
            real, fake = self.real_and_fake(real, condition, training=False)
            self.track(
                d_loss=self.discriminator_loss(critic, real, fake), g_loss=self.generator_loss(critic, real, fake)
            )
        return self._log.results()

    def critic_step(self, data):
        """Makes one update of the discriminator alone, which the log leaves out (see `callbacks.CriticBurnIn`)."""
        with self._log.muted():
            self.update_discriminator(*self.unpack(data))

    def critic(self, condition, training=True):
        """The discriminator as the hooks see it: samples (packs of them) -> float32 scores.

        The condition is bound to it, and so is the augmentation, with numbers that are drawn once: it is one function.
        """
        numbers = {}

        def augment(samples):
            if self.augmentation is None or not training:
                return samples
            samples = unpack(samples, self.packing)
            batch = batch_size_of(samples)
            key = batch if isinstance(batch, int) else None
            if key not in numbers:
                numbers[key] = self.uniform((batch, self.augmentation.numbers))
            return self.pack(self.augmentation(samples, numbers[key]))

        def critic(samples):
            inputs = augment(samples)
            if condition is not None:
                inputs = [inputs, self.condition_kind.augmented(self.pack(condition), augment)]
            return ops.cast(self.discriminator(inputs, training=training), "float32")

        return critic

    def real_and_fake(self, real, condition, training):
        """What the discriminator tells apart: packs of the real samples, and of generated ones of new latents."""
        fake = self.decode(self.latents(batch_size_of(real)), condition, training)
        return self.pack(real), self.pack(fake)

    def pack(self, samples):
        """Packs of `packing` samples each, or of labels; without packing the samples themselves."""
        return pack(samples, self.packing)

    def critic_batches(self, samples, condition):
        """Splits the samples of a step into the minibatches of its critic steps.

        Sample j of minibatch i stands at `j * discriminator_steps + i`, so that a replica, which holds a run of the
        samples, holds its share of each minibatch.
        """
        steps = self.discriminator_steps
        samples = split_into(samples, steps)
        conditions = [None] * steps if condition is None else split_into(condition, steps)
        return list(zip(samples, conditions, strict=True))

    def update_discriminator(self, real, condition=None):
        """Makes one update of the discriminator, on new latents.

        The generator's weights stay; its moving statistics move, as in any pass in training mode.
        """
        real, fake = self.real_and_fake(real, condition, training=True)
        critic = self.critic(condition)
        loss = self.minimize(
            lambda: self.discriminator_loss(critic, real, fake),
            self.discriminator_optimizer,
            self.discriminator.trainable_variables,
        )
        self.track(d_loss=loss)

    def update_generator(self, real, condition=None):
        """Makes one update of the generator, on new latents. The discriminator stays, its statistics too.

        Returns:
            The generator's loss, a float32 scalar.
        """
        latents = self.latents(batch_size_of(real))
        real = self.pack(real)
        critic = self.critic(condition)
        with unchanged(self.discriminator):
            loss = self.minimize(
                lambda: self.generator_loss(critic, real, self.pack(self.decode(latents, condition, training=True))),
                self.generator_optimizer,
                self.generator.trainable_variables,
            )
        self.track(g_loss=loss)
        return loss

    def _run_critic_update(self, real, condition):
        """`update_discriminator`, traced once for all critic steps where no strategy forbids a nested function."""
        if self.discriminator_steps == 1 or tf.distribute.has_strategy() or tf.executing_eagerly():
            return self.update_discriminator(real, condition)
        if self._critic_update is None:
            self._critic_update = tf.function(self.update_discriminator, autograph=False)
        return self._critic_update(real, condition)

    # === Compiling ===

    def compile(
        self,
        generator_optimizer,
        discriminator_optimizer,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
    ):
        """Sets the two optimizers and builds both, so that a saved state always finds its place.

        Args:
            generator_optimizer: `keras.optimizers.Optimizer` or its name. Learning-rate schedules work.
            discriminator_optimizer: Another one. Its schedule counts its own updates: `discriminator_steps` times as
                many as the generator's.
            run_eagerly, steps_per_execution: As in Keras.
            jit_compile: `"auto"` (the default: XLA on a single GPU), `True` or `False`.
        """
        strategy = self.distribute_strategy
        checks.check_execution(strategy, steps_per_execution, jit_compile)
        optimizers = []
        for name, optimizer in (
            ("generator_optimizer", generator_optimizer),
            ("discriminator_optimizer", discriminator_optimizer),
        ):
            if optimizer is None:
                raise ValueError(f"`{name}` is missing: pass a keras.optimizers.Optimizer or a name such as 'adam'.")
            optimizers.append(keras.optimizers.get(optimizer))
        if optimizers[0] is optimizers[1]:
            raise ValueError(
                "The generator and the discriminator need an optimizer each: one optimizer keeps the moments of one "
                "network. Received the same object twice."
            )
        super().compile(
            optimizer=None,
            loss=None,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
        )
        self._jit_compile_argument = jit_compile  # Keras keeps what "auto" means on this machine.
        self._critic_update = None
        with strategy.scope():
            # The generator's gradient passes both networks.
            both = (self.generator, self.discriminator)
            self.generator_optimizer = build_optimizer(optimizers[0], self.generator.trainable_variables, both)
            self.discriminator_optimizer = build_optimizer(
                optimizers[1], self.discriminator.trainable_variables, both[1:]
            )

    def get_compile_config(self):
        return {
            "generator_optimizer": keras.saving.serialize_keras_object(self.generator_optimizer),
            "discriminator_optimizer": keras.saving.serialize_keras_object(self.discriminator_optimizer),
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": self._jit_compile_argument,
        }

    def get_config(self):
        return {
            **super().get_config(),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "discriminator_steps": self.discriminator_steps,
            "packing": self.packing,
            "augmentation": keras.saving.serialize_keras_object(self.augmentation),
        }

    @classmethod
    def assemble(cls, networks, image_shape, num_classes, paper, overrides):
        """Builds and compiles a model from the settings of its paper: the inside of every `from_paper`.

        Each setting goes to whoever has an argument of that name: the two functions of the family of networks, the
        class, or `compile`.

        Args:
            networks: Family of networks, a module with the functions `generator` and `discriminator`.
            image_shape: Shape of one sample. Vectors get `ganzoo.networks.mlp` by default.
            num_classes: Integer or `None`.
            paper: Dictionary of the paper's settings.
            overrides: Dictionary of the caller's, which win; `networks` among them replaces the family.
        """
        overrides = dict(overrides)
        is_vector = hasattr(image_shape, "__len__") and len(image_shape) == 1
        networks = overrides.pop("networks", mlp if is_vector else networks)
        shape = {"image_shape": image_shape}
        if num_classes is not None:
            shape["num_classes"] = num_classes
        for_generator, for_discriminator, for_model, for_compile = share_out(
            paper,
            overrides,
            [networks.generator, networks.discriminator, cls, cls.compile],
            given={"generator", "discriminator", "image_shape", "num_classes"},
        )
        model = cls(
            networks.generator(**shape, **for_generator),
            networks.discriminator(**shape, **for_discriminator),
            num_classes=num_classes,
            **for_model,
        )
        model.compile(**for_compile)
        return model


def split_into(tensor, steps):
    """Splits `(steps * m, ...)` into `steps` tensors `(m, ...)` with stride `steps`."""
    if steps == 1:
        return [tensor]
    shape = tensor.shape[1:]
    grouped = tf.reshape(tensor, [-1, steps, *shape])
    return [grouped[:, index] for index in range(steps)]


def pack(samples, size):
    """Joins neighbours: `(batch, ..., channels)` -> `(batch / size, ..., size * channels)`.

    Labels `(batch,)` become `(batch / size, size)`.
    """
    if size == 1:
        return samples
    if len(samples.shape) == 1:
        return tf.reshape(samples, [-1, size])
    *shape, channels = samples.shape[1:]
    grouped = tf.reshape(samples, [-1, size, *shape, channels])
    last = len(grouped.shape) - 1
    grouped = tf.transpose(grouped, [0, *range(2, last), 1, last])
    return tf.reshape(grouped, [-1, *shape, size * channels])


def unpack(packs, size):
    """Undoes `pack` for samples."""
    if size == 1:
        return packs
    *shape, channels = packs.shape[1:]
    grouped = tf.reshape(packs, [-1, *shape, size, channels // size])
    last = len(grouped.shape) - 1
    grouped = tf.transpose(grouped, [0, last - 1, *range(1, last - 1), last])
    return tf.reshape(grouped, [-1, *shape, channels // size])


def batch_size_of(samples):
    """The number of samples, as a Python integer where the graph knows it."""
    return samples.shape[0] or tf.shape(samples)[0]


def build_optimizer(optimizer, variables, networks):
    """Makes an optimizer's variables; wraps it for mixed_float16, if the gradient passes a network in that policy."""
    half = any(layer.compute_dtype == "float16" for network in networks for layer in network.layers)
    if half and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    if not optimizer.built:
        optimizer.build(variables)
    return optimizer


@contextlib.contextmanager
def unchanged(network):
    """Takes back what a forward pass in training mode does to the statistics of a network."""
    weights = network.non_trainable_weights
    before = [tf.identity(weight.value) for weight in weights]
    try:
        yield
    finally:
        for weight, value in zip(weights, before, strict=True):
            weight.assign(value)
