"""AC-GAN, a GAN with an auxiliary classifier."""

from functools import partial

import keras
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.models.cgan import check_condition
from ganzoo.models.gan import GAN
from ganzoo.networks.heads import read_heads
from ganzoo.training.settings import Setting


@keras.saving.register_keras_serializable("ganzoo")
class ACGAN(GAN):
    """Auxiliary classifier GAN: the discriminator does not see the class of a sample but predicts it.

    The discriminator outputs class logits beside the score. Both networks are trained to get the class right, so the
    generator makes samples whose class is easy to read. In `CGAN`, the class is an input of the discriminator instead.

        L_S = E[log P(S = real | x)] + E[log P(S = fake | G(c, z))]        (Equation 2)
        L_C = E[log P(C = c | x)] + E[log P(C = c | G(c, z))]              (Equation 3)
        D maximises L_S + L_C, G maximises L_C - L_S

    Reference: [Odena et al., 2017](https://arxiv.org/abs/1610.09585), Equations 2 and 3.

    Use `num_attributes` for several labels at once, as in `CGAN`. L_C is then the sum over the labels. The names of the
    attributes, such as `"hairColor #91cb15"`, tell the labels apart. Without names, each attribute is an independent
    yes or no.

    Departures from the paper:

    - The generator maximises log P(S = real | G(c, z)), as in `GAN`. L_C - L_S is the minimax game (`minimax=True`).
    - The generator is asked for the classes of the batch's real samples. The paper draws the classes.
    - `from_paper` has the networks of DCGAN. The paper's discriminator is deeper, with dropout and noise between its
      layers.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` and label `(batch,)`, or attributes `(batch,
            count)`, -> samples.
        discriminator: Built `keras.Model`, samples -> `{"scores": (batch, 1), "classes": (batch, num_classes)}`, both
            logits. For attributes it has `"attributes": (batch, count)` in place of `"classes"`. See
            `ganzoo.networks.acgan`.
        num_classes: Integer, the number of classes. Defaults to `None`: the networks have attributes.
        class_weight: Float, weight of L_C. Defaults to `1.0`.
        minimax, latent_dim, discriminator_steps, augmentation, ema_decay, seed, class_names: See `GAN`.

    Logs: as `GAN`, with the class losses in `g_loss` and `d_loss`. `class_loss` is the cross-entropy of the class for
    generated samples in the generator's update, and `real_class_loss` for real samples. Both are log K, 2.303 for ten
    classes, when the discriminator knows nothing.

    Raises:
        ValueError: Without classes and attributes, without the head `"classes"` or `"attributes"`, with further
            conditions, or with packing.

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
        super().__init__(generator, discriminator, num_classes=num_classes, **kwargs)
        check_condition("AC-GAN", self.conditions.label, self.conditions.attributes)
        self.class_weight = class_weight
        check_classifier(self)

    @property
    def label_columns(self):
        """The columns of each label in the attributes, by name. Empty for classes and for attributes without names."""
        attributes = self.conditions.attributes
        return {} if attributes is None else attributes.labels

    def discriminator_loss(self, critic, real, fake):
        loss = super().discriminator_loss(critic, real, fake)
        real_class_loss = class_loss(critic, real, self.label_columns)
        self.track(real_class_loss=real_class_loss)
        return loss + self.class_weight * (real_class_loss + class_loss(critic, fake, self.label_columns))

    def generator_loss(self, critic, real, fake):
        loss = super().generator_loss(critic, real, fake)
        fake_class_loss = class_loss(critic, fake, self.label_columns)
        self.track(class_loss=fake_class_loss)
        return loss + self.class_weight * fake_class_loss

    def classify(self, samples, batch_size=64):
        """The discriminator's probability of each class or attribute.

        Args:
            samples: Array `(count, ...)`, real or generated, floats in [-1, 1] or uint8 images.
            batch_size: Integer, number of samples read at a time. Defaults to `64`.

        Returns:
            Float32 NumPy array `(count, num_classes)`, whose rows sum to 1. For attributes, `(count, num_attributes)`,
            and the values of each label sum to 1.
        """
        heads = read_heads(self.discriminator, samples, batch_size)
        if "classes" in heads:
            return ops.convert_to_numpy(ops.softmax(heads["classes"]))
        logits = ops.convert_to_numpy(heads["attributes"])
        # A copy, because the NumPy view of a tensor is read-only.
        probabilities = ops.convert_to_numpy(ops.sigmoid(logits)).copy()
        # The values of a label exclude each other, so they share a softmax.
        for columns in self.label_columns.values():
            probabilities[:, columns] = ops.softmax(logits[:, columns])
        return probabilities

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        num_attributes=None,
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
            num_classes: Integer, or `None` (the default) for `num_attributes`.
            num_attributes: Integer, the width of the attributes. Defaults to `None`.
            networks: Family of networks, a module with the functions `generator` and `discriminator`.
            **settings: Any other argument of the networks, the class or `compile`. With the prefix `generator_` or
                `discriminator_` it applies to that network alone: `discriminator_filters=32`.

        The other arguments belong to the networks, the class and `compile`.
        """
        check_condition("AC-GAN", num_classes, num_attributes)
        return cls.assemble(locals())


def class_loss(critic, samples, label_columns=()):
    """`-E[log P(C = c | x)]` for the labels of the batch, from the same forward pass as the scores.

    Args:
        critic: See `AdversarialModel`.
        samples: Tensor of samples.
        label_columns: Dictionary, label -> columns of the attributes. The losses of the labels are added. Empty by
            default: the samples have a single label or independent attributes.
    """
    heads, asked = critic.heads(samples), critic.condition
    if "classes" in heads:
        return ops.mean(ops.sparse_categorical_crossentropy(asked, heads["classes"], from_logits=True))
    logits = heads["attributes"]
    if not label_columns:
        return ops.mean(ops.sum(ops.binary_crossentropy(asked, logits, from_logits=True), axis=-1))
    losses = [
        ops.categorical_crossentropy(ops.take(asked, columns, -1), ops.take(logits, columns, -1), from_logits=True)
        for columns in label_columns.values()
    ]
    return ops.mean(ops.sum(losses, axis=0))


def check_classifier(model):
    """Raises a `ValueError` unless the discriminator predicts the generator's classes or attributes."""
    if len(model.conditions) > 1:
        raise ValueError(
            "AC-GAN has one condition, a label or attributes. Received: a generator with "
            f"{', '.join(model.conditions)}. Take ganzoo.CGAN, whose discriminator sees all conditions."
        )
    outputs = model.discriminator.output if isinstance(model.discriminator.output, dict) else {}
    found = {name: tuple(tensor.shape) for name, tensor in outputs.items() if name != "scores"}
    if model.conditions.attributes is None:
        name, count = "classes", model.num_classes
    else:
        name, count = "attributes", model.conditions.attributes.size
    if found != {name: (None, count)}:
        raise ValueError(
            f"`discriminator` must have the heads {{{name!r}: (None, {count})}} beside its scores. Received: "
            f"{model.discriminator.name} with {found or 'none'}. Take ganzoo.networks.acgan.discriminator, or pass "
            f"heads={{{name!r}: {count}}} to another family of networks."
        )
    if model.packing != 1:
        raise ValueError(f"AC-GAN tells the class of single samples. Received: packing={model.packing}. Leave it at 1.")
