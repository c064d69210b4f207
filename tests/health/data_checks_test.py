"""Data that do not go with a model: each finding where it belongs, silence elsewhere, and which data are read."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import ganzoo
from ganzoo import health
from ganzoo.health import data_checks
from ganzoo.training import feed
from tests.check_model import tiny
from tests.health.set_ups import (
    IMAGES,
    LABELS,
    RANDOM,
    SHAPE,
    Wasserstein,
    batched,
    discriminator,
    found,
    gan,
    generator,
    message,
    model_of,
    on_two_replicas,
    pipelines,
)

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


# === Which data are read ===


def test_looks_at_few_batches(monkeypatch):
    model, count = gan(), []
    monkeypatch.setattr(feed, "arrange", lambda *args: count.append(1) or (IMAGES[:8], None))
    data = batched(np.repeat(IMAGES, 100, axis=0))  # 400 batches.
    for limit, value, batches in (("MAX_SAMPLES", 1000, 125), ("MAX_VALUES", 24 * 80, 10), ("MAX_SECONDS", -1.0, 1)):
        with monkeypatch.context() as patch:
            patch.setattr(data_checks, limit, value)
            count.clear()
            health.check(model, data)
            assert len(count) == batches, limit
    endless = data.repeat()
    count.clear()
    health.check(model, endless)
    assert len(count) == 125


@pytest.mark.parametrize("name", pipelines())
def test_which_datasets_are_read(name):
    dataset, readable = pipelines()[name]
    assert data_checks.can_be_read_again(dataset) == readable


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
