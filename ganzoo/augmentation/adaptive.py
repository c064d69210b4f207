"""ADA: random augmentations whose probability adapts to the discriminator's overfitting."""

import keras
import tensorflow as tf

from ganzoo import checks
from ganzoo.augmentation.color import color_transformations, recolored
from ganzoo.augmentation.geometry import general_transformations, pixel_blitting, resample
from ganzoo.augmentation.matrices import combined

BLIT, GEOMETRY, COLOR = 7, 11, 10


@keras.saving.register_keras_serializable("ganzoo")
class ADA(keras.layers.Layer):
    """Adaptive discriminator augmentation of Karras et al., for training on few images.

    A discriminator that memorises its training set scores real images ever higher, and its gradient teaches the
    generator nothing. ADA shows it changed images instead, both real and generated, as `DiffAugment` does. Each
    transformation happens with a probability p, separately for each image. p itself follows the overfitting: it grows
    while the discriminator is sure of the real images, and falls otherwise.

        r_t = E[sign(D(T(x)))]                                                            (Equation 1)
        p  <- clip(p + sign(r_t - target) * images / adjustment_images, 0, 1), every `interval` steps

    The mean is over the real images of these steps. While p stays below about 0.8, the changes do not leak into the
    generated images. The discriminator would notice a generator that made them itself (Section 2.2).

    The pipeline is "bgc" of Appendix B, column by column. Each N is a new draw from N(0, 1):

    | `blit` | `geometry` | `color` |
    |---|---|---|
    | x-flip, in half of the cases | scaling by 2^(0.2 N) | brightness + 0.2 N |
    | 0 to 3 quarter turns | rotation by any angle | contrast times 2^(0.5 N) |
    | shift by whole pixels, up to 1/8 of a side | scaling by s = 2^(0.2 N) and 1/s | luma flip, in half of the cases |
    | | rotation by any angle | hue rotation by any angle |
    | | shift by 0.125 N of a side | saturation times 2^N |

    The luma flip changes the sign of the mean of the channels. Each of the two rotations happens with probability 1 -
    sqrt(1 - p), so at least one happens with probability p. An image without any transformation stays the same bit for
    bit. All transformations are differentiable in the images.

    `model.augmentation.p` is the current probability. It changes only in training, never in `evaluate`, and is saved
    with the model. A `schedule` sets it from the number of steps alone. Each model needs its own `ADA`.

    Reference: [Karras et al., 2020](https://arxiv.org/abs/2006.06676), Sections 2 and 3, Appendix B.

    Departures from the paper:

    - Resampling. As in the paper, all geometry is a single matrix and a single resampling, with the picture reflected
      at its borders. The paper enlarges and reduces with an orthogonal wavelet, sym6. Here the image is enlarged twice
      with a Lanczos kernel of three lobes and read by bilinear interpolation, which reads a quarter of the values.
      Flips, quarter turns and whole shifts copy the pixels exactly. A pattern at three quarters of the highest
      frequency keeps 70 % of its amplitude at the worst place between two pixels (38 % without the enlargement). There
      is no filter before a reduction, so shrunken images show a little aliasing, real and generated alike.
    - Real and generated samples of an update share their numbers, position by position, as in `DiffAugment`.
    - Grey images have no hue and no saturation, and the luma flip gives their negative. Images of two channels, or of
      more than three, have no hue.

    r_t needs a discriminator whose positive scores mean "real", as in `GAN`, `DCGAN` or `SNGAN`. The scores of a
    Wasserstein critic have no zero point. There, fix p with `ADA(adjustment_images=None, initial=0.3)`.

    Args:
        target: Float in [-1, 1], the target of r_t. Defaults to `0.6`.
        interval: Integer, training steps between changes of p. Defaults to `4`.
        adjustment_images: Float, number of real images in which p can go from 0 to 1. Defaults to `500_000`. The paper
            uses 100,000 for transfer learning. `None` fixes p at `initial`.
        initial: Float in [0, 1], the initial p. Defaults to `0.0`.
        schedule: Schedule of p over the training steps, which replaces the adaptation: R3GAN uses
            `ganzoo.training.schedules.Cosine(0.0, 0.55, total_steps)`. Defaults to `None`.
        blit: Boolean, whether to flip images, turn them by quarters and shift them by whole pixels. Defaults to `True`.
        geometry: Boolean, whether to scale, rotate and shift images by any amount. Defaults to `True`.
        color: Boolean, whether to change colours. Defaults to `True`.
        **kwargs: `name`, as for any `keras.layers.Layer`.

    Raises:
        ValueError: If an argument is out of its range, if all three groups are off, or if a side of the images has a
            single pixel.

    Example:

    >>> gan = ganzoo.DCGAN.from_paper(image_shape=(28, 28, 1), augmentation=ganzoo.augmentation.ADA())
    >>> constant = ganzoo.augmentation.ADA(adjustment_images=None, initial=0.3)
    """

    # Random numbers per sample. A group that is off also takes its numbers, so that the others do not change.
    numbers = BLIT + GEOMETRY + COLOR

    def __init__(
        self,
        target=0.6,
        interval=4,
        adjustment_images=500_000,
        initial=0.0,
        schedule=None,
        blit=True,
        geometry=True,
        color=True,
        **kwargs,
    ):
        super().__init__(**{"dtype": "float32", "trainable": False, **kwargs})
        self.target = checks.number("target", target, least=-1, most=1)
        self.interval = checks.integer("interval", interval, least=1)
        self.adjustment_images = checks.number("adjustment_images", adjustment_images, above=0, optional=True)
        self.initial = checks.number("initial", initial, least=0, most=1)
        self.schedule = check_schedule(schedule)
        self.blit = checks.boolean("blit", blit)
        self.geometry = checks.boolean("geometry", geometry)
        self.color = checks.boolean("color", color)
        if not (blit or geometry or color):
            raise ValueError("ADA has nothing to do with blit=False, geometry=False and color=False. Leave it out.")
        self.p = self._state("p", self.initial if schedule is None else float(self.schedule(0)))
        # Totals since the last change of p.
        self.signs = self._state("signs", 0.0)
        self.images = self._state("images", 0.0)
        self.steps = self._state("steps", 0.0)
        self.built = True

    def _state(self, name, value):
        return self.add_weight(
            shape=(),
            dtype="float32",
            initializer=keras.initializers.Constant(value),
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
            name=name,
        )

    def call(self, images, numbers):
        """Augments each image with its own numbers.

        Args:
            images: Float32 tensor `(batch, height, width, channels)` in [-1, 1].
            numbers: Float32 tensor `(batch, 28)` in [0, 1), from `model.uniform((batch, 28))`.

        Returns:
            Tensor of the shape of `images`. The colours may leave [-1, 1].
        """
        height, width, channels = images.shape[1:]
        if min(height, width) < 2:
            raise ValueError(f"ADA takes images of at least 2x2 pixels. Received: shape {images.shape}")
        p = tf.convert_to_tensor(self.p)
        numbers = tf.unstack(numbers, self.numbers, axis=1)
        blit, geometry, color = numbers[:BLIT], numbers[BLIT:-COLOR], numbers[-COLOR:]
        moves = pixel_blitting(blit, p, height, width) if self.blit else []
        moves += general_transformations(geometry, p, height, width) if self.geometry else []
        if moves:
            images = changed(images, resample, *combined(moves, 3))
        if self.color:
            steps = color_transformations(color, p, channels)
            images = changed(images, recolored, *combined(steps, channels + 1))
        return images

    def after_step(self, values, images_seen):
        """Updates p after a training step, on every `interval`-th call.

        Args:
            values: Dictionary of the step's values. `real_sign` is the mean sign of the scores of real images.
            images_seen: Integer or tensor, real images of the step on all replicas.

        Raises:
            ValueError: If `real_sign` is missing, or if p was made outside of the training strategy.
        """
        if self.schedule is not None:
            self._check_scope()
            self.steps.assign_add(1.0)
            self.p.assign(tf.clip_by_value(self.schedule(tf.convert_to_tensor(self.steps)), 0.0, 1.0))
            return
        if self.adjustment_images is None:
            return
        self._check_step(values)
        count = tf.cast(images_seen, "float32")
        signs = self.signs + count * tf.cast(values["real_sign"], "float32")
        images, steps = self.images + count, self.steps + 1.0
        direction = tf.sign(signs / images - self.target)
        moved = tf.clip_by_value(self.p + direction * (images / self.adjustment_images), 0.0, 1.0)
        due = steps >= self.interval
        self.p.assign(tf.where(due, moved, self.p))
        for total, value in ((self.signs, signs), (self.images, images), (self.steps, steps)):
            total.assign(tf.where(due, 0.0, value))

    def _check_step(self, values):
        if "real_sign" not in values:
            raise ValueError(
                "ADA moves p by the signs of the scores of real images, `real_sign`, and this model's loss does not "
                f"score them. Received: {sorted(values)}. Fix p: ADA(adjustment_images=None, initial=0.3)."
            )
        self._check_scope()

    def _check_scope(self):
        if not tf.distribute.get_strategy().extended.variable_created_in_scope(self.p.value):
            raise ValueError("ADA has state, and each replica needs it. Make it inside of the strategy's scope.")

    def get_config(self):
        names = ("target", "interval", "adjustment_images", "initial", "blit", "geometry", "color")
        schedule = None if self.schedule is None else keras.saving.serialize_keras_object(self.schedule)
        return {**super().get_config(), **{name: getattr(self, name) for name in names}, "schedule": schedule}


def check_schedule(schedule):
    """Returns a schedule of p, also from its config, or `None`."""
    if isinstance(schedule, dict):
        schedule = keras.saving.deserialize_keras_object(schedule)
    if schedule is not None and not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        wanted = "a schedule, such as ganzoo.training.schedules.Cosine(0.0, 0.55, 10_000)"
        raise checks.refusal("schedule", schedule, wanted, optional=True)
    return schedule


def changed(images, function, matrices, touched):
    """Applies `function(images, matrices)` to the touched images, and keeps the others bit for bit."""
    return tf.where(touched[:, None, None, None], function(images, matrices), images)
