"""GAN with an auxiliary classifier."""

from functools import partial

import keras
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.models.gan import GAN
from ganzoo.networks.heads import read_heads
from ganzoo.training.settings import Setting


@keras.saving.register_keras_serializable("ganzoo")
class ACGAN(GAN):
    """Auxiliary classifier GAN: the discriminator is not told the class of a sample, it has to tell it.

    Beside the score it has class logits. Both networks are trained to get the class right, so the generator makes
    samples whose class is easy to read. In `CGAN` the discriminator has the class as an input instead.

        L_S = E[log P(S = real | x)] + E[log P(S = fake | G(c, z))]        (Equation 2)
        L_C = E[log P(C = c | x)] + E[log P(C = c | G(c, z))]              (Equation 3)
        D maximises L_S + L_C, G maximises L_C - L_S

    Reference: [Odena et al., 2017](https://arxiv.org/abs/1610.09585), Equations 2 and 3.

    Departures from the paper:

    - The generator maximises log P(S = real | G(c, z)), as in `GAN`. L_C - L_S is the minimax game (`minimax=True`).
    - The classes that the generator is asked for are those of the real samples of the batch. The paper draws them.
    - `from_paper` has the networks of DCGAN. The paper's discriminator is deeper, with dropout and noise between its
      layers.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` and label `(batch,)` -> samples.
        discriminator: Built `keras.Model`, samples -> `{"scores": (batch, 1), "classes": (batch, num_classes)}`, both
            logits. `ganzoo.networks.acgan` has one.
        num_classes: Integer, the number of classes.
        class_weight: Float, weight of L_C. Defaults to `1.0`.
        minimax, latent_dim, discriminator_steps, augmentation, ema_decay, seed, class_names: See `GAN`.

    Logs: as `GAN`, where `g_loss` and `d_loss` hold the classes; `class_loss`, the cross-entropy of the class of
    generated samples in the generator's update; and `real_class_loss`, that of real samples. Both are log K, 2.303 for
    ten classes, where the discriminator knows nothing.

    Raises:
        ValueError: Without `num_classes`, without the head `"classes"`, with further conditions, or with packing.

    Example:

    >>> gan = ganzoo.ACGAN.from_paper((28, 28, 1), num_classes=10)
    >>> gan.fit(ganzoo.data.load("mnist_10k", batch_size=64), epochs=20)
    >>> digits = gan.generate(10, condition=range(10))
    >>> probabilities = gan.classify(digits)
    """

    judges_conditions = False
    needs_condition = True
    networks_for_vectors = None

    class_weight = Setting(checks.check_weight)

    def __init__(self, generator, discriminator, num_classes=None, class_weight=1.0, **kwargs):
        check_num_classes(num_classes)
        super().__init__(generator, discriminator, num_classes=num_classes, **kwargs)
        self.class_weight = class_weight
        check_classifier(self)

    def discriminator_loss(self, critic, real, fake):
        loss = super().discriminator_loss(critic, real, fake)
        real_class_loss = class_loss(critic, real)
        self.track(real_class_loss=real_class_loss)
        return loss + self.class_weight * (real_class_loss + class_loss(critic, fake))

    def generator_loss(self, critic, real, fake):
        loss = super().generator_loss(critic, real, fake)
        fake_class_loss = class_loss(critic, fake)
        self.track(class_loss=fake_class_loss)
        return loss + self.class_weight * fake_class_loss

    def classify(self, samples, batch_size=64):
        """The probabilities that the discriminator gives to each class.

        Args:
            samples: Array `(count, ...)`, real or generated: floats in [-1, 1], or uint8 images.
            batch_size: Integer, how many are read at a time. Defaults to `64`.

        Returns:
            Float32 NumPy array `(count, num_classes)`.
        """
        logits = read_heads(self.discriminator, samples, batch_size)["classes"]
        return ops.convert_to_numpy(ops.softmax(logits))

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes,
        *,
        networks=networks.acgan,
        latent_dim=100,
        filters=64,
        class_weight=1.0,
        generator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        discriminator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        **settings,
    ):
        """Returns the compiled model. The defaults are the paper's settings, with DCGAN's networks.

        Args:
            image_shape: `(height, width, channels)`.
            num_classes: Integer.
            networks: Family of networks, a module with the functions `generator` and `discriminator`.
            **settings: Any other argument of the networks, the class or `compile`. With `generator_` or
                `discriminator_` before its name it concerns that network alone: `discriminator_filters=32`.

        The other arguments are those of the networks, of the class and of `compile`.
        """
        check_num_classes(num_classes)
        return cls.assemble(locals())


def check_num_classes(num_classes):
    """Raises a `ValueError` without classes."""
    if num_classes is None:
        raise ValueError("AC-GAN needs `num_classes`, the number of labels. Received: num_classes=None.")


def class_loss(critic, samples):
    """`-E[log P(C = c | x)]` for the classes of the batch, of the forward pass that gave the scores."""
    logits = critic.heads(samples)["classes"]
    return ops.mean(ops.sparse_categorical_crossentropy(critic.condition, logits, from_logits=True))


def check_classifier(model):
    """Raises a `ValueError` unless a discriminator tells the generator's classes."""
    outputs = model.discriminator.output if isinstance(model.discriminator.output, dict) else {}
    found = {name: tuple(tensor.shape) for name, tensor in outputs.items() if name != "scores"}
    wanted = {"classes": (None, model.num_classes)}
    if found != wanted:
        raise ValueError(
            f"`discriminator` must have the heads {wanted} beside its scores. Received: {model.discriminator.name} "
            f"with {found or 'none'}. Take ganzoo.networks.acgan.discriminator, or pass "
            f"heads={{'classes': {model.num_classes}}} to another family of networks."
        )
    if len(model.conditions) > 1:
        raise ValueError(
            f"AC-GAN has the label alone as a condition. Received: a generator with {', '.join(model.conditions)}. "
            "Take ganzoo.CGAN, whose discriminator sees all conditions."
        )
    if model.packing != 1:
        raise ValueError(f"AC-GAN tells the class of single samples. Received: packing={model.packing}. Leave it at 1.")
