"""Bad combinations of networks, losses and optimizers: each finding where it belongs, silence elsewhere."""

import keras
import pytest
from keras import layers

import ganzoo
from ganzoo.health.model_checks import penalizes_gradients
from ganzoo.penalties import zero_centered_penalty
from tests.check_model import digest, tiny
from tests.health.set_ups import (
    SHAPE,
    Clipped,
    Penalized,
    Wasserstein,
    critic_optimizer,
    discriminator,
    found,
    generator,
    message,
    model_of,
    on_two_replicas,
    wgan,
)

# === Networks and optimizers: (with the finding, without it) ===

FROZEN = discriminator()
FROZEN.trainable = False
HALF_FROZEN = discriminator()
HALF_FROZEN.get_layer("hidden").trainable = False


def half_precision(**head):
    keras.config.set_dtype_policy("mixed_bfloat16")
    image = keras.Input(SHAPE)
    network = keras.Model(image, layers.Dense(1, **head)(layers.Flatten()(image)))
    model = model_of(Wasserstein, ganzoo.networks.mlp.generator(SHAPE, 2, (4,)), network)
    keras.config.set_dtype_policy("float32")
    return model


OF_THE_MODEL = {
    "a frozen discriminator": (
        "frozen_network",
        lambda: model_of(Wasserstein, generator(), FROZEN),
        lambda: model_of(Wasserstein, generator(), HALF_FROZEN),
    ),
    "batch normalization under a penalty": (
        "batch_normalization_with_penalty",
        lambda: model_of(Penalized, generator(), discriminator(layers.BatchNormalization())),
        lambda: model_of(Penalized, generator(), discriminator(layers.LayerNormalization())),
    ),
    "batch normalization without a penalty": (
        "batch_normalization_with_penalty",
        lambda: model_of(Penalized, generator(), discriminator(keras.Sequential([layers.BatchNormalization()]))),
        lambda: model_of(Wasserstein, generator(), discriminator(layers.BatchNormalization())),
    ),
    "dropout under a penalty": (
        "dropout_with_penalty",
        lambda: model_of(ganzoo.WGANGP, generator(), discriminator(layers.Dropout(0.3))),
        lambda: model_of(ganzoo.WGANGP, generator(), discriminator(layers.Dropout(0.0))),
    ),
    "dropout without a penalty": (
        "dropout_with_penalty",
        lambda: model_of(ganzoo.GAN, generator(), discriminator(layers.GaussianNoise(0.1)), r1_weight=1.0),
        lambda: model_of(ganzoo.GAN, generator(), discriminator(layers.Dropout(0.3))),
    ),
    "ELU under a penalty": (
        "elu_with_penalty",
        lambda: model_of(ganzoo.DRAGAN, generator(), discriminator(layers.Dense(2, activation="elu"))),
        lambda: model_of(ganzoo.DRAGAN, generator(), discriminator(layers.Dense(2, activation="softplus"))),
    ),
    "an ELU layer without a penalty": (
        "elu_with_penalty",
        lambda: model_of(ganzoo.R3GAN, generator(), discriminator(layers.ELU())),
        lambda: model_of(ganzoo.GAN, generator(), discriminator(layers.ELU())),
    ),
    "Adam with clipping": (
        "momentum_with_clipping",
        lambda: model_of(Clipped, optimizers=critic_optimizer("adam")),
        lambda: model_of(Clipped, optimizers=critic_optimizer(keras.optimizers.Adam(beta_1=0.0))),
    ),
    "SGD with momentum in WGAN": (
        "momentum_with_clipping",
        lambda: wgan(discriminator_optimizer=keras.optimizers.SGD(0.1, momentum=0.5)),
        lambda: wgan(generator_optimizer=keras.optimizers.SGD(0.1, momentum=0.5)),
    ),
    "RMSprop with momentum, scaled": (
        "momentum_with_clipping",
        lambda: model_of(
            Clipped,
            optimizers=critic_optimizer(
                keras.optimizers.LossScaleOptimizer(keras.optimizers.RMSprop(1e-4, momentum=0.9))
            ),
        ),
        lambda: model_of(Wasserstein, optimizers=critic_optimizer(keras.optimizers.RMSprop(1e-4, momentum=0.9))),
    ),
    "a half-precision head": ("half_precision_output", half_precision, lambda: half_precision(dtype="float32")),
    "a sigmoid layer at the end": (
        "bounded_scores",
        lambda: model_of(ganzoo.GAN, generator(), discriminator(last=[layers.Activation("sigmoid")])),
        lambda: model_of(ganzoo.GAN, generator(), discriminator(layers.Activation("sigmoid"))),
    ),
    "a sigmoid in a model in a model, reshaped": (
        "bounded_scores",
        lambda: model_of(
            ganzoo.LSGAN,
            generator(),
            discriminator(last=[keras.Sequential([layers.Dense(1, activation="sigmoid")]), layers.Reshape((1, 1))]),
        ),
        lambda: model_of(ganzoo.LSGAN, generator(), discriminator(last=[layers.Reshape((1, 1))])),
    ),
    "keras.ops.tanh": (
        "bounded_scores",
        lambda: model_of(ganzoo.WGANGP, generator(), discriminator(last=[keras.ops.tanh])),
        lambda: model_of(ganzoo.WGANGP, generator(), discriminator(last=[keras.ops.tanh, lambda x: 9.0 * x])),
    ),
    "a Bernoulli decoder with a sigmoid": (
        "bounded_logits",
        lambda: tiny(ganzoo.VAE, SHAPE, hidden=(4,), output_activation="sigmoid"),
        lambda: tiny(ganzoo.VAE, SHAPE, hidden=(4,)),
    ),
    "a Gaussian decoder with a softplus": (
        "bounded_logits",
        lambda: tiny(ganzoo.VAE, SHAPE, hidden=(4,), output_activation="tanh"),
        lambda: tiny(ganzoo.VAE, SHAPE, hidden=(4,), output_activation="softplus", likelihood="gaussian"),
    ),
    "batch normalization of the output": (
        "batch_normalization_at_the_ends",
        lambda: model_of(
            ganzoo.GAN, generator(layers.BatchNormalization(), layers.Activation("tanh")), discriminator()
        ),
        lambda: model_of(
            ganzoo.GAN, generator(layers.BatchNormalization(), layers.Conv2D(1, 3, padding="same")), discriminator()
        ),
    ),
    "batch normalization of the input": (
        "batch_normalization_at_the_ends",
        lambda: model_of(ganzoo.GAN, generator(), discriminator(first=[layers.Flatten(), layers.BatchNormalization()])),
        lambda: model_of(ganzoo.GAN, generator(), discriminator(first=[layers.Flatten(), layers.LayerNormalization()])),
    ),
    "Keras' spectral normalization": (
        "keras_spectral_normalization",
        lambda: model_of(ganzoo.GAN, generator(), discriminator(layers.SpectralNormalization(layers.Dense(3)))),
        lambda: model_of(ganzoo.GAN, generator(), discriminator(ganzoo.layers.SpectralDense(3))),
    ),
    "dropout on two replicas": (
        "same_noise_on_replicas",
        lambda: on_two_replicas(lambda: layers.Dropout(0.3)),
        lambda: on_two_replicas(lambda: layers.Dropout(0.0)),
    ),
}


@pytest.mark.parametrize("case", OF_THE_MODEL)
def test_model(case):
    name, bad, good = OF_THE_MODEL[case]
    assert found(bad()) == [name]
    assert found(good()) == []


def test_messages_name_what_was_found():
    bad = {case: bad for case, (_, bad, _) in OF_THE_MODEL.items()}
    assert "Adam with beta_1=0.9" in message(bad["Adam with clipping"]())
    assert "RMSprop with momentum=0.9" in message(bad["RMSprop with momentum, scaled"]())
    assert "('own_discriminator') ends in sigmoid" in message(bad["a sigmoid layer at the end"]())
    assert "arXiv:1701.07875, Section 4.2" in message(bad["Adam with clipping"]())
    assert "arXiv:1704.00028, Section 4" in message(bad["batch normalization under a penalty"]())
    assert "the output of the generator" in message(bad["batch normalization of the output"]())


def test_penalties_are_noticed_without_being_computed():
    settings = {"hidden": (4,), "run_eagerly": True}
    for kind, extra, penalized in (
        (ganzoo.GAN, {}, False),
        (ganzoo.GAN, {"r1_weight": 1.0}, True),
        (ganzoo.GAN, {"r2_weight": 1.0}, True),
        (ganzoo.LSGAN, {}, False),
        (ganzoo.WGAN, {}, False),
        (ganzoo.SNGAN, {}, False),
        (ganzoo.SNGAN, {"r1_weight": 1.0}, True),
        (ganzoo.PresGAN, {}, False),
        (ganzoo.WGANGP, {}, True),
        (ganzoo.WGANDiv, {}, True),
        (ganzoo.CramerGAN, {"score_dim": 2}, True),
        (ganzoo.DRAGAN, {}, True),
        (ganzoo.R3GAN, {}, True),
        (ganzoo.CGAN, {"num_classes": 3}, False),
        (ganzoo.CGAN, {"num_classes": 3, "r1_weight": 1.0}, True),
    ):
        model = tiny(kind, (3,), **settings, **extra)
        before = digest(model)
        assert penalizes_gradients(model) == penalized, kind
        assert digest(model) == before
        assert model.metrics == []


def test_a_loss_that_cannot_be_traced_is_not_checked():
    class Strange(Wasserstein):
        def discriminator_loss(self, critic, real, fake):
            strength = float(real[0, 0, 0, 0])
            return strength * zero_centered_penalty(critic, real)

    assert not penalizes_gradients(model_of(Strange))


def test_an_objective_of_ones_own_is_checked_too():
    """Where the penalty stands beside the hooks; and where the objective asks for more than a trace has."""

    class Beside(Wasserstein):
        def discriminator_objective(self, update):
            return super().discriminator_objective(update) + zero_centered_penalty(update.critic, update.real)

    class WithLatents(Penalized):
        def discriminator_objective(self, update):
            return super().discriminator_objective(update) + update.latents["of nobody"]

    class WithLatentsOnly(Wasserstein):
        def discriminator_objective(self, update):
            return super().discriminator_objective(update) + update.latents["of nobody"]

    found_in = [penalizes_gradients(model_of(kind)) for kind in (Beside, WithLatents, WithLatentsOnly)]
    assert found_in == [True, True, False]


def test_of_a_discriminator_with_heads_the_scores_count():
    def with_heads(score, classes):
        image = keras.Input(SHAPE)
        x = layers.Flatten()(image)
        # In Keras' order of a dictionary the classes come first.
        outputs = {"classes": layers.Dense(3, activation=classes)(x), "scores": layers.Dense(1, activation=score)(x)}
        return keras.Model(image, outputs, name="own_discriminator")

    assert found(model_of(Wasserstein, generator(), with_heads("linear", "softmax"))) == []
    assert found(model_of(Wasserstein, generator(), with_heads("sigmoid", "linear"))) == ["bounded_scores"]


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_loss_that_reads_other_outputs_is_traced(weight):
    """AC-GAN's asks for the logits of classes and for the labels."""
    settings = {"filters": 4, "discriminator_normalization": None}
    model = ganzoo.ACGAN.from_paper((32, 32, 1), 3, r1_weight=weight, **settings)
    assert penalizes_gradients(model) == (weight > 0)
