import keras
import numpy as np
import pytest
import tensorflow as tf

import ganzoo
from ganzoo.augmentation import DiffAugment
from ganzoo.augmentation.diff_augment import hidden, shifts
from tests.check_model import replicas_agree, resumes_with_the_same_bits, sgd, tiny, train

LOGS = {"d_loss", "g_loss", "wasserstein", "gradient_penalty"}


def images(batch=6, height=16, width=8, channels=3):
    return tf.random.stateless_uniform((batch, height, width, channels), (1, 2), -1.0, 1.0)


def numbers(batch=6, seed=3):
    return tf.random.stateless_uniform((batch, DiffAugment.numbers), (seed, 4))


def make(**overrides):
    settings = {"networks": ganzoo.networks.mlp, "hidden": (4,), "gradient_penalty_weight": 0.1}
    return tiny(ganzoo.WGANGP, (8, 8, 1), **{**settings, "augmentation": DiffAugment(), **overrides})


def test_zero_strength_is_the_identity():
    np.testing.assert_array_equal(DiffAugment(color=0, translation=0, cutout=0)(images(), numbers()), images())


def test_middle_numbers_leave_the_colors():
    """u = 0.5: no brightness, saturation and contrast times 1."""
    unchanged = DiffAugment(translation=0, cutout=0)(images(), tf.fill((6, 7), 0.5))
    np.testing.assert_allclose(unchanged, images(), atol=1e-6)


def test_colors_by_hand():
    x, u = images().numpy().astype("float64"), numbers().numpy().astype("float64")[:, :3, None, None, None]
    x = x + u[:, 0] - 0.5
    grey = x.mean(axis=3, keepdims=True)
    x = grey + (x - grey) * 2 * u[:, 1]
    mean = x.mean(axis=(1, 2, 3), keepdims=True)
    x = mean + (x - mean) * (0.5 + u[:, 2])
    np.testing.assert_allclose(DiffAugment(translation=0, cutout=0)(images(), numbers()), x, atol=1e-5)


def test_translation_by_hand():
    """Of 16 rows, an eighth: shifts of -2..2; of 8 columns: -1..1. What moves in is 0."""
    u = numbers().numpy()
    expected = np.zeros((6, 16, 8, 3), "float32")
    for i, image in enumerate(images().numpy()):
        down, right = int(u[i, 3] * 5) - 2, int(u[i, 4] * 3) - 1
        for row in range(16):
            for column in range(8):
                if 0 <= row - down < 16 and 0 <= column - right < 8:
                    expected[i, row, column] = image[row - down, column - right]
    np.testing.assert_allclose(DiffAugment(color=0, cutout=0)(images(), numbers()), expected, atol=1e-6)
    assert len({int(value * 5) for value in u[:, 3]}) > 2  # It was not all one shift.


def test_every_shift_is_as_likely():
    offsets = shifts(16, 0.125, tf.linspace(0.0, 0.9999, 1000)).numpy()
    np.testing.assert_allclose(np.bincount(offsets + 2), [200] * 5, atol=1)


def test_cutout_hides_one_square():
    x = DiffAugment(color=0, translation=0)(tf.ones((500, 16, 8, 3)), numbers(500)).numpy()
    holes = (x == 0).all(axis=-1)
    assert holes.any(axis=(1, 2)).all()
    rows, columns = holes.any(axis=2).sum(axis=1), holes.any(axis=1).sum(axis=1)
    assert rows.max() == 8 and columns.max() == 4  # Half of each side; less where it leaves the image.
    assert rows.min() >= 4 and columns.min() >= 2
    np.testing.assert_array_equal(holes.sum(axis=(1, 2)), rows * columns)
    np.testing.assert_array_equal(hidden(8, 0.5, tf.constant([0.0, 0.5, 0.999])).numpy()[:, 0], [1, 0, 0])


def test_gradient_against_differences():
    x, u = tf.cast(images(2, 8, 8, 1), "float32"), numbers(2)
    weights = tf.random.stateless_normal(x.shape, (5, 6))

    def score(x):
        return tf.reduce_sum(weights * DiffAugment()(x, u))

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = score(x)
    gradient = tape.gradient(y, x)
    direction = tf.random.stateless_normal(x.shape, (7, 8))
    slope = (score(x + 0.1 * direction) - score(x - 0.1 * direction)) / 0.2  # T is linear but for its offset.
    np.testing.assert_allclose(slope, tf.reduce_sum(gradient * direction), rtol=1e-3)
    assert float(tf.norm(gradient)) > 0.1


def test_real_and_fake_share_the_policy_and_an_update_is_one_function():
    model = make(run_eagerly=True)
    seen = []
    model.discriminator.call = lambda x, **kwargs: seen.append(x) or tf.zeros((6, 1))
    critic = model.critic(None)
    x = images(6, 8, 8, 1)
    critic(x), critic(x), critic(2 * x)
    np.testing.assert_array_equal(seen[0], seen[1])
    assert not np.allclose(seen[0], x)
    model.critic(None)(x)
    assert not np.allclose(seen[0], seen[3])  # The next update has other numbers.
    model.critic(None, training=False)(x)
    np.testing.assert_array_equal(seen[4], x)  # `evaluate` sees the samples themselves.


def test_the_gradient_reaches_the_generator():
    model = make(**sgd(1.0, 0.0))
    before = model.generator.get_weights()
    logs = train(model, steps=1).history
    assert all(np.isfinite(value[0]) for value in logs.values())
    assert any(np.abs(a - b).max() > 1e-6 for a, b in zip(before, model.generator.get_weights()))


@pytest.mark.parametrize("check", [resumes_with_the_same_bits, replicas_agree])
def test_contracts(check, tmp_path):
    """With labels, which have to stay with their samples."""
    check(lambda **overrides: make(num_classes=3, **overrides), LOGS, tmp_path)


def test_config():
    augmentation = DiffAugment(color=0.5, translation=0.25, cutout=0)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(augmentation))
    assert copy.get_config() == {"color": 0.5, "translation": 0.25, "cutout": 0.0}


@pytest.mark.parametrize(
    ("make_it", "words"),
    [
        (lambda: DiffAugment(color=-1), "`color` must be a finite number of at least 0"),
        (lambda: DiffAugment(cutout=1.5), "`cutout` must be .* from 0 to 1"),
        (lambda: make(augmentation="color"), "must be a callable, such as"),
        (lambda: make(augmentation=lambda images, numbers: images), "with an attribute `numbers`"),
        (lambda: tiny(ganzoo.GAN, (2,), augmentation=DiffAugment()), "changes images"),
    ],
)
def test_what_is_refused(make_it, words):
    with pytest.raises((ValueError, TypeError), match=words):
        make_it()
