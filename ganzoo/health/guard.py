"""Watches a training, reports troubles, and can go back to a good state. Called by `callbacks.CollapseGuard`."""

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
    """Watches a training. `ganzoo.callbacks.CollapseGuard` documents its behaviour and its arguments.

    Args:
        path: `Path` of its memory file, or `None`.
        goes_back: Boolean, whether to restore a good state after a diagnosis with a cure.
        every, warm_up, patience, max_rollbacks, factor, monitor, num_samples, seed: See `CollapseGuard`.

    Attributes:
        diagnoses: List of `Diagnosis` since `begin`.
        memory: `Memory` of the looks so far.
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

    # === Course of a training ===

    def begin(self, model):
        """Starts to watch a model, before the first step of a `fit`."""
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
        self._ill = any(trouble is BAD_DATA for trouble, _ in faults)  # Nothing else can be said about such data.
        if not self._ill:
            look = {"step": step, **self._signs.look()}
            if not self.memory.looks:
                self.memory.remember(look)
        # A training that was resumed in trouble has no good state yet.
        in_trouble = step and any(suspicions(look) for look in finite(self.memory.looks)[-1:])
        self._start = self._good = State(model) if self.goes_back and not in_trouble else None

    def begin_epoch(self):
        """Starts an epoch, where Keras restarts the means of the losses."""
        self._mean.begin(self.model.steps_done)

    def after_step(self, logs):
        """Looks at the model if a look is due. If a loss is not finite, ends the training or goes back.

        Args:
            logs: Dictionary of Keras, with means over the epoch so far.
        """
        step = self.model.steps_done
        # With `steps_per_execution`, the count of steps may jump over a multiple of `every`.
        due = step // self.every > self._last_seen // self.every
        self._last_seen = step
        if self._losses_are_finite(logs) and due and not self._ill:
            start = time.perf_counter()
            self._look(step, logs)
            self.seconds += time.perf_counter() - start

    def after_epoch(self, logs):
        """Adds the diversity of the last look to the logs, and judges the distance that `Evaluate` has added.

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
        """Prints a diagnosis. Does not repeat it until a look finds nothing."""
        if diagnosis.name in self._told:
            return
        self._told.add(diagnosis.name)
        self.diagnoses.append(diagnosis)
        self.memory.write({"step": diagnosis.step, "diagnosis": diagnosis.name, "evidence": diagnosis.evidence})
        self._say(str(diagnosis))

    def _losses_are_finite(self, logs):
        if self.model.stop_training:
            return False
        # A metric of samples may be NaN for its own reasons. Only the values of the model count.
        own = {metric.name for metric in self.model.metrics}
        for name, value in logs.items():
            if name.removeprefix("val_") in own and not np.all(np.isfinite(value)):
                self._on_not_finite(f"{name} is {float(value)}.")
                return False
        return True

    def _on_not_finite(self, evidence):
        """Goes back, or ends the training. The data are not to blame, because `fit` refuses such values."""
        self._told.discard(DIVERGED.name)
        self._tell(Diagnosis(DIVERGED, self.model.steps_done, evidence))
        if self.goes_back:
            return self._go_back(DIVERGED)
        self._stop(files_up_to(self.model))

    # === Rollback ===

    def _go_back(self, trouble):
        """Restores the last good state and lowers the learning rates, or ends the training."""
        good = [look["step"] for look in finite(self.memory.looks) if not suspicions(look)]
        state = self._good or files_up_to(self.model, max(good, default=-1))
        if state is None or self.memory.rollbacks >= self.max_rollbacks:
            return self._stop(state)
        step, rates = self._restore_slower(state, trouble.slow_down)
        # If this state leads into the same trouble again, the next rollback goes to the start.
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
        """Restores a state and lowers the learning rates of an optimizer or of all optimizers.

        Returns:
            The step of that state, and the new learning rates.
        """
        optimizers = optimizers_of(self.model)
        rates = {name: learning_rate_of(optimizer) for name, optimizer in optimizers.items()}
        to_slow_down = [slow_down] if slow_down in optimizers else list(optimizers)
        step = self._restore(state)
        for name, optimizer in optimizers.items():
            optimizer.learning_rate = rates[name] * (self.factor if name in to_slow_down else 1)
        return step, [learning_rate_of(optimizer) for optimizer in optimizers.values()]

    def _restore(self, state, step_too=False):
        """Restores a state into the model and returns its step."""
        now = self.model.steps_done
        state.restore(self.model)
        step = self.model.steps_done
        # Epochs, data and checkpoints keep their places only if the step counter continues.
        if not step_too:
            self.model.step.assign(now)
        for metric in self.model.metrics:  # The means of this epoch contain the bad steps.
            metric.reset_state()
        self.begin_epoch()
        return step

    def _say(self, words):
        if self.model.is_chief:
            print(f"\nCollapseGuard: {words}", flush=True)


class Memory:
    """Remembers what a guard has seen since the start or the last rollback, also in a file.

    The file has a line for each look, evaluation, diagnosis and rollback.

    Args:
        path: `Path`, or `None` for no file.

    Attributes:
        looks: List of dictionaries. Looks have `finite`, evaluations `monitor`.
        rollbacks: Integer, number of rollbacks.
        since: Integer, the step of the start or the last rollback.
    """

    def __init__(self, path):
        self.path = path
        self.looks, self.rollbacks, self.since = [], 0, 0
        self._writes = False

    def recall(self, step, writes):
        """Reads what an earlier `fit` of this training has seen. Drops all lines after the step.

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
        """Starts again at a step, after a rollback to the state of an earlier step."""
        self.looks, self.since = [], step
        self.rollbacks += 1
        self.write({"step": step, "rollback": state})

    def write(self, line):
        """Adds a line to the file."""
        if self._writes:
            records.append(self.path, line)


def lines_up_to(path, step):
    """The lines of a guard's file up to a step. Empty for a training that has not begun, or without a file."""
    if path is None or step == 0:
        return []
    return [line for line in records.read(path) if line["step"] <= step]


def from_last_rollback(lines):
    """The lines of a guard's file since the last rollback, or all lines."""
    rollbacks = [index for index, line in enumerate(lines) if "rollback" in line]
    return lines[rollbacks[-1] :] if rollbacks else lines
