"""Catalogue of training troubles, each with its signs, evidence, cause and advice.

A look at a model is a dictionary of numbers, its signs (see `VitalSigns.look`). A comparison with a missing sign is
false, so no trouble is suspected without evidence.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

# Whose learning rate to lower: all optimizers, or the network that has left the other behind.
ALL, GENERATOR, DISCRIMINATOR = "all", "generator_optimizer", "discriminator_optimizer"

SIGNS = (
    *("diversity", "distance", "change", "pinned", "pinned_real", "label_agreement", "label_floor"),
    *("slope", "push", "reach", "gap", "score_spread", "ignorance", "bounded", "d_loss", "learning_rate"),
)


@dataclasses.dataclass(frozen=True)
class Trouble:
    """A kind of trouble: how to recognize it, what to say about it, and what to do.

    Args:
        name: String, such as `"mode collapse"`.
        cause: String, likely causes, as the end of a sentence.
        advice: String, what to do, as the end of a sentence.
        is_suspected: Function `(signs)` -> boolean, whether a single look suggests the trouble. Missing signs are NaN.
            `None` for a trouble that looks do not show.
        evidence: Function `(first, before, last)` -> string, the numbers in words. The arguments are the first of all
            looks, the look before the looks that agree, and the last look. `None` if `is_suspected` is `None`.
        slow_down: String, the optimizer whose learning rate to lower, or `ALL`. `None` if lower rates do not help.
        refuted_by: Functions `(before, recent, looks)` -> boolean. If any is true, there is no trouble, although all
            recent looks suggest it.
        at_once: Boolean, whether to diagnose it before the end of the warm-up. Defaults to `False`.
    """

    name: str
    cause: str
    advice: str
    is_suspected: Callable | None = None
    evidence: Callable | None = None
    slow_down: str | None = None
    refuted_by: tuple = ()
    at_once: bool = False


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """A diagnosis of a training, with its evidence.

    Args:
        trouble: `Trouble`.
        step: Integer, the step (generator updates) at which it was seen.
        evidence: String, the numbers.
    """

    trouble: Trouble
    step: int
    evidence: str

    @property
    def name(self):
        """The name of the trouble, such as `"mode collapse"`."""
        return self.trouble.name

    def __str__(self):
        return (
            f"{self.name} at step {self.step:,}. {self.evidence} Likely cause: {self.trouble.cause} What to do: "
            f"{self.trouble.advice}"
        )


def suspicions(look):
    """The names of the troubles that a single look suggests, as a set."""
    signs = {**dict.fromkeys(SIGNS, np.nan), **look}
    return {trouble.name for trouble in TROUBLES if trouble.is_suspected(signs)}


# === Signs ===


def is_far(signs):
    """Whether samples are clearly apart from the data."""
    return signs["distance"] > 0.2


def is_frozen(signs):
    """Whether samples of the same latents have not moved."""
    return signs["change"] < 1e-4


def knowledge(signs):
    """The discriminator's loss, divided by its loss without knowledge. NaN for a loss without a lower bound."""
    return signs["d_loss"] / signs["ignorance"] if signs["bounded"] and signs["ignorance"] > 0 else np.nan


def is_unheard(signs):
    """Whether almost none of the slope of the scores passes through the loss to the generator."""
    return signs["bounded"] == 1 and signs["gap"] > 0 and signs["push"] < 1e-3 * signs["slope"]


def has_runaway_scores(signs):
    """Whether the scores are far steeper than the way to the data requires."""
    if signs["bounded"] == 0:
        return signs["slope"] > 10
    return signs["bounded"] == 1 and signs["reach"] > 1000 and not is_unheard(signs)


def has_pinned_pixels(signs):
    """Whether the pixels of samples are at +-1, while pixels of the data are not."""
    return is_far(signs) and signs["pinned"] > 0.97 and signs["pinned_real"] < 0.95


def has_winning_discriminator(signs):
    """Whether the discriminator tells all samples apart, so that the generator learns nothing."""
    is_sure = knowledge(signs) < 0.02 and not is_frozen(signs)
    return is_far(signs) and (is_sure or is_unheard(signs))


def has_frozen_samples(signs):
    """Whether bad samples do not change."""
    return is_far(signs) and is_frozen(signs)


def has_blind_discriminator(signs):
    """Whether the discriminator gives all samples the same score, although they are far from the data."""
    return is_far(signs) and abs(knowledge(signs) - 1) < 0.01 and signs["score_spread"] < 0.02


def has_narrow_samples(signs):
    """Whether samples are much less diverse than the data. Samples close to narrow data are fine."""
    return signs["diversity"] < 0.3 and signs["distance"] > 0.05


def has_meaningless_labels(signs):
    """Whether good samples have labels only by chance."""
    return signs["label_agreement"] < signs["label_floor"] and signs["distance"] < 0.1


# === Refutations ===


def comes_closer(before, recent, looks):
    """Whether samples have come closer to the data by a tenth."""
    return min(look["distance"] for look in recent) < 0.9 * before["distance"]


def spreads(before, recent, looks):
    """Whether samples have become more diverse by a fifth. Samples that are all alike, or too diverse, do not count."""
    return max(0.15, 1.2 * before["diversity"]) < recent[-1]["diversity"] < 1.5


def has_stopped_growing(before, recent, looks):
    """Whether the scores of an unbounded critic are steep but no longer grow, as with a wide clip."""
    return not recent[0]["bounded"] and recent[-1]["slope"] < 1.1 * before["slope"]


def is_past_its_schedule(before, recent, looks):
    """Whether the learning rate was lowered on purpose, as at the end of a training."""
    rates = [look["learning_rate"] for look in looks if "learning_rate" in look]
    return bool(rates) and rates[-1] < 0.05 * max(rates)


# === Evidence ===


def way(before, last):
    """How the distance from the data changed, in words."""
    return f"their distance from the data went from {before['distance']:.2g} to {last['distance']:.2g}"


def of_divergence(first, before, last):
    """The slope of the scores, then and now."""
    return (
        f"The slope of the discriminator's scores at the samples went from {first.get('slope', 0):.2g} at step "
        f"{first['step']:,} to {last['slope']:.3g}; over the way to the data that are {last['reach']:.3g}."
    )


def of_pinned_pixels(first, before, last):
    """The share of pixels at the ends of the range."""
    return f"{last['pinned']:.1%} of the samples' pixels are at +-1, of the data {last['pinned_real']:.1%}."


def of_a_winning_discriminator(first, before, last):
    """The discriminator's loss and the generator's gradient."""
    return (
        f"The discriminator's loss is {last['d_loss'] / last['ignorance']:.1g} times that of knowing nothing, and the "
        f"generator's gradient at the samples {last['push'] / last['slope']:.1g} times the score's. In "
        f"{last['step'] - before['step']:,} steps the samples have not improved: {way(before, last)}."
    )


def of_frozen_samples(first, before, last):
    """How far samples have moved."""
    return (
        f"Samples of the same latents have moved by {last['change']:.1g} of the distance between two real ones "
        f"since the last look, and so for {last['step'] - before['step']:,} steps."
    )


def of_a_blind_discriminator(first, before, last):
    """The range of the scores, and the loss."""
    return (
        f"The discriminator's scores of all samples lie within {last['score_spread']:.1g}, and its loss, "
        f"{last['d_loss']:.4g}, is that of knowing nothing, {last['ignorance']:.4g}; {way(before, last)}."
    )


def of_narrow_samples(first, before, last):
    """The diversity of samples, now and before."""
    return (
        f"Samples are {last['diversity']:.1%} as diverse as real ones (counted by the Vendi score), and were "
        f"{before['diversity']:.1%} {last['step'] - before['step']:,} steps ago."
    )


def of_meaningless_labels(first, before, last):
    """How often the nearest real sample has the requested label."""
    return (
        f"The real image that is the nearest to a sample has its label in {last['label_agreement']:.0%} of the cases, "
        f"which is no more than chance."
    )


# === The table ===

BAD_DATA = Trouble(
    name="bad data",
    cause="the pipeline: a wrong path, a division by 0, a missing normalization, a file that is broken.",
    advice="look at some batches of the dataset, and mend or drop these samples.",
)
GETTING_WORSE = Trouble(
    name="getting worse",
    cause="a training that has passed its best: an overfitting discriminator, or a slow divergence.",
    advice="take the best model so far (`Evaluate(best=...)`), lower the learning rates, add data or `DiffAugment`.",
    slow_down=ALL,
)
DIVERGED = Trouble(
    name="diverged",
    cause="a learning rate or a momentum that is too high, or a critic that nothing holds (no clipping, no penalty).",
    advice="lower both learning rates; keep the clipping or the gradient penalty of the model's paper.",
    is_suspected=has_runaway_scores,
    evidence=of_divergence,
    slow_down=ALL,
    refuted_by=(has_stopped_growing,),
    at_once=True,
)
SATURATED_GENERATOR = Trouble(
    name="saturated generator",
    cause="initial weights or a learning rate of the generator that are too high: beyond its tanh there is no "
    "gradient.",
    advice="take smaller initial weights in the last layer, or a smaller learning rate for the generator.",
    is_suspected=has_pinned_pixels,
    evidence=of_pinned_pixels,
    slow_down=ALL,
    refuted_by=(comes_closer, spreads),
)
SATURATED_DISCRIMINATOR = Trouble(
    name="saturated discriminator",
    cause="a discriminator that learns too fast for the generator, and leaves it without a gradient.",
    advice="lower its learning rate or `discriminator_steps`, or take a Wasserstein model, whose critic may win; "
    "`minimax=True` saturates where the default loss does not.",
    is_suspected=has_winning_discriminator,
    evidence=of_a_winning_discriminator,
    slow_down=DISCRIMINATOR,
    refuted_by=(comes_closer, spreads),
)
DEAD_DISCRIMINATOR = Trouble(
    name="dead discriminator",
    cause="a discriminator that gives all samples one score: a sigmoid at its end, where the losses want logits, dead "
    "rectifiers, or a learning rate that is too low or was too high.",
    advice="give the discriminator a linear last layer, leaky rectifiers, and another learning rate.",
    is_suspected=has_blind_discriminator,
    evidence=of_a_blind_discriminator,
    slow_down=ALL,
    refuted_by=(comes_closer, spreads),
)
FROZEN_GENERATOR = Trouble(
    name="frozen generator",
    cause="a learning rate of 0 (or a schedule that has reached it), an optimizer that skips its steps, layers that "
    "are not trainable, or weights so extreme that no gradient passes.",
    advice="print the generator's learning rate and `model.generator.trainable_variables`.",
    is_suspected=has_frozen_samples,
    evidence=of_frozen_samples,
    refuted_by=(is_past_its_schedule,),
)
MODE_COLLAPSE = Trouble(
    name="mode collapse",
    cause="a generator that learns too fast for the discriminator, or a discriminator that cannot see that samples "
    "are alike.",
    advice="lower the generator's learning rate, use `packing=2` or `discriminator_steps=2`, or another model: WGAN-GP "
    "or R3GAN.",
    is_suspected=has_narrow_samples,
    evidence=of_narrow_samples,
    slow_down=GENERATOR,
    refuted_by=(spreads,),
)
LABELS_IGNORED = Trouble(
    name="labels ignored",
    cause="labels that were shuffled, or have lost their images on the way; or a discriminator that is deaf to them.",
    advice='look at some images with their labels; then try `conditioning="projection"`.',
    is_suspected=has_meaningless_labels,
    evidence=of_meaningless_labels,
)

# Looks are judged in this order. The first match is the diagnosis, because later troubles may follow from it.
TROUBLES = (
    DIVERGED,
    SATURATED_GENERATOR,
    SATURATED_DISCRIMINATOR,
    DEAD_DISCRIMINATOR,
    FROZEN_GENERATOR,
    MODE_COLLAPSE,
    LABELS_IGNORED,
)
