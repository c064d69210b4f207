"""What is going to go wrong, told before the first step: bad combinations of networks, optimizers and data, by name.

What can be no one's intention is refused by an error (`checks`, `feed`). What is found here trains, and trains badly.
"""

import dataclasses
import time
import warnings

import keras
import numpy as np
import tensorflow as tf

from ganzoo.constraints import WeightClip
from ganzoo.networks.unet import BatchStatisticsNormalization
from ganzoo.training import feed

# A check looks at the first batches only: until it has so many samples, so many numbers, or so many seconds are over.
MAX_SAMPLES, MAX_VALUES, MAX_SECONDS = 1000, 2**24, 1.0

# Fewer distinct samples tell no dimension, and that is what latents must fall below to be too few of them: estimates of
# a dimension differ by a third from each other.
SAMPLES_FOR_DIMENSION, CLEARLY_FEWER = 500, 2 / 3

# Below it, Figure 1 of Wu & He shows the error of batch normalization rise steeply.
SMALL_BATCH = 8

# What an output activation can make. Others, such as a linear one, make any value, or are not known.
RANGES = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": (0.0, np.inf),
    "relu6": (0.0, 6.0),
}

# Operations that move values about and change none.
MOVES = ("Reshape", "Flatten", "Permute", "Transpose", "Cropping1D", "Cropping2D", "Cropping3D", "Cast", "Identity")

# Transformations of tf.data that keep no state; reading them changes nothing for the next reader.
STATELESS = (
    *("Tensor", "TensorSlice", "Range", "Batch", "Unbatch", "Restructured", "Map", "Filter", "Zip", "Concatenate"),
    *("Take", "Skip", "Shard", "Repeat", "Prefetch", "Options", "AssertCardinality"),
)


@dataclasses.dataclass(frozen=True)
class Finding:
    """A bad combination.

    Args:
        name: String, such as `"momentum_with_clipping"`.
        message: String: what was found, why it is bad, and what to do.
        reference: String, the paper that explains it.
    """

    name: str
    message: str
    reference: str

    def __str__(self):
        return f"{self.name}: {self.message} [{self.reference}]"


@dataclasses.dataclass(frozen=True)
class Data:
    """What a check has seen of a dataset.

    Args:
        samples: Float array `(count, ...)`.
        inputs: Float array, the input images of a model that translates; or `None`.
        labels: Integer array, or `None`. All of the dataset where `all_labels` says so, else those of the samples.
        batch_size: Integer.
        all_labels: Boolean.
    """

    samples: np.ndarray
    inputs: np.ndarray | None
    labels: np.ndarray | None
    batch_size: int
    all_labels: bool


def check(model, dataset=None, batch=None):
    """Looks for bad combinations of a model, its optimizers and a dataset. Changes none of them.

    Of the data, it looks at up to 1,000 samples, of the first batches, and at all labels of a dataset of `ganzoo.data`.
    A dataset is not read if that leaves a trace in it, as in one that shuffles by a random state or comes from a Python
    generator; `batch` is then all that is looked at.

    Args:
        model: `GenerativeModel`, compiled.
        dataset: `tf.data.Dataset` of batches, as `fit` takes it. Defaults to `None`: the model alone is checked.
        batch: A batch of it that has been read already, for a dataset that is not read again. Defaults to `None`.

    Returns:
        List of `Finding`, empty if all is well.

    Raises:
        ValueError: If the data do not fit the model, as in `fit`.
    """
    findings = [finding for look in MODEL_CHECKS for finding in look(model)]
    if dataset is None:
        return findings
    feed.check_dataset(model, dataset)
    data = read(model, dataset, batch)
    batch_size = feed.first_part(dataset.element_spec).shape[0] if data is None else data.batch_size
    findings += [] if batch_size is None else check_small_batch(model, batch_size)
    if data is None:
        return findings
    broken = list(check_finite(model, data))
    return findings + (broken or [finding for look in DATA_CHECKS for finding in look(model, data)])


def warn(model, dataset=None, batch=None, stacklevel=3):
    """Shows what `check` finds as one `UserWarning`; arguments as there."""
    findings = check(model, dataset, batch)
    if findings and model.is_chief:
        lines = "\n".join(f"- {finding}" for finding in findings)
        warnings.warn(
            f"{type(model).__name__} is about to be trained in a way that is known to go wrong. If it is meant, pass "
            f"fit(..., check=False).\n{lines}",
            UserWarning,
            stacklevel=stacklevel,
        )


# === The data ===


def read(model, dataset, batch=None):
    """Returns the `Data` of a dataset, or `None` if there are none that may be read."""
    batches, count, start = [], 0, time.monotonic()
    for element in dataset if can_be_read_again(dataset) else [] if batch is None else [batch]:
        batches.append(feed.arrange(model, element))
        samples = batches[-1][0]
        count += len(samples)
        size = samples.size // max(len(samples), 1)
        if count >= min(MAX_SAMPLES, MAX_VALUES // max(size, 1)) or time.monotonic() - start > MAX_SECONDS:
            break
    if not count:
        return None
    samples, condition = (feed.concatenate(parts) for parts in zip(*batches))
    translates = model.conditions.translates
    everything = getattr(getattr(dataset, "source", None), "labels", None)
    if model.conditions.label is None or len(model.conditions) > 1:
        labels = everything = None
    else:
        labels = condition if everything is None else everything.numpy()
    return Data(
        samples=samples[:MAX_SAMPLES],
        inputs=condition[:MAX_SAMPLES] if translates else None,
        labels=labels,
        batch_size=len(batches[0][0]),
        all_labels=everything is not None,
    )


def can_be_read_again(dataset):
    """Whether reading a dataset once more leaves no trace in it.

    Those of `ganzoo.data` are functions of seed, epoch and position. Of others, all transformations must be known to
    keep no state, and their functions must have none: no random numbers, no Python, no variables.
    """
    if hasattr(dataset, "stream"):
        return True
    pending = [dataset]
    while pending:
        part = pending.pop()
        name = type(part).__name__.removeprefix("_").removeprefix("Parallel").removesuffix("Dataset")
        operations = [op for function in part._functions() for op in function.function.graph.get_operations()]
        if name not in STATELESS or any(op.op_def is not None and op.op_def.is_stateful for op in operations):
            return False
        pending += part._inputs()
    return True


# === What a model is made of ===


def is_adversarial(model):
    """Whether there is a discriminator."""
    return getattr(model, "discriminator", None) is not None


def reconstructs(model):
    """Whether the discriminator gives samples in the place of scores."""
    from ganzoo.models.began import BEGAN  # It imports this module.

    return isinstance(model, BEGAN)


def networks_of(model):
    """The networks that a step trains, by name."""
    found = {role: getattr(model, role, None) for role in ("generator", "discriminator", "encoder")}
    return {role: network for role, network in found.items() if network is not None}


def layers_of(network, kinds):
    """All layers of those classes, in layers as well."""
    return [layer for layer in network._flatten_layers() if isinstance(layer, kinds)]


def names(layers):
    """The names of the first layers, for a message."""
    return ", ".join(repr(layer.name) for layer in layers[:3]) + (", ..." if len(layers) > 3 else "")


def made_by(tensor):
    """The operation whose output a symbolic tensor is, and the tensors that went in."""
    operation, node_index, _ = tensor._keras_history
    return operation, operation._inbound_nodes[node_index].input_tensors


def output_activation(network):
    """The name of the activation at the end of a network, one of `RANGES`; or `None`: linear, or not known."""
    tensor = network.outputs[0]
    while True:
        operation, inputs = made_by(tensor)
        if isinstance(operation, keras.Model):
            return output_activation(operation)
        kind = type(operation).__name__
        activation = getattr(operation, "activation", None)
        name = kind.lower() if activation is None else getattr(activation, "__name__", type(activation).__name__)
        if name in RANGES:
            return name
        if not inputs or not (kind in MOVES or (kind == "Activation" and name == "linear")):
            return None
        tensor = inputs[0]


def penalizes_gradients(model):
    """Whether the discriminator's loss holds the gradient of its scores with respect to the samples.

    The loss is traced, not computed, with a stand-in for the critic that notices when it is differentiated.
    """
    shape = tuple(model.discriminator.outputs[0].shape[1:])
    noticed = []

    @tf.custom_gradient
    def critic(samples):
        def gradient(upstream):
            noticed.append(True)
            return tf.zeros_like(samples)

        means = tf.reduce_mean(samples, axis=range(1, len(samples.shape)))
        return tf.reshape(means, (-1, *[1] * len(shape))) + tf.zeros((1, *shape)), gradient

    def loss():
        samples = tf.zeros((2, *model.discriminator.inputs[0].shape[1:]))
        with model.without_trace():
            return model.discriminator_loss(critic, samples, samples)

    try:
        tf.function(loss, autograph=False).get_concrete_function()
    except Exception:  # Someone's own loss may ask for more than a trace has. It is not checked then.
        return False
    return bool(noticed)


# === Checks of the model ===


def check_trainable(model):
    """A network that cannot learn."""
    for role, network in networks_of(model).items():
        if network.weights and not network.trainable_variables:
            yield Finding(
                "frozen_network",
                f"The {role} ({network.name!r}) has no trainable weights, so nothing in it learns. ganzoo updates each "
                "network with its own variables, and needs no trainable=False. Remove it before the model is made.",
                "Goodfellow et al., 2014, arXiv:1406.2661, Algorithm 1",
            )


def check_penalty(model):
    """Layers that do not go with a gradient penalty."""
    if not is_adversarial(model) or not penalizes_gradients(model):
        return
    batch_norms = layers_of(model.discriminator, keras.layers.BatchNormalization)
    if batch_norms:
        yield Finding(
            "batch_normalization_with_penalty",
            f"The loss penalises the critic's gradient, and the critic has batch normalization ({names(batch_norms)}). "
            "It makes each score depend on the whole batch, where the penalty is on the gradient of one score in one "
            'sample. Take layer normalization or none: discriminator(image_shape, normalization="layer").',
            "Gulrajani et al., 2017, arXiv:1704.00028, Section 4, No critic batch normalization",
        )
    noisy = noise_layers(model.discriminator)
    if noisy:
        yield Finding(
            "dropout_with_penalty",
            f"The loss penalises the critic's gradient, and the critic draws random numbers ({names(noisy)}). Each "
            "pass is then another function: the penalty holds the slope of one, and the scores come from others. "
            "Leave these layers out.",
            "Gulrajani et al., 2017, arXiv:1704.00028, Equation 3: one D in all three terms",
        )
    elus = [layer for layer in model.discriminator._flatten_layers() if is_elu(layer)]
    if elus:
        yield Finding(
            "elu_with_penalty",
            f"The loss penalises the critic's gradient, and the critic has ELUs ({names(elus)}), which failed under a "
            "penalty in the paper. Take (leaky) ReLU, or softplus(2x + 2) / 2 - 1, which looks alike.",
            "Gulrajani et al., 2017, arXiv:1704.00028",
        )


def noise_layers(network):
    """Layers with random numbers of their own, such as `Dropout`."""
    return [layer for layer in network._flatten_layers() if getattr(layer, "_seed_generators", None)]


def is_elu(layer):
    """Whether a layer is an exponential linear unit, or ends in one."""
    activation = getattr(layer, "activation", None)
    return isinstance(layer, keras.layers.ELU) or getattr(activation, "__name__", None) == "elu"


def check_momentum(model):
    """Momentum in the optimizer of a critic whose weights are clipped."""
    if not is_adversarial(model) or getattr(model, "discriminator_optimizer", None) is None:
        return
    if not any(isinstance(variable.constraint, WeightClip) for variable in model.discriminator.trainable_variables):
        return
    optimizer = model.discriminator_optimizer
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    for name in ("beta_1", "momentum"):
        value = getattr(optimizer, name, None)
        if isinstance(value, (int, float)) and value > 0:
            yield Finding(
                "momentum_with_clipping",
                f"The critic's weights are clipped, and its optimizer has momentum ({type(optimizer).__name__} with "
                f"{name}={value:g}). The paper found such training unstable: the critic's loss is not stationary, and "
                "old gradients point elsewhere. Take keras.optimizers.RMSprop(5e-5), or beta_1=0.",
                "Arjovsky et al., 2017, arXiv:1701.07875, Section 4.2",
            )


MADE_BY = {"generator": "samples", "discriminator": "scores", "encoder": "latents"}


def check_outputs(model):
    """Ends of networks that do not go with the loss, or lose precision."""
    for role, network in networks_of(model).items():
        half = [tensor.dtype for tensor in network.outputs if tensor.dtype in ("float16", "bfloat16")]
        if half:
            yield Finding(
                "half_precision_output",
                f"The {role} ({network.name!r}) ends in {half[0]}, so its {MADE_BY[role]} are rounded before the loss "
                'sees them. Make its last layer with dtype="float32".',
                "Micikevicius et al., 2017, arXiv:1710.03740, Section 3.3",
            )
    if is_adversarial(model) and not reconstructs(model):
        activation = output_activation(model.discriminator)
        if activation:
            yield Finding(
                "bounded_scores",
                f"The discriminator ({model.discriminator.name!r}) ends in {activation}, and the losses take scores "
                "of any size: where they need a probability, they contain the sigmoid themselves. Bounded scores can "
                "neither be sure nor keep their gradient. Make its last layer linear.",
                "Goodfellow et al., 2014, arXiv:1406.2661, Section 3; Arjovsky et al., 2017, arXiv:1701.07875, "
                "Equation 2",
            )
    if getattr(model, "likelihood", None) == "bernoulli":
        activation = output_activation(model.decoder)
        if activation:
            yield Finding(
                "bounded_logits",
                f"The decoder ({model.decoder.name!r}) ends in {activation}, and the Bernoulli likelihood takes "
                "logits: it contains the sigmoid itself. Pixels can then be neither black nor white. Make the last "
                "layer linear.",
                "Kingma & Welling, 2013, arXiv:1312.6114, Appendix C.1",
            )


def check_batch_normalization_at_the_ends(model):
    """Batch normalization of what the generator makes, or of what the discriminator is shown."""
    if not is_adversarial(model):
        return
    found = []
    last = normalization_before(model.generator.outputs[0])
    if last is not None:
        found.append(f"the output of the generator ({last.name!r})")
    for layer in model.discriminator.layers:
        if isinstance(layer, keras.layers.BatchNormalization) and reaches(layer, model.discriminator.inputs[0]):
            found.append(f"the input of the discriminator ({layer.name!r})")
    if found:
        yield Finding(
            "batch_normalization_at_the_ends",
            f"Batch normalization acts on {' and on '.join(found)}. Brightness and contrast of a sample then depend on "
            "its batch, and the training oscillates. Leave it out there.",
            "Radford et al., 2015, arXiv:1511.06434, Section 3",
        )


def normalization_before(tensor):
    """The batch normalization that a tensor comes from through activations and moves only, or `None`."""
    while True:
        operation, inputs = made_by(tensor)
        if isinstance(operation, keras.layers.BatchNormalization):
            return operation
        passes = type(operation).__name__ in (*MOVES, "Activation") or type(operation).__name__.lower() in RANGES
        if not inputs or not passes:
            return None
        tensor = inputs[0]


def reaches(layer, source):
    """Whether a layer's input is a tensor, moved about or beside others at most."""
    pending = list(layer._inbound_nodes[0].input_tensors)
    while pending:
        tensor = pending.pop()
        if tensor is source:
            return True
        operation, inputs = made_by(tensor)
        if type(operation).__name__ in (*MOVES, "Concatenate"):
            pending += inputs
    return False


def check_spectral_normalization(model):
    """Keras' own spectral normalization, which writes over kernels."""
    for role, network in networks_of(model).items():
        layers = layers_of(network, keras.layers.SpectralNormalization)
        if layers and is_adversarial(model):
            yield Finding(
                "keras_spectral_normalization",
                f"The {role} has keras.layers.SpectralNormalization ({names(layers)}), which divides the kernel itself "
                "at each forward pass in training: the update of one network changes the other. Take "
                "ganzoo.layers.SpectralDense and SpectralConv2D, which divide a copy.",
                "Miyato et al., 2018, arXiv:1802.05957, Equation 8 and Algorithm 1",
            )


def check_noise_on_replicas(model):
    """Random layers whose numbers are the same on all replicas."""
    replicas = model.distribute_strategy.num_replicas_in_sync
    layers = [layer for network in networks_of(model).values() for layer in noise_layers(network)]
    if replicas > 1 and layers:
        yield Finding(
            "same_noise_on_replicas",
            f"There are {replicas} replicas, and layers with random numbers of Keras' ({names(layers)}): each replica "
            "draws the same ones, so that their samples share masks. Leave these layers out, or train on one replica.",
            "Srivastava et al., 2014, JMLR 15, Section 5.1: a mask for each sample",
        )


MODEL_CHECKS = (
    check_trainable,
    check_penalty,
    check_momentum,
    check_outputs,
    check_batch_normalization_at_the_ends,
    check_spectral_normalization,
    check_noise_on_replicas,
)


# === Checks of the model with its data ===


def check_small_batch(model, batch_size):
    """Batch normalization over too few samples."""
    replicas = model.distribute_strategy.num_replicas_in_sync
    for role, network in networks_of(model).items():
        packing = model.packing if role == "discriminator" else 1
        for layer in layers_of(network, keras.layers.BatchNormalization):
            if isinstance(layer, BatchStatisticsNormalization) or not layer.trainable:
                continue
            together = layer.synchronized or replicas == 1
            count = batch_size // packing // (1 if together else replicas)
            if count < SMALL_BATCH:
                packs = f", packs of {packing}" if packing > 1 else ""
                share = "" if together else f", {replicas} replicas"
                fix = "larger batches" if together else "larger batches, or synchronized=True"
                yield Finding(
                    "small_batch_for_batch_normalization",
                    f"Batch normalization in the {role} ({layer.name!r}) has {count} samples for its statistics "
                    f"(batches of {batch_size}{packs}{share}); below {SMALL_BATCH} they are mostly noise. Take "
                    f"{fix}; or layer or instance normalization, which need no batch.",
                    "Wu & He, 2018, arXiv:1803.08494, Figure 1",
                )
                break


def check_finite(model, data):
    """Values that are no numbers, in later batches than the first, which `fit` checks."""
    bad = int(sum(not np.isfinite(sample).all() for sample in data.samples))
    if bad:
        yield Finding(
            "not_finite",
            f"{bad} of {len(data.samples)} samples hold NaN or infinite values. One of them makes all weights NaN. "
            "Find and drop them.",
            "IEEE 754: NaN passes through every sum",
        )


def check_range(model, data):
    """Data in another range than the images of the model."""
    if len(model.image_shape) != 3:
        return
    for what, images in (("data", data.samples), ("input images", data.inputs)):
        if images is None:
            continue
        low, high = float(images.min()), float(images.max())
        found = f"The {what} lie in [{low:.4g}, {high:.4g}]"
        if low >= 0:
            activation = output_activation(model.generator)
            reached = f", and the generator ends in {activation}" if activation else ""
            yield Finding(
                "unit_range",
                f"{found}, never below 0{reached}. Images of ganzoo fill [-1, 1]: half of the range stays unused, and "
                "what `generate` and `export` call black is grey in the data. If they are scaled to [0, 1], pass "
                "images * 2 - 1.",
                "Radford et al., 2015, arXiv:1511.06434, Section 4: images scaled to the range of the tanh",
            )
        elif high - low < 0.05:
            yield Finding(
                "narrow_range",
                f"{found}, a fortieth of [-1, 1] or less: they look scaled twice. Scale 0..255 once, with "
                "ganzoo.data.normalize (x / 127.5 - 1).",
                "Radford et al., 2015, arXiv:1511.06434, Section 4: images scaled to the range of the tanh",
            )


def check_reach(model, data):
    """Values that a generator cannot make, or that the discriminator of BEGAN cannot reconstruct."""
    networks = {"generator": model.generator}
    if reconstructs(model):
        networks["discriminator"] = model.discriminator
    for role, network in networks.items():
        activation = output_activation(network)
        if activation is None:
            continue
        low, high = RANGES[activation]
        outside = float(np.mean((data.samples < low - 1e-3) | (data.samples > high + 1e-3)))
        if outside > 1e-3:
            yield Finding(
                "unreachable_values",
                f"{outside:.1%} of the values in the data lie outside of [{low:g}, {high:g}], which the {role}'s "
                f"{activation} cannot leave; they reach from {data.samples.min():.4g} to {data.samples.max():.4g}. "
                f"Give the {role} a tanh for data in [-1, 1], or a linear output.",
                "Radford et al., 2015, arXiv:1511.06434, Section 4: images scaled to the range of the tanh",
            )


def check_equal_samples(model, data):
    """Data that are mostly one sample."""
    if len(data.samples) < 2:
        return
    samples = data.samples.reshape(len(data.samples), -1).astype("float32")
    middle = np.median(samples, axis=0)  # Of data that are mostly one sample, this is the one.
    tolerance = (0.01 if len(model.image_shape) == 3 else 1e-6) * (samples.max() - samples.min())
    share = float(np.mean(np.sqrt(np.mean((samples - middle) ** 2, axis=1)) <= tolerance))
    if share > 0.5:
        yield Finding(
            "equal_samples",
            f"{share:.0%} of {len(samples)} samples are (nearly) equal. A generator that makes nothing else has won. "
            "Look at the data: was one file read again and again, or were values rounded away?",
            "Goodfellow et al., 2014, arXiv:1406.2661, Theorem 1: the optimum is the distribution of the data",
        )


def check_channels(model, data):
    """A channel that never changes."""
    if len(model.image_shape) != 3 or model.image_shape[-1] < 2 or len(data.samples) < 2:
        return
    flat = data.samples.reshape(-1, model.image_shape[-1])
    low, high = flat.min(axis=0), flat.max(axis=0)
    constant = np.flatnonzero(high - low < 1e-6)
    if 0 < len(constant) < len(low):
        values = ", ".join(f"channel {index} is {low[index]:.4g}" for index in constant)
        yield Finding(
            "constant_channels",
            f"In all pixels of the data, {values}. The discriminator tells every generated image by its deviation "
            "there, and learns nothing else. Drop the channel, such as an opaque alpha: channels=3.",
            "Arjovsky & Bottou, 2017, arXiv:1701.04862, Theorem 2.1",
        )


def check_labels(model, data):
    """Labels that a conditional model cannot learn from."""
    if model.num_classes is None or data.labels is None or not len(data.labels):
        return
    labels, classes = data.labels, model.num_classes
    seen = np.unique(labels)
    where = f"all {len(labels)} samples" if data.all_labels else f"the first {len(labels)} samples"
    outside = seen[(seen < 0) | (seen >= classes)]
    reference = "Mirza & Osindero, 2014, arXiv:1411.1784, Equation 2"
    if len(outside):
        yield Finding(
            "labels_out_of_range",
            f"Labels must lie in 0..{classes - 1} (num_classes={classes}), and {where} hold {outside[:5].tolist()}. "
            "Such a label becomes a vector of zeros, the same for all of them.",
            reference,
        )
    if len(seen) == 1 and classes > 1:
        yield Finding(
            "one_class",
            f"The model has {classes} classes, and {where} have the label {seen[0]}. It can learn no other. Either the "
            "data are of one class, or they are sorted by class: shuffle them.",
            reference,
        )
        return
    missing = np.setdiff1d(np.arange(classes), seen)
    if len(missing) and (data.all_labels or len(labels) >= 100 * classes):
        yield Finding(
            "empty_classes",
            f"The model has {classes} classes, and among {where} there is none of {missing[:10].tolist()}. What it "
            "generates for them is arbitrary. Number the classes from 0 on, and count them in num_classes.",
            reference,
        )


def check_latents(model, data):
    """Fewer latents than the data have dimensions.

    Models with an encoder are left out: a narrow bottleneck is what they are for, two latents to draw them, say, and
    their loss shows what it costs. So are models that translate images, whose samples hang on the input.
    """
    if "encoder" in networks_of(model) or data.inputs is not None:
        return
    dimension = intrinsic_dimension(data.samples)
    if dimension is not None and model.latent_dim < CLEARLY_FEWER * dimension:
        yield Finding(
            "few_latents",
            f"The generator has {model.latent_dim} latents, and the data about {dimension:.1f} dimensions (maximum "
            f"likelihood, from {len(data.samples)} samples). What it makes lies on a manifold of {model.latent_dim} "
            f"dimensions at most, and cannot fill them. Take latent_dim={2 * int(np.ceil(dimension))} or more.",
            "Arjovsky & Bottou, 2017, arXiv:1701.04862, Lemma 1; Levina & Bickel, 2004, NeurIPS 17",
        )


DATA_CHECKS = (
    check_range,
    check_reach,
    check_equal_samples,
    check_channels,
    check_labels,
    check_latents,
)


def intrinsic_dimension(samples, first=10, last=20):
    """Maximum-likelihood estimate of the dimension of the manifold that samples lie on, or `None` for too few of them.

        1 / d = mean over samples and j < k of log(T_k / T_j),   T_j the distance to the j-th neighbour

    averaged over k. It sees distances between neighbours, and tells too few dimensions rather than too many where
    samples are rare. Of images larger than 32 pixels it sees every second, third, ... row and column.

    Reference: Levina & Bickel, 2004, "Maximum likelihood estimation of intrinsic dimension", Equations 8 and 9, with
    the inverse averaged over the samples, as MacKay & Ghahramani, 2005, show to be the maximum-likelihood estimate.

    Args:
        samples: Float array `(count, ...)`.
        first, last: Integers, smallest and largest k. Default to `10` and `20`.

    Returns:
        Float, or `None` for fewer than 500 distinct samples.
    """
    if samples.ndim == 4:
        rows, columns = (-(-side // 32) for side in samples.shape[1:3])
        samples = samples[:, ::rows, ::columns]
    points = np.stack(list({sample.tobytes(): sample for sample in samples.reshape(len(samples), -1)}.values()))
    if len(points) < max(SAMPLES_FOR_DIMENSION, last + 1):
        return None
    points = points - points.mean(axis=0, dtype="float64")
    squares = np.sum(points**2, axis=1)
    distances = squares[:, None] + squares - 2 * points @ points.T
    np.fill_diagonal(distances, np.inf)
    nearest = np.sort(np.partition(distances, last, axis=1)[:, :last], axis=1)
    logs = np.log(np.maximum(nearest, 1e-12 * squares.mean())) / 2
    inverses = [np.mean(logs[:, k - 1 : k] - logs[:, : k - 1]) for k in range(first, last + 1)]
    return float(np.mean(1 / np.maximum(inverses, 1e-12)))
