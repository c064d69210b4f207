"""The density ratio of a discriminator: how much likelier a sample is under the data than under the generator."""

import dataclasses

import numpy as np
import scipy.optimize
import tensorflow as tf
from scipy.special import expit

from ganzoo import checks
from ganzoo.latent.space import check_model, samples_of
from ganzoo.progress import track

METHODS = ("logistic", "isotonic")


@dataclasses.dataclass(frozen=True)
class Calibration:
    """A map from a discriminator's scores to log p_data / p_generator.

    Args:
        slope, intercept: Floats of the logistic map, or `None`.
        knots, values: Float arrays of the isotonic map, which is linear between its knots, or `None`.
    """

    slope: float | None = None
    intercept: float | None = None
    knots: np.ndarray | None = None
    values: np.ndarray | None = None

    def log_ratio(self, scores):
        """log p_data / p_generator of scores, as an array."""
        scores = np.asarray(scores, "float64")
        if self.knots is None:
            return self.slope * scores + self.intercept
        return np.interp(scores, self.knots, self.values)

    def probability(self, scores):
        """The probability that a sample is real, if half of all samples are real."""
        return expit(self.log_ratio(scores))


def calibrate(real, fake, method="logistic"):
    """Fits the map from scores to the log density ratio, on samples that the discriminator was not trained on.

    A discriminator is over-confident on its training samples, and the score of a Wasserstein critic is not a logit.
    Real and generated samples have the same total weight, whatever their numbers.

    - `"logistic"` fits a line in the score by maximum likelihood (Platt's scaling). It has a gradient.
    - `"isotonic"` fits any ratio that rises with the score, by pooling adjacent violators.

    Reference: [Turner et al., 2018](https://arxiv.org/abs/1811.11357), Section 3.2,
    [Niculescu-Mizil & Caruana, 2005](https://doi.org/10.1145/1102351.1102430), Sections 2 and 3.

    Args:
        real: Float array `(samples,)`, scores of held-out real samples.
        fake: Float array `(samples,)`, scores of generated samples.
        method: `"logistic"` (the default) or `"isotonic"`.

    Returns:
        `Calibration`.

    Raises:
        ValueError: With fewer than two scores of a kind, or scores that are not finite or all equal.

    Example:

    >>> calibration = ganzoo.latent.calibrate(scores_of_test_images, scores_of_samples)
    >>> calibration.probability(0.3)
    """
    method = checks.choice("method", method, METHODS)
    real, fake = (checks.array(name, x, "float64").ravel() for name, x in (("real", real), ("fake", fake)))
    scores = np.concatenate([real, fake])
    if min(len(real), len(fake)) < 2 or not np.isfinite(scores).all() or scores.std() == 0:
        raise ValueError(
            "A calibration needs two or more finite scores of each kind, not all equal. Received: "
            f"{len(real)} real, {len(fake)} fake"
        )
    weights = np.concatenate([np.full(len(x), 0.5 / len(x)) for x in (real, fake)])
    if method == "logistic":
        return Calibration(*logistic(scores, weights, len(real), len(fake)))
    return Calibration(None, None, *isotonic(scores, weights, len(real), len(fake)))


def logistic(scores, weights, real, fake):
    """Slope and intercept of the log ratio."""
    # Platt's targets act as if there was a further sample of the other kind. With targets of 0 and 1, scores that
    # separate the two kinds would drive the slope to infinity.
    targets = np.concatenate([np.full(real, (real + 1) / (real + 2)), np.full(fake, 1 / (fake + 2))])
    centre, scale = scores.mean(), scores.std()
    inputs = np.stack([(scores - centre) / scale, np.ones(len(scores))])

    def loss(line):
        logits = line @ inputs
        errors = weights * (expit(logits) - targets)
        return np.sum(weights * (np.logaddexp(0, logits) - targets * logits)), inputs @ errors

    line = scipy.optimize.minimize(loss, np.zeros(2), jac=True, method="BFGS", options={"gtol": 1e-10}).x
    return float(line[0] / scale), float(line[1] - line[0] * centre / scale)


def isotonic(scores, weights, real, fake):
    """Knots and values of the log ratio."""
    knots, places = np.unique(scores, return_inverse=True)
    mass = np.bincount(places, weights)
    share = np.bincount(places[:real], weights[:real], len(knots)) / mass
    fitted = scipy.optimize.isotonic_regression(share, weights=mass).x
    # Half a sample more of the other kind: a share of 0 or 1 would give an infinite log ratio.
    least, most = 0.5 / (fake + 1), 1 - 0.5 / (real + 1)
    fitted = np.clip(fitted, min(least, 0.5), max(most, 0.5))
    return knots, np.log(fitted) - np.log1p(-fitted)


# Added to the seed, so that the calibration does not draw the samples that `generate` makes with the same seed.
OF_CALIBRATION = 2**62


class DensityRatio:
    """The density ratio of data and generator, by a model's discriminator and a calibration on held-out images.

        log p_data(x) / p_generator(x) = calibrated score of x

    Rejection of samples needs it. It is exact for the best possible discriminator.

    Args:
        model: Adversarial model with latents and scores.
        held_out: Real samples `(count, ...)` in [-1, 1] or uint8, which the discriminator was not trained on.
        method: `"logistic"` (the default) or `"isotonic"`, as in `calibrate`.
        seed: Integer, the seed of the generated samples, as many as held-out samples. They differ from
            `generate(seed=seed)`, whose samples you may want to judge later. Defaults to `0`.
        condition: The held-out samples' conditions, for a conditional model. Defaults to `None`.
        batch_size: Integer. Defaults to `250`.

    Attributes:
        calibration: `Calibration`.
        real, fake: Float arrays, log ratios of the held-out and of the generated samples.

    Raises:
        ValueError: If the model has no discriminator with scores of single samples.

    Example:

    >>> ratio = ganzoo.latent.DensityRatio(model, held_out_images)
    >>> drawn = ganzoo.latent.reject(model, 64, ratio)
    """

    def __init__(self, model, held_out, method="logistic", seed=0, condition=None, batch_size=250):
        check_judge(model)
        self.model = model
        self.batch_size = checks.integer("batch_size", batch_size, least=1)
        held_out = samples_of(model, "held_out", held_out, least=2)
        self._score = tf.function(self.score, reduce_retracing=True, autograph=False)
        real = self.scores(held_out, condition)
        others = (checks.check_seed(seed) + OF_CALIBRATION) % 2**63
        generated = model.generate(len(held_out), seed=others, condition=condition, batch_size=self.batch_size)
        fake = self.scores(generated, condition)
        self.calibration = calibrate(real, fake, method)
        self.real, self.fake = self.calibration.log_ratio(real), self.calibration.log_ratio(fake)

    def score(self, samples, condition=None):
        """The discriminator's score of each sample of a batch: float32 tensor `(batch,)`."""
        scores = self.model.critic(condition, training=False)(samples)
        return tf.reduce_mean(tf.reshape(scores, [tf.shape(samples)[0], -1]), axis=1)

    def scores(self, samples, condition=None):
        """The discriminator's score of each sample, as an array. Samples are in [-1, 1], or uint8."""
        samples = samples_of(self.model, "samples", samples)
        count, condition = self.model.conditions.for_samples(condition, len(samples))
        condition = self.model.conditions.cast(condition)
        found = []
        starts = range(0, count, self.batch_size)
        for start in track(starts, len(starts), "Scoring, batches"):
            part = slice(start, start + self.batch_size)
            of_part = self.model.conditions.map(lambda kind, value, part=part: value[part], condition)
            found.append(self._score(tf.constant(samples[part], "float32"), of_part).numpy())
        return np.concatenate(found)

    def log_ratio(self, samples, condition=None):
        """log p_data / p_generator of each sample, as an array."""
        return self.calibration.log_ratio(self.scores(samples, condition))

    def differentiable(self, samples, condition=None):
        """The log ratio as a tensor that gradients pass through. Needs the logistic calibration."""
        if self.calibration.slope is None:
            raise ValueError("An isotonic calibration has steps and no gradient. Take DensityRatio(method='logistic').")
        return self.calibration.slope * self.score(samples, condition) + self.calibration.intercept


def check_judge(model):
    """Raises an error unless a model's discriminator scores single samples."""
    check_model(model)
    if not hasattr(model, "critic"):
        raise ValueError(f"`model` must have a discriminator. Received: {type(model).__name__}")
    if model.reconstructs:
        raise ValueError(f"The discriminator of {type(model).__name__} reconstructs images and gives no scores.")
    if model.packing > 1:
        raise ValueError(
            f"The discriminator judges packs of {model.packing} samples together, not single ones: it has no density "
            "ratio. Train with packing=1."
        )
