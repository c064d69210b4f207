"""The record of a run inside its checkpoints: where the run began, and with which settings."""

import dataclasses
import json
import zipfile

import numpy as np

from ganzoo.training.learning_rates import base_of, optimizers_of
from ganzoo.training.settings import Fixed, settings_of

MEMBER = "ganzoo_run.json"  # The name of the record in a `.keras` file, which is a ZIP archive.


@dataclasses.dataclass
class RunRecord:
    """A training that `fit` began and that any number of processes may have continued.

    Step `first_step` of the model is step `offset` of epoch `first_epoch` (both from 0) of the run, and reads the data
    stream at position `first_step + shift`.

    Args:
        model: String, the class.
        networks: Dictionary, name of a network -> shapes of its weights.
        settings: Dictionary of the model's settings that may change, if they are plain values.
        fixed: Dictionary of the model's settings that may not change.
        optimizers: Dictionary, name -> class and settings of the optimizer.
        data: Dictionary that identifies the data, see `fingerprint`.
        samples_per_step, steps_per_epoch: Integers.
        first_step, first_epoch, offset, shift: Integers.
    """

    model: str
    networks: dict
    settings: dict
    fixed: dict
    optimizers: dict
    data: dict
    samples_per_step: int
    steps_per_epoch: int
    first_step: int = 0
    first_epoch: int = 0
    offset: int = 0
    shift: int = 0

    @classmethod
    def begun(cls, model, feed, initial_epoch):
        """The record of a run that begins now.

        Args:
            model: `GenerativeModel`, compiled.
            feed: `ganzoo.training.feed.Feed`.
            initial_epoch: Integer.
        """
        return cls(
            model=type(model).__name__,
            networks={name: [list(weight.shape) for weight in net.weights] for name, net in model.networks.items()},
            settings=plain_settings(model, fixed=False),
            fixed=plain_settings(model, fixed=True),
            optimizers={name: config_of(optimizer) for name, optimizer in optimizers_of(model).items()},
            data=fingerprint(feed.dataset),
            samples_per_step=feed.samples_per_step,
            steps_per_epoch=feed.steps_per_epoch,
            first_step=model.steps_done,
            first_epoch=initial_epoch,
        )

    def place(self, step):
        """The epoch of a step of the model, and the number of the step in that epoch, both from 0."""
        epoch, number = divmod(step - self.first_step + self.offset, self.steps_per_epoch)
        return self.first_epoch + epoch, number

    # === Going on ===

    def check_continues(self, earlier, where):
        """Raises a `ValueError` if this run cannot continue from the checkpoints of an earlier run.

        Args:
            earlier: `RunRecord`.
            where: Path of the checkpoints, for the message.
        """
        out = f"Use another directory for another training, or pass resume=False to set {where} aside."
        if earlier.model != self.model:
            raise ValueError(f"The checkpoints in {where} are of a {earlier.model}, and this is a {self.model}. {out}")
        different = [name for name in {**self.networks, **earlier.networks} if self._differ(earlier, "networks", name)]
        if different:
            raise ValueError(
                f"The checkpoints in {where} have other networks: {', '.join(map(str, different))} "
                f"{'differ' if len(different) > 1 else 'differs'} in layers or sizes, or one of the two is missing. "
                f"{out}"
            )
        for name in self.optimizers:
            kinds = [record.optimizers.get(name, {}).get("class") for record in (earlier, self)]
            scheduled = [isinstance(record.optimizers[name]["learning_rate"], dict) for record in (earlier, self)]
            if kinds[0] != kinds[1] or scheduled[0] != scheduled[1]:
                what = ["a learning-rate schedule" if one else "a constant learning rate" for one in scheduled]
                what = kinds if kinds[0] != kinds[1] else what
                raise ValueError(
                    f"The checkpoints in {where} have {what[0]} for `{name}`, and this model has {what[1]}: the "
                    f"optimizer's state does not fit. {out}"
                )
        for name, value in self.fixed.items():
            if self._differ(earlier, "fixed", name):
                raise ValueError(
                    f"The checkpoints in {where} were made with {name}={earlier.fixed.get(name)!r}, and this model "
                    f"with {name}={value!r}, which cannot change on the way. {out}"
                )

    def changes(self, earlier):
        """The changes since an earlier run that take effect, as a list of strings."""
        found = [
            f"{name} {earlier.settings[name]!r} -> {self.settings[name]!r}"
            for name in self.settings
            if name in earlier.settings and self._differ(earlier, "settings", name)
        ]
        for name, config in self.optimizers.items():
            before = earlier.optimizers[name]
            found += [
                f"{key} of {name} {before.get(key)!r} -> {value!r}"
                for key, value in config.items()
                if before.get(key) != value
            ]
        if earlier.samples_per_step != self.samples_per_step:
            found.append(f"samples in a step {earlier.samples_per_step:,} -> {self.samples_per_step:,}")
        elif earlier.steps_per_epoch != self.steps_per_epoch:
            found.append(f"steps in an epoch {earlier.steps_per_epoch:,} -> {self.steps_per_epoch:,}")
        if earlier.data != self.data:
            found.append("the data")
        return found

    def continued_from(self, earlier, step):
        """This run as the continuation of an earlier run, from a step of the model on.

        Epochs count on. If the size of a step or an epoch has changed, the interrupted epoch continues at the same
        fraction of its length, and the data continue after the same number of samples.
        """
        same_size = (earlier.samples_per_step, earlier.steps_per_epoch) == (self.samples_per_step, self.steps_per_epoch)
        if same_size:
            began = {name: getattr(earlier, name) for name in ("first_step", "first_epoch", "offset", "shift")}
            return dataclasses.replace(self, **began)
        epoch, number = earlier.place(step)
        position = (step + earlier.shift) * earlier.samples_per_step // self.samples_per_step
        offset = min(number * self.steps_per_epoch // earlier.steps_per_epoch, self.steps_per_epoch - 1)
        return dataclasses.replace(self, first_step=step, first_epoch=epoch, offset=offset, shift=position - step)

    def _differ(self, earlier, part, name):
        return getattr(self, part).get(name) != getattr(earlier, part).get(name)

    # === In a file ===

    def write(self, path):
        """Adds the record to a `.keras` file."""
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(MEMBER, json.dumps(dataclasses.asdict(self)))

    @classmethod
    def read(cls, path):
        """The record of a `.keras` file. `None` if it is unreadable or missing, as in files of version 0.1."""
        try:
            with zipfile.ZipFile(path) as archive:
                return cls(**json.loads(archive.read(MEMBER)))
        except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile):
            return None


def plain_settings(model, fixed):
    """The settings of a model that are numbers, strings or `None`, either the fixed or the changeable settings."""
    found = {name: getattr(model, name) for name in settings_of(model)}
    return {
        name: value
        for name, value in found.items()
        if isinstance(getattr(type(model), name), Fixed) == fixed
        and (value is None or isinstance(value, (bool, int, float, str)))
    }


def config_of(optimizer):
    """The class and the settings of an optimizer, as JSON values."""
    optimizer = base_of(optimizer)
    config = optimizer.get_config()
    config.pop("name", None)
    rate = config["learning_rate"]
    if not isinstance(rate, dict):
        # In float32, like the optimizer's variable, so that equal rates compare as equal.
        config["learning_rate"] = float(np.float32(rate))
    return json.loads(json.dumps({"class": type(optimizer).__name__, **config}, default=str))


def fingerprint(dataset):
    """Identifies a dataset: by samples and order if it is of `ganzoo.data`, otherwise by element spec and length."""
    source = getattr(dataset, "source", None)
    if source is None:
        return {"elements": str(dataset.element_spec), "batches": int(dataset.cardinality())}
    return source.fingerprint()
