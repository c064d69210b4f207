"""AdversarialModel: the alternating update of a generator and a discriminator."""

import functools

import tensorflow as tf

from ganzoo import checks
from ganzoo.models.generative_model import GenerativeModel
from ganzoo.networks import mlp
from ganzoo.penalties import zero_centered_penalty
from ganzoo.training import assembly, keras_arguments, regularizers, schedules
from ganzoo.training.critic import Critic, Update, batch_size_of, pack, split_into
from ganzoo.training.model_checks import (
    check_augmentable,
    check_augmentation,
    check_no_batch_normalization,
    check_samples_agree,
)
from ganzoo.training.settings import Fixed, Setting, Switched
from ganzoo.training.updates import Notes, unchanged


class AdversarialModel(GenerativeModel):
    """Base of the GANs. A paper's file overrides two methods, `discriminator_loss` and `generator_loss`.

    Both receive a `critic`, which is the discriminator with the condition of the batch bound to it and the augmentation
    applied, and samples, so that each is one equation of the paper. A step makes `discriminator_steps` updates of the
    discriminator, each on fresh real samples and fresh latents, and then one of the generator, on fresh latents.

    Where a loss needs more than critic and samples (latents, labels, other outputs of the discriminator), a model
    overrides `discriminator_objective` and `generator_objective`, which call the two hooks by default.

    Args:
        generator: Built `keras.Model`, latents `(batch, ...)` [, conditions] -> samples.
        discriminator: Built `keras.Model`, samples [, conditions] -> scores `(batch, ...)`, without a sigmoid; or a
            dictionary of outputs, `"scores"` and others, which `critic.heads(samples)` returns.
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
        r1_weight: Float, or a schedule such as `ganzoo.training.schedules.Cosine`: gamma of the penalty
            gamma / 2 E[||grad D(x)||^2] on real samples, which the discriminator's loss then holds:
            [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406), Equation 9. Defaults to `0.0`.
        r2_weight: Float, gamma of the same penalty on generated samples, Equation 10. Defaults to `0.0`.
        penalty_interval: Integer k, R1 and R2 in every k-th step only, k times as heavy; see `regularize`. Defaults to
            `1`.
        lecam_weight: Float, weight of LeCam's term in the discriminator's loss, for training on few images: it costs
            where scores run away from running means, which are saved with the model. 0.3 in the paper's experiments:
            [Tseng et al., 2021](https://arxiv.org/abs/2104.03310). Defaults to `0.0`: none.
        lecam_start: Integer, the step from which on LeCam's term counts. Defaults to `1000`.
        consistency_weight: Float, weight of E[(D(x) - D(T(x)))^2] in the discriminator's loss, T a random change: 10 in
            [Zhang et al., 2019](https://arxiv.org/abs/1910.12027). Defaults to `0.0`.
        fake_consistency_weight: Float, the same for generated samples; with both it is the balanced consistency of
            [Zhao et al., 2020](https://arxiv.org/abs/2002.04724), 10 and 10 there. Defaults to `0.0`.
        consistency_augmentation: T, a callable as `augmentation`. Defaults to `None`:
            `ganzoo.augmentation.FlipAndShift()`.
        latent_consistency_weight: Float, weight of E[(D(G(z)) - D(G(z + e)))^2] in the discriminator's loss, e from
            N(0, 0.05^2): 20 in Zhao et al. Defaults to `0.0`.
        latent_diversity_weight: Float, weight of -E[(G(z) - G(z + e))^2], the mean over pixels, in the generator's
            loss: 0.5 in Zhao et al. Defaults to `0.0`.
        top_k: Float in (0, 1], the generator learns from this share of its samples only, those with the highest scores:
            0.5 in [Sinha et al., 2020](https://arxiv.org/abs/2002.06224). The share falls to it from 1, by 1 % every
            `top_k_interval` steps. Defaults to `1.0`: all samples.
        top_k_interval: Integer, steps. Defaults to `390`, the paper's epoch of CIFAR-10 in batches of 128.
        num_classes, class_names, attribute_names, ema_decay, seed: See `GenerativeModel`.
    """

    # Whether the discriminator has the generator's conditions as further inputs. AC-GAN's does not: it tells them.
    judges_conditions = True

    # Whether the model is none without a label or attributes.
    needs_condition = False

    # The networks of `from_paper` for samples that are vectors. `None`: those of the paper.
    networks_for_vectors = mlp

    # Whether one discriminator has one score for each sample, high for real ones.
    ranks_samples = True

    # Whether a sample depends in training on random numbers beside its latents.
    draws_beside_latents = False

    discriminator = Fixed()
    discriminator_steps = Setting(checks.check_at_least_one, during_fit=False)
    packing = Fixed(checks.check_at_least_one)
    augmentation = Setting(check_augmentation)
    r1_weight = Setting(schedules.or_schedule(checks.check_weight))
    r2_weight = Setting(schedules.or_schedule(checks.check_weight))
    penalty_interval = Setting(checks.check_at_least_one)
    lecam_weight = Switched(checks.check_weight)
    lecam_start = Setting(functools.partial(checks.integer, least=0))
    consistency_weight = Setting(checks.check_weight)
    fake_consistency_weight = Setting(checks.check_weight)
    consistency_augmentation = Setting(check_augmentation)
    latent_consistency_weight = Setting(checks.check_weight)
    latent_diversity_weight = Setting(checks.check_weight)
    top_k = Setting(checks.check_share)
    top_k_interval = Setting(checks.check_at_least_one)

    def __init__(
        self,
        generator,
        discriminator,
        latent_dim=None,
        discriminator_steps=1,
        num_classes=None,
        packing=1,
        augmentation=None,
        r1_weight=0.0,
        r2_weight=0.0,
        penalty_interval=1,
        lecam_weight=0.0,
        lecam_start=1000,
        consistency_weight=0.0,
        fake_consistency_weight=0.0,
        consistency_augmentation=None,
        latent_consistency_weight=0.0,
        latent_diversity_weight=0.0,
        top_k=1.0,
        top_k_interval=390,
        **kwargs,
    ):
        super().__init__(generator, latent_dim, num_classes, **kwargs)
        checks.check_built("discriminator", discriminator)
        inputs = 1 + self.judges_conditions * len(self.conditions)
        checks.check_network("discriminator", discriminator, inputs, self.conditions)
        self.discriminator_steps = discriminator_steps
        self.packing = packing
        self.augmentation = augmentation
        self.r1_weight = r1_weight
        self.r2_weight = r2_weight
        self.penalty_interval = penalty_interval
        self.lecam_weight = lecam_weight
        self.lecam_start = lecam_start
        self.consistency_weight = consistency_weight
        self.fake_consistency_weight = fake_consistency_weight
        self.consistency_augmentation = consistency_augmentation
        self.latent_consistency_weight = latent_consistency_weight
        self.latent_diversity_weight = latent_diversity_weight
        self.top_k = top_k
        self.top_k_interval = top_k_interval
        check_samples_agree(self.image_shape, discriminator, self.packing)
        check_augmentable(augmentation, self.image_shape)
        if self.r1_weight or self.r2_weight:
            check_no_batch_normalization(discriminator)
        regularizers.check(self)
        self.discriminator = discriminator
        self.anchors = self._anchors() if self.lecam_weight else None
        self._critic_update = None

    def _anchors(self):
        """LeCam's running means of the scores of real and of generated samples."""
        return self.add_weight(
            shape=(2,),
            dtype="float32",
            initializer="zeros",
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
            name="anchors",
        )

    @property
    def batches_per_step(self):
        """Minibatches that a step reads: one for each update of the discriminator."""
        return self.discriminator_steps

    # === The two hooks ===

    def discriminator_loss(self, critic, real, fake):
        """The loss that the discriminator's update minimises: one equation of the paper.

        It changes nothing but the log.

        Args:
            critic: Callable, samples -> float32 scores.
            real: Float32 tensor `(batch, ...)`, real samples (packs of them, see `packing`).
            fake: Float32 tensor of the same shape, generated samples.

        Returns:
            Scalar, the mean over the batch. Values for the log go to `self.track(name=value)`, those for `after_step`
            to `self.note(name=value)`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define discriminator_loss(self, critic, real, fake).")

    def generator_loss(self, critic, real, fake):
        """The loss that the generator's update minimises; arguments as in `discriminator_loss`."""
        raise NotImplementedError(f"{type(self).__name__} must define generator_loss(self, critic, real, fake).")

    # === The wider seam ===

    def discriminator_objective(self, update):
        """All that the discriminator's update minimises: `discriminator_loss`, R1, R2, LeCam and consistency.

        Args:
            update: `ganzoo.training.critic.Update`, all that is known: critic, real, fake, samples, latents, condition.
        """
        critic = update.critic
        loss = self.discriminator_loss(critic, update.real, update.fake)
        for name, weight, samples in (("r1", self.r1_weight, update.real), ("r2", self.r2_weight, update.fake)):
            if weight:
                check_no_batch_normalization(self.discriminator)
                penalty = penalty_at(critic, samples)
                gamma = schedules.value_at(weight, self.step)
                loss += self.regularize(name, gamma / 2, penalty, every=self.penalty_interval)
        regularizers.check(self)
        if self.lecam_weight:
            loss += regularizers.lecam(self, update)
        if any(getattr(self, name) for name in regularizers.DISCRIMINATOR_CONSISTENCIES):
            loss += regularizers.consistency(self, update)
        return loss

    def generator_objective(self, update):
        """All that the generator's update minimises: `generator_loss`, of the samples of `top_k`, and the diversity.

        Arguments as in `discriminator_objective`.
        """
        regularizers.check(self)
        critic = update.critic
        if self.top_k < 1 and update.training:
            critic = regularizers.TopScores(critic, update.fake, regularizers.top_share(self))
        loss = self.generator_loss(critic, update.real, update.fake)
        if self.latent_diversity_weight:
            loss += regularizers.diversity(self, update)
        return loss

    def observed(self, real, fake):
        """Real and generated samples as the discriminator sees them: packs. Override it to add noise to both."""
        return self.pack(real), self.pack(fake)

    # === The step ===

    def train_step(self, data):
        samples, condition = self.unpack(data)
        notes = [self._run_critic_update(*minibatch) for minibatch in self.critic_batches(samples, condition)]
        real, condition = self.critic_batches(samples, condition)[-1]
        notes.append(self.noted(self.update_generator, real, condition))
        self.move_augmentation(notes, samples)
        return self.finish_step(notes)

    def test_step(self, data):
        real, condition = self.unpack(data)
        with self.numbers_of_evaluation():
            critic = self.critic(condition, training=False)
            update = self.new_update(critic, real, condition, training=False)
            self.track(d_loss=self.discriminator_objective(update), g_loss=self.generator_objective(update))
        return self.logged()

    def critic_step(self, data):
        """Makes one update of the discriminator alone, which the log leaves out (see `callbacks.CriticBurnIn`)."""
        with self._log.muted():
            self.noted(self.update_discriminator, *self.unpack(data))

    def critic(self, condition, training=True):
        """The discriminator of an update, as the hooks see it: `ganzoo.training.critic.Critic`."""
        return Critic(self, condition, training)

    def new_update(self, critic, real, condition, training, latents=None):
        """Generates samples and returns the `Update`.

        Args:
            critic: `Critic`.
            real: Float32 tensor `(batch, ...)`, single real samples.
            condition: Batch of conditions, or `None`.
            training: Boolean.
            latents: Defaults to `None`: new ones.
        """
        latents = self.latents(batch_size_of(real)) if latents is None else latents
        samples = self.decode(latents, condition, training)
        real, fake = self.observed(real, samples)
        return Update(critic, real, fake, samples, latents, condition, training)

    def real_and_fake(self, real, condition, training):
        """What the discriminator tells apart: packs of the real samples, and of generated ones of new latents."""
        update = self.new_update(None, real, condition, training)
        return update.real, update.fake

    def pack(self, samples):
        """Packs of `packing` samples each, or of labels; without packing the samples themselves."""
        return pack(samples, self.packing)

    def critic_batches(self, samples, condition):
        """Splits the samples of a step into the minibatches of its critic steps: a list of `(samples, condition)`.

        Sample j of minibatch i stands at `j * discriminator_steps + i`, so that a replica, which holds a run of the
        samples, holds its share of each minibatch.
        """
        steps = self.discriminator_steps
        split = {name: split_into(part, steps) for name, part in self.conditions.parts(condition).items()}
        conditions = [self.conditions.join({name: parts[i] for name, parts in split.items()}) for i in range(steps)]
        return list(zip(split_into(samples, steps), conditions, strict=True))

    def update_discriminator(self, real, condition=None):
        """Makes one update of the discriminator, on new latents.

        The generator's weights stay; its moving statistics move, as in any pass in training mode.
        """
        update = self.new_update(self.critic(condition), real, condition, training=True)

        def objective():
            loss = self.discriminator_objective(update)
            self._note_scores(update)
            return loss

        self.track(d_loss=self.minimize(objective, "discriminator_optimizer"))

    def _note_scores(self, update):
        """What an augmentation with state goes by: the mean sign of the scores of real samples."""
        if hasattr(self.augmentation, "after_step"):
            scores = update.critic.scores_seen(update.real)
            if scores is not None:
                self.note(real_sign=tf.reduce_mean(tf.sign(scores)))

    def update_generator(self, real, condition=None):
        """Makes one update of the generator, on new latents. The discriminator stays, its statistics too.

        Returns:
            The generator's loss, a float32 scalar.
        """
        latents = self.latents(batch_size_of(real))
        critic = self.critic(condition)
        with unchanged(self.discriminator):
            loss = self.minimize(
                lambda: self.generator_objective(self.new_update(critic, real, condition, True, latents)),
                *self.generator_optimizers,
            )
        self.track(g_loss=loss)
        return loss

    @property
    def generator_optimizers(self):
        """The optimizers that make the generator's update: all but the discriminator's."""
        return [name for name in self.optimizers if name != "discriminator_optimizer"]

    def _run_critic_update(self, real, condition):
        """`update_discriminator`, traced once for all critic steps where no strategy forbids a nested function."""
        if self.discriminator_steps == 1 or tf.distribute.has_strategy() or tf.executing_eagerly():
            return self.noted(self.update_discriminator, real, condition)
        if self._critic_update is None:
            update = functools.partial(self.noted, self.update_discriminator)
            self._critic_update = tf.function(update, autograph=False)
        return self._critic_update(real, condition)

    def move_augmentation(self, notes, samples):
        """Lets an augmentation with state see the signs of the scores of a step's real images, and their number."""
        if hasattr(self.augmentation, "after_step"):
            replicas = tf.distribute.get_strategy().num_replicas_in_sync
            self.augmentation.after_step(Notes.means(notes), batch_size_of(samples) * replicas)

    def finish_step(self, notes=()):
        """Ends a training step as `GenerativeModel` does, and moves LeCam's anchors."""
        if self.lecam_weight:
            self.anchors.assign(regularizers.moved_anchors(self, notes))
        return super().finish_step(notes)

    # === Compiling ===

    @property
    def trained(self):
        return {
            "generator_optimizer": self.generator.trainable_variables,
            "discriminator_optimizer": self.discriminator.trainable_variables,
        }

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
        **kwargs,
    ):
        """Sets the two optimizers and builds both, so that a saved state always finds its place.

        Args:
            generator_optimizer: `keras.optimizers.Optimizer`, its name, or a function that makes one. Learning-rate
                schedules work.
            discriminator_optimizer: Another one. Its schedule counts its own updates: `discriminator_steps` times as
                many as the generator's.
            run_eagerly, steps_per_execution: As in Keras.
            jit_compile: `"auto"` (the default: XLA on a single GPU), `True` or `False`.
        """
        keras_arguments.refuse(self.compile, kwargs)
        optimizers = {
            "generator_optimizer": generator_optimizer,
            "discriminator_optimizer": discriminator_optimizer,
        }
        self.compile_with(optimizers, run_eagerly, steps_per_execution, jit_compile)

    def forget_traces(self):
        self._critic_update = None
        super().forget_traces()

    @classmethod
    def assemble(cls, settings):
        """Builds and compiles a model from the settings of its paper: the body of every `from_paper`.

        Each setting goes to whoever has an argument of that name: the two functions of the family of networks, the
        class, or `compile`. `generator_filters` and `discriminator_filters` are `filters` of that network only.

        Args:
            settings: The `locals()` of `from_paper`: its arguments, whose defaults are the paper's settings. A default
                that another family of networks does not have is left out; what the caller gave must find its place.
        """
        plan = assembly.plan(cls, settings, ["generator", "discriminator"], given={"generator", "discriminator"})
        model = cls(plan.build("generator"), plan.build("discriminator"), **plan.of_class)
        model.compile(**plan.of_compile)
        return model


def penalty_at(critic, samples):
    """The zero-centred gradient penalty of a critic at samples, as a function without arguments."""
    return lambda: zero_centered_penalty(critic, samples)
