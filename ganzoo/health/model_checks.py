"""Checks for combinations of networks, losses and optimizers that train badly.

Each check is a generator function `(model)` -> `Finding`s. `CHECKS` lists them all.
"""

import contextlib

import keras
import tensorflow as tf

from ganzoo.constraints import WeightClip
from ganzoo.health.findings import Finding
from ganzoo.health.no_trace import no_trace
from ganzoo.health.stand_in import StandIn
from ganzoo.networks import graph
from ganzoo.training.critic import Update

MADE_BY = {"generator": "samples", "discriminator": "scores", "encoder": "latents"}


# === Parts of a model ===


def is_adversarial(model):
    """Whether the model has a discriminator."""
    return getattr(model, "discriminator", None) is not None


def gives_scores(model):
    """Whether the discriminator gives scores. The discriminator of BEGAN reconstructs samples instead."""
    return is_adversarial(model) and not getattr(model, "reconstructs", False)


def networks_of(model):
    """The networks that a step trains, by role."""
    found = {role: getattr(model, role, None) for role in MADE_BY}
    return {role: network for role, network in found.items() if network is not None}


def names(layers):
    """The names of the first layers, for a message."""
    return ", ".join(repr(layer.name) for layer in layers[:3]) + (", ..." if len(layers) > 3 else "")


def penalizes_gradients(model):
    """Whether the discriminator's loss contains the gradient of its scores with respect to the samples.

    The loss is traced, not computed, with a stand-in for the critic that notices when it is differentiated.
    """
    shape = tuple(graph.scores_of(model.discriminator).shape[1:])
    samples = tf.zeros((2, *model.discriminator.inputs[0].shape[1:]))
    noticed = []

    @tf.custom_gradient
    def scores(samples):
        def gradient(upstream):
            noticed.append(True)
            return tf.zeros_like(samples)

        means = tf.reduce_mean(samples, axis=range(1, len(samples.shape)))
        return tf.reshape(means, (-1, *[1] * len(shape))) + tf.zeros((1, *shape)), gradient

    condition = some_condition(model, 2 * model.packing)
    critic = StandIn(model, scores, condition)
    update = Update(critic, samples, samples, samples, latents=None, condition=condition, training=False)
    losses = (
        lambda: model.discriminator_objective(update),
        # A user's objective may need more than a trace provides, such as latents. The hook needs less.
        lambda: model.discriminator_loss(critic, samples, samples),
    )
    for loss in losses:
        with contextlib.suppress(Exception), no_trace(model):
            tf.function(loss, autograph=False).get_concrete_function()
            break
    return bool(noticed)


def some_condition(model, count):
    """A batch of conditions that are all zeros, or `None` for a model without conditions."""
    specs = dict(zip(model.conditions, model.conditions.specs(), strict=True))
    return model.conditions.join({name: tf.zeros((count, *spec.shape[1:]), spec.dtype) for name, spec in specs.items()})


# === Checks ===


def check_trainable(model):
    """Checks for a network that cannot learn."""
    for role, network in networks_of(model).items():
        if network.weights and not network.trainable_variables:
            yield Finding(
                "frozen_network",
                f"The {role} ({network.name!r}) has no trainable weights, so nothing in it learns. ganzoo updates each "
                "network with its own variables, and needs no trainable=False. Remove it before the model is made.",
                "Goodfellow et al., 2014, arXiv:1406.2661, Algorithm 1",
            )


def check_penalty(model):
    """Checks for layers that do not fit a gradient penalty."""
    if not is_adversarial(model) or not penalizes_gradients(model):
        return
    batch_norms = graph.batch_normalizations(model.discriminator)
    if batch_norms:
        yield Finding(
            "batch_normalization_with_penalty",
            f"The loss penalises the critic's gradient, and the critic has batch normalization ({names(batch_norms)}). "
            "It makes each score depend on the whole batch, where the penalty is on the gradient of one score in one "
            'sample. Take layer normalization or none: discriminator(image_shape, normalization="layer").',
            "Gulrajani et al., 2017, arXiv:1704.00028, Section 4, No critic batch normalization",
        )
    noisy = graph.noise_layers(model.discriminator)
    if noisy:
        yield Finding(
            "dropout_with_penalty",
            f"The loss penalises the critic's gradient, and the critic draws random numbers ({names(noisy)}). Each "
            "pass is then another function: the penalty holds the slope of one, and the scores come from others. "
            "Leave these layers out.",
            "Gulrajani et al., 2017, arXiv:1704.00028, Equation 3: one D in all three terms",
        )
    elus = graph.elus(model.discriminator)
    if elus:
        yield Finding(
            "elu_with_penalty",
            f"The loss penalises the critic's gradient, and the critic has ELUs ({names(elus)}), which failed under a "
            "penalty in the paper. Take (leaky) ReLU, or softplus(2x + 2) / 2 - 1, which looks alike.",
            "Gulrajani et al., 2017, arXiv:1704.00028",
        )


def check_momentum(model):
    """Checks for momentum in the optimizer of a critic with clipped weights."""
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
                "old gradients point elsewhere. Take keras.optimizers.RMSprop(5e-5, rho=0.99, epsilon=1e-16), or "
                "beta_1=0.",
                "Arjovsky et al., 2017, arXiv:1701.07875, Section 4.2",
            )


def check_precision(model):
    """Checks for networks that round their output before the loss sees it."""
    for role, network in networks_of(model).items():
        half = [tensor.dtype for tensor in network.outputs if tensor.dtype in ("float16", "bfloat16")]
        if half:
            yield Finding(
                "half_precision_output",
                f"The {role} ({network.name!r}) ends in {half[0]}, so its {MADE_BY[role]} are rounded before the loss "
                'sees them. Make its last layer with dtype="float32".',
                "Micikevicius et al., 2017, arXiv:1710.03740, Section 3.3",
            )


def check_scores(model):
    """Checks for bounded scores, where the losses need any number."""
    if not gives_scores(model):
        return
    activation = graph.activation_of(graph.scores_of(model.discriminator))
    if activation:
        yield Finding(
            "bounded_scores",
            f"The discriminator ({model.discriminator.name!r}) ends in {activation}, and the losses take scores "
            "of any size: where they need a probability, they contain the sigmoid themselves. Bounded scores can "
            "neither be sure nor keep their gradient. Make its last layer linear.",
            "Goodfellow et al., 2014, arXiv:1406.2661, Section 3; Arjovsky et al., 2017, arXiv:1701.07875, Equation 2",
        )


def check_logits(model):
    """Checks for bounded logits with a Bernoulli likelihood."""
    if getattr(model, "likelihood", None) != "bernoulli":
        return
    activation = graph.output_activation(model.decoder)
    if activation:
        yield Finding(
            "bounded_logits",
            f"The decoder ({model.decoder.name!r}) ends in {activation}, and the Bernoulli likelihood takes "
            "logits: it contains the sigmoid itself. Pixels can then be neither black nor white. Make the last "
            "layer linear.",
            "Kingma & Welling, 2013, arXiv:1312.6114, Appendix C.1",
        )


def check_batch_normalization_at_the_ends(model):
    """Checks for batch normalization of the generator's output or the discriminator's input."""
    if not is_adversarial(model):
        return
    found = []
    last = graph.normalization_before(model.generator.outputs[0])
    if last is not None:
        found.append(f"the output of the generator ({last.name!r})")
    for layer in graph.normalizations_of_the_input(model.discriminator):
        found.append(f"the input of the discriminator ({layer.name!r})")
    if found:
        yield Finding(
            "batch_normalization_at_the_ends",
            f"Batch normalization acts on {' and on '.join(found)}. Brightness and contrast of a sample then depend on "
            "its batch, and the training oscillates. Leave it out there.",
            "Radford et al., 2015, arXiv:1511.06434, Section 3",
        )


def check_spectral_normalization(model):
    """Checks for Keras' own spectral normalization, which overwrites kernels."""
    if not is_adversarial(model):
        return
    for role, network in networks_of(model).items():
        layers = graph.layers_of(network, keras.layers.SpectralNormalization)
        if layers:
            yield Finding(
                "keras_spectral_normalization",
                f"The {role} has keras.layers.SpectralNormalization ({names(layers)}), which divides the kernel itself "
                "at each forward pass in training: the update of one network changes the other. Take "
                "ganzoo.layers.SpectralDense and SpectralConv2D, which divide a copy.",
                "Miyato et al., 2018, arXiv:1802.05957, Equation 8 and Algorithm 1",
            )


def check_noise_on_replicas(model):
    """Checks for random layers that draw the same numbers on all replicas."""
    replicas = model.distribute_strategy.num_replicas_in_sync
    layers = [layer for network in networks_of(model).values() for layer in graph.noise_layers(network)]
    if replicas > 1 and layers:
        yield Finding(
            "same_noise_on_replicas",
            f"There are {replicas} replicas, and layers with random numbers of Keras' ({names(layers)}): each replica "
            "draws the same ones, so that their samples share masks. Leave these layers out, or train on one replica.",
            "Srivastava et al., 2014, JMLR 15, Section 5.1: a mask for each sample",
        )


CHECKS = (
    check_trainable,
    check_penalty,
    check_momentum,
    check_precision,
    check_scores,
    check_logits,
    check_batch_normalization_at_the_ends,
    check_spectral_normalization,
    check_noise_on_replicas,
)
