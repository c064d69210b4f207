"""An image as the condition, of a model that knows nothing of it: WGAN-GP with networks of one's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.training.condition_kinds import Image, Label
from tests.check_model import reload, replicas_agree, resumes_with_the_same_bits

INPUTS = np.random.default_rng(0).uniform(-1, 1, (8, 4, 6, 1)).astype("float32")
TARGETS = np.random.default_rng(1).uniform(-1, 1, (8, 4, 6, 3)).astype("float32")
LOGS = {"d_loss", "g_loss", "wasserstein", "gradient_penalty"}


def translator(**settings):
    """Images (4, 6, 1) to images (4, 6, 3)."""
    keras.utils.set_random_seed(0)
    latents, condition = keras.Input((3,), name="latents"), keras.Input((4, 6, 1), name="condition")
    x = keras.layers.Concatenate()([latents, keras.layers.Flatten()(condition)])
    x = keras.layers.Dense(72, activation="tanh", dtype="float32")(x)
    generator = keras.Model([latents, condition], keras.layers.Reshape((4, 6, 3), dtype="float32")(x))
    packing = settings.get("packing", 1)
    image = keras.Input((4, 6, 3 * packing), name="image")
    condition = keras.Input((4, 6, packing), name="condition")
    x = keras.layers.Concatenate()([keras.layers.Flatten()(image), keras.layers.Flatten()(condition)])
    x = keras.layers.Dense(4, activation="leaky_relu")(x)
    discriminator = keras.Model([image, condition], keras.layers.Dense(1, dtype="float32")(x))
    optimizers = {
        name: settings.pop(name, keras.optimizers.Adam(1e-3))
        for name in ("generator_optimizer", "discriminator_optimizer")
    }
    run_eagerly = settings.pop("run_eagerly", False)
    settings = {"gradient_penalty_weight": 0.1, "discriminator_steps": 1, "seed": 1, **settings}
    model = ganzoo.WGANGP(generator, discriminator, **settings)
    model.compile(**optimizers, run_eagerly=run_eagerly)
    return model


@pytest.mark.parametrize("check", [resumes_with_the_same_bits, replicas_agree])
def test_contracts(check, tmp_path):
    check(translator, LOGS, tmp_path)


def test_the_kind_is_that_of_the_networks():
    conditions = translator().conditions
    assert {name: type(kind) for name, kind in conditions.kinds.items()} == {"image": Image}
    assert conditions.translates and conditions.image_shape == (4, 6, 1)
    mlp = ganzoo.networks.mlp
    for classes, kinds in ((None, {}), (3, {"label": Label})):
        networks = [build((2,), hidden=(2,), num_classes=classes) for build in (mlp.generator, mlp.discriminator)]
        conditions = ganzoo.GAN(*networks, num_classes=classes).conditions
        assert {name: type(kind) for name, kind in conditions.kinds.items()} == kinds


def test_odd_labels_and_images():
    with pytest.raises(ValueError, match=r"`condition` must be one label, or a list with a label for each sample. Rec"):
        Label(3).for_samples([[1], [1, 2]], None)
    for odd in ([[1, 2], [1]], "x", object(), np.ones((1, 2, 2, 1)) * 1j):
        with pytest.raises(ValueError, match="`condition` must be an array of numbers. Received: condition="):
            Image((2, 2, 1)).for_samples(odd, None)


def test_each_input_stays_with_its_target():
    model = translator(run_eagerly=True)
    seen = []
    critic = model.critic

    def watch(condition, training=True):
        seen.append(condition.numpy())
        return critic(condition, training)

    model.critic = watch
    pairs = []
    model.generator_loss = lambda critic, real, fake: pairs.append(real.numpy()) or tf.reduce_mean(critic(fake))
    model.fit(INPUTS, TARGETS, batch_size=4, verbose=0)
    for inputs, targets in zip(seen[1::2], pairs, strict=True):  # Those of the generator's updates.
        places = [int(np.argmin(np.abs(INPUTS - x).sum(axis=(1, 2, 3)))) for x in inputs]
        np.testing.assert_allclose(inputs, INPUTS[places], atol=1e-6)
        np.testing.assert_allclose(targets, TARGETS[places], atol=1e-6)


def test_generates_for_each_image():
    model = translator()
    images = model.generate(condition=INPUTS)
    assert images.shape == (8, 4, 6, 3)
    np.testing.assert_allclose(model.generate(3, condition=INPUTS[:3]), images[:3], rtol=1e-5, atol=1e-6)
    many = model.generate(4, condition=INPUTS[0])
    np.testing.assert_allclose(many[0], images[0], rtol=1e-5, atol=1e-6)
    assert np.abs(many[1] - many[0]).max() > 1e-3  # Other latents.
    np.testing.assert_array_equal(model(INPUTS[:2]), model(INPUTS[:2]))
    assert model.predict(INPUTS, verbose=0).shape == (8, 4, 6, 3)


def test_exports_image_to_image(tmp_path):
    model = translator()
    model.export(tmp_path / "1")
    served = tf.saved_model.load(tmp_path / "1").signatures
    for count in (1, 3):
        image = tf.constant(INPUTS[:count])
        np.testing.assert_allclose(
            served["serving_default"](image=image)["images"], model(INPUTS[:count]), rtol=1e-5, atol=1e-6
        )
        drawn = served["generate"](seed=tf.constant(5, "int64"), image=image)["images"]
        expected = ganzoo.images.to_uint8(model.generate(condition=INPUTS[:count], seed=5))
        np.testing.assert_array_equal(drawn, expected)
    assert ganzoo.export.saved_model.read_card(tmp_path / "1")["condition_shape"] == [4, 6, 1]


def test_packs_and_augments_input_and_target_together(tmp_path):
    model = translator(packing=2, augmentation=ganzoo.augmentation.DiffAugment(), run_eagerly=True)
    assert np.isfinite(list(model.fit(INPUTS, TARGETS, batch_size=4, verbose=0).history.values())).all()
    assert reload(model, tmp_path).conditions.image_shape == (4, 6, 1)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda m: m.fit(INPUTS, batch_size=4), "translates images, and the data have no targets"),
        (lambda m: m.fit(TARGETS, INPUTS, batch_size=4), r"(do not|not) fit the model"),
        (lambda m: m.fit(INPUTS[:4], TARGETS, batch_size=4), "4.*8"),
        (lambda m: m.generate(2), "translates images: pass condition="),
        (lambda m: m.generate(condition=TARGETS), r"input images do not fit.*\(batch, 4, 6, 1\)"),
        (lambda m: m.generate(3, condition=INPUTS), "one image or num_samples=3 images. Received: 8"),
        (lambda m: m.generate(condition=INPUTS * 255), r"input images must lie in \[-1, 1\]"),
        (lambda m: m.train_on_batch(INPUTS), "no targets"),
    ],
)
def test_what_is_refused(act, words):
    with pytest.raises(ValueError, match=words):
        act(translator())


def test_predicts_with_the_averaged_generator():
    model = translator(ema_decay=0.5)
    model.generator.set_weights([2 * weight for weight in model.generator.get_weights()])
    latents = np.repeat(ganzoo.sampling.SeededNumbers(0).normal((1, 3)).numpy(), 3, axis=0)
    expected = model.ema_generator([latents, INPUTS[:3]], training=False)
    np.testing.assert_allclose(model.predict(INPUTS[:3], verbose=0), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model(INPUTS[:3]), expected, rtol=1e-5, atol=1e-6)
    assert np.abs(model(INPUTS[:3], training=True) - expected).max() > 1e-3
