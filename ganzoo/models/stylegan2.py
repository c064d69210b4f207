"""StyleGAN2: a generator of styles, with lazy R1 and path length regularization."""

from functools import partial

import keras
import tensorflow as tf
from keras import ops
from keras.optimizers import Adam

from ganzoo import checks, networks
from ganzoo.layers import piecewise_linear
from ganzoo.models.gan import GAN
from ganzoo.sampling import SeededNumbers, in_full_batches
from ganzoo.training import schedules
from ganzoo.training.critic import batch_size_of
from ganzoo.training.settings import Setting

STYLES_OF_MEAN = 10_000
OF_NETWORKS = ("base", "mapping_layers", "group_size", "residual")

# Adam as in the paper, at the rates of its configurations.
RATES = {"paper": 2e-3, "auto": 2.5e-3, "cifar": 2.5e-3}


def check_probability(name, value):
    """Returns a number from 0 to 1."""
    return checks.number(name, value, least=0, most=1)


@keras.saving.register_keras_serializable("ganzoo")
class StyleGAN2(GAN):
    """Generative adversarial network whose generator is controlled by a style in each of its layers.

    A mapping network f turns latents into a style w = f(z). The style scales the channels of each convolution, so what
    it controls is separate at each size: pose and shape in the small maps, colours in the large ones. In training, a
    part of the samples has the style of other latents from a random layer on ("style mixing"), so neighbouring layers
    do not learn to rely on each other. The losses are those of `GAN`, with two penalties that are computed in some
    steps only, as much heavier as they are rarer:

        gamma/2 E[||grad D(x)||^2]                       every 16th step   (R1)
        E[(||J_w^T y||_2 - a)^2],   J_w = dG(w)/dw       every 4th step    (Equation 4, path length)

    y is an image of noise N(0, I) / sqrt(pixels), so ||J_w^T y|| is how far the image moves for a step in w. a is its
    running mean: a step in w is to move the image by the same amount everywhere. The square is averaged over the styles
    of the layers.

    With `augmentation=ganzoo.augmentation.ADA()` it is StyleGAN2-ADA, for few images.

    Reference: [Karras et al., 2019](https://arxiv.org/abs/1912.04958), Sections 2 to 4, Appendix B; settings of the
    configurations: [Karras et al., 2020](https://arxiv.org/abs/2006.06676), Appendix D.

    Departures from the paper:

    - The penalties are added to the losses of their steps. The paper makes updates of their own of them, and corrects
      Adam's settings for these.
    - a moves after the step, and the penalty sees the mean of the steps before. The penalty has every k-th latent of
      the update, where the authors' code draws new ones.
    - Each sample draws the layer at which its style changes for itself.
    - The average of the weights begins as in all models of the zoo (`ema_decay`).
    - Adam's epsilon is Keras'. See also `ganzoo.networks.stylegan2`.

    Args:
        generator: Built `keras.Model` with the layers `"mapping"` and `"synthesis"`; see
            `ganzoo.networks.stylegan2.generator`.
        discriminator: Built `keras.Model`, samples -> scores (logits).
        mixing_probability: Float in [0, 1], the share of samples with two styles in training. Defaults to `0.9`.
        path_length_weight: Float, weight of the path length penalty. Defaults to `2.0`.
        path_length_interval: Integer, it is computed in every such step. Defaults to `4`.
        path_length_share: Integer k, on every k-th sample of the batch. Defaults to `2`.
        path_length_decay: Float, how far a moves towards the mean length of a step. Defaults to `0.01`.
        r1_weight: Float, gamma. Defaults to `10.0`.
        penalty_interval: Integer, R1 is computed in every such step. Defaults to `16`.
        latent_dim, minimax, r2_weight, discriminator_steps, num_classes, packing, augmentation, ema_decay, seed: See
            `GAN` and `AdversarialModel`.

    Logs: as `GAN`, with `r1`; `path_length`, the penalty without its weight, where it is used.

    Raises:
        ValueError: If the generator has no mapping or no synthesis network.

    Example:

    >>> gan = ganzoo.StyleGAN2.from_paper((32, 32, 3), base=1024, max_filters=64, latent_dim=64)
    >>> gan.fit(ganzoo.data.load("faces_10k", batch_size=32), epochs=20)
    >>> faces = gan.generate(64, truncation=0.7)
    """

    # Its synthesis network is convolutional.
    networks_for_vectors = None
    # Styles are mixed, and the noise of each sample is new.
    draws_beside_latents = True

    mixing_probability = Setting(check_probability)
    path_length_weight = Setting(checks.check_weight)
    path_length_interval = Setting(checks.check_at_least_one)
    path_length_share = Setting(checks.check_at_least_one)
    path_length_decay = Setting(check_probability)

    def __init__(
        self,
        generator,
        discriminator,
        mixing_probability=0.9,
        path_length_weight=2.0,
        path_length_interval=4,
        path_length_share=2,
        path_length_decay=0.01,
        r1_weight=10.0,
        penalty_interval=16,
        **kwargs,
    ):
        check_generator(generator)
        super().__init__(generator, discriminator, r1_weight=r1_weight, penalty_interval=penalty_interval, **kwargs)
        self.mixing_probability = mixing_probability
        self.path_length_weight = path_length_weight
        self.path_length_interval = path_length_interval
        self.path_length_share = path_length_share
        self.path_length_decay = path_length_decay
        self.mean_length = self.add_weight(
            shape=(),
            dtype="float32",
            initializer="zeros",
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
            name="mean_length",
        )

    # === From latents to samples ===

    def apply_generator(self, network, latents, condition, training):
        """In training: styles are mixed, and the noise of each sample is new."""
        if not training:
            return super().apply_generator(network, latents, condition, training)
        numbers = self.style_numbers(network, latents)
        styles = self.styles(network, latents, condition, numbers)
        return ops.cast(synthesis_of(network)([styles, numbers["noise"]], training=True), "float32")

    def style_numbers(self, network, latents):
        """All random numbers of a batch of samples: latents of a second style, places where it begins, noise.

        They are drawn apart from their use, since a penalty that is computed in some steps only may draw none.
        """
        count, noise = batch_size_of(latents), synthesis_of(network).inputs[1].shape[1]
        numbers = {"noise": self.normal((count, noise))}
        if self.mixing_probability:
            numbers |= {"second": self.prior(self, count), "place": self.uniform((count, 2))}
        return numbers

    def styles(self, network, latents, condition, numbers):
        """The styles of all layers in training, float32 `(batch, layers, style_dim)`."""
        count = synthesis_of(network).inputs[0].shape[1]
        first = self.mapped(network, latents, condition)[:, None]
        if "second" not in numbers:
            return tf.repeat(first, count, axis=1)
        second = self.mapped(network, numbers["second"], condition)[:, None]
        chance, place = numbers["place"][:, :1], numbers["place"][:, 1:]
        start = 1.0 + tf.floor(place * (count - 1))  # 1 to count - 1
        start = tf.where(chance < self.mixing_probability, start, float(count))
        return tf.where(tf.range(count, dtype="float32")[None, :, None] < start[:, :, None], first, second)

    def mapped(self, network, latents, condition):
        """The style of latents, float32 `(batch, style_dim)`."""
        inputs = [latents, *self.conditions.as_inputs(condition)]
        mapping = network.get_layer("mapping")
        return ops.cast(mapping(inputs if len(inputs) > 1 else inputs[0], training=True), "float32")

    def generate(self, num_samples=None, seed=0, condition=None, batch_size=64, latents=None, truncation=1.0):
        """Draws samples; see `GenerativeModel.generate`.

        Args:
            truncation: Float psi, 0 or more: styles are moved to `mean + psi (w - mean)`, for samples that are more
                alike and have fewer faults (Karras et al., 2018, arXiv:1812.04948, Appendix B). 0 makes one image.
                The mean is over 10,000 latents. Defaults to `1.0`: styles stay.
            Others: As there.
        """
        truncation = checks.number("truncation", truncation, least=0)
        if truncation == 1.0:
            return super().generate(num_samples, seed, condition, batch_size, latents)
        if latents is None:
            num_samples, condition = self.conditions.for_samples(condition, num_samples)
            latents = self.prior(SeededNumbers(checks.check_seed(seed)), num_samples)
        latents = self.check_latents(latents)
        num_samples, condition = self.conditions.for_samples(condition, len(latents))
        centre, network = self.mean_style(), self.sampling_generator
        synthesis, noise = synthesis_of(network), network.get_layer("noise")

        @tf.function(reduce_retracing=True, autograph=False)
        def decode(latents, *conditions):
            style = self.mapped(network, latents, self.conditions.join(dict(zip(self.conditions, conditions))))
            styles = network.get_layer("styles")(centre + truncation * (style - centre))
            return ops.cast(synthesis([styles, noise(styles)], training=False), "float32")

        inputs = [latents, *self.conditions.as_inputs(self.conditions.cast(condition))]
        batch_size = min(checks.integer("batch_size", batch_size, least=1), num_samples)
        return in_full_batches(lambda *batch: decode(*batch).numpy(), inputs, num_samples, batch_size)

    def mean_style(self):
        """The mean style of 10,000 latents, with classes in turn, float32 `(style_dim,)`."""
        latents = self.prior(SeededNumbers(0), STYLES_OF_MEAN)
        condition = self.conditions.cast(self.conditions.in_turn(STYLES_OF_MEAN))
        return tf.reduce_mean(self.mapped(self.sampling_generator, latents, condition), axis=0)

    # === The path length ===

    def generator_objective(self, update):
        loss = super().generator_objective(update)
        if not self.path_length_weight:
            return loss
        share = self.path_length_share
        latents = update.latents[::share]
        condition = self.conditions.map(lambda kind, value: value[::share], update.condition)
        numbers = self.style_numbers(self.generator, latents)
        pixels = self.normal((batch_size_of(latents), *self.image_shape))

        def penalty():
            lengths = self.path_lengths(latents, condition, numbers, pixels)
            return tf.reduce_mean((lengths - self.mean_length) ** 2), tf.reduce_mean(lengths)

        return loss + self.regularize(
            "path_length", self.path_length_weight, penalty, self.path_length_interval, notes=["length"]
        )

    def path_lengths(self, latents, condition, numbers, pixels):
        """||J_w^T y|| of each sample, `(batch,)`; differentiable."""
        styles = self.styles(self.generator, latents, condition, numbers)
        synthesis = synthesis_of(self.generator)
        return path_lengths(
            lambda styles: ops.cast(synthesis([styles, numbers["noise"]], training=True), "float32"), styles, pixels
        )

    def after_step(self, values):
        if self.path_length_weight:
            due = tf.cast(ops.equal((self.step - 1) % self.path_length_interval, 0), "float32")
            change = self.path_length_decay * (values["length"] - self.mean_length)
            self.mean_length.assign_add(due * change)

    @classmethod
    def from_paper(
        cls,
        image_shape,
        num_classes=None,
        *,
        networks=networks.stylegan2,
        config="auto",
        batch_size=None,
        latent_dim=512,
        base=None,
        mapping_layers=None,
        group_size=None,
        residual=None,
        mixing_probability=None,
        path_length_weight=None,
        r1_weight=None,
        penalty_interval=16,
        ema_decay=None,
        generator_optimizer=None,
        discriminator_optimizer=None,
        **settings,
    ):
        """Returns the compiled model; see `GAN.from_paper` for the arguments.

        What is `None` depends on `config`. B is `batch_size`, r the side of the image in pixels:

        | Setting | `"paper"` (F) | `"auto"` | `"cifar"` |
        |---|---|---|---|
        | `batch_size` | 32 | 32 | 64 |
        | `base` | 32768 | 16384; 32768 from 512 pixels on | 32768 |
        | `mapping_layers` | 8 | 2 | 2 |
        | `group_size`, `residual` | 4, yes | 4, yes | 32, no |
        | `r1_weight` | 10 | 2e-4 r^2 / B | 0.01 |
        | `mixing_probability` | 0.9 | 0.9 | 0 |
        | `path_length_weight` | 2 | 2 | 0 |
        | half-life of the average, images | 10,000 | B 10/32 thousand, so 10,000 | 500,000 |
        | Adam (0, 0.99) | 2e-3 | 2.5e-3; 2e-3 from 1024 pixels on | 2.5e-3 |

        Args:
            networks: Module with the functions `generator` and `discriminator`. Defaults to
                `ganzoo.networks.stylegan2`.
            config: `"auto"` (the default), `"paper"` or `"cifar"`.
            batch_size: Integer, the samples of a step, of which `r1_weight` and `ema_decay` are functions. Give `fit`
                data of that batch size. Defaults to `None`: that of `config`.
        """
        return cls.assemble(with_config(locals()))


def check_generator(generator):
    """Raises a `ValueError` unless a generator has a mapping and a synthesis network."""
    names = [layer.name for layer in getattr(generator, "layers", ())]
    missing = [name for name in ("mapping", "synthesis") if name not in names]
    if missing:
        raise ValueError(
            f"StyleGAN2 needs a generator with the layers 'mapping' and 'synthesis', such as that of "
            f"ganzoo.networks.stylegan2. Received: {generator.name}, which has no layer {missing[0]!r}."
        )


def synthesis_of(network):
    """The synthesis network of a generator."""
    return network.get_layer("synthesis")


def path_lengths(synthesis, styles, pixels):
    """||J^T y||_2, J the derivative of images by styles, y noise: Equation 4 of Karras et al., 2019.

        sqrt(mean over layers of ||d<G(w), y / sqrt(height * width)> / dw_layer||^2)

    Args:
        synthesis: Function, styles -> float32 images.
        styles: Float32 tensor `(batch, layers, style_dim)`.
        pixels: Float32 tensor `(batch, height, width, channels)` from N(0, 1).

    Returns:
        Float32 tensor `(batch,)`, differentiable.
    """
    height, width = pixels.shape[1:3]
    with tf.GradientTape() as tape, piecewise_linear():
        tape.watch(styles)
        product = tf.reduce_sum(synthesis(styles) * pixels) / (height * width) ** 0.5
    squares = tf.reduce_mean(tf.reduce_sum(tape.gradient(product, styles) ** 2, axis=2), axis=1)
    return tf.sqrt(squares + 1e-12)


def with_config(settings):
    """The settings of a `from_paper`, with those of its configuration in the place of `None`."""
    settings = {**settings}
    config = checks.choice("config", settings.pop("config"), tuple(RATES))
    batch_size = checks.integer("batch_size", settings.pop("batch_size"), least=1, optional=True)
    side = max(checks.sample_shape("image_shape", settings["image_shape"])[:2])
    own = settings_of_config(config, batch_size or (64 if config == "cifar" else 32), side)
    if settings["networks"] is not networks.stylegan2:  # Others have settings of their own.
        left_out = [name for name in OF_NETWORKS if settings[name] is None]
        settings, own = ({name: part[name] for name in part if name not in left_out} for part in (settings, own))
    return settings | {name: value for name, value in own.items() if settings[name] is None}


def settings_of_config(config, batch_size, side):
    """What a configuration means for a batch size and the side of an image."""
    cifar, auto = config == "cifar", config == "auto"
    rate = 2e-3 if auto and side >= 1024 else RATES[config]
    half_life = {"paper": 10_000, "auto": batch_size * 10_000 / 32, "cifar": 500_000}[config]
    adam = partial(Adam, rate, beta_1=0.0, beta_2=0.99)
    return {
        "base": 16384 if auto and side < 512 else 32768,
        "mapping_layers": 8 if config == "paper" else 2,
        "group_size": 32 if cifar else 4,
        "residual": not cifar,
        "mixing_probability": 0.0 if cifar else 0.9,
        "path_length_weight": 0.0 if cifar else 2.0,
        "r1_weight": {"paper": 10.0, "auto": 2e-4 * side**2 / batch_size, "cifar": 0.01}[config],
        "ema_decay": schedules.decay_of(half_life, batch_size),
        "generator_optimizer": adam,
        "discriminator_optimizer": adam,
    }
