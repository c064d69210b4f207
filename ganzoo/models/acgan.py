"""GAN with an auxiliary classifier."""

from functools import partial

import keras
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.models.gan import GAN
from ganzoo.training.settings import Setting


@keras.saving.register_keras_serializable("ganzoo")
class ACGAN(GAN):
    """Auxiliary classifier GAN: the discriminator is not told the class, it has to tell it.

    Beside the score it has class logits. Both networks are trained to get the class right, so the generator is asked
    for samples whose class is easy to read. In `CGAN` the discriminator sees the class as an input instead.

        L_S = E[log P(S = real | x)] + E[log P(S = fake | G(c, z))]        (Equation 2)
        L_C = E[log P(C = c | x)] + E[log P(C = c | G(c, z))]              (Equation 3)
        D maximises L_S + L_C, G maximises L_C - L_S

    Reference: [Odena et al., 2017](https://arxiv.org/abs/1610.09585), Equations 2 and 3.

    Departures from the paper:

    - The generator maximises log P(S = real | G(c, z)), as in `GAN`, where L_C - L_S has the minimax game
      (`minimax=True`).
    - The classes that the generator is asked for are those of the real samples of the batch.
    - `from_paper` has the networks of DCGAN, where the paper has deeper ones with dropout.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` and label `(batch,)` -> samples.
        discriminator: Built `keras.Model`, samples -> `{"scores": (batch, 1), "classes": (batch, num_classes)}`, both
            logits. `ganzoo.networks.acgan` has one.
        num_classes: Integer, the number of classes.
        class_weight: Float, weight of L_C. Defaults to `1.0`.
        minimax, latent_dim, discriminator_steps, augmentation, ema_decay, seed, class_names: See `GAN`.

    Logs: as `GAN`, and `class_loss`, the cross-entropy of the class of generated samples: log of the number of classes
    where the discriminator knows nothing.

    Raises:
        ValueError: Without `num_classes`, without the head `"classes"`, or with packing.

    Example:

    >>> gan = ganzoo.ACGAN.from_paper((28, 28, 1), num_classes=10)
    >>> gan.fit(ganzoo.data.load("mnist_10k", batch_size=64), epochs=20)
    >>> digits = gan.generate(10, condition=range(10))
    """

    judges_conditions = False
    networks_for_vectors = None

    class_weight = Setting(checks.check_weight)

    def __init__(self, generator, discriminator, num_classes=None, class_weight=1.0, **kwargs):
        super().__init__(generator, discriminator, num_classes=num_classes, **kwargs)
        self.class_weight = class_weight
        check_classifier(self)

    def discriminator_objective(self, update):
        classes = [cross_entropy(update, samples) for samples in (update.real, update.fake)]
        return super().discriminator_objective(update) + self.class_weight * sum(classes)

    def generator_objective(self, update):
        loss = super().generator_objective(update)
        class_loss = cross_entropy(update, update.fake)
        self.track(class_loss=class_loss)
        return loss + self.class_weight * class_loss

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes,
        *,
        networks=networks.acgan,
        latent_dim=100,
        filters=64,
        generator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        discriminator_optimizer=partial(Adam, 2e-4, beta_1=0.5),
        **settings,
    ):
        """Returns the compiled model; see `CGAN.from_paper` for the arguments."""
        return cls.assemble(locals())


def cross_entropy(update, samples):
    """`-E[log P(C = c | x)]` for the classes of the batch; no pass of its own where the score was asked for before."""
    logits = update.critic.heads(samples)["classes"]
    return ops.mean(ops.sparse_categorical_crossentropy(update.condition, logits, from_logits=True))


def check_classifier(model):
    """Raises a `ValueError` unless a discriminator tells the generator's classes."""
    outputs = model.discriminator.output
    if model.num_classes is None:
        raise ValueError("AC-GAN needs `num_classes`, the number of labels. Received: num_classes=None.")
    wanted = (None, model.num_classes)
    if not isinstance(outputs, dict) or tuple(getattr(outputs.get("classes"), "shape", ())) != wanted:
        raise ValueError(
            f'`discriminator` must have the outputs {{"scores": ..., "classes": {wanted}}}. Received: '
            f"{model.discriminator.name} with {outputs}. Take ganzoo.networks.acgan.discriminator."
        )
    if model.packing != 1:
        raise ValueError(f"AC-GAN tells the class of single samples. Received: packing={model.packing}. Leave it at 1.")
