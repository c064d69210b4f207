"""A guard that tells a dying training from a living one, says why, and can go back."""

import keras

from ganzoo import checks
from ganzoo.health.guard import Guard


class CollapseGuard(keras.callbacks.Callback):
    """Watches a training, names what kills it, and can go back to the last good state with lower learning rates.

    Every `every` steps it looks at samples of always the same latents, at the discriminator's scores and at the
    generator's gradient (see `VitalSigns`), and every step at the losses. It knows

    - "bad data": real samples that are all equal, or nearly so;
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
        diagnoses: List of `ganzoo.health.Diagnosis`, all of this `fit`.
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

    stops_at_nan = True  # `fit` leaves losses that are not finite to it.

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
        """How often the training went back."""
        return self.guard.memory.rollbacks

    @property
    def looks(self):
        """The numbers of each look since the start or the last rollback."""
        return self.guard.memory.looks

    @property
    def seconds(self):
        """The time that the looks of this `fit` have taken."""
        return self.guard.seconds

    def on_train_begin(self, logs=None):
        self.guard.begin(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        self.guard.begin_epoch()

    def on_train_batch_end(self, batch, logs=None):
        self.guard.after_step({} if logs is None else logs)

    def on_epoch_end(self, epoch, logs=None):
        self.guard.after_epoch({} if logs is None else logs)
