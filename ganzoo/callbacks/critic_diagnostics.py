"""Diagnoses the critic epoch by epoch, with tables, pictures, and the names of classic faults."""

import dataclasses
import warnings

import keras

from ganzoo import checks
from ganzoo.callbacks import critic_pictures, curves
from ganzoo.health import critic

LOGGED = ("gradient_norm", "training_estimate", "held_out_estimate", "overfitting", "weights_at_clip")
FAULT_COLUMNS = ("epoch", "step", "name", "message", "reference")


class CriticDiagnostics(keras.callbacks.Callback):
    """Examines the critic after each epoch, records its numbers, and warns of classic faults.

    On minibatches and in inference mode, it measures:

    - For each layer l with output h_l, the mean of `||d D(x) / d h_l||` over real and generated samples, and the norm
      of the gradient of the critic's loss with respect to the layer's weights. In a sound critic, the first gradient
      neither grows nor decays by orders of magnitude between layers.
    - For clipped weights, the share at +-c.
    - At random points between real and generated samples, the norm of the critic's gradient, which a gradient penalty
      pulls to 1.
    - The critic's loss, and its estimate E[D(x)] - E[D(G(z))], on held-out and on training samples. `overfitting` is
      (E[D(x_train)] - E[D(x_held)]) / (E[D(x_train)] - E[D(G(z))]). It is 0 if the critic treats training and held-out
      samples alike, and 1 if it rates held-out samples no higher than generated samples.

    `directory` receives `critic.csv` with a row for each look, `estimates.png` with the course of the training, and
    `faults.csv`. Each look adds `layers_0001.png`, `norms_0001.png` and, for clipped weights, `weights_0001.png`. A new
    run starts these tables again, and a resumed run continues them. Log: `critic_gradient_norm`,
    `critic_training_estimate`, `critic_held_out_estimate`, `critic_overfitting` and `critic_weights_at_clip`, at epochs
    with a look. Put this callback **before** those that read them.

    A fault gives a `UserWarning` the first time, with the evidence:

    - `weights_at_the_clip`: more than 90 % of the clipped weights lie at +-c. The critic then learns functions that are
      too simple (Figure 1b, right).
    - `vanishing_layers`, `exploding_layers`: the gradient of the score is more than 1,000 times smaller, or larger, at
      the first layer than at the last hidden layer (Figure 1b, left).
    - `overfitting_critic`: `overfitting` exceeds 0.5, and the difference between training and held-out scores exceeds
      half of their standard deviation, and four standard errors (Figure 5).

    The training is not disturbed. It ends with the same bits as without this callback.

    Reference: [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), Sections 3.1, 3.2 and 5.3.
    [Karras et al., 2020](https://arxiv.org/abs/2006.06676), Equation 1, for `overfitting`.

    Args:
        data: Held-out samples, as a dataset of batches as for `evaluate`, or as arrays `x` or `(x, y)`. Read once.
        every: Integer, epochs between looks. Defaults to `1`.
        directory: String or `Path`, made if missing. Defaults to `"critic"`.
        training_data: Training samples, in the same forms. Defaults to `None`, the first samples of the data of `fit`,
            if reading them again leaves no trace, as with `ganzoo.data`.
        num_samples: Integer, maximum number of samples of each kind. Only whole minibatches are used. Defaults to
            `512`.

    Attributes:
        faults: List of `ganzoo.health.Finding` of this `fit`, in order of appearance.

    Raises:
        ValueError: At the start, for a model without a critic, or if the training samples cannot be read again.

    Example:

        test = ganzoo.data.load("mnist_10k", split="train[9000:]", batch_size=100)
        gan.fit(train, epochs=20, callbacks=[ganzoo.callbacks.CriticDiagnostics(test, directory="critic")])
    """

    def __init__(self, data, every=1, directory="critic", training_data=None, num_samples=512):
        super().__init__()
        self.data = data
        self.every = checks.integer("every", every, least=1)
        self.directory = checks.path("directory", directory)
        self.training_data = training_data
        self.num_samples = checks.integer("num_samples", num_samples, least=1)
        self.faults = []

    def on_train_begin(self, logs=None):
        model = self.model
        critic.check_critic(model)
        held_out = critic.read(model, self.data, self.num_samples)
        training = critic.read(model, critic.training_data_of(model, self.training_data), self.num_samples)
        batches = critic.minibatches(training, held_out, model.feed.batch_size, model.packing)
        self.probe = critic.CriticProbe(model, batches)
        self._rows = None  # Read in the first epoch, when its number is known.
        self.faults = []

    def on_epoch_begin(self, epoch, logs=None):
        if self._rows is None:
            self._rows = [row for row in curves.read_table(self.directory / "critic.csv") if row["epoch"] <= epoch]
            faults = curves.read_rows(self.directory / "faults.csv", as_fault)
            self._fault_rows = [row for row in faults if row["epoch"] <= epoch]

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        seen = self.probe.look()
        row = {"epoch": epoch + 1, "step": self.model.steps_done, **critic.summary(seen)}
        self._rows.append(row)
        named = {fault.name for fault in self.faults}
        faults = [fault for fault in critic.faults_of(seen, row) if fault.name not in named]
        self.faults += faults
        if logs is not None:
            logs.update({f"critic_{name}": row[name] for name in LOGGED if name in row})
        if self.model.is_chief:
            self._write(epoch + 1, seen, faults)
            for fault in faults:
                warnings.warn(f"Epoch {epoch + 1}: {fault}", UserWarning, stacklevel=2)

    def _write(self, epoch, seen, faults):
        curves.write_records(self.directory / "critic.csv", self._rows)
        found = {"epoch": epoch, "step": self._rows[-1]["step"]}
        self._fault_rows += [found | dataclasses.asdict(fault) for fault in faults]
        rows = ([row[name] for name in FAULT_COLUMNS] for row in self._fault_rows)
        curves.write_table(self.directory / "faults.csv", FAULT_COLUMNS, rows)
        title = f"Critic after epoch {epoch}" + "".join(f", {fault.name}" for fault in faults)
        name = f"{epoch:04d}.png"
        critic_pictures.save(self.directory / f"layers_{name}", title, critic_pictures.draw_layers, seen)
        critic_pictures.save(self.directory / f"norms_{name}", title, critic_pictures.draw_norms, seen)
        if seen["clip_value"]:
            critic_pictures.save(self.directory / f"weights_{name}", title, critic_pictures.draw_weights, seen)
        critic_pictures.save(self.directory / "estimates.png", title, critic_pictures.draw_estimates, self._rows)


def as_fault(row):
    """Converts a row of `faults.csv`. Raises a `KeyError` or a `ValueError` for any other row."""
    return {**{name: row[name] for name in FAULT_COLUMNS}, "epoch": int(row["epoch"])}
