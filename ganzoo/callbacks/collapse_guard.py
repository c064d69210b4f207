"""A guard that tells a dying training from a living one, says why, and can go back."""

import dataclasses
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ganzoo import records
from ganzoo.callbacks.checkpoint import Checkpoint
from ganzoo.health.vital_signs import VitalSigns
from ganzoo.training import feed

BAD_DATA = "bad data"
DIVERGED = "diverged"
SATURATED_GENERATOR = "saturated generator"
SATURATED_DISCRIMINATOR = "saturated discriminator"
FROZEN_GENERATOR = "frozen generator"
DEAD_DISCRIMINATOR = "dead discriminator"
MODE_COLLAPSE = "mode collapse"
LABELS_IGNORED = "labels ignored"
GETTING_WORSE = "getting worse"

# What lower learning rates, from a better state on, may cure. Looks are judged in this order: the first one that holds
# is the diagnosis, for the later ones may be its consequences.
CURABLE = (DIVERGED, SATURATED_GENERATOR, SATURATED_DISCRIMINATOR, DEAD_DISCRIMINATOR, MODE_COLLAPSE, GETTING_WORSE)
ORDER = (
    DIVERGED,
    SATURATED_GENERATOR,
    SATURATED_DISCRIMINATOR,
    DEAD_DISCRIMINATOR,
    FROZEN_GENERATOR,
    MODE_COLLAPSE,
    LABELS_IGNORED,
)
# Those that are judged from the first step on, and those that samples refute which become better.
AT_ONCE = (DIVERGED,)
REFUTED_BY_PROGRESS = (SATURATED_GENERATOR, SATURATED_DISCRIMINATOR, DEAD_DISCRIMINATOR)

# Cause and advice, in words.
ADVICE = {
    BAD_DATA: (
        "the pipeline: a wrong path, a division by 0, a missing normalization, a file that is broken.",
        "look at some batches of the dataset, and mend or drop these samples.",
    ),
    DIVERGED: (
        "a learning rate or a momentum that is too high, or a critic that nothing holds (no clipping, no penalty).",
        "lower both learning rates; keep the clipping or the gradient penalty of the model's paper.",
    ),
    SATURATED_GENERATOR: (
        "initial weights or a learning rate of the generator that are too high: beyond its tanh there is no gradient.",
        "take smaller initial weights in the last layer, or a smaller learning rate for the generator.",
    ),
    SATURATED_DISCRIMINATOR: (
        "a discriminator that learns too fast for the generator, and leaves it without a gradient.",
        "lower its learning rate or `discriminator_steps`, or take a Wasserstein model, whose critic may win; "
        "`minimax=True` saturates where the default loss does not.",
    ),
    FROZEN_GENERATOR: (
        "a learning rate of 0 (or a schedule that has reached it), an optimizer that skips its steps, layers that are "
        "not trainable, or weights so extreme that no gradient passes.",
        "print the generator's learning rate and `model.generator.trainable_variables`.",
    ),
    DEAD_DISCRIMINATOR: (
        "a discriminator that gives all samples one score: a sigmoid at its end, where the losses want logits, dead "
        "rectifiers, or a learning rate that is too low or was too high.",
        "give the discriminator a linear last layer, leaky rectifiers, and another learning rate.",
    ),
    MODE_COLLAPSE: (
        "a generator that learns too fast for the discriminator, or a discriminator that cannot see that samples are "
        "alike.",
        "lower the generator's learning rate, use `packing=2` or `discriminator_steps=2`, or another model: WGAN-GP or "
        "R3GAN.",
    ),
    LABELS_IGNORED: (
        "labels that were shuffled, or have lost their images on the way; or a discriminator that is deaf to them.",
        'look at some images with their labels; then try `conditioning="projection"`.',
    ),
    GETTING_WORSE: (
        "a training that has passed its best: an overfitting discriminator, or a slow divergence.",
        "take the best model so far (`Evaluate(best=...)`), lower the learning rates, add data or `DiffAugment`.",
    ),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What is wrong, and how one sees it.

    Args:
        name: String, one of the constants of this module, such as `MODE_COLLAPSE`.
        step: Integer, after which step (generator updates) it was seen.
        evidence: String, the numbers.
    """

    name: str
    step: int
    evidence: str

    def __str__(self):
        cause, advice = ADVICE[self.name]
        return f"{self.name} at step {self.step:,}. {self.evidence} Likely cause: {cause} What to do: {advice}"


class CollapseGuard(keras.callbacks.Callback):
    """Watches a training, names what kills it, and can go back to the last good state with lower learning rates.

    Every `every` steps it looks at samples of always the same latents, at the discriminator's scores and at the
    generator's gradient (see `VitalSigns`), and every step at the losses. It knows

    - "bad data": samples that are not finite, all equal, or nearly so;
    - "diverged": values that are not finite, or scores that grow without end;
    - "saturated generator": pixels that stay at +-1;
    - "saturated discriminator": a loss of nearly 0, or a generator without a gradient, and samples that do not improve;
    - "frozen generator": samples that do not change;
    - "dead discriminator": one score for all samples, and a loss at the value of knowing nothing;
    - "mode collapse": samples that are nearly equal, or in a few heaps;
    - "labels ignored": labels that say nothing about the images, of the data or of the generator;
    - "getting worse": a distance, logged by `Evaluate`, at twice its best value.

    Adversarial training looks bad at its start. So, but for values that are not finite, a diagnosis takes `patience`
    looks in a row, after `warm_up` steps; and as long as the samples approach the data, or become more diverse, a
    discriminator may be as strong as it likes.

    Values that are not finite end the training in any case, unless `action="rollback"` can go back: the model is then
    as in the newest file of `Checkpoint`, if there is one. (Keras' `TerminateOnNaN` looks at `loss` only, which
    adversarial models do not log.)

    A rollback takes weights, optimizers and random numbers back to the last look that found nothing, and multiplies the
    learning rates of both networks by `factor`; only the discriminator's where it is saturated, and only the
    generator's at a mode collapse, for there one of the two has left the other behind. The step counter goes on, so
    that epochs, data and checkpoints keep their places. Bad data, ignored labels and a frozen generator are not cured
    that way: they are only told. After `max_rollbacks`, the next diagnosis goes back and ends the training.

    The guard leaves no trace in the model: watched and unwatched trainings have the same bits, until it goes back. With
    a `directory` its memory survives a resumed training; the last good state does not, and the newest file of
    `Checkpoint` from before the trouble takes its place. Put it **after** `Evaluate` and **before** `Checkpoint`.

    What it cannot see: a generator that leaves out some of many classes, or that copies training images. Use metrics.

    Args:
        action: `"warn"` (the default): tell, once for each trouble; or `"rollback"`.
        every: Integer, steps from one look to the next. Defaults to `100`.
        warm_up: Integer, steps without a diagnosis, also after a rollback. Defaults to `1000`.
        patience: Integer, looks in a row (and evaluations, for a rising distance: 3) that must agree. Defaults to `5`.
        max_rollbacks: Integer. Defaults to `3`.
        factor: Float in (0, 1), of the learning rates at each rollback. Defaults to `0.2`.
        monitor: String, a logged distance, less is better; nothing happens if it is not logged. Defaults to `None`: the
            Fréchet distance of `Evaluate`, under any of its names.
        directory: String or `Path`, for `guard.jsonl`, a line for each look and each diagnosis. Defaults to `None`.
        num_samples: Integer, samples of a look. Defaults to `128`.
        seed: Integer, of their latents. Defaults to `0`.

    Attributes:
        diagnoses: List of `Diagnosis`, all of this `fit`.
        rollbacks: Integer, how often the training went back.
        looks: List of dictionaries, the numbers of each look since the start or the last rollback.
        seconds: Float, the time that the looks of this `fit` have taken.

    Raises:
        ValueError: Before the first step, if `action="rollback"` cannot lower a learning rate, since it is a schedule,
            or if there are several workers.

    Example:

    >>> guard = ganzoo.callbacks.CollapseGuard(action="rollback")
    >>> gan.fit(train, epochs=20, callbacks=[guard])
    >>> print(guard.diagnoses)
    """

    def __init__(
        self,
        action="warn",
        every=100,
        warm_up=1000,
        patience=5,
        max_rollbacks=3,
        factor=0.2,
        monitor=None,
        directory=None,
        num_samples=128,
        seed=0,
    ):
        super().__init__()
        if action not in ("warn", "rollback"):
            raise ValueError(f'`action` must be "warn" or "rollback". Received: action={action!r}')
        least = {"every": 1, "warm_up": 0, "patience": 1, "max_rollbacks": 0, "num_samples": 8}
        for name, value in zip(least, (every, warm_up, patience, max_rollbacks, num_samples)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least[name]:
                raise ValueError(f"`{name}` must be an integer of at least {least[name]}. Received: {name}={value!r}")
        if not 0 < factor < 1:
            raise ValueError(f"`factor` must lie between 0 and 1. Received: factor={factor}")
        self.action = action
        self.every = every
        self.warm_up = warm_up
        self.patience = patience
        self.max_rollbacks = max_rollbacks
        self.factor = factor
        self.monitor = monitor
        self.path = None if directory is None else Path(directory) / "guard.jsonl"
        self.num_samples = num_samples
        self.seed = seed
        self.diagnoses = []
        self.looks = []
        self.rollbacks = 0

    # === Keras' calls ===

    def on_train_begin(self, logs=None):
        if self.action == "rollback":
            check_optimizers(self.model)
        step = self._last_seen = self.model.steps_done
        self.diagnoses, self._told, self.seconds = [], set(), 0.0
        self._recall(step)
        self._signs = VitalSigns(self.model, self.num_samples, self.seed)
        faults = list(data_faults(self._signs.data, len(self.model.image_shape) == 3, self.model.num_classes))
        for name, evidence in faults:
            self._tell(Diagnosis(name, step, evidence))
        self._ill = any(name == BAD_DATA for name, _ in faults)  # Of such data nothing else can be said.
        if not self._ill:
            look = {"step": step, **self._signs.look()}
            if not self.looks:
                self._remember(look)
        # A training that was resumed in the middle of its trouble has no good state yet.
        in_trouble = step and any(suspicions(look) for look in finite(self.looks)[-1:])
        self._start = self._good = None if in_trouble or self.action == "warn" else State(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        self._begin_means()

    def on_train_batch_end(self, batch, logs=None):
        step = self.model.steps_done
        due = step // self.every > self._last_seen // self.every
        self._last_seen = step
        if self._is_finite(logs) and due and not self._ill:
            start = time.perf_counter()
            self._look(step, logs)
            self.seconds += time.perf_counter() - start

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        if not self._is_finite(logs) or self._ill:
            return
        for look in finite(self.looks)[-1:]:
            logs["diversity"] = look["diversity"]
        monitor = self.monitor or next(filter(is_frechet_distance, logs), None)
        if monitor in logs:
            self._remember({"step": self.model.steps_done, "monitor": float(logs[monitor])})
            values = [look["monitor"] for look in self.looks if "monitor" in look]
            if is_rising(values):
                evidence = f"{monitor} was {min(values):.4g}, and is {', '.join(f'{v:.4g}' for v in values[-3:])}."
                self._act(Diagnosis(GETTING_WORSE, self.model.steps_done, evidence))
            else:
                self._told.discard(GETTING_WORSE)

    # === What it does ===

    def _look(self, step, logs):
        look = {"step": step, **self._signs.look()}
        if "d_loss" in (logs or {}):
            look["d_loss"] = self._mean_since_last_look(float(logs["d_loss"]))
        look["learning_rate"] = learning_rate_of(optimizers(self.model)[0])
        if not look["finite"] or not weights_are_finite(self.model):
            what = "Weights" if look["finite"] else f"The samples of {self.num_samples} latents"
            return self._on_not_finite(f"{what} hold NaN or infinite values.")
        self._remember(look)
        found = judge(self.looks, self._since + self.warm_up, self.patience)
        if found:
            self._act(Diagnosis(found, step, evidence_of(found, self.looks, self.patience)))
        elif not suspicions(look):
            self._told -= set(ORDER)
            if self.action == "rollback":
                self._good = State(self.model)

    def _act(self, diagnosis):
        if self.action == "warn" or diagnosis.name not in CURABLE:
            return self._tell(diagnosis)
        self._told.discard(diagnosis.name)
        self._tell(diagnosis)
        self._go_back(diagnosis)

    def _tell(self, diagnosis):
        """Prints a diagnosis, once until a look finds nothing."""
        if diagnosis.name in self._told:
            return
        self._told.add(diagnosis.name)
        self.diagnoses.append(diagnosis)
        self._write({"step": diagnosis.step, "diagnosis": diagnosis.name, "evidence": diagnosis.evidence})
        self._say(str(diagnosis))

    def _on_not_finite(self, evidence):
        """Goes back, or ends the training."""
        step = self.model.steps_done
        culprits = bad_samples(self.model, step)
        name, evidence = (BAD_DATA, f"{evidence} {culprits}") if culprits else (DIVERGED, evidence)
        self._told.discard(name)
        self._tell(Diagnosis(name, step, evidence))
        if self.action == "rollback" and name == DIVERGED:
            return self._go_back(self.diagnoses[-1])
        self._stop(self._good or files_up_to(self.model))

    def _go_back(self, diagnosis):
        """Restores the last good state, and lowers the learning rates; or ends the training."""
        good = [look["step"] for look in finite(self.looks) if not suspicions(look)]
        state = self._good or files_up_to(self.model, max(good, default=-1))
        if state is None or self.rollbacks >= self.max_rollbacks:
            return self._stop(state)
        rates = [learning_rate_of(optimizer) for optimizer in optimizers(self.model)]
        step = self._restore(state)
        for optimizer, rate in zip(optimizers(self.model), rates, strict=True):
            is_blamed = optimizer in too_fast(self.model, diagnosis.name)
            optimizer.learning_rate = rate * self.factor if is_blamed else rate
        self.rollbacks += 1
        # If the state that was good leads into the same trouble again, the next step back is to the start.
        self._good = self._start
        self.looks, self._since, self._told = [], self.model.steps_done, set()
        self._write({"step": self.model.steps_done, "rollback": step})
        rates = ", ".join(f"{learning_rate_of(optimizer):.2g}" for optimizer in optimizers(self.model))
        self._say(
            f"went back to the state of step {step:,}, with the learning rates {rates} (rollback {self.rollbacks} of "
            f"{self.max_rollbacks})."
        )

    def _stop(self, state):
        self.model.stop_training = True
        if state is None:
            return self._say("stopped the training. There is no good state to go back to.")
        self._say(f"stopped the training, and went back to the state of step {self._restore(state, True):,}.")

    def _restore(self, state, step_too=False):
        """Makes the model what it was; returns the step of then."""
        now = self.model.steps_done
        state.restore(self.model)
        step = self.model.steps_done
        if not step_too:
            self.model.step.assign(now)
        for metric in self.model.metrics:  # The means of this epoch hold what was seen.
            metric.reset_state()
        self._begin_means()
        return step

    # === The losses ===

    def _is_finite(self, logs):
        if self.model.stop_training:
            return False
        own = {metric.name for metric in self.model.metrics}  # A metric of samples may be NaN for reasons of its own.
        for name, value in (logs or {}).items():
            if name.removeprefix("val_") in own and not np.all(np.isfinite(value)):
                self._on_not_finite(f"{name} is {float(value)}.")
                return False
        return True

    def _begin_means(self):
        self._first_step = self._last_step = self.model.steps_done
        self._last_mean = 0.0

    def _mean_since_last_look(self, mean):
        """Mean of a logged value since the last look, recovered from Keras' means of the epoch so far."""
        step = self.model.steps_done
        done, before = step - self._first_step, self._last_step - self._first_step
        value = (mean * done - self._last_mean * before) / (done - before)
        self._last_step, self._last_mean = step, mean
        return value

    # === Memory and words ===

    def _recall(self, step):
        """Reads what an earlier `fit` of this training has seen; what lies past the step is forgotten."""
        lines = [line for line in records.read(self.path) if line["step"] <= step] if step and self.path else []
        if self._writes() and (lines or self.path.exists()):
            records.write(self.path, lines)
        rollbacks = [index for index, line in enumerate(lines) if "rollback" in line]
        self.rollbacks = len(rollbacks)
        since = lines[rollbacks[-1] :] if rollbacks else lines
        self._since = since[0]["step"] if since else step
        self.looks = [line for line in since if "finite" in line or "monitor" in line]

    def _remember(self, look):
        self.looks.append(look)
        self._write(look)

    def _write(self, line):
        if self._writes():
            records.append(self.path, line)

    def _writes(self):
        return self.path is not None and getattr(self.model, "is_chief", True)

    def _say(self, words):
        if getattr(self.model, "is_chief", True):
            print(f"\nCollapseGuard: {words}", flush=True)


# === The judgement ===


def finite(looks):
    """The looks among what is remembered, without the evaluations."""
    return [look for look in looks if "finite" in look]


def suspicions(look):
    """The diagnoses that a single look speaks for; comparisons with what it lacks are false."""
    sign = {**dict.fromkeys(SIGNS, np.nan), **look}
    far = sign["distance"] > 0.2
    knowledge = sign["d_loss"] / sign["ignorance"] if sign["bounded"] and sign["ignorance"] > 0 else np.nan
    unheard = sign["bounded"] == 1 and sign["gap"] > 0 and sign["push"] < 1e-3 * sign["slope"]
    speaks_for = {
        DIVERGED: (sign["bounded"] == 1 and sign["reach"] > 1000 and not unheard)
        or (sign["bounded"] == 0 and sign["slope"] > 10),
        SATURATED_GENERATOR: far and sign["pinned"] > 0.97 and sign["pinned_real"] < 0.95,
        SATURATED_DISCRIMINATOR: far and (knowledge < 0.02 and not is_frozen(sign) or unheard),
        FROZEN_GENERATOR: far and is_frozen(sign),
        DEAD_DISCRIMINATOR: far and abs(knowledge - 1) < 0.01 and sign["score_spread"] < 0.02,
        MODE_COLLAPSE: sign["diversity"] < 0.3 and sign["distance"] > 0.05,
        LABELS_IGNORED: sign["label_agreement"] < sign["label_floor"] and sign["distance"] < 0.1,
    }
    return {name for name in ORDER if speaks_for[name]}


SIGNS = (
    *("diversity", "distance", "change", "pinned", "pinned_real", "label_agreement", "label_floor"),
    *("slope", "push", "reach", "gap", "score_spread", "ignorance", "bounded", "d_loss", "learning_rate"),
)


def is_frozen(sign):
    """Whether samples of the same latents are where they were."""
    return sign["change"] < 1e-4


def judge(looks, warm_up, patience):
    """The diagnosis of a training from all its looks, or `None`.

    Args:
        looks: List of dictionaries, see `VitalSigns.look`.
        warm_up: Integer, the step at which the diagnoses begin that need one.
        patience: Integer, looks that must agree.
    """
    looks = finite(looks)
    if len(looks) <= patience:
        return None
    before, *recent = looks[-patience - 1 :]
    for name in ORDER:
        if not all(name in suspicions(look) for look in recent):
            continue
        if name not in AT_ONCE and recent[0]["step"] < warm_up:
            continue
        if name in REFUTED_BY_PROGRESS and (comes_closer(before, recent) or spreads(before, recent)):
            continue
        if name == MODE_COLLAPSE and spreads(before, recent):
            continue
        if name == DIVERGED and not recent[0]["bounded"] and recent[-1]["slope"] < 1.1 * before["slope"]:
            continue
        if name == FROZEN_GENERATOR and is_past_its_schedule(looks):
            continue
        return name
    return None


def comes_closer(before, recent):
    """Whether samples have come closer to the data by a tenth."""
    return min(look["distance"] for look in recent) < 0.9 * before["distance"]


def spreads(before, recent):
    """Whether samples have become more diverse by a fifth, and are not all alike, nor more diverse than the data."""
    return max(0.15, 1.2 * before["diversity"]) < recent[-1]["diversity"] < 1.5


def is_past_its_schedule(looks):
    """Whether the learning rate has been lowered on purpose, as at the end of a training."""
    rates = [look["learning_rate"] for look in looks if "learning_rate" in look]
    return bool(rates) and rates[-1] < 0.05 * max(rates)


def is_frechet_distance(name):
    """Whether `Evaluate` gives a Fréchet distance this name, be its features those of InceptionV3 or others."""
    return name in ("FID", "clean-FID") or name.startswith("frechet_distance")


def is_rising(values):
    """Whether the last three values of a distance are all at twice the least one, or more.

    An unbiased estimate of a distance near 0 may be negative: of twice such a value nothing can be said.
    """
    return len(values) > 3 and min(values[-3:]) > 2 * min(values) > 0


def evidence_of(name, looks, patience):
    """The numbers behind a diagnosis, in words."""
    looks = finite(looks)
    before, last = looks[-patience - 1], looks[-1]
    steps = last["step"] - before["step"]
    distance = f"their distance from the data went from {before['distance']:.2g} to {last['distance']:.2g}"
    if name == DIVERGED:
        return (
            f"The slope of the discriminator's scores at the samples went from {looks[0].get('slope', 0):.2g} at step "
            f"{looks[0]['step']:,} to {last['slope']:.3g}; over the way to the data that are {last['reach']:.3g}."
        )
    if name == SATURATED_GENERATOR:
        return f"{last['pinned']:.1%} of the samples' pixels are at +-1, of the data {last['pinned_real']:.1%}."
    if name == SATURATED_DISCRIMINATOR:
        share = last["d_loss"] / last["ignorance"]
        return (
            f"The discriminator's loss is {share:.1g} times that of knowing nothing, and the generator's gradient at "
            f"the samples {last['push'] / last['slope']:.1g} times the score's. In {steps:,} steps the samples have "
            f"not improved: {distance}."
        )
    if name == FROZEN_GENERATOR:
        return (
            f"Samples of the same latents have moved by {last['change']:.1g} of the distance between two real ones "
            f"since the last look, and so for {steps:,} steps."
        )
    if name == DEAD_DISCRIMINATOR:
        return (
            f"The discriminator's scores of all samples lie within {last['score_spread']:.1g}, and its loss, "
            f"{last['d_loss']:.4g}, is that of knowing nothing, {last['ignorance']:.4g}; {distance}."
        )
    if name == MODE_COLLAPSE:
        return (
            f"Samples are {last['diversity']:.1%} as diverse as real ones (counted by the Vendi score), and were "
            f"{before['diversity']:.1%} {steps:,} steps ago."
        )
    return (
        f"The real image that is the nearest to a sample has its label in {last['label_agreement']:.0%} of the cases, "
        f"which is no more than chance."
    )


def data_faults(data, are_images, num_classes):
    """Pairs of diagnosis and evidence, from what `VitalSigns` has found in the data."""
    if data["spread"] < 0.03:
        whole = "the range of the pixels" if are_images else "their distance from 0"
        yield BAD_DATA, f"Real samples are all equal, or nearly: they differ by {data['spread']:.1%} of {whole}."
    elif data["distinct"] < 0.1:
        yield BAD_DATA, f"Only {data['distinct']:.1%} of the first real samples are different ones."
    elif "label_agreement" in data and data["label_count"] >= 10 * num_classes:
        chance, agreement = data["label_chance"], data["label_agreement"]
        error = np.sqrt(chance * (1 - chance) / data["label_count"])
        if agreement < chance + 3 * error < 0.9:
            yield (
                LABELS_IGNORED,
                f"The labels say nothing about the real images: of {data['label_count']:,} the most similar other one "
                f"has the same label in {agreement:.1%} of the cases, and by chance {chance:.1%}.",
            )


# === States ===


class State:
    """A copy of all that a training depends on, in memory."""

    def __init__(self, model):
        self.variables = variables_of(model)
        self.values = [np.array(variable) for variable in self.variables]

    def restore(self, model):
        """Makes the model, the one of which this is a copy, what it was."""
        for variable, value in zip(self.variables, self.values, strict=True):
            variable.assign(value)


def optimizers(model):
    """The optimizers of a model, that of the generator first."""
    found = [value for value in vars(model).values() if isinstance(value, keras.optimizers.Optimizer)]
    return sorted(found, key=lambda optimizer: optimizer is not getattr(model, "generator_optimizer", found[0]))


def too_fast(model, name):
    """The optimizers that a diagnosis blames: that of the network which has left the other behind, or all."""
    blamed = {SATURATED_DISCRIMINATOR: "discriminator_optimizer", MODE_COLLAPSE: "generator_optimizer"}.get(name)
    return [getattr(model, blamed)] if hasattr(model, blamed or "") else optimizers(model)


def learning_rate_of(optimizer):
    """The current learning rate as a float, also of an optimizer on several devices."""
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def variables_of(model):
    """Weights, states of optimizers and random states of layers."""
    of_optimizers = [variable for optimizer in optimizers(model) for variable in optimizer.variables]
    return [*model.weights, *of_optimizers, *model._seed_generator_states()]


def weights_are_finite(model):
    """Whether no weight of a model is NaN or infinite."""
    return all(
        np.all(np.isfinite(np.asarray(weight)))
        for weight in model.weights
        if weight.dtype.startswith(("float", "bfloat"))
    )


def check_optimizers(model):
    """Raises a `ValueError` if a rollback could not lower the learning rates."""
    if isinstance(model.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
        raise ValueError(
            'CollapseGuard(action="rollback") works in one process. Received: MultiWorkerMirroredStrategy. Take '
            'action="warn".'
        )
    for optimizer in optimizers(model):
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        if not isinstance(inner._learning_rate, keras.Variable):
            raise ValueError(
                'CollapseGuard(action="rollback") lowers learning rates that are numbers. Received: the schedule '
                f'{type(inner._learning_rate).__name__}. Take action="warn", or a number.'
            )


class FilesUpTo(Checkpoint):
    """The files of a `Checkpoint`, up to a step: the newest that can be read is restored."""

    def __init__(self, directory, step):
        super().__init__(directory)
        self.last = self._path(step)

    def files(self):
        return [path for path in super().files() if path <= self.last]


def files_up_to(model, step=10**10 - 1):
    """The checkpoints of this `fit` up to a step, or `None` if there are none."""
    found = [FilesUpTo(checkpoint.directory, step) for checkpoint in model.checkpoints]
    return next((files for files in found if files.files()), None)


def bad_samples(model, step):
    """Words on values that are not finite in the data of the last step, or `None`."""
    data = model.feed
    if data is None or data.batches_per_epoch is None:  # An endless stream would be read from its start.
        return None
    first = max(0, step - model.steps_per_execution) * data.steps
    for index, element in enumerate(data.batches(first).take(step * data.steps - first)):
        samples, _ = model.condition_kind.arrange(*feed.split_element(element))
        samples = np.asarray(samples, "float32")
        bad = len(samples) - int(np.isfinite(samples.reshape(len(samples), -1)).all(axis=1).sum())
        if bad:
            return f"{bad} of {len(samples)} samples in minibatch {first + index:,} of the data hold such values."
    return None
