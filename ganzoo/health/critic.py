"""Checks a critic: its gradients, its weights, and its estimate on held-out data.

`CriticProbe` measures, `summary` computes the numbers, and `faults_of` names the classic faults.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo.constraints import WeightClip
from ganzoo.health.data_checks import can_be_read_again
from ganzoo.health.findings import Finding
from ganzoo.health.model_checks import gives_scores, is_adversarial
from ganzoo.health.no_trace import no_trace
from ganzoo.networks import graph
from ganzoo.penalties import gradient_norms
from ganzoo.training import feed
from ganzoo.training.first_samples import batches_of, first_samples, mapped

# Limits beyond which a fault is reported. Healthy critics stay far from them, see `CriticDiagnostics`.
LARGEST_SHARE_AT_CLIP, NEAR_CLIP = 0.9, 0.99
LARGEST_RATIO_OF_LAYERS = 1e3
LARGEST_OVERFITTING, LEAST_SAMPLES = 0.5, 32
LEAST_ERRORS, LEAST_SPREAD = 4.0, 0.5

# Keeps gradients of float16 layers from underflowing. A power of 2 does not change float32 gradients.
SCALE = 256.0


# === The critic and the data ===


def check_critic(model):
    """Raises a `ValueError` unless a model has a discriminator that gives scores."""
    if not is_adversarial(model):
        raise ValueError(
            "CriticDiagnostics looks into a critic, and this model has none. Received: "
            f"{type(model).__name__}. Take it for adversarial models, such as ganzoo.WGANGP."
        )
    if not gives_scores(model):
        raise ValueError(
            "CriticDiagnostics looks into a critic that gives scores, and the discriminator of "
            f"{type(model).__name__} reconstructs samples. Watch its `M` instead: ganzoo.callbacks.ReduceLearningRate."
        )


def training_data_of(model, given):
    """The training samples that the user passed, or the data of `fit` if reading them leaves no trace."""
    if given is not None:
        return given
    if not can_be_read_again(model.feed.dataset):
        raise ValueError(
            "CriticDiagnostics compares held-out with training samples, and reading the training data once more would "
            "change what the training sees: they are shuffled by a random state, or come from Python. Pass some of "
            "them: CriticDiagnostics(data, training_data=...)."
        )
    return model.feed.dataset


def read(model, data, count):
    """The first `count` samples and conditions (or `None`) of a dataset or of arrays, as a pair of arrays."""
    parts = data if isinstance(data, (tuple, list)) and len(data) == 2 else (data,)
    dataset = feed.as_dataset(model, *parts)
    feed.check_dataset(model, dataset)
    found = first_samples(checked(model, batches_of(model, dataset)), count)
    if found is None:
        raise ValueError("CriticDiagnostics got no samples: the dataset yields no batch.")
    return found.first(count)


def checked(model, batches):
    """Passes batches on, and raises a `ValueError` if their values do not fit a model."""
    for samples, condition in batches:
        feed.check_values(model, samples, condition)
        yield samples, condition


def minibatches(training, held_out, batch_size, packing):
    """Pairs whole minibatches of training and held-out data.

    Args:
        training, held_out: Pairs of samples and conditions, as arrays.
        batch_size: Integer, the batch size of the training. With fewer samples there is a single smaller minibatch.
        packing: Integer. The minibatch size is a multiple of it.

    Returns:
        List of `(training samples, conditions, held-out samples, conditions)`.
    """
    counts = len(held_out[0]), len(training[0])
    size = min(batch_size, *counts) // packing * packing
    if not size:
        raise ValueError(
            f"CriticDiagnostics needs packs of {packing} samples of each kind. Received: {counts[0]} "
            f"held-out and {counts[1]} training samples."
        )
    starts = range(0, min(counts) // size * size, size)
    return [(*minibatch(training, start, size), *minibatch(held_out, start, size)) for start in starts]


def minibatch(data, start, size):
    """`size` samples and conditions from index `start`, as tensors."""
    return tuple(mapped(lambda part: tf.constant(part[start : start + size]), parts) for parts in data)


# === Measurements ===


class CriticProbe:
    """Measures the critic of a model, on the same minibatches each time.

    Args:
        model: `AdversarialModel` whose discriminator gives scores.
        batches: List of minibatches, see `minibatches`.
    """

    def __init__(self, model, batches):
        self.model = model
        self.batches = batches
        self.layers = layers_of_the_score(model.discriminator)
        outputs = [*map(graph.only_output, self.layers), graph.scores_of(model.discriminator)]
        self._outputs = keras.Model(model.discriminator.inputs, outputs)
        strategy = model.distribute_strategy
        self.look_at = lambda batch: strategy.run(self._look_at, args=(batch,))
        if not model.run_eagerly:
            self.look_at = tf.function(self.look_at, autograph=False)  # Traced once for all looks.

    def look(self):
        """Measures the critic now. Leaves no trace in the model.

        Returns:
            Dictionary. These arrays have a row for each minibatch: `training_real`, `training_fake`, `held_out_real`
            and `held_out_fake` are scores. `training_loss` and `held_out_loss` are losses. `norms` are norms of the
            critic's gradient between real and generated samples. `score_gradients` and `loss_gradients` have a column
            for each layer, whose names are in `score_layers` and `loss_layers`. `weights` has all clipped weights,
            divided by their bound c. `clip_value` is c, or `None`.
        """
        discriminator = self.model.discriminator
        local = self.model.distribute_strategy.experimental_local_results
        with no_trace(self.model):
            looks = [tf.nest.map_structure(lambda x: local(x)[0].numpy(), self.look_at(each)) for each in self.batches]
        seen = {name: np.stack([look[name] for look in looks]) for name in looks[0]}
        seen |= clipped_weights(discriminator)
        seen["score_layers"] = [layer.name for layer in self.layers]
        seen["loss_layers"] = [layer.name for layer in graph.trainable_layers(discriminator)]
        return seen

    def _look_at(self, batch):
        """Measures a minibatch of each kind. Returns a dictionary of tensors."""
        model, seen = self.model, {}
        for kind, samples, condition in (("training", *batch[:2]), ("held_out", *batch[2:])):
            condition = model.conditions.cast(condition)
            critic = model.critic(condition, training=False)
            update = model.new_update(critic, feed.to_float(samples), condition, training=False)
            real, fake = update.real, update.fake
            seen[f"{kind}_real"], seen[f"{kind}_fake"] = one_a_sample(critic(real)), one_a_sample(critic(fake))
            loss, gradients = self._loss_gradients(update, kind == "training")
            seen[f"{kind}_loss"] = loss
            if gradients is not None:
                seen["loss_gradients"] = gradients
        # Random points between real and generated samples, as in the penalty of WGAN-GP.
        epsilon = model.uniform((real.shape[0],) + (1,) * (len(real.shape) - 1))
        seen["norms"] = gradient_norms(critic, epsilon * real + (1.0 - epsilon) * fake)
        seen["score_gradients"] = self._score_gradients(real, fake, condition)
        return seen

    def _loss_gradients(self, update, wanted):
        """The critic's loss. If wanted, also the norm of its gradient with respect to the weights of each layer."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            layers = graph.trainable_layers(self.model.discriminator)
            values = [[weight.value for weight in layer.trainable_weights] for layer in layers]
            tape.watch(values)
            loss = tf.cast(self.model.discriminator_objective(update), "float32")
            scaled = loss * SCALE
        if not wanted:
            return loss, None
        gradients = tape.gradient(scaled, values)
        return loss, tf.stack([tf.linalg.global_norm(parts) / SCALE for parts in gradients])

    def _score_gradients(self, real, fake, condition):
        """The mean over samples of `||d D(x) / d h||` for the output h of each layer."""
        model, samples = self.model, tf.concat([real, fake], 0)
        inputs = [samples]
        if model.judges_conditions:
            packed = model.conditions.map(lambda kind, part: model.pack(part), condition)
            inputs += [tf.concat([part, part], 0) for part in model.conditions.as_inputs(packed)]
        with tf.GradientTape() as tape:
            tape.watch(samples)
            *outputs, scores = self._outputs(inputs, training=False)
            total = tf.reduce_sum(one_a_sample(scores)) * SCALE
        norms = []
        for gradient in tape.gradient(total, outputs, unconnected_gradients="zero"):
            flat = tf.reshape(tf.cast(gradient, "float32") / SCALE, (gradient.shape[0], -1))
            norms.append(tf.reduce_mean(tf.norm(flat, axis=-1)))
        return tf.stack(norms)


def layers_of_the_score(discriminator):
    """The layers with kernels between the sample and the score.

    Layers that are used twice or have several outputs are left out.
    """
    source, scores = discriminator.inputs[0], graph.scores_of(discriminator)
    return [
        layer
        for layer in graph.trainable_layers(discriminator)
        if any(len(weight.shape) > 1 for weight in layer.trainable_weights)
        and (output := graph.only_output(layer)) is not None
        and graph.descends(output, source)
        and graph.descends(scores, output)
    ]


def one_a_sample(scores):
    """Float32 scores with a value per sample, which is the mean if the critic outputs a map of scores."""
    scores = ops.cast(scores, "float32")
    return ops.mean(ops.reshape(scores, (scores.shape[0], -1)), axis=-1)


# === Interpretation ===


def summary(seen):
    """Computes the numbers of a row of the table.

    Args:
        seen: Dictionary, the result of `CriticProbe.look`.
    """
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
    """Yields the classic faults as `Finding`s with their evidence.

    Args:
        seen: Dictionary, the result of `CriticProbe.look`.
        row: Dictionary, the `summary` of it.
    """
    yield from weights_at_the_clip(seen, row)
    yield from unsound_layers(seen, row)
    yield from overfitting(seen, row)


def weights_at_the_clip(seen, row):
    """Finds clipped weights that take only two values."""
    share = row.get("weights_at_clip", 0.0)
    if share > LARGEST_SHARE_AT_CLIP:
        yield Finding(
            "weights_at_the_clip",
            f"{share:.0%} of the critic's clipped weights lie at +-{seen['clip_value']:g}. Each of them has one of "
            "two values then, and the critic learns too simple functions. Take WGANGP, whose penalty leaves the "
            "weights free, or a larger clip_value.",
            "Gulrajani et al., 2017, arXiv:1704.00028, Figure 1b, right, and Section 3.1",
        )


def unsound_layers(seen, row):
    """Finds gradients that explode or vanish from layer to layer."""
    names = seen["score_layers"][:-1]  # The last layer outputs the score, whose gradient is 1.
    norms = [row[f"score_gradient/{name}"] for name in names]
    if len(norms) < 2:
        return
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


def overfitting(seen, row):
    """Finds a critic that has memorized its training samples."""
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


def clipped_weights(network):
    """`weights` are all clipped weights of a network, divided by their bound c. `clip_value` is c, or `None`."""
    clipped = [v for v in network.trainable_variables if isinstance(v.constraint, WeightClip)]
    return {
        "weights": np.concatenate([v.numpy().ravel() / v.constraint.clip_value for v in clipped] or [[]]),
        "clip_value": clipped[0].constraint.clip_value if clipped else None,
    }
