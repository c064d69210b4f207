"""The relativistic paired GAN with two zero-centred gradient penalties."""

from functools import partial

import keras
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.augmentation import ADA
from ganzoo.losses import relativistic_loss
from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.training.model_checks import check_no_batch_normalization
from ganzoo.training.schedules import Cosine, HalfLife, ScheduledAdam

# Without schedules: gamma of the paper's Stacked MNIST, and the constant rates.
CONSTANT = {
    "r1_weight": lambda: 1.0,
    "r2_weight": lambda: 1.0,
    "generator_optimizer": partial(Adam, 2e-4, beta_1=0.0, beta_2=0.99),
    "discriminator_optimizer": partial(Adam, 2e-4, beta_1=0.0, beta_2=0.99),
}


@keras.saving.register_keras_serializable("ganzoo")
class R3GAN(AdversarialModel):
    """R3GAN: relativistic paired GAN (RpGAN) with R1 and R2.

    The discriminator ranks each real sample above a generated one, instead of judging each alone: a generator that
    drops a mode loses the comparisons there, so the loss has no bad local minima. The two penalties, on real and on
    generated samples, make its training converge locally, which RpGAN with R1 alone does not.

        L_D = E[f(D(G(z)) - D(x))] + gamma/2 E[||grad D(x)||^2] + gamma/2 E[||grad D(G(z))||^2]   (Equations 2 and 3)
        L_G = E[f(D(x) - D(G(z)))],   f(t) = log(1 + e^t)

    The signs are chosen so that f is minimised: the paper writes f(t) = -log(1 + e^-t) and a maximum.

    Reference: [Huang et al., 2025](https://arxiv.org/abs/2501.05441), Equations 2 and 3.

    `from_paper` has the networks of the paper and its schedules, those of CIFAR-10. Each goes along a cosine from the
    first to the last step of the training, `total_steps` (Appendix D):

    | What | From | To |
    |---|---|---|
    | learning rate | 2e-4 | 5e-5 |
    | gamma | 0.05 | 0.005 |
    | Adam's beta_2 | 0.9 | 0.99 |
    | half-life of the average of the weights | 0 | a quarter of the training |
    | probability of ADA's augmentations | 0 | 0.55 |

    Departures from the paper: the length of the training is counted in steps and not in images. The paper's 2e7 images
    in batches of 512 are 39,062 steps, and its half-life of 5e6 images is a quarter of them. Adam's epsilon is Keras'.
    The augmentations are those of StyleGAN2-ADA; the authors' code has weaker changes of colour, and cutout.

    Args:
        generator: Built `keras.Model`, latents `(batch, latent_dim)` -> samples.
        discriminator: Built `keras.Model`, samples -> scores. Batch normalization is refused.
        r1_weight: Float or schedule, gamma of the penalty on real samples. Defaults to `1.0`.
        r2_weight: Float or schedule, gamma of the penalty on generated samples. Defaults to `1.0`.
        latent_dim, discriminator_steps, num_classes, packing, augmentation, ema_decay, seed: See `AdversarialModel`.

    Logs: `d_loss`, `g_loss` (log 2 = 0.693 where the discriminator knows nothing), `score_gap` E[D(x)] - E[D(G(z))],
    and the penalties `r1` and `r2`, without weights.

    Example:

    >>> gan = ganzoo.R3GAN.from_paper((28, 28, 1), filters=48, blocks=1, total_steps=3120)
    >>> gan.fit(ganzoo.data.load("fashion_mnist_10k", batch_size=64), epochs=20)  # 156 steps an epoch
    """

    def __init__(self, generator, discriminator, r1_weight=1.0, r2_weight=1.0, **kwargs):
        super().__init__(generator, discriminator, r1_weight=r1_weight, r2_weight=r2_weight, **kwargs)
        check_no_batch_normalization(discriminator)

    def discriminator_loss(self, critic, real, fake):
        real_scores, fake_scores = critic(real), critic(fake)
        self.track(score_gap=keras.ops.mean(real_scores - fake_scores))
        return relativistic_loss(real_scores, fake_scores)  # The base class adds R1 and R2.

    def generator_loss(self, critic, real, fake):
        return relativistic_loss(critic(fake), critic(real))

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        networks=networks.r3gan,
        total_steps=39_062,
        schedules=None,
        latent_dim=64,
        normalization=None,
        batch_normalization=False,
        kernel_initializer="he_uniform",
        r1_weight=None,
        r2_weight=None,
        ema_decay=None,
        augmentation=None,
        generator_optimizer=None,
        discriminator_optimizer=None,
        **settings,
    ):
        """Returns the compiled model; see `GAN.from_paper` for the arguments.

        What is `None` depends on `schedules`:

        | Setting | `True`, as for CIFAR-10 | `False`, as for Stacked MNIST, without its schedules |
        |---|---|---|
        | `r1_weight`, `r2_weight` | 0.05 to 0.005 | 1 |
        | Adam, beta_1 0 | 2e-4 to 5e-5, beta_2 0.9 to 0.99 | 2e-4, beta_2 0.99 |
        | `ema_decay` | a half-life of 0 to `total_steps / 4` steps | none |
        | `augmentation` | ADA, p 0 to 0.55 | none |

        Args:
            networks: Defaults to `ganzoo.networks.r3gan`. `ganzoo.networks.dcgan` has smaller ones, without
                normalization here.
            total_steps: Integer, the steps of the whole training, over which the schedules go: images / batch size.
                Defaults to `39_062`, the paper's 2e7 images in batches of 512. A shorter training needs its own number,
                which `ganzoo train` computes. `fit` prints the number if the training is less than half as long.
            schedules: Boolean. Defaults to `None`: `True` with the networks of the paper, `False` with others.
        """
        return cls.assemble(with_schedules(locals()))


def with_schedules(settings):
    """The settings of a `from_paper`, with what the paper has in the place of `None`."""
    settings = {**settings}
    total_steps = checks.integer("total_steps", settings.pop("total_steps"), least=1)
    schedules = settings.pop("schedules")
    if schedules is not None:
        schedules = checks.boolean("schedules", schedules)
    is_image = len(checks.sample_shape("image_shape", settings["image_shape"], vectors=True)) == 3
    if schedules is None:
        schedules = is_image and settings["networks"] is networks.r3gan
    own = scheduled(total_steps, is_image) if schedules else CONSTANT
    return settings | {name: make() for name, make in own.items() if settings[name] is None}


def scheduled(total_steps, is_image):
    """What makes each setting of the paper's CIFAR-10 experiment."""

    def adam():
        return ScheduledAdam(Cosine(2e-4, 5e-5, total_steps), beta_1=0.0, beta_2=Cosine(0.9, 0.99, total_steps))

    def gamma():
        return Cosine(0.05, 0.005, total_steps)

    found = {
        "r1_weight": gamma,
        "r2_weight": gamma,
        "ema_decay": lambda: HalfLife(Cosine(0.0, total_steps / 4, total_steps)),
        "generator_optimizer": adam,
        "discriminator_optimizer": adam,
    }
    if is_image:
        found["augmentation"] = lambda: ADA(schedule=Cosine(0.0, 0.55, total_steps))
    return found
