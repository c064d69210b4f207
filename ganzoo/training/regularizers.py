"""What any adversarial model can add to its losses: LeCam, consistency under augmentation, top-k.

Each is a function of a model, whose settings it reads, and of the `Update` that is being made.
"""

import tensorflow as tf
from keras import ops

from ganzoo import losses
from ganzoo.augmentation import FlipAndShift
from ganzoo.replicas import gather_over_replicas, mean_over_replicas, rows_of_replica
from ganzoo.training.critic import batch_size_of, pack, unpack

# Tseng et al., 2021: the decay of the running means of the scores.
LECAM_DECAY = 0.99

# Zhao et al., 2020: the standard deviation of the noise on latents.
LATENT_NOISE = 0.05

# Sinha et al., 2020: the share of the samples falls by this factor, once an epoch there.
TOP_K_DECAY = 0.99

DISCRIMINATOR_CONSISTENCIES = ("consistency_weight", "fake_consistency_weight", "latent_consistency_weight")


def scores_of(critic, samples):
    """The scores of samples: of a pass that the loss has made, or else of a new one."""
    scores = critic.scores_seen(samples)
    return critic(samples) if scores is None else scores


# === Of the discriminator's loss ===


def lecam(model, update):
    """The LeCam term, weighted; 0 in the first `lecam_start` steps. What the anchors follow is noted."""
    real_scores, fake_scores = (scores_of(update.critic, samples) for samples in (update.real, update.fake))
    model.note(real_anchor=ops.mean(real_scores), fake_anchor=ops.mean(fake_scores))
    real_anchor, fake_anchor = tf.unstack(tf.convert_to_tensor(model.anchors))
    value = losses.lecam_loss(real_scores, fake_scores, real_anchor, fake_anchor)
    model.track(lecam=value)
    return model.lecam_weight * ops.cast(model.step >= model.lecam_start, "float32") * value


def moved_anchors(model, notes):
    """The anchors after a step: of real and of generated scores, a tensor `(2,)`.

    In the first `lecam_start` steps they are the means of the newest step, later running means.
    """
    names = ("real_anchor", "fake_anchor")
    found = [tf.stack([part[name] for name in names]) for part in notes if "real_anchor" in part]
    if not found:
        raise ValueError(
            "LeCam's anchors follow the scores of each step, and this model's train_step hands none over: "
            "self.finish_step([self.noted(self.update_discriminator, real, condition), ...])."
        )
    newest = mean_over_replicas(tf.add_n(found) / len(found))
    decay = LECAM_DECAY * ops.cast(model.step >= model.lecam_start, "float32")
    return decay * model.anchors + (1.0 - decay) * newest


def consistency(model, update):
    """The weighted distances between the scores of samples and of the same samples, changed."""
    loss = 0.0
    changed = (("consistency", model.consistency_weight, update.real),)
    changed += (("fake_consistency", model.fake_consistency_weight, update.fake),)
    for name, weight, samples in changed:
        if weight:
            loss += weight * distance(model, name, update.critic, samples, augmented(model, samples))
    if model.latent_consistency_weight:
        moved = pack(neighbours(model, update), model.packing)
        weight = model.latent_consistency_weight
        loss += weight * distance(model, "latent_consistency", update.critic, update.fake, moved)
    return loss


def distance(model, name, critic, samples, changed):
    """The mean square of the difference of the scores, logged by that name."""
    value = ops.mean(ops.square(scores_of(critic, samples) - critic(changed)))
    model.track(**{name: value})
    return value


def augmented(model, samples):
    """Samples (packs of them) that are changed at random."""
    augmentation = model.consistency_augmentation or FlipAndShift()
    singles = unpack(samples, model.packing)
    numbers = model.uniform((batch_size_of(singles), augmentation.numbers))
    return pack(augmentation(singles, numbers), model.packing)


# === Of the generator's loss ===


def neighbours(model, update):
    """The samples of the update's latents, with a little noise on these."""
    noise = model.normal((batch_size_of(update.latents), *update.latents.shape[1:]))
    latents = update.latents + LATENT_NOISE * ops.cast(noise, update.latents.dtype)
    return model.decode(latents, update.condition, update.training)


def diversity(model, update):
    """The weighted term that pulls the samples of neighbouring latents apart: the negative of their mean square."""
    value = ops.mean(ops.square(update.samples - neighbours(model, update)))
    model.track(latent_diversity=value)
    return -model.latent_diversity_weight * value


def top_share(model):
    """The share of the generated samples that the generator learns from, in this step."""
    intervals = ops.cast(model.step // model.top_k_interval, "float32")
    return ops.maximum(model.top_k, TOP_K_DECAY**intervals)


class TopScores:
    """A critic that hands on the gradient of the k generated samples with the highest scores, and of no other.

    The scores stay as they are. The gradient of each of the k is B / k times as large, so that a loss that is a mean
    over the B samples of a batch has the gradient of the mean over the k. The batch is the global one on replicas.

    Args:
        critic: `Critic`.
        fake: Float32 tensor, the generated samples.
        share: Float32 scalar, k / B, to the nearest k of at least 1.
    """

    def __init__(self, critic, fake, share):
        self.critic = critic
        self.fake = fake
        self.share = share

    def __call__(self, samples):
        scores = self.critic(samples)
        if samples is not self.fake:
            return scores
        constant, weights = ops.stop_gradient(scores), top_weights(scores, self.share)
        return constant + ops.reshape(weights, (-1, *[1] * (len(scores.shape) - 1))) * (scores - constant)

    def __getattr__(self, name):
        return getattr(self.critic, name)


def top_weights(scores, share):
    """B / k for the samples with the k highest scores of the global batch of B, 0 for the others; `(batch,)`."""
    own = ops.stop_gradient(ops.mean(ops.reshape(scores, (ops.shape(scores)[0], -1)), axis=-1))
    everyone = gather_over_replicas(own)
    ranks = tf.argsort(tf.argsort(everyone, direction="DESCENDING", stable=True))
    total = ops.cast(ops.shape(everyone)[0], "float32")
    count = ops.maximum(1.0, ops.round(share * total))
    weights = ops.where(ops.cast(ranks, "float32") < count, total / count, 0.0)
    return rows_of_replica(weights, own)


# === Checks ===


def check(model):
    """Raises a `ValueError` for a regularizer that a model cannot have."""
    names = ("lecam_weight", *DISCRIMINATOR_CONSISTENCIES)
    used = [name for name in names if getattr(model, name)] + ["top_k"] * (model.top_k < 1)
    if used and not model.ranks_samples:
        raise ValueError(
            f"`{used[0]}` needs one discriminator with one score for each sample, and that of "
            f"{type(model).__name__} is of another kind. Leave it out."
        )
    changed = [name for name in DISCRIMINATOR_CONSISTENCIES[:2] if getattr(model, name)]
    if changed and (len(model.image_shape) != 3 or model.conditions.translates):
        raise ValueError(
            f"`{changed[0]}` changes images, and the scores of a model that translates images depend on their inputs, "
            f"too. Received: samples of the shape {model.image_shape}. Leave it out."
        )
    discriminator = getattr(model, "discriminator", None)  # Settings may come before it.
    if model.top_k < 1 and discriminator is not None and isinstance(discriminator.output, dict):
        raise ValueError(
            "`top_k` chooses samples by their scores, and this discriminator has further outputs, whose losses would "
            f"see all samples: {', '.join(discriminator.output)}. Leave it out."
        )
    moved = [name for name in ("latent_consistency_weight", "latent_diversity_weight") if getattr(model, name)]
    if moved and not (model.has_latents and tf.as_dtype(model.latent_dtype).is_floating):
        raise ValueError(f"`{moved[0]}` puts noise on latents that are floats, and this model has none. Leave it out.")
    if moved and model.draws_beside_latents:
        raise ValueError(
            f"`{moved[0]}` compares samples whose latents alone differ, and {type(model).__name__} draws more than "
            "latents for each sample. Leave it out."
        )
