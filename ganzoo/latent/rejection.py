"""Better samples from the same generator, with the help of its discriminator."""

import dataclasses

import numpy as np
import tensorflow as tf
from scipy.special import expit

from ganzoo import checks
from ganzoo.density import hmc
from ganzoo.latent.ratio import DensityRatio, check_judge
from ganzoo.latent.space import rows_of
from ganzoo.progress import Progress
from ganzoo.sampling import SeededNumbers

MOST_ROUNDS = 10_000
LEAST_ACCEPTANCE = 1e-5


@dataclasses.dataclass(frozen=True)
class Drawn:
    """Samples that a discriminator has chosen or moved.

    Args:
        latents: Array `(num_samples, ...)`.
        images: Float32 array `(num_samples, ...)` in [-1, 1].
        acceptance: Float, the share of the proposals that were accepted.
        restarted: Float, the share of chains that never moved and ran again. Defaults to `0.0`.
    """

    latents: np.ndarray
    images: np.ndarray
    acceptance: float
    restarted: float = 0.0


# === Discriminator rejection sampling ===


def acceptance_probability(log_ratios, log_maximum, gamma=0.0):
    """The probability that rejection sampling keeps a sample.

        p = ratio / maximum for gamma = 0;   in general p = s(F - gamma),   F = log p / (1 - p),   s the sigmoid

    Reference: [Azadi et al., 2018](https://arxiv.org/abs/1810.06758), Equations 7 and 8.

    Args:
        log_ratios: Float array, log p_data / p_generator of each sample.
        log_maximum: Float, logarithm of the largest ratio. If a ratio is larger, the probability is 1.
        gamma: Float. Above 0 it keeps fewer and better samples, below 0 more samples. Defaults to `0.0`: the accepted
            samples have the distribution of the data, if the ratios are right.

    Returns:
        Float array of the same shape.

    Example:

    >>> ganzoo.latent.acceptance_probability(np.log([2.5, 1.0, 0.4]), np.log(2.5))  # [1., 0.4, 0.16]
    """
    gamma, log_maximum = checks.number("gamma", gamma), checks.number("log_maximum", log_maximum)
    below = np.minimum(checks.array("log_ratios", log_ratios, "float64") - log_maximum, 0.0)
    if gamma == 0:
        return np.exp(below)
    with np.errstate(divide="ignore"):
        return expit(below - np.log(-np.expm1(below)) - gamma)


def reject(model, num_samples, ratio, gamma=0.0, log_maximum=None, seed=0, condition=None, batch_size=250):
    """Discriminator rejection sampling: keeps each sample with a probability that depends on its density ratio.

    If the ratios are right and the generator can make all of the data, the kept samples have the distribution of the
    data. The price is the number of samples that it throws away.

    Reference: [Azadi et al., 2018](https://arxiv.org/abs/1810.06758), Algorithm 1.

    Departures from the paper: the maximum comes from the calibration's samples and does not rise on the way, so all
    samples pass the same test. gamma is a constant, not a percentile of F in each batch, and log(1 - p) needs no small
    constant. The samples depend on the seed, on `num_samples` and on `batch_size`.

    Args:
        model: Adversarial model with latents.
        num_samples: Integer, the number of samples to keep.
        ratio: `DensityRatio` of the model.
        gamma: Float, as in `acceptance_probability`. Defaults to `0.0`.
        log_maximum: Float. Defaults to `None`: the largest log ratio of the generated samples of `ratio`.
        seed: Integer. Defaults to `0`.
        condition: As in `generate`. Defaults to `None`.
        batch_size: Integer. Defaults to `250`.

    Returns:
        `Drawn`.

    Raises:
        ValueError: If the model has no scores of single samples, or would keep less than one of 100,000 samples.
        RuntimeError: If samples are still missing after 10,000 rounds. A round draws at least one for each.

    Example:

    >>> images = ganzoo.latent.reject(model, 64, ganzoo.latent.DensityRatio(model, held_out)).images
    """
    check_ratio(model, ratio)
    num_samples, conditions = model.conditions.for_samples(condition, num_samples)
    (batch_size,) = checks.counts(batch_size=batch_size)
    gamma = checks.number("gamma", gamma)
    highest = float(np.max(ratio.fake)) if log_maximum is None else checks.number("log_maximum", log_maximum)
    expected = float(np.mean(acceptance_probability(ratio.fake, highest, gamma)))
    if expected < LEAST_ACCEPTANCE:
        raise ValueError(
            f"One sample in {1 / max(expected, 1e-300):.2g} would be kept, with log_maximum={highest:g} and "
            f"gamma={gamma:g}. Lower one of them, or use `metropolis_hastings` or `langevin`."
        )
    numbers = SeededNumbers(checks.check_seed(seed))
    wanted, drawn = np.arange(num_samples), 0
    latents = samples = None
    progress = Progress("Rejection sampling, samples", num_samples)
    for _ in range(MOST_ROUNDS):
        # A round for the last few costs as much as for many. So fill the batch, and keep the first accepted of each.
        rows = np.resize(wanted, max(len(wanted), min(batch_size, 4 * num_samples)))
        proposed = np.asarray(model.prior(numbers, len(rows)))
        thresholds = np.asarray(numbers.uniform((len(rows), 1)))[:, 0]
        given = rows_of(model, conditions, rows)
        made = model.generate(latents=proposed, condition=given, batch_size=batch_size)
        accepted = thresholds < acceptance_probability(ratio.log_ratio(made, given), highest, gamma)
        if latents is None:
            latents, samples = (np.empty((num_samples, *x.shape[1:]), x.dtype) for x in (proposed, made))
        kept, places = np.unique(rows[accepted], return_index=True)
        places = np.flatnonzero(accepted)[places]
        latents[kept], samples[kept] = proposed[places], made[places]
        drawn = drawn + np.array([accepted.sum(), len(rows)])
        for _ in kept:
            progress.advance()
        wanted = np.setdiff1d(wanted, kept)
        if not len(wanted):
            return Drawn(latents, samples, float(drawn[0] / drawn[1]))
    raise RuntimeError(
        f"Rejection sampling kept {num_samples - len(wanted)} of {num_samples} samples after {drawn[1]:,} proposals. "
        f"Lower gamma (now {gamma:g}), which keeps more."
    )


# === Metropolis-Hastings ===


def chains(log_ratios, thresholds, first):
    """Independence Metropolis-Hastings: finds the last accepted proposal of each chain.

        accept x' with the probability min(1, (1/D(x) - 1) / (1/D(x') - 1)) = min(1, ratio(x') / ratio(x))

    Args:
        log_ratios: Float array `(chains, steps)`, log ratios of the proposals.
        thresholds: Float array of the same shape, from U(0, 1).
        first: Float array `(chains,)`, log ratios at the beginning of the chains.

    Returns:
        Integer array `(chains,)`, the index of the proposal, or -1 for a chain that did not move. Also the share of
        accepted proposals.

    Example:

    >>> ganzoo.latent.chains(np.log([[1.0, 4.0, 0.5]]), np.full((1, 3), 0.5), np.log([1.0]))  # ([1], 0.667)
    """
    log_ratios, thresholds = (np.asarray(x, "float64") for x in (log_ratios, thresholds))
    current = np.array(first, "float64")
    if log_ratios.ndim != 2 or thresholds.shape != log_ratios.shape or current.shape != log_ratios.shape[:1]:
        raise ValueError(
            "`log_ratios` and `thresholds` must be (chains, steps), and `first` (chains,). Received: shapes "
            f"{log_ratios.shape}, {thresholds.shape} and {current.shape}"
        )
    places, accepted = np.full(len(current), -1), 0
    for step, (proposed, threshold) in enumerate(zip(log_ratios.T, thresholds.T)):
        moves = threshold < np.exp(np.minimum(proposed - current, 0.0))
        current, places = np.where(moves, proposed, current), np.where(moves, step, places)
        accepted += moves.sum()
    return places, float(accepted / max(1, log_ratios.size))


def metropolis_hastings(model, num_samples, ratio, steps=100, seed=0, condition=None, batch_size=250):
    """MH-GAN: a chain for each sample, which steps from sample to sample of the generator.

    With right ratios the chain has the distribution of the data. Unlike rejection, it needs no maximum of the ratio.
    Samples after few steps are not exact. A chain begins at the ratio of a held-out real image, of any class, so it has
    the right distribution from the beginning. A chain that never moved runs again, with new numbers, from a generated
    sample. `Drawn.restarted` is the share of these chains. If it is not small, take more steps.

    Reference: [Turner et al., 2018](https://arxiv.org/abs/1811.11357), Algorithm 1.

    Args:
        model: Adversarial model with latents.
        num_samples: Integer, the number of chains.
        ratio: `DensityRatio` of the model.
        steps: Integer, proposals of a chain. Defaults to `100`.
        seed: Integer. Defaults to `0`.
        condition: As in `generate`. Defaults to `None`.
        batch_size: Integer. Defaults to `250`.

    Returns:
        `Drawn`.

    Raises:
        ValueError: If the model has no scores of single samples.

    Example:

    >>> images = ganzoo.latent.metropolis_hastings(model, 64, ratio).images
    """
    check_ratio(model, ratio)
    num_samples, conditions = model.conditions.for_samples(condition, num_samples)
    (batch_size,) = checks.counts(batch_size=batch_size)
    steps = checks.integer("steps", steps, least=1, most=100_000)
    numbers = SeededNumbers(checks.check_seed(seed))
    begins = np.asarray(numbers.uniform((num_samples, 1)))[:, 0]
    first = ratio.real[np.minimum((begins * len(ratio.real)).astype("int64"), len(ratio.real) - 1)]

    def proposed(rows):
        """Proposals of some chains, with their ratios and the thresholds of their tests."""
        given = rows_of(model, conditions, rows)
        proposals = np.stack([np.asarray(model.prior(numbers, len(rows))) for _ in range(steps)])
        ratios = np.empty((len(rows), steps))
        progress = Progress("Metropolis-Hastings, steps", steps)
        for step, latents in enumerate(proposals):
            made = model.generate(latents=latents, condition=given, batch_size=batch_size)
            ratios[:, step] = ratio.log_ratio(made, given)
            progress.advance()
        return proposals, ratios, np.asarray(numbers.uniform((len(rows), steps)))

    rows = np.arange(num_samples)
    proposals, ratios, thresholds = proposed(rows)
    places, acceptance = chains(ratios, thresholds, first)
    latents, still = proposals[places, rows], np.flatnonzero(places < 0)
    if len(still):
        proposals, ratios, thresholds = proposed(still)
        places, _ = chains(ratios[:, 1:], thresholds[:, 1:], ratios[:, 0])
        latents[still] = proposals[places + 1, np.arange(len(still))]
    samples = model.generate(latents=latents, condition=conditions, batch_size=batch_size)
    return Drawn(latents, samples, acceptance, len(still) / num_samples)


# === Langevin dynamics in the latents ===


def langevin(model, num_samples, ratio, steps=200, step_size=0.1, seed=0, condition=None, batch_size=250):
    """Discriminator-driven latent sampling (DDLS): moves latents until the discriminator finds their samples real.

        E(z) = ||z||^2 / 2 - log p_data / p_generator (G(z)),    z <- z - e/2 grad E + sqrt(e) n,   n ~ N(0, I)

    A test follows each step, as in Hamiltonian Monte Carlo with a single leapfrog step. So the chains tend to exp(-E)
    for any step size. The step size adapts itself slowly. If the first `step_size` is small, few steps move the latents
    too little, with an acceptance near 1.

    Reference: [Che et al., 2020](https://arxiv.org/abs/2003.06060), Algorithm 1.

    Departures from the paper: the test of Metropolis and Hastings. Without it the step size biases the distribution.

    Args:
        model: Adversarial model with latents from N(0, I).
        num_samples: Integer, the number of chains.
        ratio: `DensityRatio` of the model, with a logistic calibration.
        steps: Integer. Defaults to `200`.
        step_size: Float, sqrt(e) at the start. Defaults to `0.1`.
        seed: Integer. Defaults to `0`.
        condition: As in `generate`. Defaults to `None`.
        batch_size: Integer, chains at once. Defaults to `250`.

    Returns:
        `Drawn`.

    Raises:
        ValueError: If the latents are not from N(0, I), or the ratio has no gradient.

    Example:

    >>> images = ganzoo.latent.langevin(model, 64, ratio).images
    """
    check_ratio(model, ratio)
    check_normal(model)
    num_samples, conditions = model.conditions.for_samples(condition, num_samples)
    (batch_size,) = checks.counts(batch_size=batch_size)
    steps = checks.integer("steps", steps, least=1, most=hmc.MOST)
    step_size = checks.check_positive("step_size", step_size)
    # Raises an error now, and not within the graph, if the ratio has no gradient.
    ratio.differentiable(tf.zeros((1, *model.image_shape)), rows_of(model, conditions, [0]))
    shape = model.latent_shape
    numbers = SeededNumbers(checks.check_seed(seed))

    @tf.function(reduce_retracing=True, autograph=False)
    def run(start, momenta, thresholds, condition):
        def log_prob(positions):
            latents = tf.reshape(positions, [-1, *shape])
            samples = model.apply_generator(model.sampling_generator, latents, condition, False)
            return ratio.differentiable(samples, condition) - 0.5 * tf.reduce_sum(positions**2, axis=1)

        return hmc.sample(
            *(log_prob, start, step_size, lambda shape: momenta, lambda shape: thresholds),
            burn_in=steps - 1,
            leapfrog_steps=1,
            target_acceptance=0.574,
        )

    found, acceptance = [], []
    starts = range(0, num_samples, batch_size)
    progress = Progress("Langevin dynamics, batches", len(starts))
    for start in starts:
        rows = np.arange(start, min(start + batch_size, num_samples))
        position = tf.reshape(model.prior(numbers, len(rows)), [len(rows), -1])
        momenta = numbers.normal((len(rows), steps * position.shape[1]))
        thresholds = numbers.uniform((len(rows), steps))
        draws = run(position, momenta, thresholds, model.conditions.cast(rows_of(model, conditions, rows)))
        found.append(draws.samples[-1].numpy())
        acceptance.append(float(draws.acceptance))
        progress.advance()
    latents = np.concatenate(found).reshape(num_samples, *shape)
    samples = model.generate(latents=latents, condition=conditions, batch_size=batch_size)
    return Drawn(latents, samples, float(np.mean(acceptance)))


def check_ratio(model, ratio):
    """Raises an error unless a ratio belongs to the model."""
    check_judge(model)
    if not isinstance(ratio, DensityRatio) or ratio.model is not model:
        raise ValueError(
            "`ratio` must be the density ratio of this model: ganzoo.latent.DensityRatio(model, held_out). Received: "
            f"ratio={checks.shown(ratio)}"
        )


def check_normal(model):
    """Raises a `ValueError` unless the latents of a model are from N(0, I)."""
    drawn = np.asarray(model.prior(SeededNumbers(0), 2))
    normal = np.asarray(SeededNumbers(0).normal((2, *model.latent_shape)))
    if drawn.dtype != normal.dtype or not np.array_equal(drawn, normal):
        raise ValueError(
            f"`langevin` moves latents of N(0, I). {type(model).__name__} draws them by another law. Use `reject` or "
            "`metropolis_hastings`, which take any."
        )
