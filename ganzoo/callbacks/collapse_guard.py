"""A guard that recognizes a failing training, says why, and can go back."""

import keras

from ganzoo import checks
from ganzoo.health.guard import Guard


class CollapseGuard(keras.callbacks.Callback):
    """Watches a training, names the trouble, and can go back to the last good state with lower learning rates.

    Every `every` steps it looks at samples from a fixed set of latents, at the discriminator's scores and at the
    generator's gradient (see `VitalSigns`). Every step it looks at the losses. It recognizes:

    - "bad data": real samples are all equal, or nearly equal.
    - "diverged": values are not finite, or scores grow without limit.
    - "saturated generator": pixels stay at +-1.
    - "saturated discriminator": the loss is nearly 0, or the generator has no gradient, and samples do not improve.
    - "frozen generator": samples do not change.
    - "dead discriminator": all samples have the same score, and the loss is as high as without any knowledge.
    - "mode collapse": samples are nearly equal, or in a few clusters.
    - "labels ignored": labels say nothing about the images, of the data or of the generator.
    - "getting worse": a distance, logged by `Evaluate`, is twice its best value.

    Adversarial training looks bad at its start. So a diagnosis takes `patience` looks in a row, after `warm_up` steps.
    Values that are not finite need no patience. As long as the samples approach the data, or become more diverse, the
    discriminator may be as strong as it likes.

    Values that are not finite end the training, unless `action="rollback"` can go back. The model is then restored from
    the newest file of `Checkpoint`, if there is any. (Keras' `TerminateOnNaN` looks only at `loss`, which adversarial
    models do not log.)

    A rollback restores weights, optimizers and random numbers from the last look without trouble, and multiplies the
    learning rates of both networks by `factor`. If the discriminator is saturated, only its rate is lowered. After a
    mode collapse, only the generator's rate is lowered. In these cases one network has left the other behind. The step
    counter continues, so that epochs, data and checkpoints keep their places. A rollback does not cure bad data,
    ignored labels and a frozen generator. They are only reported. After `max_rollbacks`, the next diagnosis goes back
    and ends the training.

    The guard leaves no trace in the model. Until it goes back, watched and unwatched trainings have the same bits. With
    a `directory`, its memory survives a resumed training. The last good state does not survive, and the newest file of
    `Checkpoint` from before the trouble replaces it. Put the guard **after** `Evaluate` and **before** `Checkpoint`.

    The guard cannot see a generator that leaves out some of many classes, or that copies training images. Use metrics
    for that.

    Args:
        action: `"warn"` (the default) reports each trouble once. `"rollback"` also goes back.
        every: Integer, steps between looks. Defaults to `100`.
        warm_up: Integer, steps without a diagnosis, also after a rollback. Defaults to `1000`.
        patience: Integer, number of looks in a row that must agree. A rising distance needs 3 evaluations. Defaults to
            `5`.
        max_rollbacks: Integer. Defaults to `3`.
        factor: Float in (0, 1), for the learning rates at each rollback. Defaults to `0.2`.
        monitor: String, a logged distance where lower is better. Nothing happens if it is not logged. Defaults to
            `None`, the Fréchet distance of `Evaluate`, under any of its names.
        directory: String or `Path`, for `guard.jsonl`, which gets a line for each look and each diagnosis. Defaults to
            `None`.
        num_samples: Integer, number of samples per look. Defaults to `128`.
        seed: Integer, for their latents. Defaults to `0`.

    Attributes:
        diagnoses: List of `ganzoo.health.Diagnosis` of this `fit`.
        rollbacks: Integer, number of rollbacks.
        looks: List of dictionaries, the numbers of each look since the start or the last rollback.
        seconds: Float, time spent on looks in this `fit`.

    Raises:
        ValueError: Before the first step, if `action="rollback"` cannot lower a learning rate because it is a schedule,
            or if there are several workers.

    Example:

    >>> guard = ganzoo.callbacks.CollapseGuard(action="rollback")
    >>> gan.fit(train, epochs=20, callbacks=[guard])
    >>> print(guard.diagnoses)
    """

    stops_at_nan = True  # `fit` leaves losses that are not finite to this callback.

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
        self.action = checks.choice("action", action, ("warn", "rollback"))
        directory = checks.path("directory", directory, optional=True)
        if monitor is not None and not isinstance(monitor, str):
            raise checks.refusal("monitor", monitor, "a string, a name in the log", optional=True)
        self.guard = Guard(
            path=None if directory is None else directory / "guard.jsonl",
            goes_back=self.action == "rollback",
            every=checks.integer("every", every, least=1),
            warm_up=checks.integer("warm_up", warm_up, least=0),
            patience=checks.integer("patience", patience, least=1),
            max_rollbacks=checks.integer("max_rollbacks", max_rollbacks, least=0),
            factor=checks.number("factor", factor, above=0, below=1),
            monitor=monitor,
            num_samples=checks.integer("num_samples", num_samples, least=8, most=100_000),
            seed=checks.seed("seed", seed),
        )

    @property
    def diagnoses(self):
        """All diagnoses of this `fit`."""
        return self.guard.diagnoses

    @property
    def rollbacks(self):
        """The number of rollbacks."""
        return self.guard.memory.rollbacks

    @property
    def looks(self):
        """The numbers of each look since the start or the last rollback."""
        return self.guard.memory.looks

    @property
    def seconds(self):
        """Time spent on looks in this `fit`."""
        return self.guard.seconds

    def on_train_begin(self, logs=None):
        self.guard.begin(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        self.guard.begin_epoch()

    def on_train_batch_end(self, batch, logs=None):
        self.guard.after_step({} if logs is None else logs)

    def on_epoch_end(self, epoch, logs=None):
        self.guard.after_epoch({} if logs is None else logs)
