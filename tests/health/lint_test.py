"""The linter: each finding where it belongs, silence elsewhere, and no trace of either."""

import functools
import inspect
import math
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import ganzoo
from ganzoo.constraints import clip_weights
from ganzoo.health import lint
from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.penalties import gradient_penalty, zero_centered_penalty
from ganzoo.training import feed
from tests.check_model import digest, sgd, tiny, two_replicas

SHAPE = (6, 4, 1)
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(-1, 1, (32, *SHAPE)).astype("float32")
LABELS = np.arange(32) % 3


class Wasserstein(AdversarialModel):
    """Someone's own model, without a penalty."""

    def discriminator_loss(self, critic, real, fake):
        return keras.ops.mean(critic(fake)) - keras.ops.mean(critic(real))

    def generator_loss(self, critic, real, fake):
        return -keras.ops.mean(critic(fake))


class Penalized(Wasserstein):
    """Someone's own model, with one."""

    def discriminator_loss(self, critic, real, fake):
        penalty = gradient_penalty(critic, real, fake, self.uniform)
        self.track(penalty=penalty)
        return super().discriminator_loss(critic, real, fake) + 10.0 * penalty


class Clipped(Wasserstein):
    """Someone's own model with clipped weights."""

    def __init__(self, generator, discriminator, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        clip_weights(discriminator)


def generator(*last, shape=SHAPE):
    latents = keras.Input((2,))
    x = layers.Reshape(shape)(layers.Dense(math.prod(shape))(latents))
    for layer in last:
        x = layer(x)
    return keras.Model(latents, x, name="own_generator")


def discriminator(*inner, first=(), last=(), shape=SHAPE):
    x = image = keras.Input(shape)
    for layer in first:
        x = layer(x)
    x = layers.Dense(4, activation="relu", name="hidden")(layers.Flatten()(x))
    for layer in inner:
        x = layer(x)
    x = layers.Dense(1, name="score")(x)
    for layer in last:
        x = layer(x)
    return keras.Model(image, x, name="own_discriminator")


def model_of(kind, *networks, optimizers=None, **settings):
    model = kind(*(networks or (generator(), discriminator())), **settings)
    model.compile(**(optimizers or sgd()))
    return model


def gan(**settings):
    return tiny(ganzoo.GAN, SHAPE, hidden=(4,), **settings)


def wgan(**settings):
    return tiny(ganzoo.WGAN, SHAPE, networks=ganzoo.networks.mlp, hidden=(4,), **settings)


def critic_optimizer(optimizer):
    return {"generator_optimizer": "sgd", "discriminator_optimizer": optimizer}


def batched(*parts, size=8):
    return tf.data.Dataset.from_tensor_slices(parts if len(parts) > 1 else parts[0]).batch(size, drop_remainder=True)


def found(model, dataset=None, **kwargs):
    return [finding.name for finding in lint.check(model, dataset, **kwargs)]


def message(model, dataset=None):
    (finding,) = lint.check(model, dataset)
    return f"{finding.message} [{finding.reference}]"


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


def on_two_replicas(inner):
    with two_replicas().scope():
        return model_of(Wasserstein, generator(), discriminator(inner()))


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
        (ganzoo.DRAGAN, {}, True),
        (ganzoo.R3GAN, {}, True),
    ):
        model = tiny(kind, (3,), **settings, **extra)
        before = digest(model)
        assert lint.penalizes_gradients(model) == penalized, kind
        assert digest(model) == before
        assert model.metrics == []


def test_a_loss_that_cannot_be_traced_is_not_checked():
    class Strange(Wasserstein):
        def discriminator_loss(self, critic, real, fake):
            return zero_centered_penalty(critic, real) * float(real[0, 0, 0, 0])

    assert not lint.penalizes_gradients(model_of(Strange))


# === Data: (model, data with the finding, data without it) ===


def dark(count=32):
    """Images that are black, but for a few grey pixels."""
    images = np.full((count, *SHAPE), -1.0, "float32")
    images[:, 2, 1] += np.linspace(0, 0.004, count)[:, None]
    return images


def with_channels(*channels):
    return np.stack(channels, axis=-1).astype("float32")


def nearly_equal(share, noise=0.001):
    """Images of which that share differs by a little noise only."""
    count = round(share * len(IMAGES))
    images = IMAGES.copy()
    images[:count] = IMAGES[0] + RANDOM.normal(0, noise, (count, *SHAPE))
    return np.clip(images, -1, 1).astype("float32")


def colored():
    return tiny(ganzoo.GAN, (6, 4, 4), hidden=(4,))


def squashed(activation, shape=SHAPE):
    networks = generator(layers.Activation(activation), shape=shape), discriminator(shape=shape)
    return model_of(Wasserstein, *networks)


def normalized(kind=layers.BatchNormalization, **settings):
    """A critic with batch normalization."""
    return model_of(Wasserstein, generator(), discriminator(kind(**settings)))


def normalized_on_replicas(**settings):
    return on_two_replicas(lambda: layers.BatchNormalization(**settings))


NOISE = [RANDOM.uniform(-1, 1, (32, 6, 4)) for _ in range(4)]
POINTS = RANDOM.normal(size=(1000, 2)).astype("float32")
MANY = np.repeat(IMAGES, 10, axis=0)

OF_THE_DATA = {
    "images in [0, 1]": ("unit_range", gan, (batched(IMAGES / 2 + 0.5),), (batched(IMAGES),)),
    "images in [0, 1], for a sigmoid": (
        "unit_range",
        lambda: squashed("sigmoid"),
        (batched(IMAGES / 2 + 0.5),),
        None,
    ),
    "points above 0": ("unit_range", gan, (batched(IMAGES / 2 + 0.5),), (batched(IMAGES - 1e-3),)),
    "images scaled twice": (
        "narrow_range",
        gan,
        (batched((IMAGES + 1) / 255 - 1),),
        (batched(np.where(IMAGES > 0.9, IMAGES, -1.0).astype("float32")),),
    ),
    "a sigmoid for [-1, 1]": ("unreachable_values", lambda: squashed("sigmoid"), (batched(IMAGES),), None),
    "a tanh for [-1, 1]": ("unreachable_values", lambda: squashed("relu"), (batched(IMAGES),), None),
    "a tanh for points": (
        "unreachable_values",
        lambda: squashed("tanh", (2,)),
        (batched(POINTS),),
        (batched(np.tanh(POINTS)),),
    ),
    "equal images": ("equal_samples", gan, (batched(nearly_equal(0.75)),), (batched(nearly_equal(0.4)),)),
    "equal points": (
        "equal_samples",
        lambda: tiny(ganzoo.GAN, (2,), hidden=(4,)),
        (batched(np.where(np.arange(400)[:, None] < 300, [[3.0, 4.0]], POINTS[:400]).astype("float32")),),
        (batched(POINTS[:400] * 1e-3),),
    ),
    "an opaque alpha": (
        "constant_channels",
        colored,
        (batched(with_channels(*NOISE[:3], np.ones((32, 6, 4)))),),
        (batched(with_channels(*NOISE)),),
    ),
    "one class": (
        "one_class",
        lambda: gan(num_classes=3),
        (batched(IMAGES, LABELS * 0 + 1),),
        (batched(IMAGES, LABELS),),
    ),
    "one class without a condition": (
        "one_class",
        lambda: gan(num_classes=2),
        (batched(IMAGES, LABELS * 0),),
        None,
    ),
    "labels from 1 on": (
        "empty_classes",
        lambda: gan(num_classes=4),
        (ganzoo.data.from_arrays(IMAGES, LABELS + 1, batch_size=8),),
        (ganzoo.data.from_arrays(IMAGES, np.arange(32) % 4, batch_size=8),),
    ),
    "labels from 1 on, in a pipeline": (
        "empty_classes",
        lambda: gan(num_classes=3),
        (batched(MANY, np.tile([1, 2], 160)),),
        (batched(IMAGES, np.tile([1, 2], 16)),),  # Too few to tell.
    ),
    "labels out of range": (
        "labels_out_of_range",
        lambda: gan(num_classes=3),
        (batched(IMAGES, np.where(np.arange(32) == 20, 3, LABELS)),),
        (batched(IMAGES, LABELS),),
    ),
    "NaN in a later batch": (
        "not_finite",
        gan,
        (batched(np.where(np.arange(32)[:, None, None, None] == 20, np.nan, IMAGES).astype("float32")),),
        (batched(IMAGES),),
    ),
    "one latent for a plane": (
        "few_latents",
        lambda: tiny(ganzoo.GAN, (2,), hidden=(4,), latent_dim=1),
        (batched(POINTS),),
        (batched(POINTS[:400]),),  # Too few to tell.
    ),
    "batches of 4": (
        "small_batch_for_batch_normalization",
        normalized,
        (batched(IMAGES, size=4),),
        (batched(IMAGES, size=8),),
    ),
    "batches of 8 on two replicas": (
        "small_batch_for_batch_normalization",
        normalized_on_replicas,
        (batched(IMAGES, size=8),),
        (batched(IMAGES, size=16),),
    ),
}


@pytest.mark.parametrize("case", OF_THE_DATA)
def test_data(case):
    name, make, bad, good = OF_THE_DATA[case]
    model = make()
    assert found(model, *bad) == [name]
    assert good is None or found(model, *good) == []


def test_what_silences_a_finding_of_the_data():
    unit = batched(IMAGES / 2 + 0.5)
    assert found(squashed("tanh"), unit) == ["unit_range"]
    assert "the generator ends in tanh" in message(squashed("tanh"), unit)
    assert found(squashed("sigmoid"), unit) == ["unit_range"]  # `generate` would call its black grey.
    rescaled = generator(layers.Activation("sigmoid"), layers.Rescaling(2.0, -1.0))
    assert found(model_of(Wasserstein, rescaled, discriminator()), batched(IMAGES)) == []
    assert found(squashed("tanh"), batched(IMAGES)) == []
    # Points have no range to fill, and labels do not matter to a model that does not read them.
    points = np.abs(POINTS[:400])
    assert found(tiny(ganzoo.GAN, (2,), hidden=(4,)), batched(points)) == []
    assert found(gan(), batched(IMAGES, LABELS * 0 + 7)) == []
    # Statistics over all replicas, or of frozen layers, or none.
    assert found(normalized_on_replicas(synchronized=True), batched(IMAGES, size=8)) == []
    assert found(normalized_on_replicas(synchronized=True), batched(IMAGES, size=4)) != []
    assert found(normalized(trainable=False), batched(IMAGES, size=4)) == []
    assert found(normalized(layers.LayerNormalization), batched(IMAGES, size=2)) == []
    # A bottleneck is what an encoder is for.
    assert found(tiny(ganzoo.VAE, (2,), hidden=(4,), latent_dim=1), batched(POINTS)) == []


def test_packs_count_as_samples_of_the_discriminator():
    critic = discriminator(layers.BatchNormalization(), shape=(6, 4, 2))
    model = model_of(Wasserstein, generator(), critic, packing=2)
    assert found(model, batched(IMAGES, size=16)) == []
    assert "has 4 samples for its statistics (batches of 8, packs of 2)" in message(model, batched(IMAGES, size=8))


def test_the_autoencoder_of_began():
    image = keras.Input(SHAPE)
    x = layers.Dense(24, activation="sigmoid")(layers.Flatten()(image))
    critic = keras.Model(image, layers.Reshape(SHAPE)(x))
    model = model_of(ganzoo.BEGAN, generator(), critic)
    assert found(model, batched(IMAGES)) == ["unreachable_values"]
    assert "the discriminator's sigmoid cannot leave" in message(model, batched(IMAGES))
    assert found(tiny(ganzoo.BEGAN, (8, 8, 1), filters=2, embedding_dim=3)) == []


def test_input_images_have_a_range_too():
    settings = {"filters": 2, "receptive_field": 1, "latent_dim": None}
    model = tiny(ganzoo.Pix2Pix, (8, 8, 1), **settings)
    images = np.random.default_rng(1).uniform(-1, 1, (16, 8, 8, 1)).astype("float32")
    assert found(model, batched(images, images)) == []
    assert found(model, batched(images / 2 + 0.5, images)) == ["unit_range"]
    assert "The input images lie in [0.0" in message(model, batched(images / 2 + 0.5, images))


def test_a_batch_statistics_layer_is_meant_for_one_image():
    settings = {"filters": 2, "receptive_field": 1, "latent_dim": None, "normalization": "batch", "depth": 3}
    images = np.random.default_rng(1).uniform(-1, 1, (16, 8, 8, 1)).astype("float32")
    pairs = batched(images, images, size=1)
    plain = tiny(ganzoo.Pix2Pix, (8, 8, 1), **settings)
    assert set(found(plain, pairs)) == {"small_batch_for_batch_normalization"}
    assert found(tiny(ganzoo.Pix2Pix, (8, 8, 1), **settings, batch_statistics_at_test=True), pairs) == []


# === The models of the zoo on the data that come with it ===

ALL = [kind for kind in vars(ganzoo).values() if inspect.isclass(kind) and "from_paper" in vars(kind)]
CLASSES = {"mnist_10k": 10, "fashion_mnist_10k": 10, "ring": 8, "grid": 25, "swiss_roll": None}


@functools.cache
def embedded(name, batch_size=64):
    return ganzoo.data.load(name, batch_size=batch_size)


@functools.cache
def dimension_once(samples, estimate=lint.intrinsic_dimension):
    return estimate(np.frombuffer(samples[0], samples[1]).reshape(samples[2]))


def test_all_models_are_tested():
    assert {kind.__name__ for kind in ALL} >= {"GAN", "WGAN", "WGANGP", "Pix2Pix", "VAE", "R3GAN", "CGAN", "BEGAN"}
    assert len(ALL) == 14


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_silent_for_the_papers(kind, monkeypatch):
    # The dimension of the same samples, once for all models.
    monkeypatch.setattr(lint, "intrinsic_dimension", lambda x: dimension_once((x.tobytes(), x.dtype, x.shape)))
    if kind is ganzoo.Pix2Pix:
        edges = kind.from_paper((32, 32, 1), filters=4, receptive_field=16)
        assert lint.check(edges, embedded("fashion_edges_10k", 4)) == []
        outlines = kind.from_paper((64, 64, 3), condition_shape=(64, 64, 1), filters=2, receptive_field=16)
        pairs = ganzoo.data.load("openmoji_pairs", batch_size=1, jitter=True, mirror=True)
        assert lint.check(outlines, pairs) == []
        return
    for shape, names in (((28, 28, 1), ("mnist_10k", "fashion_mnist_10k")), ((2,), ("ring", "grid", "swiss_roll"))):
        if kind is ganzoo.CGAN:
            for name in names:
                if CLASSES[name]:
                    assert lint.check(kind.from_paper(shape, num_classes=CLASSES[name]), embedded(name)) == []
        elif kind is not ganzoo.BEGAN or len(shape) == 3:
            model = kind.from_paper(shape, **({"filters": 4} if kind is ganzoo.BEGAN else {}))
            for name in names:
                assert lint.check(model, embedded(name)) == []


# === No trace ===


def test_looks_at_few_batches(monkeypatch):
    model, count = gan(), []
    monkeypatch.setattr(feed, "arrange", lambda *args: count.append(1) or (IMAGES[:8], None))
    data = batched(np.repeat(IMAGES, 100, axis=0))  # 400 batches.
    for limit, value, batches in (("MAX_SAMPLES", 1000, 125), ("MAX_VALUES", 24 * 80, 10), ("MAX_SECONDS", -1.0, 1)):
        with monkeypatch.context() as patch:
            patch.setattr(lint, limit, value)
            count.clear()
            lint.check(model, data)
            assert len(count) == batches, limit
    endless = data.repeat()
    count.clear()
    lint.check(model, endless)
    assert len(count) == 125


def pipelines():
    """Datasets by name, and whether they may be read again."""

    def numbers():
        yield from IMAGES

    slices = tf.data.Dataset.from_tensor_slices(IMAGES)
    signature = tf.TensorSpec(SHAPE, "float32")
    scale = tf.Variable(1.0)
    return {
        "ganzoo": (ganzoo.data.from_arrays(IMAGES, batch_size=8), True),
        "mapped ganzoo": (ganzoo.data.from_arrays(IMAGES, batch_size=8).map(lambda image: -image), True),
        "slices": (slices.batch(8, num_parallel_calls=2).prefetch(1), True),
        "whole": (tf.data.Dataset.from_tensors(IMAGES).repeat(3).take(2).skip(1), True),
        "mapped": (slices.map(lambda image: image / 2, tf.data.AUTOTUNE).batch(8), True),
        "shuffled": (slices.shuffle(32).batch(8), False),
        "shuffled with a seed": (slices.shuffle(32, seed=1).batch(8).map(lambda images: -images), False),
        "generator": (tf.data.Dataset.from_generator(numbers, output_signature=signature).batch(8), False),
        "Python": (slices.map(lambda x: tf.ensure_shape(tf.numpy_function(np.sin, [x], "float32"), SHAPE)), False),
        "random": (slices.map(lambda image: image + tf.random.uniform([])).batch(8), False),
        "variable": (slices.map(lambda image: image * scale).batch(8), False),
        "cached": (slices.cache().batch(8), False),
    }


@pytest.mark.parametrize("name", pipelines())
def test_which_datasets_are_read(name):
    dataset, readable = pipelines()[name]
    assert lint.can_be_read_again(dataset) == readable


def test_a_generator_is_not_consumed():
    calls = []

    def numbers():
        calls.append(1)
        yield from IMAGES / 2 + 0.5

    data = tf.data.Dataset.from_generator(numbers, output_signature=tf.TensorSpec(SHAPE, "float32")).batch(8)
    assert found(gan(), data) == []
    assert calls == []
    # A batch that has been read anyway is looked at.
    assert found(gan(), data, batch=tf.constant(IMAGES[:8] / 2 + 0.5)) == ["unit_range"]
    assert calls == []
    # And what the dataset tells of itself without being read.
    shuffled = tf.data.Dataset.from_tensor_slices(IMAGES).shuffle(32)
    assert found(normalized(), shuffled.batch(4, drop_remainder=True)) == ["small_batch_for_batch_normalization"]
    assert found(normalized(), shuffled.batch(4)) == []


def test_a_shuffled_dataset_keeps_its_order():
    def orders(look):
        keras.utils.set_random_seed(3)
        data = batched(IMAGES).unbatch().shuffle(32, seed=1).batch(8)
        if look:
            lint.check(gan(), data)
        return [np.concatenate(list(data.as_numpy_iterator())) for _ in range(2)]

    plain, checked = orders(False), orders(True)
    np.testing.assert_array_equal(plain, checked)
    assert not np.array_equal(*plain)  # Each pass has an order of its own: one more would have been seen.


@pytest.mark.parametrize("kind", ["ganzoo", "shuffled with a seed"])
def test_training_is_the_same_to_the_bit(kind):
    def trained(look):
        settings = {"networks": ganzoo.networks.mlp, "hidden": (4,), "discriminator_steps": 2}
        model = tiny(ganzoo.WGANGP, SHAPE, **settings, **sgd(), run_eagerly=True)
        data, _ = pipelines()[kind]
        if look:
            lint.check(model, data)
            assert model.metrics == []
        model.fit(data, verbose=0)
        return digest(model)

    assert trained(True) == trained(False)


def test_data_that_do_not_fit_are_refused_as_in_fit():
    with pytest.raises(ValueError, match="The dataset is not batched"):
        lint.check(gan(), tf.data.Dataset.from_tensor_slices(IMAGES))


def test_a_loss_that_cannot_be_traced_leaves_no_trace():
    """It is not looked at then, and the log of the training is whole."""

    class Concrete(ganzoo.GAN):
        def discriminator_loss(self, critic, real, fake):
            loss = super().discriminator_loss(critic, real, fake)
            self.track(of_python=float(loss))
            return loss

    model = tiny(Concrete, SHAPE, hidden=(4,), run_eagerly=True)
    assert found(model, batched(IMAGES)) == []
    history = model.fit(batched(IMAGES), verbose=0).history
    assert {"d_loss", "g_loss", "of_python"} <= set(history)


# === The warning ===


def test_warning_lists_the_findings():
    model = wgan(discriminator_optimizer="adam", discriminator_steps=2)
    with pytest.warns(UserWarning, match=r"WGAN is about to be trained.*check=False") as caught:
        model.fit(batched(IMAGES / 2 + 0.5), verbose=0)
    (warning,) = caught
    text = str(warning.message)
    assert "\n- momentum_with_clipping: " in text and "\n- unit_range: " in text
    assert text.count("[") >= 2 and "arXiv:1511.06434" in text
    assert warning.filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(batched(IMAGES / 2 + 0.5), verbose=0)  # It is not told twice.


@pytest.mark.filterwarnings("error")
def test_no_warning_if_it_is_meant():
    wgan(discriminator_optimizer="adam", discriminator_steps=2).fit(batched(IMAGES / 2 + 0.5), verbose=0, check=False)


@pytest.mark.filterwarnings("error")
def test_no_warning_of_a_good_training():
    gan().fit(batched(IMAGES), verbose=0)


# === The dimension ===


def naive_dimension(points, first, last):
    estimates = []
    for k in range(first, last + 1):
        inverses = []
        for point in points:
            distances = np.sort(np.linalg.norm(points - point, axis=1))[1:]
            inverses.append(np.mean([np.log(distances[k - 1] / distances[j]) for j in range(k - 1)]))
        estimates.append(1 / np.mean(inverses))
    return np.mean(estimates)


def test_dimension_is_the_formula():
    points = np.random.default_rng(1).normal(size=(500, 3))
    assert lint.intrinsic_dimension(points, 3, 5) == pytest.approx(naive_dimension(points, 3, 5), rel=1e-9)


@pytest.mark.parametrize("dimension", [1, 2, 4, 8])
def test_dimension_of_a_cube_in_many_coordinates(dimension):
    random = np.random.default_rng(dimension)
    turn = np.linalg.qr(random.normal(size=(40, 40)))[0][:dimension]
    points = random.uniform(-1, 1, (1000, dimension)) @ turn + random.normal(size=40)
    estimate = lint.intrinsic_dimension(points)
    assert 0.8 * dimension < estimate < 1.1 * dimension
    assert lint.intrinsic_dimension(points * 1000) == pytest.approx(estimate, rel=1e-6)


def test_dimension_does_not_count_copies():
    points = np.random.default_rng(0).normal(size=(600, 3))
    assert lint.intrinsic_dimension(np.repeat(points, 30, axis=0)) == pytest.approx(lint.intrinsic_dimension(points))
    assert lint.intrinsic_dimension(np.repeat(points[:400], 2, axis=0)) is None


def test_dimension_of_large_images_is_that_of_thinned_ones():
    random = np.random.default_rng(0)
    images = np.tensordot(random.normal(size=(500, 4)), random.normal(size=(4, 40, 66, 2)), 1)
    assert images.shape == (500, 40, 66, 2)
    small = lint.intrinsic_dimension(images[:, ::2, ::3])
    assert lint.intrinsic_dimension(images) == small
    assert 3.2 < small < 4.4


def test_eight_latents_suffice_for_digits_and_six_do_not():
    data = embedded("mnist_10k")
    small = {"hidden": (4,)}
    assert found(ganzoo.GAN.from_paper((28, 28, 1), latent_dim=8, **small), data) == []
    assert found(ganzoo.GAN.from_paper((28, 28, 1), latent_dim=6, **small), data) == ["few_latents"]
