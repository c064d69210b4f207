"""How sound the critic is: its gradients, its weights, and its estimate on data that it was not trained on."""

import csv
import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo import images
from ganzoo.callbacks.learning_curve import _RAW, _TRAIN, _VALIDATION, _read, _write
from ganzoo.constraints import WeightClip
from ganzoo.penalties import gradient_norms

# A fault is named beyond these. Each is far from what healthy critics show, see the class.
LARGEST_SHARE_AT_CLIP, NEAR_CLIP = 0.9, 0.99
LARGEST_RATIO_OF_LAYERS = 1e3
LARGEST_OVERFITTING, LEAST_SAMPLES = 0.5, 32
LEAST_ERRORS, LEAST_SPREAD = 4.0, 0.5

# Keeps gradients of float16 layers from vanishing in their rounding; a power of 2, so that float32 ones do not change.
SCALE = 256.0


class CriticDiagnostics(keras.callbacks.Callback):
    """Looks into the critic after each epoch, writes down what it sees, and names the classic faults.

    Seen are, on minibatches and in inference mode,

    - for each layer l with output h_l, the mean of `||d D(x) / d h_l||` over real and generated samples, and the norm
      of the gradient of the critic's loss with respect to its weights. Through sound layers the first one neither
      grows nor decays by orders of magnitude;
    - for clipped weights, the share that lies at +-c;
    - at random points between real and generated samples, the norm of the critic's gradient; a gradient penalty asks
      for 1;
    - the critic's loss, and its estimate E[D(x)] - E[D(G(z))], on held-out and on training samples. `overfitting` is
      (E[D(x_train)] - E[D(x_held)]) / (E[D(x_train)] - E[D(G(z))]): 0 if the critic tells no training sample from a
      held-out one, 1 if a held-out sample is worth no more to it than a generated one.

    `directory` receives `critic.csv`, a row for each look; `estimates.png`, its course; `layers_0001.png`,
    `norms_0001.png` and, for clipped weights, `weights_0001.png`, for each look; and `faults.csv`. A run that starts
    anew starts these tables anew, a resumed one continues them. Log: `critic_gradient_norm`,
    `critic_training_estimate`, `critic_held_out_estimate`, `critic_overfitting` and `critic_weights_at_clip`, at epochs
    with a look; put this callback **before** those that read them.

    A fault is a `UserWarning` the first time, with the evidence:

    - `weights_at_the_clip`: more than 90 % of the clipped weights lie at +-c (Figure 1b, right: the critic then learns
      too simple functions);
    - `vanishing_layers`, `exploding_layers`: the gradient of the score is more than 1,000 times smaller, or larger, at
      the first layer than at the last hidden one (Figure 1b, left);
    - `overfitting_critic`: `overfitting` exceeds 0.5, and the difference between training and held-out scores exceeds
      half of their standard deviation, and four standard errors (Figure 5).

    The training is not disturbed: it ends with the same bits as without this callback.

    Reference: [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), Sections 3.1, 3.2 and 5.3; for `overfitting`,
    [Karras et al., 2020](https://arxiv.org/abs/2006.06676), Equation 1.

    Args:
        data: Held-out samples: a dataset of batches, as for `evaluate`, or arrays `x` or `(x, y)`. Read once.
        every: Integer, epochs from one look to the next. Defaults to `1`.
        directory: String or `Path`, made if missing. Defaults to `"critic"`.
        training_data: Training samples, in the same forms. Defaults to `None`: the first ones of the data of `fit`,
            where reading them again leaves no trace, as in those of `ganzoo.data`.
        num_samples: Integer, how many of each kind, at most; whole minibatches are taken. Defaults to `512`.

    Attributes:
        faults: List of `ganzoo.health.lint.Finding`, those of this `fit`, in the order of their appearance.

    Raises:
        ValueError: At the start, for a model without a critic, or if the training samples cannot be read again.

    Example:

        test = ganzoo.data.load("mnist_10k", split="train[9000:]", batch_size=100)
        gan.fit(train, epochs=20, callbacks=[ganzoo.callbacks.CriticDiagnostics(test, directory="critic")])
    """

    def __init__(self, data, every=1, directory="critic", training_data=None, num_samples=512):
        super().__init__()
        for name, value in (("every", every), ("num_samples", num_samples)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be an integer of at least 1. Received: {name}={value!r}")
        self.data = data
        self.every = every
        self.directory = Path(directory)
        self.training_data = training_data
        self.num_samples = num_samples
        self.faults = []

    # === When ===

    def on_train_begin(self, logs=None):
        model = self.model
        check_critic(model)
        held_out = read(model, self.data, self.num_samples)
        training = read(model, training_data_of(model, self.training_data), self.num_samples)
        size = min(model.feed.batch_size, len(held_out[0]), len(training[0])) // model.packing * model.packing
        if not size:
            raise ValueError(
                f"CriticDiagnostics needs packs of {model.packing} samples of each kind. Received: {len(held_out[0])} "
                f"held-out and {len(training[0])} training samples."
            )
        count = min(len(held_out[0]), len(training[0])) // size
        parts = [*training, *held_out]
        self._batches = [
            [None if part is None else tf.constant(part[index * size : (index + 1) * size]) for part in parts]
            for index in range(count)
        ]
        self._layers, self._outputs = probe(model.discriminator)
        strategy = model.distribute_strategy
        self._look = lambda batch: strategy.run(self._look_at, args=(batch,))
        if not model.run_eagerly:
            self._look = tf.function(self._look, autograph=False)
        self._rows = None  # Read at the first epoch, whose number is not known before.
        self.faults = []

    def on_epoch_begin(self, epoch, logs=None):
        if self._rows is None:
            self._rows = [row for row in _read(self.directory / "critic.csv") if row["epoch"] <= epoch]
            self._fault_rows = read_faults(self.directory / "faults.csv", epoch)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        seen = self.look()
        row = {"epoch": epoch + 1, "step": self.model.steps_done, **summary(seen)}
        self._rows.append(row)
        named = {fault.name for fault in self.faults}
        faults = [fault for fault in faults_of(seen, row) if fault.name not in named]
        self.faults += faults
        if logs is not None:
            logs.update({f"critic_{name}": row[name] for name in LOGGED if name in row})
        if getattr(self.model, "is_chief", True):
            self._write(epoch + 1, seen, faults)
            for fault in faults:
                warnings.warn(f"Epoch {epoch + 1}: {fault}", UserWarning, stacklevel=2)

    # === What ===

    def look(self):
        """What there is to see now: a dictionary of arrays; leaves no trace in the model."""
        model = self.model
        states = [model.evaluation_random.state, *model._seed_generator_states()]
        before = [state.numpy() for state in states]
        model.evaluation_random.restart()
        local = model.distribute_strategy.experimental_local_results
        looks = [tf.nest.map_structure(lambda x: local(x)[0].numpy(), self._look(batch)) for batch in self._batches]
        for state, value in zip(states, before):
            state.assign(value)
        seen = {name: np.stack([look[name] for look in looks]) for name in looks[0]}
        clipped = [v for v in model.discriminator.trainable_variables if isinstance(v.constraint, WeightClip)]
        seen["weights"] = np.concatenate([v.numpy().ravel() / v.constraint.clip_value for v in clipped] or [[]])
        seen["clip_value"] = clipped[0].constraint.clip_value if clipped else None
        seen["score_layers"] = [layer.name for layer in self._layers]
        seen["loss_layers"] = [layer.name for layer in trainable_layers(model.discriminator)]
        return seen

    def _look_at(self, batch):
        """One minibatch of each kind: a dictionary of tensors. Runs in a graph, once for all looks."""
        from ganzoo.training import feed  # It imports this package.

        model, seen = self.model, {}
        with model.without_trace():
            for kind, samples, condition in (("training", *batch[:2]), ("held_out", *batch[2:])):
                condition = model.conditions.cast(condition)
                real, fake = model.real_and_fake(feed.to_float(samples), condition, training=False)
                critic = model.critic(condition, training=False)
                seen[f"{kind}_real"], seen[f"{kind}_fake"] = scores_of(critic(real)), scores_of(critic(fake))
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    layers = [layer.trainable_weights for layer in trainable_layers(model.discriminator)]
                    values = [[weight.value for weight in weights] for weights in layers]
                    tape.watch(values)
                    loss = tf.cast(model.discriminator_loss(critic, real, fake), "float32")
                    scaled = loss * SCALE
                seen[f"{kind}_loss"] = loss
                if kind == "training":
                    gradients = tape.gradient(scaled, values)
                    seen["loss_gradients"] = tf.stack([tf.linalg.global_norm(parts) / SCALE for parts in gradients])
            epsilon = model.uniform((real.shape[0],) + (1,) * (len(real.shape) - 1))
            seen["norms"] = gradient_norms(critic, epsilon * real + (1.0 - epsilon) * fake)
            both = [tf.concat([part, part], 0) for part in ([] if condition is None else [model.pack(condition)])]
            seen["score_gradients"] = self._score_gradients([tf.concat([real, fake], 0), *both])
        return seen

    def _score_gradients(self, inputs):
        """The mean over samples of `||d D(x) / d h||`, for each layer's output h."""
        with tf.GradientTape() as tape:
            tape.watch(inputs[0])
            *outputs, scores = self._outputs(inputs, training=False)
            total = tf.reduce_sum(scores_of(scores)) * SCALE
        norms = []
        for gradient in tape.gradient(total, outputs, unconnected_gradients="zero"):
            flat = tf.reshape(tf.cast(gradient, "float32") / SCALE, (gradient.shape[0], -1))
            norms.append(tf.reduce_mean(tf.norm(flat, axis=-1)))
        return tf.stack(norms)

    # === Files ===

    def _write(self, epoch, seen, faults):
        names = list(dict.fromkeys(name for row in self._rows for name in row))
        _write(self.directory / "critic.csv", names, ([row.get(name) for name in names] for row in self._rows))
        step = self._rows[-1]["step"]
        self._fault_rows += [(epoch, step, fault.name, fault.message, fault.reference) for fault in faults]
        _write(self.directory / "faults.csv", ("epoch", "step", "name", "message", "reference"), self._fault_rows)
        title = f"Critic after epoch {epoch}" + "".join(f", {fault.name}" for fault in faults)
        name = f"{epoch:04d}.png"
        save(self.directory / f"layers_{name}", title, draw_layers, seen)
        save(self.directory / f"norms_{name}", title, draw_norms, seen)
        if seen["clip_value"]:
            save(self.directory / f"weights_{name}", title, draw_weights, seen)
        save(self.directory / "estimates.png", title, draw_estimates, self._rows)


LOGGED = ("gradient_norm", "training_estimate", "held_out_estimate", "overfitting", "weights_at_clip")


# === What a critic is, and the data ===


def check_critic(model):
    """Raises a `ValueError` unless a model has a discriminator that gives scores."""
    from ganzoo.models.began import BEGAN  # It imports this package.

    if getattr(model, "discriminator", None) is None:
        raise ValueError(
            "CriticDiagnostics looks into a critic, and this model has none. Received: "
            f"{type(model).__name__}. Take it for adversarial models, such as ganzoo.WGANGP."
        )
    if isinstance(model, BEGAN):
        raise ValueError(
            "CriticDiagnostics looks into a critic that gives scores, and that of BEGAN reconstructs samples. Watch "
            "its `M` instead: ganzoo.callbacks.ReduceLearningRate."
        )


def training_data_of(model, given):
    """The training samples that were given, or the data of `fit` if reading them leaves no trace."""
    from ganzoo.health import lint  # It imports this package.

    if given is not None:
        return given
    if not lint.can_be_read_again(model.feed.dataset):
        raise ValueError(
            "CriticDiagnostics compares held-out with training samples, and reading those of `fit` once more would "
            "change what the training sees: they are shuffled by a random state, or come from Python. Pass some of "
            "them: CriticDiagnostics(data, training_data=...)."
        )
    return model.feed.dataset


def read(model, data, count):
    """The first `count` samples and conditions (or `None`) of a dataset or of arrays, as float arrays."""
    from ganzoo.training import feed

    parts = data if isinstance(data, (tuple, list)) and len(data) == 2 else (data,)
    dataset = feed.as_dataset(model, *parts)
    feed.check_dataset(model, dataset)
    batches, total = [], 0
    for element in dataset:
        batches.append(feed.arrange(model, element))
        feed.check_values(model, *batches[-1])
        total += len(batches[-1][0])
        if total >= count:
            break
    if not total:
        raise ValueError("CriticDiagnostics got no samples: the dataset yields no batch.")
    return [None if part[0] is None else np.concatenate(part)[:count] for part in zip(*batches)]


def read_faults(path, epoch):
    """The rows of `faults.csv` up to an epoch; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [row for row in list(csv.reader(file))[1:] if int(row[0]) <= epoch]


def trainable_layers(network):
    """The layers of a network with trainable weights."""
    return [layer for layer in network.layers if layer.trainable_weights]


def probe(discriminator):
    """The layers with kernels on the way from the sample to the score, and a model that gives their outputs as well.

    Layers that are used twice, or have several outputs, are left out.
    """
    from ganzoo.health import lint

    layers = [
        layer
        for layer in trainable_layers(discriminator)
        if any(len(weight.shape) > 1 for weight in layer.trainable_weights)
        and len(layer._inbound_nodes) == 1
        and len(layer._inbound_nodes[0].output_tensors) == 1
        and descends(layer.output, discriminator.inputs[0], lint.made_by)
    ]
    outputs = [layer.output for layer in layers]
    return layers, keras.Model(discriminator.inputs, [*outputs, discriminator.outputs[0]])


def descends(tensor, source, made_by):
    """Whether a symbolic tensor is computed from another one."""
    pending, seen = [tensor], set()
    while pending:
        tensor = pending.pop()
        if tensor is source:
            return True
        if id(tensor) not in seen:
            seen.add(id(tensor))
            pending += made_by(tensor)[1]
    return False


def scores_of(outputs):
    """Float32 scores, one a sample: the mean of a map of them."""
    outputs = ops.cast(outputs, "float32")
    return ops.mean(ops.reshape(outputs, (outputs.shape[0], -1)), axis=-1)


# === What it means ===


def summary(seen):
    """The numbers of a row of the table."""
    fake = np.concatenate([seen["training_fake"], seen["held_out_fake"]]).mean()
    training, held_out = seen["training_real"].mean(), seen["held_out_real"].mean()
    estimate = float(training - fake)
    row = {
        "training_estimate": estimate,
        "held_out_estimate": float(held_out - fake),
        "training_loss": float(seen["training_loss"].mean()),
        "held_out_loss": float(seen["held_out_loss"].mean()),
        "overfitting": float(training - held_out) / estimate if estimate else 0.0,
        "gradient_norm": float(seen["norms"].mean()),
        "gradient_norm_std": float(seen["norms"].std()),
    }
    if seen["clip_value"]:
        row["weights_at_clip"] = float(np.mean(np.abs(seen["weights"]) > NEAR_CLIP))
    for kind in ("score", "loss"):
        values = seen[f"{kind}_gradients"].mean(axis=0)
        row |= {f"{kind}_gradient/{name}": float(value) for name, value in zip(seen[f"{kind}_layers"], values)}
    return row


def faults_of(seen, row):
    """Yields the classic faults, as `Finding`s, with the evidence."""
    from ganzoo.health.lint import Finding

    share = row.get("weights_at_clip", 0.0)
    if share > LARGEST_SHARE_AT_CLIP:
        yield Finding(
            "weights_at_the_clip",
            f"{share:.0%} of the critic's clipped weights lie at +-{seen['clip_value']:g}. Each of them has one of "
            "two values then, and the critic learns too simple functions. Take WGANGP, whose penalty leaves the "
            "weights free, or a larger clip_value.",
            "Gulrajani et al., 2017, arXiv:1704.00028, Figure 1b, right, and Section 3.1",
        )
    names = seen["score_layers"][:-1]  # The last one gives the score, whose gradient is 1.
    norms = [row[f"score_gradient/{name}"] for name in names]
    if len(norms) > 1:
        first, last = norms[0], norms[-1]
        evidence = f"the score's gradient is {last:.2g} at {names[-1]!r} and {first:.2g} at {names[0]!r}"
        reference = "Gulrajani et al., 2017, arXiv:1704.00028, Figure 1b, left, and Section 3.2"
        if not np.isfinite(norms).all() or first > LARGEST_RATIO_OF_LAYERS * last:
            yield Finding(
                "exploding_layers",
                f"The critic's gradient explodes on its way back to the sample: {evidence}. Lower the clip_value or "
                "the learning rate, or take WGANGP, or a normalization that fits the loss.",
                reference,
            )
        elif first * LARGEST_RATIO_OF_LAYERS < last or last == 0.0:
            yield Finding(
                "vanishing_layers",
                f"The critic's gradient vanishes on its way back to the sample: {evidence}, and little of it reaches "
                "the generator. Raise the clip_value, take fewer layers or WGANGP, or a normalization that fits the "
                "loss.",
                reference,
            )
    training, held_out = seen["training_real"].ravel(), seen["held_out_real"].ravel()
    variances = [scores.var() for scores in (training, held_out)]
    error = np.sqrt(sum(variance / len(training) for variance in variances))
    excess = training.mean() - held_out.mean()
    least = max(LEAST_ERRORS * error, LEAST_SPREAD * np.sqrt(np.mean(variances)))
    if len(training) >= LEAST_SAMPLES and row["overfitting"] > LARGEST_OVERFITTING and excess > least:
        yield Finding(
            "overfitting_critic",
            f"The critic knows the training samples by heart: its estimate is {row['training_estimate']:.3g} on "
            f"{len(training)} of them and {row['held_out_estimate']:.3g} on {len(held_out)} held-out ones "
            f"({excess / max(error, 1e-30):.0f} standard errors; losses {row['training_loss']:.3g} and "
            f"{row['held_out_loss']:.3g}), if these are of the same kind. It no longer tells how good samples are. "
            "Take more data, augmentation=ganzoo.augmentation.DiffAugment(), a smaller critic, or stop here.",
            "Gulrajani et al., 2017, arXiv:1704.00028, Section 5.3 and Figure 5; Karras et al., 2020, "
            "arXiv:2006.06676, Equation 1",
        )


# === Pictures ===


def save(path, title, draw, what):
    """Draws on a figure with that title and saves it as PNG."""
    # A Figure of its own, not pyplot's: nothing stays behind, and no display is needed.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.2), dpi=100, layout="constrained")
    figure.suptitle(title)
    draw(figure, what)
    for axes in figure.axes:
        axes.grid(color="0.92")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    with images.replacing(path) as temporary:
        figure.savefig(temporary, format="png")


def draw_layers(figure, seen):
    """The two gradients, layer by layer."""
    titles = {"score": "gradient of the score, at the layer's output", "loss": "gradient of the loss, in its weights"}
    for index, (kind, label) in enumerate(titles.items()):
        values = seen[f"{kind}_gradients"].mean(axis=0).astype("float64")
        axes = figure.add_subplot(1, 2, index + 1, yscale="log")
        axes.set_title(label, fontsize="medium")
        axes.plot(np.where(np.isfinite(values) & (values > 0), values, np.nan), "o-", color=_TRAIN)
        axes.set_xticks(range(len(values)), seen[f"{kind}_layers"], rotation=30, ha="right", fontsize="small")


def draw_norms(figure, seen):
    """The histogram of the critic's gradient norms between real and generated samples."""
    norms = seen["norms"].ravel()
    norms = norms[np.isfinite(norms)]
    axes = figure.add_subplot(xlabel="norm of the critic's gradient between real and generated samples")
    axes.hist(norms, bins=50, color=_TRAIN)
    if len(norms):
        axes.axvline(norms.mean(), color=_VALIDATION, label=f"mean {norms.mean():.3g}, deviation {norms.std():.3g}")
        if 1 / 3 < norms.mean() < 3:  # Else it would leave no room for the histogram.
            axes.axvline(1.0, color=_RAW, linestyle="--", label="1, the slope of an optimal critic")
        axes.legend(frameon=False, fontsize="small")


def draw_weights(figure, seen):
    """The histogram of the clipped weights."""
    clip, weights = seen["clip_value"], seen["weights"]
    axes = figure.add_subplot(xlabel="clipped weights", yscale="log")
    share = float(np.mean(np.abs(weights) > NEAR_CLIP))
    axes.hist(weights * clip, bins=101, range=(-1.1 * clip, 1.1 * clip), color=_TRAIN, label=f"{share:.1%} at +-c")
    for bound in (-clip, clip):
        axes.axvline(bound, color=_VALIDATION, linewidth=0.8, linestyle="--")
    axes.legend(frameon=False, fontsize="small")


def draw_estimates(figure, rows):
    """Estimate and loss on training and held-out samples, over the training steps."""
    steps = [row["step"] for row in rows]
    for index, (name, label) in enumerate((("estimate", "E[D(x)] - E[D(G(z))]"), ("loss", "the critic's loss"))):
        axes = figure.add_subplot(1, 2, index + 1, xlabel="training steps")
        axes.set_title(label, fontsize="medium")
        marker = "o" if len(rows) <= 30 else None
        for kind, color in (("training", _TRAIN), ("held_out", _VALIDATION)):
            values = [row[f"{kind}_{name}"] for row in rows]
            axes.plot(steps, values, color=color, marker=marker, markersize=3, label=kind.replace("_", "-"))
        axes.legend(frameon=False, fontsize="small")
