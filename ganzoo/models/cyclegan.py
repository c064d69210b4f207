"""CycleGAN: image-to-image translation without pairs."""

from functools import partial
from types import SimpleNamespace

import keras
import tensorflow as tf
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, losses
from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.networks import patchgan, translator
from ganzoo.networks.graph import average_of
from ganzoo.sampling import in_full_batches
from ganzoo.training import assembly
from ganzoo.training.condition_kinds import Image
from ganzoo.training.critic import Critic, Update, batch_size_of
from ganzoo.training.image_pool import ImagePool
from ganzoo.training.schedules import with_decay
from ganzoo.training.settings import Fixed, Setting
from ganzoo.training.unpaired_translation import (
    ROLES,
    UnpairedImages,
    check_identity,
    check_way_back,
    networks_of_both_ways,
    only_one,
)
from ganzoo.training.updates import unchanged

# The paper's two families of networks in a single object. Its discriminators see images without the input.
NETWORKS = SimpleNamespace(
    generator=translator.generator, discriminator=partial(patchgan.discriminator, conditional=False)
)

OPTIMIZER = partial(Adam, 2e-4, beta_1=0.5)


@keras.saving.register_keras_serializable("ganzoo")
class CycleGAN(AdversarialModel):
    """Translation between two unpaired collections of images, x and y.

    Without pairs, no loss can say which y belongs to an x. A generator G: x -> y that only has to fool a discriminator
    of y could ignore its input. So a second generator F: y -> x has to turn the translation back into x. For that, G
    must keep the content of x in its images.

        L_GAN(G, D_Y) = E_x[(D_Y(G(x)) - 1)^2]  for G                                     (Section 4)
        L_GAN(G, D_Y) = (E_y[(D_Y(y) - 1)^2] + E_x[D_Y(G(x))^2]) / 2  for D_Y
        L_cyc(G, F) = E_x[||F(G(x)) - x||_1] + E_y[||G(F(y)) - y||_1]                     (Equation 2)
        L(G, F, D_X, D_Y) = L_GAN(G, D_Y) + L_GAN(F, D_X) + lambda L_cyc(G, F)            (Equation 3)
        L_identity(G, F) = E_y[||G(y) - y||_1] + E_x[||F(x) - x||_1]                      (Section 5.2)

    The identity loss, with the weight `identity_weight * cycle_weight`, keeps colours that need no change.

    A step updates both generators together and then both discriminators. With probability 1/2, the discriminators see
    an earlier translation in place of a new translation, see `ganzoo.training.image_pool.ImagePool`.

    Reference: [Zhu et al., 2017](https://arxiv.org/abs/1703.10593), Equations 2 and 3, Sections 4, 5.2 and 7.1.

    Departures from the paper:

    - The norm is the mean over pixels and channels, as in the authors' code.
    - The identity loss is on by default, as in the authors' code. The paper uses it only for paintings.
    - In the second half of a training, the learning rate falls with each step. `from_paper` cannot know the number of
      steps in the paper's 100 and 100 epochs, so the rate is constant unless you pass `total_steps`.

    Args:
        generator: G, built `keras.Model`, images of x -> images of y.
        discriminator: D_Y, built `keras.Model`, images of y -> any number of scores per image.
        back_generator: F, images of y -> images of x.
        back_discriminator: D_X, images of x -> scores.
        cycle_weight: Float, lambda. Defaults to `10.0`.
        identity_weight: Float, weight of the identity loss relative to lambda. Defaults to `0.5`. If the shapes of x
            and y differ, it must be `0.0`.
        pool_size: Integer, number of earlier translations kept for each discriminator. Defaults to `50`.
        augmentation, r1_weight, r2_weight, penalty_interval: See `AdversarialModel`. They apply to both discriminators.
        ema_decay, seed: See `GenerativeModel`. Both generators are averaged.

    Logs: `cycle`, Equation 2, in [0, 4]. `identity`, in [0, 4]. `d_loss`, the sum for both discriminators, 0.5 when
    they know nothing. `g_loss`, Equation 3 plus the identity loss.

    Raises:
        ValueError: If the networks do not fit each other, or a weight is negative.

    Example:

    >>> train = ganzoo.data.unpaired("horses", "zebras", image_size=(128, 128), jitter=True, mirror=True)
    >>> model = ganzoo.CycleGAN.from_paper((128, 128, 3), total_steps=200 * len(train))
    >>> model.fit(train, epochs=200)
    >>> zebras = model.translate(horses)
    >>> horses = model.translate(zebras, to="x")
    """

    has_latents = False
    judges_conditions = False
    ranks_samples = False
    networks_for_vectors = None

    back_generator = Fixed()
    back_discriminator = Fixed()
    cycle_weight = Setting(checks.check_weight)
    identity_weight = Setting(checks.check_weight)
    pool_size = Fixed(lambda name, value: checks.integer(name, value, least=0))
    discriminator_steps = Fixed(only_one)
    packing = Fixed(only_one)

    def __init__(
        self,
        generator,
        discriminator,
        back_generator,
        back_discriminator,
        cycle_weight=10.0,
        identity_weight=0.5,
        pool_size=50,
        **kwargs,
    ):
        super().__init__(generator, discriminator, **kwargs)
        self.conditions = UnpairedImages(self.conditions.kinds)
        check_way_back(self, back_generator, back_discriminator)
        self.back_generator = back_generator
        self.back_discriminator = back_discriminator
        self.ema_back_generator = None if self.ema_decay is None else average_of(back_generator)
        self.cycle_weight = cycle_weight
        self.identity_weight = identity_weight
        check_identity(self)
        self.pool_size = pool_size
        self.pool = ImagePool(self.pool_size, self.image_shape, name="pool")
        self.back_pool = ImagePool(self.pool_size, self.conditions.image_shape, name="back_pool")
        self._decode_back = None

    # === The game ===

    def generator_loss(self, critic, real, fake):
        return ops.mean(ops.square(critic(fake) - 1.0))

    def discriminator_loss(self, critic, real, fake):
        return losses.least_squares_discriminator_loss(critic(real), critic(fake))  # Includes the division by 2.

    def to_y(self, x, training):
        """G(x) in float32, from the trained generator and not from its average."""
        return self.decode(None, x, training)

    def to_x(self, y, training):
        """F(y) in float32, from the trained generator and not from its average."""
        return ops.cast(self.back_generator(y, training=training), "float32")

    def critics(self, training=True):
        """The critics of both discriminators, D_Y and D_X."""
        return [Critic(self, None, training, network) for network in (self.discriminator, self.back_discriminator)]

    def translate_and_judge(self, y, x, training):
        """The loss of the generators: Equation 3 plus the identity loss.

        Returns:
            The loss, a scalar, and the translations G(x) and F(y).
        """
        fake_y, fake_x = self.to_y(x, training), self.to_x(y, training)
        critic_y, critic_x = self.critics(training)
        loss = self.generator_loss(critic_y, y, fake_y) + self.generator_loss(critic_x, x, fake_x)
        cycle = distance(self.to_x(fake_y, training), x) + distance(self.to_y(fake_x, training), y)
        self.track(cycle=cycle)
        loss += self.cycle_weight * cycle
        if self.identity_weight:
            identity = distance(self.to_y(y, training), y) + distance(self.to_x(x, training), x)
            self.track(identity=identity)
            loss += self.cycle_weight * self.identity_weight * identity
        return loss, fake_y, fake_x

    def tell_apart(self, y, x, fake_y, fake_x, training):
        """The loss of both discriminators, a scalar."""
        critic_y, critic_x = self.critics(training)
        both = [
            Update(critic_y, y, fake_y, fake_y, None, x, training),
            Update(critic_x, x, fake_x, fake_x, None, y, training),
        ]
        loss = sum(self.discriminator_objective(update) for update in both)
        if hasattr(self.augmentation, "after_step") and training:
            signs = [tf.reduce_mean(tf.sign(update.critic.scores_seen(update.real))) for update in both]
            self.note(real_sign=tf.add_n(signs) / 2.0)
        return loss

    # === The step ===

    def train_step(self, data):
        y, x = self.unpack(data)
        # The discriminators see the translations from the generators' update, as in the authors' code.
        notes = [self.noted(lambda: self.update_discriminator(y, x, self.update_generator(y, x)))]
        self.move_augmentation(notes, y)
        return self.finish_step(notes)

    def update_generator(self, real, condition=None):
        """Updates both generators once and leaves the discriminators unchanged.

        Args:
            real: Float32 tensor `(batch, ...)`, images of y.
            condition: Float32 tensor `(batch, ...)`, images of x.

        Returns:
            The translations G(x) and F(y) from before the update, without a gradient.
        """
        fakes = []

        def objective():
            loss, *translations = self.translate_and_judge(real, condition, training=True)
            # The discriminators train on these images, which saves a second pass through the generators.
            fakes[:] = [tf.stop_gradient(images) for images in translations]
            return loss

        # The pass in training mode would otherwise change the discriminators' batch statistics.
        with unchanged(self.discriminator), unchanged(self.back_discriminator):
            self.track(g_loss=self.minimize(objective, "generator_optimizer"))
        return fakes

    def update_discriminator(self, real, condition=None, fakes=None):
        """Updates both discriminators once, on translations from the pools.

        Args:
            real: Float32 tensor `(batch, ...)`, images of y.
            condition: Float32 tensor `(batch, ...)`, images of x.
            fakes: Pair of tensors, G(x) and F(y). Defaults to `None`: they are computed.
        """
        fakes = fakes or (self.to_y(condition, training=True), self.to_x(real, training=True))
        shown = [
            pool.query(images, self.uniform((batch_size_of(images), 2)))
            for pool, images in zip((self.pool, self.back_pool), fakes, strict=True)
        ]
        loss = self.minimize(lambda: self.tell_apart(real, condition, *shown, training=True), "discriminator_optimizer")
        self.track(d_loss=loss)

    def test_step(self, data):
        y, x = self.unpack(data)
        with self.numbers_of_evaluation():
            g_loss, *fakes = self.translate_and_judge(y, x, training=False)
            self.track(g_loss=g_loss, d_loss=self.tell_apart(y, x, *fakes, training=False))
        return self.logged()

    @property
    def trained(self):
        return {
            "generator_optimizer": [*self.generator.trainable_variables, *self.back_generator.trainable_variables],
            "discriminator_optimizer": [
                *self.discriminator.trainable_variables,
                *self.back_discriminator.trainable_variables,
            ],
        }

    def averages(self):
        back = [] if self.ema_back_generator is None else [(self.ema_back_generator, self.back_generator)]
        return [*super().averages(), *back]

    # === For users ===

    def translate(self, images, to="y", batch_size=64):
        """Translates images, with the averaged generator if there is an average.

        Args:
            images: Array `(count, height, width, channels)` of the other collection, floats in [-1, 1] or uint8.
            to: `"y"` (the default, as in `generate` and `predict`) or `"x"`.
            batch_size: Integer, number of images translated at a time. Defaults to `64`.

        Returns:
            Float32 NumPy array of the translated images, in [-1, 1].
        """
        if checks.choice("to", to, ("y", "x")) == "y":
            return self.generate(condition=images, batch_size=batch_size)
        count, images = Image(self.image_shape).for_samples(images, None)
        batch_size = min(checks.integer("batch_size", batch_size, least=1), count)
        return in_full_batches(self._translate_back, [images], count, batch_size)

    def _translate_back(self, images):
        if self._decode_back is None:
            spec = tf.TensorSpec((None, *self.image_shape), "float32")
            self._decode_back = tf.function(self._back, input_signature=[spec], autograph=False)
        return self._decode_back(images).numpy()

    def _back(self, images):
        """F(y) in float32, from the averaged generator if there is an average."""
        network = self.back_generator if self.ema_back_generator is None else self.ema_back_generator
        return ops.cast(network(images, training=False), "float32")

    def forget_traces(self):
        self._decode_back = None
        super().forget_traces()

    def add_endpoints(self, archive):
        """Adds the endpoint `translate_to_x`, `image` of y -> `images` of x. `serving_default` translates to y."""
        spec = tf.TensorSpec((None, *self.image_shape), "float32", name="image")
        archive.add_endpoint("translate_to_x", lambda image: {"images": self._back(image)}, [spec])

    @classmethod
    def from_paper(
        cls,
        image_shape,
        condition_shape=None,
        *,
        networks=NETWORKS,
        filters=64,
        normalization="instance",
        affine=False,
        receptive_field=70,
        cycle_weight=10.0,
        identity_weight=0.5,
        pool_size=50,
        total_steps=None,
        generator_optimizer=OPTIMIZER,
        discriminator_optimizer=OPTIMIZER,
        **settings,
    ):
        """Returns the compiled model. The defaults are the settings of the paper and its authors' code.

        Args:
            image_shape: `(height, width, channels)` of the images of y.
            condition_shape: `(height, width, channels)` of the images of x. Defaults to `image_shape`.
            networks: Object with the functions `generator` and `discriminator`.
            filters: Integer, channels of the first map of all networks. Defaults to `64`.
            normalization: `"instance"` (the default), `"batch"` or `None`.
            affine: Boolean, whether instance normalization has gains and biases. Defaults to `False`.
            receptive_field: 1, 16, 70 (the default) or 286, side of the discriminators' patches in pixels.
            total_steps: Integer, the steps of the whole training, such as `200 * len(dataset)`. In their second half,
                the learning rate of the default optimizers falls to zero. Defaults to `None`: the rate is constant.
            **settings: Any other argument of the networks, the class or `compile`, such as `blocks`. With the prefix
                `generator_` or `discriminator_` it applies to these two networks alone.

        The other arguments belong to the networks, the class and `compile`.
        """
        return cls.assemble(locals())

    @classmethod
    def assemble(cls, settings):
        settings = with_decay(settings, OPTIMIZER)
        plan = assembly.plan(cls, settings, ["generator", "discriminator"], given=ROLES)
        model = cls(*networks_of_both_ways(plan, settings["image_shape"], settings["condition_shape"]), **plan.of_class)
        model.compile(**plan.of_compile)
        return model


def distance(images, others):
    """The L1 distance as in the authors' code, the mean over images, pixels and channels."""
    return ops.mean(ops.abs(images - others))
