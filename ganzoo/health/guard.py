"""A guard over a training: it looks, judges, tells, and goes back. `callbacks.CollapseGuard` calls it from `fit`."""

import time

import numpy as np

from ganzoo import records
from ganzoo.health.diagnoses import (
    BAD_DATA,
    DIVERGED,
    GETTING_WORSE,
    TROUBLES,
    Diagnosis,
    suspicions,
)
from ganzoo.health.judgement import data_faults, finite, is_frechet_distance, is_rising, judge
from ganzoo.health.states import check_can_go_back, files_up_to
from ganzoo.health.vital_signs import VitalSigns
from ganzoo.training.epoch_means import MeanSince
from ganzoo.training.learning_rates import learning_rate_of, optimizers_of
from ganzoo.training.state import State, weights_are_finite


class Guard:
    """Watches a training; see `ganzoo.callbacks.CollapseGuard` for what it does and for its arguments.

    Args:
        path: `Path` of its memory, or `None`.
        goes_back: Boolean, whether it acts, where a diagnosis can be cured.
        every, warm_up, patience, max_rollbacks, factor, monitor, num_samples, seed: See there.

    Attributes:
        diagnoses: List of `Diagnosis` since `begin`.
        memory: `Memory`, the looks so far.
        seconds: Float, the time that the looks have taken.
    """

    def __init__(self, *, path, goes_back, every, warm_up, patience, max_rollbacks, factor, monitor, num_samples, seed):
        self.goes_back = goes_back
        self.every = every
        self.warm_up = warm_up
        self.patience = patience
        self.max_rollbacks = max_rollbacks
        self.factor = factor
        self.monitor = monitor
        self.num_samples = num_samples
        self.seed = seed
        self.memory = Memory(path)
        self.diagnoses = []
        self.seconds = 0.0
        self._mean = MeanSince()

    # === The course of a training ===

    def begin(self, model):
        """Begins to watch a model, before the first step of a `fit`."""
        if self.goes_back:
            check_can_go_back(model)
        self.model = model
        step = self._last_seen = model.steps_done
        self.diagnoses, self._told, self.seconds = [], set(), 0.0
        self.memory.recall(step, writes=model.is_chief)
        self._signs = VitalSigns(model, self.num_samples, self.seed)
        faults = list(data_faults(self._signs.data, len(model.image_shape) == 3, model.num_classes))
        for trouble, evidence in faults:
            self._tell(Diagnosis(trouble, step, evidence))
        self._ill = any(trouble is BAD_DATA for trouble, _ in faults)  # Of such data nothing else can be said.
        if not self._ill:
            look = {"step": step, **self._signs.look()}
            if not self.memory.looks:
                self.memory.remember(look)
        # A training that was resumed in the middle of its trouble has no good state yet.
        in_trouble = step and any(suspicions(look) for look in finite(self.memory.looks)[-1:])
        self._start = self._good = State(model) if self.goes_back and not in_trouble else None

    def begin_epoch(self):
        """Begins an epoch: Keras' means of the losses start anew."""
        self._mean.begin(self.model.steps_done)

    def after_step(self, logs):
        """Looks, if a look is due; ends the training, or goes back, if a loss is not finite.

        Args:
            logs: Dictionary, what Keras logs: means over the epoch so far.
        """
        step = self.model.steps_done
        due = step // self.every > self._last_seen // self.every
        self._last_seen = step
        if self._losses_are_finite(logs) and due and not self._ill:
            start = time.perf_counter()
            self._look(step, logs)
            self.seconds += time.perf_counter() - start

    def after_epoch(self, logs):
        """Adds the last look's diversity to the logs, and judges the distance that `Evaluate` has put there.

        Args:
            logs: Dictionary.
        """
        if not self._losses_are_finite(logs) or self._ill:
            return
        for look in finite(self.memory.looks)[-1:]:
            logs["diversity"] = look["diversity"]
        monitor = self.monitor or next(filter(is_frechet_distance, logs), None)
        if monitor in logs:
            self._judge_distance(monitor, float(logs[monitor]))

    # === Looks and diagnoses ===

    def _look(self, step, logs):
        look = {"step": step, **self._signs.look()}
        if "d_loss" in logs:
            look["d_loss"] = self._mean.value(step, float(logs["d_loss"]))
        look["learning_rate"] = learning_rate_of(next(iter(optimizers_of(self.model).values())))
        if not look["finite"] or not weights_are_finite(self.model):
            what = "Weights" if look["finite"] else f"The samples of {self.num_samples} latents"
            return self._on_not_finite(f"{what} hold NaN or infinite values.")
        self.memory.remember(look)
        found = judge(self.memory.looks, self.memory.since + self.warm_up, self.patience)
        if found:
            self._act(found)
        elif not suspicions(look):
            self._told -= {trouble.name for trouble in TROUBLES}
            if self.goes_back:
                self._good = State(self.model)

    def _judge_distance(self, name, value):
        step = self.model.steps_done
        self.memory.remember({"step": step, "monitor": value})
        values = [look["monitor"] for look in self.memory.looks if "monitor" in look]
        if is_rising(values):
            evidence = f"{name} was {min(values):.4g}, and is {', '.join(f'{v:.4g}' for v in values[-3:])}."
            self._act(Diagnosis(GETTING_WORSE, step, evidence))
        else:
            self._told.discard(GETTING_WORSE.name)

    def _act(self, diagnosis):
        if not self.goes_back or diagnosis.trouble.slow_down is None:
            return self._tell(diagnosis)
        self._told.discard(diagnosis.name)
        self._tell(diagnosis)
        self._go_back(diagnosis.trouble)

    def _tell(self, diagnosis):
        """Prints a diagnosis, once until a look finds nothing."""
        if diagnosis.name in self._told:
            return
        self._told.add(diagnosis.name)
        self.diagnoses.append(diagnosis)
        self.memory.write({"step": diagnosis.step, "diagnosis": diagnosis.name, "evidence": diagnosis.evidence})
        self._say(str(diagnosis))

    def _losses_are_finite(self, logs):
        if self.model.stop_training:
            return False
        # A metric of samples may be NaN for reasons of its own: the model's own values count.
        own = {metric.name for metric in self.model.metrics}
        for name, value in logs.items():
            if name.removeprefix("val_") in own and not np.all(np.isfinite(value)):
                self._on_not_finite(f"{name} is {float(value)}.")
                return False
        return True

    def _on_not_finite(self, evidence):
        """Goes back, or ends the training. It is no fault of the data: `fit` refuses what is not finite."""
        self._told.discard(DIVERGED.name)
        self._tell(Diagnosis(DIVERGED, self.model.steps_done, evidence))
        if self.goes_back:
            return self._go_back(DIVERGED)
        self._stop(files_up_to(self.model))

    # === The way back ===

    def _go_back(self, trouble):
        """Restores the last good state, and lowers the learning rates; or ends the training."""
        good = [look["step"] for look in finite(self.memory.looks) if not suspicions(look)]
        state = self._good or files_up_to(self.model, max(good, default=-1))
        if state is None or self.memory.rollbacks >= self.max_rollbacks:
            return self._stop(state)
        step, rates = self._restore_slower(state, trouble.slow_down)
        # If the state that was good leads into the same trouble again, the next step back is to the start.
        self._good, self._told = self._start, set()
        self.memory.go_back(self.model.steps_done, step)
        rates = ", ".join(f"{rate:.2g}" for rate in rates)
        self._say(
            f"went back to the state of step {step:,}, with the learning rates {rates} (rollback "
            f"{self.memory.rollbacks} of {self.max_rollbacks})."
        )

    def _stop(self, state):
        self.model.stop_training = True
        if state is None:
            return self._say("stopped the training. There is no good state to go back to.")
        self._say(f"stopped the training, and went back to the state of step {self._restore(state, True):,}.")

    def _restore_slower(self, state, slow_down):
        """Restores a state, and lowers the learning rates of an optimizer or of all.

        Returns:
            Pair: the step of that state, and the learning rates from now on.
        """
        optimizers = optimizers_of(self.model)
        rates = {name: learning_rate_of(optimizer) for name, optimizer in optimizers.items()}
        to_slow_down = [slow_down] if slow_down in optimizers else list(optimizers)
        step = self._restore(state)
        for name, optimizer in optimizers.items():
            optimizer.learning_rate = rates[name] * (self.factor if name in to_slow_down else 1)
        return step, [learning_rate_of(optimizer) for optimizer in optimizers.values()]

    def _restore(self, state, step_too=False):
        """Makes the model what it was; returns the step of then."""
        now = self.model.steps_done
        state.restore(self.model)
        step = self.model.steps_done
        if not step_too:
            self.model.step.assign(now)
        for metric in self.model.metrics:  # The means of this epoch hold what was seen.
            metric.reset_state()
        self.begin_epoch()
        return step

    def _say(self, words):
        if self.model.is_chief:
            print(f"\nCollapseGuard: {words}", flush=True)


class Memory:
    """What a guard has seen since the start of the training or its last rollback, in a file as well.

    The file has a line for each look, evaluation, diagnosis and rollback.

    Args:
        path: `Path`, or `None` for no file.

    Attributes:
        looks: List of dictionaries: looks have `finite`, evaluations `monitor`.
        rollbacks: Integer, how often the training went back.
        since: Integer, the step at which the looks begin.
    """

    def __init__(self, path):
        self.path = path
        self.looks, self.rollbacks, self.since = [], 0, 0
        self._writes = False

    def recall(self, step, writes):
        """Reads what an earlier `fit` of this training has seen; what lies past the step is forgotten.

        Args:
            step: Integer, the model's steps so far.
            writes: Boolean, whether this process writes the file.
        """
        self._writes = writes and self.path is not None
        lines = lines_up_to(self.path, step)
        if self._writes and (lines or self.path.exists()):
            records.write(self.path, lines)
        self.rollbacks = sum("rollback" in line for line in lines)
        since = from_last_rollback(lines)
        self.since = since[0]["step"] if since else step
        self.looks = [line for line in since if "finite" in line or "monitor" in line]

    def remember(self, look):
        """Adds a look or an evaluation."""
        self.looks.append(look)
        self.write(look)

    def go_back(self, step, state):
        """Begins anew at a step, after a rollback to the state of another one."""
        self.looks, self.since = [], step
        self.rollbacks += 1
        self.write({"step": step, "rollback": state})

    def write(self, line):
        """Adds a line to the file."""
        if self._writes:
            records.append(self.path, line)


def lines_up_to(path, step):
    """The lines of a guard's file up to a step; none for a training that has not begun, or without a file."""
    if path is None or step == 0:
        return []
    return [line for line in records.read(path) if line["step"] <= step]


def from_last_rollback(lines):
    """The lines of a guard's file from the last rollback on, or all of them."""
    rollbacks = [index for index, line in enumerate(lines) if "rollback" in line]
    return lines[rollbacks[-1] :] if rollbacks else lines
